//! A client that behaves as clients do: it holds, renews, forgets, hangs up, and gives back twice.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};

use super::history::Hold;
use crate::common::{
    http::{Answer, Http},
    replica::KEY,
};

/// Where the replicas are now; killed ones are replaced under another address.
pub type Addresses = Arc<RwLock<Vec<String>>>;

/// What a client does for the time of a test.
pub struct Client {
    http: Http,
    random: StdRng,
    number: usize,
    addresses: Addresses,
    /// Whether to wait in line when nothing is available.
    waits: bool,
}

impl Client {
    pub fn new(number: usize, seed: u64, addresses: Addresses, waits: bool) -> Self {
        let http = Http::new("", Some(KEY));
        Self { http, random: StdRng::seed_from_u64(seed + number as u64), number, addresses, waits }
    }

    /// Works until the deadline; says what it held.
    pub async fn work(mut self, deadline: Instant) -> Vec<Hold> {
        let mut holds = Vec::new();
        let mut turn = 0;
        while Instant::now() < deadline {
            turn += 1;
            if let Some(hold) = self.turn(turn).await {
                holds.push(hold);
            }
        }
        holds
    }

    /// One session from its create to its end.
    async fn turn(&mut self, turn: usize) -> Option<Hold> {
        let mut body = json!({"target_type": "wine", "ttl_seconds": 1});
        if self.waits {
            body["wait_seconds"] = json!(self.random.random_range(1..4));
            body["priority"] = json!(self.random.random_range(0..10));
        }
        let key = format!("client-{}-{turn}", self.number);
        let hangs_up = self.random.random_bool(0.05);
        let mut sent = Instant::now();
        let made = if hangs_up {
            let patience = Duration::from_millis(self.random.random_range(0..30));
            // What it never heard of must come back by itself.
            tokio::time::timeout(patience, self.call(Method::POST, "/sessions", Some(body), &[])).await.ok()??
        } else {
            let mut answer = None;
            for _ in 0..20 {
                sent = Instant::now();
                answer = self.call(Method::POST, "/sessions", Some(body.clone()), &[("Idempotency-Key", &key)]).await;
                if answer.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            answer?
        };
        if made.status != 201 {
            assert!(matches!(made.status, 503 | 410), "{}", made.text);
            tokio::time::sleep(Duration::from_millis(self.random.random_range(1..20))).await;
            return None;
        }
        let mut hold = hold_of(&made.body, sent);
        let path = format!("/sessions/{}", hold.session);
        for _ in 0..self.random.random_range(0..4) {
            tokio::time::sleep(Duration::from_millis(self.random.random_range(1..80))).await;
            let sent = Instant::now();
            let beat = json!({"fencing_token": hold.token});
            let Some(answer) = self.call(Method::POST, &format!("{path}/heartbeat"), Some(beat), &[]).await else {
                continue;
            };
            if answer.status != 200 {
                // Ended, so it stops; or Redis did not answer in time, so what it has counts on.
                assert!(matches!(answer.status, 410 | 503), "{}", answer.text);
                if answer.status == 410 {
                    hold.until = hold.until.min(Instant::now());
                    return Some(hold);
                }
                continue;
            }
            let renewed = hold_of(&answer.body, sent);
            (hold.until, hold.abandoned) = (renewed.until, renewed.abandoned);
        }
        if self.random.random_bool(0.15) {
            // Forgotten: it ends at its TTL.
            return Some(hold);
        }
        hold.until = hold.until.min(Instant::now());
        hold.abandoned = None;
        let times = if self.random.random_bool(0.2) { 2 } else { 1 };
        for _ in 0..times {
            if let Some(answer) = self.call(Method::DELETE, &path, None, &[]).await {
                assert!(matches!(answer.status, 200 | 503), "{}", answer.text);
            }
        }
        Some(hold)
    }

    /// None when the connection broke: the replica may have been killed.
    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let url = {
            let addresses = self.addresses.read().expect("the addresses");
            format!("{}{path}", addresses[self.random.random_range(0..addresses.len())])
        };
        self.http.try_call(method, &url, body, headers).await.ok()
    }
}

/// `sent`: when the request went out whose answer this is.
fn hold_of(session: &Value, sent: Instant) -> Hold {
    let text = |pointer: &str| session.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned();
    let left = session["lease"]["expires_in_ms"].as_u64().expect("a time");
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    Hold {
        session: text("/id"),
        container: text("/container/id"),
        token: session["lease"]["fencing_token"].as_u64().expect("a token"),
        from: Instant::now(),
        until: sent + Duration::from_millis(left),
        abandoned: Some(wall + left),
    }
}
