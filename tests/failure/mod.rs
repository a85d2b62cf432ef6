//! What is lost, cut, stopped or full.

mod clocks;
mod failover;
mod outage;
mod recovery;
mod retry;

use crate::common::{
    redis::Redis,
    replica::{Replica, Settings, farm},
};

/// What the replicas of these tests sign lease tokens with.
const LEASE_TOKEN_KEY: &str = "a-secret-of-the-tests-with-32-bytes!";

/// A replica that lends so many wine containers, from a Redis at this URL.
async fn replica(redis_url: &str, containers: usize) -> Replica {
    Replica::start_with_available(redis_url, &settings(containers), containers as u64).await
}

fn settings(containers: usize) -> Settings {
    // Their Redis writes to the disk before it answers, or is never restarted.
    short_leases(containers).env("RECOVERY__LOSSLESS", true)
}

fn short_leases(containers: usize) -> Settings {
    Settings::toml(farm("wine", containers)).env("LIMITS__TTL_MIN", "1s")
}

/// How many sessions there are in Redis, whatever any replica knows.
fn sessions(redis: &Redis) -> usize {
    redis::cmd("ZCARD").arg("test:{wine}:sessions").query(&mut redis.conn()).expect("a count")
}
