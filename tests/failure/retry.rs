//! Answers that got lost: the retry means the same session.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{replica, sessions};
use crate::common::{eventually, redis::Redis, wire::Wire};

#[tokio::test]
async fn case_03_pain_the_reply_was_lost_a_replica_killed_before_its_answer_left_and_the_retry_gets_the_same_session() {
    let redis = Redis::start();
    let wire = Wire::to_tcp(redis.address()).await;
    let mut first = replica(&format!("redis://{}", wire.at()), 2).await;
    let second = replica(&redis.url(), 2).await;
    // The scripts are known to Redis, so that the next call is the only one.
    let warm = first.http().post("/sessions", json!({"target_type": "wine"})).await.expect(201);
    first.http().delete(&format!("/sessions/{}", warm.text_at("/id"))).await.expect(200);
    // Only the script that makes the session carries the metadata.
    wire.mute_at("the-lost-one");
    let body = json!({"target_type": "wine", "metadata": {"job": "the-lost-one"}});
    let lost = tokio::spawn({
        let (http, body) = (first.http(), body.clone());
        async move { http.try_call(Method::POST, "/sessions", Some(body), &[("Idempotency-Key", "job")]).await }
    });
    eventually("the script ran", Duration::from_secs(5), async || (sessions(&redis) == 1).then_some(())).await;
    first.kill();
    assert!(lost.await.unwrap().is_err(), "the answer left all the same");

    let http = second.http();
    let retried = http.post_with_key("/sessions", body, "job").await.expect(201);
    assert_eq!(retried.header("idempotency-replayed"), "true");
    assert_eq!(sessions(&redis), 1);
    assert_eq!(http.get("/containers/status").await.body["available"], 1);
}

#[tokio::test]
async fn case_18_a_paused_redis_makes_time_outs_and_the_retries_one_session_each() {
    let redis = Redis::start();
    let replicas = [replica(&redis.url(), 8).await, replica(&redis.url(), 8).await];
    redis.pause();
    let create = |number: usize, replica: usize| {
        let http = replicas[replica].http();
        async move { http.post_with_key("/sessions", json!({"target_type": "wine"}), &format!("job-{number}")).await }
    };
    for answer in join_all((0..8).map(|number| create(number, number % 2))).await {
        let problem = answer.problem(503, "redis_unavailable");
        assert_eq!(problem.header("retry-after"), "1");
    }
    redis.resume();
    // What timed out may have been executed: the retry, on the other replica, means the same session.
    let mut ids = std::collections::BTreeSet::new();
    for number in 0..8 {
        let made = eventually("a session", Duration::from_secs(10), async || {
            let answer = create(number, (number + 1) % 2).await;
            (answer.status == 201).then_some(answer)
        })
        .await;
        ids.insert(made.text_at("/id"));
    }
    assert_eq!((ids.len(), sessions(&redis)), (8, 8));
}

#[tokio::test]
async fn case_17_no_request_fails_when_scripts_are_flushed_under_load() {
    let redis = Redis::start();
    let replica = replica(&redis.url(), 4).await;
    let workers = (0..4).map(|_| {
        let http = replica.http();
        tokio::spawn(async move {
            for _ in 0..60 {
                let id = http.post("/sessions", json!({"target_type": "wine"})).await.expect(201).text_at("/id");
                http.post(&format!("/sessions/{id}/heartbeat"), json!({})).await.expect(200);
                http.get("/containers").await.expect(200);
                http.delete(&format!("/sessions/{id}")).await.expect(200);
            }
        })
    });
    let workers = join_all(workers);
    let (done, mut ended) = tokio::sync::watch::channel(false);
    let flush = async {
        let mut flushes = 0;
        while !*ended.borrow_and_update() {
            let _: String = redis::cmd("SCRIPT").arg("FLUSH").query(&mut redis.conn()).unwrap();
            flushes += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        flushes
    };
    let load = async {
        let results = workers.await;
        done.send_replace(true);
        results
    };
    let (results, flushes) = tokio::join!(load, flush);
    for result in results {
        result.unwrap();
    }
    assert!(flushes > 5, "only {flushes} flushes");
}
