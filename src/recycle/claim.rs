//! Claims resets that are due and makes them, at most `reset.concurrency` at a time.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{Providers, Receivers, attempt::Attempt};
use crate::{
    config::{Config, ResetConfig, ResetKind},
    metrics::Metrics,
    model::TargetType,
    store::{ResetOutcome, ResetReported, ResetTask, ResetTerms, Store, StoreError},
};

/// How often to ask what is due.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a worker has to report, beyond the attempt's deadline.
const TO_REPORT: Duration = Duration::from_secs(5);
/// Between two tries to report.
const REPORT_PAUSE: Duration = Duration::from_millis(500);

/// Claims and makes resets until `shutdown`, and brings those to their end that go on then.
pub(super) async fn run(
    store: &Store,
    providers: &Arc<Providers>,
    receivers: &Arc<Receivers>,
    config: &Arc<Config>,
    metrics: &Arc<Metrics>,
    shutdown: &CancellationToken,
) {
    let mut worker =
        Worker { store, providers, receivers, config, metrics, running: JoinSet::new(), turn: 0, failing: false };
    while !shutdown.is_cancelled() {
        let outcome = worker.round().await;
        worker.note(&outcome);
        let full = worker.free() == 0;
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = worker.running.join_next(), if full => {}
            () = sleep(PAUSE), if !full => {}
        }
    }
    while worker.running.join_next().await.is_some() {}
}

struct Worker<'a> {
    store: &'a Store,
    providers: &'a Arc<Providers>,
    receivers: &'a Arc<Receivers>,
    config: &'a Arc<Config>,
    metrics: &'a Arc<Metrics>,
    running: JoinSet<()>,
    /// Which type comes first: each in turn, so that a large one leaves room for the others.
    turn: usize,
    failing: bool,
}

impl Worker<'_> {
    fn free(&self) -> usize {
        self.config.reset.concurrency.saturating_sub(self.running.len())
    }

    /// Says that Redis fails, and that it works again, once each.
    fn note(&mut self, outcome: &Result<(), StoreError>) {
        match outcome {
            Ok(()) if self.failing => tracing::info!("claiming resets again"),
            Err(error) if !self.failing => tracing::warn!(%error, "not claiming resets; trying on"),
            _ => {}
        }
        self.failing = outcome.is_err();
    }

    /// Claims what is due in every type, as far as there is room, and begins the attempts.
    async fn round(&mut self) -> Result<(), StoreError> {
        let mut types = self.store.types().await?;
        if !types.is_empty() {
            let first = self.turn % types.len();
            types.rotate_left(first);
        }
        self.turn = self.turn.wrapping_add(1);
        for target_type in types {
            while self.running.try_join_next().is_some() {}
            let (settings, most) = (self.config.reset_of(&target_type), self.free());
            if most == 0 {
                break;
            }
            if self.resets(&settings) {
                let terms = self.terms(&settings);
                for task in self.store.claim_resets(&target_type, most, &terms).await? {
                    self.begin(&target_type, &settings, terms, task);
                }
            }
        }
        Ok(())
    }

    fn resets(&self, settings: &ResetConfig) -> bool {
        // An operator may ask for a restart where there is no reset.
        self.providers.values().any(|provider| {
            let capabilities = provider.capabilities();
            capabilities.act || settings.effective_kind(capabilities.auto_reset()) != ResetKind::None
        })
    }

    fn terms(&self, settings: &ResetConfig) -> ResetTerms {
        ResetTerms {
            deadline: settings.deadline + TO_REPORT,
            attempts: settings.attempts,
            rest: self.config.quarantine.first,
            longest_rest: self.config.quarantine.longest,
        }
    }

    fn begin(&mut self, target_type: &TargetType, settings: &ResetConfig, terms: ResetTerms, task: ResetTask) {
        let (store, providers, metrics) = (self.store.clone(), self.providers.clone(), self.metrics.clone());
        let (target_type, settings, receivers) = (target_type.clone(), settings.clone(), self.receivers.clone());
        self.running.spawn(async move {
            let began = Instant::now();
            let attempt = Attempt {
                store: &store,
                providers: &providers,
                receivers: &receivers,
                settings: &settings,
                target_type: &target_type,
                task: &task,
            };
            let outcome = attempt.make().await;
            metrics.reset(&target_type, !matches!(outcome, ResetOutcome::Failed(..)), began.elapsed());
            let told = tokio::time::timeout(TO_REPORT, report(&store, &target_type, &task, &outcome, &terms)).await;
            log(&target_type, &task, &outcome, told.ok(), began.elapsed());
        });
    }
}

/// Reports until it is heard: the caller bounds it.
async fn report(
    store: &Store,
    target_type: &TargetType,
    task: &ResetTask,
    outcome: &ResetOutcome,
    terms: &ResetTerms,
) -> ResetReported {
    loop {
        match store.report_reset(target_type, task, outcome, terms).await {
            Ok(reported) => return reported,
            Err(_) => sleep(REPORT_PAUSE).await,
        }
    }
}

fn log(
    target_type: &TargetType,
    task: &ResetTask,
    outcome: &ResetOutcome,
    told: Option<ResetReported>,
    took: Duration,
) {
    let (container_id, tries) = (&task.id, task.tries);
    match (outcome, told) {
        (_, None) => {
            tracing::warn!(%target_type, %container_id, tries, "a reset could not be reported; it will be made again");
        }
        (ResetOutcome::Failed(why, _), Some(ResetReported::Failed)) => {
            tracing::error!(%target_type, %container_id, tries, why, "the last attempt of a reset failed; the container rests");
        }
        (ResetOutcome::Failed(why, _), Some(_)) => {
            tracing::warn!(%target_type, %container_id, tries, why, "a reset failed");
        }
        (_, Some(reported)) => {
            tracing::info!(%target_type, %container_id, tries, ?took, ?reported, "made clean");
        }
    }
}
