//! Keeps the registry in step with the providers.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{config::Config, provider::Provider, store::Store};

/// Discovers for every provider whose lock this replica (named `replica`) gets, until `shutdown`; gives the locks back then.
pub async fn run(
    _store: Store,
    _providers: Vec<Arc<dyn Provider>>,
    _config: Arc<Config>,
    _replica: String,
    shutdown: CancellationToken,
) {
    shutdown.cancelled().await;
}
