//! What is overdue has ended for everybody, also when more of it stands about than one script takes back.

use std::time::Duration;

use leasehold::{
    model::{EndReason, EngineState, PoolState, Session, SessionId, SessionState},
    store::{Allocated, Beat, Heartbeat, Polled, Released},
};

use super::{Bench, mark, running};

/// Twenty leases, of which the last is not among the sixteen that the next script takes back.
async fn crowd(bench: &Bench) -> Session {
    let mut holders = holders(bench).await;
    bench.pass(Duration::from_mins(2));
    holders.remove(19)
}

async fn bench_of(containers: usize) -> Bench {
    let bench = Bench::new();
    let names: Vec<String> = (0..containers).map(|n| format!("c{n:03}")).collect();
    bench.containers(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    bench
}

async fn poll(bench: &Bench, id: SessionId, renew: bool) -> Session {
    match bench.store.poll(&bench.wine, id, Some(&bench.owner), false, renew, None).await.unwrap() {
        Polled::Session(session) => session,
        other => panic!("{other:?}"),
    }
}

async fn beat(bench: &Bench, id: SessionId) -> Heartbeat {
    bench.store.heartbeat(&bench.wine, None, false, &[Beat::new(id, None)]).await.unwrap().remove(0)
}

fn reason(session: &Session) -> Option<EndReason> {
    assert_eq!(session.state, SessionState::Ended);
    session.end_reason
}

#[tokio::test]
async fn an_overdue_lease_has_ended_for_every_script() {
    let bench = bench_of(24).await;
    let expired = Some(EndReason::Expired);

    let session = crowd(&bench).await;
    assert!(matches!(beat(&bench, session.id).await, Heartbeat::Ended(session) if reason(&session) == expired));
    let session = crowd(&bench).await;
    assert_eq!(reason(&poll(&bench, session.id, false).await), expired);
    let session = crowd(&bench).await;
    assert_eq!(reason(&poll(&bench, session.id, true).await), expired, "renewed after its end");
    let session = crowd(&bench).await;
    let release = bench.store.release(&bench.wine, session.id, None, None, EndReason::Released).await.unwrap();
    assert!(matches!(release, Released::Ended(session) if reason(&session) == expired));
    let session = crowd(&bench).await;
    let Allocated::Replayed(replay) = bench.allocate_with(|new| new.id = session.id).await else { panic!("made anew") };
    assert_eq!(reason(&replay), expired);
    let session = crowd(&bench).await;
    let container = bench.container(session.container.unwrap().id.as_str()).await.unwrap();
    assert_eq!((container.pool_state, container.allocated_to), (PoolState::Available, None));
    crowd(&bench).await;
    assert!(bench.store.sessions(&bench.wine, None, false, None, 100).await.unwrap().sessions.is_empty());
    crowd(&bench).await;
    let (containers, _) = bench.store.containers(&bench.wine, false, "", 100).await.unwrap();
    assert!(containers.iter().all(|container| container.allocated_to.is_none()));
}

#[tokio::test]
async fn an_overdue_lease_is_given_on_at_once() {
    let bench = bench_of(20).await;
    let session = crowd(&bench).await;
    let wanted = session.container.unwrap().id;
    let Allocated::Ready(next) = bench.allocate_with(|new| new.container = Some(&wanted)).await else {
        panic!("its container is free")
    };
    assert_eq!(next.container.unwrap().id, wanted);
}

#[tokio::test]
async fn a_create_looks_past_sixteen_overdue_ones_of_no_use() {
    let bench = bench_of(20).await;
    let useful = holders(&bench).await.remove(19).container.map(|container| container.id);
    let mut others: Vec<_> = (0..20).map(|n| running(&format!("c{n:03}"))).collect();
    others.retain(|one| Some(&one.observation.id) != useful.as_ref());
    for one in &mut others {
        one.observation.state = EngineState::Exited;
    }
    bench.store.observe(&bench.wine, &mark(1, 2), &others).await.unwrap();
    bench.pass(Duration::from_mins(2));
    let given = bench.ready().await.container.unwrap().id;
    assert_eq!(Some(given), useful);
}

#[tokio::test]
async fn an_overdue_offer_cannot_be_claimed() {
    for claim_by_heartbeat in [true, false] {
        let bench = bench_of(20).await;
        let holders = holders(&bench).await;
        let mut waiters = Vec::new();
        for _ in 0..20 {
            waiters.push(bench.queued().await.id);
        }
        for holder in holders {
            bench.store.release(&bench.wine, holder.id, None, None, EndReason::Released).await.unwrap();
        }
        bench.pass(Duration::from_secs(11));
        let last = waiters[19];
        let ended = if claim_by_heartbeat {
            match beat(&bench, last).await {
                Heartbeat::Ended(session) => session,
                other => panic!("claimed after its end: {other:?}"),
            }
        } else {
            poll(&bench, last, false).await
        };
        assert_eq!(reason(&ended), Some(EndReason::Unconfirmed));
    }
}

async fn holders(bench: &Bench) -> Vec<Session> {
    let mut holders = Vec::new();
    for _ in 0..20 {
        holders.push(bench.ready().await);
    }
    holders
}

#[tokio::test]
async fn an_overdue_ticket_cannot_be_kept_alive() {
    let bench = bench_of(1).await;
    bench.ready().await;
    let mut last = None;
    for _ in 0..20 {
        last = Some(bench.queued().await.id);
    }
    bench.pass(Duration::from_secs(11));
    assert_eq!(reason(&poll(&bench, last.unwrap(), false).await), Some(EndReason::TicketExpired));
}

#[tokio::test]
async fn a_live_ticket_behind_many_dead_ones_is_served_by_its_own_polls() {
    let bench = bench_of(1).await;
    let holder = bench.ready().await;
    for _ in 0..60 {
        bench.queued().await;
    }
    bench.pass(Duration::from_secs(9));
    let alive = bench.queued().await.id;
    bench.pass(Duration::from_secs(9));
    bench.store.release(&bench.wine, holder.id, None, None, EndReason::Released).await.unwrap();
    let mut polls = 0;
    while poll(&bench, alive, false).await.state != SessionState::Ready {
        polls += 1;
        assert!(polls < 4, "not served");
    }
}

#[tokio::test]
async fn a_line_full_of_dead_tickets_is_not_full() {
    let bench = Bench::with(|config| config.limits.line_max = 40);
    bench.containers(&["one"]).await;
    bench.ready().await;
    for _ in 0..40 {
        bench.queued().await;
    }
    bench.pass(Duration::from_secs(11));
    assert_eq!(bench.queued().await.ticket.unwrap().position, 1);
}

#[tokio::test]
async fn the_reason_is_what_came_first() {
    let bench = bench_of(1).await;
    // It expired long before its longest end, though nobody looked until then.
    let Allocated::Ready(session) = bench.allocate_with(|new| new.max_duration = Some(Duration::from_secs(90))).await
    else {
        panic!("not ready")
    };
    bench.pass(Duration::from_secs(100));
    assert_eq!(reason(&poll(&bench, session.id, false).await), Some(EndReason::Expired));
}

#[tokio::test]
async fn a_container_removed_after_its_lease_lapsed_is_not_what_ended_it() {
    let bench = bench_of(20).await;
    let session = crowd(&bench).await;
    let container = session.container.unwrap().id;
    bench.store.remove(&bench.wine, &mark(1, 2), &[container]).await.unwrap();
    assert_eq!(reason(&poll(&bench, session.id, false).await), Some(EndReason::Expired));
}

#[tokio::test]
async fn another_incarnation_after_the_lease_lapsed_is_not_what_ended_it() {
    let bench = bench_of(20).await;
    let session = crowd(&bench).await;
    let mut restarted = running(session.container.unwrap().id.as_str());
    restarted.observation.incarnation = "second".to_owned();
    bench.store.observe(&bench.wine, &mark(1, 2), &[restarted]).await.unwrap();
    assert_eq!(reason(&poll(&bench, session.id, false).await), Some(EndReason::Expired));
}

#[tokio::test]
async fn case_06_heartbeat_and_reclaim_meet_at_the_deadline_and_one_wins() {
    let bench = bench_of(1).await;
    let other = bench.store.for_worker();
    let (mut renewed, mut lapsed) = (0, 0);
    // What is left to the heartbeat, in ms: less after each that was renewed, more after each that was not.
    let mut left = 2;
    for _ in 0..200 {
        let session = bench.ready().await;
        let events = bench.events().len();
        bench.pass(Duration::from_millis(60_000 - left));
        let pairs = [Beat::new(session.id, None)];
        let (beat, reclaimed) =
            tokio::join!(bench.store.heartbeat(&bench.wine, None, true, &pairs), other.reclaim(&bench.wine));
        let ended = bench.events()[events..].iter().filter(|kind| *kind == "session.ended").count();
        let now = poll(&bench, session.id, false).await;
        match beat.unwrap().remove(0) {
            Heartbeat::Renewed(session) => {
                renewed += 1;
                left = (left - 1).max(1);
                assert!(session.lease.unwrap().expires_in_ms > 59_000);
                assert_eq!((now.state, ended, reclaimed.unwrap().taken), (SessionState::Ready, 0, 0));
                bench.store.release(&bench.wine, session.id, None, None, EndReason::Released).await.unwrap();
            }
            Heartbeat::Ended(session) => {
                lapsed += 1;
                left += 1;
                assert_eq!(reason(&session), Some(EndReason::Expired));
                assert_eq!((reason(&now), ended), (Some(EndReason::Expired), 1));
                assert_eq!(bench.members("available"), ["c000"]);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(renewed > 0 && lapsed > 0, "they did not meet: {renewed} renewed, {lapsed} lapsed");
}
