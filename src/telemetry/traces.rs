//! Traces: the spans of requests, of their calls of Redis and of deliveries to webhooks, sent by OTLP over HTTP in batches.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tokio::runtime::Handle;
use tracing::{Span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::Targets};

use super::TraceParent;
use crate::config::TelemetryConfig;

/// The longest that a batch may take to be sent, and the last one at the end.
const SENT_WITHIN: Duration = Duration::from_secs(5);

/// Whether spans are traces: asked for each request.
static TRACED: AtomicBool = AtomicBool::new(false);

/// Whether requests are traced.
#[must_use]
pub fn traced() -> bool {
    TRACED.load(Ordering::Relaxed)
}

/// Puts a span that nobody has entered yet under the caller's, if there is one, and says which trace it is in.
#[must_use]
pub fn follow(span: &Span, parent: Option<TraceParent<'_>>, state: &str) -> String {
    if let Some(parent) = parent {
        // It fails only where spans are no traces.
        let _ = span.set_parent(parent.context(state));
    }
    span.context().span().span_context().trace_id().to_string()
}

/// The header that puts what is asked of others under this span (W3C Trace Context); none where it is no trace.
#[must_use]
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    let own = context.span().span_context().clone();
    let written = || format!("00-{}-{}-{:02x}", own.trace_id(), own.span_id(), own.trace_flags().to_u8());
    own.is_valid().then(written)
}

/// What is not sent yet.
#[derive(Debug, Default)]
pub struct Traces {
    provider: Option<SdkTracerProvider>,
}

impl Traces {
    /// Sends what is left, for some seconds at most.
    pub async fn end(self) {
        let Some(provider) = self.provider else { return };
        let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(SENT_WITHIN)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

type Spans = Box<dyn Layer<super::Lines> + Send + Sync>;

/// Starts sending, where an address is configured.
pub(super) fn start(config: &TelemetryConfig) -> Result<Option<(Traces, Spans)>, String> {
    let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
    let wrong = |error: &dyn std::fmt::Display| format!("configuration: telemetry.otlp_endpoint = {endpoint}: {error}");
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new(endpoint).map_err(|error| wrong(&error))?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(SENT_WITHIN)
        .build()
        .map_err(|error| wrong(&error))?;
    let resource = Resource::builder()
        .with_service_name(config.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio))))
        .with_resource(resource.build())
        .build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("leasehold"))
        .with_location(false)
        .with_threads(false)
        .with_context_activation(false)
        // Calls of Redis are spans below the level of logs.
        .with_filter(
            Targets::new()
                .with_target("leasehold", LevelFilter::INFO)
                .with_target("leasehold::redis", LevelFilter::DEBUG),
        )
        .boxed();
    TRACED.store(true, Ordering::Relaxed);
    Ok(Some((Traces { provider: Some(provider) }, spans)))
}

/// Sends batches from the runtime of the replica: they are made on a thread of their own.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    failing: AtomicBool,
}

impl Sender {
    fn new(endpoint: &str) -> reqwest::Result<Self> {
        // Another provider that the program installed before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder().timeout(SENT_WITHIN).redirect(reqwest::redirect::Policy::none());
        if endpoint.starts_with("http:") {
            // Without TLS no certificates are needed: a small image has none.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { client: builder.build()?, runtime: Handle::current(), failing: AtomicBool::new(false) })
    }

    /// The first failure is told, and that it is over.
    fn tell(&self, failure: Option<&str>) {
        let before = self.failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) if !before => tracing::warn!(reason, "traces cannot be sent; what waits for it is dropped"),
            None if before => tracing::info!("traces are sent again"),
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        match sent.await? {
            Ok((status, body)) => {
                self.tell((!status.is_success()).then_some(status.as_str()));
                Ok(Response::builder().status(status).body(body)?)
            }
            Err(error) => {
                self.tell(Some(&error.to_string()));
                Err(error.into())
            }
        }
    }
}
