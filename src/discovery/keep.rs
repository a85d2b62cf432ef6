//! Tells what scales a provider's containers which of them sessions have: whoever discovers for it does, and so knows what it was
//! told before.

use std::{convert::Infallible, time::Duration};

use tokio::time::sleep;
use tracing::{info, warn};

use crate::{
    model::{ContainerId, Keep},
    provider::{Provider, ProviderError},
    store::{Store, StoreError},
};

/// How old what is told may be.
const PAUSE: Duration = Duration::from_secs(1);

/// After a failure, which may be of every container.
const LONGER: Duration = Duration::from_secs(5);

/// Why not all could be told.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells on and on, where the provider can.
pub(super) async fn run(store: &Store, provider: &dyn Provider) -> Infallible {
    if !provider.capabilities().keep {
        return std::future::pending().await;
    }
    let mut failing = false;
    loop {
        let told = tell(store, provider).await;
        match &told {
            Err(error) if !failing => {
                warn!(provider = %provider.name(), "what scales containers is not told of all that sessions have: {error}");
            }
            Ok(()) if failing => info!(provider = %provider.name(), "what scales containers is told again"),
            _ => {}
        }
        failing = told.is_err();
        sleep(if failing { LONGER } else { PAUSE }).await;
    }
}

async fn tell(store: &Store, provider: &dyn Provider) -> Result<(), Untold> {
    let mut keeps: Vec<(ContainerId, Keep)> = Vec::new();
    for target_type in store.types().await? {
        keeps.extend(store.keeps(&target_type).await?.unwrap_or_default().all);
    }
    // A leased one that nobody knows of is worse than an idle one.
    keeps.sort_by_key(|(_, keep)| *keep);
    Ok(provider.keep(&keeps).await?)
}
