//! `/sessions/{id}/passes` and `/sessions/{id}/vnc`: the desktop of a session, for those who have a viewer pass.
//!
//! A pass comes as a protocol of the WebSocket, since a browser can give no other header and addresses are logged. The bridge itself
//! is [`crate::bridge`]; here it meets HTTP, and the lease that it must not outlive.

mod input;
mod lease;
mod offer;
mod socket;

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use self::{lease::Lease, offer::Offer, socket::Viewer};
use super::{
    Problem, State,
    auth::Holder,
    browser,
    extract::{Body, RequestBody, SessionPath},
};
use crate::{
    bridge::{Desktop, dial},
    events::{Filter, Start},
    model::{Container, FencingToken, Pass},
    pool::PoolError,
};

/// What a viewer speaks.
const PROTOCOL: &str = "binary";

/// A pass to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PassBody {
    /// Its viewer sees the desktop, and nothing that it does reaches it.
    #[serde(default)]
    pub view_only: bool,
    /// Seconds until its viewer must have come. Default 60; at most 3600 unless configured otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// The holder's fencing token: when given, it must be the session's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub fencing_token: Option<FencingToken>,
}

impl RequestBody for PassBody {}

/// Make a pass by which one viewer sees, or drives, the desktop of a session, as long as its lease goes on.
#[utoipa::path(tag = "sessions", security(("api_key" = [])), params(("id" = uuid::Uuid, Path)), request_body = PassBody, responses(
    (status = 201, description = "The pass. It is shown only now", body = Pass),
    (status = 404, description = "No such session of yours", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The session is queued, or the fencing token is stale", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The session has ended", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "The session has as many passes as it may (`too_many_passes`), or the key asks too often: see Retry-After", body = Problem, content_type = "application/problem+json")))]
#[post("/sessions/{id}/passes")]
pub(super) async fn make_pass(
    caller: Holder,
    state: web::Data<State>,
    SessionPath(id): SessionPath,
    Body(body): Body<PassBody>,
) -> Result<HttpResponse, Problem> {
    let bounds = &state.config.viewers;
    let most = bounds.pass_life_max.as_secs();
    if let Some(given) = body.expires_in.filter(|given| !(1..=most).contains(given)) {
        return Err(Problem::out_of_range("expires_in", &given, &format!("1 to {most}")));
    }
    let life = body.expires_in.map_or(bounds.pass_life, Duration::from_secs);
    let made = state.pool.make_pass(&caller, id, body.fencing_token, body.view_only, life).await?;
    tracing::info!(session_id = %id, by = caller.by(), view_only = body.view_only, "a viewer pass was made");
    Ok(HttpResponse::Created().json(Pass {
        pass: made.pass.as_str().to_owned(),
        session_id: id,
        fencing_token: made.fencing_token,
        view_only: body.view_only,
        expires_at: made.expires_at,
        path: format!("/sessions/{id}/vnc"),
    }))
}

/// See the desktop of a session: a WebSocket whose messages carry RFB (VNC). Its protocols are `binary`, `leasehold.pass.<pass>` and, for a
/// viewer that may come back with the same pass, `leasehold.viewer.<a secret of its own>` (16 to 128 letters, digits, `-` and `_`). It is
/// closed with 4001 when the lease is over, 4002 when the desktop is gone, 4003 for what cannot be carried, and 1012 when this replica
/// ends and another one can be asked.
#[utoipa::path(tag = "sessions", security(("viewer_pass" = [])), params(("id" = uuid::Uuid, Path)), responses(
    (status = 101, description = "The desktop"),
    (status = 403, description = "A page of another origin", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The container tells of no desktop", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The session has ended", body = Problem, content_type = "application/problem+json"),
    (status = 426, description = "No WebSocket was asked for", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The desktop does not answer, or as many viewers as may be are there: see Retry-After", body = Problem, content_type = "application/problem+json")))]
#[get("/sessions/{id}/vnc")]
pub(super) async fn show_desktop(
    state: web::Data<State>,
    request: HttpRequest,
    SessionPath(id): SessionPath,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    browser::refuse_foreign_socket(&request, &state.config.cors.origins)?;
    let offer = Offer::read(&request)?;
    if state.pool.is_ending() {
        return Err(PoolError::ShuttingDown.into());
    }
    let place = state.pool.seat_viewer(id)?;
    // Before the lease is looked at: its end is either seen there or heard of.
    let mut filter = Filter { session: Some(id), ..Filter::default() };
    filter.kinds.push("session.ended".to_owned());
    let ends = state.events.follow(filter, Start::Now).await?;
    let asked = Instant::now();
    let viewing = state.pool.use_pass(id, &offer.pass, offer.viewer.as_deref()).await?;
    let container = viewing.session.container.as_ref().ok_or_else(Problem::internal)?;
    let desktop = reach(container, &state).await?;
    let handshake = actix_ws::handle_with_protocols(&request, body, &[PROTOCOL]);
    let (answer, session, hears) = handshake.map_err(|error| Problem::malformed("bad_handshake", error.to_string()))?;
    let lease = Lease::new(state.pool.clone(), viewing.clone(), ends, asked);
    let (pool, ending, metrics) = (state.pool.clone(), state.pool.ending(), state.metrics.clone());
    let viewer = Viewer { pool, viewing, session, hears, place, ending, metrics };
    actix_web::rt::spawn(viewer.see(desktop, lease));
    Ok(answer)
}

/// The desktop of a container: its VNC server, else the page that leads to one.
async fn reach(container: &Container, state: &State) -> Result<Desktop, Problem> {
    let reach = state.config.viewers.reach.decided();
    let at = |name: &str| container.endpoints.get(name).and_then(|endpoint| reach.address(endpoint));
    let (address, page) = match (at("vnc"), at("novnc")) {
        (Some(address), _) => (address, false),
        (None, Some(address)) => (address, true),
        (None, None) => return Err(Problem::no_desktop(container.id.as_str())),
    };
    dial(address, page).await.map_err(|error| {
        tracing::warn!(container_id = %container.id, %error, "a desktop does not answer");
        Problem::desktop_unreachable(format!("The desktop of container {} does not answer", container.id))
    })
}
