//! The line: tickets, offers, order.

use std::time::Duration;

use leasehold::{
    model::{EndReason, SessionId, SessionState},
    store::{Allocated, Polled},
};

use super::Bench;

async fn poll(bench: &Bench, id: SessionId) -> leasehold::model::Session {
    match bench.store.poll(&bench.wine, id, Some(&bench.owner), false, false, None).await.unwrap() {
        Polled::Session(session) => session,
        other => panic!("{other:?}"),
    }
}

async fn release(bench: &Bench, id: SessionId) {
    bench.store.release(&bench.wine, id, None, None, EndReason::Released).await.unwrap();
}

#[tokio::test]
async fn what_is_released_is_offered_in_the_order_of_arrival() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let first = bench.queued().await;
    let second = bench.queued().await;
    assert_eq!(first.ticket.unwrap().position, 1);
    assert_eq!(poll(&bench, second.id).await.ticket.unwrap().position, 2);

    release(&bench, holder.id).await;
    // Nobody passes the line, also while the offer is not claimed.
    assert!(matches!(bench.allocate().await, Allocated::Shortage(None)));
    assert_eq!(poll(&bench, second.id).await.state, SessionState::Queued);
    let claimed = poll(&bench, first.id).await;
    assert_eq!(claimed.state, SessionState::Ready);
    assert_eq!(claimed.container.unwrap().id.as_str(), "one");
    release(&bench, first.id).await;
    assert_eq!(poll(&bench, second.id).await.state, SessionState::Ready);
}

#[tokio::test]
async fn priority_is_a_head_start_that_waiting_makes_up_for() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let old = bench.queued().await;
    bench.pass(Duration::from_secs(5));
    let ahead = async |priority| match bench.allocate_with(|new| (new.wait, new.priority) = (true, priority)).await {
        Allocated::Queued(session) => session.ticket.unwrap().position,
        other => panic!("{other:?}"),
    };
    assert_eq!(ahead(3).await, 2, "three seconds do not make up for five");
    assert_eq!(ahead(30).await, 1);
    release(&bench, holder.id).await;
    assert_eq!(poll(&bench, old.id).await.ticket.unwrap().position, 1);
}

#[tokio::test]
async fn case_12_a_ticket_that_nobody_polls_ends_and_is_never_served() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let dead = bench.queued().await;
    bench.pass(Duration::from_secs(6));
    let alive = bench.queued().await;
    bench.pass(Duration::from_secs(6));
    release(&bench, holder.id).await;
    let ended = poll(&bench, dead.id).await;
    assert_eq!((ended.state, ended.end_reason), (SessionState::Ended, Some(EndReason::TicketExpired)));
    assert_eq!(poll(&bench, alive.id).await.state, SessionState::Ready);
}

#[tokio::test]
async fn case_13_an_offer_that_nobody_claims_goes_to_the_next_after_the_confirm_time() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let gone = bench.queued().await;
    let next = bench.queued().await;
    release(&bench, holder.id).await;
    for _ in 0..2 {
        bench.pass(Duration::from_secs(5));
        assert_eq!(bench.members("offers").len(), 1);
        poll(&bench, next.id).await;
    }
    assert_eq!(poll(&bench, next.id).await.state, SessionState::Ready);
    assert_eq!(poll(&bench, gone.id).await.end_reason, Some(EndReason::Unconfirmed));
}

#[tokio::test]
async fn case_14_cancel_and_offer_are_one_or_the_other() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let waiter = bench.queued().await;
    release(&bench, holder.id).await;
    // It was offered; the cancel takes the container back into the pool.
    release(&bench, waiter.id).await;
    assert_eq!(poll(&bench, waiter.id).await.end_reason, Some(EndReason::Cancelled));
    assert_eq!(bench.members("available"), ["one"]);
    assert!(bench.members("offers").is_empty());
    // Cancelled first: it is not offered.
    let holder = bench.ready().await;
    let waiter = bench.queued().await;
    release(&bench, waiter.id).await;
    release(&bench, holder.id).await;
    assert_eq!(poll(&bench, waiter.id).await.state, SessionState::Ended);
    assert_eq!(bench.members("available"), ["one"]);
}

#[tokio::test]
async fn giving_up_forgets_a_waiting_session_and_keeps_an_offered_one() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let waiter = bench.queued().await;
    let give_up = async |id| bench.store.poll(&bench.wine, id, Some(&bench.owner), true, false, None).await.unwrap();
    assert!(matches!(give_up(waiter.id).await, Polled::GivenUp(_)));
    assert!(matches!(give_up(waiter.id).await, Polled::NotFound));
    let waiter = bench.queued().await;
    release(&bench, holder.id).await;
    assert!(matches!(give_up(waiter.id).await, Polled::Session(session) if session.state == SessionState::Ready));
}

#[tokio::test]
async fn a_line_is_no_longer_than_allowed() {
    let bench = Bench::with(|config| config.limits.line_max = 2);
    bench.containers(&["one"]).await;
    bench.ready().await;
    bench.queued().await;
    bench.queued().await;
    assert!(matches!(bench.allocate_with(|new| new.wait = true).await, Allocated::LineFull));
}

#[tokio::test]
async fn a_ticket_waits_no_longer_than_allowed_however_often_it_is_polled() {
    let bench = Bench::with(|config| config.limits.wait_max = Duration::from_secs(20));
    bench.containers(&["one"]).await;
    bench.ready().await;
    let waiter = bench.queued().await;
    for _ in 0..3 {
        bench.pass(Duration::from_secs(6));
        assert_eq!(poll(&bench, waiter.id).await.state, SessionState::Queued);
    }
    bench.pass(Duration::from_secs(6));
    assert_eq!(poll(&bench, waiter.id).await.end_reason, Some(EndReason::TicketExpired));
}

#[tokio::test]
async fn more_dead_tickets_than_one_script_skips_do_not_hold_up_the_line() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    for _ in 0..40 {
        bench.queued().await;
    }
    bench.pass(Duration::from_secs(9));
    let alive = bench.queued().await;
    bench.pass(Duration::from_secs(9));
    release(&bench, holder.id).await;
    for _ in 0..4 {
        bench.store.reclaim(&bench.wine).await.unwrap();
    }
    assert_eq!(poll(&bench, alive.id).await.state, SessionState::Ready);
}

#[tokio::test]
async fn the_last_four_replicas_that_asked_are_woken() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    bench.ready().await;
    let waiter = bench.queued().await;
    for replica in ["ab", "a", "ab", "c", "d", "e", "f"] {
        bench.store.poll(&bench.wine, waiter.id, Some(&bench.owner), false, false, Some(replica)).await.unwrap();
    }
    let woken: String = redis::cmd("HGET")
        .arg(bench.key(&format!("session:{}", waiter.id)))
        .arg("replica")
        .query(&mut bench.redis.conn())
        .unwrap();
    assert_eq!(woken, "test:wake:f,test:wake:e,test:wake:d,test:wake:c");
    let other = bench.queued().await;
    for replica in ["ab", "a"] {
        bench.store.poll(&bench.wine, other.id, Some(&bench.owner), false, false, Some(replica)).await.unwrap();
    }
    let woken: String = redis::cmd("HGET")
        .arg(bench.key(&format!("session:{}", other.id)))
        .arg("replica")
        .query(&mut bench.redis.conn())
        .unwrap();
    assert_eq!(woken, "test:wake:a,test:wake:ab");
}
