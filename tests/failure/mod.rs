//! What is lost, cut, stopped or full.

mod clocks;
mod failover;
mod outage;
mod recovery;
mod retry;

use std::time::Duration;

use serde_json::json;

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

/// The longest lease where a test waits for the end of a recovery.
const LONGEST: Duration = Duration::from_secs(6);

/// Replicas that recover after a loss, in a time that a test can wait for.
fn recovering(containers: usize) -> Settings {
    short_leases(containers)
        .env("RECOVERY__LONGEST_LEASE", format!("{}s", LONGEST.as_secs()))
        .env("RECOVERY__LAG", "0s")
        .env("LEASE_TOKENS__KEYS", json!([LEASE_TOKEN_KEY]))
}

/// How many sessions there are in Redis, whatever any replica knows.
fn sessions(redis: &Redis) -> usize {
    redis::cmd("ZCARD").arg("test:{wine}:sessions").query(&mut redis.conn()).expect("a count")
}
