//! What an operator does with one container: cordon, uncordon, quarantine, drain, restart.

use std::time::Duration;

use actix_web::{HttpResponse, delete, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, State,
    auth::Operator,
    extract::{Body, RequestBody},
    insight::find,
};
use crate::model::Container;

/// How long a drain waits when nothing is said.
const DRAIN_DEADLINE: Duration = Duration::from_mins(10);

/// The longest that it may wait: no drain is for ever.
const DRAIN_MOST: Duration = Duration::from_hours(24);

/// How a container is drained.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DrainBody {
    /// How long its session is waited for. Default 600; at most 86400; 0 does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<u64>,
    /// End the session at the deadline, with the reason `admin`. Else it goes on, and the container just stays cordoned.
    #[serde(default)]
    pub force: bool,
}

impl RequestBody for DrainBody {}

/// Give a container out no more. Its session goes on. Twice is fine.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path)), responses(
    (status = 200, description = "It is cordoned", body = Container),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json")))]
#[post("/containers/{id}/cordon")]
pub(super) async fn cordon(
    caller: Operator,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(state.pool.cordon(&caller.by(), &id).await?))
}

/// Let a container be given out again; a drain of it is over. Twice is fine.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path)), responses(
    (status = 200, description = "It is not cordoned", body = Container),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json")))]
#[post("/containers/{id}/uncordon")]
pub(super) async fn uncordon(
    caller: Operator,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(state.pool.uncordon(&caller.by(), &id).await?))
}

/// How long a container rests when nothing is said.
const REST: Duration = Duration::from_mins(30);

/// The longest that it may rest: what is to be out for good is cordoned.
const REST_MOST: Duration = Duration::from_hours(7 * 24);

/// How a container is put into quarantine.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineBody {
    /// How long it rests from now. Default 1800; 1 to 604800.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_seconds: Option<u64>,
}

impl RequestBody for QuarantineBody {}

/// Have a container rest: it is given out no more until then, and comes back by itself. Its session goes on. What comes under its name
/// meanwhile rests on. Again: it rests so long from the last call.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path)),
    request_body = Option<QuarantineBody>, responses(
    (status = 200, description = "It is in quarantine", body = Container),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json")))]
#[post("/containers/{id}/quarantine")]
pub(super) async fn quarantine(
    caller: Operator,
    state: web::Data<State>,
    id: web::Path<String>,
    Body(body): Body<QuarantineBody>,
) -> Result<HttpResponse, Problem> {
    let rest = body.rest_seconds.map_or(REST, Duration::from_secs);
    if rest.is_zero() || rest > REST_MOST {
        let right = format!("1 to {} seconds are right", REST_MOST.as_secs());
        return Err(Problem::out_of_range("rest_seconds", &rest.as_secs(), &right));
    }
    Ok(HttpResponse::Ok().json(state.pool.quarantine(&caller.by(), &id, rest).await?))
}

/// End a container's quarantine, and forget what a container of its name failed before. One whose reset failed is made clean again at
/// once. Twice is fine.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path)), responses(
    (status = 200, description = "It is not in quarantine", body = Container),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json")))]
#[delete("/containers/{id}/quarantine")]
pub(super) async fn lift_quarantine(
    caller: Operator,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(state.pool.lift_quarantine(&caller.by(), &id).await?))
}

/// Cordon a container and wait until no session has it. Answers at once: `drain` says what is waited for, and until when; it is
/// null as soon as the container is free. Again: the deadline is that of the last call.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path)),
    request_body = Option<DrainBody>, responses(
    (status = 200, description = "It is cordoned, and free or being drained", body = Container),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json")))]
#[post("/containers/{id}/drain")]
pub(super) async fn drain(
    caller: Operator,
    state: web::Data<State>,
    id: web::Path<String>,
    Body(body): Body<DrainBody>,
) -> Result<HttpResponse, Problem> {
    let deadline = body.deadline_seconds.map_or(DRAIN_DEADLINE, Duration::from_secs);
    if deadline > DRAIN_MOST {
        let right = format!("0 to {} seconds are right", DRAIN_MOST.as_secs());
        return Err(Problem::out_of_range("deadline_seconds", &deadline.as_secs(), &right));
    }
    Ok(HttpResponse::Ok().json(state.pool.drain(&caller.by(), &id, deadline, body.force).await?))
}

/// How a container is restarted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestartBody {
    /// End the session that has it, with the reason `admin`. Else such a container is refused.
    #[serde(default)]
    pub force: bool,
}

impl RequestBody for RestartBody {}

/// Have a container restarted. Answers at once: a worker does it, and `reset` in the container is null as soon as it is done.
/// Again while that is not so: it is restarted once.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path)),
    request_body = Option<RestartBody>, responses(
    (status = 200, description = "It will be restarted", body = Container),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "A session has it; or its provider cannot restart containers, or this replica does not have it", body = Problem, content_type = "application/problem+json")))]
#[post("/containers/{id}/restart")]
pub(super) async fn restart(
    caller: Operator,
    state: web::Data<State>,
    id: web::Path<String>,
    Body(body): Body<RestartBody>,
) -> Result<HttpResponse, Problem> {
    let (container, provider) = find(&state, &id).await?;
    let capabilities = provider.capabilities();
    if !capabilities.restart && !capabilities.renews() {
        let name = &container.provider;
        return Err(Problem::not_supported(format!(
            "Container {} is of provider {name}, which only lists containers. A `docker` provider restarts them, a `kubernetes` one has them replaced",
            container.id
        )));
    }
    Ok(HttpResponse::Ok().json(state.pool.restart(&caller.by(), &container, body.force).await?))
}
