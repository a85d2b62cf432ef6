//! One attempt to make a container clean.

use std::time::Duration;

use super::{Providers, age::age, recreate, replaced, webhook::Receivers};
use crate::{
    config::{ResetConfig, ResetKind},
    model::TargetType,
    provider::{Provider, ProviderError},
    store::{ResetOutcome, ResetTask, Store},
};

/// The longest pause between two attempts.
const PAUSE_MOST: Duration = Duration::from_mins(5);

/// What an attempt is made with.
pub(super) struct Attempt<'a> {
    pub store: &'a Store,
    pub providers: &'a Providers,
    pub receivers: &'a Receivers,
    pub settings: &'a ResetConfig,
    pub target_type: &'a TargetType,
    pub task: &'a ResetTask,
}

impl Attempt<'_> {
    /// Makes it, within its deadline.
    pub(super) async fn make(&self) -> ResetOutcome {
        let Self { settings, task, .. } = self;
        let pause = settings.pause.saturating_mul(1 << task.tries.saturating_sub(1).min(16)).min(PAUSE_MOST);
        match tokio::time::timeout(settings.deadline, self.act()).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(why)) => ResetOutcome::Failed(why, pause),
            Err(_) => ResetOutcome::Failed(format!("not done within {:?}", settings.deadline), pause),
        }
    }

    async fn act(&self) -> Result<ResetOutcome, String> {
        let Self { store, settings, target_type, task, .. } = *self;
        let provider =
            self.providers.get(&task.provider).ok_or("its provider is not configured at this replica")?.as_ref();
        let kind = self.kind(provider).await;
        let restarts = matches!(kind, ResetKind::Restart | ResetKind::Recreate);
        if task.restart && !restarts {
            provider.restart(&task.id, settings.deadline).await.map_err(told)?;
        }
        let outcome = match kind {
            // The setting was changed since its session ended.
            ResetKind::None | ResetKind::Auto => ResetOutcome::Clean,
            ResetKind::Restart => {
                provider.restart(&task.id, settings.deadline).await.map_err(told)?;
                ResetOutcome::Restarted
            }
            ResetKind::Recreate if provider.capabilities().replaced => {
                replaced::make(store, provider, settings, target_type, task).await?
            }
            ResetKind::Recreate => recreate::make(store, provider, settings, target_type, task).await?,
            ResetKind::Webhook => self.receivers.ask(store, target_type, task).await?,
            ResetKind::Exec => exec(provider, settings, task).await?,
        };
        // Another incarnation must be seen before it is given out.
        Ok(if task.restart && outcome == ResetOutcome::Clean { ResetOutcome::Restarted } else { outcome })
    }

    async fn kind(&self, provider: &dyn Provider) -> ResetKind {
        // What was begun is finished, also when the setting was changed meanwhile.
        if self.task.definition.is_some() || self.outworn(provider).await {
            return ResetKind::Recreate;
        }
        let capabilities = provider.capabilities();
        if self.task.restart && !capabilities.restart && capabilities.renews() {
            return ResetKind::Recreate;
        }
        self.settings.effective_kind(capabilities.auto_reset())
    }

    /// Whether a container had as many sessions, or is about as old, as one may. What cannot be told is not so.
    async fn outworn(&self, provider: &dyn Provider) -> bool {
        let Self { store, settings, target_type, task, .. } = self;
        if !provider.capabilities().renews() {
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
}

async fn exec(provider: &dyn Provider, settings: &ResetConfig, task: &ResetTask) -> Result<ResetOutcome, String> {
    let exit = provider.exec(&task.id, &settings.command, settings.deadline).await.map_err(told)?;
    match exit.code {
        0 => Ok(ResetOutcome::Clean),
        code if exit.said.is_empty() => Err(format!("exit code {code}")),
        code => Err(format!("exit code {code}: {}", exit.said)),
    }
}

// As `map_err` gives it.
#[allow(clippy::needless_pass_by_value)]
fn told(error: ProviderError) -> String {
    error.to_string()
}
