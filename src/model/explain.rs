//! Why nothing is available, as it is told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ContainerId, TargetType};

/// What keeps a container, or a whole type, from being given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No provider found a container of the type.
    NoneFound,
    /// A session holds it.
    Leased,
    /// It is offered to a session in line, which has not claimed it yet.
    Offered,
    /// It is cordoned, and its session is waited for. Such a container is leased or offered as well.
    Draining,
    /// It is being made clean after a session.
    Resetting,
    /// It failed again and again, and rests.
    Quarantined,
    /// Our probe of it fails.
    ProbeFailing,
    /// The engine's own check of it fails.
    CheckFailing,
    /// The engine says that it is paused, exited, restarting or dead.
    NotRunning,
    /// The engine is ending it for good.
    Terminating,
    /// It is not fit to be given out; it was not looked at for why.
    Unhealthy,
    /// It has no good probe or check yet.
    Initializing,
    /// An operator has it given out no more.
    Cordoned,
    /// Redis may have lost a lease of it: it is given out only when the recovery ends.
    Held,
    /// Sessions wait in line, and are served first.
    LineAhead,
    /// A provider cannot be looked at: what is known of its containers is old.
    ProviderUnreachable,
    /// A provider was not looked at for too long.
    ProviderStale,
}

impl Reason {
    /// Those that a container can be out for.
    const OF_CONTAINERS: [Self; 12] = [
        Self::Leased,
        Self::Offered,
        Self::Draining,
        Self::Resetting,
        Self::Quarantined,
        Self::ProbeFailing,
        Self::CheckFailing,
        Self::NotRunning,
        Self::Terminating,
        Self::Initializing,
        Self::Cordoned,
        Self::Held,
    ];

    /// The stable word for it, as answered.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoneFound => "none_found",
            Self::Leased => "leased",
            Self::Offered => "offered",
            Self::Draining => "draining",
            Self::Resetting => "resetting",
            Self::Quarantined => "quarantined",
            Self::ProbeFailing => "probe_failing",
            Self::CheckFailing => "check_failing",
            Self::NotRunning => "not_running",
            Self::Terminating => "terminating",
            Self::Unhealthy => "unhealthy",
            Self::Initializing => "initializing",
            Self::Cordoned => "cordoned",
            Self::Held => "held",
            Self::LineAhead => "line_ahead",
            Self::ProviderUnreachable => "provider_unreachable",
            Self::ProviderStale => "provider_stale",
        }
    }

    /// The reason of a container by its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::OF_CONTAINERS.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// A container that is out, and what is known of why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedContainer {
    /// The engine's id.
    #[schema(value_type = String)]
    pub id: ContainerId,
    /// The engine's name for it.
    pub name: String,
    /// The session that has it.
    pub session_id: Option<String>,
    /// Why, in words, where more is known than the reason.
    pub because: Option<String>,
    /// For a lease, an offer, a drain, quarantine and a recovery: to its end, unless it is renewed. Else how long it has been so.
    pub seconds: Option<u64>,
}

/// One reason, how many are out for it, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutReason {
    /// The reason.
    pub reason: Reason,
    /// Containers; for `line_ahead` sessions, for a provider 1.
    pub count: u64,
    /// What it means here, in words.
    pub detail: String,
    /// What would help, in words.
    pub help: String,
    /// Some of them, ten at most.
    pub containers: Vec<NamedContainer>,
}

/// Why a type has nothing available, or that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The type.
    #[schema(value_type = String, example = "wine")]
    pub target_type: TargetType,
    /// All of its containers that are present.
    pub candidates: u64,
    /// Would be given out now.
    pub available: u64,
    /// Sessions in line.
    pub waiting: u64,
    /// All of it in one sentence.
    pub summary: String,
    /// Every reason for which something is out, the most frequent first. A container counts for the first that keeps it away, so that
    /// they add up to the candidates; but those that are draining are leased or offered as well.
    pub reasons: Vec<OutReason>,
}
