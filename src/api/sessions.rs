//! `/sessions`: a client's claims on containers.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, delete, get, http::header, post, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    auth::{Holder, Keeper, Reader},
    extract::{Body, Query, RequestBody, SessionPath, session_id},
};
use crate::{
    config::Limits,
    model::{ContainerId, FencingToken, Session, SessionId, SessionState, TargetType},
    pool::{CreateSession, Created, Idempotency, OnShortage, Renewal, SessionFilter},
};

/// Most renewals in one call.
const HEARTBEATS_MOST: usize = 1000;

/// The longest word for an affinity.
const AFFINITY_BYTES: usize = 128;

/// What a session in an answer takes with its container and lease token, and one in an answer to many renewals.
const SESSION_BYTES: usize = 2048;
const RENEWAL_BYTES: usize = 640;

/// What to do when nothing is available.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shortage {
    /// Answer 503 `no_available_containers` once `wait_seconds` are over.
    #[default]
    Fail,
    /// Keep a place in the line then, and answer 202 with a ticket.
    Queue,
}

/// A session to be made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBody {
    /// Which kind of container.
    #[schema(example = "wine")]
    pub target_type: String,
    /// What each heartbeat renews the lease for. Default 60; 5 to 600 unless configured otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    /// How long this request may wait in line when nothing is available. Default 0; at most 60 unless configured otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u64>,
    /// What to do when nothing is available, or became so within `wait_seconds`.
    #[serde(default)]
    pub on_shortage: Shortage,
    /// Seconds of head start in the line. Default 0; at most what the API key allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// The longest the session may hold its container, heartbeats or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_duration_seconds: Option<u64>,
    /// The longest the session may go on without a heartbeat that says `active`, or input of a viewer that drives; as long as configured
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// A word of the client's own, such as a user's name: the container that the owner's last session with the same word
    /// had, when it is available, else any. At most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 128)]
    pub affinity: Option<String>,
    /// This container and no other; not together with waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// End the session unless its first heartbeat comes within the confirm time (10 s unless configured otherwise).
    #[serde(default)]
    pub confirm: bool,
    /// Anything of the client's own, given back with the session; at most 4096 bytes of JSON unless configured otherwise.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl RequestBody for CreateBody {}

/// A renewal.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatBody {
    /// The holder's fencing token: when given, it must be the session's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub fencing_token: Option<FencingToken>,
    /// The `lease_token` of the session's last answer: it proves the lease when Redis has lost it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_token: Option<String>,
    /// Whether the session was used since the last heartbeat: an idle limit counts from the last one that says so, or from the last input of a viewer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub active: bool,
}

impl RequestBody for HeartbeatBody {}

/// One renewal of many.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OneHeartbeat {
    /// The session.
    pub session_id: String,
    /// The holder's fencing token: when given, it must be the session's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub fencing_token: Option<FencingToken>,
    /// The `lease_token` of a session: needed only where the last answer said `proof_wanted` or `lease_token_required`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_token: Option<String>,
    /// Whether the session was used since the last heartbeat: an idle limit counts from the last one that says so, or from the last input of a viewer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub active: bool,
}

/// Many renewals: at most 1,000.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatsBody {
    /// The renewals.
    pub heartbeats: Vec<OneHeartbeat>,
}

impl RequestBody for HeartbeatsBody {
    /// A thousand renewals of about a hundred bytes, each with a lease token of about five hundred.
    const LIMIT_FACTOR: usize = 16;
}

/// What became of one renewal: the session (without its container), or the problem that a single one would have answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatResult {
    /// As given.
    pub session_id: String,
    /// It was renewed.
    #[serde(default)]
    pub session: Option<Session>,
    /// It was not.
    #[serde(default)]
    pub problem: Option<Problem>,
}

/// What became of many, in the order of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatsResult {
    /// One for each.
    pub results: Vec<HeartbeatResult>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only of this type.
    target_type: Option<String>,
    /// Only in this state.
    #[param(inline)]
    state: Option<SessionState>,
    /// Also those that ended within the last 24 hours.
    #[serde(default)]
    include_ended: bool,
    /// Items on a page. Default 100; at most 1000.
    #[param(minimum = 1)]
    limit: Option<u32>,
    /// From the `Link` header of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReadQuery {
    /// How long to wait for a queued session to become ready. Default 0; at most 60.
    wait_seconds: Option<u64>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReleaseQuery {
    /// The holder's fencing token: when given, it must be the session's.
    #[param(value_type = Option<u64>)]
    fencing_token: Option<u64>,
}

/// Make a session: take a container, or a place in the line.
#[utoipa::path(tag = "sessions", security(("api_key" = [])), request_body = CreateBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeating a request with the same key and body gives the same session.")),
    responses(
        (status = 201, description = "It is ready", body = Session, headers(
            ("Location" = String, description = "The session"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when the session was there before"))),
        (status = 202, description = "It is queued (`on_shortage: queue`)", body = Session),
        (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`container_id` is not available", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The session of this Idempotency-Key has ended", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is out of range, or the Idempotency-Key was used with another body", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The line is full (`line_full`), the owner has as many as it may (`quota_exceeded`: `quota` names which), or the key asks too often (`rate_limited`): see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Nothing is available, or Redis is away: see Retry-After", body = Problem, content_type = "application/problem+json")))]
#[post("/sessions")]
pub(super) async fn create_session(
    caller: Holder,
    state: web::Data<State>,
    request: HttpRequest,
    Body(body): Body<CreateBody>,
) -> Result<HttpResponse, Problem> {
    let limits = &state.config.limits;
    let idempotency = idempotency(&request, &body, limits)?;
    let target_type = state.pool.known_type(&body.target_type).await?;
    let state_of_type = state.pool.type_state(&target_type);
    let limits = &state_of_type.in_force.limits;
    let create = checked(body, target_type, idempotency, limits, caller.priority_max())?;
    let Created { session, replayed } = state.pool.create(&caller, create).await?;
    let mut response =
        if session.state == SessionState::Ready { HttpResponse::Created() } else { HttpResponse::Accepted() };
    response.insert_header((header::LOCATION, format!("/sessions/{}", session.id)));
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    json(response, &session, SESSION_BYTES)
}

/// List sessions: your own, with an admin key everybody's; oldest first, by type.
#[utoipa::path(tag = "sessions", security(("api_key" = [])), params(ListQuery), responses(
    (status = 200, description = "One page; `Link: <…>; rel=\"next\"` leads to the next", body = [Session]),
    (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json")))]
#[get("/sessions")]
pub(super) async fn list_sessions(
    caller: Reader,
    state: web::Data<State>,
    Query(query): Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let most = page_size(query.limit, &state.config.limits)?;
    let target_type = match &query.target_type {
        Some(text) => Some(state.pool.known_type(text).await?),
        None => None,
    };
    let filter = SessionFilter { target_type, state: query.state, include_ended: query.include_ended };
    let page = state.pool.sessions(&caller, &filter, query.cursor.as_deref(), most).await?;
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = page.next {
        let mut next = format!("/sessions?cursor={cursor}&limit={most}&include_ended={}", query.include_ended);
        if let Some(target_type) = &filter.target_type {
            next.push_str(&format!("&target_type={target_type}"));
        }
        if let Some(state) = filter.state {
            next.push_str(&format!("&state={}", state.as_str()));
        }
        response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
    }
    Ok(response.json(page.items))
}

/// Read a session. For its owner this keeps a queued one's ticket alive and claims what it was offered.
#[utoipa::path(tag = "sessions", security(("api_key" = [])), params(("id" = uuid::Uuid, Path), ReadQuery), responses(
    (status = 200, description = "As it is now", body = Session),
    (status = 404, description = "No such session of yours", body = Problem, content_type = "application/problem+json")))]
#[get("/sessions/{id}")]
pub(super) async fn read_session(
    caller: Reader,
    state: web::Data<State>,
    SessionPath(id): SessionPath,
    Query(query): Query<ReadQuery>,
) -> Result<HttpResponse, Problem> {
    let wait = wait(query.wait_seconds, &state.config.limits)?;
    json(HttpResponse::Ok(), &state.pool.session(&caller, id, wait).await?, SESSION_BYTES)
}

/// Renew a lease for its TTL. The first renewal confirms the session.
#[utoipa::path(tag = "sessions", security(("api_key" = [])), params(("id" = uuid::Uuid, Path)),
    request_body = Option<HeartbeatBody>, responses(
    (status = 200, description = "Renewed", body = Session),
    (status = 404, description = "No such session of yours", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The fencing token is stale, the session is queued, or (`lease_token_required`) Redis has lost it and a proof is needed", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The session has ended: `end_reason` says why", body = Problem, content_type = "application/problem+json")))]
#[post("/sessions/{id}/heartbeat")]
pub(super) async fn send_heartbeat(
    caller: Keeper,
    state: web::Data<State>,
    SessionPath(id): SessionPath,
    Body(body): Body<HeartbeatBody>,
) -> Result<HttpResponse, Problem> {
    let HeartbeatBody { fencing_token, lease_token, active } = body;
    let renewal = Renewal { id, fencing_token, lease_token, active };
    json(HttpResponse::Ok(), &state.pool.heartbeat(&caller, &renewal).await?, SESSION_BYTES)
}

/// Renew many leases.
#[utoipa::path(tag = "sessions", security(("api_key" = [])), request_body = HeartbeatsBody, responses(
    (status = 200, description = "What became of each, in the order of the request", body = HeartbeatsResult),
    (status = 422, description = "More than 1,000", body = Problem, content_type = "application/problem+json")))]
#[post("/sessions/heartbeats")]
pub(super) async fn send_heartbeats(
    caller: Keeper,
    state: web::Data<State>,
    Body(mut body): Body<HeartbeatsBody>,
) -> Result<HttpResponse, Problem> {
    if body.heartbeats.len() > HEARTBEATS_MOST {
        let right = format!("at most {HEARTBEATS_MOST} in one call");
        return Err(Problem::out_of_range("heartbeats", &format!("{} items", body.heartbeats.len()), &right));
    }
    let mut renewals = Vec::with_capacity(body.heartbeats.len());
    for one in &mut body.heartbeats {
        let (fencing_token, lease_token) = (one.fencing_token, one.lease_token.take());
        renewals.push(Renewal { id: session_id(&one.session_id)?, fencing_token, lease_token, active: one.active });
    }
    let outcomes = state.pool.heartbeats(&caller, &renewals).await;
    let results: Vec<_> = body
        .heartbeats
        .into_iter()
        .zip(outcomes)
        .map(|(one, outcome)| {
            let (session, problem) = match outcome {
                Ok(session) => (Some(session), None),
                Err(error) => (None, Some(Problem::from(error))),
            };
            HeartbeatResult { session_id: one.session_id, session, problem }
        })
        .collect();
    let bytes = results.len() * RENEWAL_BYTES;
    json(HttpResponse::Ok(), &HeartbeatsResult { results }, bytes)
}

/// End a session, or leave the line. Twice is fine: the answer is the ended session.
#[utoipa::path(tag = "sessions", security(("api_key" = [])), params(("id" = uuid::Uuid, Path), ReleaseQuery), responses(
    (status = 200, description = "It has ended", body = Session),
    (status = 404, description = "No such session of yours", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The fencing token is stale", body = Problem, content_type = "application/problem+json")))]
#[delete("/sessions/{id}")]
pub(super) async fn release_session(
    caller: Keeper,
    state: web::Data<State>,
    SessionPath(id): SessionPath,
    Query(query): Query<ReleaseQuery>,
) -> Result<HttpResponse, Problem> {
    end(&caller, &state, id, &query).await
}

/// The same, under the name that the guide's clients use.
#[utoipa::path(tag = "guide", security(("api_key" = [])), params(("id" = uuid::Uuid, Path), ReleaseQuery), responses(
    (status = 200, description = "It has ended", body = Session),
    (status = 404, description = "No such session of yours", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The fencing token is stale", body = Problem, content_type = "application/problem+json")))]
#[delete("/sessions/{id}/hard")]
pub(super) async fn release_session_hard(
    caller: Keeper,
    state: web::Data<State>,
    SessionPath(id): SessionPath,
    Query(query): Query<ReleaseQuery>,
) -> Result<HttpResponse, Problem> {
    end(&caller, &state, id, &query).await
}

async fn end(caller: &Keeper, state: &State, id: SessionId, query: &ReleaseQuery) -> Result<HttpResponse, Problem> {
    let token = query.fencing_token.map(FencingToken);
    json(HttpResponse::Ok(), &state.pool.release(caller, &caller.by(), id, token).await?, SESSION_BYTES)
}

/// An answer whose JSON has about so many bytes: a body that has its room from the start is not copied while it grows.
fn json(mut response: HttpResponseBuilder, value: &impl Serialize, bytes: usize) -> Result<HttpResponse, Problem> {
    let mut body = Vec::with_capacity(bytes);
    serde_json::to_writer(&mut body, value).map_err(|_| Problem::internal())?;
    Ok(response.content_type("application/json").body(body))
}

/// # Errors
/// A value is out of its bounds.
pub(super) fn checked(
    body: CreateBody,
    target_type: TargetType,
    idempotency: Option<Idempotency>,
    limits: &Limits,
    priority_max: u32,
) -> Result<CreateSession, Problem> {
    let ttl = body.ttl_seconds.map(|ttl| seconds("ttl_seconds", ttl, limits.ttl_min, limits.ttl_max)).transpose()?;
    let wait = wait(body.wait_seconds, limits)?;
    let day = Duration::from_hours(24);
    let max_duration = body
        .max_duration_seconds
        .map(|most| {
            seconds("max_duration_seconds", most, Duration::from_secs(1), limits.max_duration.unwrap_or(30 * day))
        })
        .transpose()?;
    let idle = body
        .idle_seconds
        .map(|idle| seconds("idle_seconds", idle, Duration::from_secs(1), limits.idle_max.unwrap_or(30 * day)))
        .transpose()?;
    if let Some(word) = body.affinity.as_deref().filter(|word| word.is_empty() || word.len() > AFFINITY_BYTES) {
        let given = format!("{} bytes", word.len());
        return Err(Problem::out_of_range("affinity", &given, &format!("1 to {AFFINITY_BYTES} bytes are right")));
    }
    let priority = body.priority.unwrap_or(0);
    if priority > priority_max {
        return Err(Problem::out_of_range("priority", &priority, &format!("this key may ask for 0 to {priority_max}")));
    }
    let container_id = body
        .container_id
        .map(|id| {
            id.parse::<ContainerId>()
                .map_err(|error| Problem::malformed("invalid_field", format!("container_id: {error}")))
        })
        .transpose()?;
    if container_id.is_some() && (wait > Duration::ZERO || body.on_shortage == Shortage::Queue) {
        let right = "one container is not waited for: leave out wait_seconds and on_shortage, or container_id";
        return Err(Problem::out_of_range("container_id", &"given together with waiting", right));
    }
    let metadata = serde_json::to_string(&body.metadata).map_err(|_| Problem::internal())?;
    if metadata.len() > limits.metadata_bytes {
        let right = format!("at most {} bytes as JSON", limits.metadata_bytes);
        return Err(Problem::out_of_range("metadata", &format!("{} bytes", metadata.len()), &right));
    }
    let on_shortage = match body.on_shortage {
        Shortage::Fail => OnShortage::Fail,
        Shortage::Queue => OnShortage::Queue,
    };
    Ok(CreateSession {
        target_type,
        ttl,
        wait,
        on_shortage,
        priority,
        max_duration,
        idle,
        affinity: body.affinity,
        container_id,
        confirm: body.confirm,
        metadata,
        idempotency,
    })
}

fn wait(given: Option<u64>, limits: &Limits) -> Result<Duration, Problem> {
    given.map_or(Ok(Duration::ZERO), |wait| seconds("wait_seconds", wait, Duration::ZERO, limits.long_poll_max))
}

fn seconds(field: &str, given: u64, least: Duration, most: Duration) -> Result<Duration, Problem> {
    let time = Duration::from_secs(given);
    if (least..=most).contains(&time) {
        return Ok(time);
    }
    Err(Problem::out_of_range(field, &given, &format!("{} to {} seconds are right", least.as_secs(), most.as_secs())))
}

/// How many items a page is to have.
///
/// # Errors
/// More or fewer than allowed.
pub(super) fn page_size(given: Option<u32>, limits: &Limits) -> Result<usize, Problem> {
    let size = given.unwrap_or(limits.page_default);
    if size == 0 || size > limits.page_max {
        return Err(Problem::out_of_range("limit", &size, &format!("1 to {} are right", limits.page_max)));
    }
    Ok(size as usize)
}

/// The `Idempotency-Key` of a request with what it was used for: the body in one spelling, whatever the order of its fields.
fn idempotency(request: &HttpRequest, body: &CreateBody, limits: &Limits) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = request.headers().get("idempotency-key") else { return Ok(None) };
    let most = limits.idempotency_key_bytes;
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= most).ok_or_else(|| {
        let given: String = String::from_utf8_lossy(key.as_bytes()).chars().take(80).collect();
        Problem::out_of_range("Idempotency-Key", &given, &format!("1 to {most} visible ASCII characters are right"))
    })?;
    let mut value = serde_json::to_value(body).map_err(|_| Problem::internal())?;
    value.sort_all_objects();
    let digest = Sha256::digest(value.to_string());
    let body_hash = digest.iter().fold(String::with_capacity(64), |text, byte| format!("{text}{byte:02x}"));
    Ok(Some(Idempotency { key: key.to_owned(), body_hash }))
}

/// What is wrong with the text as the parameters of each route.
#[cfg(any(test, fuzzing))]
pub(super) fn fuzz_queries(text: &str) -> impl Iterator<Item = Problem> {
    use super::fuzz::query;
    [query::<ListQuery>(text), query::<ReadQuery>(text), query::<ReleaseQuery>(text)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::extract::parse;

    fn check(body: &str) -> Result<CreateSession, Problem> {
        checked(parse(body.as_bytes())?, "wine".parse().unwrap(), None, &Limits::default(), 300)
    }

    #[test]
    fn a_create_is_checked_field_by_field() {
        let good =
            check(r#"{"target_type": "wine", "ttl_seconds": 30, "wait_seconds": 5, "on_shortage": "queue"}"#).unwrap();
        assert_eq!((good.ttl, good.on_shortage), (Some(Duration::from_secs(30)), OnShortage::Queue));
        for (body, status, part) in [
            (r#"{"target_type": "wine", "ttl_seconds": 4}"#, 422, "ttl_seconds = 4: 5 to 600 seconds"),
            (r#"{"target_type": "wine", "ttl_seconds": 601}"#, 422, "ttl_seconds = 601"),
            (r#"{"target_type": "wine", "ttl_seconds": -1}"#, 400, "ttl_seconds: "),
            (r#"{"target_type": "wine", "wait_seconds": 61}"#, 422, "wait_seconds = 61"),
            (r#"{"target_type": "wine", "priority": 301}"#, 422, "priority = 301"),
            (r#"{"target_type": "wine", "max_duration_seconds": 0}"#, 422, "max_duration_seconds = 0"),
            (r#"{"target_type": "wine", "idle_seconds": 0}"#, 422, "idle_seconds = 0"),
            (r#"{"target_type": "wine", "affinity": ""}"#, 422, "affinity = 0 bytes: 1 to 128"),
            (r#"{"target_type": "wine", "container_id": "a b"}"#, 400, "container_id: container id \"a b\""),
            (r#"{"target_type": "wine", "container_id": "a", "wait_seconds": 1}"#, 422, "container_id"),
            (r#"{"target_type": "wine", "on_shortage": "hope"}"#, 400, "on_shortage: unknown variant `hope`"),
            (r#"{"target_type": "wine", "metadata": []}"#, 400, "metadata: "),
        ] {
            let problem = check(body).unwrap_err();
            assert_eq!(problem.status, status, "{body}: {problem}");
            assert!(problem.detail.contains(part), "{body}: {problem}");
        }
        let long = format!(r#"{{"target_type": "wine", "metadata": {{"a": "{}"}}}}"#, "x".repeat(4096));
        assert_eq!(check(&long).unwrap_err().status, 422);
    }
}
