//! The one subscribing connection of a replica: offers to those that wait here.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Store, StoreError, failure::explain};
use crate::model::SessionId;

/// What a replica hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// This session was offered a container.
    Offered(SessionId),
    /// Messages may have been missed: everybody who waits should look.
    Resubscribed,
}

impl Store {
    /// Listens on this replica's channel until `shutdown`, again and again when the connection is lost.
    pub async fn listen(&self, replica: &str, wakes: mpsc::UnboundedSender<Wake>, shutdown: CancellationToken) {
        let channel = self.shared.keys.wake(replica);
        let mut failed = false;
        loop {
            let heard = tokio::select! {
                () = shutdown.cancelled() => return,
                heard = self.listen_once(&channel, &wakes, &mut failed) => heard,
            };
            if let Err(error) = heard
                && !failed
            {
                tracing::warn!(%error, "not subscribed to offers; waiting requests look every few seconds meanwhile");
                failed = true;
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }

    async fn listen_once(
        &self,
        channel: &str,
        wakes: &mpsc::UnboundedSender<Wake>,
        failed: &mut bool,
    ) -> Result<(), StoreError> {
        let timed_out = |_| StoreError::Timeout(self.shared.timeout);
        let lost = |error| explain(&error);
        let timeout = self.shared.timeout;
        // In a cluster any node hears what is published at any other.
        let server = self.shared.servers.any(Instant::now() + timeout).await?;
        let pubsub = tokio::time::timeout(timeout, server.client().get_async_pubsub())
            .await
            .map_err(timed_out)?
            .map_err(lost)?;
        let (mut sink, mut messages) = pubsub.split();
        tokio::time::timeout(timeout, sink.subscribe(channel)).await.map_err(timed_out)?.map_err(lost)?;
        if std::mem::take(failed) {
            tracing::info!("subscribed to offers again");
        }
        let _ = wakes.send(Wake::Resubscribed);
        let mut pings = tokio::time::interval(Duration::from_secs(2));
        loop {
            tokio::select! {
                message = messages.next() => {
                    let Some(message) = message else { return Err(StoreError::Unreachable("the connection was closed".to_owned())) };
                    if let Some(id) = std::str::from_utf8(message.get_payload_bytes()).ok().and_then(|text| text.parse().ok()) {
                        let _ = wakes.send(Wake::Offered(id));
                    }
                }
                () = server.gone().cancelled() => return Ok(()),
                // A black hole is not noticed by listening.
                _ = pings.tick() => {
                    let _: redis::Value = tokio::time::timeout(timeout, sink.ping()).await.map_err(timed_out)?.map_err(lost)?;
                }
            }
        }
    }
}
