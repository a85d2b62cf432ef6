//! Who discovers for a provider: the replica that holds its lock.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use crate::{
    model::ProviderName,
    store::{ProviderLock, Store},
};

/// The lock of one provider, as one replica sees it.
pub(super) struct Lock {
    pub(super) store: Store,
    pub(super) provider: ProviderName,
    pub(super) replica: String,
    /// How long it lasts without renewal.
    pub(super) ttl: Duration,
}

/// The lock is this replica's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// The generation to write in.
    pub(super) generation: u64,
    /// When it ends at the latest: counted from before the call that took it.
    until: Instant,
}

impl Lock {
    /// Waits until the lock is this replica's, in a generation above `above`.
    pub(super) async fn take(&self, above: u64) -> Held {
        let mut failing = false;
        loop {
            let until = Instant::now() + self.ttl;
            match self.store.lock_provider(&self.provider, &self.replica, self.ttl, above).await {
                Ok(ProviderLock::Held { generation }) => return Held { generation, until },
                Ok(ProviderLock::Busy { holder }) => {
                    failing = false;
                    debug!(provider = %self.provider, holder, "another replica discovers");
                }
                Err(error) if !failing => {
                    failing = true;
                    warn!(provider = %self.provider, "the provider's lock cannot be taken: {error}");
                }
                Err(_) => {}
            }
            self.pause().await;
        }
    }

    /// Between two tries to take the lock.
    pub(super) async fn pause(&self) {
        sleep(self.ttl / 5).await;
    }

    /// Renews the lock until it is lost; tells why it is.
    pub(super) async fn keep(&self, held: Held) -> String {
        let mut until = held.until;
        let mut wait = self.ttl / 3;
        loop {
            sleep(wait).await;
            let sent = Instant::now();
            match self.store.lock_provider(&self.provider, &self.replica, self.ttl, 0).await {
                Ok(ProviderLock::Held { generation }) if generation == held.generation => {
                    until = sent + self.ttl;
                    wait = self.ttl / 3;
                }
                Ok(ProviderLock::Held { .. }) => return "the lock had ended".to_owned(),
                Ok(ProviderLock::Busy { holder }) => return format!("{holder} does"),
                Err(error) if Instant::now() >= until => return format!("the lock could not be renewed: {error}"),
                Err(_) => wait = self.ttl / 10,
            }
        }
    }

    /// Gives the lock back if it is this replica's, so that another need not wait for its end.
    pub(super) async fn give_back(&self) {
        if let Err(error) = self.store.unlock_provider(&self.provider, &self.replica).await {
            debug!(provider = %self.provider, "the provider's lock ends by itself: {error}");
        }
    }
}
