//! Events out of the streams in Redis: to those who follow them here, and to webhooks.
//!
//! However many follow, a replica reads each type's stream once: [`hub`] reads what is new while anybody listens and hands
//! it to all. Who comes back, or was too slow, reads from Redis by itself until it is level again ([`follow`]). Events that are
//! gone are told by a `resync` in their place ([`feed`]). What they amount to by the hour is kept apart ([`history`]), since the
//! streams are trimmed.

mod cursor;
mod feed;
mod follow;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod history;
mod hub;
mod webhook;

use std::sync::Arc;

use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

pub use self::{
    cursor::{BadCursor, Cursor},
    feed::Told,
    follow::{Filter, Follower, Start},
    webhook::WebhookError,
};
use self::{hub::Batch, webhook::Webhook};
use crate::{config::Config, metrics::Metrics, store::Store};

/// How many batches a follower may be behind before it reads by itself.
const BATCHES: usize = 256;

/// What a replica reads of the streams. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

struct Shared {
    /// With connections of its own: what clients wait for is not held up by long pages.
    store: Store,
    news: broadcast::Sender<Arc<Batch>>,
    /// Somebody listens.
    asked: Notify,
    webhooks: Vec<Arc<Webhook>>,
    metrics: Arc<Metrics>,
    replica: String,
}

impl Events {
    /// Reads nothing until somebody listens, and nothing at all without [`Events::run`].
    ///
    /// # Errors
    /// A webhook cannot be used.
    pub fn new(store: &Store, config: &Config, metrics: Arc<Metrics>, replica: String) -> Result<Self, WebhookError> {
        let webhooks =
            config.webhook.iter().map(|webhook| Webhook::new(webhook).map(Arc::new)).collect::<Result<_, _>>()?;
        let shared = Shared {
            store: store.for_worker(),
            news: broadcast::Sender::new(BATCHES),
            asked: Notify::new(),
            webhooks,
            metrics,
            replica,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Reads what is new, for those who listen, until `shutdown`.
    pub async fn run(&self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(hub::run(&self.shared)).await;
    }
}
