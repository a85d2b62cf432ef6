//! Logs: to standard error, one event a line, as text for people or JSON for programs.

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogConfig, LogFormat};

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// The filter cannot be understood: which part of it, in words.
pub fn init(log: &LogConfig) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| {
        format!("configuration: log.filter = {}: {error}; right is `info` or `info,leasehold=debug`", log.filter)
    })?;
    let subscriber = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a subscriber is there already: a test's, or an earlier call's.
    let _ = match log.format {
        LogFormat::Text => subscriber.with_target(false).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
    };
    Ok(())
}
