//! What a key and an owner may have: quotas, rates, idle limits; and that nothing of what failed stays behind.

use std::time::Duration;

use serde_json::json;

use super::{Service, auth::key, ready, wine};
use crate::common::{eventually, http::Http};

/// One replica with a key `limited` of the owner `limited`, which has these limits.
async fn limited(containers: usize, limits: &str) -> (Service, Http) {
    let entry = format!("{}{limits}\n", key("limited", "limited", "client"));
    let service = Service::start_with(1, containers, |mut settings| {
        settings.toml.push_str(&entry);
        settings
    })
    .await;
    let http = service.http().with_key(Some("limited"));
    (service, http)
}

#[tokio::test]
async fn a_quota_is_named_and_says_when_to_try_again() {
    let (service, http) = limited(3, "sessions_max = 2\ntickets_max = 1").await;
    let (first, _) = ready(&http).await;
    let body = json!({"target_type": "wine", "metadata": {"job": 1}});
    let second = http.post_with_key("/sessions", body.clone(), "second").await.expect(201);
    let refused = http.post("/sessions", wine()).await.problem(429, "quota_exceeded");
    assert_eq!((refused.body["quota"].as_str(), refused.header("retry-after")), (Some("sessions_max"), "1"));
    assert!(refused.text_at("/detail").contains("sessions_max = 2"), "{}", refused.text);
    http.post("/containers/wine/allocate?session_id=job", json!({})).await.problem(429, "quota_exceeded");
    // What is there already is never refused.
    let again = http.post_with_key("/sessions", body, "second").await.expect(201);
    assert_eq!(again.text_at("/id"), second.text_at("/id"));
    // Nor are others.
    let (_, _) = ready(&service.http()).await;

    http.delete(&format!("/sessions/{first}")).await.expect(200);
    let (_, _) = ready(&service.http()).await;
    let queue = json!({"target_type": "wine", "on_shortage": "queue"});
    http.post("/sessions", queue.clone()).await.expect(202);
    http.post("/sessions", queue).await.problem(429, "quota_exceeded");
}

#[tokio::test]
async fn a_full_line_is_429_and_says_when_to_try_again() {
    let service = Service::start_with(1, 1, |settings| settings.env("LIMITS__LINE_MAX", 1)).await;
    let http = service.http();
    ready(&http).await;
    let queue = json!({"target_type": "wine", "on_shortage": "queue"});
    http.post("/sessions", queue.clone()).await.expect(202);
    let full = http.post("/sessions", queue).await.problem(429, "line_full");
    assert_eq!(full.header("retry-after"), "1");
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_refused_but_may_keep_and_end_what_it_has() {
    let (service, http) = limited(1, "rate_per_second = 1\nburst = 3").await;
    let (id, _) = ready(&http).await;
    let mut refused = None;
    for _ in 0..50 {
        let answer = http.get("/containers/status").await;
        if answer.status != 200 {
            refused = Some(answer.problem(429, "rate_limited"));
            break;
        }
    }
    let refused = refused.expect("fifty reads at one a second");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    for _ in 0..20 {
        http.post(&format!("/sessions/{id}/heartbeat"), json!({})).await.expect(200);
    }
    http.post("/sessions/heartbeats", json!({"heartbeats": [{"session_id": id}]})).await.expect(200);
    // Each key has its own.
    for _ in 0..20 {
        service.http().get("/containers/status").await.expect(200);
    }
    http.delete(&format!("/sessions/{id}")).await.expect(200);
}

#[tokio::test]
async fn pain_idle_expiry_a_heartbeat_warns_of_the_end_and_activity_puts_it_off() {
    let service = Service::start_with(1, 1, |settings| settings.env("LIMITS__IDLE_MAX", "8s")).await;
    let http = service.http();
    let (id, made) = ready(&http).await;
    assert_eq!(made.body["warnings"], json!([]));
    let beat = async |active: bool| http.post(&format!("/sessions/{id}/heartbeat"), json!({"active": active})).await;
    let warned = async || {
        eventually("a warning", Duration::from_secs(20), || async {
            let warnings = beat(false).await.expect(200).body["warnings"].clone();
            (warnings != json!([])).then_some(warnings)
        })
        .await
    };
    let warnings = warned().await;
    assert_eq!(warnings[0]["reason"], "idle");
    assert!(warnings[0]["ends_in_ms"].as_u64().unwrap() <= 4000, "{warnings}");
    assert_eq!(beat(true).await.expect(200).body["warnings"], json!([]));
    warned().await;
    eventually("its end", Duration::from_secs(20), || async { (beat(false).await.status == 410).then_some(()) }).await;
    assert_eq!(beat(false).await.problem(410, "session_ended").body["end_reason"], "idle");
}

#[tokio::test]
async fn a_session_tells_what_is_known_of_its_activity() {
    let service = Service::start_with(2, 2, |settings| settings.env("LIMITS__TICKET_LIFE", "60s")).await;
    let (http, other) = (service.replicas[0].http(), service.replicas[1].http());
    let (id, made) = ready(&http).await;
    let nothing =
        json!({"last_active_at": null, "last_active_ms_ago": null, "last_heard_ms_ago": null, "idle_ends_in_ms": null});
    assert_eq!(made.body["activity"], nothing);
    let limited = json!({"target_type": "wine", "idle_seconds": 600});
    let limited = http.post("/sessions", limited).await.expect(201).body;
    assert!(limited["activity"]["idle_ends_in_ms"].as_u64().is_some_and(|left| left <= 600_000), "{limited}");
    let queued = http.post("/sessions", json!({"target_type": "wine", "on_shortage": "queue"})).await.expect(202);
    assert_eq!(queued.body["activity"], json!(null));

    let beats = json!({"heartbeats": [{"session_id": id, "active": true}]});
    let answer = http.post("/sessions/heartbeats", beats).await.expect(200).body;
    let activity = &answer["results"][0]["session"]["activity"];
    assert!(activity["last_active_ms_ago"].as_u64().is_some() && activity["last_heard_ms_ago"].is_u64(), "{answer}");
    let listed = other.get("/sessions?state=ready").await.expect(200).body;
    let one = listed.as_array().unwrap().iter().find(|one| one["id"] == id.as_str()).expect("it is listed");
    assert_eq!(
        one["activity"]["last_active_at"].as_str().map(str::len),
        Some("2026-01-05T00:00:00.000Z".len()),
        "{one}"
    );
    let ended = http.delete(&format!("/sessions/{id}")).await.expect(200).body;
    assert_eq!(ended["activity"], json!(null));
}

#[tokio::test]
async fn pain_queue_gives_to_a_client_that_left_the_next_one_is_served_and_nothing_is_held_for_it() {
    let service = Service::start_with(1, 1, |settings| settings.env("LIMITS__TICKET_LIFE", "60s")).await;
    let http = service.http();
    let (holder, _) = ready(&http).await;
    let wait = json!({"target_type": "wine", "wait_seconds": 30});
    let waiter = || {
        let (http, wait) = (http.clone(), wait.clone());
        tokio::spawn(async move { http.post("/sessions", wait).await })
    };
    let in_line = async |count: u64| {
        eventually(&format!("{count} in line"), Duration::from_secs(15), || async {
            let status = http.get("/containers/status").await;
            (status.body["by_type"]["wine"]["sessions_queued"] == count).then_some(())
        })
        .await;
    };
    let left = waiter();
    in_line(1).await;
    let stays = waiter();
    in_line(2).await;
    left.abort();
    in_line(1).await;
    http.delete(&format!("/sessions/{holder}")).await.expect(200);
    let served = stays.await.unwrap().expect(201);
    http.delete(&format!("/sessions/{}", served.text_at("/id"))).await.expect(200);
    let granted = http.get("/sessions?state=ended").await.expect(200);
    let reasons: Vec<_> =
        granted.body.as_array().unwrap().iter().map(|session| session["end_reason"].clone()).collect();
    assert_eq!(reasons, [json!("cancelled"), json!("released"), json!("released")], "no one was served in vain");
}

#[tokio::test]
async fn pain_slots_leak_after_errors_every_refusal_leaves_the_counts_as_they_were() {
    let (service, http) = limited(1, "sessions_max = 2").await;
    let (id, _) = ready(&http).await;
    let wait = |more: serde_json::Value| {
        let mut body = json!({"target_type": "wine"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    http.post("/sessions", wait(json!({"wait_seconds": 1}))).await.problem(503, "no_available_containers");
    http.post("/sessions", wait(json!({"container_id": "farm.wine-1"}))).await.problem(409, "container_unavailable");
    http.post("/sessions", wait(json!({"idle_seconds": 0}))).await.problem(422, "out_of_range");
    let queued = http.post("/sessions", wait(json!({"on_shortage": "queue"}))).await.expect(202);
    http.post("/sessions", wait(json!({"on_shortage": "queue"}))).await.problem(429, "quota_exceeded");
    http.delete(&format!("/sessions/{}", queued.text_at("/id"))).await.expect(200);
    http.delete(&format!("/sessions/{id}")).await.expect(200);
    let status = service.http().get("/containers/status").await.expect(200).body;
    let wine = &status["by_type"]["wine"];
    let counts = ["available", "allocated", "sessions_ready", "sessions_queued"].map(|name| wine[name].as_u64());
    assert_eq!(counts, [Some(1), Some(0), Some(0), Some(0)], "{status}");
    let (_, _) = ready(&http).await;
}
