//! Wires the parts of a replica together, supervises them and ends them.

use std::{collections::BTreeSet, fmt, future::Future, str::FromStr, sync::Arc, time::Duration};

use anyhow::Context as _;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use secrecy::SecretString;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, Bound, Certificate, Keys, Services},
    config::Config,
    discovery,
    events::Events,
    health,
    metrics::Metrics,
    model::TargetType,
    pool::Pool,
    provider, recycle, scale,
    store::{Store, StoreError},
};

/// Open files that are not for clients.
const OPEN_FILES_KEPT: usize = 256;
/// Most connections of clients, however many files may be open.
const CONNECTIONS_MOST: usize = 100_000;

/// What a replica does. Every replica tells operators whether it is alive, ready, and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Serves the HTTP API.
    Api,
    /// Discovers containers, where it holds a provider's lock.
    Discovery,
    /// Probes containers.
    Health,
    /// Reclaims promptly what is overdue.
    Reaper,
    /// Makes containers clean between sessions.
    Recycle,
    /// Delivers events to webhooks, and keeps the history.
    Events,
    /// Makes pools follow demand.
    Scale,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Api, Self::Discovery, Self::Health, Self::Reaper, Self::Recycle, Self::Events, Self::Scale];

    /// The word for it on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Discovery => "discovery",
            Self::Health => "health",
            Self::Reaper => "reaper",
            Self::Recycle => "recycle",
            Self::Events => "events",
            Self::Scale => "scale",
        }
    }
}

/// The roles of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Default for Roles {
    fn default() -> Self {
        Self(Role::ALL.into_iter().collect())
    }
}

impl FromStr for Roles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let role = |word: &str| {
            Role::ALL
                .into_iter()
                .find(|role| role.as_str() == word)
                .ok_or_else(|| format!("there is no role {word:?}; right are {}", Self::default()))
        };
        text.split(',').map(|word| role(word.trim())).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|role| role.as_str()).collect();
        f.write_str(&words.join(","))
    }
}

/// Runs a replica until SIGTERM or SIGINT.
///
/// # Errors
/// A setting cannot be used, the address is taken, Redis is not fit, or a part of the replica ended by itself.
pub async fn run(config: Config, roles: Roles, key: Option<SecretString>) -> anyhow::Result<()> {
    warn_of_risks(&config);
    let connections = connections_most();
    let metrics = Arc::new(Metrics::new());
    count_panics(metrics.clone());
    let keys = Arc::new(Keys::load(&config, key.as_ref())?);
    if keys.is_empty() {
        tracing::warn!(listen = %config.listen, "there is no API key: whoever reaches this address may do everything");
    }
    let certificate = Certificate::load(&config.tls)?;
    let providers = provider::from_config(&config)?;
    recycle::check(&config, &providers)?;
    let config = Arc::new(config);
    let store = Store::connect(&config, metrics.clone())?;
    refuse_unfit(&store).await?;

    let replica = format!("{}-{:08x}", host_name(), rand::random::<u32>());
    // Cancelled in this order: first nobody waits any more and the replica is not ready; then the parts end.
    let (draining, shutdown) = (CancellationToken::new(), CancellationToken::new());
    let pool = Pool::new(store.clone(), config.clone(), metrics.clone(), replica.clone(), draining.clone());
    let events = Events::new(&store, &config, metrics.clone(), replica.clone())?;
    let services = Services {
        pool: pool.clone(),
        events: events.clone(),
        metrics: metrics.clone(),
        keys: keys.clone(),
        providers: providers.as_slice().into(),
    };
    let has = |role| roles.0.contains(&role);
    let Bound { server, address } = api::bind(&config, services, certificate.as_ref(), connections, has(Role::Api))
        .with_context(|| format!("configuration: listen = {}: cannot be listened on", config.listen))?;
    let handle = server.handle();

    let mut parts = Parts { running: JoinSet::new() };
    parts.start("http", async move { server.await.map_err(anyhow::Error::from) });
    parts.start("keys", {
        let (keys, shutdown) = (keys.clone(), shutdown.clone());
        async move {
            keys.follow_file(shutdown).await;
            Ok(())
        }
    });
    let tls = certificate.is_some();
    if let Some(certificate) = certificate {
        let shutdown = shutdown.clone();
        parts.start("certificate", async move {
            certificate.follow_files(shutdown).await;
            Ok(())
        });
    }
    let configured = config.types.keys().cloned().collect();
    parts.start("types", make_known(store.clone(), configured, shutdown.clone()));
    parts.start("settings", {
        let (pool, shutdown) = (pool.clone(), shutdown.clone());
        async move {
            pool.run_settings(shutdown).await;
            Ok(())
        }
    });
    parts.start("event streams", {
        let (events, shutdown) = (events.clone(), shutdown.clone());
        async move {
            events.run(shutdown).await;
            Ok(())
        }
    });
    if has(Role::Events) {
        let (events, shutdown) = (events.clone(), shutdown.clone());
        parts.start("webhooks", async move { events.deliver(shutdown).await.map_err(anyhow::Error::from) });
    }
    if has(Role::Events) {
        let shutdown = shutdown.clone();
        parts.start("history", async move {
            events.keep_history(shutdown).await;
            Ok(())
        });
    }
    if has(Role::Reaper) {
        let (pool, shutdown) = (pool.clone(), shutdown.clone());
        parts.start("reaper", async move {
            pool.run_reaper(shutdown).await;
            Ok(())
        });
    }
    if has(Role::Reaper) {
        let (pool, shutdown) = (pool.clone(), shutdown.clone());
        parts.start("auditor", async move {
            pool.run_auditor(shutdown).await;
            Ok(())
        });
    }
    if has(Role::Discovery) {
        let (store, providers, config) = (store.clone(), providers.clone(), config.clone());
        let (replica, shutdown) = (replica.clone(), shutdown.clone());
        parts.start("discovery", async move {
            discovery::run(store, providers, config, replica, shutdown).await;
            Ok(())
        });
    }
    if has(Role::Recycle) {
        let (store, providers, config) = (store.clone(), providers.clone(), config.clone());
        let (metrics, shutdown) = (metrics.clone(), shutdown.clone());
        parts.start("recycle", async move {
            recycle::run(store, providers, config, metrics, shutdown).await;
            Ok(())
        });
    }
    if has(Role::Scale) {
        let (store, providers, metrics) = (store.clone(), providers.clone(), metrics.clone());
        let (replica, shutdown) = (replica.clone(), shutdown.clone());
        parts.start("scale", async move {
            scale::run(store, providers, metrics, replica, shutdown).await;
            Ok(())
        });
    }
    if has(Role::Health) {
        let (store, config, metrics, shutdown) = (store.clone(), config.clone(), metrics.clone(), shutdown.clone());
        parts.start("health", async move {
            health::run(store, config, metrics, shutdown).await;
            Ok(())
        });
    }
    tracing::info!(%address, tls, %replica, %roles, version = env!("CARGO_PKG_VERSION"), "listening");

    let failed = tokio::select! {
        signal = end_signal() => {
            tracing::info!(signal = signal?, "ending: not ready any more, waiting requests are answered");
            None
        }
        failure = parts.first_end() => Some(failure),
    };
    draining.cancel();
    if failed.is_none() {
        // Load balancers look at /readyz; until they have, new requests are served.
        tokio::time::sleep(config.drain).await;
    }
    let ended = tokio::time::timeout(config.shutdown_timeout, async {
        // The parts first: the provider's lock is given back, while requests come to their end.
        shutdown.cancel();
        handle.stop(true).await;
        parts.join().await;
    });
    if ended.await.is_err() {
        tracing::warn!(timeout = ?config.shutdown_timeout, "not everything came to its end in time");
    }
    tracing::info!("ended");
    failed.map_or(Ok(()), Err)
}

/// Marks the Redis of this configuration as new, once it answers: what is not in it was not lost. False when it is not new.
///
/// # Errors
/// It does not answer in time, or cannot be used.
pub async fn init(config: &Config, patience: Duration) -> anyhow::Result<bool> {
    let store = Store::connect(config, Arc::new(Metrics::new()))?;
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let marked = match store.check_server().await {
            Ok(()) => store.mark_new(false).await,
            Err(error) => Err(error),
        };
        match marked {
            Ok(marked) => return Ok(marked),
            Err(StoreError::Unfit(reason)) => anyhow::bail!("this Redis cannot be used: {reason}"),
            Err(error) if tokio::time::Instant::now() >= deadline => {
                return Err(error).context(format!("Redis did not answer within {patience:?}"));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// What runs besides; each runs until `shutdown`, or the replica ends with it.
struct Parts {
    running: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Parts {
    fn start(&mut self, name: &'static str, part: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.running.spawn(async move { (name, part.await) });
    }

    /// Why a part ended before it should have.
    async fn first_end(&mut self) -> anyhow::Error {
        match self.running.join_next().await {
            Some(Ok((name, Err(error)))) => error.context(format!("{name} ended")),
            Some(Ok((name, Ok(())))) => anyhow::anyhow!("{name} ended by itself"),
            Some(Err(error)) => anyhow::anyhow!("a part of the replica panicked: {error}"),
            None => anyhow::anyhow!("nothing runs"),
        }
    }

    async fn join(&mut self) {
        while let Some(ended) = self.running.join_next().await {
            if let Ok((name, Err(error))) = ended {
                tracing::warn!(part = name, %error, "ended with an error");
            }
        }
    }
}

/// Ends a start on a Redis that cannot keep the promises. One that is away is waited for: the replica is not ready meanwhile.
async fn refuse_unfit(store: &Store) -> anyhow::Result<()> {
    match store.check_server().await {
        Ok(()) => {
            if let Some(risk) = store.risk().await {
                tracing::warn!("{risk}");
            }
            Ok(())
        }
        Err(StoreError::Unfit(reason)) => Err(anyhow::anyhow!("this Redis cannot be used: {reason}")),
        Err(error) => {
            tracing::warn!(%error, "Redis does not answer yet; not ready until it does");
            Ok(())
        }
    }
}

/// Makes the configured types known to all replicas, as soon as Redis can be told.
async fn make_known(store: Store, configured: Vec<TargetType>, shutdown: CancellationToken) -> anyhow::Result<()> {
    while store.add_types(&configured).await.is_err() {
        let pause = tokio::time::sleep(Duration::from_millis(500));
        if shutdown.run_until_cancelled(pause).await.is_none() {
            return Ok(());
        }
    }
    shutdown.cancelled().await;
    Ok(())
}

/// Raises the limit of open files as far as it goes (the usual soft limit, 1024, is for programs that use `select`), and
/// says how many of them clients may have: enough is left over for Redis, providers and probes.
fn connections_most() -> usize {
    let limit =
        getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, hard)| match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
            Ok(()) => hard,
            Err(error) => {
                tracing::warn!(%error, limit = soft, "the limit of open files stays as it is");
                soft
            }
        });
    let open_files = limit.map_or(1024, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let connections = (open_files - OPEN_FILES_KEPT.min(open_files / 2)).min(CONNECTIONS_MOST);
    tracing::info!(open_files, connections, "limits of this process");
    connections
}

fn warn_of_risks(config: &Config) {
    let limits = &config.limits;
    if limits.ttl_min < config.redis.timeout * 3 {
        tracing::warn!(
            ttl_min = ?limits.ttl_min, redis_timeout = ?config.redis.timeout,
            "limits.ttl_min is less than three times redis.timeout: one slow heartbeat can end a lease"
        );
    }
    if config.provider.is_empty() {
        tracing::warn!("no [[provider]] is configured: this replica finds no containers");
    }
    for target_type in config.types.keys() {
        let probe = config.probe_of(target_type);
        if probe.kind == crate::config::ProbeKind::None {
            tracing::warn!(%target_type, "no probe is configured: a container that does not serve is given out all the same");
        }
    }
}

async fn end_signal() -> std::io::Result<&'static str> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

/// A panic is logged as any other failure, and counted.
fn count_panics(metrics: Arc<Metrics>) {
    std::panic::set_hook(Box::new(move |panic| {
        metrics.panicked();
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, reason = panic.payload_as_str().unwrap_or("unknown"), "panicked");
    }));
}

fn host_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(32).collect();
    if name.is_empty() { "replica".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_written() {
        assert_eq!(Roles::default().to_string(), "api,discovery,health,reaper,recycle,events,scale");
        assert_eq!("reaper, api".parse::<Roles>().unwrap().to_string(), "api,reaper");
        let error = "api,probe".parse::<Roles>().unwrap_err();
        assert!(
            error.contains("\"probe\"") && error.contains("api,discovery,health,reaper,recycle,events,scale"),
            "{error}"
        );
    }
}
