//! Discovery, on the real Docker engine and a real Redis.

mod engine;
mod fixed;
mod insight;
mod loss;
mod operator;
mod order;
mod quarantine;
mod replicas;

use std::{sync::Arc, time::Duration};

use leasehold::{
    config::{Config, DockerConfig, ProbeKind, ProviderConfig, ResetKind},
    discovery,
    metrics::Metrics,
    model::{Container, ContainerId, EndReason, OwnerName, ProviderName, Session, SessionId, TargetType},
    provider,
    store::{Allocated, Allocation, Polled, ProviderStatus, Store},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::common::{docker::Engine, eventually, redis::Redis};

/// The longest that anything may take to be noticed. Timings are for the benchmarks; this only ends a test that fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// An engine, a Redis, and discovery between them. Full looks are rare, so that what is noticed is noticed by events.
pub struct Bench {
    pub engine: Engine,
    pub redis: Redis,
    pub store: Store,
    pub config: Config,
    pub provider: ProviderName,
    discoverers: Vec<Discoverer>,
}

/// A replica that discovers.
pub struct Discoverer {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Discoverer {
    /// Ends it as SIGTERM does.
    pub async fn end(self) {
        self.shutdown.cancel();
        self.task.await.expect("it ends well");
    }

    /// Ends it as SIGKILL does.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

impl Bench {
    /// Without a discoverer yet, on the local engine unless `change` says otherwise.
    pub async fn new(change: impl FnOnce(&mut Config)) -> Self {
        Self::of_type(|config, _| change(config)).await
    }

    /// The same, where what is changed is of the test's type.
    async fn of_type(change: impl FnOnce(&mut Config, TargetType)) -> Self {
        let (engine, redis) = (Engine::new().await, Redis::start());
        let mut config = Config::default();
        config.redis.url = redis.url().into();
        config.discovery.label = engine.label();
        config.discovery.resync = Duration::from_mins(10);
        config.discovery.compose_services = false;
        config.discovery.guide_label = format!("{}.guide", engine.label());
        config.health.kind = ProbeKind::None;
        // Nobody would make them clean.
        config.reset.kind = ResetKind::None;
        config.provider = vec![docker(None)];
        // There is no other replica that knows more.
        config.recovery.gather = Duration::ZERO;
        change(&mut config, engine.run().parse().expect("a valid type"));
        let store = Store::connect(&config, Arc::new(Metrics::new())).expect("a good address");
        let provider = config.provider[0].name().clone();
        Self { engine, redis, store, config, provider, discoverers: Vec::new() }
    }

    /// The same with one discoverer, which has looked once.
    pub async fn discovering(change: impl FnOnce(&mut Config)) -> Self {
        Self::discovering_type(|config, _| change(config)).await
    }

    /// The same, where what is changed is of the test's type.
    pub async fn discovering_type(change: impl FnOnce(&mut Config, TargetType)) -> Self {
        let mut bench = Self::of_type(change).await;
        let first = bench.discover("first");
        bench.discoverers.push(first);
        eventually("a first look", PATIENCE, async || bench.status().await.age).await;
        bench
    }

    /// Starts a replica's discovery.
    pub fn discover(&self, replica: &str) -> Discoverer {
        let shutdown = CancellationToken::new();
        let providers = provider::from_config(&self.config).expect("good providers");
        let task = tokio::spawn(discovery::run(
            self.store.for_worker(),
            providers,
            Arc::new(self.config.clone()),
            replica.to_owned(),
            shutdown.clone(),
        ));
        Discoverer { shutdown, task }
    }

    /// A type of this test's own.
    pub fn target_type(&self) -> TargetType {
        self.engine.run().parse().expect("a valid type")
    }

    pub async fn status(&self) -> ProviderStatus {
        self.store.provider_status(&self.provider).await.unwrap()
    }

    /// The container as the registry has it.
    pub async fn container(&self, target_type: &TargetType, id: &str) -> Option<Container> {
        self.store.container(target_type, &container_id(id)).await.unwrap()
    }

    /// Waits until the registry has the container like this.
    pub async fn container_that(&self, what: &str, id: &str, like: impl Fn(&Container) -> bool) -> Container {
        let target_type = self.target_type();
        eventually(what, PATIENCE, async || self.container(&target_type, id).await.filter(&like)).await
    }

    /// Waits until the registry has no such container.
    pub async fn gone(&self, id: &str) {
        let target_type = self.target_type();
        eventually("it is gone", PATIENCE, async || self.container(&target_type, id).await.is_none().then_some(()))
            .await;
    }

    /// Asks for a full look and waits for it.
    pub async fn look(&self) {
        assert!(self.store.ask_for_look(&self.provider, PATIENCE).await.unwrap(), "nobody looked");
    }

    /// A session on a container of this test's type.
    pub async fn session(&self) -> Session {
        match self.allocated().await {
            Allocated::Ready(session) => session,
            other => panic!("no session: {other:?}"),
        }
    }

    /// What a create without waiting gives.
    pub async fn allocated(&self) -> Allocated {
        let target_type = self.target_type();
        let owner: OwnerName = "tester".parse().unwrap();
        let new = Allocation::new(SessionId::new(&target_type), &owner, Duration::from_mins(1));
        self.store.allocate(&target_type, &new).await.unwrap()
    }

    /// Why the session ended; none while it lives.
    pub async fn end_of(&self, session: &Session) -> Option<EndReason> {
        match self.store.poll(&self.target_type(), session.id, None, false, false, None).await.unwrap() {
            Polled::Session(session) => session.end_reason,
            other => panic!("forgotten: {other:?}"),
        }
    }

    /// Waits until the session has ended.
    pub async fn ended(&self, session: &Session) -> EndReason {
        eventually("the session ends", PATIENCE, async || self.end_of(session).await).await
    }
}

/// The engine as a provider.
pub fn docker(address: Option<String>) -> ProviderConfig {
    let name = "docker".parse().unwrap();
    ProviderConfig::Docker(DockerConfig { name, address, tls: None, advertise_host: None })
}

pub fn container_id(id: &str) -> ContainerId {
    id.parse().unwrap()
}
