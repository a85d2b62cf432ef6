//! Giving, renewing, taking back.

use std::time::Duration;

use leasehold::{
    model::{EndReason, FencingToken, PoolState, SessionState},
    store::{Allocated, Beat, Heartbeat, Polled, Released, StoreError},
};

use super::Bench;

#[tokio::test]
async fn a_session_gets_the_longest_idle_container_and_gives_it_back() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    bench.store.observe(&bench.wine, &super::mark(1, 2), &[super::running("two")]).await.unwrap();

    let first = bench.ready().await;
    let container = first.container.as_ref().unwrap();
    assert_eq!(container.id.as_str(), "one");
    assert_eq!(container.pool_state, PoolState::Allocated);
    assert_eq!(container.allocated_to.as_deref(), Some(first.id.to_string().as_str()));
    assert_eq!(bench.ready().await.container.unwrap().id.as_str(), "two");
    assert!(matches!(bench.allocate().await, Allocated::Shortage(None)));

    let Released::Ended(ended) =
        bench.store.release(&bench.wine, first.id, Some(&bench.owner), None, EndReason::Released).await.unwrap()
    else {
        panic!("not released")
    };
    assert_eq!((ended.state, ended.end_reason), (SessionState::Ended, Some(EndReason::Released)));
    assert_eq!(bench.container("one").await.unwrap().pool_state, PoolState::Available);
    assert_eq!(
        bench.events(),
        [
            "container.added",
            "container.state",
            "container.added",
            "container.state",
            "session.ready",
            "session.ready",
            "session.ended"
        ]
    );
}

#[tokio::test]
async fn a_repeated_allocation_is_the_same_session() {
    let bench = Bench::new();
    bench.containers(&["one", "two"]).await;
    let first = bench.ready().await;
    let Allocated::Replayed(again) = bench.allocate_with(|new| new.id = first.id).await else { panic!("not replayed") };
    assert_eq!(again.container, first.container);
    assert_eq!(bench.members("available"), ["two"]);
}

#[tokio::test]
async fn tokens_grow_for_a_container_also_when_it_comes_back_and_when_the_clock_went_back() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let first = bench.ready().await.lease.unwrap().fencing_token;
    bench.store.remove(&bench.wine, &super::mark(1, 2), &[super::id("one")]).await.unwrap();
    // As if the clock had stood far ahead when the token was given.
    let ahead = first.0 + 3_600_000_000;
    let _: i64 =
        redis::cmd("HSET").arg(bench.key("epoch")).arg("floor").arg(ahead).query(&mut bench.redis.conn()).unwrap();
    bench.store.observe(&bench.wine, &super::mark(1, 3), &[super::running("one")]).await.unwrap();
    let second = bench.ready().await.lease.unwrap().fencing_token;
    assert_eq!(second, FencingToken(ahead + 1));
}

#[tokio::test]
async fn case_08_a_heartbeat_after_expiry_says_ended_and_a_stale_token_is_refused() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    let token = session.lease.unwrap().fencing_token;
    let beat = async |token| {
        bench
            .store
            .heartbeat(&bench.wine, Some(&bench.owner), false, &[Beat::new(session.id, token)])
            .await
            .unwrap()
            .remove(0)
    };
    assert!(matches!(beat(Some(token)).await, Heartbeat::Renewed(_)));
    assert!(matches!(beat(Some(FencingToken(token.0 - 1))).await, Heartbeat::Stale(current) if current == token));
    let release = async |token| {
        bench.store.release(&bench.wine, session.id, Some(&bench.owner), token, EndReason::Released).await.unwrap()
    };
    assert!(matches!(release(Some(FencingToken(1))).await, Released::Stale(current) if current == token));

    bench.pass(Duration::from_mins(1));
    let Heartbeat::Ended(ended) = beat(Some(token)).await else { panic!("renewed after its end") };
    assert_eq!(ended.end_reason, Some(EndReason::Expired));
    assert!(matches!(release(None).await, Released::Ended(session) if session.end_reason == Some(EndReason::Expired)));
    assert!(matches!(release(None).await, Released::Ended(session) if session.end_reason == Some(EndReason::Expired)));
}

#[tokio::test]
async fn case_37_pain_timeouts_while_the_cleaner_is_down_a_lapsed_lease_is_given_on_without_a_reaper() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let first = bench.ready().await;
    assert!(matches!(bench.allocate().await, Allocated::Shortage(None)));
    bench.pass(Duration::from_mins(1));
    let second = bench.ready().await;
    assert!(second.lease.unwrap().fencing_token > first.lease.unwrap().fencing_token);
}

#[tokio::test]
async fn a_lease_ends_where_each_of_its_limits_says() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let end_of = async |session| match bench.store.poll(&bench.wine, session, None, false, false, None).await.unwrap() {
        Polled::Session(session) => session.end_reason,
        other => panic!("{other:?}"),
    };

    // Not confirmed.
    let Allocated::Ready(session) =
        bench.allocate_with(|new| (new.confirm, new.span) = (true, Duration::from_secs(10))).await
    else {
        panic!("not ready")
    };
    assert!(session.lease.unwrap().expires_in_ms <= 10_000);
    bench.pass(Duration::from_secs(10));
    assert_eq!(end_of(session.id).await, Some(EndReason::Unconfirmed));

    // Confirmed by its first heartbeat, then renewed for its TTL, up to its longest end.
    let Allocated::Ready(session) = bench
        .allocate_with(|new| {
            (new.confirm, new.span, new.max_duration) = (true, Duration::from_secs(10), Some(Duration::from_secs(90)));
        })
        .await
    else {
        panic!("not ready")
    };
    bench.pass(Duration::from_secs(5));
    let renew = async || match bench
        .store
        .heartbeat(&bench.wine, None, true, &[Beat::new(session.id, None)])
        .await
        .unwrap()
        .remove(0)
    {
        Heartbeat::Renewed(session) => session.lease.unwrap().expires_in_ms,
        other => panic!("{other:?}"),
    };
    assert!((59_000..=60_000).contains(&renew().await));
    bench.pass(Duration::from_secs(50));
    let left = renew().await;
    assert!((34_000..=35_000).contains(&left), "{left}");
    bench.pass(Duration::from_secs(35));
    assert_eq!(end_of(session.id).await, Some(EndReason::MaxDuration));
    assert_eq!(bench.members("available"), ["one"]);
}

#[tokio::test]
async fn case_20_pool_time_stands_still_while_no_script_runs() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    // As if nobody had run a script for an hour.
    let _: i64 = redis::cmd("HINCRBY")
        .arg(bench.key("epoch"))
        .arg("tick")
        .arg(-3_600_000)
        .query(&mut bench.redis.conn())
        .unwrap();
    let _: i64 = redis::cmd("HINCRBY")
        .arg(bench.key("epoch"))
        .arg("offset")
        .arg(-3_600_000)
        .query(&mut bench.redis.conn())
        .unwrap();
    let Heartbeat::Renewed(session) =
        bench.store.heartbeat(&bench.wine, None, true, &[Beat::new(session.id, None)]).await.unwrap().remove(0)
    else {
        panic!("the outage cost the lease")
    };
    assert!(session.lease.unwrap().expires_in_ms > 59_000);
}

#[tokio::test]
async fn another_owner_sees_and_changes_nothing() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    let other = "other".parse().unwrap();
    let poll = bench.store.poll(&bench.wine, session.id, Some(&other), false, false, None).await.unwrap();
    assert!(matches!(poll, Polled::NotFound));
    let beat = bench
        .store
        .heartbeat(&bench.wine, Some(&other), false, &[Beat::new(session.id, None)])
        .await
        .unwrap()
        .remove(0);
    assert!(matches!(beat, Heartbeat::NotFound));
    let release = bench.store.release(&bench.wine, session.id, Some(&other), None, EndReason::Released).await.unwrap();
    assert!(matches!(release, Released::NotFound));
    assert!(matches!(bench.allocate_with(|new| (new.id, new.owner) = (session.id, &other)).await, Allocated::Foreign));
}

#[tokio::test]
async fn sessions_are_paged_without_gaps_or_repeats() {
    let bench = Bench::new();
    bench.containers(&["a", "b", "c", "d", "e"]).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(bench.ready().await.id);
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = bench.store.sessions(&bench.wine, Some(&bench.owner), false, after.as_ref(), 2).await.unwrap();
        seen.extend(page.sessions.iter().map(|session| session.id));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    made.sort();
    seen.sort();
    assert_eq!(seen, made);
}

#[tokio::test]
async fn case_21_memory_full_refuses_new_sessions_and_nothing_else() {
    let bench = Bench::new();
    bench.containers(&["one", "two"]).await;
    let kept = bench.ready().await;
    let memory = |most: &str| {
        let _: String =
            redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(most).query(&mut bench.redis.conn()).unwrap();
    };
    memory("1mb");
    let refused = bench.try_allocate(|_| {}).await;
    assert!(matches!(refused, Err(StoreError::OutOfMemory)), "{refused:?}");
    assert_eq!(bench.members("available"), ["two"]);
    let beat = bench.store.heartbeat(&bench.wine, None, false, &[Beat::new(kept.id, None)]).await.unwrap().remove(0);
    assert!(matches!(beat, Heartbeat::Renewed(_)), "{beat:?}");
    memory("0");
    bench.pass(Duration::from_secs(61));
    memory("1mb");
    assert_eq!(bench.store.reclaim(&bench.wine).await.unwrap().taken, 1);
    assert_eq!(bench.members("available").len(), 2);
    let release = bench.store.release(&bench.wine, kept.id, None, None, EndReason::Released).await.unwrap();
    assert!(matches!(release, Released::Ended(_)));
    memory("0");
    bench.ready().await;
}

#[tokio::test]
async fn many_sessions_of_one_millisecond_are_paged_without_gaps() {
    let bench = Bench::new();
    let names: Vec<String> = (0..150).map(|n| format!("c{n}")).collect();
    bench.containers(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut connection = bench.redis.conn();
    for _ in 0..150 {
        let id = bench.ready().await.id.to_string();
        let _: i64 = redis::cmd("ZADD").arg(bench.key("sessions")).arg(1).arg(id).query(&mut connection).unwrap();
    }
    let (mut seen, mut after) = (0, None);
    loop {
        let page = bench.store.sessions(&bench.wine, None, false, after.as_ref(), 20).await.unwrap();
        seen += page.sessions.len();
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, 150);
}

#[tokio::test]
async fn what_ended_long_ago_is_forgotten_in_small_steps() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let mut connection = bench.redis.conn();
    for old in 0..100 {
        let _: i64 = redis::cmd("ZADD")
            .arg(bench.key("ended"))
            .arg(old)
            .arg(format!("old{old}"))
            .query(&mut connection)
            .unwrap();
    }
    let mut left = 100;
    // Each has one chance in eight.
    for _ in 0..1000 {
        let session = bench.ready().await;
        bench.store.release(&bench.wine, session.id, None, None, EndReason::Released).await.unwrap();
        let before = left;
        left = bench.members("ended").iter().filter(|id| id.starts_with("old")).count();
        assert!(left == before || left == before.saturating_sub(16), "from {before} to {left}");
        if left == 0 {
            return;
        }
    }
    panic!("{left} are left");
}
