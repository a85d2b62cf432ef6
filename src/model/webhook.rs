//! Webhooks: how far their deliveries are, and what they did not take.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Event, TargetType};

/// An event that a webhook did not take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// The event.
    pub event: Event,
    /// Why the last attempt failed.
    pub error: String,
    /// How many there were.
    pub attempts: u32,
    /// When it was given up (RFC 3339).
    pub given_up_at: String,
}

impl DeadLetter {
    /// An event that is given up now, by this replica's clock.
    #[must_use]
    pub fn new(event: &Event, error: &str, attempts: u32) -> Self {
        let given_up_at = format!("{:.3}", Timestamp::now());
        Self { event: event.clone(), error: error.to_owned(), attempts, given_up_at }
    }

    /// Reads it as it is kept; none when it is not one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// As it is kept.
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A webhook, and how far its deliveries are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is; what follows the host is not shown.
    pub url: String,
    /// By type.
    pub deliveries: Vec<DeliveryStatus>,
}

/// How far the deliveries of one type are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryStatus {
    /// The type.
    #[schema(value_type = String)]
    pub target_type: TargetType,
    /// The replica that delivers; null when none does now.
    pub replica: Option<String>,
    /// Events that are not done with.
    pub behind: u64,
    /// Attempts at the next one, so far.
    pub attempts: u32,
    /// Why the last attempt failed; null when it did not.
    pub error: Option<String>,
    /// Events that were given up.
    pub dead: u64,
    /// Events that were given up and are to be sent again.
    pub again: u64,
}

/// What a webhook did not take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetters {
    /// The youngest of each type first.
    pub letters: Vec<DeadLetter>,
    /// How many there are in all.
    pub total: u64,
}

/// What is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Replayed {
    /// How many events.
    pub replayed: u64,
}
