//! How far deliveries are, and what was given up.

use futures_util::future::try_join_all;

use super::Webhook;
use crate::{
    events::Events,
    model::{DeadLetter, DeliveryStatus, TargetType, WebhookName, WebhookStatus},
    store::StoreError,
};

impl Events {
    /// How far all webhooks are.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn webhooks(&self) -> Result<Vec<WebhookStatus>, StoreError> {
        if self.shared.webhooks.is_empty() {
            return Ok(Vec::new());
        }
        let types = self.shared.store.types().await?;
        try_join_all(self.shared.webhooks.iter().map(|webhook| self.status(webhook, &types))).await
    }

    async fn status(&self, webhook: &Webhook, types: &[TargetType]) -> Result<WebhookStatus, StoreError> {
        let config = &webhook.config;
        let wanted = types.iter().filter(|target_type| webhook.wants(target_type));
        let deliveries = wanted.map(async |target_type| {
            let state = self.shared.store.webhook_state(&config.name, target_type, 0).await?;
            Ok::<_, StoreError>(DeliveryStatus {
                target_type: target_type.clone(),
                replica: state.holder,
                behind: state.behind,
                attempts: state.attempts,
                error: state.error,
                dead: state.dead,
                again: state.again,
            })
        });
        let deliveries = try_join_all(deliveries).await?;
        Ok(WebhookStatus { name: config.name.to_string(), url: config.place(), deliveries })
    }

    /// The names of the webhooks.
    #[must_use]
    pub fn webhook_names(&self) -> Vec<WebhookName> {
        self.shared.webhooks.iter().map(|webhook| webhook.config.name.clone()).collect()
    }

    /// At most so many dead letters of each type, and how many there are of all.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn dead_letters(&self, webhook: &WebhookName, most: u32) -> Result<(Vec<DeadLetter>, u64), StoreError> {
        let (mut letters, mut total) = (Vec::new(), 0);
        for target_type in self.shared.store.types().await? {
            let state = self.shared.store.webhook_state(webhook, &target_type, most).await?;
            total += state.dead;
            letters.extend(state.letters.iter().filter_map(|text| DeadLetter::read(text)));
        }
        Ok((letters, total))
    }

    /// Has all dead letters sent again. Says how many.
    ///
    /// # Errors
    /// Redis could not be asked; some may be sent again then.
    pub async fn replay(&self, webhook: &WebhookName) -> Result<u64, StoreError> {
        let mut all = 0;
        for target_type in self.shared.store.types().await? {
            all += self.shared.store.replay_webhook(webhook, &target_type).await?;
        }
        Ok(all)
    }
}
