//! Between two sessions: a container is given out again when it is clean, and only then.

use std::time::Duration;

use leasehold::{
    model::{EndReason, HealthStatus, PoolState, ResetState, Session},
    store::{Allocated, Discovered, Outdated, Replacing, ResetOutcome, ResetReported, ResetTask, ResetTerms},
};

use super::{Bench, mark, running};

const DEADLINE: Duration = Duration::from_secs(65);
const REST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(100);
const PAUSE: Duration = Duration::from_secs(2);

fn terms() -> ResetTerms {
    ResetTerms { deadline: DEADLINE, attempts: 2, rest: REST, longest_rest: LONGEST }
}

fn failed(why: &str) -> ResetOutcome {
    ResetOutcome::Failed(why.to_owned(), PAUSE)
}

impl Bench {
    async fn saw(&self, sequence: u64, change: impl FnOnce(&mut Discovered)) {
        let mut one = Discovered { resets: true, ..running("one") };
        change(&mut one);
        self.store.add_types(std::slice::from_ref(&self.wine)).await.unwrap();
        self.store.observe(&self.wine, &mark(1, sequence), &[one]).await.unwrap();
    }

    async fn used(&self) -> Session {
        let session = self.ready().await;
        self.store.release(&self.wine, session.id, None, None, EndReason::Released).await.unwrap();
        session
    }

    async fn claimed(&self) -> Vec<ResetTask> {
        self.store.claim_resets(&self.wine, 10, &terms()).await.unwrap()
    }

    async fn one_claimed(&self) -> ResetTask {
        let mut tasks = self.claimed().await;
        assert_eq!(tasks.len(), 1, "{tasks:?}");
        tasks.remove(0)
    }

    async fn reported(&self, task: &ResetTask, outcome: ResetOutcome) -> ResetReported {
        self.store.report_reset(&self.wine, task, &outcome, &terms()).await.unwrap()
    }

    async fn one(&self) -> leasehold::model::Container {
        self.container("one").await.unwrap()
    }

    async fn nothing_is_given_out(&self) {
        let outcome = self.allocate().await;
        assert!(matches!(outcome, Allocated::Shortage(None)), "{outcome:?}");
    }
}

#[tokio::test]
async fn what_a_session_used_is_given_out_again_when_it_is_clean() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    let before = bench.used().await;
    bench.nothing_is_given_out().await;
    let one = bench.one().await;
    assert_eq!(one.pool_state, PoolState::Resetting);
    assert_eq!(one.reset.unwrap().state, ResetState::Pending);
    let task = bench.one_claimed().await;
    assert_eq!((task.id.as_str(), task.provider.as_str(), task.tries), ("one", "lab", 1));
    assert!(bench.claimed().await.is_empty(), "claimed by two");
    bench.nothing_is_given_out().await;
    assert_eq!(bench.reported(&task, ResetOutcome::Clean).await, ResetReported::Clean);
    assert_eq!(bench.reported(&task, ResetOutcome::Clean).await, ResetReported::Stale, "of a reset that is over");
    let after = bench.ready().await;
    assert!(after.lease.unwrap().fencing_token > before.lease.unwrap().fencing_token);
    assert!(bench.events().contains(&"container.reset".to_owned()));
}

#[tokio::test]
async fn what_was_cleaned_goes_to_the_line() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    bench.used().await;
    let waiting = bench.queued().await;
    let task = bench.one_claimed().await;
    bench.reported(&task, ResetOutcome::Clean).await;
    assert_eq!(bench.members("offers"), [waiting.id.to_string()]);
    // Nobody takes the offer: nobody was told of the container, so it is as clean as it was.
    bench.pass(Duration::from_secs(11));
    bench.store.reclaim(&bench.wine).await.unwrap();
    assert_eq!(bench.one().await.pool_state, PoolState::Available);
}

#[tokio::test]
async fn a_reset_is_verified_by_a_probe_that_began_after_it() {
    let bench = Bench::new();
    bench.saw(1, |one| one.probed = true).await;
    bench.report("one", 1, None).await;
    bench.used().await;
    // The era grew with the end of the session, and grows with the reset.
    let task = bench.one_claimed().await;
    bench.reported(&task, ResetOutcome::Clean).await;
    assert_eq!(bench.one().await.pool_state, PoolState::Initializing);
    bench.report("one", 2, None).await;
    bench.nothing_is_given_out().await;
    bench.report("one", 3, None).await;
    bench.ready().await;
}

#[tokio::test]
async fn a_restarted_container_is_clean_when_discovery_has_seen_it() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    bench.used().await;
    let task = bench.one_claimed().await;
    assert_eq!(bench.reported(&task, ResetOutcome::Restarted).await, ResetReported::Unseen);
    bench.nothing_is_given_out().await;
    bench.saw(2, |one| "second".clone_into(&mut one.observation.incarnation)).await;
    let session = bench.ready().await;
    // And in the other order.
    bench.store.release(&bench.wine, session.id, None, None, EndReason::Released).await.unwrap();
    let task = bench.one_claimed().await;
    bench.saw(3, |one| "third".clone_into(&mut one.observation.incarnation)).await;
    bench.nothing_is_given_out().await;
    assert_eq!(bench.reported(&task, ResetOutcome::Restarted).await, ResetReported::Clean);
    bench.ready().await;
}

#[tokio::test]
async fn the_reset_of_a_dead_worker_is_made_again_and_its_late_report_dropped() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    bench.used().await;
    let first = bench.one_claimed().await;
    bench.pass(DEADLINE);
    let second = bench.one_claimed().await;
    assert_eq!(second.tries, 2);
    assert_eq!(bench.reported(&first, ResetOutcome::Clean).await, ResetReported::Stale);
    bench.nothing_is_given_out().await;
    // A restart that discovery never sees is a failed attempt as well.
    assert_eq!(bench.reported(&second, ResetOutcome::Restarted).await, ResetReported::Unseen);
    bench.pass(DEADLINE);
    assert!(bench.claimed().await.is_empty(), "it was the last attempt");
    assert_eq!(bench.one().await.reset.unwrap().state, ResetState::Failed);
}

#[tokio::test]
async fn pain_stuck_in_deleting_a_reset_that_fails_rests_longer_each_time_and_is_tried_again() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    bench.used().await;
    for rest in [REST, 2 * REST, LONGEST, LONGEST] {
        let first = bench.one_claimed().await;
        assert_eq!(bench.reported(&first, failed("exit code 1")).await, ResetReported::Again);
        assert!(bench.claimed().await.is_empty(), "before the pause");
        bench.pass(PAUSE);
        let last = bench.one_claimed().await;
        assert_eq!(bench.reported(&last, failed("exit code 2")).await, ResetReported::Failed);
        let one = bench.one().await;
        assert_eq!((one.pool_state, one.health.status), (PoolState::Unhealthy, HealthStatus::Unhealthy));
        assert_eq!(one.health.reason.as_deref(), Some("its reset fails: exit code 2"));
        bench.nothing_is_given_out().await;
        let second = Duration::from_secs(1);
        bench.pass(rest.saturating_sub(second));
        assert!(bench.claimed().await.is_empty(), "before its rest of {rest:?} is over");
        bench.pass(second);
    }
    let task = bench.one_claimed().await;
    bench.reported(&task, ResetOutcome::Clean).await;
    bench.used().await;
    // What went well is not held against it.
    for _ in 0..2 {
        let task = bench.one_claimed().await;
        bench.reported(&task, failed("exit code 1")).await;
        bench.pass(PAUSE);
    }
    bench.pass(REST.saturating_sub(PAUSE));
    bench.one_claimed().await;
}

#[tokio::test]
async fn pain_cleaners_fall_behind_the_age_of_the_oldest_reset_is_told() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    let age = async || bench.store.counts(&bench.wine).await.unwrap().oldest_reset;
    assert_eq!(age().await, None);
    bench.used().await;
    bench.pass(Duration::from_secs(40));
    let first = bench.one_claimed().await;
    // Attempts do not make it younger.
    bench.reported(&first, failed("exit code 1")).await;
    assert!((40..42).contains(&age().await.unwrap().as_secs()));
    bench.pass(PAUSE);
    let task = bench.one_claimed().await;
    bench.reported(&task, ResetOutcome::Clean).await;
    assert_eq!(age().await, None);
}

#[tokio::test]
async fn what_a_former_version_gave_back_is_made_clean_as_well() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    // It leaves the fact, and no work.
    let mut fact = redis::cmd("HSET");
    let _: i64 = fact.arg(bench.key("container:one")).arg("reset").arg("due").query(&mut bench.redis.conn()).unwrap();
    bench.store.settle(&bench.wine, &super::id("one")).await.unwrap();
    assert_eq!(bench.one().await.pool_state, PoolState::Resetting);
    let task = bench.one_claimed().await;
    bench.reported(&task, ResetOutcome::Clean).await;
    bench.ready().await;
}

#[tokio::test]
async fn a_container_that_vanishes_in_its_reset_leaves_no_work() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    bench.used().await;
    let task = bench.one_claimed().await;
    bench.store.remove(&bench.wine, &mark(1, 2), std::slice::from_ref(&task.id)).await.unwrap();
    assert_eq!(bench.reported(&task, ResetOutcome::Clean).await, ResetReported::Stale);
    assert!(bench.members("resets").is_empty());
}

#[tokio::test]
async fn what_is_being_made_anew_is_work_until_another_is_in_its_place() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    bench.used().await;
    let task = bench.one_claimed().await;
    assert_eq!(task.definition, None);
    let kept = async |task: &ResetTask, text: &str| bench.store.keep_definition(&bench.wine, task, text).await.unwrap();
    assert_eq!(kept(&task, "first").await.as_deref(), Some("first"));
    assert_eq!(kept(&task, "second").await.as_deref(), Some("first"), "what was kept first stays");
    // The old one goes, the worker as well.
    bench.store.remove(&bench.wine, &mark(1, 2), std::slice::from_ref(&task.id)).await.unwrap();
    assert!(bench.claimed().await.is_empty(), "claimed by two");
    bench.pass(DEADLINE);
    let second = bench.one_claimed().await;
    assert_eq!((second.definition.as_deref(), second.provider.as_str(), second.tries), (Some("first"), "lab", 2));
    assert_eq!(kept(&second, "third").await, None, "of a container that is gone");
    assert_eq!(bench.reported(&task, ResetOutcome::Replaced).await, ResetReported::Stale);
    // What fails for good rests, and is tried again: else the container would be lost.
    assert_eq!(bench.reported(&second, failed("no image")).await, ResetReported::Failed);
    assert!(bench.claimed().await.is_empty(), "before its rest is over");
    bench.pass(REST);
    let third = bench.one_claimed().await;
    assert_eq!(third.tries, 1);

    let new: leasehold::model::ContainerId = "two".parse().unwrap();
    let replace = async |task: &ResetTask| bench.store.replace(&bench.wine, task, &new).await.unwrap();
    assert_eq!(replace(&third).await, Replacing::Unseen);
    bench.store.observe(&bench.wine, &mark(1, 3), &[running("two")]).await.unwrap();
    assert_eq!(replace(&second).await, Replacing::Stale);
    assert_eq!(replace(&third).await, Replacing::Known);
    bench.nothing_is_given_out().await;
    assert_eq!(bench.reported(&third, ResetOutcome::Replaced).await, ResetReported::Replaced);
    assert_eq!(bench.reported(&third, ResetOutcome::Replaced).await, ResetReported::Stale);
    assert!(bench.members("resets").is_empty());
    assert_eq!(bench.ready().await.container.unwrap().id, new);
    assert!(bench.events().contains(&"container.recreated".to_owned()));
}

#[tokio::test]
async fn pain_pool_dries_up_only_idle_containers_are_made_anew_for_their_age_and_a_few_at_a_time() {
    let bench = Bench::new();
    bench.containers(&["one", "two", "three"]).await;
    let outdate = async |id: &str| bench.store.outdate(&bench.wine, &id.parse().unwrap(), 10).await.unwrap();
    let held = bench.ready().await.container.unwrap().id;
    assert_eq!(outdate(held.as_str()).await, Outdated::Busy);
    assert_eq!(outdate("nobody").await, Outdated::Busy);
    let idle: Vec<_> = ["one", "two", "three"].into_iter().filter(|id| *id != held.as_str()).collect();
    assert_eq!(outdate(idle[0]).await, Outdated::Taken);
    assert_eq!(outdate(idle[0]).await, Outdated::Busy, "it is work already");
    assert_eq!(outdate(idle[1]).await, Outdated::Later);
    let task = bench.one_claimed().await;
    assert_eq!((task.id.as_str(), task.uses), (idle[0], 0));
    bench.reported(&task, ResetOutcome::Clean).await;
    assert_eq!(outdate(idle[1]).await, Outdated::Taken);
}

#[tokio::test]
async fn sessions_that_used_a_container_are_counted() {
    let bench = Bench::new();
    bench.saw(1, |_| {}).await;
    for uses in 1..=3 {
        bench.used().await;
        let task = bench.one_claimed().await;
        assert_eq!(task.uses, uses);
        bench.reported(&task, ResetOutcome::Clean).await;
    }
}
