//! Reading the registry: containers, counts, providers.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use super::{ContainerFilter, Page, Pool, PoolError};
use crate::{
    config::ProviderConfig,
    model::{Container, ContainerId, TargetType, TypeStatus},
    store::ProviderStatus,
};

/// The longest that a refresh waits for a full look.
const REFRESH_PATIENCE: Duration = Duration::from_secs(5);

impl Pool {
    /// One page of containers, by type and id, and how many the filter matches in all.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn containers(
        &self,
        filter: &ContainerFilter,
        cursor: Option<&str>,
        most: usize,
    ) -> Result<(Page<Container>, u64), PoolError> {
        let types = match &filter.target_type {
            Some(target_type) => {
                self.must_know(target_type).await?;
                vec![target_type.clone()]
            }
            None => self.store.types().await?,
        };
        let (mut at, mut after) = match cursor {
            None => (0, String::new()),
            Some(text) => {
                let bad = || PoolError::BadCursor(text.to_owned());
                let (target_type, after) = text.split_once('~').ok_or_else(bad)?;
                (types.iter().position(|one| one.as_str() == target_type).ok_or_else(bad)?, after.to_owned())
            }
        };
        let counts = try_join_all(types.iter().map(|target_type| self.store.counts(target_type))).await?;
        let total = counts.iter().map(|one| if filter.available_only { one.available } else { one.containers }).sum();
        let mut items = Vec::new();
        while let Some(target_type) = types.get(at) {
            let left = most - items.len();
            if left == 0 {
                return Ok((Page { items, next: Some(format!("{target_type}~{after}")) }, total));
            }
            let (page, next) = self.store.containers(target_type, filter.available_only, &after, left).await?;
            items.extend(page);
            after = next.unwrap_or_else(|| {
                at += 1;
                String::new()
            });
        }
        Ok((Page { items, next: None }, total))
    }

    /// One container by the engine's id.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn container(&self, id: &str) -> Result<Container, PoolError> {
        let not_found = || PoolError::ContainerNotFound(id.chars().take(80).collect());
        let parsed: ContainerId = id.parse().map_err(|_| not_found())?;
        let types = self.store.types().await?;
        let found = try_join_all(types.iter().map(|target_type| self.store.container(target_type, &parsed))).await?;
        found.into_iter().flatten().next().ok_or_else(not_found)
    }

    /// Counts by type, of every known type.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn counts(&self) -> Result<Vec<(TargetType, TypeStatus)>, PoolError> {
        let types = self.store.types().await?;
        let counts = try_join_all(types.iter().map(|target_type| self.store.counts(target_type))).await?;
        let named = |one: crate::store::TypeCounts| TypeStatus {
            total: one.containers,
            available: one.available,
            allocated: one.leases + one.offers,
            resetting: one.resetting,
            unhealthy: one.unhealthy + one.held,
            initializing: one.initializing,
            cordoned: one.cordoned,
            held: one.held,
            quarantined: one.quarantined,
            oldest_reset_seconds: one.oldest_reset.map(|age| age.as_secs()),
            sessions_ready: one.leases,
            sessions_queued: one.tickets + one.offers,
            recovery: one.recovery,
        };
        Ok(types.into_iter().zip(counts.into_iter().map(named)).collect())
    }

    /// The state of every configured provider.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn providers(&self) -> Result<Vec<ProviderStatus>, PoolError> {
        let names = self.shared.config.provider.iter().map(ProviderConfig::name);
        Ok(try_join_all(names.map(|name| self.store.provider_status(name))).await?)
    }

    /// Asks every provider's discoverer for a full look, waits up to 5 s for it, and reclaims what is overdue.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn refresh(&self) -> Result<(), PoolError> {
        let names = self.shared.config.provider.iter().map(ProviderConfig::name);
        for (name, looked) in
            join_all(names.map(|name| async move { (name, self.store.ask_for_look(name, REFRESH_PATIENCE).await) }))
                .await
        {
            if !looked? {
                tracing::warn!(provider = %name, "no full look within {REFRESH_PATIENCE:?} of a refresh");
            }
        }
        for target_type in self.store.types().await? {
            while self.store.reclaim(&target_type).await?.more {}
        }
        Ok(())
    }
}
