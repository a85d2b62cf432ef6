//! Who is asked to make a container clean, by a signed message: the answer says whether it is.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    config::{Config, ConfigError, ResetConfig, ResetKind, ResetWebhook},
    model::{Event, TargetType},
    store::{ResetOutcome, ResetTask, Store},
    webhook::Sender,
};

/// The receivers, by type; for all others there is one more.
pub(super) struct Receivers {
    own: HashMap<TargetType, Sender>,
    other: Option<Sender>,
}

impl Receivers {
    /// Those of the types whose reset asks one.
    ///
    /// # Errors
    /// What one is reached with cannot be used.
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut own = HashMap::new();
        for target_type in config.types.keys() {
            let section = format!("types.{target_type}.reset");
            own.extend(sender(&config.reset_of(target_type), &section)?.map(|sender| (target_type.clone(), sender)));
        }
        Ok(Self { own, other: sender(&config.reset, "reset")? })
    }

    fn of(&self, target_type: &TargetType) -> Option<&Sender> {
        self.own.get(target_type).or(self.other.as_ref())
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(
        &self,
        store: &Store,
        target_type: &TargetType,
        task: &ResetTask,
    ) -> Result<ResetOutcome, String> {
        let receiver = self.of(target_type).ok_or("nobody is configured to be asked")?;
        let container = store.container(target_type, &task.id).await.map_err(|error| error.to_string())?;
        let container = container.ok_or("the container is gone")?;
        // The same for whatever is sent again of this attempt.
        let id = format!("{target_type}:reset:{}:{}", task.id, task.attempt);
        let data = json!({
            "container": task.id, "name": container.name, "provider": task.provider,
            "endpoints": container.endpoints, "labels": container.labels,
            "attempt": task.tries, "sessions": task.uses,
        });
        let data = if let Value::Object(data) = data { data } else { Map::new() };
        let at = Timestamp::now().to_string();
        let kind = "container.reset_wanted".to_owned();
        let message = Event { id: id.clone(), target_type: target_type.clone(), kind, at, data };
        let body = serde_json::to_vec(&message).map_err(|error| error.to_string())?;
        receiver.post(&id, body, None).await.map_err(|refusal| refusal.reason)?;
        Ok(ResetOutcome::Clean)
    }
}

fn sender(settings: &ResetConfig, section: &str) -> Result<Option<Sender>, ConfigError> {
    let Some(webhook) = settings.webhook.as_ref().filter(|_| settings.kind == ResetKind::Webhook) else {
        return Ok(None);
    };
    let ResetWebhook { url, ca_file, .. } = webhook;
    let sender = Sender::new(url, webhook.keys(), settings.deadline, ca_file.as_deref());
    sender.map(Some).map_err(|right| ConfigError::Wrong {
        key: format!("{section}.webhook"),
        given: webhook.place(),
        right,
    })
}
