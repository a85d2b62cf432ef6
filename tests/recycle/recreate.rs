//! Containers are made anew, whoever dies meanwhile.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use bollard::models::ContainerInspectResponse;
use futures_util::{
    FutureExt as _,
    future::{self, BoxFuture},
    stream::BoxStream,
};
use jiff::Timestamp;
use leasehold::{
    config::{Config, ResetKind},
    model::{Container, ContainerId, EngineState, Observation, PoolState, ProviderName, ResetState},
    provider::{self, Capabilities, Change, Provider, ProviderError},
};

use super::{PATIENCE, Recycled, available};
use crate::common::{docker, eventually};

/// Longer than any step takes here.
const DEADLINE: Duration = Duration::from_secs(20);

fn recreate(config: &mut Config) {
    config.reset.kind = ResetKind::Recreate;
    config.reset.deadline = DEADLINE;
}

/// Where a worker dies: before or after a step, whose name this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    Before(&'static str),
    After(&'static str),
}

/// The engine, with a worker that comes no further than to a point.
struct Dying {
    inner: Arc<dyn Provider>,
    at: Dies,
    arrived: Arc<Mutex<bool>>,
}

impl Dying {
    async fn step<T>(&self, name: &'static str, act: impl Future<Output = T>) -> T {
        if self.at == Dies::Before(name) {
            self.hang().await;
        }
        let done = act.await;
        if self.at == Dies::After(name) {
            self.hang().await;
        }
        done
    }

    async fn hang(&self) {
        *self.arrived.lock().unwrap() = true;
        future::pending::<()>().await;
    }
}

impl Provider for Dying {
    fn name(&self) -> &ProviderName {
        self.inner.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observation>, ProviderError>> {
        self.inner.list()
    }

    fn inspect<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<Option<Observation>, ProviderError>> {
        self.inner.inspect(id)
    }

    fn clock(&self) -> BoxFuture<'_, Option<Timestamp>> {
        self.inner.clock()
    }

    fn watch(&self) -> BoxStream<'_, Result<Change, ProviderError>> {
        self.inner.watch()
    }

    fn definition<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<String, ProviderError>> {
        self.step("definition", self.inner.definition(id)).boxed()
    }

    fn retire<'a>(
        &'a self,
        id: &'a ContainerId,
        definition: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.step("retire", self.inner.retire(id, definition, within)).boxed()
    }

    fn replacement<'a>(
        &'a self,
        id: &'a ContainerId,
        definition: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, Result<ContainerId, ProviderError>> {
        self.step("replacement", self.inner.replacement(id, definition, within)).boxed()
    }

    fn start<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.step("start", self.inner.start(id, within)).boxed()
    }

    fn remove<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.step("remove", self.inner.remove(id, within)).boxed()
    }
}

impl Recycled {
    /// Has a worker come as far as this, and kills it.
    async fn killed(&self, at: Dies) {
        let arrived = Arc::new(Mutex::new(false));
        let engine = provider::from_config(&self.bench.config).unwrap().remove(0);
        let worker = self.worker_with(vec![Arc::new(Dying { inner: engine, at, arrived: arrived.clone() })]);
        eventually(&format!("a worker comes {at:?}"), PATIENCE, async || arrived.lock().unwrap().then_some(())).await;
        worker.kill().await;
        self.pass(DEADLINE + Duration::from_secs(10));
    }

    /// Every container of the test's type.
    pub(super) async fn all(&self) -> Vec<Container> {
        self.bench.store.containers(&self.bench.target_type(), false, "", 100).await.unwrap().0
    }

    /// Waits until exactly one is there, available, and another than the first.
    pub(super) async fn anew(&self) -> Container {
        eventually("one is there in its place", PATIENCE, async || {
            let mut all = self.all().await;
            let fine = all.len() == 1 && all[0].id.as_str() != self.id && available(&all[0]);
            if fine { all.pop() } else { None }
        })
        .await
    }

    async fn inspect(&self, id: &str) -> ContainerInspectResponse {
        self.bench.engine.inspect(id).await
    }
}

/// A port of the machine that nobody has now.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What must be the same of the new one.
fn kept(found: &ContainerInspectResponse) -> serde_json::Value {
    let config = found.config.clone().unwrap();
    let host = found.host_config.clone().unwrap();
    let mut labels = config.labels.unwrap();
    labels.remove("leasehold.replaces");
    let networks = found.network_settings.clone().unwrap().networks.unwrap();
    let networks: Vec<_> = networks
        .into_iter()
        .map(|(name, network)| {
            let desk = network.aliases.unwrap_or_default().contains(&"desk".to_owned());
            (name, desk)
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    serde_json::json!({
        "name": found.name, "image": found.image, "image_name": config.image, "labels": labels, "cmd": config.cmd,
        "stop_signal": config.stop_signal, "binds": host.binds, "ports": host.port_bindings, "mode": host.network_mode,
        "restart": host.restart_policy, "networks": networks,
    })
}

#[tokio::test]
async fn case_39_a_recreate_is_finished_wherever_its_worker_was_killed() {
    let recycled = Recycled::new(recreate, |target| target).await;
    let engine = &recycled.bench.engine;
    engine.remove(&recycled.id).await;
    recycled.bench.gone(&recycled.id).await;
    let (network, more, volume) = (engine.network().await, engine.network().await, docker::volume(engine.run()));
    let target = engine
        .target(engine.run())
        .label("com.example.project", "desktops")
        .network(&network)
        .also_on(&more)
        .publish_at(5900, free_port())
        .bind(format!("{volume}:/home"))
        .restarting();
    let mut recycled = Recycled { id: engine.start(target).await, ..recycled };
    recycled.becomes("it is found", available).await;
    let first = kept(&recycled.inspect(&recycled.id).await);
    let steps = ["definition", "retire", "replacement", "start", "remove"];
    for at in steps.iter().flat_map(|step| [Dies::Before(step), Dies::After(step)]) {
        let before = recycled.used().await;
        recycled.killed(at).await;
        assert!(!recycled.all().await.iter().any(available), "{at:?}: given out before it is made anew");
        let second = recycled.worker();
        let one = recycled.anew().await;
        second.end().await;
        let after = recycled.inspect(one.id.as_str()).await;
        assert_eq!(kept(&after), first, "{at:?}");
        assert!(after.state.unwrap().running.unwrap(), "{at:?}");
        assert_eq!(recycled.bench.engine.containers().await.len(), 1, "{at:?}: something is left over");
        let session = recycled.bench.session().await;
        let token = |session: &leasehold::model::Session| session.lease.as_ref().unwrap().fencing_token;
        assert!(token(&session) > token(&before), "{at:?}");
        recycled.bench.look().await;
        assert_eq!(recycled.bench.end_of(&session).await, None, "{at:?}: the new one's session ended");
        let left = recycled.left();
        assert!(left.is_empty(), "{at:?}: {left:?}");
        recycled.id = one.id.to_string();
        recycled.give_back(&session).await;
        let worker = recycled.worker();
        let one = recycled.anew().await;
        worker.end().await;
        recycled.id = one.id.to_string();
    }
}

impl Recycled {
    /// What is kept of containers that are being made anew.
    fn left(&self) -> Vec<String> {
        let mut command = redis::cmd("KEYS");
        command.arg("*definition:*");
        command.query(&mut self.bench.redis.conn()).unwrap()
    }
}

#[tokio::test]
async fn case_39_an_old_container_that_goes_in_between_is_made_anew_all_the_same() {
    for at in [Dies::After("retire"), Dies::After("start")] {
        let recycled = Recycled::new(recreate, |target| target).await;
        recycled.used().await;
        recycled.killed(at).await;
        recycled.bench.engine.remove(&recycled.id).await;
        recycled.bench.gone(&recycled.id).await;
        let worker = recycled.worker();
        recycled.anew().await;
        worker.end().await;
        assert!(recycled.left().is_empty(), "{at:?}");
    }
}

#[tokio::test]
async fn case_39_a_worker_that_died_between_two_calls_of_the_engine_is_no_different() {
    let recycled = Recycled::new(recreate, |target| target).await;
    recycled.used().await;
    recycled.killed(Dies::After("definition")).await;
    // To retire it is to stop it and then to rename it.
    recycled.bench.engine.stop(&recycled.id).await;
    let first = kept(&recycled.inspect(&recycled.id).await);
    recycled.becomes("that it stopped is seen", |one| one.state != EngineState::Running).await;
    let worker = recycled.worker();
    let one = recycled.anew().await;
    worker.end().await;
    assert_eq!(kept(&recycled.inspect(one.id.as_str()).await), first);
    assert!(one.quarantine.is_none() && recycled.left().is_empty(), "{one:?}");
}

#[tokio::test]
async fn a_cordon_goes_over_to_the_container_that_is_made_anew() {
    let recycled = Recycled::new(recreate, |target| target).await;
    let session = recycled.bench.session().await;
    let target_type = recycled.bench.target_type();
    recycled.bench.store.cordon(&target_type, &recycled.id.parse().unwrap(), "ops").await.unwrap().unwrap();
    recycled.give_back(&session).await;
    let worker = recycled.worker();
    let one = recycled.anew().await;
    worker.end().await;
    assert_eq!(one.cordoned_by.as_deref(), Some("ops"));
    assert!(matches!(recycled.bench.allocated().await, leasehold::store::Allocated::Shortage(None)));
    recycled.bench.store.uncordon(&target_type, &one.id, "ops").await.unwrap().unwrap();
    recycled.bench.session().await;
}

#[tokio::test]
async fn a_container_that_cannot_be_made_anew_rests_with_the_reason() {
    let first_try_only = |config: &mut Config| {
        recreate(config);
        config.reset.attempts = 1;
    };
    let recycled = Recycled::new(first_try_only, |target| target).await;
    recycled.used().await;
    recycled.killed(Dies::After("definition")).await;
    // The first attempt died; the limit is looked at by the next claim.
    let worker = recycled.worker();
    let failed = |one: &Container| one.reset.as_ref().is_some_and(|reset| reset.state == ResetState::Failed);
    let one = recycled.becomes("it fails", failed).await;
    worker.end().await;
    assert_eq!(one.pool_state, PoolState::Unhealthy);
    assert_eq!(one.health.reason.as_deref(), Some("its reset fails: no worker reported in time"));
}
