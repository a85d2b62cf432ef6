//! A container is made anew: another one from the same definition takes its place.
//!
//! What it is made from is kept in the store before anything is done to the container. From then on the work is there until
//! the new one is in use, whatever becomes of the old one and of the workers. Each step can be repeated, so a worker that
//! takes over begins with the first and finds done what is done. The new one is discovered before it is started, and is not
//! given out before the old one is removed: until then it is told apart in the store.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    config::ResetConfig,
    model::{ContainerId, EngineHealth, EngineState, HealthStatus, TargetType},
    provider::{Provider, ProviderError},
    store::{Replacing, ResetOutcome, ResetTask, Store, StoreError},
};

/// Between two looks at what is waited for.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// Makes the steps, one after the other. The caller bounds the time.
pub(super) async fn make(
    store: &Store,
    provider: &dyn Provider,
    settings: &ResetConfig,
    target_type: &TargetType,
    task: &ResetTask,
) -> Result<ResetOutcome, String> {
    let (id, within) = (&task.id, settings.deadline);
    let definition = if let Some(kept) = &task.definition {
        kept.clone()
    } else {
        let text = provider.definition(id).await.map_err(said)?;
        store.keep_definition(target_type, task, &text).await.map_err(lost)?.ok_or(TAKEN)?
    };
    provider.retire(id, &definition, within).await.map_err(said)?;
    let new = provider.replacement(id, &definition, within).await.map_err(said)?;
    known(store, target_type, task, &new).await?;
    provider.start(&new, within).await.map_err(said)?;
    fit(store, target_type, &new).await?;
    provider.remove(id, within).await.map_err(said)?;
    Ok(ResetOutcome::Replaced)
}

/// The report will be dropped.
const TAKEN: &str = "another worker has it";

/// Waits until discovery has seen the new one, and it is known whose place it takes.
async fn known(store: &Store, target_type: &TargetType, task: &ResetTask, new: &ContainerId) -> Result<(), String> {
    loop {
        match store.replace(target_type, task, new).await.map_err(lost)? {
            Replacing::Known => return Ok(()),
            Replacing::Stale => return Err(TAKEN.to_owned()),
            Replacing::Unseen => sleep(LOOK).await,
        }
    }
}

/// Waits until the new one runs, and every check that it has is good.
async fn fit(store: &Store, target_type: &TargetType, new: &ContainerId) -> Result<(), String> {
    loop {
        let found = store.container(target_type, new).await.map_err(lost)?;
        let found = found.ok_or("the new container was removed")?;
        let runs = found.state == EngineState::Running;
        let checked = matches!(found.health.engine, EngineHealth::None | EngineHealth::Healthy);
        let probed = matches!(found.health.probe, None | Some(HealthStatus::Healthy));
        if runs && checked && probed {
            return Ok(());
        }
        sleep(LOOK).await;
    }
}

fn said(error: ProviderError) -> String {
    match error {
        ProviderError::Gone => "the container is gone, and what it was made from is not known".to_owned(),
        other => other.to_string(),
    }
}

// As `map_err` gives it.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn lost(error: StoreError) -> String {
    error.to_string()
}
