//! What the service promises: sessions and the line. Knows no HTTP and no Redis command.

mod audit;
mod create;
mod explain;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod guide;
mod operator;
mod reaper;
mod recovery;
mod registry;
mod request;
mod sessions;
mod streams;
mod types;
mod viewers;
mod waiters;

use std::sync::Arc;

use futures_util::future::try_join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

pub use audit::AuditPart;
pub use explain::Reasons;
pub use request::{
    ContainerFilter, CreateSession, Created, Idempotency, OnShortage, Page, PoolError, Renewal, SessionFilter,
};

pub use streams::OpenStream;
pub use viewers::{MadePass, ViewerPlace, Viewing};

pub use crate::store::{Audited, ProviderStatus, StoreError};

use self::{explain::Shortages, viewers::Viewers, waiters::Waiters};
use crate::{
    config::Config,
    metrics::Metrics,
    model::{Caller, LeaseTokens, OwnerName, SessionId, TargetType},
    store::{Store, Wake},
};

/// The pool as one worker sees it: cheap to clone, without state of its own beyond who waits here.
#[derive(Clone)]
pub struct Pool {
    store: Store,
    shared: Arc<Shared>,
}

/// What all workers of a replica share.
struct Shared {
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    /// This replica's id: its channel in Redis.
    replica: String,
    waiters: Waiters,
    viewers: Viewers,
    shortages: Shortages,
    lease_tokens: LeaseTokens,
    /// One permit for each request that waits or follows.
    long_polls: Arc<Semaphore>,
    /// Cancelled when the replica is to end: waiting requests are answered then.
    shutdown: CancellationToken,
}

impl Pool {
    /// The pool of a replica. Listens for offers until `shutdown`; must be called within a tokio runtime.
    #[must_use]
    pub fn new(
        store: Store,
        config: Arc<Config>,
        metrics: Arc<Metrics>,
        replica: String,
        shutdown: CancellationToken,
    ) -> Self {
        let shared = Arc::new(Shared {
            long_polls: Arc::new(Semaphore::new(config.long_polls)),
            lease_tokens: LeaseTokens::new(&config.lease_tokens.keys),
            config,
            metrics,
            replica,
            waiters: Waiters::default(),
            viewers: Viewers::default(),
            shortages: Shortages::default(),
            shutdown,
        });
        tokio::spawn(hear_offers(store.clone(), shared.clone()));
        Self { store, shared }
    }

    /// The same pool with a connection to Redis of its own.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        Self { store: self.store.for_worker(), shared: self.shared.clone() }
    }

    /// What this replica counts.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    /// How many sessions are waited for by open requests on this replica.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.waiters.len()
    }

    /// How many requests wait or go on at this replica, and how many may.
    #[must_use]
    pub fn long_polls(&self) -> (u64, u64) {
        let most = self.shared.config.long_polls;
        ((most - self.shared.long_polls.available_permits()) as u64, most as u64)
    }

    /// Whether the replica is to end: nobody waits here any more.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.shared.shutdown.is_cancelled()
    }

    /// Cancelled when the replica is to end: what is open then is closed.
    #[must_use]
    pub fn ending(&self) -> CancellationToken {
        self.shared.shutdown.clone()
    }

    /// A place among the requests that stay open, until it is dropped.
    ///
    /// # Errors
    /// There is none, or the replica is to end.
    pub fn hold_open(&self) -> Result<OwnedSemaphorePermit, PoolError> {
        if self.is_ending() {
            return Err(PoolError::ShuttingDown);
        }
        self.shared.long_polls.clone().try_acquire_owned().map_err(|_| PoolError::TooManyWaiting)
    }

    /// Whether Redis answers and scripts run. A type that recovers is served as far as that goes; says which do.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<Vec<TargetType>, PoolError> {
        if self.is_ending() {
            return Err(PoolError::ShuttingDown);
        }
        let types = self.store.types().await?;
        if types.is_empty() {
            self.store.check_server().await?;
        }
        let reclaimed = try_join_all(types.iter().map(|target_type| self.store.reclaim(target_type))).await?;
        let recovering = types.into_iter().zip(reclaimed).filter(|(_, reclaimed)| reclaimed.recovering.is_some());
        Ok(recovering.map(|(target_type, _)| target_type).collect())
    }

    /// The error for a type that nobody knows.
    async fn unknown(&self, name: &str) -> PoolError {
        match self.store.types().await {
            Ok(known) => PoolError::UnknownType {
                target_type: name.chars().take(80).collect(),
                known: known.into_iter().map(String::from).collect(),
            },
            Err(error) => error.into(),
        }
    }

    /// The type of this name.
    ///
    /// # Errors
    /// [`PoolError::UnknownType`] when there is none, or Redis could not be asked.
    pub async fn known_type(&self, name: &str) -> Result<TargetType, PoolError> {
        match name.parse::<TargetType>() {
            Ok(target_type) => self.must_know(&target_type).await.map(|()| target_type),
            Err(_) => Err(self.unknown(name).await),
        }
    }

    async fn must_know(&self, target_type: &TargetType) -> Result<(), PoolError> {
        if self.store.knows(target_type).await? { Ok(()) } else { Err(self.unknown(target_type.as_str()).await) }
    }
}

/// Passes offers on to those that wait here.
async fn hear_offers(store: Store, shared: Arc<Shared>) {
    let (sender, mut wakes) = mpsc::unbounded_channel();
    let listener = store.listen(&shared.replica, sender, shared.shutdown.clone());
    let pass_on = async {
        while let Some(wake) = wakes.recv().await {
            match wake {
                Wake::Offered(id) => shared.waiters.wake(id),
                Wake::Resubscribed => shared.waiters.wake_all(),
            }
        }
    };
    tokio::join!(listener, pass_on);
}

/// Whose sessions a caller may change: its owner's, or (none) everybody's.
fn scope(caller: &Caller) -> Option<&OwnerName> {
    (!caller.is_admin()).then_some(&caller.owner)
}

fn not_found(id: SessionId) -> PoolError {
    PoolError::SessionNotFound(id.to_string())
}
