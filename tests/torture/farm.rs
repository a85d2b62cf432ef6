//! Containers that vanish, come back and restart: a provider whose containers are the harness's targets. The real discovery keeps the
//! registry in step with it, from the harness's own process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
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

/// How long the restart of a container takes that is made clean.
const RESTART_TAKES: Duration = Duration::from_millis(100);

/// The provider.
pub struct Farm {
    name: ProviderName,
    present: Mutex<BTreeMap<ContainerId, Container>>,
    changes: broadcast::Sender<ContainerId>,
    history: Arc<History>,
}

struct Container {
    target_type: TargetType,
    /// None while it is gone.
    target: Option<Target>,
    started: u64,
    /// The start of this one.
    at: Timestamp,
}

impl Farm {
    /// With these containers, all of them running.
    pub async fn new(containers: Vec<(ContainerId, TargetType)>, history: Arc<History>) -> Arc<Self> {
        let mut present = BTreeMap::new();
        for (id, target_type) in containers {
            let target = Some(Target::start(id.as_str(), history.clone()).await);
            present.insert(id, Container { target_type, target, started: 1, at: Timestamp::now() });
        }
        let name = "farm".parse().expect("a name");
        Arc::new(Self { name, present: Mutex::new(present), changes: broadcast::channel(1024).0, history })
    }

    pub fn ids(&self) -> Vec<ContainerId> {
        self.present.lock().expect("the containers").keys().cloned().collect()
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
        how(self.present.lock().expect("the containers").get_mut(id).expect("a container of the farm"));
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
        Capabilities { watch: true, act: true, restart: true, ..Capabilities::default() }
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observation>, ProviderError>> {
        future::ok(self.ids().iter().filter_map(|id| self.look(id)).collect()).boxed()
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
