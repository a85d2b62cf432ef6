//! The reaper: makes prompt what every script does anyway, ticks pool time, and replays this replica's journal after a loss.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Pool, StoreError};

/// Pool time stops when no script ran for 2 s; twice a second leaves room for a slow one.
const TICK: Duration = Duration::from_millis(500);

impl Pool {
    /// Reclaims what is overdue in every type until `shutdown`. Any number of replicas may do so at once.
    pub async fn run_reaper(&self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(self.shared.config.reaper_interval.min(TICK));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match self.reap().await {
                Ok(()) if failing => {
                    tracing::info!("reaping again");
                    failing = false;
                }
                Ok(()) => {}
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "the reaper cannot reach Redis; what is overdue is reclaimed when it can");
                    }
                    failing = true;
                }
            }
        }
    }

    async fn reap(&self) -> Result<(), StoreError> {
        for target_type in self.store.types().await? {
            loop {
                let reclaimed = self.store.reclaim(&target_type).await?;
                if reclaimed.recovering.is_some() {
                    let taken = self.store.replay(&target_type, reclaimed.epoch).await?;
                    if taken > 0 {
                        tracing::info!(%target_type, leases = taken, "replayed what this replica lately granted or renewed");
                    }
                }
                self.shared.metrics.reaped(&target_type, reclaimed.taken);
                if !reclaimed.more {
                    break;
                }
            }
        }
        self.shared.metrics.reaper_ran();
        Ok(())
    }
}
