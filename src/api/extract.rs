//! What handlers take from a request, with errors that name the field, the value and what would be right.

use std::{
    fmt::Display,
    future::{Future, Ready, ready},
    pin::Pin,
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{Problem, State};
use crate::model::SessionId;

/// The longest that the body of a request may take: like a slow head, a slow body holds a connection for no longer.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What may come as a body.
pub trait RequestBody: DeserializeOwned + 'static {
    /// The largest body, in times of `limits.body_bytes`.
    const LIMIT_FACTOR: usize = 1;
}

/// A JSON body. None at all reads as `{}`.
pub struct Body<T>(pub T);

impl<T: RequestBody> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let state = request.app_data::<web::Data<State>>().ok_or_else(Problem::internal)?;
            let most = state.config.limits.body_bytes * T::LIMIT_FACTOR;
            let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
            if announced.is_some_and(|length: usize| length > most) {
                return Err(Problem::too_large(most));
            }
            let body = timeout(BODY_TIMEOUT, read(&mut payload, most)).await;
            let body = body.unwrap_or_else(|_| Err(Problem::too_slow(BODY_TIMEOUT)))?;
            if body.is_empty() {
                return parse(b"{}").map(Self);
            }
            // Also keeps web pages of other origins out: they may send forms and text, but JSON only where CORS lets them.
            let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
            let essence = kind.split(';').next().unwrap_or_default().trim();
            if !(essence.eq_ignore_ascii_case("application/json") || essence.ends_with("+json")) {
                return Err(Problem::not_json(kind));
            }
            parse(&body).map(Self)
        })
    }
}

async fn read(payload: &mut Payload, most: usize) -> Result<web::BytesMut, Problem> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Problem::malformed("broken_body", format!("The body: {error}")))?;
        if body.len() + chunk.len() > most {
            return Err(Problem::too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// # Errors
/// The place, by field and by line and column, and what would be right there.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let not_json =
        |error: serde_json::Error| Problem::malformed("malformed_json", format!("The body is not JSON: {error}"));
    // serde would take an array for the fields of a struct in their order.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| *first != b'{') {
        serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(not_json)?;
        return Err(Problem::malformed("invalid_field", "The body is JSON, but not an object: {…} is right"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if !error.is_data() {
            // Where one of some words belongs and no text stands, serde_json says that it is no JSON.
            if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
                return not_json(error);
            }
            let place = format!("at line {} column {}", error.line(), error.column());
            return Problem::malformed("invalid_field", format!("{path}: a value of another kind is right {place}"));
        }
        let text = error.to_string();
        if text.starts_with("unknown field `target_id`") {
            let hint = "unknown field `target_id`: say which kind of container by `target_type`, as in {\"target_type\": \"wine\"}";
            return Problem::malformed("unknown_field", hint);
        }
        let code = if text.starts_with("unknown field") { "unknown_field" } else { "invalid_field" };
        let detail = if path == "." || text.contains(&format!("`{path}`")) { text } else { format!("{path}: {text}") };
        Problem::malformed(code, detail)
    })?;
    reader.end().map_err(not_json)?;
    Ok(value)
}

/// The parameters after `?`. Unknown ones are passed over: the guide's clients send some of their own.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = web::Query::<T>::from_query(request.query_string());
        ready(read.map(|query| Self(query.into_inner())).map_err(|error| wrong_query(request.query_string(), &error)))
    }
}

pub(super) fn wrong_query(given: &str, error: &impl Display) -> Problem {
    let text = error.to_string();
    let reason = text.strip_prefix("Query deserialize error: ").unwrap_or(&text);
    Problem::malformed("invalid_parameter", format!("The parameters {:?}: {reason}", shortened(given)))
}

/// A session's id in the path.
pub struct SessionPath(pub SessionId);

impl FromRequest for SessionPath {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(session_id(request.match_info().query("id")).map(Self))
    }
}

/// # Errors
/// It is not a UUID.
pub(super) fn session_id(text: &str) -> Result<SessionId, Problem> {
    text.parse().map_err(|_| {
        let right = "a UUID such as 0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10";
        Problem::malformed("invalid_session_id", format!("session id = {:?}: {right}", shortened(text)))
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code)]
        target_type: String,
        #[allow(dead_code)]
        #[serde(default)]
        ttl_seconds: Option<u64>,
    }

    fn problem(body: &str) -> (String, String) {
        let problem = parse::<Sample>(body.as_bytes()).unwrap_err();
        (problem.code, problem.detail)
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        let (code, detail) = problem("{\"target_type\": ");
        assert_eq!(code, "malformed_json");
        assert!(detail.contains("line 1 column"), "{detail}");
        let (code, detail) = problem("{\"target_type\": \"wine\"} x");
        assert_eq!(code, "malformed_json", "{detail}");
        let (code, detail) = problem("{\"target_type\": \"wine\", \"ttl_seconds\": \"long\"}");
        assert_eq!(code, "invalid_field");
        assert!(detail.starts_with("ttl_seconds: invalid type: string \"long\""), "{detail}");
        let (code, detail) = problem("{\"target_typ\": \"wine\"}");
        assert_eq!(code, "unknown_field");
        assert!(detail.contains("`target_typ`") && detail.contains("`target_type`"), "{detail}");
        let (code, detail) = problem("{\"target_id\": 4}");
        assert_eq!(code, "unknown_field");
        assert!(detail.contains("`target_type`"), "{detail}");
        let (code, detail) = problem("[\"wine\"]");
        assert_eq!(code, "invalid_field", "{detail}");
        let (code, detail) = problem("{}");
        assert_eq!(code, "invalid_field");
        assert!(detail.contains("missing field `target_type`"), "{detail}");
    }
}
