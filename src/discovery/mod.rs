//! Keeps the registry in step with the providers.
//!
//! One replica discovers for a provider: the one that holds its [`lock`]. While it does, it [`follow`]s the provider:
//! full looks for truth, and what the provider tells of changes for speed. What was seen is [`write`]n in an order that
//! the scripts check, so that a replica which lost the lock without noticing changes nothing.

mod follow;
mod keep;
mod lock;
mod sight;
mod write;

use std::{convert::Infallible, sync::Arc};

use futures_util::future;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::{follow::Follower, lock::Lock, sight::Sight, write::Writer};
use crate::{
    config::Config,
    provider::{Provider, ProviderError},
    store::{Store, StoreError},
};

/// Discovers for every provider whose lock this replica (named `replica`) gets, until `shutdown`; gives the locks back then.
pub async fn run(
    store: Store,
    providers: Vec<Arc<dyn Provider>>,
    config: Arc<Config>,
    replica: String,
    shutdown: CancellationToken,
) {
    let discoveries = providers.into_iter().map(|provider| {
        let lock = Lock {
            store: store.clone(),
            provider: provider.name().clone(),
            replica: replica.clone(),
            ttl: config.discovery.lock,
        };
        let (store, config, shutdown) = (store.clone(), config.clone(), shutdown.clone());
        async move {
            tokio::select! {
                () = shutdown.cancelled() => lock.give_back().await,
                never = discover(&lock, &store, &provider, &config) => match never {},
            }
        }
    });
    future::join(shutdown.cancelled(), future::join_all(discoveries)).await;
}

/// Discovers for one provider whenever the lock is this replica's.
async fn discover(lock: &Lock, store: &Store, provider: &Arc<dyn Provider>, config: &Arc<Config>) -> Infallible {
    let mut above = 0;
    loop {
        let held = lock.take(above).await;
        info!(provider = %provider.name(), generation = held.generation, "discovers for this provider");
        let writer = Writer::new(store.clone(), config.clone(), provider.as_ref(), held.generation);
        let mut follower = Follower::new(store.clone(), provider.clone(), config.discovery.resync, writer);
        let why = tokio::select! {
            why = lock.keep(held) => why,
            never = keep::run(store, provider.as_ref()) => match never {},
            () = follower.follow() => {
                // It may be one of before a loss of Redis, when the clock has been set back since: then nobody else discovers.
                above = store.newest_generation(provider.name()).await.unwrap_or(above);
                "a newer generation discovers".to_owned()
            }
        };
        info!(provider = %provider.name(), generation = held.generation, "discovers no more for this provider: {why}");
        // Were the lock still this replica's, it would be taken again in the same generation, which is used up.
        lock.give_back().await;
        lock.pause().await;
    }
}

/// Why a provider is not followed any more.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    /// It could not be asked.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// It tells of no more changes.
    #[error("it tells of changes no more")]
    Silence,
    /// What it said could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A newer generation has written: another replica discovers.
    #[error("a newer generation discovers")]
    Stale,
}
