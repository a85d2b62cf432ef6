//! Pods of a Kubernetes cluster, and virtual machines where it has KubeVirt, by kube.
//!
//! A container's id is the uid of its pod or machine: one of the same name that comes after it is another container. It is dialled at
//! its own address, never by a Service, which would lead to another one.

mod access;
mod act;
mod connect;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod keep;
mod known;
mod kubevirt;
mod logs;
mod look;
mod machine;
mod object;
mod pod;
mod replaced;
mod scale;
mod set;
mod watch;
mod workload;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::BoxStream};
use jiff::Timestamp;
use tokio::sync::watch::Sender;
use tracing::{debug, warn};

use self::{connect::Connection, known::Known, object::Lent};
use super::{
    Capabilities, Change, Exit, Insight, LogOptions, Provider, ProviderError, Workload, WorkloadError, WorkloadOf,
    labels,
};
use crate::{
    config::{Config, ConfigError, DiscoveryConfig, KubernetesConfig},
    model::{ContainerId, Keep, LogLine, Observation, ProviderName, TargetType},
};

/// The longest that the API server may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What takes part of one cluster.
pub(super) struct KubernetesProvider {
    settings: KubernetesConfig,
    config: Arc<Config>,
    /// Those of the configuration, but for what only Compose knows.
    rules: DiscoveryConfig,
    /// What the API server is asked for; no object is in two of them.
    selectors: Vec<String>,
    /// The last one that was made.
    connection: Sender<Option<Arc<Connection>>>,
    known: Mutex<Known>,
    /// The uids of those that have been complained about.
    complained: Mutex<BTreeSet<String>>,
}

impl KubernetesProvider {
    pub(super) fn new(settings: &KubernetesConfig, config: Arc<Config>) -> Result<Self, ConfigError> {
        let rules = DiscoveryConfig { compose_services: false, compose_project: None, ..config.discovery.clone() };
        Ok(Self {
            settings: settings.clone(),
            selectors: selectors(&rules)?,
            config,
            rules,
            connection: Sender::new(None),
            known: Mutex::default(),
            complained: Mutex::default(),
        })
    }

    /// The object in our words; none when it takes no part, or none any more.
    fn observe<K: Lent>(&self, object: &K) -> Option<Observation> {
        if object.stands_for_another() {
            return None;
        }
        let labels: HashMap<_, _> = object.meta().labels.clone().unwrap_or_default().into_iter().collect();
        let target_type = match labels::target_type(&labels, &self.rules) {
            Ok(found) => found?,
            Err(wrong) => return self.skipped(object, &wrong),
        };
        let ports = self.config.ports_of(&target_type);
        match object.observation(target_type, labels::shown(labels, &self.rules), &ports) {
            Ok(seen) => seen,
            Err(wrong) => self.skipped(object, &wrong),
        }
    }

    /// Says why, once.
    fn skipped<K: Lent>(&self, object: &K, wrong: &dyn std::fmt::Display) -> Option<Observation> {
        let uid = object.meta().uid.clone().unwrap_or_default();
        if self.complained().insert(uid) {
            let (kind, name) = (K::kind(&()), object::name(object));
            warn!(provider = %self.settings.name, %kind, name, "it is skipped: {wrong}");
        }
        None
    }

    fn complained(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.complained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each label that says a type, and those with the guide's only where ours is not.
fn selectors(rules: &DiscoveryConfig) -> Result<Vec<String>, ConfigError> {
    for (key, label) in [("discovery.label", &rules.label), ("discovery.guide_label", &rules.guide_label)] {
        if !is_label_key(label) {
            return Err(ConfigError::Wrong {
                key: key.to_owned(),
                given: format!("{label:?}"),
                right:
                    "a label of Kubernetes, since there is a `kubernetes` provider: 1 to 63 letters, digits and . _ -, \
                        perhaps behind a domain and /"
                        .to_owned(),
            });
        }
    }
    let mut all = vec![rules.label.clone()];
    if rules.guide_label != rules.label {
        all.push(format!("{},!{}", rules.guide_label, rules.label));
    }
    Ok(all)
}

fn is_label_key(text: &str) -> bool {
    let (domain, name) = text.split_once('/').map_or((None, text), |(domain, name)| (Some(domain), name));
    let name_ok = (1..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    let domain_ok = |domain: &str| {
        (1..=253).contains(&domain.len())
            && domain.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b))
    };
    name_ok && domain.is_none_or(domain_ok)
}

impl Provider for KubernetesProvider {
    fn name(&self) -> &ProviderName {
        &self.settings.name
    }

    fn capabilities(&self) -> Capabilities {
        let keep = self.settings.mark_pods;
        Capabilities {
            watch: true,
            act: true,
            workloads: true,
            replaced: true,
            keep,
            logs: true,
            ..Capabilities::default()
        }
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observation>, ProviderError>> {
        self.look().boxed()
    }

    fn inspect<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<Option<Observation>, ProviderError>> {
        self.look_at(id).boxed()
    }

    fn clock(&self) -> BoxFuture<'_, Option<Timestamp>> {
        async { self.connection().await?.clock().await }
            .map(|clock: Result<_, ProviderError>| {
                clock.unwrap_or_else(|error| {
                    debug!(provider = %self.settings.name, "the API server does not tell its time: {error}");
                    None
                })
            })
            .boxed()
    }

    fn watch(&self) -> BoxStream<'_, Result<Change, ProviderError>> {
        self.changes().boxed()
    }

    fn restart<'a>(&'a self, _id: &'a ContainerId, _within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        let right = "a pod is not restarted but replaced: reset `recreate`";
        futures_util::future::err(ProviderError::NotSupported(right)).boxed()
    }

    fn exec<'a>(
        &'a self,
        id: &'a ContainerId,
        command: &'a [String],
        within: Duration,
    ) -> BoxFuture<'a, Result<Exit, ProviderError>> {
        self.exec_in(id, command, within).boxed()
    }

    fn discard<'a>(&'a self, id: &'a ContainerId, _within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.discard_one(id).boxed()
    }

    fn keep<'a>(&'a self, keeps: &'a [(ContainerId, Keep)]) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.mark(keeps).boxed()
    }

    fn workload<'a>(
        &'a self,
        of: WorkloadOf<'a>,
        target_type: &'a TargetType,
    ) -> BoxFuture<'a, Result<Workload, WorkloadError>> {
        self.workload_of(of, target_type).boxed()
    }

    fn resize<'a>(&'a self, workload: &'a Workload, replicas: u64) -> BoxFuture<'a, Result<(), WorkloadError>> {
        self.resize_one(workload, replicas).boxed()
    }

    fn missing_rights(&self) -> Vec<String> {
        self.connected().map(|connection| connection.missing_in_words()).unwrap_or_default()
    }

    fn logs(
        self: Arc<Self>,
        id: ContainerId,
        options: LogOptions,
    ) -> BoxFuture<'static, Result<Insight<LogLine>, ProviderError>> {
        self.logs_of(id, options).boxed()
    }

    fn stats(
        self: Arc<Self>,
        _id: ContainerId,
        _follow: bool,
    ) -> BoxFuture<'static, Result<Insight<crate::model::ContainerStats>, ProviderError>> {
        let right = "what its pods use is not read; `kubectl top pod` shows it where the cluster has a metrics-server";
        futures_util::future::err(ProviderError::NotSupported(right)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_in_one_selector_at_most() {
        let rules = |label: &str, guide: &str| DiscoveryConfig {
            label: label.to_owned(),
            guide_label: guide.to_owned(),
            ..DiscoveryConfig::default()
        };
        let default = selectors(&DiscoveryConfig::default()).unwrap();
        assert_eq!(default, ["leasehold.type", "legacy-use.target-type,!leasehold.type"]);
        assert_eq!(selectors(&rules("example.com/type", "example.com/type")).unwrap(), ["example.com/type"]);
        for bad in ["", "a b", "-a", "Example.com/a", "/a", "a/", "a,b", "a=b"] {
            let error = selectors(&rules("leasehold.type", bad)).unwrap_err().to_string();
            assert!(error.contains(&format!("discovery.guide_label = {bad:?}: a label of Kubernetes")), "{error}");
        }
    }
}
