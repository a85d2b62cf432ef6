//! What redis-rs's errors mean for a call: in our words, and what may help.

use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::StoreError;
use crate::config::HostPort;

/// What a command within a script meets in a slot that is being moved.
const NOT_HERE: &str = "non local key";

/// A call failed.
pub(super) struct Failure {
    pub error: StoreError,
    /// The same call may help, here or at another server.
    pub retry: bool,
    /// The connection, or the server on it, is of no use any more.
    pub lost: bool,
    /// The server named another one for this key.
    pub moved_to: Option<HostPort>,
}

impl Failure {
    pub(super) fn of(error: &RedisError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Server(kind) => Some(kind),
            _ => None,
        };
        let lost = error.is_io_error()
            || error.is_connection_dropped()
            || error.is_unrecoverable_error()
            || kind == Some(ServerErrorKind::ReadOnly);
        let moving = matches!(
            kind,
            Some(
                ServerErrorKind::Moved
                    | ServerErrorKind::Ask
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::ClusterDown
            )
        ) || error.to_string().contains(NOT_HERE);
        let moved_to = match kind {
            Some(ServerErrorKind::Moved) => error.redirect_node().and_then(|(node, _)| address(node)),
            _ => None,
        };
        Self { error: explain(error), retry: lost || moving, lost, moved_to }
    }

    /// No answer in time: it may have been executed, and the time is over.
    pub(super) fn silence(timeout: Duration) -> Self {
        Self { error: StoreError::Timeout(timeout), retry: false, lost: true, moved_to: None }
    }

    /// A grant that was taken back: trying again at once would meet the same replicas.
    pub(super) fn not_replicated(error: StoreError) -> Self {
        Self { error, retry: false, lost: false, moved_to: None }
    }

    /// No connection.
    pub(super) fn unreached(error: StoreError) -> Self {
        Self { error, retry: true, lost: true, moved_to: None }
    }
}

/// `host:port` of a redirection; none when the node does not know its own name.
fn address(node: &str) -> Option<HostPort> {
    let (host, port) = node.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty() && host != "?").then_some(HostPort { host: host.to_owned(), port: port.parse().ok()? })
}

/// redis-rs's error in our words.
pub(super) fn explain(error: &RedisError) -> StoreError {
    if error.is_timeout() || error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() {
        return StoreError::Unreachable(error.to_string());
    }
    let text = error.to_string();
    match error.code() {
        Some("OOM") => StoreError::OutOfMemory,
        _ if text.contains("OOM command not allowed") => StoreError::OutOfMemory,
        _ if text.contains(NOT_HERE) => {
            StoreError::Refused(format!("the keys are being moved to another node: {text}"))
        }
        _ => StoreError::Refused(text),
    }
}
