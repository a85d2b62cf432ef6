//! The HTTP API, through the real binary on a real Redis.

mod audit;
mod auth;
mod containers;
mod dashboard;
mod guide;
mod input;
mod limits;
mod line;
mod openapi;
mod operation;
mod operator;
mod sessions;
mod types;

use serde_json::{Value, json};

use crate::common::{
    http::{Answer, Http},
    redis::Redis,
    replica::{Replica, Settings, farm},
};

/// A Redis, and replicas on it that lend so many wine containers.
pub struct Service {
    pub replicas: Vec<Replica>,
    pub redis: Redis,
}

impl Service {
    pub async fn start(replicas: usize, containers: usize) -> Self {
        Self::start_with(replicas, containers, |settings| settings).await
    }

    pub async fn start_with(replicas: usize, containers: usize, change: impl Fn(Settings) -> Settings) -> Self {
        let redis = Redis::start();
        let settings = change(Settings::toml(farm("wine", containers)));
        let mut started = Vec::new();
        for _ in 0..replicas {
            started.push(Replica::start_with_available(&redis.url(), &settings, containers as u64).await);
        }
        Self { replicas: started, redis }
    }

    /// A client of the first replica.
    pub fn http(&self) -> Http {
        self.replicas[0].http()
    }
}

/// The smallest body of a create.
pub fn wine() -> Value {
    json!({ "target_type": "wine" })
}

/// A create that must be ready; the session's id and the answer.
pub async fn ready(http: &Http) -> (String, Answer) {
    let answer = http.post("/sessions", wine()).await.expect(201);
    (answer.text_at("/id"), answer)
}
