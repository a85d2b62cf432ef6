//! Containers that vanish, come back and restart: a provider whose containers are the harness's targets. The real discovery keeps the
//! registry in step with it, from the harness's own process.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use jiff::Timestamp;
use leasehold::{
    model::{About, ContainerId, Endpoint, EngineHealth, EngineState, Observation, ProviderName, TargetType},
    provider::{Capabilities, Change, Provider, ProviderError},
};
use tokio::sync::broadcast;

use super::{history::History, target::Target};

/// The name of the endpoint at which a container is used and probed.
pub const CONTROL: &str = "control";

/// What is in the ids of containers that were added for demand.
pub const ADDED: &str = "-added-";

/// The label of what was added for demand.
const SCALED_LABEL: &str = "leasehold.scaled";

/// How long the restart of a container takes that is made clean.
const RESTART_TAKES: Duration = Duration::from_millis(100);

/// The provider.
pub struct Farm {
    name: ProviderName,
    /// Those that it began with: faults are for them.
    own: Vec<ContainerId>,
    /// How many were added for demand.
    added: AtomicUsize,
    present: Mutex<BTreeMap<ContainerId, Container>>,
    changes: broadcast::Sender<ContainerId>,
    history: Arc<History>,
}

struct Container {
    target_type: TargetType,
    /// None while it is gone.
    target: Option<Target>,
    /// For demand.
    added: bool,
    started: u64,
    /// The start of this one.
    at: Timestamp,
}

impl Farm {
    /// With these containers, all of them running.
    pub async fn new(containers: Vec<(ContainerId, TargetType)>, history: Arc<History>) -> Arc<Self> {
        let own = containers.iter().map(|(id, _)| id.clone()).collect();
        let mut present = BTreeMap::new();
        for (id, target_type) in containers {
            let target = Some(Target::start(id.as_str(), history.clone()).await);
            present.insert(id, Container { target_type, target, added: false, started: 1, at: Timestamp::now() });
        }
        let name = "farm".parse().expect("a name");
        let (present, changes) = (Mutex::new(present), broadcast::channel(1024).0);
        Arc::new(Self { name, own, added: AtomicUsize::new(0), present, changes, history })
    }

    /// Those that it began with.
    pub fn ids(&self) -> Vec<ContainerId> {
        self.own.clone()
    }

    /// Whether nothing is left of what was added for demand.
    pub fn is_small(&self) -> bool {
        self.present.lock().expect("the containers").len() == self.own.len()
    }

    /// Removes it; whoever uses it is cut off.
    pub fn vanish(&self, id: &ContainerId) {
        self.change(id, |container| container.target = None);
    }

    /// Starts it under the same id: another incarnation, whether it was gone or not.
    pub async fn restart(&self, id: &ContainerId) {
        let target = Target::start(id.as_str(), self.history.clone()).await;
        self.change(id, |container| {
            container.target = Some(target);
            container.started += 1;
            container.at = Timestamp::now();
        });
    }

    /// What the next probes find.
    pub fn set_healthy(&self, id: &ContainerId, healthy: bool) {
        if let Some(target) = &self.present.lock().expect("the containers")[id].target {
            target.set_healthy(healthy);
        }
    }

    fn change(&self, id: &ContainerId, how: impl FnOnce(&mut Container)) {
        // What was added for demand may be gone meanwhile.
        let mut present = self.present.lock().expect("the containers");
        let Some(container) = present.get_mut(id) else { return };
        how(container);
        drop(present);
        // Nobody may be watching now: the next full look shows it.
        let _ = self.changes.send(id.clone());
    }

    fn look(&self, id: &ContainerId) -> Option<Observation> {
        let present = self.present.lock().expect("the containers");
        let container = present.get(id)?;
        let port = container.target.as_ref()?.port();
        let address = Some(format!("127.0.0.1:{port}"));
        let endpoint = Endpoint { address: address.clone(), internal: address };
        Some(Observation {
            id: id.clone(),
            target_type: container.target_type.clone(),
            incarnation: format!("start-{}", container.started),
            started: Some(container.at),
            state: EngineState::Running,
            health: EngineHealth::None,
            about: About {
                name: id.to_string(),
                ports: [(port.to_string(), port)].into(),
                endpoints: [(CONTROL.to_owned(), endpoint)].into(),
                labels: container.added.then(|| (SCALED_LABEL.to_owned(), id.to_string())).into_iter().collect(),
                ..About::default()
            },
        })
    }
}

impl Provider for Farm {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { watch: true, act: true, restart: true, grow: true, ..Capabilities::default() }
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observation>, ProviderError>> {
        let ids: Vec<_> = self.present.lock().expect("the containers").keys().cloned().collect();
        future::ok(ids.iter().filter_map(|id| self.look(id)).collect()).boxed()
    }

    fn inspect<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<Option<Observation>, ProviderError>> {
        future::ok(self.look(id)).boxed()
    }

    fn restart<'a>(&'a self, id: &'a ContainerId, _within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        async move {
            tokio::time::sleep(RESTART_TAKES).await;
            if self.look(id).is_none() {
                return Err(ProviderError::Gone);
            }
            Self::restart(self, id).await;
            Ok(())
        }
        .boxed()
    }

    fn definition<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<String, ProviderError>> {
        let present = self.present.lock().expect("the containers");
        let definition = present.get(id).map(|container| container.target_type.to_string());
        future::ready(definition.ok_or(ProviderError::Gone)).boxed()
    }

    fn more<'a>(&'a self, definition: &'a str, _within: Duration) -> BoxFuture<'a, Result<ContainerId, ProviderError>> {
        async move {
            let target_type: TargetType = definition.parse().expect("a definition of the farm");
            let number = self.added.fetch_add(1, Ordering::Relaxed);
            let id: ContainerId = format!("farm.{target_type}{ADDED}{number}").parse().expect("a container's id");
            let target = Some(Target::start(id.as_str(), self.history.clone()).await);
            let container = Container { target_type, target, added: true, started: 1, at: Timestamp::now() };
            self.present.lock().expect("the containers").insert(id.clone(), container);
            let _ = self.changes.send(id.clone());
            Ok(id)
        }
        .boxed()
    }

    fn remove<'a>(&'a self, id: &'a ContainerId, _within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.present.lock().expect("the containers").remove(id);
        let _ = self.changes.send(id.clone());
        future::ok(()).boxed()
    }

    fn clock(&self) -> BoxFuture<'_, Option<Timestamp>> {
        future::ready(Some(Timestamp::now())).boxed()
    }

    fn watch(&self) -> BoxStream<'_, Result<Change, ProviderError>> {
        let heard = stream::unfold(self.changes.subscribe(), async |mut changes| {
            let id = changes.recv().await.ok()?;
            Some((Ok(Change { id }), changes))
        });
        heard.boxed()
    }
}
