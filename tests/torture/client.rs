//! A client that behaves as clients do: it holds, renews, uses, forgets, hangs up, asks twice, and gives back twice.

use std::{sync::Arc, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    call::{Caller, Request, Seen},
    history::{History, Kind, Micros},
    network::Network,
    target,
};

/// The longest TTL that clients ask for, in seconds.
pub const TTL_MOST: u64 = 3;

/// How long a client waits for an answer, beside the time that it asked to wait in line.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a client turns to other replicas when one gave no answer.
const AVOIDED: Micros = 2_000_000;

/// What a client does until the end of a run.
pub struct Client {
    caller: Caller,
    random: StdRng,
    types: Vec<String>,
    deadline: Micros,
    made: u64,
    /// When each replica last gave no answer.
    silent: Vec<Micros>,
}

/// A session that a client holds.
struct Held {
    id: String,
    target_type: String,
    control: String,
    token: u64,
    /// Proves the lease to a Redis that forgot it.
    lease_token: Option<String>,
    ttl: Micros,
    renewed: Micros,
    until: Micros,
}

impl Held {
    fn take(&mut self, session: &Value, sent: Micros) {
        let lease = &session["lease"];
        if let Some(left) = lease["expires_in_ms"].as_u64() {
            self.until = self.until.max(sent + left * 1000);
            self.renewed = sent;
        }
        if let Some(token) = lease["lease_token"].as_str() {
            self.lease_token = Some(token.to_owned());
        }
    }

    /// What a heartbeat says.
    fn proof(&self) -> Value {
        let mut proof = json!({"fencing_token": self.token});
        if let Some(token) = &self.lease_token {
            proof["lease_token"] = json!(token);
        }
        proof
    }
}

impl Client {
    pub fn new(
        number: usize,
        seed: u64,
        place: usize,
        types: Vec<String>,
        network: Arc<Network>,
        history: Arc<History>,
        deadline: Micros,
    ) -> Self {
        let silent = vec![0; network.replicas()];
        let caller = Caller::new(number, place, network, history);
        let random = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
        Self { caller, random, types, deadline, made: 0, silent }
    }

    /// Works until the deadline, and ends what it holds.
    pub async fn work(mut self) {
        while self.now() < self.deadline {
            let wanted = if self.random.random_bool(0.15) { self.random.random_range(2..=3) } else { 1 };
            let mut held = Vec::new();
            for _ in 0..wanted {
                held.extend(self.create().await);
            }
            if held.is_empty() {
                self.pause(5..60).await;
                continue;
            }
            self.hold(&mut held).await;
            for one in held {
                self.end(one).await;
            }
        }
    }

    fn now(&self) -> Micros {
        self.caller.history.now()
    }

    async fn pause(&mut self, millis: std::ops::Range<u64>) {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(millis))).await;
    }

    /// As through a load balancer: mostly one that answered lately.
    fn any_replica(&mut self) -> usize {
        let (now, any) = (self.now(), self.random.random_range(0..self.silent.len()));
        if self.random.random_bool(0.1) {
            return any;
        }
        let answers = |replica: &usize| self.silent[*replica] == 0 || now > self.silent[*replica] + AVOIDED;
        (any..self.silent.len()).chain(0..any).find(answers).unwrap_or(any)
    }

    /// Remembers whether the replica answered.
    fn judge(&mut self, replica: usize, seen: &Seen) {
        self.silent[replica] = if seen.answer.is_some() { 0 } else { self.now() };
    }

    async fn call(&mut self, request: Request<'_>) -> Seen {
        let replica = request.replica;
        let seen = self.caller.call(request).await;
        self.judge(replica, &seen);
        seen
    }

    /// Makes a session in one of the ways of clients.
    async fn create(&mut self) -> Option<Held> {
        let target_type = self.types[self.random.random_range(0..self.types.len())].clone();
        let ttl = self.random.random_range(1..=TTL_MOST);
        let mut body = json!({"target_type": target_type, "ttl_seconds": ttl});
        let wait = if self.random.random_bool(0.6) { self.random.random_range(1..=3) } else { 0 };
        if wait > 0 {
            body["wait_seconds"] = json!(wait);
            body["priority"] = json!(self.random.random_range(0..10));
        }
        if self.random.random_bool(0.05) {
            body["confirm"] = json!(true);
        }
        self.made += 1;
        let key = format!("client-{}-{}", self.caller.client, self.made);
        let patience = PATIENCE + Duration::from_secs(wait);
        let (session, sent) = match self.random.random_range(0..100) {
            0..6 => {
                // Hangs up: what it never heard of must come back by itself.
                let patience = Duration::from_millis(self.random.random_range(0..1500));
                let replica = self.any_replica();
                made(self.send_create(Kind::Create, &target_type, body, None, replica, patience).await)?
            }
            6..18 => {
                body["on_shortage"] = json!("queue");
                let made = self.create_until_answered(&target_type, body, &key, patience).await?;
                self.wait_in_line(&target_type, made).await?
            }
            18..30 => self.create_twice(&target_type, body, &key, patience).await?,
            _ => self.create_until_answered(&target_type, body, &key, patience).await?,
        };
        let text = |pointer: &str| session.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut held = Held {
            id: text("/id"),
            target_type,
            control: text("/container/endpoints/control/address"),
            token: session["lease"]["fencing_token"].as_u64()?,
            lease_token: None,
            ttl: ttl * 1_000_000,
            renewed: sent,
            until: 0,
        };
        held.take(&session, sent);
        Some(held)
    }

    async fn send_create(
        &self,
        kind: Kind,
        target_type: &str,
        body: Value,
        key: Option<&str>,
        replica: usize,
        patience: Duration,
    ) -> Seen {
        let request = Request {
            kind,
            target_type,
            replica,
            method: Method::POST,
            path: "/sessions",
            body: Some(body),
            session: None,
            key,
            patience,
        };
        self.caller.call(request).await
    }

    /// Tries on, elsewhere, until somebody answers: the key makes them all one session.
    async fn create_until_answered(
        &mut self,
        target_type: &str,
        body: Value,
        key: &str,
        patience: Duration,
    ) -> Option<(Value, Micros)> {
        for _ in 0..6 {
            let replica = self.any_replica();
            let seen = self.send_create(Kind::Create, target_type, body.clone(), Some(key), replica, patience).await;
            self.judge(replica, &seen);
            let lost = seen.answer.as_ref().is_none_or(|answer| answer.body["code"] == "redis_unavailable");
            if !lost {
                return made(seen);
            }
            if self.now() >= self.deadline {
                return None;
            }
            self.pause(10..200).await;
        }
        None
    }

    /// The same create on two replicas at once.
    async fn create_twice(
        &mut self,
        target_type: &str,
        body: Value,
        key: &str,
        patience: Duration,
    ) -> Option<(Value, Micros)> {
        let (one, other) = (self.any_replica(), self.any_replica());
        let (first, second) = tokio::join!(
            self.send_create(Kind::Create, target_type, body.clone(), Some(key), one, patience),
            self.send_create(Kind::Duplicate, target_type, body, Some(key), other, patience),
        );
        self.judge(one, &first);
        self.judge(other, &second);
        made(first).or_else(|| made(second))
    }

    /// Polls a ticket until it is served or over, cancels it, or forgets it.
    async fn wait_in_line(&mut self, target_type: &str, made: (Value, Micros)) -> Option<(Value, Micros)> {
        let (mut session, mut sent) = made;
        let id = session["id"].as_str()?.to_owned();
        for _ in 0..6 {
            if session["state"] == "ready" {
                return Some((session, sent));
            }
            match self.random.random_range(0..100) {
                0..10 => return None,
                10..20 => {
                    self.release(target_type, &id, None, Kind::Release).await;
                    return None;
                }
                _ => {}
            }
            let replica = self.any_replica();
            let request = Request {
                kind: Kind::Read,
                target_type,
                replica,
                method: Method::GET,
                path: &format!("/sessions/{id}?wait_seconds=1"),
                body: None,
                session: Some(&id),
                key: None,
                patience: PATIENCE + Duration::from_secs(1),
            };
            let seen = self.call(request).await;
            match seen.answer {
                Some(answer) if answer.status == 200 => (session, sent) = (answer.body, seen.from),
                Some(answer) if answer.status != 503 => return None,
                _ => self.pause(10..200).await,
            }
            if session["state"] == "ended" {
                return None;
            }
        }
        None
    }

    /// Uses and renews what it holds for a while; what is over is taken out.
    async fn hold(&mut self, held: &mut Vec<Held>) {
        let over = (self.now() + self.random.random_range(50_000..4_000_000)).min(self.deadline);
        while self.now() < over && !held.is_empty() {
            self.pause(20..150).await;
            for one in held.iter() {
                if self.now() < one.until && self.random.random_bool(0.8) {
                    let using = target::use_once(&one.control, &one.id, one.token, one.until);
                    // One that is not there any more is found out by a heartbeat.
                    let _ = tokio::time::timeout(Duration::from_millis(500), using).await;
                }
            }
            let now = self.now();
            let due = held.iter().any(|one| now > one.renewed + one.ttl / 3);
            if due && held.len() > 1 {
                self.renew_all(held).await;
            } else if due {
                let lasts = self.renew(&mut held[0]).await;
                held.retain(|_| lasts);
            }
        }
    }

    /// Whether the session lasts.
    async fn renew(&mut self, held: &mut Held) -> bool {
        let replica = self.any_replica();
        let request = Request {
            kind: Kind::Heartbeat,
            target_type: &held.target_type,
            replica,
            method: Method::POST,
            path: &format!("/sessions/{}/heartbeat", held.id),
            body: Some(held.proof()),
            session: Some(&held.id),
            key: None,
            patience: PATIENCE,
        };
        let seen = self.call(request).await;
        match &seen.answer {
            Some(answer) if answer.status == 200 => held.take(&answer.body, seen.from),
            Some(answer) if matches!(answer.status, 404 | 410) => return false,
            // What it has counts on.
            _ => {}
        }
        true
    }

    /// Renews all in one call.
    async fn renew_all(&mut self, held: &mut Vec<Held>) {
        let replica = self.any_replica();
        let heartbeats: Vec<_> = held
            .iter()
            .map(|one| {
                let mut beat = one.proof();
                beat["session_id"] = json!(one.id);
                beat
            })
            .collect();
        let body = json!({"heartbeats": heartbeats});
        let seen = self.caller.send(&batch("", replica, Some(body))).await;
        self.judge(replica, &seen);
        let mut at = 0;
        held.retain_mut(|one| {
            let result = seen.answer.as_ref().map(|answer| &answer.body["results"][at]);
            at += 1;
            let (session, problem) = (result.map(|result| &result["session"]), result.map(|result| &result["problem"]));
            let renewed = session.filter(|session| session.is_object());
            let refused = problem.and_then(|problem| problem["status"].as_u64()).map(|status| status as u16);
            let status = match renewed {
                Some(_) => Some(200),
                None => refused.or(seen.answer.as_ref().map(|answer| answer.status)),
            };
            let body = renewed.or(problem);
            self.caller.record(&batch(&one.target_type, replica, None), &seen, status, body, Some(&one.id));
            if let Some(session) = renewed {
                one.take(session, seen.from);
            }
            !matches!(status, Some(404 | 410))
        });
    }

    /// Ends a hold in one of the ways of clients.
    async fn end(&mut self, held: Held) {
        let token = self.random.random_bool(0.5).then_some(held.token);
        match self.random.random_range(0..100) {
            // Forgotten: it ends at its TTL.
            0..15 => {}
            15..30 => {
                self.give_back(&held, token).await;
                self.give_back(&held, token).await;
            }
            30..40 => {
                self.give_back(&held, token).await;
                self.odd_heartbeat(&held, held.token, Kind::LateHeartbeat).await;
            }
            40..50 => {
                self.odd_heartbeat(&held, held.token - 1, Kind::StaleHeartbeat).await;
                self.release(&held.target_type, &held.id, Some(held.token - 1), Kind::StaleRelease).await;
                self.give_back(&held, token).await;
            }
            _ => self.give_back(&held, token).await,
        }
    }

    /// Releases; again when no answer comes.
    async fn give_back(&mut self, held: &Held, token: Option<u64>) {
        for _ in 0..3 {
            let answered = self.release(&held.target_type, &held.id, token, Kind::Release).await;
            if answered || self.now() >= self.deadline {
                return;
            }
            self.pause(10..100).await;
        }
    }

    /// Whether it was answered.
    async fn release(&mut self, target_type: &str, id: &str, token: Option<u64>, kind: Kind) -> bool {
        let replica = self.any_replica();
        let query = token.map(|token| format!("?fencing_token={token}")).unwrap_or_default();
        let request = Request {
            kind,
            target_type,
            replica,
            method: Method::DELETE,
            path: &format!("/sessions/{id}{query}"),
            body: None,
            session: Some(id),
            key: None,
            patience: PATIENCE,
        };
        self.call(request).await.answer.is_some_and(|answer| answer.status != 503)
    }

    /// One that must be refused.
    async fn odd_heartbeat(&mut self, held: &Held, token: u64, kind: Kind) {
        let replica = self.any_replica();
        let request = Request {
            kind,
            target_type: &held.target_type,
            replica,
            method: Method::POST,
            path: &format!("/sessions/{}/heartbeat", held.id),
            body: Some(json!({"fencing_token": token})),
            session: Some(&held.id),
            key: None,
            patience: PATIENCE,
        };
        self.call(request).await;
    }
}

/// Many renewals, of which each is recorded under its own type.
fn batch(target_type: &str, replica: usize, body: Option<Value>) -> Request<'_> {
    Request {
        kind: Kind::BatchHeartbeat,
        target_type,
        replica,
        method: Method::POST,
        path: "/sessions/heartbeats",
        body,
        session: None,
        key: None,
        patience: PATIENCE,
    }
}

/// The session that a create answered with, and when it was asked for.
fn made(seen: Seen) -> Option<(Value, Micros)> {
    let answer = seen.answer.filter(|answer| matches!(answer.status, 200..=202))?;
    Some((answer.body, seen.from))
}
