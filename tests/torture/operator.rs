//! Operators at work: they cordon, drain, uncordon and restart containers and end their quarantine, whatever else is done to the
//! system.

use std::{ops::Range, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::{
    client::TTL_MOST,
    history::{Fault, FaultKind, Harm, Micros, Record},
    world::World,
};

/// How many there are; each has containers of its own.
pub const OPERATORS: usize = 2;

/// How long an operator waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// After its session was ended by force, a container rests until its holder, who may not have heard of it, has stopped by itself.
const REST: Duration = Duration::from_millis(TTL_MOST * 1000 + 500);

/// For so long all replicas must have found nothing cordoned: what was lost is put back within a second.
const QUIET: Duration = Duration::from_millis(1500);

/// For so long after the load it tries on.
const BEYOND: Duration = Duration::from_secs(30);

/// One of them.
pub struct Operator<'a> {
    world: &'a World,
    random: StdRng,
    containers: Vec<String>,
    /// When it gives up: sentinels may find no primary any more.
    last: Micros,
}

impl<'a> Operator<'a> {
    pub fn new(world: &'a World, number: usize) -> Self {
        let random = StdRng::seed_from_u64(world.plan.seed ^ (0x6f70_6572_6174_6f00 + number as u64));
        let containers = world.ids().into_iter().skip(number).step_by(OPERATORS).collect();
        Self { world, random, containers, last: Micros::MAX }
    }

    /// Works until the deadline; what it cordoned last may stay so.
    pub async fn work(mut self, deadline: Micros) {
        self.last = deadline + BEYOND.as_micros() as Micros;
        while self.world.history.now() < deadline {
            self.pause(200..1500).await;
            let container = self.containers[self.random.random_range(0..self.containers.len())].clone();
            let from = self.world.history.now();
            let (kind, what) = match self.random.random_range(0..14) {
                0..4 => {
                    self.act(&container, "POST", "cordon", json!({})).await;
                    self.pause(100..1500).await;
                    (FaultKind::ContainerCordoned, container.clone())
                }
                4..7 => {
                    let deadline_seconds = self.random.random_range(0..3);
                    self.act(&container, "POST", "drain", json!({ "deadline_seconds": deadline_seconds })).await;
                    self.pause(500..3000).await;
                    (FaultKind::ContainerDrained, container.clone())
                }
                7..10 => {
                    let deadline_seconds = self.random.random_range(0..2);
                    let body = json!({ "deadline_seconds": deadline_seconds, "force": true });
                    self.act(&container, "POST", "drain", body).await;
                    self.until_free(&container).await;
                    tokio::time::sleep(REST).await;
                    (FaultKind::ContainerDrained, format!("{container} by force"))
                }
                10 | 11 => {
                    // Refused where a session has it, and where its provider only lists it.
                    self.act(&container, "POST", "restart", json!({})).await;
                    (FaultKind::RestartAsked, container.clone())
                }
                12 => {
                    // Short, for what rests at the end is waited for.
                    let rest_seconds = self.random.random_range(1..4);
                    self.act(&container, "POST", "quarantine", json!({ "rest_seconds": rest_seconds })).await;
                    (FaultKind::Quarantined, container.clone())
                }
                _ => {
                    self.act(&container, "DELETE", "quarantine", json!({})).await;
                    (FaultKind::QuarantineLifted, container.clone())
                }
            };
            self.act(&container, "POST", "uncordon", json!({})).await;
            let to = self.world.history.now();
            self.world.history.add(&Record::Fault(Fault { kind, what, from, to, harm: Harm::None }));
        }
    }

    async fn pause(&mut self, millis: Range<u64>) {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(millis))).await;
    }

    /// Until no session has it, or it is gone.
    async fn until_free(&mut self, container: &str) {
        while self.world.history.now() < self.last {
            let shown = call(self.world, self.replica(), "GET", &format!("/containers/{container}"), None).await;
            match shown {
                Some((404, _)) => return,
                Some((200, shown)) if shown["allocated_to"].is_null() => return,
                _ => self.pause(50..200).await,
            }
        }
    }

    /// Asks one replica after the other until one has done or refused it.
    async fn act(&mut self, container: &str, method: &str, verb: &str, body: Value) {
        let path = format!("/containers/{container}/{verb}");
        while self.world.history.now() < self.last {
            match call(self.world, self.replica(), method, &path, Some(body.clone())).await {
                Some((200 | 404 | 409, _)) => return,
                _ => self.pause(50..200).await,
            }
        }
    }

    fn replica(&mut self) -> usize {
        self.random.random_range(0..self.world.plan.replicas)
    }
}

/// Uncordons all, also what comes back because Redis lost that it was uncordoned.
pub async fn leave(world: &World) {
    let mut quiet = world.history.now();
    let last = quiet + BEYOND.as_micros() as Micros;
    while world.history.now() < last.min(quiet + QUIET.as_micros() as Micros) {
        match call(world, 0, "GET", "/containers?limit=1000", None).await {
            Some((200, listing)) => {
                for one in listing["containers"].as_array().into_iter().flatten().filter(|one| one["cordoned"] == true)
                {
                    let path = format!("/containers/{}/uncordon", one["id"].as_str().expect("an id"));
                    call(world, 0, "POST", &path, Some(json!({}))).await;
                    quiet = world.history.now();
                }
            }
            _ => quiet = world.history.now(),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A call of one replica; none when it is away or silent.
async fn call(world: &World, replica: usize, method: &str, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
    let http = world.http(replica).await?;
    let method = method.parse().expect("a method");
    let answer = tokio::time::timeout(PATIENCE, http.try_call(method, path, body, &[])).await.ok()?.ok()?;
    Some((answer.status, answer.body))
}
