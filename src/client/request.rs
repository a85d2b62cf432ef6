//! What is asked of the API.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{ContainerId, FencingToken, SessionId, SessionState, TargetType};

/// What to do when nothing is available after `wait_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnShortage {
    /// Answer that nothing is available.
    Fail,
    /// Keep a place in line and answer with a ticket.
    Queue,
}

/// The body of `POST /sessions`. What is `None` is left to the server's defaults.
#[derive(Debug, Clone, Serialize)]
pub struct CreateSession {
    /// Which kind of container.
    pub target_type: TargetType,
    /// What a heartbeat renews the lease for, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    /// How long to wait in line within the call, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u64>,
    /// What then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_shortage: Option<OnShortage>,
    /// Head start in the line, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// The longest that the session may last, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration_seconds: Option<u64>,
    /// The longest without a heartbeat that says `active`, or input of a viewer that drives, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// Rather the container that the owner's last session with this word had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<String>,
    /// This container and no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<ContainerId>,
    /// End the session unless a heartbeat comes within the confirm time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<bool>,
    /// The client's own words about the session.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl CreateSession {
    /// A request for any container of this type, with the server's defaults.
    #[must_use]
    pub fn new(target_type: TargetType) -> Self {
        Self {
            target_type,
            ttl_seconds: None,
            wait_seconds: None,
            on_shortage: None,
            priority: None,
            max_duration_seconds: None,
            idle_seconds: None,
            affinity: None,
            container_id: None,
            confirm: None,
            metadata: Map::new(),
        }
    }
}

/// One renewal of many.
#[derive(Debug, Clone, Serialize)]
pub struct Renewal {
    /// The session.
    #[serde(rename = "session_id")]
    pub id: SessionId,
    /// The holder's fencing token; when given, it must be the session's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fencing_token: Option<FencingToken>,
    /// The lease token of the session: needed only where the last answer wanted a proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_token: Option<String>,
    /// Whether the session was used since its last renewal. Sent only where it says something, as all that a version before may not know.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub active: bool,
}

/// Which containers to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ContainerFilter {
    /// Only of this type.
    pub target_type: Option<TargetType>,
    /// Only those that would be given out now.
    pub available_only: bool,
}

/// Which sessions to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SessionFilter {
    /// Only of this type.
    pub target_type: Option<TargetType>,
    /// Only in this state.
    pub state: Option<SessionState>,
    /// Also those that ended.
    pub include_ended: bool,
}
