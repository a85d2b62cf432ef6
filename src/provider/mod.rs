//! Where containers are found. A provider lists what there is, says what changed, and (later) acts; what it can do is
//! told by [`Provider::capabilities`], so that an impossible setting is refused at start.

mod docker;
mod fixed;
mod kubernetes;
mod labels;
mod workload;

use std::{sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _,
    future::{self, BoxFuture},
    stream::BoxStream,
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// What providers are told of containers that somebody else made, for the fuzzer.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz {
    pub use super::{docker::fuzz::*, kubernetes::fuzz::*};
}

pub use self::workload::{Member, Progress, Removes, Workload, WorkloadError, WorkloadOf};
use self::{docker::DockerProvider, fixed::FixedProvider, kubernetes::KubernetesProvider};
use crate::{
    config::{Config, ConfigError, ProviderConfig, ResetKind},
    model::{ContainerId, ContainerStats, Keep, LogLine, Observation, ProviderName, TargetType},
};

/// A provider could not be asked, or did not understand.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It cannot be reached now: the last known containers stay.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// Where it was tried.
        address: String,
        /// What went wrong.
        reason: String,
    },
    /// It answered with an error.
    #[error("{0}")]
    Refused(String),
    /// The container is not there any more.
    #[error("the container is gone")]
    Gone,
    /// It can never do this: see [`Capabilities`].
    #[error("{0}")]
    NotSupported(&'static str),
}

const NO_WORKLOADS: ProviderError = ProviderError::NotSupported("nothing else makes the containers of this provider");

const NO_RECREATE: ProviderError = ProviderError::NotSupported("this provider cannot make containers anew");

/// The label of containers that were made for demand: only they are taken away again. Its value names what they were made like.
pub const SCALED_LABEL: &str = "leasehold.scaled";

/// What a provider can do, beyond listing.
// One question each, and none depends on another.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It tells of changes as they happen.
    pub watch: bool,
    /// It runs commands in containers, and ends them in one way or the other.
    pub act: bool,
    /// It restarts containers.
    pub restart: bool,
    /// It makes containers anew, each from its own definition.
    pub recreate: bool,
    /// It makes more containers like one that there is, and takes them away.
    pub grow: bool,
    /// Something else makes its containers, and can be told how many.
    pub workloads: bool,
    /// What runs its containers puts another in the place of one that is removed.
    pub replaced: bool,
    /// What scales its containers is told which of them to keep.
    pub keep: bool,
    /// It tells what containers write.
    pub logs: bool,
    /// It tells what containers use.
    pub stats: bool,
}

impl Capabilities {
    /// What `auto` means for its containers.
    #[must_use]
    pub fn auto_reset(self) -> ResetKind {
        match (self.restart, self.renews()) {
            (true, _) => ResetKind::Restart,
            (false, true) => ResetKind::Recreate,
            (false, false) => ResetKind::None,
        }
    }

    /// Whether its containers can be made anew, in either way.
    #[must_use]
    pub fn renews(self) -> bool {
        self.recreate || self.replaced
    }
}

/// Something happened to this container: inspect it. What exactly is asked anew, so that no event needs to be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The engine's id.
    pub id: ContainerId,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code.
    pub code: i64,
    /// The beginning of what it said.
    pub said: String,
}

/// What a provider tells of a container as it comes. It ends, or ends with an error.
pub type Insight<T> = BoxStream<'static, Result<T, ProviderError>>;

/// Which lines of a container's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on with what is written from now on.
    pub follow: bool,
    /// Only so many of the last lines there are.
    pub tail: Option<u32>,
    /// Only what was written since then, by the provider's clock.
    pub since: Option<Timestamp>,
}

/// A source of containers. Only containers that take part (by label) are ever returned.
pub trait Provider: Send + Sync + 'static {
    /// The name in the configuration.
    fn name(&self) -> &ProviderName;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Every container that takes part, also those that do not run.
    ///
    /// # Errors
    /// It could not be asked. Never an empty list by error.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Observation>, ProviderError>>;

    /// One container as it is now; none when it is gone or takes no part.
    ///
    /// # Errors
    /// It could not be asked.
    fn inspect<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<Option<Observation>, ProviderError>>;

    /// What its clock shows, for the times in [`Observation::started`]; none when it tells of no such times, or not now.
    fn clock(&self) -> BoxFuture<'_, Option<Timestamp>>;

    /// Changes from now on. The stream ends with an error when the provider is lost; without the capability it never
    /// yields.
    fn watch(&self) -> BoxStream<'_, Result<Change, ProviderError>>;

    /// Restarts a container, however it ends. What is not done within the time goes on all the same.
    ///
    /// # Errors
    /// It was not restarted, or that is not known.
    fn restart<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        let _ = (id, within);
        future::err(ProviderError::NotSupported("this provider only lists containers")).boxed()
    }

    /// Runs a command in a container, and waits for its end.
    ///
    /// # Errors
    /// It did not begin, or its end is not known.
    fn exec<'a>(
        &'a self,
        id: &'a ContainerId,
        command: &'a [String],
        within: Duration,
    ) -> BoxFuture<'a, Result<Exit, ProviderError>> {
        let _ = (id, command, within);
        future::err(ProviderError::NotSupported("this provider only lists containers")).boxed()
    }

    /// What a container can be made anew from, in words that only this provider understands. It names the container.
    ///
    /// # Errors
    /// It could not be asked, or lacks the capability.
    fn definition<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<String, ProviderError>> {
        let _ = id;
        future::err(NO_RECREATE).boxed()
    }

    /// Stops a container that is made anew, and gives its name and addresses free. Again is fine, and also when it is gone.
    ///
    /// # Errors
    /// That is not done, or not known.
    fn retire<'a>(
        &'a self,
        id: &'a ContainerId,
        definition: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        let _ = (id, definition, within);
        future::err(NO_RECREATE).boxed()
    }

    /// Makes the container that takes the place of `id`, as defined, and does not start it. Again, it is the same one.
    ///
    /// # Errors
    /// It is not there, or that is not known.
    fn replacement<'a>(
        &'a self,
        id: &'a ContainerId,
        definition: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, Result<ContainerId, ProviderError>> {
        let _ = (id, definition, within);
        future::err(NO_RECREATE).boxed()
    }

    /// Makes and starts one container more, as defined by another that goes on, under a name of its own. The mark tells it from others
    /// in its labels ([`SCALED_LABEL`]). Not to be repeated: each call makes one.
    ///
    /// # Errors
    /// There is none more: what was made of it is removed again.
    fn more<'a>(&'a self, definition: &'a str, within: Duration) -> BoxFuture<'a, Result<ContainerId, ProviderError>> {
        let _ = (definition, within);
        future::err(ProviderError::NotSupported("this provider cannot make more containers")).boxed()
    }

    /// Starts a container; one that runs goes on.
    ///
    /// # Errors
    /// It does not run, or that is not known.
    fn start<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        let _ = (id, within);
        future::err(NO_RECREATE).boxed()
    }

    /// Removes a container and what belongs to it alone. Again is fine.
    ///
    /// # Errors
    /// It is still there, or that is not known.
    fn remove<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        let _ = (id, within);
        future::err(NO_RECREATE).boxed()
    }

    /// Removes a container in whose place another one is put by what runs it; none that nothing would replace. Again is fine.
    ///
    /// # Errors
    /// It stays, or that is not known.
    fn discard<'a>(&'a self, id: &'a ContainerId, within: Duration) -> BoxFuture<'a, Result<(), ProviderError>> {
        let _ = (id, within);
        future::err(NO_RECREATE).boxed()
    }

    /// Tells what scales its containers which of these to keep, where it does not know yet; those that come first are first. Not all
    /// at once where they are many: again is needed. Those that are not its own, or are gone, are passed over.
    ///
    /// # Errors
    /// It could not be told of all.
    fn keep<'a>(&'a self, keeps: &'a [(ContainerId, Keep)]) -> BoxFuture<'a, Result<(), ProviderError>> {
        let _ = keeps;
        future::err(ProviderError::NotSupported("nothing scales the containers of this provider")).boxed()
    }

    /// A workload whose containers are of this type, as it is now: it is read first and its containers after it, so that none of those
    /// that it has made or removed by then is missed.
    ///
    /// # Errors
    /// It could not be read, is none that can be resized, or may not be.
    fn workload<'a>(
        &'a self,
        of: WorkloadOf<'a>,
        target_type: &'a TargetType,
    ) -> BoxFuture<'a, Result<Workload, WorkloadError>> {
        let _ = (of, target_type);
        future::err(NO_WORKLOADS.into()).boxed()
    }

    /// Tells a workload how many containers it is to have, unless anybody changed it since it was read. So to repeat what was read once
    /// changes nothing.
    ///
    /// # Errors
    /// It stays as it is, or that is not known.
    fn resize<'a>(&'a self, workload: &'a Workload, replicas: u64) -> BoxFuture<'a, Result<(), WorkloadError>> {
        let _ = (workload, replicas);
        future::err(NO_WORKLOADS.into()).boxed()
    }

    /// What it may not do, and what that turns off, as far as it is known by now. In words.
    fn missing_rights(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a container writes.
    ///
    /// # Errors
    /// It could not be asked, refuses, or lacks the capability.
    fn logs(
        self: Arc<Self>,
        _id: ContainerId,
        _options: LogOptions,
    ) -> BoxFuture<'static, Result<Insight<LogLine>, ProviderError>> {
        let right = "this provider tells no logs; those of its containers are where they run. A `docker` provider does";
        future::err(ProviderError::NotSupported(right)).boxed()
    }

    /// What a container uses: once, or again and again.
    ///
    /// # Errors
    /// It could not be asked, refuses, or lacks the capability.
    fn stats(
        self: Arc<Self>,
        _id: ContainerId,
        _follow: bool,
    ) -> BoxFuture<'static, Result<Insight<ContainerStats>, ProviderError>> {
        let right = "this provider does not tell what its containers use. A `docker` provider does";
        future::err(ProviderError::NotSupported(right)).boxed()
    }
}

/// The providers of the configuration, in its order. Connects to nothing yet.
///
/// # Errors
/// A provider's settings cannot be used: which one and why.
pub fn from_config(config: &Config) -> Result<Vec<Arc<dyn Provider>>, ConfigError> {
    let shared = Arc::new(config.clone());
    let provider = |settings: &ProviderConfig| -> Result<Arc<dyn Provider>, ConfigError> {
        Ok(match settings {
            ProviderConfig::Docker(docker) => Arc::new(DockerProvider::new(docker, shared.clone())?),
            ProviderConfig::Kubernetes(cluster) => Arc::new(KubernetesProvider::new(cluster, shared.clone())?),
            ProviderConfig::Static(fixed) => Arc::new(FixedProvider::new(fixed)?),
        })
    };
    config.provider.iter().map(provider).collect()
}

/// An incarnation from what makes it: 32 hexadecimal digits, since Redis keeps short values small.
fn incarnation(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The error and what caused it, in one line: hyper says only `client error (Connect)` by itself.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}

/// `host:port`, with brackets around an IPv6 address.
fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
