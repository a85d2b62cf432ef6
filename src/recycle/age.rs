//! Idle containers that are too old are made anew, a few at a time.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Providers;
use crate::{
    config::Config,
    model::{Container, TargetType},
    provider::Provider,
    store::{Outdated, Store, StoreError},
};

/// The most of a type's containers that are made clean at a time when one is taken for its age, in percent.
const SHARE: u32 = 10;
/// Between two looks: a part of the age, and within these bounds.
const PAUSE: [Duration; 2] = [Duration::from_millis(500), Duration::from_mins(1)];
/// A page of containers.
const PAGE: usize = 100;

/// Looks for them until `shutdown`.
pub(super) async fn run(store: &Store, providers: &Providers, config: &Arc<Config>, shutdown: &CancellationToken) {
    let Some(least) = config.least_max_age() else { return };
    let pause = (least / 50).clamp(PAUSE[0], PAUSE[1]);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(pause) => {}
        }
        if let Err(error) = look(store, providers, config).await {
            tracing::debug!(%error, "no look for containers that are too old");
        }
    }
}

async fn look(store: &Store, providers: &Providers, config: &Config) -> Result<(), StoreError> {
    for target_type in store.types().await? {
        let Some(most) = config.reset_of(&target_type).renewal_age() else { continue };
        for provider in providers.values().filter(|provider| provider.capabilities().renews()) {
            let Some(clock) = provider.clock().await else { continue };
            let mut old = old_ones(store, &target_type, provider.as_ref(), clock, most).await?;
            old.sort_unstable_by(|one, other| one.created_at.cmp(&other.created_at));
            for container in old {
                match store.outdate(&target_type, &container.id, SHARE).await? {
                    Outdated::Taken => {
                        tracing::info!(container_id = %container.id, %target_type, "an idle container is too old");
                    }
                    Outdated::Busy => {}
                    Outdated::Later => break,
                }
            }
        }
    }
    Ok(())
}

/// Those of a provider that may be given out, and are at least so old.
async fn old_ones(
    store: &Store,
    target_type: &TargetType,
    provider: &dyn Provider,
    clock: Timestamp,
    most: Duration,
) -> Result<Vec<Container>, StoreError> {
    let mut found = Vec::new();
    let mut cursor = Some(String::new());
    while let Some(after) = cursor {
        let (page, next) = store.containers(target_type, true, &after, PAGE).await?;
        let old = |one: &Container| one.provider == *provider.name() && age(one, clock).is_some_and(|age| age >= most);
        found.extend(page.into_iter().filter(old));
        cursor = next;
    }
    Ok(found)
}

/// How old a container is, by its provider's clock; none when that is not known.
pub(super) fn age(container: &Container, clock: Timestamp) -> Option<Duration> {
    let created: Timestamp = container.created_at.as_deref()?.parse().ok()?;
    Duration::try_from(clock.duration_since(created)).ok()
}
