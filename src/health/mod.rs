//! Probes containers and reports what it found. Work is shared among replicas by claims in the store.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{config::Config, metrics::Metrics, store::Store};

/// Probes until `shutdown`.
pub async fn run(_store: Store, _config: Arc<Config>, _metrics: Arc<Metrics>, shutdown: CancellationToken) {
    shutdown.cancelled().await;
}
