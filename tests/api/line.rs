//! Waiting: long polls, tickets, wake-ups across replicas.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;

use super::{Service, auth::key, ready};
use crate::common::{eventually, http::Http, replica::Settings};

fn waiting(seconds: u64) -> serde_json::Value {
    json!({"target_type": "wine", "wait_seconds": seconds})
}

/// Waits until so many sessions stand in line.
async fn in_line(http: &Http, count: u64) {
    eventually(&format!("{count} in line"), Duration::from_secs(15), || async {
        let status = http.get("/containers/status").await;
        (status.body["by_type"]["wine"]["sessions_queued"] == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_waiter_on_another_replica_is_woken_at_once() {
    // The slow poll behind a lost message comes every twenty seconds here: only the message can be in time.
    let service = Service::start_with(2, 1, |settings| settings.env("LIMITS__TICKET_LIFE", "60s")).await;
    let (one, two) = (service.replicas[0].http(), service.replicas[1].http());
    let (holder, _) = ready(&one).await;
    let waiter = tokio::spawn({
        let two = two.clone();
        async move { two.post("/sessions", waiting(30)).await.expect(201) }
    });
    in_line(&one, 1).await;
    let released = Instant::now();
    one.delete(&format!("/sessions/{holder}")).await.expect(200);
    let made = tokio::time::timeout(Duration::from_secs(10), waiter).await.expect("woken").unwrap();
    assert_eq!(made.body["state"], "ready");
    assert!(released.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_wait_that_is_over_is_a_shortage_or_a_ticket() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let (holder, _) = ready(&http).await;
    http.post("/sessions", waiting(1)).await.problem(503, "no_available_containers");
    in_line(&http, 0).await;

    let queued = http.post("/sessions", json!({"target_type": "wine", "on_shortage": "queue"})).await.expect(202);
    let id = queued.text_at("/id");
    assert_eq!(queued.header("location"), format!("/sessions/{id}"));
    assert_eq!(queued.body["state"], "queued");
    assert_eq!((&queued.body["container"], &queued.body["lease"]), (&json!(null), &json!(null)));
    assert_eq!(queued.body["ticket"]["position"], 1);
    assert_eq!(queued.body["ticket"]["poll_within_seconds"], 3);
    http.post(&format!("/sessions/{id}/heartbeat"), json!({})).await.problem(409, "session_queued");
    http.post("/sessions", super::wine()).await.problem(503, "no_available_containers");

    let poll = tokio::spawn({
        let (http, id) = (http.clone(), id.clone());
        async move { http.get(&format!("/sessions/{id}?wait_seconds=20")).await.expect(200) }
    });
    http.delete(&format!("/sessions/{holder}")).await.expect(200);
    assert_eq!(poll.await.unwrap().body["state"], "ready");
    let cancelled = http.post("/sessions", json!({"target_type": "wine", "on_shortage": "queue"})).await.expect(202);
    let gone = http.delete(&format!("/sessions/{}", cancelled.text_at("/id"))).await.expect(200);
    assert_eq!(gone.body["end_reason"], "cancelled");
}

#[tokio::test]
async fn case_12_a_waiter_that_hangs_up_leaves_the_line_and_delays_nobody() {
    let service = Service::start_with(1, 1, |settings| settings.env("LIMITS__TICKET_LIFE", "60s")).await;
    let http = service.http();
    let (holder, _) = ready(&http).await;
    let gone = tokio::spawn({
        let http = http.clone();
        async move { http.post("/sessions", waiting(60)).await }
    });
    in_line(&http, 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    in_line(&http, 0).await;

    let next = tokio::spawn({
        let http = http.clone();
        async move { http.post("/sessions", waiting(30)).await.expect(201) }
    });
    in_line(&http, 1).await;
    http.delete(&format!("/sessions/{holder}")).await.expect(200);
    next.await.unwrap();
}

#[tokio::test]
async fn case_03_a_retried_create_takes_what_its_ticket_was_offered_meanwhile() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let (holder, _) = ready(&http).await;
    let body = json!({"target_type": "wine", "on_shortage": "queue"});
    let id = http.post_with_key("/sessions", body.clone(), "job").await.expect(202).text_at("/id");
    http.delete(&format!("/sessions/{holder}")).await.expect(200);
    let again = http.post_with_key("/sessions", body, "job").await.expect(201);
    assert_eq!((again.text_at("/id"), again.text_at("/state")), (id, "ready".to_owned()));
}

#[tokio::test]
async fn case_03_a_create_whose_replica_died_while_it_waited_takes_on_another_what_it_was_offered_meanwhile() {
    // The slow poll, every twenty seconds here, would come when the offer has gone.
    let settings = |settings: Settings| settings.env("LIMITS__TICKET_LIFE", "60s").env("LIMITS__CONFIRM", "10s");
    let mut service = Service::start_with(2, 1, settings).await;
    let (one, two) = (service.replicas[0].http(), service.replicas[1].http());
    let (holder, _) = ready(&one).await;
    let key = [("Idempotency-Key", "job")];
    let lost = tokio::spawn(async move { two.try_call(Method::POST, "/sessions", Some(waiting(60)), &key).await });
    in_line(&one, 1).await;
    service.replicas[1].kill();
    assert!(lost.await.unwrap().is_err());
    one.delete(&format!("/sessions/{holder}")).await.expect(200);
    let again = one.post_with_key("/sessions", waiting(60), "job").await.expect(201);
    assert_eq!((again.text_at("/state").as_str(), again.header("idempotency-replayed")), ("ready", "true"));
}

#[tokio::test]
async fn a_retried_create_keeps_its_ticket_alive() {
    let service = Service::start_with(1, 1, |settings| settings.env("LIMITS__TICKET_LIFE", "3s")).await;
    let http = service.http();
    let _holder = ready(&http).await;
    let create = async || {
        let body = json!({"target_type": "wine", "on_shortage": "queue"});
        http.post_with_key("/sessions", body, "job").await.expect(202).text_at("/id")
    };
    let id = create().await;
    let redis = &service.redis;
    let expires = || -> f64 {
        redis::cmd("ZSCORE").arg("test:{wine}:tickets").arg(&id).query(&mut redis.conn()).expect("its end")
    };
    let before = expires();
    assert_eq!(create().await, id);
    assert!(expires() > before, "{before}");
}

#[tokio::test]
async fn case_13_a_waiter_whose_replica_died_is_passed_over_within_the_confirm_time() {
    let mut service =
        Service::start_with(2, 1, |settings| settings.env("LIMITS__TICKET_LIFE", "60s").env("LIMITS__CONFIRM", "2s"))
            .await;
    let one = service.replicas[0].http();
    let two = service.replicas[1].http();
    let (holder, _) = ready(&one).await;
    let lost = tokio::spawn(async move { two.try_call(Method::POST, "/sessions", Some(waiting(60)), &[]).await });
    in_line(&one, 1).await;
    // Killed, not stopped: its ticket stays and is offered the container.
    service.replicas[1].kill();
    assert!(lost.await.unwrap().is_err());
    let next = tokio::spawn({
        let one = one.clone();
        async move { one.post("/sessions", waiting(30)).await.expect(201) }
    });
    in_line(&one, 2).await;
    one.delete(&format!("/sessions/{holder}")).await.expect(200);
    let served = next.await.unwrap();
    assert_eq!(served.body["state"], "ready");
    let sessions = one.get("/sessions?state=ended").await.expect(200);
    let reasons: Vec<_> = sessions.body.as_array().unwrap().iter().map(|s| s["end_reason"].clone()).collect();
    assert!(reasons.contains(&json!("unconfirmed")), "{reasons:?}");
}

#[tokio::test]
async fn case_16_a_lost_wake_up_is_made_good_by_the_slow_poll() {
    let service = Service::start_with(1, 1, |settings| settings.env("LIMITS__TICKET_LIFE", "3s")).await;
    let http = service.http();
    let (holder, _) = ready(&http).await;
    let waiter = tokio::spawn({
        let http = http.clone();
        async move { http.post("/sessions", waiting(30)).await.expect(201) }
    });
    in_line(&http, 1).await;
    // No message goes out any more: the sessions' channel is one that nobody hears.
    let key = {
        let keys: Vec<String> =
            redis::cmd("KEYS").arg("test:{wine}:session:*").query(&mut service.redis.conn()).unwrap();
        let mut connection = service.redis.conn();
        keys.into_iter()
            .find(|key| {
                let state: String = redis::cmd("HGET").arg(key).arg("state").query(&mut connection).unwrap();
                state == "queued"
            })
            .expect("the queued session")
    };
    let _: i64 = redis::cmd("HSET").arg(key).arg("replica").arg("nowhere").query(&mut service.redis.conn()).unwrap();
    http.delete(&format!("/sessions/{holder}")).await.expect(200);
    let made = tokio::time::timeout(Duration::from_secs(10), waiter).await.expect("found by the slow poll").unwrap();
    assert_eq!(made.body["state"], "ready");
}

#[tokio::test]
async fn priority_passes_those_who_came_before() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let (holder, _) = ready(&http).await;
    let queue = async |priority: u32| {
        let body = json!({"target_type": "wine", "on_shortage": "queue", "priority": priority});
        http.post("/sessions", body).await.expect(202)
    };
    let low = queue(0).await;
    let high = queue(100).await;
    assert_eq!((low.body["ticket"]["position"].as_u64(), high.body["ticket"]["position"].as_u64()), (Some(1), Some(1)));
    http.delete(&format!("/sessions/{holder}")).await.expect(200);
    let now = async |id: String| http.get(&format!("/sessions/{id}")).await.expect(200).text_at("/state");
    assert_eq!(now(low.text_at("/id")).await, "queued");
    assert_eq!(now(high.text_at("/id")).await, "ready");
}

#[tokio::test]
async fn a_ticket_tells_the_priority_that_was_asked_for() {
    let service = Service::start(2, 1).await;
    let (http, other) = (service.replicas[0].http(), service.replicas[1].http());
    let (holder, _) = ready(&http).await;
    let queue = async |body: serde_json::Value| {
        let mut wanted = json!({"target_type": "wine", "on_shortage": "queue"});
        wanted.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        http.post("/sessions", wanted).await.expect(202)
    };
    let (plain, urgent) = (queue(json!({})).await, queue(json!({"priority": 100})).await);
    assert_eq!((&plain.body["ticket"]["priority"], &urgent.body["ticket"]["priority"]), (&json!(0), &json!(100)));
    let id = urgent.text_at("/id");
    let read = other.get(&format!("/sessions/{id}")).await.expect(200);
    assert_eq!(read.body["ticket"]["priority"], 100);
    let listed = other.get("/sessions?state=queued").await.expect(200);
    let mut told: Vec<_> =
        listed.body.as_array().unwrap().iter().map(|one| one["ticket"]["priority"].as_u64()).collect();
    told.sort_unstable();
    assert_eq!(told, [Some(0), Some(100)]);

    let redis = &service.redis;
    let stored = |id: &str| -> Option<String> {
        let key = format!("test:{{wine}}:session:{id}");
        redis::cmd("HGET").arg(key).arg("head_start").query(&mut redis.conn()).expect("its record")
    };
    assert_eq!(stored(&holder), None, "who is given a container at once pays nothing for it");
    assert_eq!(stored(&plain.text_at("/id")), None);
    // As a version wrote it that did not keep the priority.
    let key = format!("test:{{wine}}:session:{id}");
    let _: i64 = redis::cmd("HDEL").arg(key).arg("head_start").query(&mut redis.conn()).unwrap();
    assert_eq!(http.get(&format!("/sessions/{id}")).await.expect(200).body["ticket"]["priority"], 0);
}

#[tokio::test]
async fn case_15_pain_head_of_line_blocking_two_owners_are_served_in_turn_by_their_weights() {
    let keys = [key("busy", "busy", "client"), key("calm", "calm", "client") + "weight = 2\n"].concat();
    let service = Service::start_with(1, 1, |mut settings| {
        settings.toml.push_str(&keys);
        settings.env("LIMITS__TICKET_LIFE", "60s")
    })
    .await;
    let admin = service.http();
    let (mut holder, _) = ready(&admin).await;
    let queue = async |owner: &str, more: serde_json::Value| {
        let mut body = json!({"target_type": "wine", "on_shortage": "queue"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let queued = admin.with_key(Some(owner)).post("/sessions", body).await.expect(202);
        (queued.text_at("/id"), queued.body["ticket"]["position"].as_u64())
    };
    let mut waiting = Vec::new();
    for place in 1..=6 {
        let (id, position) = queue("busy", json!({})).await;
        assert_eq!(position, Some(place));
        waiting.push((id, "busy"));
    }
    for place in [2, 3, 5] {
        let (id, position) = queue("calm", json!({})).await;
        assert_eq!(position, Some(place), "two of it for each one of the other");
        waiting.push((id, "calm"));
    }
    // A head start passes them all: it is worth more than the turns that they wait for.
    let (urgent, position) = queue("busy", json!({"priority": 300})).await;
    assert_eq!(position, Some(1));
    waiting.push((urgent.clone(), "busy"));
    let mut served = Vec::new();
    for _ in 0..5 {
        admin.delete(&format!("/sessions/{holder}")).await.expect(200);
        for (id, owner) in &waiting {
            let now = admin.with_key(Some(owner)).get(&format!("/sessions/{id}")).await.expect(200);
            if now.body["state"] == "ready" {
                served.push(*owner);
                holder.clone_from(id);
            }
        }
    }
    assert_eq!(served, ["busy", "busy", "calm", "calm", "busy"]);
}
