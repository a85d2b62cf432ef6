//! What operators and their programs ask: is it alive, is it ready, what does it count.

use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Problem, State, auth::Reader};
use crate::{
    metrics::{self, AuditSize, PoolSizes, ProviderSize, ScaleSize},
    model::{PoolState, SessionState},
    provider::Provider,
};

/// The process is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Liveness {
    /// Always `ok`.
    pub status: String,
    /// The program's version.
    pub version: String,
}

/// The replica serves requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Always true: when it is not, the answer is a problem.
    pub ready: bool,
    /// Types that recover from a loss of Redis: heartbeats are served, and what may still be held is not given out.
    #[serde(default)]
    pub recovering: Vec<String>,
    /// What providers may not do, by their names, and what that turns off; as far as this replica has asked.
    #[serde(default)]
    pub missing_rights: Vec<String>,
}

/// Whether the process is alive; asks nobody else.
#[utoipa::path(tag = "operation", responses((status = 200, description = "It is", body = Liveness)))]
#[get("/healthz")]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Liveness { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Whether requests can be served: Redis answers, scripts run, and the replica is not ending.
#[utoipa::path(tag = "operation", responses(
    (status = 200, description = "They can", body = Readiness),
    (status = 503, description = "They cannot: `code` says why", body = Problem, content_type = "application/problem+json")))]
#[get("/readyz")]
pub(super) async fn readyz(state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let recovering = state.pool.ready().await?.into_iter().map(String::from).collect();
    let named = |provider: &std::sync::Arc<dyn Provider>| {
        let name = provider.name().clone();
        provider.missing_rights().into_iter().map(move |missing| format!("{name}: {missing}"))
    };
    let missing_rights = state.providers.iter().flat_map(named).collect();
    Ok(HttpResponse::Ok().json(Readiness { ready: true, recovering, missing_rights }))
}

/// Metrics in the OpenMetrics text format.
#[utoipa::path(tag = "operation", security(("api_key" = [])), responses(
    (status = 200, description = "The metrics", body = String, content_type = "application/openmetrics-text")))]
#[get("/metrics")]
pub(super) async fn scrape(_caller: Reader, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let sizes = sizes(&state).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "a scrape went without the pool's sizes");
        own_sizes(&state)
    });
    let text = state.metrics.encode(&sizes).map_err(|_| Problem::internal())?;
    Ok(HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(text))
}

/// What is known without Redis.
fn own_sizes(state: &State) -> PoolSizes {
    PoolSizes { waiting: state.pool.waiting() as u64, long_polls: state.pool.long_polls(), ..PoolSizes::default() }
}

async fn sizes(state: &State) -> Result<PoolSizes, crate::pool::PoolError> {
    let mut sizes = PoolSizes { redis_up: true, ..own_sizes(state) };
    for (target_type, counts) in state.pool.counts().await? {
        for (pool_state, count) in [
            (PoolState::Available, counts.available),
            (PoolState::Allocated, counts.allocated),
            (PoolState::Resetting, counts.resetting),
            (PoolState::Unhealthy, counts.unhealthy),
            (PoolState::Initializing, counts.initializing),
        ] {
            sizes.containers.push((target_type.clone(), pool_state, count));
        }
        sizes.cordoned.push((target_type.clone(), counts.cordoned));
        sizes.held.push((target_type.clone(), counts.held));
        sizes.quarantined.push((target_type.clone(), counts.quarantined));
        let oldest = Duration::from_secs(counts.oldest_reset_seconds.unwrap_or_default());
        sizes.oldest_resets.push((target_type.clone(), oldest));
        sizes.recoveries.push((target_type.clone(), counts.recovery));
        sizes.sessions.push((target_type.clone(), SessionState::Ready, counts.sessions_ready));
        sizes.sessions.push((target_type, SessionState::Queued, counts.sessions_queued));
    }
    for (target_type, (max, scale)) in state.pool.scales().await? {
        let at_max = scale.reason == "at_max";
        sizes.scales.push(ScaleSize { target_type, wanted: scale.wanted, max, at_max, age: scale.age });
    }
    for webhook in state.events.webhooks().await? {
        for one in webhook.deliveries {
            sizes.webhooks.push((webhook.name.clone(), one.target_type, one.behind, one.dead));
        }
    }
    for provider in state.pool.providers().await? {
        sizes.providers.push(ProviderSize {
            name: provider.name,
            age: provider.age,
            up: provider.error.is_none(),
            discovered: provider.holder.is_some(),
        });
    }
    for (target_type, audited) in state.pool.audited().await? {
        sizes.audits.push(AuditSize { target_type, age: audited.age, found: audited.found });
    }
    Ok(sizes)
}
