//! Quarantine. For the pain "a flapping container is given out again and again".

use std::time::Duration;

use leasehold::{
    config::QuarantineConfig,
    model::{Container, EngineHealth, EngineState, PoolState},
    store::{Allocated, Discovered, ResetOutcome, ResetTerms},
};

use super::{Bench, id, mark, running};

const BY: &str = "ops/key";
const SECOND: Duration = Duration::from_secs(1);

/// One that is probed and may go into quarantine.
fn flapping(name: &str) -> Discovered {
    Discovered { probed: true, quarantine: Some(QuarantineConfig::default()), ..running(name) }
}

impl Bench {
    async fn sees(&self, at: u64, seen: &[Discovered]) {
        self.store.add_types(std::slice::from_ref(&self.wine)).await.unwrap();
        self.store.observe(&self.wine, &mark(1, at), seen).await.unwrap();
    }

    /// So many containers that are well.
    async fn well(&self, names: &[&str]) {
        self.sees(1, &names.iter().map(|name| flapping(name)).collect::<Vec<_>>()).await;
        for name in names {
            self.report(name, 1, None).await;
        }
    }

    /// Its probe fails until it is unhealthy, and is good again.
    async fn flaps(&self, name: &str) {
        for _ in 0..3 {
            self.report(name, 1, Some("refused")).await;
        }
        self.report(name, 1, None).await;
    }

    async fn flaps_often(&self, name: &str) {
        for _ in 0..3 {
            self.flaps(name).await;
        }
    }

    async fn state(&self, name: &str) -> PoolState {
        self.container(name).await.unwrap().pool_state
    }

    /// How often an event was told.
    fn heard(&self, kind: &str) -> usize {
        self.events().iter().filter(|one| *one == kind).count()
    }

    async fn over(&self, rest: Duration) {
        self.pass(rest);
        self.store.reclaim(&self.wine).await.unwrap();
    }
}

fn times(container: &Container) -> u64 {
    container.quarantine.as_ref().expect("it rests").times
}

#[tokio::test]
async fn a_flapping_container_rests_and_longer_each_time() {
    let bench = Bench::new();
    bench.well(&["one", "two"]).await;
    bench.flaps("one").await;
    bench.flaps("one").await;
    assert_eq!(bench.state("one").await, PoolState::Available, "twice is no pattern");
    bench.flaps("one").await;
    let one = bench.container("one").await.unwrap();
    assert_eq!((one.pool_state, times(&one)), (PoolState::Unhealthy, 1));
    assert_eq!(one.quarantine.unwrap().reason, "probe");
    bench.over(29 * SECOND).await;
    assert_eq!(bench.state("one").await, PoolState::Unhealthy);
    bench.over(2 * SECOND).await;
    assert_eq!(bench.state("one").await, PoolState::Available);
    assert_eq!(bench.heard("container.quarantine_over"), 1);

    bench.flaps_often("one").await;
    assert_eq!(times(&bench.container("one").await.unwrap()), 2);
    bench.over(59 * SECOND).await;
    assert_eq!(bench.state("one").await, PoolState::Unhealthy);
    bench.over(2 * SECOND).await;
    assert_eq!(bench.state("one").await, PoolState::Available);
}

#[tokio::test]
async fn what_failed_long_ago_does_not_count() {
    let bench = Bench::new();
    bench.well(&["one", "two"]).await;
    bench.flaps("one").await;
    bench.flaps("one").await;
    bench.pass(Duration::from_secs(601));
    bench.flaps("one").await;
    bench.flaps("one").await;
    assert_eq!(bench.state("one").await, PoolState::Available);
}

#[tokio::test]
async fn another_container_under_the_same_name_rests_on() {
    let bench = Bench::new();
    bench.well(&["one", "two"]).await;
    bench.flaps_often("one").await;
    bench.store.remove(&bench.wine, &mark(1, 2), &[id("one")]).await.unwrap();
    assert!(bench.members("quarantine").is_empty());
    let mut again = flapping("another");
    again.observation.about.name = "one".to_owned();
    bench.sees(3, &[again]).await;
    bench.report("another", 1, None).await;
    let another = bench.container("another").await.unwrap();
    assert_eq!((another.pool_state, times(&another)), (PoolState::Unhealthy, 1));
    bench.over(31 * SECOND).await;
    assert_eq!(bench.state("another").await, PoolState::Available);
    bench.flaps_often("another").await;
    assert_eq!(times(&bench.container("another").await.unwrap()), 2, "it goes on from where the other one was");
}

#[tokio::test]
async fn no_more_than_a_share_rests() {
    let bench = Bench::new();
    let names: Vec<_> = (0..7).map(|at| format!("c{at}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    bench.well(&names).await;
    for name in &names {
        bench.flaps_often(name).await;
    }
    assert_eq!(bench.members("quarantine"), ["c0", "c1"], "three tenths of seven, rounded down");
    assert_eq!(bench.store.counts(&bench.wine).await.unwrap().quarantined, 2);
    assert_eq!((bench.heard("container.quarantine_full"), bench.members("available").len()), (5, 5));
}

#[tokio::test]
async fn of_two_one_may_rest_and_a_single_one_never() {
    let bench = Bench::new();
    bench.well(&["one"]).await;
    bench.flaps_often("one").await;
    assert_eq!(bench.state("one").await, PoolState::Available);
    bench.sees(2, &[flapping("two")]).await;
    bench.flaps_often("one").await;
    assert_eq!(bench.state("one").await, PoolState::Unhealthy);
}

#[tokio::test]
async fn a_lease_goes_on_and_the_container_rests_after_it() {
    let bench = Bench::new();
    bench.well(&["one", "two"]).await;
    let (one, session) = (id("one"), bench.allocate_with(|new| new.container = None).await);
    let Allocated::Ready(session) = session else { panic!("{session:?}") };
    let held = session.container.as_ref().unwrap().id.clone();
    bench.flaps_often(held.as_str()).await;
    let container = bench.container(held.as_str()).await.unwrap();
    assert_eq!((container.pool_state, times(&container)), (PoolState::Allocated, 1));
    let reason = leasehold::model::EndReason::Released;
    bench.store.release(&bench.wine, session.id, None, None, reason).await.unwrap();
    assert_eq!(bench.state(held.as_str()).await, PoolState::Unhealthy);
    assert_eq!(held, one, "the first of two");
}

#[tokio::test]
async fn what_the_engine_is_told_to_end_has_no_strikes_for_it() {
    let bench = Bench::new();
    bench.well(&["one", "two"]).await;
    assert!(matches!(bench.allocate_with(|_| {}).await, Allocated::Ready(_)));
    let mut at = 1;
    for round in 1..=4 {
        let Allocated::Ready(session) = bench.allocate_with(|_| {}).await else { panic!("none in round {round}") };
        let mut one = flapping(session.container.unwrap().id.as_str());
        for (state, health) in
            [(EngineState::Running, EngineHealth::Healthy), (EngineState::Terminating, EngineHealth::Unhealthy)]
        {
            (one.observation.state, one.observation.health) = (state, health);
            at += 1;
            bench.sees(at, std::slice::from_ref(&one)).await;
        }
        let gone = one.observation.id.clone();
        for _ in 0..3 {
            bench.report(gone.as_str(), 1, Some("refused")).await;
        }
        at += 1;
        bench.store.remove(&bench.wine, &mark(1, at), std::slice::from_ref(&gone)).await.unwrap();
        at += 1;
        // The next one under its name.
        bench.sees(at, &[flapping(gone.as_str())]).await;
        bench.report(gone.as_str(), 1, None).await;
    }
    assert_eq!(bench.heard("container.quarantined"), 0);
}

#[tokio::test]
async fn ends_and_losses_are_strikes_and_what_a_reset_does_is_none() {
    let bench = Bench::new();
    bench.well(&["one", "two"]).await;
    let mut one = flapping("one");
    let mut at = 1;
    for round in 1..=3 {
        // It ends by itself and begins anew: one strike.
        one.observation.state = EngineState::Exited;
        at += 1;
        bench.sees(at, std::slice::from_ref(&one)).await;
        (one.observation.state, one.observation.incarnation) = (EngineState::Running, format!("life {round}"));
        at += 1;
        bench.sees(at, std::slice::from_ref(&one)).await;
        assert_eq!(bench.heard("container.quarantined"), usize::from(round == 3), "in round {round}");
    }
    assert_eq!(bench.container("one").await.unwrap().quarantine.unwrap().reason, "exited");

    let mut two = Discovered { probed: false, resets: true, ..flapping("two") };
    two.observation.incarnation = "none".to_owned();
    let bench = Bench::new();
    bench.sees(1, &[two.clone(), running("three")]).await;
    for round in 1..=4 {
        let session = bench.allocate_with(|_| {}).await;
        let Allocated::Ready(session) = session else { panic!("{session:?}") };
        let reason = leasehold::model::EndReason::Released;
        bench.store.release(&bench.wine, session.id, None, None, reason).await.unwrap();
        if session.container.unwrap().id.as_str() == "two" {
            // The restart that makes it clean.
            two.observation.incarnation = format!("reset {round}");
            bench.sees(1 + round, std::slice::from_ref(&two)).await;
        }
    }
    assert_eq!(bench.heard("container.quarantined"), 0);
}

#[tokio::test]
async fn lifted_it_is_given_out_at_once_and_begins_anew() {
    let bench = Bench::new();
    bench.well(&["one", "two"]).await;
    bench.flaps_often("one").await;
    let one = bench.store.lift_quarantine(&bench.wine, &id("one"), BY).await.unwrap().unwrap();
    assert_eq!((one.pool_state, one.quarantine), (PoolState::Available, None));
    assert_eq!(bench.heard("container.quarantine_lifted"), 1);
    bench.store.lift_quarantine(&bench.wine, &id("one"), BY).await.unwrap().unwrap();
    assert_eq!(bench.heard("container.quarantine_lifted"), 1, "twice is once");
    bench.flaps("one").await;
    assert_eq!(bench.state("one").await, PoolState::Available, "what was before is forgotten");
    bench.flaps_often("one").await;
    assert_eq!(times(&bench.container("one").await.unwrap()), 1);
    assert!(bench.store.lift_quarantine(&bench.wine, &id("nobody"), BY).await.unwrap().is_none());
}

#[tokio::test]
async fn one_whose_reset_failed_is_lifted_into_the_next_reset_and_rests_the_shorter_when_many_do() {
    let bench = Bench::new();
    let dirty = |name: &str| Discovered { probed: false, resets: true, ..flapping(name) };
    bench.sees(1, &[dirty("one"), dirty("two")]).await;
    let terms = ResetTerms { deadline: SECOND, attempts: 1, rest: 30 * SECOND, longest_rest: 3600 * SECOND };
    let fails = async || {
        for task in bench.store.claim_resets(&bench.wine, 10, &terms).await.unwrap() {
            let failed = ResetOutcome::Failed("no".to_owned(), Duration::ZERO);
            bench.store.report_reset(&bench.wine, &task, &failed, &terms).await.unwrap();
        }
    };
    for session in [bench.ready().await, bench.ready().await] {
        let reason = leasehold::model::EndReason::Released;
        bench.store.release(&bench.wine, session.id, None, None, reason).await.unwrap();
    }
    fails().await;
    assert_eq!(bench.members("quarantine").len(), 2, "what is not clean is never given out, whatever the share");
    bench.over(31 * SECOND).await;
    fails().await;
    let rests: Vec<(String, f64)> = redis::cmd("ZRANGE")
        .arg(bench.key("quarantine"))
        .arg(0)
        .arg(-1)
        .arg("WITHSCORES")
        .query(&mut bench.redis.conn())
        .unwrap();
    let apart = rests[1].1 - rests[0].1;
    assert!((29_000.0..31_000.0).contains(&apart), "60 s the first, 30 s the second: {rests:?}");
    let lifted = bench.store.lift_quarantine(&bench.wine, &id("one"), BY).await.unwrap().unwrap();
    assert_eq!((lifted.pool_state, lifted.quarantine), (PoolState::Resetting, None));
    assert_eq!(bench.members("resets"), ["one"]);
}

#[tokio::test]
async fn a_record_of_a_version_that_knew_no_quarantine_is_good_and_the_next_look_makes_it_whole() {
    let bench = Bench::new();
    bench.well(&["one", "two"]).await;
    let forget = |fields: &[&str]| {
        let mut command = redis::cmd("HDEL");
        let _: i64 = command.arg(bench.key("container:one")).arg(fields).query(&mut bench.redis.conn()).unwrap();
    };
    forget(&["place", "rules", "fresh", "cuts", "uses", "seen"]);
    assert_eq!(bench.audit(false).await, []);
    bench.flaps_often("one").await;
    assert_eq!(bench.state("one").await, PoolState::Available, "by which rules?");
    let session = bench.ready().await;
    bench.store.release(&bench.wine, session.id, None, None, leasehold::model::EndReason::Released).await.unwrap();
    bench.sees(2, &[flapping("one")]).await;
    bench.flaps_often("one").await;
    assert_eq!(bench.state("one").await, PoolState::Unhealthy);
}

#[tokio::test]
async fn an_operator_has_it_rest_also_the_only_one_and_it_comes_back_by_itself() {
    let bench = Bench::new();
    bench.sees(1, &[running("one")]).await;
    let rests = bench.store.quarantine(&bench.wine, &id("one"), BY, 60 * SECOND).await.unwrap().expect("it is there");
    let why = rests.quarantine.expect("it rests");
    assert_eq!((why.reason.as_str(), why.by.as_deref(), why.times), ("operator", Some(BY), 1));
    assert_eq!((rests.pool_state, bench.members("quarantine")), (PoolState::Unhealthy, vec!["one".to_owned()]));
    bench.over(59 * SECOND).await;
    assert_eq!(bench.state("one").await, PoolState::Unhealthy);
    // It rests so long from the last call.
    bench.store.quarantine(&bench.wine, &id("one"), BY, 60 * SECOND).await.unwrap();
    bench.over(59 * SECOND).await;
    assert_eq!(bench.state("one").await, PoolState::Unhealthy);
    bench.over(2 * SECOND).await;
    let back = bench.container("one").await.unwrap();
    assert_eq!((back.pool_state, back.quarantine), (PoolState::Available, None));
    assert_eq!((bench.heard("container.quarantined"), bench.heard("container.quarantine_over")), (2, 1));
    assert!(bench.store.quarantine(&bench.wine, &id("nobody"), BY, SECOND).await.unwrap().is_none());
}

#[tokio::test]
async fn what_an_operator_has_rest_keeps_its_session_and_what_comes_in_its_place_rests_on() {
    let bench = Bench::new();
    bench.sees(1, &[running("one")]).await;
    let session = bench.ready().await;
    bench.store.quarantine(&bench.wine, &id("one"), BY, 60 * SECOND).await.unwrap();
    assert_eq!(bench.state("one").await, PoolState::Allocated);
    let reason = leasehold::model::EndReason::Released;
    bench.store.release(&bench.wine, session.id, None, None, reason).await.unwrap();
    assert_eq!(bench.state("one").await, PoolState::Unhealthy);
    bench.store.remove(&bench.wine, &mark(1, 2), &[id("one")]).await.unwrap();
    let mut again = running("another");
    again.observation.about.name = "one".to_owned();
    bench.sees(3, &[again]).await;
    let another = bench.container("another").await.unwrap();
    assert_eq!(another.quarantine.expect("it rests on").by.as_deref(), Some(BY));
    let lifted = bench.store.lift_quarantine(&bench.wine, &id("another"), BY).await.unwrap().expect("it is there");
    assert_eq!((lifted.pool_state, lifted.quarantine), (PoolState::Available, None));
}
