//! Cordon, uncordon, drain, and why nothing is available.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use leasehold::{
    metrics::Metrics,
    model::{
        Changes, Container, EndReason, EngineState, FencingToken, PoolState, Reason, SessionId, SessionState, Setting,
    },
    store::{Allocated, Changed, OutCounts, Polled, Released, Store},
};

use super::{Bench, id, mark, running};

const BY: &str = "ops/laptop";

impl Bench {
    async fn cordon(&self, name: &str) -> Container {
        self.store.cordon(&self.wine, &id(name), BY).await.unwrap().unwrap()
    }

    async fn uncordon(&self, name: &str) -> Container {
        self.store.uncordon(&self.wine, &id(name), BY).await.unwrap().unwrap()
    }

    async fn drain(&self, name: &str, seconds: u64, force: bool) -> Container {
        let deadline = Duration::from_secs(seconds);
        self.store.drain(&self.wine, &id(name), BY, deadline, force).await.unwrap().unwrap()
    }

    async fn end(&self, session: SessionId) {
        self.store.release(&self.wine, session, None, None, EndReason::Released).await.unwrap();
    }

    async fn state_of(&self, session: SessionId) -> (SessionState, Option<EndReason>) {
        match self.store.poll(&self.wine, session, Some(&self.owner), false, false, None).await.unwrap() {
            Polled::Session(session) => (session.state, session.end_reason),
            other => panic!("{other:?}"),
        }
    }

    fn told(&self, kind: &str) -> usize {
        self.events().iter().filter(|one| *one == kind).count()
    }
}

#[tokio::test]
async fn a_cordoned_container_is_never_given_out() {
    let bench = Bench::new();
    bench.containers(&["one", "two"]).await;
    let cordoned = bench.cordon("one").await;
    assert_eq!((cordoned.cordoned_by.as_deref(), cordoned.pool_state), (Some(BY), PoolState::Available));
    assert_eq!(bench.ready().await.container.unwrap().id, id("two"));
    assert!(matches!(bench.allocate().await, Allocated::Shortage(None)));
    let one = id("one");
    assert!(matches!(bench.allocate_with(|new| new.container = Some(&one)).await, Allocated::Unavailable(None)));
    let waiter = bench.queued().await;
    bench.store.reclaim(&bench.wine).await.unwrap();
    assert_eq!(bench.state_of(waiter.id).await.0, SessionState::Queued);
    // Uncordoned, it goes to who waits.
    let free = bench.uncordon("one").await;
    assert!(!free.cordoned && free.allocated_to.is_some(), "{free:?}");
    assert_eq!(bench.state_of(waiter.id).await.0, SessionState::Ready);
}

#[tokio::test]
async fn a_session_goes_on_under_a_cordon_and_its_container_comes_back_to_nobody() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let waiter = bench.queued().await;
    bench.cordon("one").await;
    assert_eq!(bench.state_of(holder.id).await.0, SessionState::Ready);
    bench.end(holder.id).await;
    assert_eq!(bench.members("cordoned"), ["one"]);
    assert_eq!(bench.state_of(waiter.id).await.0, SessionState::Queued);
}

#[tokio::test]
async fn cordon_and_uncordon_twice_are_once_and_who_came_first_is_kept() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    bench.cordon("one").await;
    let again = bench.store.cordon(&bench.wine, &id("one"), "other/key").await.unwrap().unwrap();
    assert_eq!(again.cordoned_by.as_deref(), Some(BY));
    bench.uncordon("one").await;
    bench.uncordon("one").await;
    assert_eq!((bench.told("container.cordoned"), bench.told("container.uncordoned")), (1, 1));
    assert!(bench.store.cordon(&bench.wine, &id("other"), BY).await.unwrap().is_none());
    assert!(bench.store.uncordon(&bench.wine, &id("other"), BY).await.unwrap().is_none());
    assert!(bench.store.drain(&bench.wine, &id("other"), BY, Duration::ZERO, true).await.unwrap().is_none());
}

#[tokio::test]
async fn a_cordon_outlives_every_look_and_restart_of_the_container_and_no_other_id() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    bench.cordon("one").await;
    for (sequence, state) in [(2, EngineState::Exited), (3, EngineState::Running)] {
        let mut seen = running("one");
        (seen.observation.state, seen.observation.incarnation) = (state, sequence.to_string());
        bench.store.observe(&bench.wine, &mark(1, sequence), &[seen]).await.unwrap();
        assert!(bench.container("one").await.unwrap().cordoned);
    }
    // Another discoverer takes over, and the container is made anew under another id.
    bench.store.announce(&bench.wine, &mark(2, 1)).await.unwrap();
    bench.store.observe(&bench.wine, &mark(2, 2), &[running("one"), running("new")]).await.unwrap();
    assert_eq!((bench.members("cordoned"), bench.members("available")), (vec!["one".into()], vec!["new".to_owned()]));
}

#[tokio::test]
async fn a_long_name_of_who_cordoned_it_keeps_the_record_small() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let by = format!("{}/a\u{1f}b", "ö".repeat(28));
    let shown = bench.store.cordon(&bench.wine, &id("one"), &by).await.unwrap().unwrap();
    assert_eq!(shown.cordoned_by.as_deref(), Some(&*format!("{}/a b", "ö".repeat(28))));
    let long = "x".repeat(300);
    bench.uncordon("one").await;
    let shown = bench.store.cordon(&bench.wine, &id("one"), &long).await.unwrap().unwrap();
    assert_eq!(shown.cordoned_by.unwrap().len(), 60);
}

#[tokio::test]
async fn a_drain_ends_with_the_session_and_is_told_once() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let drained = bench.drain("one", 60, false).await;
    let drain = drained.drain.unwrap();
    assert_eq!((drain.waiting_for, drain.force), (holder.id.to_string(), false));
    assert_eq!(bench.members("draining"), ["one"]);
    bench.end(holder.id).await;
    let free = bench.container("one").await.unwrap();
    assert_eq!((free.cordoned, free.drain, free.allocated_to), (true, None, None));
    assert!(bench.members("draining").is_empty());
    bench.pass(Duration::from_mins(2));
    bench.store.reclaim(&bench.wine).await.unwrap();
    let kinds = ["container.draining", "container.drained", "container.drain_expired"].map(|kind| bench.told(kind));
    assert_eq!(kinds, [1, 1, 0]);
}

#[tokio::test]
async fn a_container_that_nobody_has_is_drained_at_once() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let drained = bench.drain("one", 60, false).await;
    assert!(drained.cordoned && drained.drain.is_none(), "{drained:?}");
    assert_eq!((bench.told("container.drained"), bench.members("cordoned")), (1, vec!["one".to_owned()]));
}

#[tokio::test]
async fn pain_drain_that_never_ends_a_deadline_ends_it_with_force_or_without() {
    let bench = Bench::new();
    bench.containers(&["one", "two"]).await;
    let sessions = [bench.ready().await, bench.ready().await];
    let of = |name: &str| sessions.iter().find(|one| one.container.as_ref().unwrap().id == id(name)).unwrap().id;
    bench.drain("one", 30, false).await;
    bench.drain("two", 30, true).await;
    bench.pass(Duration::from_secs(31));
    // Whatever runs first keeps the deadline: here a read of something else.
    bench.store.counts(&bench.wine).await.unwrap();
    assert_eq!(bench.told("container.drain_expired"), 1);
    let one = bench.container("one").await.unwrap();
    assert_eq!((one.cordoned, one.drain, one.allocated_to), (true, None, Some(of("one").to_string())));
    assert_eq!(bench.state_of(of("two")).await, (SessionState::Ended, Some(EndReason::Admin)));
    assert_eq!(bench.members("cordoned"), ["two"]);
    assert!(bench.members("draining").is_empty());
    assert!(matches!(bench.allocate().await, Allocated::Shortage(None)));
}

#[tokio::test]
async fn a_drain_without_a_wait_ends_the_session_at_once() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let drained = bench.drain("one", 0, true).await;
    assert_eq!((drained.drain, drained.allocated_to), (None, None));
    assert_eq!(bench.state_of(holder.id).await, (SessionState::Ended, Some(EndReason::Admin)));
}

#[tokio::test]
async fn the_last_drain_counts_and_an_uncordon_ends_it() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    bench.drain("one", 10, true).await;
    bench.drain("one", 60, false).await;
    bench.pass(Duration::from_secs(20));
    bench.store.reclaim(&bench.wine).await.unwrap();
    assert_eq!(bench.state_of(holder.id).await.0, SessionState::Ready);
    bench.drain("one", 10, true).await;
    let free = bench.uncordon("one").await;
    assert_eq!((free.cordoned, free.drain), (false, None));
    bench.pass(Duration::from_secs(20));
    bench.store.reclaim(&bench.wine).await.unwrap();
    assert_eq!(bench.state_of(holder.id).await.0, SessionState::Ready);
    bench.end(holder.id).await;
    assert_eq!((bench.members("available"), bench.told("container.drained")), (vec!["one".to_owned()], 0));
}

#[tokio::test]
async fn a_drained_container_that_vanishes_leaves_nothing_behind() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    bench.ready().await;
    bench.drain("one", 60, true).await;
    bench.store.remove(&bench.wine, &mark(1, 2), &[id("one")]).await.unwrap();
    assert!(bench.members("draining").is_empty());
    bench.store.observe(&bench.wine, &mark(1, 3), &[running("one")]).await.unwrap();
    assert_eq!(bench.members("available"), ["one"]);
}

#[tokio::test]
async fn each_container_is_explained_by_the_first_reason_that_keeps_it_away() {
    let bench = Bench::new();
    bench.containers(&["leased", "drained", "cordoned", "exited", "failing", "new", "reset", "rests"]).await;
    for name in ["cordoned", "exited", "failing", "new", "reset", "rests"] {
        bench.cordon(name).await;
    }
    let sessions = [bench.ready().await, bench.ready().await];
    let waiter = bench.queued().await;
    bench.drain("drained", 30, false).await;
    let mut seen = Vec::new();
    for name in ["exited", "failing", "new"] {
        let mut one = running(name);
        one.probed = name != "exited";
        if name == "exited" {
            one.observation.state = EngineState::Exited;
        }
        seen.push(one);
    }
    bench.store.observe(&bench.wine, &mark(1, 2), &seen).await.unwrap();
    for _ in 0..3 {
        bench.report("failing", 1, Some("connection refused")).await;
    }
    let mut redis = bench.redis.conn();
    for (name, fact, value) in [("reset", "reset", "due"), ("rests", "quarantine", "1")] {
        let key = bench.key(&format!("container:{name}"));
        let _: i64 = redis::cmd("HSET").arg(key).arg(fact).arg(value).query(&mut redis).unwrap();
        bench.store.settle(&bench.wine, &id(name)).await.unwrap();
    }
    let (counts, told) = bench.store.explain(&bench.wine, 10).await.unwrap();
    let expected = OutCounts {
        containers: 8,
        leased: 2,
        resetting: 1,
        unhealthy: 3,
        initializing: 1,
        cordoned: 1,
        draining: 1,
        waiting: 1,
        ..OutCounts::default()
    };
    assert_eq!(counts, expected);
    let of = |reason| {
        let mut names: Vec<_> =
            told.iter().filter(|(one, _)| *one == reason).map(|(_, container)| container.name.as_str()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(of(Reason::Leased), ["drained", "leased"]);
    assert_eq!(of(Reason::Draining), ["drained"]);
    assert_eq!(of(Reason::Resetting), ["reset"]);
    assert_eq!(of(Reason::NotRunning), ["exited"]);
    assert_eq!(of(Reason::ProbeFailing), ["failing"]);
    assert_eq!(of(Reason::Quarantined), ["rests"]);
    assert_eq!(of(Reason::Initializing), ["new"]);
    assert_eq!(of(Reason::Cordoned), ["cordoned"]);
    let (_, failing) = told.iter().find(|(reason, _)| *reason == Reason::ProbeFailing).unwrap();
    assert_eq!(failing.because.as_deref(), Some("its probe fails: connection refused"));
    let (_, leased) = told.iter().find(|(_, one)| one.name == "leased").unwrap();
    assert!(sessions.iter().any(|one| Some(one.id.to_string()) == leased.session_id));
    assert!(leased.seconds.is_some_and(|left| (50..=60).contains(&left)), "{leased:?}");
    assert_eq!(bench.state_of(waiter.id).await.0, SessionState::Queued);
}

#[tokio::test]
async fn an_explanation_names_few_and_counts_all() {
    let bench = Bench::new();
    let names: Vec<String> = (0..130).map(|n| format!("c{n:03}")).collect();
    bench.containers(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for _ in 0..5 {
        bench.ready().await;
    }
    let mut stopped: Vec<_> = names[5..].iter().map(|name| running(name)).collect();
    for one in &mut stopped {
        one.observation.state = EngineState::Exited;
    }
    bench.store.observe(&bench.wine, &mark(1, 2), &stopped).await.unwrap();
    let (counts, told) = bench.store.explain(&bench.wine, 3).await.unwrap();
    assert_eq!((counts.leased, counts.unhealthy), (5, 125));
    assert_eq!(told.iter().filter(|(reason, _)| *reason == Reason::Leased).count(), 3);
    assert_eq!(told.iter().filter(|(reason, _)| *reason == Reason::NotRunning).count(), 100);
    let (again, nobody) = bench.store.explain(&bench.wine, 0).await.unwrap();
    assert!(again == counts && nobody.is_empty());
}

#[tokio::test]
async fn settings_are_changed_by_one_and_followed_by_all() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let other = Store::connect(&bench.config, Arc::new(Metrics::new())).unwrap();
    let change = async |store: &Store, decided_on, changes: &[(Setting, Option<u64>)]| {
        store.change_settings(&bench.wine, BY, decided_on, changes).await.unwrap()
    };
    assert_eq!(
        change(&bench.store, 0, &[(Setting::LineMax, Some(2)), (Setting::Confirm, Some(20))]).await,
        Changed::Done
    );
    assert!(other.follow_settings(&bench.wine).await.unwrap());
    assert!(!other.follow_settings(&bench.wine).await.unwrap(), "nothing is new");
    let state = other.type_state(&bench.wine);
    assert_eq!(state.changes, Changes::from([(Setting::LineMax, 2), (Setting::Confirm, 20)]));
    assert_eq!((state.in_force.limits.line_max, state.in_force.limits.confirm), (2, Duration::from_secs(20)));
    // Who decided on something older decides anew.
    assert_eq!(change(&bench.store, 0, &[(Setting::LineMax, Some(9))]).await, Changed::Meanwhile);
    assert_eq!(change(&other, state.version, &[(Setting::LineMax, None)]).await, Changed::Done);
    assert_eq!(other.type_state(&bench.wine).changes, Changes::from([(Setting::Confirm, 20)]));
    assert_eq!(bench.told("type.changed"), 2);

    // They are what scripts go by: an offer that nobody claims lasts the new confirm time.
    let holder = bench.ready().await;
    bench.store.follow_settings(&bench.wine).await.unwrap();
    let waiter = bench.queued().await;
    bench.end(holder.id).await;
    bench.pass(Duration::from_secs(15));
    assert_eq!(bench.state_of(waiter.id).await.0, SessionState::Ready);
}

#[tokio::test]
async fn what_operators_changed_outlives_a_loss_of_redis() {
    let bench = Bench::new();
    let names: Vec<String> = (0..120).map(|n| format!("c{n:03}")).collect();
    bench.containers(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for name in &names[..110] {
        bench.cordon(name).await;
    }
    bench.uncordon("c005").await;
    bench.store.follow_settings(&bench.wine).await.unwrap();
    let version = bench.store.type_state(&bench.wine).version;
    let changes = [(Setting::LineMax, Some(7))];
    assert_eq!(bench.store.change_settings(&bench.wine, BY, version, &changes).await.unwrap(), Changed::Done);

    let _: String = redis::cmd("FLUSHALL").query(&mut bench.redis.conn()).unwrap();
    // Some are found before it is put back, the others after.
    let seen: Vec<_> = names.iter().map(|name| running(name)).collect();
    bench.store.observe(&bench.wine, &mark(2, 1), &seen[..60]).await.unwrap();
    bench.store.follow_settings(&bench.wine).await.unwrap();
    bench.store.observe(&bench.wine, &mark(2, 2), &seen[60..]).await.unwrap();
    assert_eq!(bench.members("cordoned").len(), 109);
    assert_eq!(bench.container("c005").await.unwrap().cordoned_by, None);
    assert_eq!(bench.container("c109").await.unwrap().cordoned_by.as_deref(), Some(BY));

    // A replica that knew nothing learns it from Redis.
    let other = Store::connect(&bench.config, Arc::new(Metrics::new())).unwrap();
    other.follow_settings(&bench.wine).await.unwrap();
    assert_eq!(other.type_state(&bench.wine).changes, Changes::from([(Setting::LineMax, 7)]));
    assert!(other.type_state(&bench.wine).version > version);
}

#[tokio::test]
async fn what_is_put_back_after_a_loss_is_put_back_once_also_where_the_clock_is_behind() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    bench.cordon("one").await;
    // The clock was an hour ahead.
    let mut ahead = redis::cmd("HINCRBY");
    ahead.arg(bench.key("settings")).arg("version").arg(3_600_000_000_u64);
    let _: i64 = ahead.query(&mut bench.redis.conn()).unwrap();
    bench.store.follow_settings(&bench.wine).await.unwrap();
    let _: String = redis::cmd("FLUSHALL").query(&mut bench.redis.conn()).unwrap();
    bench.store.observe(&bench.wine, &mark(2, 1), &[running("one")]).await.unwrap();
    bench.store.follow_settings(&bench.wine).await.unwrap();
    assert_eq!(bench.container("one").await.unwrap().cordoned_by.as_deref(), Some(BY));
    bench.uncordon("one").await;
    bench.store.follow_settings(&bench.wine).await.unwrap();
    assert_eq!(bench.container("one").await.unwrap().cordoned_by, None);
}

#[tokio::test]
async fn what_a_recovery_holds_is_explained() {
    let bench = Bench::new();
    bench.containers(&["one", "two"]).await;
    let _: String = redis::cmd("FLUSHALL").query(&mut bench.redis.conn()).unwrap();
    bench.store.observe(&bench.wine, &mark(2, 1), &[running("one"), running("two")]).await.unwrap();
    bench.cordon("two").await;
    let (counts, told) = bench.store.explain(&bench.wine, 10).await.unwrap();
    assert_eq!((counts.available, counts.held, counts.cordoned), (0, 1, 1));
    assert!(counts.recovering.is_some_and(|left| left > Duration::from_mins(50)), "{counts:?}");
    let (_, held) = told.iter().find(|(reason, _)| *reason == Reason::Held).unwrap();
    assert_eq!((held.name.as_str(), held.seconds.is_some_and(|left| left > 3000)), ("one", true));
    // A cordon that is taken back in a recovery gives out nothing either.
    bench.uncordon("two").await;
    assert_eq!(bench.store.explain(&bench.wine, 0).await.unwrap().0.held, 2);
    assert!(matches!(bench.allocate().await, Allocated::Shortage(Some(_))));
}

#[tokio::test]
async fn an_operator_ends_anybodys_session_and_the_event_says_who() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let (holder, waiter) = (bench.ready().await, bench.queued().await);
    let token = holder.lease.as_ref().unwrap().fencing_token;
    let end = async |id, token| bench.store.end_session(&bench.wine, id, token, BY).await.unwrap();
    let stale = end(holder.id, Some(FencingToken(token.0 - 1))).await;
    assert!(matches!(stale, Released::Stale(current) if current == token), "{stale:?}");
    for id in [waiter.id, holder.id, holder.id] {
        let Released::Ended(session) = end(id, None).await else { panic!("it goes on") };
        assert_eq!(session.end_reason, Some(EndReason::Admin));
    }
    assert!(matches!(end(SessionId::new(&bench.wine), None).await, Released::NotFound));
    assert_eq!(bench.members("available"), ["one"]);
    let key = bench.key("events");
    let rows: Vec<(String, BTreeMap<String, String>)> =
        redis::cmd("XRANGE").arg(key).arg("-").arg("+").query(&mut bench.redis.conn()).unwrap();
    let ends: Vec<_> = rows.iter().filter(|(_, fields)| fields["kind"] == "session.ended").collect();
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|(_, fields)| fields["by"] == BY && fields["reason"] == "admin"), "{ends:?}");
}
