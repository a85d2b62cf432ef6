//! Deliveries to webhooks, and what they did not take.

use super::{Client, error::ClientError, http::patiently};
use crate::model::{DeadLetters, Replayed, WebhookName, WebhookStatus};

impl Client {
    /// How far the deliveries to each webhook are.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn webhooks(&self) -> Result<Vec<WebhookStatus>, ClientError> {
        patiently(|| self.http.json(self.http.get("/webhooks"))).await
    }

    /// What a webhook did not take, the youngest of each type first: at most so many of each, or as many as the server
    /// shows by itself.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn dead_letters(&self, name: &WebhookName, most: Option<u32>) -> Result<DeadLetters, ClientError> {
        let call = || self.http.get(&format!("/webhooks/{name}/dead")).query(&[("limit", most)]);
        patiently(|| self.http.json(call())).await
    }

    /// Has all that a webhook did not take sent again, the oldest first. Says how many; after an answer that got lost another
    /// call does no harm, and counts only what was given up since.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn replay(&self, name: &WebhookName) -> Result<Replayed, ClientError> {
        self.http.json(self.http.post(&format!("/webhooks/{name}/replay"))).await
    }
}
