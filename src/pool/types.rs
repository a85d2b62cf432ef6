//! Target types: what is in force for them, and what an operator changes of it at run time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Pool, PoolError, StoreError};
use crate::{
    config::ScaleConfig,
    model::{Setting, TargetType, TypeInfo, TypeScale},
    store::{Changed, TypeState},
};

/// How often every replica looks for changes: they are in force everywhere within a second.
const LOOK: Duration = Duration::from_millis(500);

/// How often a change is decided anew because somebody else changed something meanwhile.
const TRIES: usize = 8;

impl Pool {
    /// Every known type with its settings and counts, by name.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn type_infos(&self) -> Result<Vec<TypeInfo>, PoolError> {
        let mut scales: BTreeMap<_, _> = self.scales().await?.into_iter().collect();
        let counts = self.counts().await?;
        Ok(counts
            .into_iter()
            .map(|(target_type, counts)| {
                let state = self.type_state(&target_type);
                let changed = state.changes.iter().map(|(setting, value)| (setting.as_str().to_owned(), *value));
                let (settings, changed) = (state.in_force.shown(), changed.collect());
                let scale = scales.remove(&target_type).map(|(_, scale)| scale);
                let scale_terms = state.in_force.scale.as_ref().map(ScaleConfig::terms);
                TypeInfo { target_type, settings, changed, counts, scale, scale_terms }
            })
            .collect())
    }

    /// Of each type that is scaled, and was decided about: the most containers that it may have, and what was decided last.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn scales(&self) -> Result<Vec<(TargetType, (u64, TypeScale))>, PoolError> {
        let mut scales = Vec::new();
        for target_type in self.store.types().await? {
            let max = self.type_state(&target_type).in_force.scale.as_ref().map(|scale| scale.max);
            let Some(max) = max else { continue };
            if let Some(scale) = self.store.scale_state(&target_type).await? {
                scales.push((target_type, (max, scale)));
            }
        }
        Ok(scales)
    }

    /// What is in force for a type, as this replica knows it.
    #[must_use]
    pub fn type_state(&self, target_type: &TargetType) -> Arc<TypeState> {
        self.store.type_state(target_type)
    }

    /// Changes settings of a type for all replicas; none takes one back to what is configured.
    ///
    /// # Errors
    /// [`PoolError::OutOfRange`] when they may not be in force together; see [`PoolError`].
    pub async fn change_type(
        &self,
        by: &str,
        target_type: &TargetType,
        changes: &[(Setting, Option<u64>)],
    ) -> Result<TypeInfo, PoolError> {
        self.must_know(target_type).await?;
        for _ in 0..TRIES {
            self.store.follow_settings(target_type).await?;
            let state = self.type_state(target_type);
            let mut all = state.changes.clone();
            for (setting, value) in changes {
                match value {
                    Some(value) => drop(all.insert(*setting, *value)),
                    None => drop(all.remove(setting)),
                }
            }
            if let Err((setting, given, right)) = self.shared.config.check_changes(target_type, &all) {
                return Err(PoolError::OutOfRange { field: setting.as_str(), given: given.to_string(), right });
            }
            if all == state.changes
                || self.store.change_settings(target_type, by, state.version, changes).await? == Changed::Done
            {
                tracing::info!(%target_type, by, changes = told(changes), "settings of the type are changed");
                let infos = self.type_infos().await?;
                let info = infos.into_iter().find(|info| info.target_type == *target_type);
                return info.ok_or(PoolError::Store(StoreError::Refused("the type is gone".to_owned())));
            }
        }
        Err(PoolError::Store(StoreError::Refused("others change the settings all the time".to_owned())))
    }

    /// Follows what operators change of every type, until `shutdown`; after a loss of Redis puts it back.
    pub async fn run_settings(&self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            // That Redis is away, the reaper says.
            if let Err(error) = self.follow_types().await {
                tracing::debug!(%error, "what operators changed could not be looked at");
            }
        }
    }

    async fn follow_types(&self) -> Result<(), StoreError> {
        for target_type in self.store.types().await? {
            if self.store.follow_settings(&target_type).await? {
                let state = self.type_state(&target_type);
                let all: Vec<_> = state.changes.iter().map(|(setting, value)| (*setting, Some(*value))).collect();
                tracing::info!(%target_type, changed = told(&all), "other settings of the type are in force");
            }
        }
        Ok(())
    }
}

/// Changes in one line of the log.
fn told(changes: &[(Setting, Option<u64>)]) -> String {
    let value = |value: &Option<u64>| value.map_or_else(|| "default".to_owned(), |value| value.to_string());
    changes.iter().map(|(setting, new)| format!("{}={}", setting.as_str(), value(new))).collect::<Vec<_>>().join(" ")
}
