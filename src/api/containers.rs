//! `/containers`: what there is and who has it.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    auth::{Holder, Reader},
    extract::Query,
    sessions::page_size,
};
use crate::{
    model::{Container, TypeStatus},
    pool::{ContainerFilter, Pool, PoolError, ProviderStatus},
};

/// One page of containers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContainerList {
    /// Those of this page.
    pub containers: Vec<Container>,
    /// How many the filter matches in all.
    pub total: u64,
    /// For `?cursor=` of the next page; null on the last one.
    pub next: Option<String>,
}

/// A source of containers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderState {
    /// Its name in the configuration.
    pub name: String,
    /// Seconds since the last full look that succeeded; null before the first.
    pub age_seconds: Option<f64>,
    /// It was not seen for too long: what is known of its containers is old.
    pub stale: bool,
    /// Why the last look failed; null when it did not.
    pub error: Option<String>,
    /// The replica that discovers for it; null when none does now.
    pub discoverer: Option<String>,
}

/// Counts of the whole pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PoolStatus {
    /// All that are present.
    pub total_containers: u64,
    /// Would be given out now.
    pub available: u64,
    /// Leased, or offered to a session in line.
    pub allocated: u64,
    /// The same by target type, and more.
    pub by_type: BTreeMap<String, TypeStatus>,
    /// Where containers come from.
    pub providers: Vec<ProviderState>,
}

/// The pool after a refresh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Refreshed {
    /// Always true.
    pub refreshed: bool,
    /// The counts afterwards.
    pub status: PoolStatus,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only of this type.
    target_type: Option<String>,
    /// Only those that would be given out now.
    #[serde(default)]
    available_only: bool,
    /// Items on a page. Default 100; at most 1000.
    #[param(minimum = 1)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List containers, by type and id; available ones longest idle first.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(ListQuery), responses(
    (status = 200, description = "One page", body = ContainerList),
    (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json")))]
#[get("/containers")]
pub(super) async fn list_containers(
    _caller: Reader,
    state: web::Data<State>,
    Query(query): Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let most = page_size(query.limit, &state.config.limits)?;
    let target_type = match &query.target_type {
        Some(text) => Some(state.pool.known_type(text).await?),
        None => None,
    };
    let filter = ContainerFilter { target_type, available_only: query.available_only };
    let (page, total) = state.pool.containers(&filter, query.cursor.as_deref(), most).await?;
    Ok(HttpResponse::Ok().json(ContainerList { containers: page.items, total, next: page.next }))
}

/// Counts, in all and by type.
#[utoipa::path(tag = "containers", security(("api_key" = [])), responses(
    (status = 200, description = "The counts", body = PoolStatus)))]
#[get("/containers/status")]
pub(super) async fn containers_status(_caller: Reader, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(pool_status(&state).await?))
}

/// Look at every provider now, and take back what is overdue. Waits up to 5 s for the look.
#[utoipa::path(tag = "containers", security(("api_key" = [])), responses(
    (status = 200, description = "The counts afterwards", body = Refreshed)))]
#[post("/containers/refresh")]
pub(super) async fn refresh_containers(_caller: Holder, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    state.pool.refresh().await?;
    let status = pool_status(&state).await?;
    Ok(HttpResponse::Ok().json(Refreshed { refreshed: true, status }))
}

/// Read one container by the engine's id.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path)), responses(
    (status = 200, description = "As it is now", body = Container),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json")))]
#[get("/containers/{id}")]
pub(super) async fn read_container(
    _caller: Reader,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(state.pool.container(&id).await?))
}

async fn pool_status(state: &State) -> Result<PoolStatus, PoolError> {
    let mut status = PoolStatus::default();
    for (target_type, counts) in state.pool.counts().await? {
        status.total_containers += counts.total;
        status.available += counts.available;
        status.allocated += counts.allocated;
        status.by_type.insert(target_type.to_string(), counts);
    }
    status.providers = providers(&state.pool, state.config.discovery.stale_after).await?;
    Ok(status)
}

async fn providers(pool: &Pool, stale_after: Duration) -> Result<Vec<ProviderState>, PoolError> {
    let states = pool.providers().await?.into_iter().map(|one| {
        let ProviderStatus { name, holder, age, error, .. } = one;
        let stale = error.is_some() || age.is_none_or(|age| age > stale_after);
        let age_seconds = age.map(|age| (age.as_secs_f64() * 1000.0).round() / 1000.0);
        ProviderState { name: name.to_string(), age_seconds, stale, error, discoverer: holder }
    });
    Ok(states.collect())
}
