//! Probes, through a running health loop and a real Redis, against real sockets.

mod borrow;
mod demo;
mod hostile;
mod sharing;
mod verdicts;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use leasehold::{
    config::{Config, ProbeKind},
    health,
    metrics::Metrics,
    model::{Endpoint, PoolState},
    store::Store,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::scripts::{Bench, mark, running};

const INTERVAL: Duration = Duration::from_secs(1);
/// Long enough for a good target on a busy machine: one bad probe is a verdict here.
const TIMEOUT: Duration = Duration::from_millis(800);
const GREETING: &[u8] = b"RFB 003.008\n";

/// A Redis with containers that are probed.
struct Probed {
    bench: Bench,
    observations: u64,
}

impl Probed {
    /// With probes of this kind, each bad one a verdict.
    fn new(kind: ProbeKind) -> Self {
        Self::with(kind, |_| {})
    }

    fn with(kind: ProbeKind, change: impl FnOnce(&mut Config)) -> Self {
        // `main` does it for the program.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bench = Bench::with(|config| {
            config.health.kind = kind;
            config.health.interval = INTERVAL;
            config.health.timeout = TIMEOUT;
            config.health.fall = 1;
            change(config);
        });
        Self { bench, observations: 0 }
    }

    /// Begins to probe, until the guard is dropped.
    fn probe(&self) -> DropGuard {
        let store = Store::connect(&self.bench.config, Arc::new(Metrics::new())).unwrap();
        let shutdown = CancellationToken::new();
        let config = Arc::new(self.bench.config.clone());
        tokio::spawn(health::run(store, config, Arc::new(Metrics::new()), shutdown.clone()));
        shutdown.drop_guard()
    }

    /// Adds a container whose `vnc` endpoint is at `address`.
    async fn add(&mut self, name: &str, address: &str) {
        let mut container = running(name);
        container.probed = true;
        let endpoint = Endpoint { address: Some(address.to_owned()), internal: None };
        container.observation.about.endpoints = BTreeMap::from([("vnc".to_owned(), endpoint)]);
        self.observations += 1;
        self.bench.store.add_types(std::slice::from_ref(&self.bench.wine)).await.unwrap();
        self.bench.store.observe(&self.bench.wine, &mark(1, self.observations), &[container]).await.unwrap();
    }

    /// Waits until the container is `available` or `unhealthy`, and says why it is not available.
    async fn verdict(&self, name: &str) -> Result<(), String> {
        let mut verdict = None;
        until("a verdict", async || {
            let container = self.bench.container(name).await.unwrap();
            verdict = match container.pool_state {
                PoolState::Available => Some(Ok(())),
                PoolState::Unhealthy => Some(Err(container.health.reason.unwrap_or_default())),
                _ => None,
            };
            verdict.is_some()
        })
        .await;
        verdict.unwrap().map_err(|why| why.trim_start_matches("its probe fails: ").to_owned())
    }

    /// Waits until the container has this state.
    async fn becomes(&self, name: &str, state: PoolState) {
        until(&format!("{name} is {state:?}"), async || self.bench.container(name).await.unwrap().pool_state == state)
            .await;
    }
}

/// Waits until `condition` holds.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A server on a free port.
struct Target {
    address: String,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Target {
    /// Does the same with each connection.
    async fn new<S, F>(serve: S) -> Self
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections, task }
    }

    /// Says the same to each, and leaves it to the other side to hang up.
    async fn saying(words: &'static [u8]) -> Self {
        Self::new(move |mut stream| async move {
            let _ = stream.write_all(words).await;
            until_hung_up(stream).await;
        })
        .await
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads until the other side hangs up.
async fn until_hung_up(mut stream: TcpStream) {
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

/// An address on which nothing listens.
async fn refusing() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}
