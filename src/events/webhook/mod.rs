//! Webhooks: each type's events are posted to each webhook in their order, by whichever replica holds the lease for the two.
//! How far it is stands in Redis, so another replica goes on where one died: an event may come twice, and then under the
//! same id.

mod courier;
mod span;
mod state;

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::courier::Courier;
use super::Events;
use crate::{config::WebhookConfig, model::TargetType, webhook::Sender};

/// Between two looks for new types.
const TYPES: Duration = Duration::from_secs(1);

/// A webhook cannot be used: which, and why.
#[derive(Debug, thiserror::Error)]
#[error("configuration: webhook {name:?}: {reason}")]
pub struct WebhookError {
    name: String,
    reason: String,
}

/// A receiver of events, and what it is reached with.
pub(super) struct Webhook {
    pub config: WebhookConfig,
    sender: Sender,
}

impl Webhook {
    /// # Errors
    /// Its authorities cannot be used.
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, WebhookError> {
        let sender = Sender::new(&config.url, config.keys(), config.timeout, config.ca_file.as_deref())
            .map_err(|reason| WebhookError { name: config.name.to_string(), reason })?;
        Ok(Self { config: config.clone(), sender })
    }

    fn wants(&self, target_type: &TargetType) -> bool {
        self.config.target_types.is_empty() || self.config.target_types.contains(target_type)
    }
}

impl Events {
    /// Delivers, where this replica holds the lease, until `shutdown`.
    ///
    /// # Errors
    /// A part of it panicked.
    pub async fn deliver(&self, shutdown: CancellationToken) -> Result<(), JoinError> {
        if self.shared.webhooks.is_empty() {
            shutdown.cancelled().await;
            return Ok(());
        }
        let (mut couriers, mut known) = (JoinSet::new(), HashSet::new());
        loop {
            match self.shared.store.types().await {
                Ok(types) => {
                    for (webhook, target_type) in self.pairs(types) {
                        if known.insert((webhook.config.name.clone(), target_type.clone())) {
                            let courier = Courier::new(self.clone(), webhook, target_type);
                            couriers.spawn(courier.run(shutdown.clone()));
                        }
                    }
                }
                Err(error) => tracing::debug!(%error, "types could not be asked for"),
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(TYPES) => {}
                Some(Err(panicked)) = couriers.join_next() => return Err(panicked),
            }
        }
        while let Some(ended) = couriers.join_next().await {
            ended?;
        }
        Ok(())
    }

    /// Each webhook with each of these types that it wants.
    fn pairs(&self, types: Vec<TargetType>) -> Vec<(Arc<Webhook>, TargetType)> {
        let mut pairs = Vec::new();
        for target_type in types {
            let wanting = self.shared.webhooks.iter().filter(|webhook| webhook.wants(&target_type));
            pairs.extend(wanting.map(|webhook| (webhook.clone(), target_type.clone())));
        }
        pairs
    }
}
