//! How replicas reach Redis: by Sentinel, in a cluster, over TLS, as an ACL user, and past a demoted primary.

mod access;
mod cluster;
mod demoted;
mod replicated;
mod sentinel;

use std::time::Duration;

use serde_json::json;

use crate::common::{
    eventually,
    http::{Answer, Http},
    replica::{Replica, Settings, farm},
};

/// A replica that lends so many wine containers.
async fn replica(url: &str, containers: usize) -> Replica {
    Replica::start_with_available(url, &settings(containers), containers as u64).await
}

fn settings(containers: usize) -> Settings {
    // Where a test loses a server it has waited for the replication.
    Settings::toml(farm("wine", containers)).env("RECOVERY__LOSSLESS", true)
}

/// A session, as soon as one is to be had; a retry means the same one.
async fn hold(http: &Http, target_type: &str, key: &str) -> Answer {
    eventually("a session", Duration::from_secs(30), async || {
        let answer = http.post_with_key("/sessions", json!({"target_type": target_type}), key).await;
        served(answer, 201)
    })
    .await
}

async fn renew(http: &Http, id: &str) {
    eventually("a renewal", Duration::from_secs(30), async || {
        served(http.post(&format!("/sessions/{id}/heartbeat"), json!({})).await, 200)
    })
    .await;
}

async fn give_back(http: &Http, id: &str) {
    eventually("a release", Duration::from_secs(30), async || {
        served(http.delete(&format!("/sessions/{id}")).await, 200)
    })
    .await;
}

/// The answer, or nothing while Redis is away: any other answer is wrong.
fn served(answer: Answer, status: u16) -> Option<Answer> {
    if answer.status == 503 {
        assert_eq!((answer.text_at("/code").as_str(), answer.header("retry-after")), ("redis_unavailable", "1"));
        return None;
    }
    Some(answer.expect(status))
}
