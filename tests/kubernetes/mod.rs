//! Pods of a cluster, by the real client, the real discoverer and a real Redis. The cluster is a stub that speaks the real protocol,
//! for none can be had here; what `pods.rs` asks runs against a real one as well when `KUBECONFIG` names it.

mod cluster;
mod controller;
mod faults;
mod keep;
mod machines;
mod pods;
mod reset;
mod scale;
mod stub;

use std::{sync::Arc, time::Duration};

use leasehold::{
    config::{Config, KubernetesConfig, ProbeKind, ProviderConfig, ResetKind},
    discovery,
    metrics::Metrics,
    model::{Container, EndReason, OwnerName, PoolState, ProviderName, Session, SessionId, TargetType},
    provider::{self, Provider},
    store::{Allocated, Allocation, Polled, ProviderStatus, Store},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::cluster::Cluster;
use crate::common::{eventually, redis::Redis};

/// The longest that anything may take to be noticed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The labels of a pod that takes part.
fn wine() -> Value {
    json!({"leasehold.type": "wine"})
}

/// A cluster, a Redis, and discovery between them. Full looks are rare, so that what is noticed is noticed by the watch.
struct Lab {
    cluster: Cluster,
    /// Ends with the test.
    redis: Redis,
    store: Store,
    config: Arc<Config>,
    provider: Arc<dyn Provider>,
    wine: TargetType,
    shutdown: CancellationToken,
}

impl Lab {
    /// Where any cluster will do.
    async fn new() -> Self {
        Self::on(Cluster::any().await, |_| {}).await
    }

    /// Where only the stub will.
    async fn on_stub(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Cluster::stub().await, change).await
    }

    /// With one discoverer, which has looked once.
    async fn on(cluster: Cluster, change: impl FnOnce(&mut Config)) -> Self {
        let lab = Self::idle(cluster, change);
        lab.discover();
        eventually("a first look", PATIENCE, async || lab.status().await.age).await;
        lab
    }

    /// Without a discoverer.
    fn idle(cluster: Cluster, change: impl FnOnce(&mut Config)) -> Self {
        let redis = Redis::start();
        let mut config = Config::default();
        config.redis.url = redis.url().into();
        config.discovery.resync = Duration::from_mins(10);
        config.health.kind = ProbeKind::None;
        config.reset.kind = ResetKind::None;
        config.recovery.gather = Duration::ZERO;
        config.provider = vec![ProviderConfig::Kubernetes(KubernetesConfig {
            name: "lab".parse().unwrap(),
            namespaces: vec![cluster.namespace.clone()],
            kubeconfig: Some(cluster.kubeconfig.clone()),
            context: None,
            mark_pods: true,
        })];
        change(&mut config);
        let store = Store::connect(&config, Arc::new(Metrics::new())).expect("a good address");
        let provider = provider::from_config(&config).expect("a good provider").remove(0);
        let (wine, shutdown) = ("wine".parse().unwrap(), CancellationToken::new());
        Self { cluster, redis, store, config: Arc::new(config), provider, wine, shutdown }
    }

    fn discover(&self) {
        let providers = vec![self.provider.clone()];
        let (store, config) = (self.store.for_worker(), self.config.clone());
        tokio::spawn(discovery::run(store, providers, config, "first".to_owned(), self.shutdown.clone()));
    }

    async fn status(&self) -> ProviderStatus {
        self.store.provider_status(&self.name()).await.unwrap()
    }

    fn name(&self) -> ProviderName {
        self.provider.name().clone()
    }

    /// Asks for a full look and waits for it.
    async fn look(&self) {
        assert!(self.store.ask_for_look(&self.name(), PATIENCE).await.unwrap(), "nobody looked");
    }

    async fn container(&self, id: &str) -> Option<Container> {
        self.store.container(&self.wine, &id.parse().unwrap()).await.unwrap()
    }

    /// Waits until the registry has the container like this.
    async fn becomes(&self, what: &str, id: &str, like: impl Fn(&Container) -> bool) -> Container {
        eventually(what, PATIENCE, async || self.container(id).await.filter(&like)).await
    }

    async fn available(&self, id: &str) -> Container {
        self.becomes("it is available", id, |one| one.pool_state == PoolState::Available).await
    }

    async fn gone(&self, id: &str) {
        eventually("it is gone", PATIENCE, async || self.container(id).await.is_none().then_some(())).await;
    }

    async fn allocated(&self) -> Allocated {
        let owner: OwnerName = "tester".parse().unwrap();
        let new = Allocation::new(SessionId::new(&self.wine), &owner, Duration::from_mins(1));
        self.store.allocate(&self.wine, &new).await.unwrap()
    }

    async fn session(&self) -> Session {
        match self.allocated().await {
            Allocated::Ready(session) => session,
            other => panic!("no session: {other:?}"),
        }
    }

    async fn release(&self, session: &Session) {
        self.store.release(&self.wine, session.id, None, None, EndReason::Released).await.unwrap();
    }

    /// Why the session ended; none while it lives.
    async fn end_of(&self, session: &Session) -> Option<EndReason> {
        match self.store.poll(&self.wine, session.id, None, false, false, None).await.unwrap() {
            Polled::Session(session) => session.end_reason,
            other => panic!("forgotten: {other:?}"),
        }
    }

    async fn ended(&self, session: &Session) -> EndReason {
        eventually("the session ends", PATIENCE, async || self.end_of(session).await).await
    }

    /// Ends discovery, and removes what was made in the cluster.
    async fn clean_up(self) {
        self.shutdown.cancel();
        self.cluster.clean_up().await;
    }
}
