//! What discovery and health write.

use leasehold::{
    model::{EndReason, EngineHealth, EngineState, PoolState, Reason, SessionState},
    store::{Allocated, Announced, Beat, ObservationMark, Observed, Polled, ProviderLock},
};

use super::{Bench, id, mark, running};

#[tokio::test]
async fn case_09_a_removed_container_ends_its_session() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    bench.store.remove(&bench.wine, &mark(1, 2), &[id("one")]).await.unwrap();
    let Polled::Session(ended) = bench.store.poll(&bench.wine, session.id, None, false, false, None).await.unwrap()
    else {
        panic!("forgotten")
    };
    assert_eq!((ended.state, ended.end_reason), (SessionState::Ended, Some(EndReason::ContainerLost)));
    assert!(bench.container("one").await.is_none());
    assert!(bench.members("leases").is_empty() && bench.members("containers").is_empty());
}

#[tokio::test]
async fn case_10_another_incarnation_ends_the_lease_and_a_stale_look_changes_nothing() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    let mut restarted = running("one");
    restarted.observation.incarnation = "second".to_owned();
    assert_eq!(
        bench.store.observe(&bench.wine, &mark(2, 1), &[restarted]).await.unwrap(),
        Observed::Taken { changed: 1 }
    );
    let Polled::Session(ended) = bench.store.poll(&bench.wine, session.id, None, false, false, None).await.unwrap()
    else {
        panic!("forgotten")
    };
    assert_eq!(ended.end_reason, Some(EndReason::ContainerLost));
    assert_eq!(bench.members("available"), ["one"]);

    // A former discoverer, and a late call of the present one.
    for stale in [mark(1, 99), mark(2, 0)] {
        assert_eq!(bench.store.remove(&bench.wine, &stale, &[id("one")]).await.unwrap(), Observed::Stale);
        assert_eq!(bench.store.observe(&bench.wine, &stale, &[running("two")]).await.unwrap(), Observed::Stale);
    }
    assert_eq!(bench.members("containers"), ["one"]);
    // A retry of the same call passes.
    assert_eq!(bench.store.announce(&bench.wine, &mark(2, 1)).await.unwrap(), Announced::Known(None));
}

#[tokio::test]
async fn case_35_an_announced_generation_stops_the_former_discoverer() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    bench.store.announce(&bench.wine, &mark(2, 0)).await.unwrap();
    assert_eq!(bench.store.remove(&bench.wine, &mark(1, 50), &[id("one")]).await.unwrap(), Observed::Stale);
    assert_eq!(bench.members("available"), ["one"]);
}

#[tokio::test]
async fn a_provider_has_its_own_containers_whatever_lies_between_them() {
    let bench = Bench::new();
    let lab = "lab".parse().unwrap();
    let elsewhere = ObservationMark { provider: "elsewhere".parse().unwrap(), ..mark(1, 1) };
    bench.containers(&["a", "n", "z"]).await;
    // Whole pages are another provider's, the first one and the last one too.
    for first in ["0", "b", "o", "zz"] {
        let others: Vec<_> = (0..250).map(|number| running(&format!("{first}{number:03}"))).collect();
        bench.store.observe(&bench.wine, &elsewhere, &others).await.unwrap();
    }
    assert_eq!(bench.store.ids_of(&bench.wine, &lab).await.unwrap(), ["a", "n", "z"].map(id));
    assert_eq!(bench.store.ids_of(&bench.wine, &elsewhere.provider).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn facts_of_the_engine_decide_whether_a_container_is_available() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let mut sequence = 1;
    let mut seen = async |state, health| {
        sequence += 1;
        let mut one = running("one");
        one.observation.state = state;
        one.observation.health = health;
        bench.store.observe(&bench.wine, &mark(1, sequence), &[one]).await.unwrap();
        bench.container("one").await.unwrap().pool_state
    };
    assert_eq!(seen(EngineState::Paused, EngineHealth::None).await, PoolState::Unhealthy);
    assert_eq!(seen(EngineState::Running, EngineHealth::None).await, PoolState::Available);
    assert_eq!(seen(EngineState::Running, EngineHealth::Starting).await, PoolState::Initializing);
    assert_eq!(seen(EngineState::Running, EngineHealth::Unhealthy).await, PoolState::Unhealthy);
    assert_eq!(seen(EngineState::Running, EngineHealth::Healthy).await, PoolState::Available);
    assert_eq!(seen(EngineState::Exited, EngineHealth::None).await, PoolState::Unhealthy);
    assert_eq!(seen(EngineState::Created, EngineHealth::None).await, PoolState::Initializing);
    assert_eq!(seen(EngineState::Terminating, EngineHealth::Healthy).await, PoolState::Unhealthy);
}

#[tokio::test]
async fn one_that_the_engine_is_ending_keeps_its_session_until_it_is_gone_and_says_why_it_is_out() {
    let bench = Bench::new();
    bench.containers(&["used", "idle"]).await;
    let session = bench.ready().await;
    let (held, other) = match session.container.as_ref().unwrap().id.as_str() {
        "used" => ("used", "idle"),
        _ => ("idle", "used"),
    };
    let ending = [held, other].map(|name| {
        let mut one = running(name);
        one.observation.state = EngineState::Terminating;
        one
    });
    bench.store.observe(&bench.wine, &mark(1, 2), &ending).await.unwrap();
    assert!(matches!(bench.allocate_with(|_| {}).await, Allocated::Shortage(_)));
    let state = async || {
        let Polled::Session(now) = bench.store.poll(&bench.wine, session.id, None, false, false, None).await.unwrap()
        else {
            panic!("the session is forgotten")
        };
        (now.state, now.end_reason)
    };
    assert_eq!(state().await, (SessionState::Ready, None));
    let (_, told) = bench.store.explain(&bench.wine, 10).await.unwrap();
    let reasons: Vec<_> = told.iter().map(|(reason, one)| (*reason, one.id.as_str())).collect();
    assert_eq!(reasons, [(Reason::Leased, held), (Reason::Terminating, other)]);
    bench.store.remove(&bench.wine, &mark(1, 3), &[id(held)]).await.unwrap();
    assert_eq!(state().await, (SessionState::Ended, Some(EndReason::ContainerLost)));
}

#[tokio::test]
async fn an_exited_container_keeps_its_lease_and_is_not_given_out_after_it() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    let mut exited = running("one");
    exited.observation.state = EngineState::Exited;
    exited.observation.incarnation = String::new();
    bench.store.observe(&bench.wine, &mark(1, 2), &[exited]).await.unwrap();
    assert_eq!(bench.container("one").await.unwrap().pool_state, PoolState::Allocated);
    bench.store.release(&bench.wine, session.id, None, None, EndReason::Released).await.unwrap();
    assert_eq!(bench.container("one").await.unwrap().pool_state, PoolState::Unhealthy);
}

#[tokio::test]
async fn probes_rise_and_fall_and_reports_of_an_older_era_are_dropped() {
    let bench = Bench::new();
    let mut probed = running("one");
    probed.probed = true;
    bench.store.observe(&bench.wine, &mark(1, 1), &[probed.clone()]).await.unwrap();
    let state = async || bench.container("one").await.unwrap().pool_state;
    assert_eq!(state().await, PoolState::Initializing);

    let interval = std::time::Duration::from_secs(5);
    let claimed = bench.store.claim_probes(&bench.wine, 10, interval).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].era), (1, 1));
    assert!(
        bench.store.claim_probes(&bench.wine, 10, interval).await.unwrap().is_empty(),
        "claimed twice in one interval"
    );
    bench.report("one", 1, None).await;
    assert_eq!(state().await, PoolState::Available);
    for expected in [PoolState::Available, PoolState::Available, PoolState::Unhealthy] {
        bench.report("one", 1, Some("connection refused")).await;
        assert_eq!(state().await, expected);
    }
    assert_eq!(bench.container("one").await.unwrap().health.reason.unwrap(), "its probe fails: connection refused");

    probed.observation.incarnation = "second".to_owned();
    bench.store.observe(&bench.wine, &mark(1, 2), &[probed]).await.unwrap();
    bench.report("one", 1, None).await;
    assert_eq!(state().await, PoolState::Initializing);
    bench.report("one", 2, None).await;
    assert_eq!(state().await, PoolState::Available);
}

#[tokio::test]
async fn a_container_without_a_verdict_is_probed_again_within_a_second() {
    let bench = Bench::new();
    let mut probed = running("one");
    probed.probed = true;
    bench.store.observe(&bench.wine, &mark(1, 1), &[probed]).await.unwrap();
    let interval = std::time::Duration::from_mins(1);
    let due = async |after_ms| {
        bench.pass(std::time::Duration::from_millis(after_ms));
        bench.store.claim_probes(&bench.wine, 10, interval).await.unwrap().len()
    };
    assert_eq!(due(0).await, 1);
    bench.report("one", 1, Some("connection refused")).await;
    assert_eq!(due(0).await, 0, "at once");
    assert_eq!(due(1000).await, 1, "after a second");
    bench.report("one", 1, None).await;
    assert_eq!(due(50_000).await, 0, "a verdict and still sooner than its interval");
    assert_eq!(due(20_000).await, 1, "after the interval");
}

#[tokio::test]
async fn a_provider_has_one_discoverer_and_its_generation_grows_with_each_change() {
    let bench = Bench::new();
    let lab = "lab".parse().unwrap();
    let long = std::time::Duration::from_mins(1);
    let ProviderLock::Held { generation: first } = bench.store.lock_provider(&lab, "a", long, 0).await.unwrap() else {
        panic!("busy")
    };
    assert_eq!(bench.store.lock_provider(&lab, "a", long, 0).await.unwrap(), ProviderLock::Held { generation: first });
    assert_eq!(bench.store.lock_provider(&lab, "b", long, 0).await.unwrap(), ProviderLock::Busy { holder: "a".into() });
    bench.store.unlock_provider(&lab, "b").await.unwrap();
    assert_eq!(bench.store.lock_provider(&lab, "b", long, 0).await.unwrap(), ProviderLock::Busy { holder: "a".into() });
    bench.store.unlock_provider(&lab, "a").await.unwrap();
    let ProviderLock::Held { generation: second } = bench.store.lock_provider(&lab, "b", long, 0).await.unwrap() else {
        panic!("busy")
    };
    assert!(second > first);
    let status = bench.store.provider_status(&lab).await.unwrap();
    assert_eq!((status.holder.as_deref(), status.age), (Some("b"), None));
    bench.store.record_look(&mark(second, 1), 0, None).await.unwrap();
    assert!(bench.store.provider_status(&lab).await.unwrap().age.is_some());
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let _: i64 =
        redis::cmd("HSET").arg(bench.key("epoch")).arg("schema").arg(2).query(&mut bench.redis.conn()).unwrap();
    let error = bench.store.counts(&bench.wine).await.unwrap_err();
    assert!(matches!(error, leasehold::store::StoreError::NewerSchema { found: 2, known: 1 }), "{error:?}");
}

#[tokio::test]
async fn any_number_is_removed_at_once_but_nothing_of_another_provider() {
    let bench = Bench::new();
    let ids: Vec<_> = (0..150).map(|number| id(&format!("c{number:03}"))).collect();
    let all: Vec<_> = ids.iter().map(|id| running(id.as_str())).collect();
    bench.store.observe(&bench.wine, &mark(1, 1), &all).await.unwrap();
    let elsewhere = ObservationMark { provider: "elsewhere".parse().unwrap(), ..mark(1, 1) };
    bench.store.observe(&bench.wine, &elsewhere, &[running("other")]).await.unwrap();
    let mut given = ids.clone();
    given.extend([id("other"), id("nowhere")]);
    // A retry of the same call finds nothing left to do.
    for changed in [150, 0] {
        let removed = bench.store.remove(&bench.wine, &mark(1, 2), &given).await.unwrap();
        assert_eq!(removed, Observed::Taken { changed });
    }
    assert_eq!(bench.members("containers"), ["other"]);
}

#[tokio::test]
async fn what_did_not_change_is_not_written_again() {
    let bench = Bench::new();
    bench.containers(&["one", "two"]).await;
    let all = ["one", "two"].map(running);
    let written = || {
        let info: String = redis::cmd("INFO").arg("commandstats").query(&mut bench.redis.conn()).unwrap();
        let writes = ["set", "zadd", "xadd"].map(|verb| format!("cmdstat_{verb}:"));
        let of_verb = |line: &&str| writes.iter().any(|verb| line.starts_with(verb.as_str()));
        let lines = info.lines().filter(of_verb).filter_map(|line| line.split_once(",usec="));
        lines.map(|(calls, _)| calls.to_owned()).collect::<Vec<_>>()
    };
    let before = written();
    assert_eq!(bench.store.observe(&bench.wine, &mark(1, 2), &all).await.unwrap(), Observed::Taken { changed: 0 });
    assert_eq!(written(), before);
}

#[tokio::test]
async fn what_a_version_before_kept_of_looks_is_dropped() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let mut plant = redis::cmd("ZADD");
    plant.arg(bench.key("seen:lab")).arg(1).arg("one");
    let _: i64 = plant.query(&mut bench.redis.conn()).unwrap();
    bench.store.announce(&bench.wine, &mark(1, 2)).await.unwrap();
    assert!(bench.members("seen:lab").is_empty());
    assert_eq!(bench.members("containers"), ["one"]);
}

#[tokio::test]
async fn a_new_epoch_begins_above_the_last_event_also_when_its_record_was_lost() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let mut connection = bench.redis.conn();
    // As if the clock had stood far ahead then.
    let _: String = redis::cmd("XADD")
        .arg(bench.key("events"))
        .arg("9000000000000-1")
        .arg(&["kind", "container.changed"])
        .query(&mut connection)
        .unwrap();
    let _: i64 = redis::cmd("DEL").arg(bench.key("epoch")).query(&mut connection).unwrap();
    assert_eq!(bench.store.reclaim(&bench.wine).await.unwrap().epoch, 9_000_000_000_001);
    // What its record said may be lost, so it recovers.
    assert!(bench.store.end_recovery(&bench.wine).await.unwrap());
    bench.ready().await;
}

#[tokio::test]
async fn a_lock_from_before_the_clock_was_set_back_is_free() {
    let bench = Bench::new();
    let lab = "lab".parse().unwrap();
    let ttl = std::time::Duration::from_secs(5);
    bench.store.lock_provider(&lab, "dead", std::time::Duration::from_hours(1), 0).await.unwrap();
    let lock = bench.store.lock_provider(&lab, "b", ttl, 0).await.unwrap();
    assert!(matches!(lock, ProviderLock::Held { .. }), "{lock:?}");
    assert!(matches!(bench.store.lock_provider(&lab, "c", ttl, 0).await.unwrap(), ProviderLock::Busy { .. }));
}

#[tokio::test]
async fn case_21_discovery_goes_on_when_memory_is_full() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    let lab = "lab".parse().unwrap();
    let lock = async || {
        let lock = bench.store.lock_provider(&lab, "a", std::time::Duration::from_secs(5), 0).await.unwrap();
        let ProviderLock::Held { generation } = lock else { panic!("busy") };
        generation
    };
    let generation = lock().await;
    let _: String = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("1mb").query(&mut bench.redis.conn()).unwrap();
    assert_eq!(lock().await, generation);
    bench.store.add_types(std::slice::from_ref(&bench.wine)).await.unwrap();
    assert_eq!(
        bench.store.remove(&bench.wine, &mark(generation, 1), &[id("one")]).await.unwrap(),
        Observed::Taken { changed: 1 }
    );
    bench.store.record_look(&mark(generation, 1), 0, None).await.unwrap();
    assert!(bench.store.provider_status(&lab).await.unwrap().age.is_some());
    let beat = bench.store.heartbeat(&bench.wine, None, true, &[Beat::new(session.id, None)]).await.unwrap().remove(0);
    assert!(matches!(beat, leasehold::store::Heartbeat::Ended(_)), "{beat:?}");
}

#[tokio::test]
async fn probes_count_from_the_start_when_they_are_switched_on_again() {
    let bench = Bench::new();
    let seen = async |sequence, probed| {
        let mut one = running("one");
        one.probed = probed;
        bench.store.observe(&bench.wine, &mark(1, sequence), &[one]).await.unwrap();
    };
    seen(1, true).await;
    bench.report("one", 1, Some("connection refused")).await;
    bench.report("one", 1, Some("connection refused")).await;
    seen(2, false).await;
    seen(3, true).await;
    bench.report("one", 1, Some("connection refused")).await;
    assert_eq!(bench.container("one").await.unwrap().pool_state, PoolState::Initializing);
}

/// How many commands Redis has run, those of scripts included.
fn commands(bench: &Bench) -> u64 {
    let info: String = redis::cmd("INFO").arg("commandstats").query(&mut bench.redis.conn()).unwrap();
    let calls = info.lines().filter_map(|line| line.split_once(":calls=")?.1.split(',').next()?.parse::<u64>().ok());
    calls.sum()
}

/// What a session costs from its create to its release, in commands.
async fn session_costs(bench: &Bench) -> u64 {
    const SESSIONS: u64 = 100;
    let before = commands(bench);
    for _ in 0..SESSIONS {
        let session = bench.ready().await;
        let reason = leasehold::model::EndReason::Released;
        bench.store.release(&bench.wine, session.id, None, None, reason).await.unwrap();
    }
    (commands(bench) - before) / SESSIONS
}

/// Every command of these scripts takes O(log n); so does a script that runs as many of them, whatever the pool's size.
/// The times, with a million, are in the benchmark.
#[tokio::test]
async fn case_25_pain_slow_under_contention_an_allocation_runs_as_many_commands_in_a_pool_of_any_size() {
    let bench = Bench::new();
    let names: Vec<String> = (0..20_000).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    bench.containers(&names[..100]).await;
    let in_a_small_one = session_costs(&bench).await;
    for chunk in names.chunks(100) {
        bench.containers(chunk).await;
    }
    assert_eq!(bench.members("available").len(), 20_000);
    let in_a_large_one = session_costs(&bench).await;
    // The clock's tick and the look at the server come now and then.
    assert!(in_a_large_one <= in_a_small_one + 3, "{in_a_small_one} commands, and {in_a_large_one} of 20,000");
}
