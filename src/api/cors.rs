//! Web pages of other origins: none may call the API, unless its origin is configured.

use actix_cors::Cors;
use actix_web::{
    http::{
        Method,
        header::{AUTHORIZATION, CONTENT_TYPE, LINK, LOCATION, RETRY_AFTER},
    },
    middleware::Condition,
};

use crate::config::CorsConfig;

/// How long a browser may keep the answer to its question whether it may call, in seconds.
const MAX_AGE: usize = 600;

/// Answers browsers for the configured origins. Without any, no answer has a CORS header, and a browser lets no other
/// page read one. Cookies are never allowed: keys come in headers.
pub(super) fn cors(config: &CorsConfig) -> Condition<Cors> {
    let cors = config.origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin));
    let cors = cors
        .allowed_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE])
        .allowed_headers(["x-api-key", "idempotency-key", "last-event-id", "traceparent", "tracestate"])
        .expose_headers([LOCATION, RETRY_AFTER, LINK])
        .expose_headers(["idempotency-replayed"])
        .max_age(MAX_AGE);
    Condition::new(!config.origins.is_empty(), cors)
}
