//! What the log says of the request that an event belongs to.

use actix_web::{
    Error, HttpMessage as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

/// A span of few fields, all known at its start: each costs time for each request and each event, and one that is recorded later
/// has the JSON of all others parsed and written again. The status is in the metrics.
pub(super) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request.extensions().get::<RequestId>().copied();
        tracing::info_span!(
            "HTTP request",
            http.method = request.method().as_str(),
            http.target = request.uri().path_and_query().map_or("", |target| target.as_str()),
            http.client_ip = request.connection_info().realip_remote_addr(),
            request_id = id.map(tracing::field::display),
        )
    }

    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}
