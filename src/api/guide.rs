//! The three routes of the system that the guide describes: its clients choose the session's id, and send no heartbeats.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    auth::{Holder, Keeper},
    extract::Query,
};
use crate::model::Container;

/// A container was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GuideAllocated {
    /// Always true.
    pub allocated: bool,
    /// The container.
    pub container: Container,
}

/// A container was given back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GuideReleased {
    /// Always true.
    pub released: bool,
    /// As given.
    pub session_id: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AllocateQuery {
    /// The client's own id of the session: 1 to 128 bytes.
    #[param(min_length = 1, max_length = 128)]
    session_id: String,
}

/// Take a container for a session of this id; the same one again for the same id.
#[utoipa::path(tag = "guide", security(("api_key" = [])), params(("target_type" = String, Path), AllocateQuery), responses(
    (status = 200, description = "Taken", body = GuideAllocated),
    (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The id is in use for another type", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "The owner has as many as it may (`quota_exceeded`), or the key asks too often (`rate_limited`)", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Nothing is available", body = Problem, content_type = "application/problem+json")))]
#[post("/containers/{target_type}/allocate")]
pub(super) async fn guide_allocate(
    caller: Holder,
    state: web::Data<State>,
    target_type: web::Path<String>,
    Query(query): Query<AllocateQuery>,
) -> Result<HttpResponse, Problem> {
    let target_type = state.pool.known_type(&target_type).await?;
    let session = state.pool.guide_allocate(&caller, &target_type, &query.session_id).await?;
    let container = session.container.ok_or_else(Problem::internal)?;
    Ok(HttpResponse::Ok().json(GuideAllocated { allocated: true, container: *container }))
}

/// Give the container of this session back.
#[utoipa::path(tag = "guide", security(("api_key" = [])), params(("session_id" = String, Path)), responses(
    (status = 200, description = "Given back", body = GuideReleased),
    (status = 404, description = "No such session of yours", body = Problem, content_type = "application/problem+json")))]
#[post("/containers/{session_id}/release")]
pub(super) async fn guide_release(
    caller: Keeper,
    state: web::Data<State>,
    session_id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let session_id = session_id.into_inner();
    state.pool.guide_release(&caller, &session_id).await?;
    Ok(HttpResponse::Ok().json(GuideReleased { released: true, session_id }))
}

/// Read the container of this session; reading renews its lease.
#[utoipa::path(tag = "guide", security(("api_key" = [])), params(("session_id" = String, Path)), responses(
    (status = 200, description = "The container", body = Container),
    (status = 404, description = "No live session of yours", body = Problem, content_type = "application/problem+json")))]
#[get("/containers/session/{session_id}")]
pub(super) async fn guide_session(
    caller: Keeper,
    state: web::Data<State>,
    session_id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let session = state.pool.guide_session(&caller, &session_id).await?;
    Ok(HttpResponse::Ok().json(session.container.ok_or_else(Problem::internal)?))
}
