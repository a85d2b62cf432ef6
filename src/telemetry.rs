//! Logs: to standard error, one event a line, as text for people or JSON for programs. And traces, where they are configured.

mod parent;
mod traces;

use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt,
    layer::{Layered, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

pub use self::{
    parent::TraceParent,
    traces::{Traces, follow, traced, traceparent},
};

use crate::config::{LogConfig, LogFormat, TelemetryConfig};

/// What the spans of traces stand on: the lines of the log.
type Lines = Layered<Box<dyn Layer<Registry> + Send + Sync>, Registry>;

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// The filter cannot be understood: which part of it, in words.
pub fn init(log: &LogConfig) -> Result<(), String> {
    let subscriber = fmt().with_env_filter(filter(log)?).with_writer(std::io::stderr);
    // An error means that a subscriber is there already: a test's, or an earlier call's.
    let _ = match log.format {
        LogFormat::Text => subscriber.with_target(false).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
    };
    Ok(())
}

/// The same, with traces where they are configured. Within a tokio runtime, by which they are sent.
///
/// # Errors
/// The filter, or the address that traces are sent to, cannot be understood.
pub fn init_traced(log: &LogConfig, telemetry: &TelemetryConfig) -> Result<Traces, String> {
    let Some((traces, spans)) = traces::start(telemetry)? else {
        init(log)?;
        return Ok(Traces::default());
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Text => lines.with_target(false).with_filter(filter(log)?).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_filter(filter(log)?).boxed(),
    };
    let _ = tracing_subscriber::registry().with(lines).with(spans).try_init();
    Ok(traces)
}

fn filter(log: &LogConfig) -> Result<EnvFilter, String> {
    EnvFilter::try_new(&log.filter).map_err(|error| {
        format!("configuration: log.filter = {}: {error}; right is `info` or `info,leasehold=debug`", log.filter)
    })
}
