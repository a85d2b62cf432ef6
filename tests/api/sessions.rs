//! Create, read, list, heartbeat, release; replay by `Idempotency-Key`.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

use super::{Service, ready, wine};
use crate::common::eventually;

#[tokio::test]
async fn a_session_is_made_renewed_and_given_back() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let made = http
        .post("/sessions", json!({"target_type": "wine", "ttl_seconds": 30, "metadata": {"job": 7}}))
        .await
        .expect(201);
    let id = made.text_at("/id");
    assert_eq!(made.header("location"), format!("/sessions/{id}"));
    assert_eq!(made.body["state"], "ready");
    assert_eq!(made.body["owner"], "admin");
    assert_eq!(made.body["metadata"], json!({"job": 7}));
    assert_eq!(made.body["container"]["endpoints"]["vnc"]["address"], "127.0.0.1:5901");
    assert_eq!(made.body["container"]["allocated_to"], id.as_str());
    let lease = &made.body["lease"];
    assert_eq!((&lease["ttl_seconds"], &lease["heartbeat_interval_seconds"]), (&json!(30), &json!(10)));
    let token = lease["fencing_token"].as_u64().unwrap();

    let renewed = http.post(&format!("/sessions/{id}/heartbeat"), json!({"fencing_token": token})).await.expect(200);
    assert!(renewed.body["lease"]["expires_in_ms"].as_u64().unwrap() > 29_000);
    http.post(&format!("/sessions/{id}/heartbeat"), json!({"fencing_token": token - 1}))
        .await
        .problem(409, "stale_fencing_token");
    let stale = http.delete(&format!("/sessions/{id}?fencing_token={}", token - 1)).await;
    assert_eq!(stale.problem(409, "stale_fencing_token").body["fencing_token"], token);

    let first = http.delete(&format!("/sessions/{id}?fencing_token={token}")).await.expect(200);
    assert_eq!((&first.body["state"], &first.body["end_reason"]), (&json!("ended"), &json!("released")));
    let again = http.delete(&format!("/sessions/{id}/hard")).await.expect(200);
    assert_eq!(again.body, first.body);
    let late = http.post(&format!("/sessions/{id}/heartbeat"), json!({})).await.problem(410, "session_ended");
    assert_eq!(late.body["end_reason"], "released");
    assert_eq!(http.get("/containers/status").await.body["available"], 1);
}

#[tokio::test]
async fn pain_locks_with_no_ttl_a_lease_that_nobody_renews_ends_by_itself() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let made = http.post("/sessions", json!({"target_type": "wine", "ttl_seconds": 5})).await.expect(201);
    let id = made.text_at("/id");
    http.post("/sessions", wine()).await.problem(503, "no_available_containers");
    eventually("its end", Duration::from_secs(10), || async {
        let now = http.get(&format!("/sessions/{id}")).await.expect(200);
        (now.body["end_reason"] == "expired").then_some(())
    })
    .await;
    ready(&http).await;
}

#[tokio::test]
async fn case_04_the_same_key_at_the_same_moment_on_two_replicas_is_one_session() {
    let service = Service::start(2, 8).await;
    let (one, two) = (service.replicas[0].http(), service.replicas[1].http());
    for round in 0..20 {
        let key = format!("job-{round}");
        let (a, b) =
            tokio::join!(one.post_with_key("/sessions", wine(), &key), two.post_with_key("/sessions", wine(), &key));
        let (a, b) = (a.expect(201), b.expect(201));
        assert_eq!(a.text_at("/id"), b.text_at("/id"));
        assert_eq!(a.body["container"]["id"], b.body["container"]["id"]);
        let replayed = [&a, &b].iter().filter(|one| one.header("idempotency-replayed") == "true").count();
        assert_eq!(replayed, 1);
        assert_eq!(one.get("/containers/status").await.body["allocated"], 1);
        one.delete(&format!("/sessions/{}", a.text_at("/id"))).await.expect(200);
    }
}

#[tokio::test]
async fn case_05_the_same_key_with_another_body_is_refused_and_changes_nothing() {
    let service = Service::start(1, 2).await;
    let http = service.http();
    let made =
        http.post_with_key("/sessions", json!({"target_type": "wine", "ttl_seconds": 30}), "job").await.expect(201);
    http.post_with_key("/sessions", wine(), "job").await.problem(422, "idempotency_key_reused");
    assert_eq!(http.get("/containers/status").await.body["allocated"], 1);
    // The order of fields is no other body.
    let again = http.raw(reqwest::Method::POST, "/sessions").header("Idempotency-Key", "job");
    let again = again.header("Content-Type", "application/json").body(r#"{"ttl_seconds": 30, "target_type": "wine"}"#);
    let again = crate::common::http::read(again.send().await.unwrap()).await.unwrap().expect(201);
    assert_eq!(again.text_at("/id"), made.text_at("/id"));
    // After its end the key still means this session.
    http.delete(&format!("/sessions/{}", made.text_at("/id"))).await.expect(200);
    let gone = http.post_with_key("/sessions", json!({"target_type": "wine", "ttl_seconds": 30}), "job").await;
    gone.problem(410, "session_ended");
}

#[tokio::test]
async fn a_shortage_is_not_remembered_for_its_key() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let (holder, _) = ready(&http).await;
    let refused = http.post_with_key("/sessions", wine(), "job").await.problem(503, "no_available_containers");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.body["detail"], "No available wine containers");
    http.delete(&format!("/sessions/{holder}")).await.expect(200);
    http.post_with_key("/sessions", wine(), "job").await.expect(201);
}

#[tokio::test]
async fn many_heartbeats_are_answered_in_their_order() {
    let service = Service::start(1, 3).await;
    let http = service.http();
    let (first, answer) = ready(&http).await;
    let (second, _) = ready(&http).await;
    let token = answer.body["lease"]["fencing_token"].as_u64().unwrap();
    http.delete(&format!("/sessions/{second}")).await.expect(200);
    let nobody = "0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10";
    let body = json!({"heartbeats": [
        {"session_id": nobody}, {"session_id": first, "fencing_token": token}, {"session_id": second},
        {"session_id": first, "fencing_token": 1}]});
    let answer = http.post("/sessions/heartbeats", body).await.expect(200);
    let results = answer.body["results"].as_array().unwrap();
    let codes: Vec<_> = results.iter().map(|one| one["problem"]["code"].as_str().unwrap_or("renewed")).collect();
    assert_eq!(codes, ["session_not_found", "renewed", "session_ended", "stale_fencing_token"]);
    assert_eq!(results[1]["session"]["id"], first.as_str());

    let many: Vec<_> = (0..1001).map(|_| json!({"session_id": nobody})).collect();
    http.post("/sessions/heartbeats", json!({"heartbeats": many})).await.problem(422, "out_of_range");
    let most: Vec<_> = (0..1000).map(|_| json!({"session_id": first, "fencing_token": token})).collect();
    let answer = http.post("/sessions/heartbeats", json!({"heartbeats": most})).await.expect(200);
    assert_eq!(answer.body["results"].as_array().unwrap().len(), 1000);
}

#[tokio::test]
async fn sessions_are_listed_page_by_page() {
    let service = Service::start(1, 5).await;
    let http = service.http();
    let mut made = BTreeSet::new();
    for _ in 0..5 {
        made.insert(ready(&http).await.0);
    }
    let mut seen = BTreeSet::new();
    let mut path = "/sessions/?limit=2".to_owned();
    for page in 1.. {
        let answer = http.get(&path).await.expect(200);
        let items = answer.body.as_array().expect("an array");
        assert!(items.len() <= 2);
        for item in items {
            assert!(seen.insert(item["id"].as_str().unwrap().to_owned()), "listed twice");
        }
        let link = answer.header("link");
        if link.is_empty() {
            break;
        }
        assert!(link.ends_with("; rel=\"next\""), "{link}");
        path = link[1..link.find('>').unwrap()].to_owned();
        assert!(page < 10, "the pages do not end");
    }
    assert_eq!(seen, made);

    let ended = made.pop_first().unwrap();
    http.delete(&format!("/sessions/{ended}")).await.expect(200);
    let ids = async |path: &str| -> Vec<String> {
        let answer = http.get(path).await.expect(200);
        answer.body.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("/sessions").await.len(), 4);
    assert_eq!(ids("/sessions?include_ended=true").await.len(), 5);
    assert_eq!(ids("/sessions?state=ended&target_type=wine").await, [ended]);
}

#[tokio::test]
async fn one_container_is_taken_by_its_id_or_not_at_all() {
    let service = Service::start(1, 2).await;
    let http = service.http();
    let body = json!({"target_type": "wine", "container_id": "farm.wine-2"});
    let made = http.post("/sessions", body.clone()).await.expect(201);
    assert_eq!(made.text_at("/container/id"), "farm.wine-2");
    http.post("/sessions", body).await.problem(409, "container_unavailable");
}

#[tokio::test]
async fn a_session_that_must_be_confirmed_ends_when_it_is_not() {
    let service = Service::start_with(1, 1, |settings| settings.env("LIMITS__CONFIRM", "1s")).await;
    let http = service.http();
    let made = http.post("/sessions", json!({"target_type": "wine", "confirm": true})).await.expect(201);
    eventually("its end", Duration::from_secs(5), || async {
        let now = http.get(&format!("/sessions/{}", made.text_at("/id"))).await.expect(200);
        (now.body["end_reason"] == "unconfirmed").then_some(())
    })
    .await;
    let made = http.post("/sessions", json!({"target_type": "wine", "confirm": true})).await.expect(201);
    let renewed = http.post(&format!("/sessions/{}/heartbeat", made.text_at("/id")), json!({})).await.expect(200);
    assert!(renewed.body["lease"]["expires_in_ms"].as_u64().unwrap() > 50_000);
}
