//! A primary that becomes a replica under open connections.

use std::time::Duration;

use serde_json::json;

use super::{give_back, hold, renew, replica};
use crate::common::{eventually, redis::Redis};

fn replicate(redis: &Redis, of: [&str; 2]) {
    let _: String = redis::cmd("REPLICAOF").arg(&of).query(&mut redis.conn()).unwrap();
}

#[tokio::test]
async fn case_28_a_demoted_primary_is_not_believed_and_needs_no_restart_when_it_is_back() {
    let (redis, other) = (Redis::start(), Redis::start());
    let replica = replica(&redis.url(), 2).await;
    let http = replica.http();
    let id = hold(&http, "wine", "kept").await.text_at("/id");
    replicate(&other, ["127.0.0.1", &redis.address().port().to_string()]);
    eventually("in step", Duration::from_secs(20), async || (other.info("master_link_status") == "up").then_some(()))
        .await;
    replicate(&other, ["NO", "ONE"]);
    // The open connections stay; it answers reads, and what it answers may be old.
    replicate(&redis, ["127.0.0.1", &other.address().port().to_string()]);
    for _ in 0..3 {
        http.post(&format!("/sessions/{id}/heartbeat"), json!({})).await.problem(503, "redis_unavailable");
        http.post("/sessions", json!({"target_type": "wine"})).await.problem(503, "redis_unavailable");
        http.get("/readyz").await.problem(503, "redis_unavailable");
    }
    replicate(&redis, ["NO", "ONE"]);
    eventually("ready again", Duration::from_secs(10), async || {
        (http.get("/readyz").await.status == 200).then_some(())
    })
    .await;
    renew(&http, &id).await;
    give_back(&http, &id).await;
}
