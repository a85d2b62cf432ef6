//! Clients and an operator that know nothing of versions: each call goes to the next replica.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use super::PATIENCE;
use crate::common::{
    eventually,
    http::{Answer, Http},
};

/// What a load balancer knows, and how much was done.
#[derive(Default)]
pub struct Load {
    replicas: Mutex<Vec<Http>>,
    turn: AtomicUsize,
    served: AtomicUsize,
    stopped: AtomicBool,
}

impl Load {
    pub fn add(&self, replica: Http) {
        self.replicas.lock().expect("the replicas").push(replica);
    }

    pub fn remove_first(&self) {
        drop(self.replicas.lock().expect("the replicas").remove(0));
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
    }

    /// Waits until so many sessions more were served.
    pub async fn serves(&self, more: usize) {
        let before = self.served.load(Ordering::Relaxed);
        eventually("sessions go on", PATIENCE, async || {
            (self.served.load(Ordering::Relaxed) >= before + more).then_some(())
        })
        .await;
    }

    /// The answer of some replica that is not ending: every call is safe to repeat.
    async fn call(&self, method: &Method, path: &str, body: Option<&Value>, key: Option<&str>) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let http = {
                let replicas = self.replicas.lock().expect("the replicas");
                replicas[self.turn.fetch_add(1, Ordering::Relaxed) % replicas.len()].clone()
            };
            let headers: Vec<_> = key.iter().map(|key| ("Idempotency-Key", *key)).collect();
            let told = match http.try_call(method.clone(), path, body.cloned(), &headers).await {
                Ok(answer) if answer.body["code"] != "shutting_down" => return answer,
                Ok(answer) => answer.text,
                Err(error) => error.to_string(),
            };
            assert!(Instant::now() < deadline, "{method} {path}: {told}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Takes containers, renews its leases and gives them back, each call at another replica.
pub async fn client(load: std::sync::Arc<Load>, number: usize) {
    let mut round = 0;
    while load.goes_on() {
        round += 1;
        // Some wait within the call, some hold a ticket that they poll.
        let polls = (number + round).is_multiple_of(3);
        let body = if polls {
            json!({ "target_type": "wine", "on_shortage": "queue", "priority": number })
        } else {
            json!({ "target_type": "wine", "wait_seconds": 30, "metadata": { "round": round } })
        };
        let key = format!("{number}-{round}");
        let mut session = load.call(&Method::POST, "/sessions", Some(&body), Some(&key)).await;
        assert!(matches!(session.status, 201 | 202), "{}", session.text);
        let path = format!("/sessions/{}", session.text_at("/id"));
        if polls && number == 0 && session.status == 202 {
            // One leaves the line, at another replica than it came by.
            load.call(&Method::DELETE, &path, None, None).await.expect(200);
            continue;
        }
        while session.body["state"] == "queued" {
            session = load.call(&Method::GET, &format!("{path}?wait_seconds=2"), None, None).await.expect(200);
        }
        assert_eq!(session.body["state"], "ready", "{}", session.text);
        // The same key on another replica is the same session.
        if round % 4 == 0 {
            let again = load.call(&Method::POST, "/sessions", Some(&body), Some(&key)).await.expect(201);
            assert_eq!(again.body["id"], session.body["id"], "{}", again.text);
        }
        let token = session.body["lease"]["fencing_token"].clone();
        for active in [false, true] {
            let mut beat = json!({ "fencing_token": token });
            if active {
                beat["active"] = json!(true);
            }
            let renewed = load.call(&Method::POST, &format!("{path}/heartbeat"), Some(&beat), None).await.expect(200);
            assert_eq!(renewed.body["container"]["id"], session.body["container"]["id"], "{}", renewed.text);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        load.call(&Method::DELETE, &format!("{path}?fencing_token={token}"), None, None).await.expect(200);
        load.served.fetch_add(1, Ordering::Relaxed);
    }
}

/// Cordons, drains and uncordons, and changes a setting.
pub async fn operator(load: std::sync::Arc<Load>) {
    let mut round = 0;
    while load.goes_on() {
        round += 1;
        let container = format!("/containers/farm.wine-{}", 1 + round % 2);
        let verb = if round % 3 == 0 { "drain" } else { "cordon" };
        load.call(&Method::POST, &format!("{container}/{verb}"), Some(&json!({})), None).await.expect(200);
        let change = json!({ "line_max": 1000 + round });
        let changed = load.call(&Method::PATCH, "/types/wine", Some(&change), None).await.expect(200);
        assert_eq!(changed.body["changed"]["line_max"], 1000 + round, "{}", changed.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
        load.call(&Method::POST, &format!("{container}/uncordon"), Some(&json!({})), None).await.expect(200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
