//! How far the deliveries to webhooks are: in Redis, so that another replica goes on where one died.

use std::time::Duration;

use super::{
    Store, StoreError, Way, scripts,
    sessions::{bytes, flag, millis},
};
use crate::model::{Position, TargetType, WebhookName};

/// Most dead letters that one script moves.
const MOVED_MOST: u64 = 500;

/// The lease to deliver a type's events to a webhook is held.
#[derive(Debug)]
pub struct DeliveryLease {
    /// The last event that is done with.
    pub done: Position,
    /// Attempts at the next one, so far.
    pub attempts: u32,
    /// Until it may be tried again.
    pub pause: Duration,
    /// The oldest dead letter that is to be sent again before it.
    pub again: Option<String>,
}

/// How a delivery went.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// The last event that is done with.
    pub done: Position,
    /// Attempts at the next one, so far.
    pub attempts: u32,
    /// Until it may be tried again.
    pub pause: Duration,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// The oldest dead letter that is sent again is done with.
    pub again: bool,
    /// What is given up.
    pub dead: Option<String>,
}

/// How far a webhook's deliveries of a type are.
#[derive(Debug, Clone)]
pub struct DeliveryState {
    /// The replica that delivers.
    pub holder: Option<String>,
    /// Events that are not done with.
    pub behind: u64,
    /// Attempts at the next one, so far.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// Dead letters.
    pub dead: u64,
    /// Dead letters that are to be sent again.
    pub again: u64,
    /// The youngest dead letters.
    pub letters: Vec<String>,
}

impl Store {
    /// Takes the lease to deliver, or renews it; none when somebody else has it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_webhook(
        &self,
        webhook: &WebhookName,
        target_type: &TargetType,
        replica: &str,
        ttl: Duration,
    ) -> Result<Option<DeliveryLease>, StoreError> {
        let args = [webhook.to_string(), replica.to_owned(), millis(ttl)];
        let key = self.shared.keys.epoch(target_type);
        let mut reply = self.run_at(Way::Slow, &scripts::CLAIM_WEBHOOK, &key, &bytes(&args)).await?;
        match reply.code.as_str() {
            "held" => Ok(Some(DeliveryLease {
                done: Position { epoch: reply.values.number()?, sequence: reply.values.number()? },
                attempts: reply.values.number()? as u32,
                pause: Duration::from_millis(reply.values.number()?),
                again: reply.values.optional_text()?,
            })),
            "busy" => Ok(None),
            _ => Err(reply.unexpected()),
        }
    }

    /// Gives the lease to deliver back, if this replica holds it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unclaim_webhook(
        &self,
        webhook: &WebhookName,
        target_type: &TargetType,
        replica: &str,
    ) -> Result<(), StoreError> {
        self.claim_webhook(webhook, target_type, replica, Duration::ZERO).await.map(drop)
    }

    /// Records how a delivery went. False when somebody else holds the lease by now, and nothing was recorded.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_delivery(
        &self,
        webhook: &WebhookName,
        target_type: &TargetType,
        replica: &str,
        delivery: &Delivery,
        dead_kept: u64,
    ) -> Result<bool, StoreError> {
        let args = [
            webhook.to_string(),
            replica.to_owned(),
            delivery.done.epoch.to_string(),
            delivery.done.sequence.to_string(),
            delivery.attempts.to_string(),
            millis(delivery.pause),
            delivery.error.clone().unwrap_or_default(),
            flag(delivery.again),
            delivery.dead.clone().unwrap_or_default(),
            dead_kept.to_string(),
        ];
        let key = self.shared.keys.epoch(target_type);
        let reply = self.run_at(Way::Slow, &scripts::RECORD_DELIVERY, &key, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => Ok(true),
            "lost" => Ok(false),
            _ => Err(reply.unexpected()),
        }
    }

    /// How far the deliveries of a type are, with at most so many dead letters.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn webhook_state(
        &self,
        webhook: &WebhookName,
        target_type: &TargetType,
        letters: u32,
    ) -> Result<DeliveryState, StoreError> {
        let args = [webhook.to_string(), letters.to_string()];
        let key = self.shared.keys.epoch(target_type);
        let mut reply = self.run_at(Way::Slow, &scripts::WEBHOOK_STATE, &key, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        Ok(DeliveryState {
            holder: reply.values.optional_text()?,
            behind: reply.values.number()?,
            attempts: reply.values.number()? as u32,
            error: reply.values.optional_text()?,
            dead: reply.values.number()?,
            again: reply.values.number()?,
            letters: reply.values.texts()?,
        })
    }

    /// Has all dead letters of a type sent again. Says how many.
    ///
    /// # Errors
    /// See [`StoreError`]; some may be sent again then.
    pub async fn replay_webhook(&self, webhook: &WebhookName, target_type: &TargetType) -> Result<u64, StoreError> {
        // What dies again meanwhile is not sent a third time.
        let mut left = self.webhook_state(webhook, target_type, 0).await?.dead;
        let mut all = 0;
        while left > 0 {
            let args = [webhook.to_string(), left.min(MOVED_MOST).to_string()];
            let key = self.shared.keys.epoch(target_type);
            let mut reply = self.run_at(Way::Slow, &scripts::REPLAY_WEBHOOK, &key, &bytes(&args)).await?;
            if reply.code != "ok" {
                return Err(reply.unexpected());
            }
            let moved = reply.values.number()?;
            if moved == 0 {
                break;
            }
            all += moved;
            left = left.saturating_sub(moved);
        }
        Ok(all)
    }
}
