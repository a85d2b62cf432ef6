//! Containers: what a provider observed, and what an answer shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ContainerId, FencingToken, ProviderName, TargetType};

/// The engine's word for what a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineState {
    /// Made, never started.
    Created,
    /// Its main process runs.
    Running,
    /// Frozen by the engine.
    Paused,
    /// Between an end and a start.
    Restarting,
    /// Its main process ended.
    Exited,
    /// The engine could not end it cleanly.
    Dead,
    /// The engine is ending it for good: it is given out no more, and a session that has it goes on until it is gone.
    Terminating,
}

/// What the engine's own HEALTHCHECK (or readiness) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineHealth {
    /// The container has no check.
    None,
    /// No verdict yet.
    Starting,
    /// Passing.
    Healthy,
    /// Failing.
    Unhealthy,
}

/// Ours: the first that applies, derived from the facts by `settle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PoolState {
    /// Under a lease, or offered to a ticket.
    Allocated,
    /// Being made clean after a session.
    Resetting,
    /// Quarantined, failing its probe or check, paused, exited or restarting; or held in a recovery.
    Unhealthy,
    /// No good probe yet.
    Initializing,
    /// May be given out (unless it is cordoned).
    Available,
}

impl PoolState {
    /// The stable word for it, as answered.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allocated => "allocated",
            Self::Resetting => "resetting",
            Self::Unhealthy => "unhealthy",
            Self::Initializing => "initializing",
            Self::Available => "available",
        }
    }
}

/// How one named port of a container is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Endpoint {
    /// `host:port` from outside the containers' network; null when the port is not published.
    pub address: Option<String>,
    /// `ip:port` on the containers' network; null when it has none.
    pub internal: Option<String>,
}

/// The opaque description of a container, stored as it is: Lua never parses it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The engine's name for it.
    pub name: String,
    /// Its address on the containers' network.
    pub ip_address: Option<String>,
    /// From the container's port to the port to dial.
    pub ports: BTreeMap<String, u16>,
    /// By name: `vnc`, `novnc`, …
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The engine's labels.
    pub labels: BTreeMap<String, String>,
    /// When it was made, by the provider's clock (RFC 3339), where it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// One container as a provider sees it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The engine's id.
    pub id: ContainerId,
    /// From its labels.
    pub target_type: TargetType,
    /// Start time and address, shortened to at most 32 characters: with the id it makes the container's identity.
    /// Empty when the engine cannot tell since it does not run: it stays the one that it was.
    pub incarnation: String,
    /// When that began, by the provider's own clock; none when it cannot tell, or it does not run.
    pub started: Option<Timestamp>,
    /// The engine's word.
    pub state: EngineState,
    /// The engine's check.
    pub health: EngineHealth,
    /// What to show and where to dial.
    pub about: About,
}

/// Whether a container is fit to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Every check that there is passes.
    Healthy,
    /// At least one fails.
    Unhealthy,
    /// No verdict yet.
    Unknown,
}

/// A container's health and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// The verdict.
    pub status: HealthStatus,
    /// The engine's own check.
    pub engine: EngineHealth,
    /// Our probe: null when its type has none.
    pub probe: Option<HealthStatus>,
    /// Why it is not healthy, in words; null when it is.
    pub reason: Option<String>,
}

/// A container in an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Container {
    /// The engine's id.
    #[schema(value_type = String)]
    pub id: ContainerId,
    /// The engine's name for it.
    pub name: String,
    /// Which kind it is.
    #[schema(value_type = String, example = "wine")]
    pub target_type: TargetType,
    /// The name of the provider that found it.
    #[schema(value_type = String)]
    pub provider: ProviderName,
    /// The engine's word for what it does.
    pub state: EngineState,
    /// Ours: what the pool makes of it.
    pub pool_state: PoolState,
    /// Whether an operator has it given out no more.
    pub cordoned: bool,
    /// Who cordoned it: owner and name of the API key; null when it is not.
    #[serde(default)]
    pub cordoned_by: Option<String>,
    /// What its drain waits for; null when it is not being drained, or is free.
    #[serde(default)]
    pub drain: Option<Drain>,
    /// Whether it is idle and given out only after the recovery: Redis may have lost a lease of it.
    #[serde(default)]
    pub held: bool,
    /// On the containers' network.
    pub ip_address: Option<String>,
    /// From the container's port to the port to dial.
    pub ports: BTreeMap<String, u16>,
    /// By name: where to dial from outside, and on the containers' network.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The session that holds it.
    pub allocated_to: Option<String>,
    /// Since when (RFC 3339).
    pub allocated_at: Option<String>,
    /// The engine's labels.
    pub labels: BTreeMap<String, String>,
    /// When it was made (RFC 3339), by its provider's clock; null when that does not tell.
    #[serde(default)]
    pub created_at: Option<String>,
    /// Whether it is fit to be used.
    pub health: Health,
    /// How it is being made clean after a session; null when it is clean.
    #[serde(default)]
    pub reset: Option<Reset>,
    /// Why it rests, and until when; null when it does not.
    #[serde(default)]
    pub quarantine: Option<Quarantine>,
    /// The last fencing token given for it; null before the first lease.
    #[schema(value_type = Option<u64>)]
    pub fencing_token: Option<FencingToken>,
}

/// A container that failed again and again, or could not be made clean, or that an operator put there, rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quarantine {
    /// Until when (RFC 3339).
    pub until: String,
    /// How it failed last: `probe`, `check`, `exited`, `restarted`, `lost` or `reset`; `operator` when it was put there by hand.
    pub reason: String,
    /// Who put it there by hand: owner and name of the API key; null when nobody did.
    #[serde(default)]
    pub by: Option<String>,
    /// How many times in a row it rests.
    pub times: u64,
}

/// How a container is being made clean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reset {
    /// How far that is.
    pub state: ResetState,
    /// Why the last attempt failed; null when none did.
    pub failure: Option<String>,
}

/// How far a reset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResetState {
    /// A worker is at it, or will be.
    Pending,
    /// The last attempt failed: the container rests before the next.
    Failed,
}

/// A cordoned container whose session is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Drain {
    /// The session that still has it.
    pub waiting_for: String,
    /// Until when (RFC 3339).
    pub until: String,
    /// Whether the session ends then; else it goes on, and the container stays cordoned.
    pub force: bool,
}

/// Counts of one target type, from the sizes of its sets. What an older server does not count reads as 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TypeStatus {
    /// All that are present.
    pub total: u64,
    /// Would be given out now.
    pub available: u64,
    /// Leased, or offered to a session in line.
    pub allocated: u64,
    /// Being made clean after a session.
    pub resetting: u64,
    /// Not fit to be given out.
    pub unhealthy: u64,
    /// No verdict yet.
    pub initializing: u64,
    /// Idle, and given out no more.
    pub cordoned: u64,
    /// Of those that are unhealthy: idle, and given out only after the recovery.
    pub held: u64,
    /// In quarantine: of those that are unhealthy, and those that rest when their session is over.
    #[serde(default)]
    pub quarantined: u64,
    /// For how long the oldest reset has been going on; null when none is.
    pub oldest_reset_seconds: Option<u64>,
    /// Sessions that hold a container.
    pub sessions_ready: u64,
    /// Sessions in line.
    pub sessions_queued: u64,
    /// The recovery that goes on after a loss of Redis; null when there is none.
    pub recovery: Option<Recovery>,
}

/// After a loss of Redis: what somebody may still hold is not given out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recovery {
    /// Unless an operator ends it before.
    pub ends_in_seconds: u64,
    /// Since the loss was found.
    pub lasted_seconds: u64,
    /// Leases that were proven to be live.
    pub proven: u64,
}
/// What a container is to those who would take one away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// A session has it, or is offered it.
    Leased,
    /// It is taken away: it goes first.
    Leaving,
    /// Neither.
    Idle,
}
