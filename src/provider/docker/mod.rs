//! A Docker engine, by bollard.

mod act;
mod address;
mod definition;
mod endpoints;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod insight;
mod inspection;
mod more;
mod recreate;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwapOption;
use bollard::{
    Docker,
    errors::Error as EngineError,
    models::EventMessage,
    query_parameters::{EventsOptions, InspectContainerOptions, ListContainersOptions},
};
use futures_util::{
    FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use jiff::Timestamp;
use tracing::{debug, warn};

use self::{address::Address, endpoints::Host};
use super::{Capabilities, Change, Exit, Insight, LogOptions, Provider, ProviderError, labels, with_causes};
use crate::{
    config::{Config, ConfigError, DockerConfig},
    model::{ContainerId, ContainerStats, LogLine, Observation, ProviderName, TargetType},
};

/// The longest that the engine may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Containers that are inspected at a time in a full look.
const INSPECTED_AT_ONCE: usize = 16;

/// Events are asked for from this long ago, so that none is missed between the question and its arrival.
const OVERLAP: Duration = Duration::from_secs(1);

/// What may change what is shown of a container. The engine's other events (execs of every HEALTHCHECK among them)
/// are many and say nothing.
const EVENTS: [&str; 15] = [
    "connect",
    "create",
    "destroy",
    "die",
    "disconnect",
    "health_status",
    "kill",
    "oom",
    "pause",
    "rename",
    "restart",
    "start",
    "stop",
    "unpause",
    "update",
];

/// The containers of one engine.
pub(super) struct DockerProvider {
    name: ProviderName,
    address: Address,
    host: Host,
    config: Arc<Config>,
    /// Made anew at each full look, so that an engine that was exchanged for another version is understood.
    engine: ArcSwapOption<Docker>,
    /// The containers whose label has been complained about.
    complained: Mutex<BTreeSet<String>>,
}

impl DockerProvider {
    pub(super) fn new(settings: &DockerConfig, config: Arc<Config>) -> Result<Self, ConfigError> {
        let address = Address::of(settings, |name| std::env::var(name).ok())?;
        let host = Host { advertised: settings.advertise_host.clone(), engine: address.host().to_owned() };
        Ok(Self {
            name: settings.name.clone(),
            address,
            host,
            config,
            engine: ArcSwapOption::empty(),
            complained: Mutex::default(),
        })
    }

    /// A client that speaks the version of the engine as it is now.
    async fn connect(&self) -> Result<Arc<Docker>, ProviderError> {
        let client = self.address.client(ANSWER_WITHIN).map_err(|error| self.explain(&error))?;
        let engine = Arc::new(self.answer(client.negotiate_version()).await?);
        self.engine.store(Some(engine.clone()));
        Ok(engine)
    }

    /// The answer of the engine, in time.
    async fn answer<T>(&self, call: impl Future<Output = Result<T, EngineError>>) -> Result<T, ProviderError> {
        match tokio::time::timeout(ANSWER_WITHIN, call).await {
            Ok(answer) => answer.map_err(|error| self.explain(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    fn silent(&self) -> ProviderError {
        ProviderError::Unreachable {
            address: self.address.to_string(),
            reason: format!("no answer within {ANSWER_WITHIN:?}"),
        }
    }

    fn explain(&self, error: &EngineError) -> ProviderError {
        match error {
            EngineError::DockerResponseServerError { .. } | EngineError::JsonDataError { .. } => {
                ProviderError::Refused(format!("{}: {error}", self.address))
            }
            _ => ProviderError::Unreachable { address: self.address.to_string(), reason: with_causes(error) },
        }
    }

    async fn look(&self) -> Result<Vec<Observation>, ProviderError> {
        let engine = self.connect().await?;
        let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
        let all = self.answer(engine.list_containers(Some(options))).await?;
        let mut ids = BTreeSet::new();
        let mut members = Vec::new();
        for container in all {
            let Some(id) = container.id else { continue };
            if self.target_type(&id, &container.labels.unwrap_or_default()).is_some() {
                members.push(id.clone());
            }
            ids.insert(id);
        }
        self.complaints(|complained| complained.retain(|id| ids.contains(id)));
        stream::iter(members)
            .map(|id| self.look_at(&engine, id))
            .buffer_unordered(INSPECTED_AT_ONCE)
            .try_filter_map(future::ok)
            .try_collect()
            .await
    }

    /// One container; none when it takes no part, or has gone since it was heard of.
    async fn look_at(&self, engine: &Docker, id: String) -> Result<Option<Observation>, ProviderError> {
        let call = engine.inspect_container(&id, None::<InspectContainerOptions>).map(|answer| match answer {
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            other => other.map(Some),
        });
        let Some(mut found) = self.answer(call).await? else { return Ok(None) };
        let labels = found.config.as_mut().and_then(|config| config.labels.take()).unwrap_or_default();
        let Some(target_type) = self.target_type(&id, &labels) else { return Ok(None) };
        let ports = self.config.ports_of(&target_type);
        inspection::observation(found, target_type, labels::shown(labels, &self.config.discovery), &ports, &self.host)
            .map(Some)
            .map_err(|wrong| ProviderError::Refused(format!("{}: {wrong}", self.address)))
    }

    /// Which type a container is. A label that names none is complained about once.
    fn target_type(&self, id: &str, labels: &HashMap<String, String>) -> Option<TargetType> {
        labels::target_type(labels, &self.config.discovery).unwrap_or_else(|wrong| {
            if self.complaints(|complained| complained.insert(id.to_owned())) {
                warn!(provider = %self.name, container = id, "the container is skipped: {wrong}");
            }
            None
        })
    }

    fn complaints<T>(&self, use_them: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        use_them(&mut self.complained.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Provider for DockerProvider {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            watch: true,
            act: true,
            restart: true,
            recreate: true,
            workloads: false,
            replaced: false,
            grow: true,
            keep: false,
            logs: true,
            stats: true,
        }
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observation>, ProviderError>> {
        self.look().boxed()
    }

    fn inspect<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<Option<Observation>, ProviderError>> {
        async {
            let engine = match self.engine.load_full() {
                Some(engine) => engine,
                None => self.connect().await?,
            };
            self.look_at(&engine, id.to_string()).await
        }
        .boxed()
    }

    fn clock(&self) -> BoxFuture<'_, Option<Timestamp>> {
        async {
            let engine = self.connect().await?;
            let told = self.answer(engine.info()).await?.system_time;
            Ok::<_, ProviderError>(told.and_then(|time| time.parse().ok()))
        }
        .map(|clock| {
            clock.unwrap_or_else(|error| {
                debug!(provider = %self.name, "the engine does not tell its time: {error}");
                None
            })
        })
        .boxed()
    }

    fn watch(&self) -> BoxStream<'_, Result<Change, ProviderError>> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(OVERLAP);
        let options = EventsOptions {
            since: Some(format!("{}.{:09}", since.as_secs(), since.subsec_nanos())),
            filters: Some(HashMap::from([
                ("type".to_owned(), vec!["container".to_owned(), "network".to_owned()]),
                ("event".to_owned(), EVENTS.map(str::to_owned).to_vec()),
            ])),
            ..EventsOptions::default()
        };
        self.connect()
            .map_ok(move |engine| engine.events(Some(options)).map_err(|error| self.explain(&error)))
            .try_flatten_stream()
            .try_filter_map(|event| future::ok(change(event)))
            .boxed()
    }

    fn restart<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.restart_one(id, within).boxed()
    }

    fn exec<'a>(
        &'a self,
        id: &'a ContainerId,
        command: &'a [String],
        within: Duration,
    ) -> BoxFuture<'a, Result<Exit, ProviderError>> {
        self.exec_in(id, command, within).boxed()
    }

    fn definition<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<String, ProviderError>> {
        self.definition_of(id).boxed()
    }

    fn retire<'a>(
        &'a self,
        id: &'a ContainerId,
        definition: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.retire_one(id, definition, within).boxed()
    }

    fn replacement<'a>(
        &'a self,
        id: &'a ContainerId,
        definition: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, Result<ContainerId, ProviderError>> {
        self.replacement_of(id, definition, within).boxed()
    }

    fn more<'a>(&'a self, definition: &'a str, within: Duration) -> BoxFuture<'a, Result<ContainerId, ProviderError>> {
        self.one_more(definition, within).boxed()
    }

    fn start<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.start_one(id, within).boxed()
    }

    fn remove<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.remove_one(id, within).boxed()
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
        id: ContainerId,
        follow: bool,
    ) -> BoxFuture<'static, Result<Insight<ContainerStats>, ProviderError>> {
        self.stats_of(id, follow).boxed()
    }
}

/// Which container an event is about: a network's events name it among their attributes.
fn change(event: EventMessage) -> Option<Change> {
    let actor = event.actor?;
    let of_network = actor.attributes.and_then(|mut attributes| attributes.remove("container"));
    let id = of_network.or(actor.id)?.parse().ok()?;
    Some(Change { id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::EventActor;

    #[test]
    fn an_event_of_a_container_or_of_its_network_names_the_container() {
        let event = |id: &str, attributes: &[(&str, &str)]| EventMessage {
            actor: Some(EventActor {
                id: Some(id.to_owned()),
                attributes: Some(attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()),
            }),
            ..EventMessage::default()
        };
        let id = |id: &str| Some(Change { id: id.parse().unwrap() });
        assert_eq!(change(event("abc", &[("image", "wine")])), id("abc"));
        assert_eq!(change(event("net", &[("container", "abc")])), id("abc"));
        assert_eq!(change(EventMessage::default()), None);
    }
}
