//! Clocks that are wrong, or are set while everything runs.

use std::time::Duration;

use leasehold::client::{Client, CreateSession};
use secrecy::SecretString;
use serde_json::json;

use super::settings;
use crate::common::{
    clock::Clock,
    eventually,
    redis::Redis,
    replica::{KEY, Replica},
};

/// Two hours each way, one after the other.
const STEPS: [i64; 4] = [7200, 0, -7200, 0];

#[tokio::test]
async fn case_24_the_clocks_of_replicas_have_no_effect() {
    let redis = Redis::start();
    let mut replicas = Vec::new();
    for off in [3600, -3600] {
        let clock = Clock::new();
        clock.set(off);
        let mut settings = settings(2);
        settings.env.extend(clock.env());
        replicas.push((Replica::start_with_available(&redis.url(), &settings, 2).await, clock));
    }
    let [first, second] = [&replicas[0].0, &replicas[1].0].map(Replica::http);
    let made = first.post("/sessions", json!({"target_type": "wine", "ttl_seconds": 2})).await.expect(201);
    let (id, token) = (made.text_at("/id"), made.body["lease"]["fencing_token"].clone());
    for _ in 0..6 {
        for http in [&first, &second] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let path = format!("/sessions/{id}/heartbeat");
            let renewed = http.post(&path, json!({"fencing_token": token})).await.expect(200);
            assert!(renewed.body["lease"]["expires_in_ms"].as_u64().unwrap() > 1500, "{}", renewed.text);
        }
    }
    // Left alone it ends in its time, not an hour off.
    eventually("it ended", Duration::from_secs(10), async || {
        (second.get(&format!("/sessions/{id}")).await.body["end_reason"] == "expired").then_some(())
    })
    .await;
    let next = second.post("/sessions", json!({"target_type": "wine"})).await.expect(201);
    assert!(next.body["lease"]["fencing_token"].as_u64() > token.as_u64());
}

#[tokio::test]
async fn case_24_the_clock_of_redis_steps_and_no_lease_ends_or_is_given_twice() {
    let clock = Clock::new();
    let redis = Redis::unmarked_under(&["--appendonly", "no"], clock.env());
    redis.mark_new();
    let replica = Replica::start_with_available(&redis.url(), &settings(3), 3).await;
    let client = Client::new(&replica.url(), Some(&SecretString::from(KEY))).unwrap();
    let mut request = CreateSession::new("wine".parse().unwrap());
    request.ttl_seconds = Some(3);
    let (first, second) = (client.acquire(&request).await.unwrap(), client.acquire(&request).await.unwrap());
    let http = replica.http();
    let mut highest = 0;
    for step in STEPS {
        clock.set(step);
        let stepped = || -> i64 {
            let (seconds, _): (i64, i64) = redis::cmd("TIME").query(&mut redis.conn()).unwrap();
            seconds - jiff::Timestamp::now().as_second()
        };
        eventually("the clock has stepped", Duration::from_secs(10), async || {
            ((stepped() - step).abs() < 60).then_some(())
        })
        .await;
        // The third one goes from hand to hand; the others stay where they are.
        for _ in 0..20 {
            let made = http.post("/sessions", json!({"target_type": "wine", "ttl_seconds": 5})).await.expect(201);
            let token = made.body["lease"]["fencing_token"].as_u64().unwrap();
            assert!(token > highest, "after the step to {step} s the token went from {highest} to {token}");
            highest = token;
            let refused = http.post("/sessions", json!({"target_type": "wine"})).await;
            refused.problem(503, "no_available_containers");
            http.delete(&format!("/sessions/{}", made.text_at("/id"))).await.expect(200);
        }
        for guard in [&first, &second] {
            assert!(guard.held_until().is_some(), "a lease was lost at the step to {step} s");
        }
    }
    first.release().await.unwrap();
    second.release().await.unwrap();
}
