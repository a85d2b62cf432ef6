//! One attempt to make a container clean.

use std::time::Duration;

use super::{Providers, age::age, recreate};
use crate::{
    config::{ResetConfig, ResetKind},
    model::TargetType,
    provider::{Provider, ProviderError},
    store::{ResetOutcome, ResetTask, Store},
};

/// The longest pause between two attempts.
const PAUSE_MOST: Duration = Duration::from_mins(5);

/// Makes the attempt, within its deadline.
pub(super) async fn make(
    store: &Store,
    providers: &Providers,
    settings: &ResetConfig,
    target_type: &TargetType,
    task: &ResetTask,
) -> ResetOutcome {
    let pause = settings.pause.saturating_mul(1 << task.tries.saturating_sub(1).min(16)).min(PAUSE_MOST);
    match tokio::time::timeout(settings.deadline, act(store, providers, settings, target_type, task)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(why)) => ResetOutcome::Failed(why, pause),
        Err(_) => ResetOutcome::Failed(format!("not done within {:?}", settings.deadline), pause),
    }
}

async fn act(
    store: &Store,
    providers: &Providers,
    settings: &ResetConfig,
    target_type: &TargetType,
    task: &ResetTask,
) -> Result<ResetOutcome, String> {
    let provider = providers.get(&task.provider).ok_or("its provider is not configured at this replica")?;
    let told = |error: ProviderError| error.to_string();
    let kind = match &task.definition {
        // What was begun is finished, also when the setting was changed meanwhile.
        Some(_) => ResetKind::Recreate,
        None if outworn(store, provider.as_ref(), settings, target_type, task).await => ResetKind::Recreate,
        None => settings.effective_kind(provider.capabilities().act),
    };
    let alone = matches!(kind, ResetKind::Restart | ResetKind::Recreate);
    if task.restart && !alone {
        provider.restart(&task.id, settings.deadline).await.map_err(told)?;
    }
    let outcome = match kind {
        // The setting was changed since its session ended.
        ResetKind::None | ResetKind::Auto => Ok(ResetOutcome::Clean),
        ResetKind::Restart => {
            provider.restart(&task.id, settings.deadline).await.map_err(told)?;
            Ok(ResetOutcome::Restarted)
        }
        ResetKind::Recreate => recreate::make(store, provider.as_ref(), settings, target_type, task).await,
        ResetKind::Exec => {
            let exit = provider.exec(&task.id, &settings.command, settings.deadline).await.map_err(told)?;
            match exit.code {
                0 => Ok(ResetOutcome::Clean),
                code if exit.said.is_empty() => Err(format!("exit code {code}")),
                code => Err(format!("exit code {code}: {}", exit.said)),
            }
        }
    };
    // Another incarnation must be seen before it is given out.
    outcome
        .map(|outcome| if task.restart && outcome == ResetOutcome::Clean { ResetOutcome::Restarted } else { outcome })
}

/// Whether a container had as many sessions, or is about as old, as one may. What cannot be told is not so.
async fn outworn(
    store: &Store,
    provider: &dyn Provider,
    settings: &ResetConfig,
    target_type: &TargetType,
    task: &ResetTask,
) -> bool {
    if !provider.capabilities().recreate {
        return false;
    }
    if settings.max_sessions.is_some_and(|most| task.uses >= u64::from(most)) {
        return true;
    }
    let Some(most) = settings.renewal_age() else { return false };
    let (clock, container) = tokio::join!(provider.clock(), store.container(target_type, &task.id));
    let known = clock.zip(container.ok().flatten());
    known.and_then(|(clock, container)| age(&container, clock)).is_some_and(|age| age >= most)
}
