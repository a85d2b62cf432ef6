//! A container is made anew by whoever runs it: it is removed, and what runs it puts another in its place.
//!
//! Nothing of it needs to be kept, for the other one is nobody's before discovery finds it, as any new container. The work ends
//! with the record: a worker that dies before leaves it due, and the next one finds the container gone or on its way.

use tokio::time::sleep;

use super::recreate::{LOOK, lost};
use crate::{
    config::ResetConfig,
    model::TargetType,
    provider::{Provider, ProviderError},
    store::{ResetOutcome, ResetTask, Store},
};

/// Has it removed, and waits until discovery has seen that it is gone. The caller bounds the time.
pub(super) async fn make(
    store: &Store,
    provider: &dyn Provider,
    settings: &ResetConfig,
    target_type: &TargetType,
    task: &ResetTask,
) -> Result<ResetOutcome, String> {
    match provider.discard(&task.id, settings.deadline).await {
        Ok(()) | Err(ProviderError::Gone) => {}
        Err(error) => return Err(error.to_string()),
    }
    while store.container(target_type, &task.id).await.map_err(lost)?.is_some() {
        sleep(LOOK).await;
    }
    Ok(ResetOutcome::Replaced)
}
