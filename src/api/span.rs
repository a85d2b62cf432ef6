//! What the log, and a trace, say of the request that an event belongs to.

use actix_web::{
    Error, HttpMessage as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
};
use tracing::{Span, field};
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::Problem;
use crate::telemetry::{self, TraceParent};

/// The trace that a request belongs to.
#[derive(Clone)]
struct TraceIdOfRequest(String);

/// A span of few fields, all known at its start: each costs time for each request and each event, and one that is recorded later
/// has the JSON of all others parsed and written again. The status is in the metrics.
pub(super) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let parent = header("traceparent").and_then(TraceParent::read);
        if telemetry::traced() {
            return traced(request, parent, header("tracestate").unwrap_or_default());
        }
        let trace_id = parent.map(|parent| parent.trace_id);
        if let Some(id) = trace_id {
            request.extensions_mut().insert(TraceIdOfRequest(id.to_owned()));
        }
        let id = request.extensions().get::<RequestId>().copied();
        tracing::info_span!(
            "HTTP request",
            http.method = request.method().as_str(),
            http.target = request.uri().path_and_query().map_or("", |target| target.as_str()),
            http.client_ip = request.connection_info().realip_remote_addr(),
            request_id = id.map(field::display),
            trace_id,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        if telemetry::traced() {
            let status = match outcome {
                Ok(answer) => answer.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            span.record("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.record("otel.status_code", "ERROR");
            }
        }
    }
}

/// The span of a request that is traced: more fields, and one that is known only when it has begun.
fn traced(request: &ServiceRequest, parent: Option<TraceParent<'_>>, state: &str) -> Span {
    let method = request.method().as_str();
    let route = request.match_pattern();
    let id = request.extensions().get::<RequestId>().copied();
    let span = tracing::info_span!(
        "HTTP request",
        otel.name = route.as_ref().map_or_else(|| method.to_owned(), |route| format!("{method} {route}")),
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.method = method,
        http.target = request.uri().path_and_query().map_or("", |target| target.as_str()),
        http.client_ip = request.connection_info().realip_remote_addr(),
        http.route = route,
        http.response.status_code = field::Empty,
        request_id = id.map(field::display),
        trace_id = field::Empty,
    );
    let trace_id = telemetry::follow(&span, parent, state);
    span.record("trace_id", &trace_id);
    request.extensions_mut().insert(TraceIdOfRequest(trace_id));
    span
}

/// Puts the trace into an answer that is a problem, where one is known.
pub(super) fn name_trace(answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let trace_id = answer.request().extensions().get::<TraceIdOfRequest>().cloned();
    let problem = answer.response().error().and_then(|error| error.as_error::<Problem>()).cloned();
    match (trace_id, problem) {
        (Some(TraceIdOfRequest(id)), Some(problem)) => answer.error_response(problem.in_trace(id)),
        _ => answer,
    }
}
