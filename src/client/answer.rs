//! Answers that are no record of the model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Container, Finding, Session, SessionId, TypeStatus};

/// One page of `GET /containers`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContainerPage {
    /// The containers.
    pub containers: Vec<Container>,
    /// How many there are in all.
    pub total: u64,
    /// The cursor of the next page; null on the last.
    #[serde(default)]
    pub next: Option<String>,
}

/// `GET /containers/status`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PoolStatus {
    /// All containers that are present.
    pub total_containers: u64,
    /// Would be given out now.
    pub available: u64,
    /// Leased or offered.
    pub allocated: u64,
    /// The same for each type.
    pub by_type: BTreeMap<String, TypeStatus>,
    /// What else the server tells.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

/// `POST /containers/refresh`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refreshed {
    /// Whether every provider was looked at in time.
    pub refreshed: bool,
    /// What there is now.
    pub status: PoolStatus,
}

/// What became of one renewal of many.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeartbeatOutcome {
    /// The session.
    pub session_id: SessionId,
    /// It was renewed; without its container.
    #[serde(default)]
    pub session: Option<Session>,
    /// It was not: the problem that a single renewal would have been answered with.
    #[serde(default)]
    pub problem: Option<Value>,
}

/// What became of many.
#[derive(Debug, Deserialize)]
pub(super) struct HeartbeatOutcomes {
    /// In the order of the renewals.
    pub(super) results: Vec<HeartbeatOutcome>,
}

/// The types whose recovery was ended.
#[derive(Debug, Deserialize)]
pub(super) struct RecoveryEnded {
    pub(super) ended: Vec<String>,
}

/// A part of `POST /audit`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditPart {
    /// What was found in it.
    pub findings: Vec<Finding>,
    /// How many records and members of sets were looked at.
    pub looked: u64,
    /// The cursor of the next part; null when all has been looked at.
    pub next: Option<String>,
}
