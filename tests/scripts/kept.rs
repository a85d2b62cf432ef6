//! After a loss of Redis: what its data still know of, as a primary that was promoted does.

use std::time::Duration;

use leasehold::{
    model::{EndReason, LeaseProof, Session},
    store::{Adopted, Allocated, Heartbeat, Polled},
};

use super::recovery::{LAG, adopted, bench, proof_of};

fn left(session: &Session) -> Duration {
    Duration::from_millis(session.lease.as_ref().expect("a lease").expires_in_ms)
}

#[tokio::test]
async fn a_renewal_never_takes_back_what_was_told_since_the_loss() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let before = bench.ready().await;
    let proof = proof_of(&before);
    // Pool time goes on before where it stood, so that its lease lasts longer.
    bench.moved();
    let Allocated::Replayed(again) = bench.allocate_with(|new| new.id = before.id).await else { panic!("not there") };
    assert!(left(&again) > LAG / 2 + left(&before), "{again:?}");
    // As an answer that is under way for so long.
    let least = left(&again).saturating_sub(LAG / 2);
    let Heartbeat::Renewed(beaten) = bench.beat(before.id).await else { panic!("not renewed") };
    assert!(left(&beaten) > least, "{beaten:?}");
    let taken_up = adopted(bench.other().adopt(&proof).await.unwrap());
    assert!(left(&taken_up) > least, "{taken_up:?}");
    let Polled::Session(read) =
        bench.store.poll(&bench.wine, before.id, Some(&bench.owner), false, true, None).await.unwrap()
    else {
        panic!("not read")
    };
    assert!(left(&read) > least, "{read:?}");
    bench.pass(least);
    assert!(matches!(bench.beat(before.id).await, Heartbeat::Renewed(_)));
}

#[tokio::test]
async fn a_kept_lease_that_may_have_run_out_before_the_loss_is_renewed_only_when_it_is_proven() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let short = |new: &mut leasehold::store::Allocation<'_>| (new.ttl, new.span) = (LAG / 2, LAG / 2);
    let Allocated::Ready(before) = bench.allocate_with(short).await else { panic!("not ready") };
    let proof = proof_of(&before);
    bench.moved();
    // In the writes that are lost it may have run out, and somebody else have got the container.
    let store = bench.other();
    assert!(matches!(bench.beat(before.id).await, Heartbeat::Unproven));
    let read = store.poll(&bench.wine, before.id, Some(&bench.owner), false, false, None).await.unwrap();
    assert!(matches!(read, Polled::Unproven(_)), "{read:?}");
    let again = bench.allocate_with(|new| new.id = before.id).await;
    assert!(matches!(again, Allocated::Shortage(Some(_))), "{again:?}");
    // A heartbeat that was under way for long proves that it did.
    let lapsed = LeaseProof { until_ms: 1, ..proof.clone() };
    let after = store.adopt(&lapsed).await.unwrap();
    assert!(matches!(after, Adopted::Ended(EndReason::LostInRecovery)), "{after:?}");
    bench.held_back().await;
    assert!(matches!(store.adopt(&proof).await.unwrap(), Adopted::Ended(_)), "it is over");
}

#[tokio::test]
async fn a_kept_lease_that_is_proven_to_have_lived_at_the_loss_goes_on() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let short = |new: &mut leasehold::store::Allocation<'_>| (new.ttl, new.span) = (LAG / 2, LAG / 2);
    let Allocated::Ready(before) = bench.allocate_with(short).await else { panic!("not ready") };
    bench.moved();
    assert!(matches!(bench.beat(before.id).await, Heartbeat::Unproven));
    adopted(bench.other().adopt(&proof_of(&before)).await.unwrap());
    assert!(matches!(bench.beat(before.id).await, Heartbeat::Renewed(_)));
}

#[tokio::test]
async fn a_kept_offer_that_may_have_gone_to_the_next_is_over() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let before = bench.ready().await;
    let waiting = bench.queued().await;
    bench.release(&before).await;
    assert_eq!(bench.members("offers"), [waiting.id.to_string()]);
    bench.pass(Duration::from_secs(2));
    bench.moved();
    let store = bench.other();
    let read = store.poll(&bench.wine, waiting.id, Some(&bench.owner), false, false, None).await.unwrap();
    let Polled::Session(session) = read else { panic!("{read:?}") };
    assert_eq!(session.end_reason, Some(EndReason::LostInRecovery));
    bench.held_back().await;
}
