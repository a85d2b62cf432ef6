//! One type's events on their way to one webhook.

use std::{sync::Arc, time::Duration};

use rand::RngExt as _;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{Webhook, span};
use crate::{
    events::Events,
    model::{DeadLetter, Event, Position, TargetType},
    store::{Delivery, DeliveryLease, StoreError},
    telemetry,
    webhook::Refusal,
};

/// After this time without renewal another replica goes on.
const LEASE: Duration = Duration::from_secs(5);
/// Between two renewals.
const RENEWAL: Duration = Duration::from_millis(1500);
/// Before the lease is tried for again.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is recorded how far it is where nothing is to be sent.
const PASSED: Duration = Duration::from_secs(5);
/// After Redis did not answer.
const PAUSE: Duration = Duration::from_millis(200);

/// Delivers while it holds the lease.
pub(super) struct Courier {
    events: Events,
    webhook: Arc<Webhook>,
    target_type: TargetType,
    /// Dead letters are to be sent again.
    again: Notify,
}

/// What is to be sent.
struct Letter {
    event: Arc<Event>,
    /// What is done with when it is.
    place: Position,
    /// It was given up before.
    again: bool,
}

impl Courier {
    pub(super) fn new(events: Events, webhook: Arc<Webhook>, target_type: TargetType) -> Self {
        Self { events, webhook, target_type, again: Notify::new() }
    }

    /// Delivers whenever it gets the lease, until `shutdown`; what is on its way then is waited for.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let Self { events, webhook, target_type, .. } = &self;
        loop {
            match self.claim().await {
                Ok(Some(lease)) => tokio::select! {
                    () = self.keep() => tracing::debug!(webhook = %webhook.config.name, %target_type, "lease lost"),
                    () = self.deliver(lease, &shutdown) => {}
                },
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, webhook = %webhook.config.name, %target_type, "no lease"),
            }
            if shutdown.run_until_cancelled(sleep(LOOK)).await.is_none() {
                break;
            }
        }
        let shared = &events.shared;
        if let Err(error) = shared.store.unclaim_webhook(&webhook.config.name, target_type, &shared.replica).await {
            tracing::debug!(%error, "the lease is not given back: it ends by itself");
        }
    }

    async fn claim(&self) -> Result<Option<DeliveryLease>, StoreError> {
        let shared = &self.events.shared;
        shared.store.claim_webhook(&self.webhook.config.name, &self.target_type, &shared.replica, LEASE).await
    }

    /// Renews the lease until it is lost.
    async fn keep(&self) {
        let mut held = Instant::now();
        while held.elapsed() < LEASE {
            sleep(RENEWAL).await;
            match self.claim().await {
                Ok(Some(lease)) => {
                    held = Instant::now();
                    if lease.again.is_some() {
                        self.again.notify_one();
                    }
                }
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "a lease is not renewed"),
            }
        }
    }

    /// Delivers what is to be sent again, and what follows in the stream, until `shutdown` or another has the lease.
    async fn deliver(&self, lease: DeliveryLease, shutdown: &CancellationToken) {
        let DeliveryLease { mut done, mut attempts, mut pause, mut again } = lease;
        let mut follower = self.events.follow_type(&self.target_type, &self.webhook.config.kinds, done);
        loop {
            let letter = match again.take().as_deref().map(DeadLetter::read) {
                Some(Some(letter)) => Letter { event: Arc::new(letter.event), place: done, again: true },
                // Not one of ours: it is taken away.
                Some(None) => {
                    let recorded = self.record(&Delivery { done, again: true, ..Delivery::default() }).await;
                    if !recorded {
                        return;
                    }
                    continue;
                }
                None => tokio::select! {
                    () = shutdown.cancelled() => return,
                    event = follower.next() => Letter { event, place: follower.place(&self.target_type), again: false },
                    () = self.again.notified() => {
                        let Ok(Some(lease)) = self.claim().await else { return };
                        again = lease.again;
                        continue;
                    }
                    () = sleep(PASSED) => {
                        let place = follower.place(&self.target_type);
                        if place != done {
                            done = place;
                            if !self.record(&Delivery { done, attempts, ..Delivery::default() }).await {
                                return;
                            }
                        }
                        continue;
                    }
                },
            };
            if !self.send(&letter, done, attempts, pause, shutdown).await {
                return;
            }
            (done, attempts, pause) = (letter.place, 0, Duration::ZERO);
            if letter.again {
                let Ok(Some(lease)) = self.claim().await else { return };
                again = lease.again;
            }
        }
    }

    /// Tries until it is delivered or given up. False when that is another's to do.
    async fn send(
        &self,
        letter: &Letter,
        done: Position,
        mut attempts: u32,
        mut pause: Duration,
        shutdown: &CancellationToken,
    ) -> bool {
        let config = &self.webhook.config;
        loop {
            if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return false;
            }
            let began = Instant::now();
            let span = span::of_attempt(&config.name, &letter.event, attempts + 1);
            let outcome = self.attempt(&letter.event, &span).await;
            span::ended(&span, outcome.as_ref().err());
            drop(span);
            let metrics = &self.events.shared.metrics;
            metrics.webhook(&config.name, outcome.is_ok(), began.elapsed());
            let Err(Refusal { reason: error, retry_after }) = outcome else {
                let delivered = Delivery { done: letter.place, again: letter.again, ..Delivery::default() };
                return self.record(&delivered).await;
            };
            attempts += 1;
            let (webhook, event) = (&config.name, &letter.event.id);
            if attempts >= config.attempts {
                tracing::warn!(%webhook, event, attempts, error, "an event is given up: it is a dead letter");
                metrics.webhook_given_up(&config.name);
                let dead = DeadLetter::new(&letter.event, &error, attempts).write();
                let given_up = Delivery {
                    done: letter.place,
                    again: letter.again,
                    error: Some(error),
                    dead: Some(dead),
                    ..Delivery::default()
                };
                return self.record(&given_up).await;
            }
            // A receiver that knows when it can take more is not asked before, nor left for longer than any other.
            let asked = retry_after.unwrap_or_default().min(config.longest_pause);
            pause = self.pause_after(attempts).max(asked);
            tracing::info!(%webhook, event, attempts, error, pause = ?pause, "a delivery failed; trying again");
            let failed = Delivery { done, attempts, pause, error: Some(error), ..Delivery::default() };
            if !self.record(&failed).await {
                return false;
            }
        }
    }

    /// Twice as long each time, and not at the same moment as others.
    fn pause_after(&self, attempts: u32) -> Duration {
        let config = &self.webhook.config;
        let doubled = config.first_pause.saturating_mul(1 << (attempts - 1).min(30));
        doubled.min(config.longest_pause).mul_f64(rand::rng().random_range(0.5..1.0))
    }

    /// Records how it went, as soon as Redis answers. False when another has the lease.
    async fn record(&self, delivery: &Delivery) -> bool {
        let (shared, config) = (&self.events.shared, &self.webhook.config);
        loop {
            let recorded = shared.store.record_delivery(
                &config.name,
                &self.target_type,
                &shared.replica,
                delivery,
                config.dead_kept,
            );
            match recorded.await {
                Ok(held) => return held,
                Err(error) => tracing::debug!(%error, "a delivery is not recorded; trying on"),
            }
            sleep(PAUSE).await;
        }
    }

    async fn attempt(&self, event: &Event, span: &Span) -> Result<(), Refusal> {
        let body = serde_json::to_vec(event).map_err(|error| error.to_string())?;
        let traceparent = telemetry::traceparent(span);
        self.webhook.sender.post(&event.id, body, traceparent.as_deref()).await
    }
}
