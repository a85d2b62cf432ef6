//! A static list.

use std::time::Duration;

use leasehold::{
    config::{ProviderConfig, StaticConfig, StaticContainer},
    model::{EndReason, EngineState, PoolState},
};

use super::{Bench, PATIENCE};
use crate::common::eventually;

fn listed(target_type: &str, host: &str, names: &[&str]) -> Vec<ProviderConfig> {
    let container = names.iter().map(|name| StaticContainer {
        name: (*name).to_owned(),
        target_type: target_type.parse().unwrap(),
        host: host.to_owned(),
        ports: [("vnc".to_owned(), 5901)].into(),
    });
    vec![ProviderConfig::Static(StaticConfig { name: "lab".parse().unwrap(), container: container.collect() })]
}

#[tokio::test]
async fn what_is_listed_is_in_the_pool_until_it_is_listed_no_more() {
    let mut bench = Bench::new(|_| {}).await;
    bench.provider = "lab".parse().unwrap();
    let run = bench.engine.run().to_owned();
    bench.config.provider = listed(&run, "127.0.0.1", &["one", "two"]);
    let first = bench.discover("first");
    let two = bench.container_that("listed", "lab.two", |c| c.pool_state == PoolState::Available).await;
    assert_eq!((two.name.as_str(), two.state, two.provider.as_str()), ("two", EngineState::Running, "lab"));
    assert_eq!(two.endpoints["vnc"].address.as_deref(), Some("127.0.0.1:5901"));
    let session = bench.session().await;
    first.end().await;

    bench.config.provider = listed(&run, "127.0.0.2", &["one"]);
    let second = bench.discover("second");
    bench.gone("lab.two").await;
    let one = bench.container(&bench.target_type(), "lab.one").await.unwrap();
    assert_eq!(one.endpoints["vnc"].address.as_deref(), Some("127.0.0.2:5901"));
    // Whichever it had: one is gone, the other is elsewhere.
    assert_eq!(bench.ended(&session).await, EndReason::ContainerLost);
    second.end().await;
}

#[tokio::test]
async fn a_look_is_repeated_at_its_interval() {
    let mut bench = Bench::new(|config| config.discovery.resync = Duration::from_millis(200)).await;
    bench.provider = "lab".parse().unwrap();
    bench.config.provider = listed(bench.engine.run(), "127.0.0.1", &["one"]);
    let discoverer = bench.discover("first");
    bench.container_that("listed", "lab.one", |_| true).await;
    let key = format!("{}:provider:lab", bench.config.prefix);
    let looked = || redis::cmd("HGET").arg(&key).arg("looked").query::<Option<u64>>(&mut bench.redis.conn()).unwrap();
    let first = eventually("a first look", PATIENCE, async || looked()).await;
    eventually("a second look", PATIENCE, async || looked().filter(|at| *at > first)).await;
    discoverer.end().await;
}
