//! Several replicas, one discoverer.

use std::time::Duration;

use leasehold::{
    model::PoolState,
    store::{ObservationMark, Observed},
};

use super::{Bench, PATIENCE, container_id};
use crate::common::eventually;

async fn holder(bench: &Bench, replica: &str) -> u64 {
    let what = format!("{replica} discovers");
    eventually(&what, PATIENCE, async || {
        let status = bench.status().await;
        (status.holder.as_deref() == Some(replica)).then_some(status.generation)
    })
    .await
}

#[tokio::test]
async fn another_replica_takes_over_when_the_discoverer_dies_or_ends() {
    let bench = Bench::new(|config| config.discovery.lock = Duration::from_secs(1)).await;
    let first = bench.discover("first");
    let of_first = holder(&bench, "first").await;
    let second = bench.discover("second");
    let id = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;
    assert_eq!(bench.status().await.holder.as_deref(), Some("first"));

    first.kill().await;
    let of_second = holder(&bench, "second").await;
    assert!(of_second > of_first);
    bench.engine.remove(&id).await;
    bench.gone(&id).await;

    let third = bench.discover("third");
    second.end().await;
    assert_ne!(bench.status().await.holder.as_deref(), Some("second"), "the lock was not given back");
    assert!(holder(&bench, "third").await > of_second);
    third.end().await;
    assert_eq!(bench.status().await.holder, None);
}

#[tokio::test]
async fn case_35_what_an_older_generation_saw_changes_nothing() {
    let bench = Bench::new(|config| config.discovery.lock = Duration::from_secs(1)).await;
    let target_type = bench.target_type();
    let first = bench.discover("first");
    let old = holder(&bench, "first").await;
    let id = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;
    first.kill().await;
    let second = bench.discover("second");
    holder(&bench, "second").await;
    bench.look().await;

    // What the first would write had it only been stopped, with numbers that nobody has used in its generation.
    let late = ObservationMark { provider: bench.provider.clone(), generation: old, sequence: 1_000_000 };
    assert_eq!(bench.store.remove(&target_type, &late, &[container_id(&id)]).await.unwrap(), Observed::Stale);
    assert!(bench.container(&target_type, &id).await.is_some());
    second.end().await;
}

#[tokio::test]
async fn case_35_a_discoverer_that_lost_its_lock_unnoticed_stops_at_its_next_write() {
    let bench = Bench::discovering(|config| config.discovery.lock = Duration::from_mins(1)).await;
    let target_type = bench.target_type();
    let one = bench.engine.start(bench.engine.target(bench.engine.run())).await;
    bench.container_that("available", &one, |c| c.pool_state == PoolState::Available).await;
    // As a replica does that took the lock meanwhile.
    let newer = bench.status().await.generation + 1;
    let key = format!("{}:provider:{}", bench.config.prefix, bench.provider);
    let until: u64 = redis::cmd("HGET").arg(&key).arg("until").query(&mut bench.redis.conn()).unwrap();
    let _: i64 = redis::cmd("HSET")
        .arg(&key)
        .arg(&[
            ("holder", "newer".to_owned()),
            ("generation", newer.to_string()),
            ("until", (until + 60_000).to_string()),
        ])
        .query(&mut bench.redis.conn())
        .unwrap();
    let mark = ObservationMark { provider: bench.provider.clone(), generation: newer, sequence: 1 };
    bench.store.announce(&target_type, &mark).await.unwrap();
    // The first still hears of this, and may not write it.
    bench.engine.remove(&one).await;
    assert!(!bench.store.ask_for_look(&bench.provider, Duration::from_secs(1)).await.unwrap(), "an old one looked");
    assert_eq!(bench.container(&target_type, &one).await.unwrap().pool_state, PoolState::Available);
    assert_eq!(bench.status().await.holder.as_deref(), Some("newer"));
}

#[tokio::test]
async fn a_container_whose_type_changed_is_never_in_two_types() {
    let mut bench = Bench::new(|_| {}).await;
    let other_label = format!("{}.other", bench.engine.label());
    let other_type = format!("{}-other", bench.engine.run());
    let target = bench.engine.target(bench.engine.run()).label(&other_label, &other_type);
    let id = bench.engine.start(target).await;
    let first = bench.discover("first");
    bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;
    let session = bench.session().await;
    first.end().await;

    // The next run goes by another label.
    bench.config.discovery.label = other_label;
    let second = bench.discover("second");
    let other_type = other_type.parse().unwrap();
    eventually("it is in its new type", PATIENCE, async || bench.container(&other_type, &id).await).await;
    assert!(bench.container(&bench.target_type(), &id).await.is_none());
    assert_eq!(bench.end_of(&session).await, Some(leasehold::model::EndReason::ContainerLost));
    second.end().await;
}
