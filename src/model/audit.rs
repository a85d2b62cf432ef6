//! What an audit of the data in Redis finds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TargetType;

/// A kind of fault: the data contradict themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A set has an id without a record.
    MemberWithoutRecord,
    /// A set has an id whose record belongs elsewhere.
    Misplaced,
    /// A set, or a description, lacks what its record says is there.
    Missing,
    /// A container is not where its facts say that it belongs.
    WrongSet,
    /// A container is leased to a session that does not hold it.
    LeaseWithoutSession,
    /// A session holds a container that is gone, or another's.
    SessionWithoutContainer,
    /// A session and its container have different fencing tokens.
    TokenMismatch,
    /// A deadline has passed, and nobody took back what it stood for.
    Overdue,
    /// A record lacks what every record of its kind has.
    IncompleteRecord,
    /// A description or metadata of what is not there.
    OrphanRecord,
    /// A lease that waits for its container to be found, and is over or was found.
    OrphanClaim,
    /// A live session's record that expires, or an ended one's that never does.
    WrongExpiry,
    /// The time until which nothing is looked at is after a deadline.
    DueLate,
    /// Sizes of sets that must be equal differ.
    Counts,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::MemberWithoutRecord,
        Self::Misplaced,
        Self::Missing,
        Self::WrongSet,
        Self::LeaseWithoutSession,
        Self::SessionWithoutContainer,
        Self::TokenMismatch,
        Self::Overdue,
        Self::IncompleteRecord,
        Self::OrphanRecord,
        Self::OrphanClaim,
        Self::WrongExpiry,
        Self::DueLate,
        Self::Counts,
    ];

    /// The stable word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MemberWithoutRecord => "member_without_record",
            Self::Misplaced => "misplaced",
            Self::Missing => "missing",
            Self::WrongSet => "wrong_set",
            Self::LeaseWithoutSession => "lease_without_session",
            Self::SessionWithoutContainer => "session_without_container",
            Self::TokenMismatch => "token_mismatch",
            Self::Overdue => "overdue",
            Self::IncompleteRecord => "incomplete_record",
            Self::OrphanRecord => "orphan_record",
            Self::OrphanClaim => "orphan_claim",
            Self::WrongExpiry => "wrong_expiry",
            Self::DueLate => "due_late",
            Self::Counts => "counts",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == word)
    }
}

/// One fault that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The target type whose data it is in.
    #[schema(value_type = String)]
    pub target_type: TargetType,
    /// Which kind.
    pub fault: Fault,
    /// The container or session; for `counts` what differs; empty for `due_late`.
    pub id: String,
    /// The set or record, or the other one of the two that contradict each other.
    pub place: String,
    /// Whether it was repaired.
    pub repaired: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_word() {
        for fault in Fault::ALL {
            assert_eq!(serde_json::to_value(fault).unwrap(), fault.as_str());
            assert_eq!(Fault::from_word(fault.as_str()), Some(fault));
        }
    }
}
