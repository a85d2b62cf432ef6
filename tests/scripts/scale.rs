//! A pool that is to be smaller: what is taken away, and what never is.

use std::time::Duration;

use leasehold::{
    model::{ContainerId, EngineState, PoolState},
    store::{Allocated, ScaleNote, ScalePlan},
};

use super::{Bench, id, mark, running};

const HOLD: Duration = Duration::from_secs(30);

fn ids(names: &[&str]) -> Vec<ContainerId> {
    names.iter().map(|name| id(name)).collect()
}

impl Bench {
    async fn plan(&self, replica: &str) -> Option<ScalePlan> {
        self.store.plan_scale(&self.wine, replica, HOLD).await.unwrap()
    }

    /// What the first replica takes away of these so that so many are left at least.
    async fn takes(&self, most: u64, least: u64, names: &[&str]) -> Vec<ContainerId> {
        self.plan("first").await.expect("its own");
        self.store.take_away(&self.wine, "first", most, least, 0, &ids(names)).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_taken_away_is_never_given_out_again_whatever_is_done_with_it() {
    let bench = Bench::new();
    bench.containers(&["one", "two", "three"]).await;
    assert_eq!(bench.takes(1, 0, &["two", "one"]).await, ids(&["two"]));
    let two = || bench.key("container:two");
    let set: String = redis::cmd("HGET").arg(two()).arg("set").query(&mut bench.redis.conn()).unwrap();
    assert_eq!(set, "cordoned");
    bench.store.uncordon(&bench.wine, &id("two"), "ops").await.unwrap();
    bench.store.observe(&bench.wine, &mark(2, 1), &[running("two")]).await.unwrap();
    let mut again = running("two");
    again.observation.incarnation = "second".to_owned();
    bench.store.observe(&bench.wine, &mark(2, 2), &[again]).await.unwrap();
    for _ in 0..2 {
        assert_ne!(bench.ready().await.container.unwrap().id, id("two"));
    }
    let wanted = id("two");
    let refused = bench.allocate_with(|new| new.container = Some(&wanted)).await;
    assert!(matches!(refused, Allocated::Unavailable(None)), "{refused:?}");
    assert!(matches!(bench.allocate().await, Allocated::Shortage(None)));
    let plan = bench.plan("first").await.unwrap();
    assert_eq!((plan.taken, plan.leaving, plan.containers, plan.leases), (ids(&["two"]), 1, 3, 2));
    // What schedules go by.
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    assert!(now.abs_diff(plan.clock_ms) < 10_000, "{} at {now}", plan.clock_ms);
    assert_eq!(bench.audit(false).await, []);
    // Its provider has removed it.
    bench.store.remove(&bench.wine, &mark(2, 3), &ids(&["two"])).await.unwrap();
    let plan = bench.plan("first").await.unwrap();
    assert_eq!((plan.taken.len(), plan.leaving, plan.containers), (0, 0, 2));
    assert_eq!(bench.events().iter().filter(|kind| *kind == "container.taken_away").count(), 1);
}

#[tokio::test]
async fn what_a_session_has_is_offered_or_is_made_clean_is_not_taken_away() {
    let bench = Bench::new();
    bench.containers(&["one", "two"]).await;
    let (first, _second) = (bench.ready().await, bench.ready().await);
    let waiting = bench.queued().await;
    assert!(bench.takes(2, 0, &["one", "two"]).await.is_empty());
    bench.store.release(&bench.wine, first.id, None, None, leasehold::model::EndReason::Released).await.unwrap();
    assert_eq!(bench.members("offers"), [waiting.id.to_string()]);
    assert!(bench.takes(2, 0, &["one", "two"]).await.is_empty());
}

#[tokio::test]
async fn enough_is_left_for_all_who_are_there_at_that_moment() {
    let bench = Bench::new();
    bench.containers(&["a", "b", "c", "d"]).await;
    bench.ready().await;
    // Decided on an older look: one in use and one idle are needed, and the decision allows no fewer than one.
    bench.plan("first").await.unwrap();
    let taken = bench.store.take_away(&bench.wine, "first", 4, 1, 1, &ids(&["d", "c", "b", "a"])).await;
    assert_eq!(taken.unwrap(), ids(&["d", "c"]));
    // What does not serve may always go.
    let mut ill = running("b");
    ill.observation.state = EngineState::Exited;
    bench.store.observe(&bench.wine, &mark(2, 1), &[ill]).await.unwrap();
    assert_eq!(bench.container("b").await.unwrap().pool_state, PoolState::Unhealthy);
    assert_eq!(bench.takes(4, 4, &["b"]).await, ids(&["b"]));
    // Nor does what was made and never started.
    let mut made = running("e");
    made.observation.state = EngineState::Created;
    bench.store.observe(&bench.wine, &mark(2, 2), &[made]).await.unwrap();
    assert_eq!(bench.takes(4, 4, &["e"]).await, ids(&["e"]));
}

#[tokio::test]
async fn one_replica_decides_and_another_goes_on_where_it_stopped() {
    let bench = Bench::new();
    bench.containers(&["one", "two"]).await;
    let plan = bench.plan("first").await.unwrap();
    assert!(plan.memory.is_none());
    assert_eq!(bench.plan("second").await, None);
    let note = ScaleNote {
        memory: "1 2 3:4",
        reason: "demand",
        wanted: 3,
        change: 1,
        told: true,
        detail: "",
        template: Some("lab {}"),
        epoch: plan.epoch,
    };
    let noted = async |replica, note: &ScaleNote<'_>| bench.store.note_scale(&bench.wine, replica, note).await.unwrap();
    assert!(noted("first", &note).await);
    assert!(!noted("second", &note).await, "it is the first one's");
    let of_another = ScaleNote { epoch: plan.epoch - 1, ..note };
    assert!(!noted("first", &of_another).await, "Redis lost what it was planned by");
    assert!(bench.store.take_away(&bench.wine, "second", 1, 0, 0, &ids(&["one"])).await.unwrap().is_empty());
    // The first one dies.
    let mut command = redis::cmd("HINCRBY");
    command.arg(bench.key("scale")).arg("until").arg(-31_000);
    let _: i64 = command.query(&mut bench.redis.conn()).unwrap();
    let plan = bench.plan("second").await.unwrap();
    assert_eq!((plan.memory.as_deref(), plan.reason.as_deref()), (Some("1 2 3:4"), Some("demand")));
    assert_eq!(plan.template.as_deref(), Some("lab {}"));
    // A reason that changes nothing is told once.
    let full = ScaleNote { reason: "at_max", change: 0, template: None, ..note };
    for _ in 0..3 {
        assert!(noted("second", &full).await);
    }
    assert_eq!(bench.events().iter().filter(|kind| *kind == "type.scaled").count(), 2);
}
