//! The scripts, one by one, through the store on a real Redis.

mod audit;
mod borrow;
mod fair;
mod history;
mod kept;
mod leases;
mod limits;
mod line;
mod model;
mod operator;
mod overdue;
mod quarantine;
mod recovery;
mod registry;
mod resets;
mod scale;
mod unclean;

use std::{sync::Arc, time::Duration};

use leasehold::{
    config::Config,
    metrics::Metrics,
    model::{
        About, Container, ContainerId, EngineHealth, EngineState, Observation, OwnerName, Session, SessionId,
        TargetType,
    },
    store::{Allocated, Allocation, Discovered, ObservationMark, ProbeReport, Store, StoreError},
};

use crate::common::redis::Redis;

/// A Redis, a store on it, and the owner that the tests use.
pub struct Bench {
    pub redis: Redis,
    pub store: Store,
    pub wine: TargetType,
    pub owner: OwnerName,
    pub config: Config,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let redis = Redis::start();
        let mut config = Config::default();
        config.redis.url = redis.url().into();
        config.prefix = "test".into();
        // What these stores know was heard of just now, or there is nobody who knows more.
        config.recovery.gather = Duration::ZERO;
        change(&mut config);
        let store = Store::connect(&config, Arc::new(Metrics::new())).expect("a good address");
        Self { redis, store, wine: "wine".parse().unwrap(), owner: "backend".parse().unwrap(), config }
    }

    /// Adds running containers without probes.
    pub async fn containers(&self, names: &[&str]) {
        let all: Vec<_> = names.iter().map(|name| running(name)).collect();
        self.store.add_types(std::slice::from_ref(&self.wine)).await.unwrap();
        self.store.observe(&self.wine, &mark(1, 1), &all).await.unwrap();
    }

    pub async fn allocate(&self) -> Allocated {
        self.allocate_with(|_| {}).await
    }

    pub async fn allocate_with<'a>(&'a self, change: impl FnOnce(&mut Allocation<'a>)) -> Allocated {
        self.try_allocate(change).await.unwrap()
    }

    pub async fn try_allocate<'a>(&'a self, change: impl FnOnce(&mut Allocation<'a>)) -> Result<Allocated, StoreError> {
        let mut new = self.allocation(SessionId::new(&self.wine));
        change(&mut new);
        self.store.allocate(&self.wine, &new).await
    }

    /// One that asks for nothing special.
    pub fn allocation(&self, id: SessionId) -> Allocation<'_> {
        Allocation::new(id, &self.owner, Duration::from_mins(1))
    }

    /// A session that must be ready.
    pub async fn ready(&self) -> Session {
        match self.allocate().await {
            Allocated::Ready(session) => session,
            other => panic!("not ready: {other:?}"),
        }
    }

    /// A session that must be queued.
    pub async fn queued(&self) -> Session {
        match self.allocate_with(|new| new.wait = true).await {
            Allocated::Queued(session) => session,
            other => panic!("not queued: {other:?}"),
        }
    }

    pub async fn container(&self, name: &str) -> Option<Container> {
        self.store.container(&self.wine, &name.parse().unwrap()).await.unwrap()
    }

    /// What is in a sorted set of the type.
    pub fn members(&self, set: &str) -> Vec<String> {
        redis::cmd("ZRANGE").arg(self.key(set)).arg(0).arg(-1).query(&mut self.redis.conn()).unwrap()
    }

    /// The kinds of all events, in order.
    pub fn events(&self) -> Vec<String> {
        let rows: Vec<(String, Vec<String>)> =
            redis::cmd("XRANGE").arg(self.key("events")).arg("-").arg("+").query(&mut self.redis.conn()).unwrap();
        rows.into_iter().map(|(_, fields)| fields[1].clone()).collect()
    }

    pub fn key(&self, name: &str) -> String {
        format!("{}:{{{}}}:{name}", self.config.prefix, self.wine)
    }

    /// Makes pool time pass, by moving its offset.
    pub fn pass(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        let _: i64 = redis::cmd("HINCRBY")
            .arg(self.key("epoch"))
            .arg("offset")
            .arg(-millis)
            .query(&mut self.redis.conn())
            .unwrap();
    }

    pub async fn report(&self, name: &str, era: u64, failure: Option<&str>) {
        let report =
            ProbeReport { id: id(name), era, claimed: u64::MAX, failure: failure.map(str::to_owned), rise: 1, fall: 3 };
        self.store.report_probes(&self.wine, &[report]).await.unwrap();
    }
}

pub fn id(name: &str) -> ContainerId {
    name.parse().unwrap()
}

pub fn mark(generation: u64, sequence: u64) -> ObservationMark {
    ObservationMark { provider: "lab".parse().unwrap(), generation, sequence }
}

pub fn running(name: &str) -> Discovered {
    Discovered {
        observation: Observation {
            id: id(name),
            target_type: "wine".parse().unwrap(),
            incarnation: "first".to_owned(),
            started: None,
            state: EngineState::Running,
            health: EngineHealth::None,
            about: About { name: name.to_owned(), ..About::default() },
        },
        probed: false,
        resets: false,
        cuts_off: false,
        after_loss: None,
        fresh_within: None,
        quarantine: None,
    }
}
