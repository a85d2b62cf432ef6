//! What can go wrong between a replica and Redis.

use std::time::Duration;

/// A call on Redis failed. The caller cannot know whether a call that timed out was executed: every call is safe to
/// repeat.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No answer within the time allowed.
    #[error("Redis did not answer within {0:?}")]
    Timeout(Duration),
    /// No connection, or it broke.
    #[error("Redis cannot be reached: {0}")]
    Unreachable(String),
    /// Redis is there and refuses for now: loading, busy with a script, read-only, out of memory.
    #[error("Redis refuses for now: {0}")]
    Refused(String),
    /// This Redis cannot keep the promises: too old, or set to evict. Not mended by trying again.
    #[error("{0}")]
    Unfit(String),
    /// Too few replicas had a grant in time: it was taken back, or, when it was made before, not confirmed.
    #[error("{reached} of {wanted} replicas have it")]
    NotReplicated {
        /// How many have it.
        reached: u32,
        /// How many must.
        wanted: u32,
    },
    /// Redis has no memory left for new sessions.
    #[error("Redis has no memory left")]
    OutOfMemory,
    /// The data in Redis was written by a newer version of the program.
    #[error("the data in Redis has schema {found}, this version knows {known}")]
    NewerSchema {
        /// What Redis has.
        found: u64,
        /// What this program knows.
        known: u64,
    },
    /// A script answered what it must not: a defect.
    #[error("unexpected answer of {script}: {answer}")]
    Protocol {
        /// The script.
        script: &'static str,
        /// What it answered.
        answer: String,
    },
}

impl StoreError {
    /// The kinds of failure, as metrics name them.
    pub const KINDS: [&str; 8] =
        ["timeout", "unreachable", "refused", "unfit", "not_replicated", "out_of_memory", "newer_schema", "protocol"];

    /// Which of them it is.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Timeout(_) => "timeout",
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::Unfit(_) => "unfit",
            Self::NotReplicated { .. } => "not_replicated",
            Self::OutOfMemory => "out_of_memory",
            Self::NewerSchema { .. } => "newer_schema",
            Self::Protocol { .. } => "protocol",
        }
    }
}
