//! The primary changes: the replicas follow it.

use std::time::Duration;

use super::{give_back, hold, renew, replica};
use crate::common::{eventually, replica::Replica, sentinel::Watched};

/// Waits until a replica has turned to the primary. Until then it serves from the old one, and what that answers is lost.
async fn turned(replica: &Replica, redis: &mut Watched) {
    let primary = format!("\"primaries\":\"{}\"", redis.primary().address());
    eventually("the replica turns to the new primary", Duration::from_secs(10), async || {
        replica.log().contains(&primary).then_some(())
    })
    .await;
}

/// A primary and a replica of it that are in step, and a session that is held.
async fn held() -> (Watched, Replica, String) {
    let mut redis = Watched::start(1, &["--appendonly", "no"]).await;
    let replica = replica(&redis.url(), 2).await;
    let id = hold(&replica.http(), "wine", "kept").await.text_at("/id");
    let in_step: i64 = redis::cmd("WAIT").arg(1).arg(5000).query(&mut redis.primary().conn()).unwrap();
    assert_eq!(in_step, 1);
    (redis, replica, id)
}

#[tokio::test]
async fn the_primary_is_asked_of_the_sentinels_and_followed_through_a_failover() {
    let mut redis = Watched::start(1, &["--appendonly", "no"]).await;
    let replicas = [replica(&redis.url(), 2).await, replica(&redis.url(), 2).await];
    let http = replicas[0].http();
    let id = hold(&http, "wine", "kept").await.text_at("/id");
    for replica in &replicas {
        assert!(replica.log().contains("min-replicas-to-write to 1"), "{}", replica.log());
    }
    redis.failover().await;
    for replica in &replicas {
        turned(replica, &mut redis).await;
        renew(&replica.http(), &id).await;
    }
    give_back(&http, &id).await;
    let other = hold(&replicas[1].http(), "wine", "after").await.text_at("/id");
    give_back(&http, &other).await;
}

#[tokio::test]
async fn a_primary_that_is_killed_is_replaced_without_a_restart() {
    let (mut redis, replica, id) = held().await;
    let (http, before) = (replica.http(), redis.primary_port());
    redis.primary().kill();
    redis.switched(before).await;
    turned(&replica, &mut redis).await;
    renew(&http, &id).await;
    give_back(&http, &id).await;
}

#[tokio::test]
async fn a_primary_that_stops_answering_is_left_and_not_gone_back_to() {
    let (mut redis, replica, id) = held().await;
    let (http, before) = (replica.http(), redis.primary_port());
    redis.primary().pause();
    redis.switched(before).await;
    turned(&replica, &mut redis).await;
    renew(&http, &id).await;
    // It comes back and still thinks that it is the primary, until a sentinel tells it otherwise.
    redis.server(before).resume();
    for _ in 0..50 {
        renew(&http, &id).await;
    }
    let leases: u64 = redis::cmd("ZCARD").arg("test:{wine}:leases").query(&mut redis.primary().conn()).unwrap();
    assert_eq!(leases, 1);
    give_back(&http, &id).await;
}
