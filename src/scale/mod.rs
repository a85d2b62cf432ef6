//! Makes pools follow demand.
//!
//! One replica at a time decides for a type, once a second: what it [`decide`]s on and what it remembers is in Redis, so that
//! another goes on where it stopped. Containers are added by their provider, each like one that there is. They are taken
//! away in two steps: the store takes an idle one out of the pool, in one step with the look at whether a session has it; from then
//! on it is never given out, and is removed however often that is tried. Only what was added for demand is taken away. Where something
//! else makes the containers (a Deployment), the second step is that it is told to have so many fewer, while it can choose no others.

mod bounds;
mod choice;
pub mod decide;
mod memory;
mod round;
mod workload;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

pub use self::bounds::{Bounds, Scheduled};
use self::round::Round;
use crate::{
    metrics::Metrics,
    model::ProviderName,
    provider::Provider,
    store::{Store, StoreError},
};

/// How often a type is decided about.
const PAUSE: Duration = Duration::from_secs(1);

/// Most that are added in one round, so that it ends within its claim.
pub const ADDED_MOST: u64 = 8;

/// The providers by their names.
type Providers = BTreeMap<ProviderName, Arc<dyn Provider>>;

/// Scales every type that is to be, as this replica (named `replica`), until `shutdown`.
pub async fn run(
    store: Store,
    providers: Vec<Arc<dyn Provider>>,
    metrics: Arc<Metrics>,
    replica: String,
    shutdown: CancellationToken,
) {
    let providers: Providers = providers.into_iter().map(|provider| (provider.name().clone(), provider)).collect();
    let mut failing = false;
    while !shutdown.is_cancelled() {
        let outcome = look(&store, &providers, &metrics, &replica).await;
        match &outcome {
            Ok(()) if failing => tracing::info!("scaling again"),
            Err(error) if !failing => tracing::warn!(%error, "not scaling; trying on"),
            _ => {}
        }
        failing = outcome.is_err();
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sleep(PAUSE) => {}
        }
    }
}

async fn look(store: &Store, providers: &Providers, metrics: &Metrics, replica: &str) -> Result<(), StoreError> {
    for target_type in store.types().await? {
        let state = store.type_state(&target_type);
        if let Some(settings) = &state.in_force.scale {
            let round = Round { store, providers, metrics, replica, target_type: &target_type, settings };
            round.make().await?;
        }
    }
    Ok(())
}
