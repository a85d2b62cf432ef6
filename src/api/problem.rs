//! Errors as `application/problem+json` (RFC 9457): one table from an error to its status, its stable code, and what it tells.

use std::{collections::BTreeMap, fmt, time::Duration};

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    model::{Role, WebhookName},
    pool::{PoolError, StoreError},
};

/// What a client should wait when Redis is away or this replica ends.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// In a recovery, when to try again at the latest: an operator may end it.
const RECOVERY_RETRY: Duration = Duration::from_secs(30);

/// The longest `detail`, in characters: it names what was given, which may be as long as a body.
pub(super) const DETAIL_MOST: usize = 500;

/// An error answer. `code` is stable; `detail` is for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:leasehold:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:leasehold:problem:no_available_containers")]
    pub kind: String,
    /// The kind of problem, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable, for programs.
    #[schema(example = "no_available_containers")]
    pub code: String,
    /// This problem, in words.
    #[schema(example = "No available wine containers")]
    pub detail: String,
    /// For `unknown_target_type`: the known ones.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_types: Option<Vec<String>>,
    /// For `session_ended`: why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_reason: Option<String>,
    /// For `stale_fencing_token`: the session's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fencing_token: Option<u64>,
    /// For `no_available_containers`: how many containers are out for each reason; `GET /explain` says more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reasons: Option<BTreeMap<String, u64>>,
    /// For `quota_exceeded`: `sessions_max` or `tickets_max`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub quota: Option<String>,
    /// The trace that the request belongs to, where it is known: logs name it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace_id: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<Duration>,
}

impl Problem {
    fn new(status: StatusCode, code: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:leasehold:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: shortened(detail.into()),
            known_types: None,
            end_reason: None,
            fencing_token: None,
            reasons: None,
            quota: None,
            trace_id: None,
            retry_after: None,
        }
    }

    fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// The same, naming its trace.
    pub(super) fn in_trace(mut self, trace_id: String) -> Self {
        self.trace_id = Some(trace_id);
        self
    }

    /// No key came with the request, or one that nobody has.
    pub(super) fn unauthenticated(given: bool) -> Self {
        let (code, detail) = if given {
            ("invalid_api_key", "The API key is not known here")
        } else {
            ("missing_api_key", "Give an API key in the header X-API-Key (or Authorization: Bearer)")
        };
        Self::new(StatusCode::UNAUTHORIZED, code, "Not authenticated", detail)
    }

    /// The key's role does not suffice.
    pub(super) fn forbidden(role: Role, needed: Role) -> Self {
        let detail = format!("This needs a key with the role {}, yours has {}", needed.as_str(), role.as_str());
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// Without a key: a page that is not this machine's may have sent it.
    pub(super) fn stranger(header: &str, given: &str, right: &str) -> Self {
        let detail =
            format!("Without an API key no pages of others are answered: {header} is {given:?}; right is {right}");
        Self::new(StatusCode::FORBIDDEN, "foreign_page", "Not allowed", detail)
    }

    /// A page of another origin opens a WebSocket.
    pub(super) fn foreign_socket(origin: &str) -> Self {
        let detail = format!("Origin is {origin:?}; right is the address of this server, or one of cors.origins");
        Self::new(StatusCode::FORBIDDEN, "foreign_page", "Not allowed", detail)
    }

    /// The body is no JSON, or a field of it is wrong in kind.
    pub(super) fn malformed(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "Malformed request", detail)
    }

    /// A field is well formed and out of its bounds.
    pub(super) fn out_of_range(field: &str, given: &impl fmt::Display, right: &str) -> Self {
        let detail = format!("{field} = {given}: {right}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "out_of_range", "Value out of range", detail)
    }

    pub(super) fn too_large(most: usize) -> Self {
        let detail = format!("The body is longer than {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large", detail)
    }

    /// The key asks more often than it may.
    pub(super) fn rate_limited(per_second: u32, wait: Duration) -> Self {
        let detail = format!(
            "This key may ask this replica {per_second} times a second; heartbeats and releases are not counted"
        );
        // Whole seconds in the header: one too early would be refused again.
        let wait = Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests", detail).retry_after(wait)
    }

    pub(super) fn too_slow(most: Duration) -> Self {
        let detail = format!("The body did not come within {most:?}");
        Self::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "Body too slow", detail)
    }

    pub(super) fn not_json(given: &str) -> Self {
        let detail = format!("The body's Content-Type is {given:?}; application/json is right");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Not JSON", detail)
    }

    pub(super) fn no_route(path: &str) -> Self {
        let path: String = path.chars().take(120).collect();
        let detail = format!("There is nothing at {path}; /docs lists what there is");
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    pub(super) fn wrong_method(method: &str, path: &str) -> Self {
        let path: String = path.chars().take(120).collect();
        let detail = format!("{path} does not answer {method}; /docs lists what it does");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", detail)
    }

    /// What the container's provider can never do.
    pub(super) fn not_supported(detail: String) -> Self {
        Self::new(StatusCode::CONFLICT, "not_supported", "Not supported", detail)
    }

    /// What the container's provider refuses as things are.
    pub(super) fn provider_refused(detail: String) -> Self {
        Self::new(StatusCode::CONFLICT, "provider_refused", "The provider refuses", detail)
    }

    /// The container's provider cannot be asked now.
    pub(super) fn provider_unavailable(detail: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "provider_unavailable", "Provider unavailable", detail)
            .retry_after(RETRY_AFTER)
    }

    pub(super) fn no_webhook(name: &str, known: &[WebhookName]) -> Self {
        let name: String = name.chars().take(80).collect();
        let known = known.iter().map(WebhookName::as_str).collect::<Vec<_>>().join(", ");
        let detail = format!("There is no webhook {name:?} in the configuration; known are: {known}");
        Self::new(StatusCode::NOT_FOUND, "webhook_not_found", "No such webhook", detail)
    }

    /// No pass came with the request for a desktop.
    pub(super) fn no_pass() -> Self {
        let detail = "Give a viewer pass (POST /sessions/{id}/passes) as one of the WebSocket's protocols: \
                      Sec-WebSocket-Protocol: binary, leasehold.pass.<pass>";
        Self::new(StatusCode::UNAUTHORIZED, "missing_pass", "Not authenticated", detail)
    }

    /// The route speaks WebSocket alone.
    pub(super) fn upgrade_required(detail: &str) -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "A WebSocket is needed", detail)
    }

    /// The container tells of no desktop.
    pub(super) fn no_desktop(container: &str) -> Self {
        let detail = format!("Container {container} has no endpoint vnc or novnc");
        Self::new(StatusCode::CONFLICT, "no_desktop", "No desktop", detail)
    }

    /// The container's desktop does not answer.
    pub(super) fn desktop_unreachable(detail: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "desktop_unreachable", "The desktop does not answer", detail)
            .retry_after(RETRY_AFTER)
    }

    /// A defect of ours: the log says more.
    pub(super) fn internal() -> Self {
        let detail = "Something went wrong inside; the log of this replica says what";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }
}

fn shortened(mut detail: String) -> String {
    if let Some((end, _)) = detail.char_indices().nth(DETAIL_MOST) {
        detail.truncate(end);
        detail.push('…');
    }
    detail
}

impl From<PoolError> for Problem {
    fn from(error: PoolError) -> Self {
        let detail = error.to_string();
        let new = |status, code, title| Self::new(status, code, title, detail.clone());
        let unavailable = |code, title| new(StatusCode::SERVICE_UNAVAILABLE, code, title);
        match error {
            PoolError::UnknownType { known, .. } => Self {
                known_types: Some(known),
                ..new(StatusCode::NOT_FOUND, "unknown_target_type", "Unknown target type")
            },
            PoolError::NoAvailable { retry_after, reasons, .. } => Self {
                reasons: reasons
                    .map(|all| all.into_iter().map(|(reason, count)| (reason.as_str().to_owned(), count)).collect()),
                ..unavailable("no_available_containers", "Nothing available").retry_after(retry_after)
            },
            PoolError::Recovering { left, .. } | PoolError::Unproven { left, .. } => {
                unavailable("recovering", "Recovering from a loss of Redis").retry_after(left.min(RECOVERY_RETRY))
            }
            PoolError::LeaseTokenRequired(_) => {
                new(StatusCode::CONFLICT, "lease_token_required", "A proof of the lease is needed")
            }
            PoolError::InvalidLeaseToken(_) => {
                new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_lease_token", "Not a proof of the lease")
            }
            PoolError::LineFull { .. } => {
                new(StatusCode::TOO_MANY_REQUESTS, "line_full", "The line is full").retry_after(RETRY_AFTER)
            }
            PoolError::QuotaExceeded { quota, .. } => Self {
                quota: Some(quota),
                ..new(StatusCode::TOO_MANY_REQUESTS, "quota_exceeded", "The owner's quota is used up")
                    .retry_after(RETRY_AFTER)
            },
            PoolError::TooManyWaiting => {
                unavailable("too_many_waiting", "Too many waiting requests").retry_after(RETRY_AFTER)
            }
            PoolError::ShuttingDown => unavailable("shutting_down", "Shutting down").retry_after(RETRY_AFTER),
            PoolError::ContainerUnavailable { .. } => {
                new(StatusCode::CONFLICT, "container_unavailable", "Container not available")
            }
            PoolError::ContainerInUse { .. } => {
                new(StatusCode::CONFLICT, "container_in_use", "A session has the container")
            }
            PoolError::SessionNotFound(_) => new(StatusCode::NOT_FOUND, "session_not_found", "No such session"),
            PoolError::ContainerNotFound(_) => new(StatusCode::NOT_FOUND, "container_not_found", "No such container"),
            PoolError::SessionEnded { reason, .. } => Self {
                end_reason: Some(reason.as_str().to_owned()),
                ..new(StatusCode::GONE, "session_ended", "The session has ended")
            },
            PoolError::SessionQueued(_) => new(StatusCode::CONFLICT, "session_queued", "The session is queued"),
            PoolError::StaleToken { current, .. } => Self {
                fencing_token: Some(current.0),
                ..new(StatusCode::CONFLICT, "stale_fencing_token", "Stale fencing token")
            },
            PoolError::IdempotencyMismatch => {
                new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "Idempotency-Key reused")
            }
            PoolError::AliasOfOtherType { .. } => {
                new(StatusCode::CONFLICT, "session_of_other_type", "The session is of another type")
            }
            PoolError::PassUnknown => new(StatusCode::UNAUTHORIZED, "invalid_pass", "Not a pass of this session"),
            PoolError::PassUsed => new(StatusCode::UNAUTHORIZED, "pass_used", "The pass was used already"),
            PoolError::TooManyPasses { .. } => {
                new(StatusCode::TOO_MANY_REQUESTS, "too_many_passes", "Too many passes").retry_after(RETRY_AFTER)
            }
            PoolError::TooManyViewers { .. } => {
                unavailable("too_many_viewers", "Too many viewers").retry_after(RETRY_AFTER)
            }
            PoolError::OutOfRange { .. } => new(StatusCode::UNPROCESSABLE_ENTITY, "out_of_range", "Value out of range"),
            PoolError::BadCursor(_) => new(StatusCode::BAD_REQUEST, "bad_cursor", "Not a page cursor"),
            PoolError::Store(error) => error.into(),
        }
    }
}

/// What Redis said stays in the log; clients learn that it is away, and when to try again.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let unavailable = |code, detail: &str| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "Redis unavailable", detail).retry_after(RETRY_AFTER)
        };
        match error {
            StoreError::Protocol { .. } => {
                tracing::error!(%error, "a script answered what it must not");
                Self::internal()
            }
            StoreError::NotReplicated { .. } => {
                tracing::warn!(%error, "a grant was not answered: too few replicas of Redis had it in time");
                unavailable("not_replicated", "Too few replicas of Redis heard of it in time; it is safe to repeat")
            }
            StoreError::OutOfMemory => unavailable("redis_out_of_memory", "Redis has no memory left for new sessions"),
            StoreError::Unfit(_) | StoreError::NewerSchema { .. } => {
                tracing::error!(%error, "this Redis cannot be used");
                unavailable("redis_unfit", "Redis cannot be used by this version; its operator finds why in the log")
            }
            StoreError::Timeout(_) | StoreError::Unreachable(_) | StoreError::Refused(_) => {
                tracing::debug!(%error, "a request failed because Redis did");
                unavailable(
                    "redis_unavailable",
                    "Redis does not answer now; the call may have been executed, and is safe to repeat",
                )
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        if let Some(time) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, time.as_secs().max(1).to_string()));
        }
        if self.status_code() == StatusCode::REQUEST_TIMEOUT {
            // What may still come is nobody's.
            response.force_close();
        }
        if self.status_code() == StatusCode::UPGRADE_REQUIRED {
            response.insert_header((header::UPGRADE, "websocket"));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(self)
    }
}
