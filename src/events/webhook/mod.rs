//! Webhooks: each type's events are posted to each webhook in their order, by whichever replica holds the lease for the two.
//! How far it is stands in Redis, so another replica goes on where one died: an event may come twice, and then under the
//! same id.

mod courier;
mod sign;
mod state;

use std::{collections::HashSet, sync::Arc, time::Duration};

use reqwest::{Certificate, Client, Url, redirect};
use secrecy::ExposeSecret as _;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::courier::Courier;
pub use self::state::{DeadLetter, DeliveryStatus, WebhookStatus};
use super::Events;
use crate::{config::WebhookConfig, model::TargetType};

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
    keys: Vec<Vec<u8>>,
    client: Client,
}

impl Webhook {
    /// # Errors
    /// Its authorities cannot be used.
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, WebhookError> {
        let client = client(config).map_err(|reason| WebhookError { name: config.name.to_string(), reason })?;
        Ok(Self { config: config.clone(), keys: config.keys(), client })
    }

    fn wants(&self, target_type: &TargetType) -> bool {
        self.config.target_types.is_empty() || self.config.target_types.contains(target_type)
    }
}

fn client(config: &WebhookConfig) -> Result<Client, String> {
    // Another provider that the program installed before is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = Url::parse(config.url.expose_secret()).map_err(|error| error.to_string())?;
    let mut builder = Client::builder()
        .user_agent(concat!("leasehold/", env!("CARGO_PKG_VERSION")))
        .timeout(config.timeout)
        // It would take the event elsewhere.
        .redirect(redirect::Policy::none());
    if url.scheme() == "http" {
        // Without TLS no certificates are needed: a small image has none.
        builder = builder.tls_certs_only([]);
    } else if let Some(file) = &config.ca_file {
        let pem = std::fs::read(file).map_err(|error| format!("ca_file = {}: {error}", file.display()))?;
        let all = Certificate::from_pem_bundle(&pem).map_err(|_| format!("ca_file = {}: no PEM", file.display()))?;
        builder = builder.tls_certs_only(all);
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| error.without_url().to_string())
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
