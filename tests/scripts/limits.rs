//! What an owner may have, and for how long: quotas, idle limits, warnings; and the container that it had before.

use std::time::Duration;

use leasehold::{
    model::{Activity, EndReason, FencingToken, Session, SessionId, Share},
    store::{Allocated, Beat, Heartbeat, Polled, Released, Used},
};

use super::Bench;

async fn beat(bench: &Bench, id: SessionId, active: bool) -> Heartbeat {
    let beat = Beat { active, ..Beat::new(id, None) };
    bench.store.heartbeat(&bench.wine, Some(&bench.owner), false, &[beat]).await.unwrap().remove(0)
}

async fn renewed(bench: &Bench, id: SessionId, active: bool) -> Session {
    match beat(bench, id, active).await {
        Heartbeat::Renewed(session) => session,
        other => panic!("{other:?}"),
    }
}

/// The reasons and times of all warnings, in order.
fn warnings(bench: &Bench) -> Vec<(String, u64)> {
    let rows: Vec<(String, Vec<String>)> =
        redis::cmd("XRANGE").arg(bench.key("events")).arg("-").arg("+").query(&mut bench.redis.conn()).unwrap();
    let warnings = rows.into_iter().map(|(_, fields)| fields).filter(|fields| fields[1] == "session.warning");
    let field = |fields: &[String], name: &str| {
        fields.chunks(2).find(|pair| pair[0] == name).map(|pair| pair[1].clone()).expect("the field")
    };
    warnings.map(|fields| (field(&fields, "reason"), field(&fields, "left_ms").parse().unwrap())).collect()
}

fn is_about(millis: u64, seconds: u64) -> bool {
    (seconds * 1000 - 3000..=seconds * 1000).contains(&millis)
}

async fn idle_for(bench: &Bench, seconds: u64) -> Session {
    let idle = Duration::from_secs(seconds);
    match bench.allocate_with(|new| (new.idle, new.ttl) = (Some(idle), Duration::from_mins(10))).await {
        Allocated::Ready(session) => session,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pain_idle_expiry_the_holder_is_warned_and_activity_puts_the_end_off() {
    let bench = Bench::with(|config| config.limits.warning = Duration::from_secs(30));
    bench.containers(&["one"]).await;
    let session = idle_for(&bench, 100).await;
    assert!(renewed(&bench, session.id, false).await.warnings.is_empty());
    bench.pass(Duration::from_secs(75));
    let told = renewed(&bench, session.id, false).await;
    assert_eq!(told.warnings.len(), 1);
    assert_eq!(told.warnings[0].reason, EndReason::Idle);
    assert!(is_about(told.warnings[0].ends_in_ms, 25), "{told:?}");
    // Renewing does not put it off, and the lease does not promise more than is left.
    assert!(is_about(told.lease.unwrap().expires_in_ms, 25));
    let [(reason, left)] = &warnings(&bench)[..] else { panic!("one warning") };
    assert!(reason == "idle" && is_about(*left, 25), "{reason} {left}");
    bench.pass(Duration::from_secs(5));
    renewed(&bench, session.id, false).await;
    assert_eq!(warnings(&bench).len(), 1, "once for each approach");

    assert!(renewed(&bench, session.id, true).await.warnings.is_empty());
    bench.pass(Duration::from_secs(80));
    renewed(&bench, session.id, false).await;
    assert_eq!(warnings(&bench).len(), 2, "a second approach");
    bench.pass(Duration::from_secs(21));
    match beat(&bench, session.id, true).await {
        Heartbeat::Ended(ended) => assert_eq!(ended.end_reason, Some(EndReason::Idle)),
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.members("available"), ["one"]);
    assert!(bench.members("warnings").is_empty());
}

#[tokio::test]
async fn pain_idle_expiry_the_longest_duration_is_warned_of_and_is_no_idle_end() {
    let bench = Bench::with(|config| config.limits.warning = Duration::from_secs(30));
    bench.containers(&["one"]).await;
    let most = Some(Duration::from_secs(100));
    let limits = |new: &mut leasehold::store::Allocation<'_>| {
        (new.max_duration, new.idle, new.ttl) = (most, most, Duration::from_mins(10));
    };
    let Allocated::Ready(session) = bench.allocate_with(limits).await else { panic!("not ready") };
    bench.pass(Duration::from_secs(50));
    renewed(&bench, session.id, true).await;
    bench.pass(Duration::from_secs(25));
    let told = renewed(&bench, session.id, false).await;
    assert_eq!(told.warnings.iter().map(|warning| warning.reason).collect::<Vec<_>>(), [EndReason::MaxDuration]);
    assert_eq!(warnings(&bench).iter().map(|(reason, _)| reason.as_str()).collect::<Vec<_>>(), ["max_duration"]);
    bench.pass(Duration::from_secs(26));
    match beat(&bench, session.id, true).await {
        Heartbeat::Ended(ended) => assert_eq!(ended.end_reason, Some(EndReason::MaxDuration)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_short_limit_is_warned_of_in_its_second_half() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = idle_for(&bench, 20).await;
    assert!(renewed(&bench, session.id, false).await.warnings.is_empty());
    bench.pass(Duration::from_secs(12));
    assert_eq!(renewed(&bench, session.id, false).await.warnings.len(), 1);
}

#[tokio::test]
async fn a_session_without_limits_has_nothing_to_keep() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    renewed(&bench, session.id, true).await;
    assert!(bench.members("warnings").is_empty());
    let key = bench.key(&format!("session:{}", session.id));
    let terms: Option<String> = redis::cmd("HGET").arg(key).arg("terms").query(&mut bench.redis.conn()).unwrap();
    assert_eq!(terms, None);
}

/// As anybody reads it, which changes nothing.
async fn seen(bench: &Bench, id: SessionId) -> Activity {
    match bench.store.poll(&bench.wine, id, None, false, false, None).await.unwrap() {
        Polled::Session(session) => session.activity.expect("it is ready"),
        other => panic!("{other:?}"),
    }
}

fn is_ago(millis: Option<u64>, seconds: u64) -> bool {
    millis.is_some_and(|millis| (seconds * 1000..seconds * 1000 + 3000).contains(&millis))
}

#[tokio::test]
async fn a_session_tells_when_it_was_used_and_when_its_holder_was_heard_of() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    let nothing =
        Activity { last_active_at: None, last_active_ms_ago: None, last_heard_ms_ago: None, idle_ends_in_ms: None };
    assert_eq!(session.activity, Some(nothing));
    let key = bench.key(&format!("session:{}", session.id));
    let record = || -> Vec<String> { redis::cmd("HGETALL").arg(&key).query(&mut bench.redis.conn()).unwrap() };
    renewed(&bench, session.id, false).await;
    let before = record();
    bench.pass(Duration::from_secs(10));
    assert!(is_ago(seen(&bench, session.id).await.last_heard_ms_ago, 10));
    let told = renewed(&bench, session.id, false).await.activity.unwrap();
    assert!(is_ago(told.last_heard_ms_ago, 0) && told.last_active_ms_ago.is_none(), "{told:?}");
    assert_eq!(record(), before, "a renewal that reports nothing writes nothing into the record");

    renewed(&bench, session.id, true).await;
    bench.pass(Duration::from_secs(20));
    renewed(&bench, session.id, false).await;
    bench.pass(Duration::from_secs(5));
    let told = seen(&bench, session.id).await;
    assert!(is_ago(told.last_active_ms_ago, 25) && is_ago(told.last_heard_ms_ago, 5), "{told:?}");
    assert!(told.last_active_at.is_some() && told.idle_ends_in_ms.is_none(), "{told:?}");
    let page = bench.store.sessions(&bench.wine, None, false, None, 10).await.unwrap();
    assert!(is_ago(page.sessions[0].activity.as_ref().unwrap().last_active_ms_ago, 25));
    let released = bench.store.release(&bench.wine, session.id, None, None, EndReason::Released).await.unwrap();
    assert!(matches!(released, Released::Ended(ended) if ended.activity.is_none()));
}

#[tokio::test]
async fn an_idle_limit_tells_when_the_session_was_used_and_what_is_left() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = idle_for(&bench, 1000).await;
    bench.pass(Duration::from_secs(30));
    let told = seen(&bench, session.id).await;
    assert!(is_ago(told.last_active_ms_ago, 30), "its beginning counts: {told:?}");
    assert!(is_about(told.idle_ends_in_ms.unwrap(), 970), "{told:?}");
    renewed(&bench, session.id, true).await;
    bench.pass(Duration::from_mins(5));
    let told = renewed(&bench, session.id, false).await.activity.unwrap();
    assert!(is_ago(told.last_active_ms_ago, 300) && is_about(told.idle_ends_in_ms.unwrap(), 700), "{told:?}");
    assert!(is_ago(told.last_heard_ms_ago, 0), "{told:?}");
}

#[tokio::test]
async fn an_idle_limit_of_one_that_waited_counts_from_its_lease() {
    let bench = Bench::with(|config| config.limits.ticket_life = Duration::from_mins(10));
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let idle = Some(Duration::from_secs(50));
    let queued = bench.allocate_with(|new| (new.wait, new.idle, new.ttl) = (true, idle, Duration::from_mins(10))).await;
    let Allocated::Queued(waiter) = queued else { panic!("not queued") };
    bench.pass(Duration::from_secs(55));
    bench.store.release(&bench.wine, holder.id, None, None, EndReason::Released).await.unwrap();
    assert!(matches!(beat(&bench, waiter.id, false).await, Heartbeat::Renewed(_)));
    bench.pass(Duration::from_secs(45));
    assert!(matches!(beat(&bench, waiter.id, false).await, Heartbeat::Renewed(_)));
    bench.pass(Duration::from_secs(6));
    match beat(&bench, waiter.id, false).await {
        Heartbeat::Ended(ended) => assert_eq!(ended.end_reason, Some(EndReason::Idle)),
        other => panic!("{other:?}"),
    }
}

async fn used(bench: &Bench, session: &Session) -> Used {
    let token = session.lease.as_ref().expect("a lease").fencing_token;
    bench.store.report_activity(&bench.wine, session.id, token).await.unwrap()
}

async fn limited(bench: &Bench, idle: u64, ttl: u64) -> Session {
    let (idle, ttl) = (Some(Duration::from_secs(idle)), Duration::from_secs(ttl));
    match bench.allocate_with(|new| (new.idle, new.ttl, new.span) = (idle, ttl, ttl)).await {
        Allocated::Ready(session) => session,
        other => panic!("{other:?}"),
    }
}

async fn reason(bench: &Bench, id: SessionId) -> Option<EndReason> {
    match bench.store.poll(&bench.wine, id, None, false, false, None).await.unwrap() {
        Polled::Session(session) => session.end_reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pain_idle_expiry_use_that_the_holder_does_not_report_puts_the_end_off() {
    let bench = Bench::with(|config| config.limits.warning = Duration::from_secs(30));
    bench.containers(&["one"]).await;
    let session = limited(&bench, 100, 600).await;
    bench.pass(Duration::from_secs(75));
    assert_eq!(renewed(&bench, session.id, false).await.warnings.len(), 1);
    assert_eq!(used(&bench, &session).await, Used::Noted(Some(Duration::from_secs(100))));
    let told = renewed(&bench, session.id, false).await;
    assert!(told.warnings.is_empty() && is_about(told.activity.unwrap().idle_ends_in_ms.unwrap(), 100));
    bench.pass(Duration::from_secs(90));
    assert_eq!(reason(&bench, session.id).await, None);
    assert_eq!(warnings(&bench).len(), 2, "a second approach");
    bench.pass(Duration::from_secs(11));
    assert_eq!(reason(&bench, session.id).await, Some(EndReason::Idle));
    assert_eq!(used(&bench, &session).await, Used::Over);
}

#[tokio::test]
async fn use_renews_no_lease() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    for (idle, beats) in [(1000, true), (20, true), (20, false)] {
        let session = limited(&bench, idle, 60).await;
        if beats {
            bench.pass(Duration::from_secs(5));
            renewed(&bench, session.id, false).await;
        }
        // Far more often than the idle limit asks for, and longer than the lease lasts.
        for _ in 0..4 {
            bench.pass(Duration::from_secs(14));
            assert!(matches!(used(&bench, &session).await, Used::Noted(Some(_))), "{idle} {beats}");
            let told = seen(&bench, session.id).await;
            assert!(is_ago(told.last_active_ms_ago, 0), "{told:?}");
            assert_eq!(told.last_heard_ms_ago.is_some(), beats, "{told:?}");
        }
        assert!(!beats || is_ago(seen(&bench, session.id).await.last_heard_ms_ago, 56));
        bench.pass(Duration::from_secs(4));
        assert_eq!(reason(&bench, session.id).await, Some(EndReason::Expired), "{idle} {beats}");
    }
}

#[tokio::test]
async fn use_confirms_no_session_and_is_that_of_one_lease() {
    let bench = Bench::with(|config| config.limits.ticket_life = Duration::from_mins(10));
    bench.containers(&["one"]).await;
    let confirm = Duration::from_secs(10);
    let made = bench.allocate_with(|new| (new.confirm, new.span) = (true, confirm)).await;
    let Allocated::Ready(session) = made else { panic!("not ready") };
    let Allocated::Queued(waiter) = bench.allocate_with(|new| new.wait = true).await else { panic!("not queued") };
    assert_eq!(used(&bench, &session).await, Used::Noted(None));
    assert!(is_ago(seen(&bench, session.id).await.last_active_ms_ago, 0));
    let token = session.lease.as_ref().unwrap().fencing_token;
    let other = FencingToken(token.0 - 1);
    for (id, token) in [(session.id, other), (waiter.id, token), (SessionId::new(&bench.wine), token)] {
        assert_eq!(bench.store.report_activity(&bench.wine, id, token).await.unwrap(), Used::Over);
    }
    bench.pass(Duration::from_secs(11));
    assert_eq!(reason(&bench, session.id).await, Some(EndReason::Unconfirmed));
}

fn share(sessions_max: Option<u64>, tickets_max: Option<u64>) -> Share {
    Share { sessions_max, tickets_max, ..Share::default() }
}

#[tokio::test]
async fn an_owner_has_no_more_sessions_than_its_quota_and_a_retry_is_never_refused() {
    let bench = Bench::new();
    bench.containers(&["one", "two", "three"]).await;
    let within = share(Some(2), None);
    let first = SessionId::new(&bench.wine);
    let made = bench.allocate_with(|new| (new.id, new.share) = (first, within)).await;
    assert!(matches!(made, Allocated::Ready(_)));
    bench.ready().await;
    for wait in [false, true] {
        let refused = bench.allocate_with(|new| (new.wait, new.share) = (wait, within)).await;
        assert!(matches!(&refused, Allocated::QuotaExceeded(quota) if quota == "sessions_max"), "{refused:?}");
    }
    let again = bench.allocate_with(|new| (new.id, new.share) = (first, within)).await;
    assert!(matches!(again, Allocated::Replayed(_)));
    let other = "other".parse().unwrap();
    let others = bench.allocate_with(|new| (new.owner, new.share) = (&other, within)).await;
    assert!(matches!(others, Allocated::Ready(_)), "each owner has its own");
    bench.store.release(&bench.wine, first, None, None, EndReason::Released).await.unwrap();
    assert!(matches!(bench.allocate_with(|new| new.share = within).await, Allocated::Ready(_)));
}

#[tokio::test]
async fn an_owner_has_no_more_tickets_than_its_quota() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let within = share(None, Some(1));
    let first = bench.allocate_with(|new| (new.wait, new.share) = (true, within)).await;
    let Allocated::Queued(first) = first else { panic!("not queued") };
    let refused = bench.allocate_with(|new| (new.wait, new.share) = (true, within)).await;
    assert!(matches!(&refused, Allocated::QuotaExceeded(quota) if quota == "tickets_max"), "{refused:?}");
    // What is offered waits no more.
    bench.store.release(&bench.wine, holder.id, None, None, EndReason::Released).await.unwrap();
    let next = bench.allocate_with(|new| (new.wait, new.share) = (true, within)).await;
    assert!(matches!(next, Allocated::Queued(_)), "{next:?}");
    assert!(matches!(beat(&bench, first.id, false).await, Heartbeat::Renewed(_)));
}

#[tokio::test]
async fn sessions_that_are_over_use_up_no_quota_also_when_many_lapse_at_once() {
    let bench = Bench::new();
    let names: Vec<_> = (0..50).map(|number| format!("c{number}")).collect();
    bench.containers(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for _ in 0..50 {
        bench.ready().await;
    }
    bench.pass(Duration::from_mins(2));
    let made = bench.allocate_with(|new| new.share = share(Some(1), None)).await;
    assert!(matches!(made, Allocated::Ready(_)), "{made:?}");
}

#[tokio::test]
async fn affinity_gives_the_container_that_the_owner_s_last_session_had() {
    let bench = Bench::new();
    bench.containers(&["one", "two", "three"]).await;
    let with = async |word| match bench.allocate_with(|new| new.affinity = Some(word)).await {
        Allocated::Ready(session) => (session.id, session.container.unwrap().id.to_string()),
        other => panic!("{other:?}"),
    };
    let release = async |id| bench.store.release(&bench.wine, id, None, None, EndReason::Released).await.unwrap();
    let (ann, before) = with("ann").await;
    release(ann).await;
    // Two others were idle for longer, and would be next.
    let (ann, again) = with("ann").await;
    assert_eq!(again, before);
    // While it is not free, any is as good.
    let (bob, other) = with("ann").await;
    assert_ne!(other, before);
    release(ann).await;
    release(bob).await;
    let (_, last) = with("ann").await;
    assert_eq!(last, other, "the last one that it had");
    // Another owner's word is another word.
    let stranger = "other".parse().unwrap();
    let made = bench.allocate_with(|new| (new.owner, new.affinity) = (&stranger, Some("ann"))).await;
    let Allocated::Ready(session) = made else { panic!("not ready") };
    assert_ne!(session.container.unwrap().id.as_str(), last);
}

#[tokio::test]
async fn affinity_is_remembered_of_one_that_waited_and_passes_no_line() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let queued = bench.allocate_with(|new| (new.wait, new.affinity) = (true, Some("ann"))).await;
    let Allocated::Queued(ann) = queued else { panic!("not queued") };
    let next = bench.queued().await;
    bench.store.release(&bench.wine, holder.id, None, None, EndReason::Released).await.unwrap();
    assert!(matches!(beat(&bench, ann.id, false).await, Heartbeat::Renewed(_)));
    let keys: Vec<String> =
        redis::cmd("KEYS").arg(bench.key("affinity:backend:*")).query(&mut bench.redis.conn()).unwrap();
    assert_eq!(keys.len(), 1);
    let left: i64 = redis::cmd("PTTL").arg(&keys[0]).query(&mut bench.redis.conn()).unwrap();
    assert!(left > 0, "it is kept for a time only");
    bench.store.release(&bench.wine, ann.id, None, None, EndReason::Released).await.unwrap();
    let jumper = bench.allocate_with(|new| new.affinity = Some("ann")).await;
    assert!(matches!(jumper, Allocated::Shortage(_)), "it was offered to who waits: {jumper:?}");
    assert!(matches!(beat(&bench, next.id, false).await, Heartbeat::Renewed(_)));
}

#[tokio::test]
async fn pain_slots_leak_after_errors_no_failed_create_leaves_anything_behind() {
    let bench = Bench::with(|config| config.limits.line_max = 1);
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let waiter = bench.queued().await;
    let none = share(Some(0), None);
    for refused in [
        bench.allocate().await,
        bench.allocate_with(|new| new.wait = true).await,
        bench.allocate_with(|new| new.share = none).await,
        bench.allocate_with(|new| (new.wait, new.share) = (true, share(None, Some(0)))).await,
    ] {
        assert!(!matches!(refused, Allocated::Ready(_) | Allocated::Queued(_)), "{refused:?}");
    }
    let given_up = bench.store.poll(&bench.wine, waiter.id, Some(&bench.owner), true, false, None).await.unwrap();
    assert!(matches!(given_up, Polled::GivenUp(_)));
    let limited = |new: &mut leasehold::store::Allocation<'_>| {
        (new.wait, new.idle, new.max_duration) = (true, Some(Duration::from_mins(1)), Some(Duration::from_mins(2)));
        new.affinity = Some("ann");
    };
    let Allocated::Queued(cancelled) = bench.allocate_with(limited).await else { panic!("not queued") };
    bench.store.release(&bench.wine, cancelled.id, None, None, EndReason::Released).await.unwrap();
    let Allocated::Queued(lapsed) = bench.allocate_with(limited).await else { panic!("not queued") };
    bench.pass(Duration::from_secs(11));
    bench.store.release(&bench.wine, holder.id, None, None, EndReason::Released).await.unwrap();
    assert!(matches!(beat(&bench, lapsed.id, false).await, Heartbeat::Ended(_)));
    let Allocated::Ready(held) = bench.allocate_with(limited).await else { panic!("not ready") };
    bench.store.release(&bench.wine, held.id, None, None, EndReason::Released).await.unwrap();
    for set in ["sessions", "owner:backend", "leases", "offers", "queue", "tickets", "line:backend", "warnings"] {
        assert!(bench.members(set).is_empty(), "{set}: {:?}", bench.members(set));
    }
    assert_eq!(bench.members("available"), ["one"]);
}
