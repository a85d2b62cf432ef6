//! What an engine tells of a container beside its state: what it writes, and what it uses.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ContainerId;

/// Where a process wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    /// Standard output; also all of a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line of a container's log, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When it was written, by the engine's clock, as RFC 3339; null when the engine does not tell.
    pub time: Option<String>,
    /// Where to.
    pub stream: LogStream,
    /// The text, without the line's end; what is no UTF-8 is replaced.
    pub line: String,
    /// The next one of its stream goes on with the same line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// What a container uses, at one moment. Null is what the engine does not tell, as of one that does not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContainerStats {
    /// The engine's id.
    #[schema(value_type = String)]
    pub id: ContainerId,
    /// When it was measured, by the engine's clock, as RFC 3339.
    pub time: Option<String>,
    /// Processor time since the measurement before, in percent of one processor.
    pub cpu_percent: Option<f64>,
    /// Memory in use, without what is kept of files, in bytes.
    pub memory_bytes: Option<u64>,
    /// The most that it may use, in bytes.
    pub memory_limit_bytes: Option<u64>,
    /// Received on all networks since its start, in bytes.
    pub network_rx_bytes: Option<u64>,
    /// Sent on all networks since its start, in bytes.
    pub network_tx_bytes: Option<u64>,
}
