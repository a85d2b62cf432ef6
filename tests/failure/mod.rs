//! What is lost, cut, stopped or full.

mod outage;
mod retry;

use crate::common::{
    redis::Redis,
    replica::{Replica, Settings, farm},
};

/// A replica that lends so many wine containers, from a Redis at this URL.
async fn replica(redis_url: &str, containers: usize) -> Replica {
    Replica::start_with_available(redis_url, &settings(containers), containers as u64).await
}

fn settings(containers: usize) -> Settings {
    Settings::toml(farm("wine", containers)).env("LIMITS__TTL_MIN", "1s")
}

/// How many sessions there are in Redis, whatever any replica knows.
fn sessions(redis: &Redis) -> usize {
    redis::cmd("ZCARD").arg("test:{wine}:sessions").query(&mut redis.conn()).expect("a count")
}
