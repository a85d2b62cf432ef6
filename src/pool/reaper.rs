//! The reaper: makes prompt what every script does anyway, and ticks pool time.

use std::{collections::HashMap, time::Duration};

use tokio_util::sync::CancellationToken;

use super::Pool;

/// Pool time stops when no script ran for 2 s; twice a second leaves room for a slow one.
const TICK: Duration = Duration::from_millis(500);

impl Pool {
    /// Reclaims what is overdue in every type until `shutdown`. Any number of replicas may do so at once.
    pub async fn run_reaper(&self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(self.shared.config.reaper_interval.min(TICK));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut epochs = HashMap::new();
        let mut failing = false;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match self.reap(&mut epochs).await {
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

    async fn reap(&self, epochs: &mut HashMap<String, u64>) -> Result<(), crate::store::StoreError> {
        for target_type in self.store.types().await? {
            loop {
                let reclaimed = self.store.reclaim(&target_type).await?;
                let before = epochs.insert(target_type.to_string(), reclaimed.epoch);
                if reclaimed.adopted || before.is_some_and(|epoch| epoch != reclaimed.epoch) {
                    tracing::warn!(
                        target_type = %target_type,
                        epoch = reclaimed.epoch,
                        "another Redis server is behind the data: going on with what it has; writes that it lost are lost"
                    );
                }
                if !reclaimed.more {
                    break;
                }
            }
        }
        Ok(())
    }
}
