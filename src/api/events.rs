//! `/events`: what happens, as server-sent events.
//!
//! Written here rather than by a library, because those write no block that has an `id` and nothing else: it moves a client's
//! `Last-Event-ID` past what its filter leaves out.

use std::{convert::Infallible, sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, get, http::header, web};
use futures_util::{Stream, stream};
use rand::RngExt as _;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    auth::Reader,
    extract::{Query, session_id},
};
use crate::{
    events::{Cursor, Filter, Follower, Start},
    metrics::Metrics,
    model::{Event, Role},
};

/// Between two signs of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// Most bytes of events that are written at once.
const CHUNK: usize = 16 * 1024;
/// How long clients wait before they come back, in milliseconds: not all at the same moment.
const RETRY_MS: std::ops::Range<u32> = 500..2000;

/// Where a stream begins when no `Last-Event-ID` says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Begin {
    /// With what happens from now on.
    #[default]
    Now,
    /// With the oldest event that is kept.
    Start,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FollowQuery {
    /// Only of this type.
    target_type: Option<String>,
    /// Only kinds that begin with this, as `session.` or `container.state`.
    kind: Option<String>,
    /// Only of this session.
    session: Option<String>,
    /// Only of this container.
    container: Option<String>,
    /// Where to begin when there is no `Last-Event-ID`. Default `now`.
    #[serde(default)]
    #[param(inline)]
    from: Begin,
    /// Whether to go on with what happens; else the answer ends with the last event that is kept. Default true.
    #[serde(default = "yes")]
    follow: bool,
}

fn yes() -> bool {
    true
}

/// Follow what happens: sessions, containers, recoveries. In each type events are in order and none is missing: what is gone
/// (trimmed, or lost with Redis) is told by an event `resync`, after which a consumer reads anew what it needs. A client's key
/// sees its own owner's sessions, and all containers; the keys of admins and viewers see all.
#[utoipa::path(tag = "events", security(("api_key" = [])), params(FollowQuery,
    ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was received: goes on after it.")),
    responses(
        (status = 200, description = "Events as server-sent events: `event` is the kind, `data` this in JSON, `id` for `Last-Event-ID`",
            body = Event, content_type = "text/event-stream"),
        (status = 404, description = "Unknown target type", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "As many streams and long polls as allowed are open, or Redis is away: see Retry-After", body = Problem, content_type = "application/problem+json")))]
#[get("/events")]
pub(super) async fn follow_events(
    caller: Reader,
    state: web::Data<State>,
    request: HttpRequest,
    Query(query): Query<FollowQuery>,
) -> Result<HttpResponse, Problem> {
    let start = match request.headers().get("Last-Event-ID").filter(|id| !id.is_empty()) {
        Some(id) => Start::After(cursor(id)?),
        None if query.from == Begin::Start || !query.follow => Start::Oldest,
        None => Start::Now,
    };
    let mut filter = filter(&query)?;
    if let Some(name) = &query.target_type {
        filter.target_types.push(state.pool.known_type(name).await?);
    }
    filter.owner = (caller.role == Role::Client).then(|| caller.owner.clone());
    let permit = state.pool.hold_open()?;
    let follower = state.events.follow(filter, start).await?;
    let open = Open::new(follower, query.follow, permit, state.pool.ending(), state.metrics.clone());
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // Else some proxies would keep events back.
        .insert_header(("X-Accel-Buffering", "no"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(open.stream()))
}

fn cursor(id: &header::HeaderValue) -> Result<Cursor, Problem> {
    let read = |text| Cursor::read(text).map_err(|error| error.to_string());
    id.to_str()
        .map_err(|_| "it is no text".to_owned())
        .and_then(read)
        .map_err(|reason| Problem::malformed("bad_cursor", format!("Last-Event-ID: {reason}")))
}

fn filter(query: &FollowQuery) -> Result<Filter, Problem> {
    let mut filter = Filter::default();
    if let Some(kind) = query.kind.as_ref().filter(|kind| !kind.is_empty()) {
        if kind.len() > 64 || !kind.bytes().all(|b| b.is_ascii_lowercase() || b"._".contains(&b)) {
            let right = "a kind of event or its beginning, as session. or container.state";
            return Err(Problem::out_of_range("kind", &kind.chars().take(80).collect::<String>(), right));
        }
        filter.kinds.push(kind.clone());
    }
    filter.session = query.session.as_deref().map(session_id).transpose()?;
    if let Some(container) = &query.container {
        let id = container.parse().map_err(|error| Problem::malformed("invalid_parameter", format!("{error}")))?;
        filter.container = Some(id);
    }
    Ok(filter)
}

/// A stream while it is open.
struct Open {
    follower: Follower,
    follow: bool,
    greeted: bool,
    ending: CancellationToken,
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    fn new(
        follower: Follower,
        follow: bool,
        permit: OwnedSemaphorePermit,
        ending: CancellationToken,
        metrics: Arc<Metrics>,
    ) -> Self {
        metrics.event_stream_opened();
        Self { follower, follow, greeted: false, ending, metrics, _permit: permit }
    }

    fn stream(self) -> impl Stream<Item = Result<web::Bytes, Infallible>> {
        stream::unfold(self, async |mut open| {
            let text = open.next().await?;
            Some((Ok(web::Bytes::from(text)), open))
        })
    }

    /// What is written next; none at the end. Only asked for when the client has taken what was written before.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.greeted, true) {
            let retry = rand::rng().random_range(RETRY_MS);
            return Some(format!("retry: {retry}\n{}", self.sign_of_life()));
        }
        let first = tokio::select! {
            // Clients come back to another replica, with the last id.
            () = self.ending.cancelled() => return None,
            event = self.follower.next_or_end(self.follow) => event?,
            () = tokio::time::sleep(SIGN_OF_LIFE) => return Some(self.sign_of_life()),
        };
        let mut text = String::new();
        let mut next = Some(first);
        while let Some(event) = next {
            self.write(&mut text, &event);
            next = if text.len() < CHUNK { self.follower.at_hand() } else { None };
        }
        Some(text)
    }

    fn write(&self, text: &mut String, event: &Event) {
        // JSON of these types has no line break and always succeeds.
        let data = serde_json::to_string(event).unwrap_or_default();
        *text += &format!("event: {}\nid: {}\ndata: {data}\n\n", event.kind, self.follower.cursor().write());
    }

    /// A comment, and where the client is by now, though nothing of that was for it.
    fn sign_of_life(&self) -> String {
        format!(": still here\nid: {}\n\n", self.follower.cursor().write())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.event_stream_closed();
    }
}
