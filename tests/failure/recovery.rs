//! What a loss of Redis means to clients and operators.

use std::time::{Duration, Instant};

use leasehold::client::{Client, CreateSession};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{LONGEST, recovering as settings};
use crate::common::{
    eventually,
    http::Http,
    redis::Redis,
    replica::{KEY, Replica},
};

async fn start(redis: &Redis, containers: u64) -> Replica {
    Replica::start_with_available(&redis.url(), &settings(containers as usize), containers).await
}

async fn make(http: &Http, ttl: u64) -> Value {
    http.post("/sessions", json!({"target_type": "wine", "ttl_seconds": ttl})).await.expect(201).body
}

async fn wine(http: &Http) -> Value {
    http.get("/containers/status").await.body["by_type"]["wine"].clone()
}

/// Until a recovery goes on.
async fn recovers(http: &Http) {
    eventually("a recovery", Duration::from_secs(10), async || wine(http).await["recovery"].is_object().then_some(()))
        .await;
}

async fn available(http: &Http, count: u64) {
    eventually("available again", LONGEST * 3, async || (wine(http).await["available"] == count).then_some(())).await;
}

fn flush(redis: &Redis) {
    let _: String = redis::cmd("FLUSHALL").query(&mut redis.conn()).unwrap();
}

/// Sends a heartbeat with what the session's last answer said.
async fn beat(http: &Http, session: &Value, with_proof: bool) -> crate::common::http::Answer {
    let lease = &session["lease"];
    let mut body = json!({"fencing_token": lease["fencing_token"]});
    if with_proof {
        body["lease_token"] = lease["lease_token"].clone();
    }
    let id = session["id"].as_str().expect("an id");
    http.post(&format!("/sessions/{id}/heartbeat"), body).await
}

#[tokio::test]
async fn case_32_after_a_flush_holders_prove_their_leases_and_the_rest_waits() {
    let redis = Redis::start();
    // The second one remembers nothing of the sessions: only their tokens can prove them.
    let (first, second) = (start(&redis, 3).await, Replica::start(&redis.url(), &settings(3)));
    let (mut first, http) = (first, second.http());
    let (held, proven) = (make(&first.http(), 5).await, make(&first.http(), 5).await);
    first.kill();
    flush(&redis);
    recovers(&http).await;

    // Nothing is given out, and the answer says why.
    let refused = http.post("/sessions", json!({"target_type": "wine"})).await.problem(503, "recovering");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() <= LONGEST.as_secs());
    assert!(refused.text.contains("when the recovery ends"), "{}", refused.text);
    let id = held["id"].as_str().unwrap();
    http.get(&format!("/sessions/{id}")).await.problem(503, "recovering");
    let ready = http.get("/readyz").await.expect(200);
    assert_eq!(ready.body["recovering"], json!(["wine"]));
    let metrics = http.get("/metrics").await.text;
    assert!(metrics.contains("leasehold_recovering{target_type=\"wine\"} 1\n"), "{metrics}");

    // A proof is asked for, checked, and believed.
    beat(&http, &held, false).await.problem(409, "lease_token_required");
    let mut forged = held.clone();
    forged["lease"]["lease_token"] = json!("v1.bm90aGluZw.bm90aGluZw");
    beat(&http, &forged, true).await.problem(422, "invalid_lease_token");
    let mut swapped = held.clone();
    swapped["lease"]["lease_token"] = proven["lease"]["lease_token"].clone();
    beat(&http, &swapped, true).await.problem(422, "invalid_lease_token");
    let renewed = beat(&http, &proven, true).await.expect(200).body;
    assert_eq!(renewed["lease"]["fencing_token"], proven["lease"]["fencing_token"]);
    eventually("its container is found", Duration::from_secs(10), async || {
        let renewed = beat(&http, &renewed, true).await.expect(200);
        (renewed.body["container"]["id"] == proven["container"]["id"]).then_some(())
    })
    .await;
    // Many at once: each says what is wanted.
    let results = http
        .post(
            "/sessions/heartbeats",
            json!({"heartbeats": [
                {"session_id": held["id"]},
                {"session_id": held["id"], "lease_token": held["lease"]["lease_token"]},
                {"session_id": proven["id"]},
            ]}),
        )
        .await
        .expect(200);
    assert_eq!(results.body["results"][0]["problem"]["code"], "lease_token_required");
    assert_eq!(results.body["results"][1]["session"]["state"], "ready", "{}", results.text);
    assert_eq!(results.body["results"][2]["session"]["state"], "ready", "{}", results.text);

    assert_eq!(wine(&http).await["held"], 1);
    // At its end everything is there: what was not renewed has ended, and nothing was given twice.
    available(&http, 3).await;
}

#[tokio::test]
async fn case_32_under_load_no_holder_loses_its_container_and_no_container_gets_two() {
    let redis = Redis::start();
    let replica = start(&redis, 10).await;
    let client = Client::new(&replica.url(), Some(&SecretString::from(KEY))).unwrap();
    let mut request = CreateSession::new("wine".parse().unwrap());
    request.ttl_seconds = Some(3);
    let mut guards = Vec::new();
    for _ in 0..5 {
        guards.push(client.acquire(&request).await.unwrap());
    }
    let http = replica.http();
    for _ in 0..2 {
        flush(&redis);
        recovers(&http).await;
        // Others try all the time, and get only what nobody has.
        let mut got = Vec::new();
        let until = Instant::now() + LONGEST + Duration::from_secs(2);
        while Instant::now() < until {
            let answer = http.post("/sessions", json!({"target_type": "wine", "ttl_seconds": 60})).await;
            match answer.status {
                201 => got.push(answer.body),
                _ => {
                    answer.problem(503, if got.is_empty() { "recovering" } else { "no_available_containers" });
                }
            }
        }
        assert_eq!(got.len(), 5, "what nobody holds is given out at the end");
        for guard in &guards {
            assert!(guard.held_until().is_some(), "{:?} lost its lease", guard.session().id);
            let container = &guard.session().container.as_ref().unwrap().id;
            assert!(got.iter().all(|other| other["container"]["id"] != container.as_str()), "{container} has two");
        }
        for other in got {
            http.delete(&format!("/sessions/{}", other["id"].as_str().unwrap())).await.expect(200);
        }
    }
    for guard in guards {
        guard.release().await.unwrap();
    }
}

#[tokio::test]
async fn a_replica_replays_what_it_granted_though_no_client_proves_it() {
    let redis = Redis::start();
    let replica = start(&redis, 1).await;
    let http = replica.http();
    let session = make(&http, 60).await;
    flush(&redis);
    let id = session["id"].as_str().unwrap();
    eventually("replayed", Duration::from_secs(10), async || {
        (http.get(&format!("/sessions/{id}")).await.body["state"] == "ready").then_some(())
    })
    .await;
    http.delete(&format!("/sessions/{id}")).await.expect(200);
    assert!(replica.log().contains("replayed what this replica lately granted"), "{}", replica.log());
}

#[tokio::test]
async fn case_19_what_a_kill_of_redis_loses_is_what_the_documents_say() {
    // Nothing is lost where each write is on the disk before it is answered.
    let mut redis = Redis::durable();
    let lossless = settings(3).env("RECOVERY__LOSSLESS", true);
    let replica = Replica::start_with_available(&redis.url(), &lossless, 3).await;
    let http = replica.http();
    let session = make(&http, 60).await;
    redis.restart();
    eventually("given out again", Duration::from_secs(10), async || {
        (http.post("/sessions", json!({"target_type": "wine", "ttl_seconds": 60})).await.status == 201).then_some(())
    })
    .await;
    assert!(wine(&http).await["recovery"].is_null());
    beat(&http, &session, false).await.expect(200);
    drop(replica);

    // Up to the last second is lost where it is written each second: nothing is given out until what was is known.
    let mut redis = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let replica = start(&redis, 3).await;
    let http = replica.http();
    let session = make(&http, 60).await;
    redis.restart();
    recovers(&http).await;
    http.post("/sessions", json!({"target_type": "wine"})).await.problem(503, "recovering");
    beat(&http, &session, true).await.expect(200);
    available(&http, 2).await;
    beat(&http, &session, true).await.expect(200);
}

#[tokio::test]
async fn a_redis_that_nobody_marked_as_new_is_a_loss_until_an_operator_says_otherwise() {
    let redis = Redis::unmarked(&[]);
    let replica = Replica::start(&redis.url(), &settings(1).env("RECOVERY__LONGEST_LEASE", "1h"));
    let http = replica.http();
    recovers(&http).await;
    http.post("/recovery", json!({"assume_none": false})).await.problem(422, "out_of_range");
    let ended = http.post("/recovery", json!({"assume_none": true})).await.expect(200);
    assert_eq!(ended.body, json!({"ended": ["wine"]}));
    eventually("available", Duration::from_secs(5), async || (wine(&http).await["available"] == 1).then_some(())).await;
    make(&http, 60).await;
}

#[tokio::test]
async fn a_generation_from_before_the_clock_was_set_back_ends_no_discovery() {
    let redis = Redis::start();
    // What a discoverer of before wrote after the provider's record was lost: a day ahead of the clock.
    let ahead = jiff::Timestamp::now().as_millisecond() + 86_400_000;
    let mut plant = redis::cmd("HSET");
    plant.arg("test:{wine}:observers").arg("farm:generation").arg(ahead).arg("farm:sequence").arg(1);
    let _: i64 = plant.query(&mut redis.conn()).unwrap();
    start(&redis, 2).await;
}
