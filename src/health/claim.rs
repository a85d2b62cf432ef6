//! Claims probes that are due and makes them, at most `health.concurrency` at a time.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{Outage, probe::Plan, report::Finding};
use crate::{
    config::{Config, HealthConfig, ProbeKind, Reach},
    metrics::Metrics,
    model::TargetType,
    store::{ProbeReport, ProbeTask, Store, StoreError},
};

/// Most probes claimed at a time.
const CLAIM_MOST: usize = 100;
/// How often to ask what is due: a twentieth of the shortest interval, in this range.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(250));

/// Claims and probes until `shutdown`. Findings go to `findings`; probes that run then are given up.
pub(super) async fn run(
    store: &Store,
    config: &Arc<Config>,
    reach: Reach,
    metrics: &Arc<Metrics>,
    findings: mpsc::Sender<Finding>,
    shutdown: &CancellationToken,
) {
    let mut claimer = Claimer { store, config, reach, metrics, findings, running: JoinSet::new(), turn: 0 };
    let mut outage = Outage::new("claiming probes");
    let pause = pause(config);
    loop {
        let outcome = claimer.round().await;
        outage.note(&outcome);
        let full = claimer.free() == 0;
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = claimer.running.join_next(), if full => {}
            () = sleep(pause), if !full => {}
        }
    }
    claimer.running.shutdown().await;
}

fn pause(config: &Config) -> Duration {
    let of_types = config.types.keys().map(|target_type| config.probe_of(target_type).interval);
    let shortest = of_types.chain([config.health.interval]).min().unwrap_or_default();
    (shortest / 20).clamp(PAUSE.0, PAUSE.1)
}

struct Claimer<'a> {
    store: &'a Store,
    config: &'a Config,
    reach: Reach,
    metrics: &'a Arc<Metrics>,
    findings: mpsc::Sender<Finding>,
    running: JoinSet<()>,
    /// Which type comes first: each in turn, so that a large one leaves room for the others.
    turn: usize,
}

impl Claimer<'_> {
    fn free(&self) -> usize {
        self.config.health.concurrency.saturating_sub(self.running.len())
    }

    /// Claims what is due in every type, as far as there is room, and begins the probes.
    async fn round(&mut self) -> Result<(), StoreError> {
        let mut types = self.store.types().await?;
        if !types.is_empty() {
            let first = self.turn % types.len();
            types.rotate_left(first);
        }
        self.turn = self.turn.wrapping_add(1);
        let mut outcome = Ok(());
        for target_type in types {
            let state = self.store.type_state(&target_type);
            let settings = &state.in_force.probe;
            if settings.kind != ProbeKind::None
                && let Err(error) = self.claim(&target_type, settings).await
            {
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn claim(&mut self, target_type: &TargetType, settings: &HealthConfig) -> Result<(), StoreError> {
        loop {
            while self.running.try_join_next().is_some() {}
            let most = self.free().min(CLAIM_MOST);
            if most == 0 {
                return Ok(());
            }
            let tasks = self.store.claim_probes(target_type, most, settings.interval).await?;
            let last = tasks.len() < most;
            for task in tasks {
                self.begin(target_type, settings, task);
            }
            if last {
                return Ok(());
            }
        }
    }

    fn begin(&mut self, target_type: &TargetType, settings: &HealthConfig, task: ProbeTask) {
        // None when there is nothing to dial (any more): discovery says so in its next observation.
        let Some(plan) = Plan::new(settings, &task.about, self.reach) else { return };
        let (metrics, findings) = (self.metrics.clone(), self.findings.clone());
        let (target_type, rise, fall) = (target_type.clone(), settings.rise, settings.fall);
        self.running.spawn(async move {
            let began = Instant::now();
            let failure = plan.probe().await.err();
            metrics.probe(&target_type, failure.is_none(), began.elapsed());
            if let Some(failure) = &failure {
                tracing::debug!(%target_type, container_id = %task.id, failure, "probe failed");
            }
            let report = ProbeReport { id: task.id, era: task.era, claimed: task.claimed, failure, rise, fall };
            // Closed only when the replica ends.
            let _ = findings.send(Finding { target_type, report }).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_asked_for_as_often_as_the_shortest_interval_needs() {
        let mut config = Config::default();
        assert_eq!(pause(&config), Duration::from_millis(250));
        config.health.interval = Duration::from_secs(3);
        assert_eq!(pause(&config), Duration::from_millis(150));
        config.health.interval = Duration::from_millis(200);
        assert_eq!(pause(&config), Duration::from_millis(100));
    }
}
