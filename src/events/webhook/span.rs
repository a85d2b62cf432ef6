//! What a trace says of an attempt at a delivery.

use tracing::{Span, field};

use crate::{
    model::{Event, WebhookName},
    telemetry,
    webhook::Refusal,
};

/// A trace of its own for an attempt, where traces are configured. It stands under no other: what caused the event is not known here.
pub(super) fn of_attempt(webhook: &WebhookName, event: &Event, attempt: u32) -> Span {
    if !telemetry::traced() {
        return Span::none();
    }
    tracing::info_span!(
        parent: None,
        "webhook delivery",
        otel.kind = "client",
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
        http.request.method = "POST",
        %webhook,
        event_id = event.id,
        kind = event.kind,
        target_type = %event.target_type,
        session_id = event.text("session"),
        container_id = event.text("container"),
        attempt,
    )
}

/// Says how it went.
pub(super) fn ended(span: &Span, refusal: Option<&Refusal>) {
    if let Some(refusal) = refusal {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", &refusal.reason);
    }
}
