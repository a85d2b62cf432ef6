//! Pods are scaled by their Deployment or StatefulSet. Who scales is never who discovers: it has a provider of its own, which watches
//! nothing. Those that take `Scaling::anywhere` run against any cluster: where no controllers run, the test does what they do
//! (`controller.rs`).

mod grows;
mod numbered;
mod refused;
mod shrinks;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use leasehold::{
    config::{Config, ResetKind, ScaleConfig, TypeConfig},
    metrics::Metrics,
    model::{EngineState, OwnerName, PoolState, Session, SessionId, SessionState},
    provider, scale,
    store::{Allocated, Allocation, Polled},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    Lab, PATIENCE,
    cluster::{Cluster, read_as},
    controller::{self, Controller},
    wine,
};
use crate::common::eventually;

/// What makes the pods: Deployments where nothing else is said.
struct Scaling {
    lab: Lab,
    controller: Controller,
    scaler: CancellationToken,
}

impl Drop for Scaling {
    fn drop(&mut self) {
        self.scaler.cancel();
        self.lab.shutdown.cancel();
    }
}

/// From one to six, and small again after a second.
fn settings() -> ScaleConfig {
    ScaleConfig {
        min_idle: 0,
        min: 1,
        max: 6,
        up_pause: Duration::from_millis(500),
        calm: Duration::from_secs(1),
        ..ScaleConfig::unconfigured()
    }
}

impl Scaling {
    async fn new(replicas: usize, change: impl FnOnce(&mut ScaleConfig)) -> Self {
        Self::on(Cluster::stub().await, "deployment", replicas, change).await
    }

    async fn anywhere(replicas: usize, change: impl FnOnce(&mut ScaleConfig)) -> Self {
        Self::on(Cluster::any().await, "deployment", replicas, change).await
    }

    /// With a workload of this sort named `wine`, whose pods are all available; nobody scales yet.
    async fn on(cluster: Cluster, sort: &str, replicas: usize, change: impl FnOnce(&mut ScaleConfig)) -> Self {
        Self::with(cluster, sort, replicas, change, ResetKind::None).await
    }

    async fn with(
        cluster: Cluster,
        sort: &str,
        replicas: usize,
        change: impl FnOnce(&mut ScaleConfig),
        reset: ResetKind,
    ) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let lab = Lab::on(cluster, |config: &mut Config| {
            config.limits.ticket_life = Duration::from_mins(1);
            config.reset.kind = reset;
            config.reset.pause = Duration::from_millis(50);
            config.types.insert(read_type(), TypeConfig { scale: Some(settings), ..TypeConfig::default() });
        })
        .await;
        let controller = Controller::start(&lab.cluster).await;
        let scaling = Self { lab, controller, scaler: CancellationToken::new() };
        let made = controller::workload("wine", replicas, &wine());
        match sort {
            "deployment" => drop(scaling.deployments().create(&PostParams::default(), &read_as(made)).await.unwrap()),
            _ => drop(scaling.stateful_sets().create(&PostParams::default(), &read_as(made)).await.unwrap()),
        }
        scaling.has(replicas).await;
        scaling
    }

    fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.lab.cluster.client(), &self.lab.cluster.namespace)
    }

    fn stateful_sets(&self) -> Api<StatefulSet> {
        Api::namespaced(self.lab.cluster.client(), &self.lab.cluster.namespace)
    }

    /// Another replica than the one that discovers begins to scale.
    fn scale(&self) {
        self.scale_as("second", &self.scaler);
    }

    fn scale_as(&self, replica: &str, until: &CancellationToken) {
        let provider = provider::from_config(&self.lab.config).expect("a good provider");
        let (store, metrics) = (self.lab.store.for_worker(), Arc::new(Metrics::new()));
        tokio::spawn(scale::run(store, provider, metrics, replica.to_owned(), until.clone()));
    }

    /// How many the workload is to have.
    async fn replicas(&self) -> i32 {
        match self.deployments().get_opt("wine").await.unwrap() {
            Some(found) => found.spec.unwrap().replicas.unwrap(),
            None => self.stateful_sets().get("wine").await.unwrap().spec.unwrap().replicas.unwrap(),
        }
    }

    async fn to_have(&self, replicas: i32) {
        let what = format!("the workload is to have {replicas}");
        eventually(&what, PATIENCE, async || (self.replicas().await == replicas).then_some(())).await;
    }

    /// Waits until there are so many pods, and all can be given out or are.
    async fn has(&self, count: usize) -> Vec<String> {
        eventually(&format!("{count} pods that serve"), PATIENCE, async || {
            let (all, _) = self.lab.store.containers(&self.lab.wine, false, "", 100).await.unwrap();
            let serves = |state| [PoolState::Available, PoolState::Allocated].contains(&state);
            let fine = all.iter().all(|one| serves(one.pool_state) && one.state == EngineState::Running);
            (all.len() == count && fine).then(|| all.into_iter().map(|one| one.name).collect())
        })
        .await
    }

    /// Waits until this was decided last, and returns what was said of it.
    async fn says(&self, reason: &str) -> String {
        eventually(&format!("it says {reason}"), PATIENCE, async || {
            let state = self.lab.store.scale_state(&self.lab.wine).await.unwrap()?;
            (state.reason == reason).then(|| state.detail.unwrap_or_default())
        })
        .await
    }

    /// Waits for so many more decisions.
    async fn decides(&self, rounds: usize) {
        let mut last = String::new();
        for _ in 0..rounds {
            last = eventually("a decision", PATIENCE, async || {
                let state = self.lab.store.scale_state(&self.lab.wine).await.unwrap()?;
                (state.decided_at != last).then_some(state.decided_at)
            })
            .await;
        }
    }

    /// A session, or a place in line.
    async fn asked(&self) -> Session {
        let owner = owner();
        let mut new = Allocation::new(SessionId::new(&self.lab.wine), &owner, Duration::from_mins(5));
        new.wait = true;
        match self.lab.store.allocate(&self.lab.wine, &new).await.unwrap() {
            Allocated::Ready(session) | Allocated::Queued(session) => session,
            other => panic!("{other:?}"),
        }
    }

    async fn served(&self, session: &Session) -> Session {
        let owner = owner();
        eventually("it is served", PATIENCE, async || {
            match self.lab.store.poll(&self.lab.wine, session.id, Some(&owner), false, false, None).await.unwrap() {
                Polled::Session(session) if session.state == SessionState::Ready => Some(session),
                Polled::Session(_) => None,
                other => panic!("{other:?}"),
            }
        })
        .await
    }

    /// A session that has the pod of this name.
    async fn session_on(&self, name: &str) -> Session {
        let pod = self.lab.cluster.pod(name).await.expect("the pod");
        let (owner, id) = (owner(), pod.metadata.uid.unwrap().parse().unwrap());
        let mut new = Allocation::new(SessionId::new(&self.lab.wine), &owner, Duration::from_mins(5));
        new.container = Some(&id);
        match self.lab.store.allocate(&self.lab.wine, &new).await.unwrap() {
            Allocated::Ready(session) => session,
            other => panic!("{other:?}"),
        }
    }

    /// Its pod is there and not ending, and the session goes on.
    async fn is_kept(&self, session: &Session) {
        let name = pod_of(session);
        let pod = self.lab.cluster.pod(name).await.unwrap_or_else(|| panic!("{name} was taken from its session"));
        assert_eq!(pod.metadata.deletion_timestamp, None, "{name}");
        assert_eq!(self.lab.end_of(session).await, None);
    }

    /// As the kubelet tells of a pod that runs, and whether it is ready.
    async fn is_ready(&self, name: &str, ready: bool) {
        let status = if ready { "True" } else { "False" };
        let condition = json!({"type": "Ready", "status": status, "lastTransitionTime": "2026-11-25T12:05:00Z"});
        self.lab.cluster.patch_status(name, json!({"conditions": [condition]})).await;
    }

    async fn tell_status(&self, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        self.deployments().patch_status("wine", &PatchParams::default(), &patch).await.expect("its status");
    }

    /// By the provider of who scales: that it was tried to resize so often.
    fn resized(&self) -> usize {
        self.lab
            .cluster
            .faults()
            .calls()
            .iter()
            .filter(|call| call.starts_with("PATCH") && call.contains("/scale"))
            .count()
    }

    /// The type's events, in order: kind and fields.
    fn events(&self) -> Vec<BTreeMap<String, String>> {
        let key = format!("{}:{{wine}}:events", self.lab.config.prefix);
        let mut command = redis::cmd("XRANGE");
        command.arg(key).arg("-").arg("+");
        let rows: Vec<(String, BTreeMap<String, String>)> = command.query(&mut self.lab.redis.conn()).unwrap();
        rows.into_iter().map(|(_, fields)| fields).collect()
    }
}

fn read_type() -> leasehold::model::TargetType {
    "wine".parse().expect("a type")
}

fn owner() -> OwnerName {
    "tester".parse().expect("an owner")
}

/// The name of a session's pod in its namespace.
fn pod_of(session: &Session) -> &str {
    let name = &session.container.as_ref().expect("a container").name;
    name.split_once('/').expect("a namespace").1
}
