//! Check on borrow: a container whose last good probe is too old is probed before it is given out. For the pain "a dead or nearly
//! expired container is handed out".

use std::{collections::BTreeSet, time::Duration};

use leasehold::{
    model::{EndReason, HealthStatus, PoolState, Session},
    store::{Allocated, Discovered, ProbeReport},
};

use super::{Bench, id, mark, running};

const BOUND: Duration = Duration::from_secs(30);

impl Bench {
    /// Adds containers that are probed, each found good by its first probe, those named first having been idle longest.
    async fn probed(&self, names: &[&str]) {
        self.store.add_types(std::slice::from_ref(&self.wine)).await.unwrap();
        for (at, name) in names.iter().enumerate() {
            let one = Discovered { probed: true, fresh_within: Some(BOUND), ..running(name) };
            self.store.observe(&self.wine, &mark(1, at as u64 + 1), &[one]).await.unwrap();
            self.report(name, 1, None).await;
            // Scores are milliseconds: the order is to be this one.
            let mut score = redis::cmd("ZADD");
            score.arg(self.key("available")).arg("XX").arg(at).arg(name);
            let _: i64 = score.query(&mut self.redis.conn()).unwrap();
        }
    }

    /// Its last good probe was so long ago (or is ahead of the clock).
    fn aged(&self, name: &str, ago_ms: i64) {
        let time: (i64, i64) = redis::cmd("TIME").query(&mut self.redis.conn()).unwrap();
        let seen = time.0 * 1000 + time.1 / 1000 - ago_ms;
        let mut set = redis::cmd("HSET");
        set.arg(self.key(&format!("container:{name}"))).arg("seen").arg(seen);
        let _: i64 = set.query(&mut self.redis.conn()).unwrap();
    }

    /// The ids of the probes that are due.
    async fn due(&self) -> Vec<String> {
        let tasks = self.store.claim_probes(&self.wine, 100, Duration::from_secs(5)).await.unwrap();
        tasks.into_iter().map(|task| task.id.to_string()).collect()
    }
}

fn given(session: &Session) -> &str {
    session.container.as_ref().expect("it is ready").id.as_str()
}

const HOUR: i64 = 3_600_000;

#[tokio::test]
async fn a_stale_one_is_passed_over_for_a_fresher_one_and_comes_back_by_a_good_probe() {
    let bench = Bench::new();
    bench.probed(&["one", "two"]).await;
    bench.due().await;
    bench.aged("one", HOUR);
    assert_eq!(given(&bench.ready().await), "two");
    let one = bench.container("one").await.unwrap();
    assert_eq!((one.pool_state, one.health.status), (PoolState::Initializing, HealthStatus::Unknown));
    assert_eq!(bench.due().await, ["one"], "its probe is due at once");
    bench.report("one", 1, None).await;
    assert_eq!(given(&bench.ready().await), "one");
}

#[tokio::test]
async fn who_finds_only_stale_ones_is_told_to_ask_again_and_so_is_everybody_meanwhile() {
    let bench = Bench::new();
    bench.probed(&["one"]).await;
    bench.aged("one", HOUR);
    assert!(matches!(bench.allocate().await, Allocated::Checking));
    assert!(matches!(bench.allocate().await, Allocated::Checking), "the probe goes on");
    bench.report("one", 1, None).await;
    bench.ready().await;
}

#[tokio::test]
async fn nobody_waits_for_a_probe_for_ever() {
    let bench = Bench::new();
    bench.probed(&["one"]).await;
    bench.aged("one", HOUR);
    assert!(matches!(bench.allocate().await, Allocated::Checking));
    tokio::time::sleep(Duration::from_millis(3100)).await;
    assert!(matches!(bench.allocate().await, Allocated::Shortage(None)));
}

#[tokio::test]
async fn a_certain_container_is_checked_as_well() {
    let bench = Bench::new();
    bench.probed(&["one", "two"]).await;
    bench.aged("two", HOUR);
    let two = id("two");
    assert!(matches!(bench.allocate_with(|new| new.container = Some(&two)).await, Allocated::Checking));
    assert_eq!(bench.members("initializing"), ["two"]);
    assert_eq!(bench.members("available"), ["one"]);
}

#[tokio::test]
async fn the_line_gets_it_after_the_probe() {
    let bench = Bench::new();
    bench.probed(&["one"]).await;
    bench.aged("one", HOUR);
    bench.queued().await;
    assert!(bench.members("offers").is_empty());
    bench.report("one", 1, None).await;
    assert_eq!(bench.members("offers").len(), 1);
}

#[tokio::test]
async fn what_becomes_available_is_not_offered_before_it_was_probed() {
    let bench = Bench::new();
    bench.probed(&["one"]).await;
    let session = bench.ready().await;
    bench.queued().await;
    bench.aged("one", HOUR);
    bench.store.release(&bench.wine, session.id, None, None, EndReason::Released).await.unwrap();
    assert!(bench.members("offers").is_empty());
    assert_eq!(bench.members("initializing"), ["one"]);
    bench.report("one", 1, None).await;
    assert_eq!(bench.members("offers").len(), 1);
}

#[tokio::test]
async fn a_script_passes_over_eight_at_most() {
    let bench = Bench::new();
    let names: Vec<_> = (0..12).map(|at| format!("c{at:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    bench.probed(&names).await;
    for name in &names[..10] {
        bench.aged(name, HOUR);
    }
    assert!(matches!(bench.allocate().await, Allocated::Checking));
    assert_eq!(bench.members("initializing").len(), 8);
    assert_eq!(given(&bench.ready().await), "c10", "the ninth and the tenth were stale as well");
    assert_eq!(bench.members("initializing").len(), 10);
}

#[tokio::test]
async fn a_good_report_that_was_long_on_its_way_is_as_old_as_its_probe() {
    let bench = Bench::new();
    bench.probed(&["one"]).await;
    bench.aged("one", HOUR);
    assert!(matches!(bench.allocate().await, Allocated::Checking));
    let report = ProbeReport { id: id("one"), era: 1, claimed: 1000, failure: None, rise: 1, fall: 3 };
    bench.store.report_probes(&bench.wine, &[report]).await.unwrap();
    assert!(matches!(bench.allocate().await, Allocated::Checking));
    assert!(bench.members("available").is_empty());
}

#[tokio::test]
async fn a_clock_that_was_set_costs_a_probe_and_no_more() {
    let bench = Bench::new();
    bench.probed(&["one"]).await;
    bench.aged("one", -HOUR);
    assert!(matches!(bench.allocate().await, Allocated::Checking));
    bench.report("one", 1, None).await;
    bench.ready().await;
}

#[tokio::test]
async fn without_a_bound_or_a_known_time_any_age_is_right() {
    let bench = Bench::new();
    bench.probed(&["one", "two"]).await;
    let one = Discovered { probed: true, ..running("one") };
    bench.store.observe(&bench.wine, &mark(1, 9), &[one]).await.unwrap();
    bench.aged("one", HOUR);
    assert_eq!(given(&bench.ready().await), "one");
    // As a version that knows no bound left it.
    let _: i64 = redis::cmd("HDEL").arg(bench.key("container:two")).arg("seen").query(&mut bench.redis.conn()).unwrap();
    assert_eq!(given(&bench.ready().await), "two");
}

#[tokio::test]
async fn many_at_once_get_no_stale_one() {
    let bench = Bench::new();
    let names: Vec<_> = (0..20).map(|at| format!("c{at:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    bench.probed(&names).await;
    let stale: BTreeSet<_> = names.iter().step_by(2).copied().collect();
    for name in &stale {
        bench.aged(name, HOUR);
    }
    // Each asks again a few times, as the pool does for who would not wait.
    let patient = async || {
        for _ in 0..5 {
            match bench.allocate().await {
                Allocated::Checking => tokio::time::sleep(Duration::from_millis(20)).await,
                other => return other,
            }
        }
        Allocated::Checking
    };
    let all = futures_util::future::join_all((0..30).map(|_| patient())).await;
    let got: BTreeSet<_> = all
        .iter()
        .filter_map(|one| if let Allocated::Ready(session) = one { Some(given(session)) } else { None })
        .collect();
    assert_eq!(got.len(), 10, "each fresh one once: {got:?}");
    assert!(got.is_disjoint(&stale), "{got:?}");
    assert!(!all.iter().any(|one| matches!(one, Allocated::Shortage(_))), "what is being probed is no shortage");
}
