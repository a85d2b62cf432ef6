//! `/containers/{id}/logs` and `/containers/{id}/stats`: what its engine tells of a container, passed on as it comes.
//!
//! For admins: a log shows what the sessions of all owners left in it.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, get, http::header, web};
use futures_util::{Stream, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{Problem, State, auth::Operator, extract::Query};
use crate::{
    model::{Container, ContainerStats, LogLine},
    pool::OpenStream,
    provider::{Insight, LogOptions, Provider, ProviderError},
};

/// One JSON object on each line.
const LINES: &str = "application/x-ndjson";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LogsQuery {
    /// Go on with what is written from now on.
    #[serde(default)]
    follow: bool,
    /// Only so many of the last lines there are.
    tail: Option<u32>,
    /// Only what was written since then: a time (RFC 3339), or how long ago (`10m`).
    since: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StatsQuery {
    /// Go on, with a line of JSON about each second.
    #[serde(default)]
    stream: bool,
}

/// Read what a container writes: as it is, or as a line of JSON for each of its lines with `Accept: application/x-ndjson`.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path), LogsQuery), responses(
    (status = 200, description = "Its log, to the end or on and on", content((String = "text/plain"), (LogLine = "application/x-ndjson"))),
    (status = 403, description = "Not an admin's key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Its provider tells no logs, or this replica does not have it", body = Problem, content_type = "application/problem+json")))]
#[get("/containers/{id}/logs")]
pub(super) async fn container_logs(
    _caller: Operator,
    state: web::Data<State>,
    request: HttpRequest,
    id: web::Path<String>,
    Query(query): Query<LogsQuery>,
) -> Result<HttpResponse, Problem> {
    let since = query.since.as_deref().map(since).transpose()?;
    let options = LogOptions { follow: query.follow, tail: query.tail, since };
    let open = state.pool.open_stream()?;
    let (container, provider) = find(&state, &id).await?;
    let lines = provider.logs(container.id.clone(), options).await.map_err(|error| problem(error, &container))?;
    let json = accepts_lines(&request);
    let write = move |line: LogLine| if json { as_json(&line) } else { as_text(line) };
    let kind = if json { LINES } else { "text/plain; charset=utf-8" };
    Ok(answer(kind).streaming(passed_on(lines, open, write)))
}

/// Read what a container uses of processor, memory and network: once, or on and on.
#[utoipa::path(tag = "containers", security(("api_key" = [])), params(("id" = String, Path), StatsQuery), responses(
    (status = 200, description = "What it uses", content((ContainerStats = "application/json"), (ContainerStats = "application/x-ndjson"))),
    (status = 403, description = "Not an admin's key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such container", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Its provider does not tell, or this replica does not have it", body = Problem, content_type = "application/problem+json")))]
#[get("/containers/{id}/stats")]
pub(super) async fn container_stats(
    _caller: Operator,
    state: web::Data<State>,
    id: web::Path<String>,
    Query(query): Query<StatsQuery>,
) -> Result<HttpResponse, Problem> {
    let open = state.pool.open_stream()?;
    let (container, provider) = find(&state, &id).await?;
    let asked = provider.stats(container.id.clone(), query.stream);
    let mut told = asked.await.map_err(|error| problem(error, &container))?;
    if query.stream {
        return Ok(answer(LINES).streaming(passed_on(told, open, |stats| as_json(&stats))));
    }
    match told.next().await {
        Some(Ok(now)) => Ok(HttpResponse::Ok().json(now)),
        Some(Err(error)) => Err(problem(error, &container)),
        None => Err(problem(ProviderError::Gone, &container)),
    }
}

/// The container and its provider.
pub(super) async fn find(state: &State, id: &str) -> Result<(Container, Arc<dyn Provider>), Problem> {
    let container = state.pool.container(id).await?;
    let provider = state.providers.iter().find(|provider| *provider.name() == container.provider);
    let missing = || {
        let name = &container.provider;
        Problem::not_supported(format!(
            "This replica does not have the provider {name}; ask one that is configured with it"
        ))
    };
    let provider = provider.cloned().ok_or_else(missing)?;
    Ok((container, provider))
}

fn problem(error: ProviderError, container: &Container) -> Problem {
    match error {
        ProviderError::Gone => crate::pool::PoolError::ContainerNotFound(container.id.to_string()).into(),
        ProviderError::NotSupported(right) => {
            Problem::not_supported(format!("Container {} is of provider {}: {right}", container.id, container.provider))
        }
        ProviderError::Refused(reason) => Problem::provider_refused(reason),
        ProviderError::Unreachable { .. } => Problem::provider_unavailable(error.to_string()),
    }
}

/// An answer that goes on: proxies are not to gather it.
fn answer(kind: &str) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"));
    answer
}

/// What is passed on, until it or the replica ends. It is read from the engine only as fast as the client takes it. What
/// breaks breaks the answer off, so that nobody takes a part for the whole.
fn passed_on<T: 'static>(
    items: Insight<T>,
    open: OpenStream,
    write: impl Fn(T) -> web::Bytes + 'static,
) -> impl Stream<Item = Result<web::Bytes, ProviderError>> {
    stream::unfold((items, open), |(mut items, open)| async move {
        let item = tokio::select! {
            item = items.next() => item?,
            () = open.ending() => return None,
        };
        if let Err(error) = &item {
            tracing::warn!(%error, "what a container's engine told broke off");
        }
        Some((item, (items, open)))
    })
    .map(move |item| item.map(&write))
}

fn as_json(value: &impl Serialize) -> web::Bytes {
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

fn as_text(line: LogLine) -> web::Bytes {
    let mut text = line.line;
    if !line.partial {
        text.push('\n');
    }
    text.into()
}

fn accepts_lines(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ["application/x-ndjson", "application/jsonl", "application/json"].iter().any(|kind| accepted.contains(kind))
}

/// A time, or how long ago.
fn since(text: &str) -> Result<Timestamp, Problem> {
    let ago = || text.parse::<SignedDuration>().ok().and_then(|ago| Timestamp::now().checked_sub(ago.abs()).ok());
    text.parse().ok().or_else(ago).ok_or_else(|| {
        let right = "a time such as 2026-11-23T21:00:00Z, or how long ago, such as 10m";
        Problem::out_of_range("since", &text.chars().take(80).collect::<String>(), right)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_or_how_long_ago() {
        assert_eq!(since("2026-11-23T21:00:00Z").unwrap().as_second(), 1_795_467_600);
        let ago = since("10m").unwrap().duration_until(Timestamp::now());
        assert!((599..=601).contains(&ago.as_secs()), "{ago:?}");
        assert_eq!(since("yesterday").unwrap_err().code, "out_of_range");
    }
}
