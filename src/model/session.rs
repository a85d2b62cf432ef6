//! Sessions: ids, states, leases and tickets.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Container, OwnerName, TargetType};

/// An integer that only ever grows for a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FencingToken(pub u64);

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A UUIDv8: 48 bits of Unix milliseconds (so that ids sort by age), 42 random bits, and in the last four bytes a tag of
/// the target type, by which any replica finds the type of a session without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Uuid);

impl SessionId {
    /// A new id for a session of `target_type`.
    #[must_use]
    pub fn new(target_type: &TargetType) -> Self {
        let millis = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64);
        let mut bytes = [0u8; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..12].copy_from_slice(&rand::random::<[u8; 6]>());
        bytes[12..].copy_from_slice(&Self::tag_of(target_type));
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The tag that ids of this type carry. Two types may share one: then both are asked.
    #[must_use]
    pub fn tag_of(target_type: &TargetType) -> [u8; 4] {
        let digest = Sha256::digest(target_type.as_str());
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// The tag that this id carries; none when it is not an id of ours.
    #[must_use]
    pub fn tag(&self) -> Option<[u8; 4]> {
        let bytes = self.0.as_bytes();
        (self.0.get_version_num() == 8).then(|| [bytes[12], bytes[13], bytes[14], bytes[15]])
    }

    /// The id as a UUID.
    #[must_use]
    pub fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for SessionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        // Only the hyphenated form: one session has one spelling, in keys as in logs.
        let id: uuid::fmt::Hyphenated = text.parse()?;
        Ok(Self(id.into_uuid()))
    }
}

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// In its type's line, or offered a container that it has not claimed yet.
    Queued,
    /// It holds a container.
    Ready,
    /// Over.
    Ended,
}

impl SessionState {
    /// The stable word for it, as answered.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Ended => "ended",
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its holder gave it back.
    Released,
    /// No heartbeat within the TTL.
    Expired,
    /// It was granted and never confirmed.
    Unconfirmed,
    /// It was released while it waited.
    Cancelled,
    /// Its ticket was not polled any more, or had waited as long as allowed.
    TicketExpired,
    /// Its container was removed or restarted.
    ContainerLost,
    /// It had lasted as long as allowed.
    MaxDuration,
    /// Its holder reported no activity.
    Idle,
    /// An operator ended it.
    Admin,
    /// It could not be proven after a loss of Redis.
    LostInRecovery,
    /// A higher fencing token displaced it in recovery.
    Superseded,
}

impl EndReason {
    /// The stable word for it, as stored and as answered.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Unconfirmed => "unconfirmed",
            Self::Cancelled => "cancelled",
            Self::TicketExpired => "ticket_expired",
            Self::ContainerLost => "container_lost",
            Self::MaxDuration => "max_duration",
            Self::Idle => "idle",
            Self::Admin => "admin",
            Self::LostInRecovery => "lost_in_recovery",
            Self::Superseded => "superseded",
        }
    }

    /// Back from the stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Released,
            Self::Expired,
            Self::Unconfirmed,
            Self::Cancelled,
            Self::TicketExpired,
            Self::ContainerLost,
            Self::MaxDuration,
            Self::Idle,
            Self::Admin,
            Self::LostInRecovery,
            Self::Superseded,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == word)
    }
}

/// What a ready session holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    /// Grows with every lease of the container: the container can refuse a lower one.
    #[schema(value_type = u64)]
    pub fencing_token: FencingToken,
    /// What a heartbeat renews it for.
    pub ttl_seconds: u64,
    /// What is left, counted from when the answer was made.
    pub expires_in_ms: u64,
    /// The same by Redis's wall clock (RFC 3339); `expires_in_ms` is the one to trust.
    pub expires_at: String,
    /// How often to renew.
    pub heartbeat_interval_seconds: u64,
    /// What the lease is proven by when Redis has lost it: to be given with each heartbeat. Null when the pool has no key to
    /// sign with, and in answers to many heartbeats at once.
    pub lease_token: Option<String>,
    /// Redis may have lost leases: the next heartbeat is to carry the lease token.
    #[serde(default)]
    pub proof_wanted: bool,
}

/// A queued session's place in its type's line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ticket {
    /// 1 is next.
    pub position: u64,
    /// The seconds of head start that were asked for; 0 also of one that a version without this field made.
    #[serde(default)]
    pub priority: u32,
    /// From the sessions that ended lately; null when there were none.
    pub estimated_wait_seconds: Option<u64>,
    /// Poll (read the session) at least this often, or the ticket ends.
    pub poll_within_seconds: u64,
}

/// When a session was used, and when its holder was heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activity {
    /// When it was last reported to be used (RFC 3339): by a heartbeat that says `active`, or a key or the pointer of a viewer that
    /// drives. Where an idle limit holds the beginning of the lease counts too; null where nothing was reported.
    pub last_active_at: Option<String>,
    /// How long ago that is: the one to trust.
    pub last_active_ms_ago: Option<u64>,
    /// How long ago its lease was renewed; null before the first time, and where its longest duration ends it before its TTL does.
    pub last_heard_ms_ago: Option<u64>,
    /// What is left until it ends for want of activity; null where no idle limit holds.
    pub idle_ends_in_ms: Option<u64>,
}

/// What the holder of a session is to be told before it happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// What the session is to end for: `idle`, unless activity is reported, or `max_duration`.
    pub reason: EndReason,
    /// How much is left until then.
    pub ends_in_ms: u64,
}

/// A session in an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: SessionId,
    /// Where it is in its life.
    pub state: SessionState,
    /// Which kind of container it claims.
    #[schema(value_type = String, example = "wine")]
    pub target_type: TargetType,
    /// Who it belongs to.
    #[schema(value_type = String)]
    pub owner: OwnerName,
    // In a box, because a session is handed on from layer to layer.
    /// What it holds; null while queued and after its end.
    pub container: Option<Box<Container>>,
    /// How it holds it; null while queued and after its end.
    pub lease: Option<Lease>,
    /// Its place in the line; null unless queued.
    pub ticket: Option<Ticket>,
    /// Whether somebody is at work in it; null unless ready.
    #[serde(default)]
    pub activity: Option<Activity>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub ended_at: Option<String>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Of the ends that come near.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// What the client gave at creation.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_the_tag_of_its_type_and_is_a_uuid_v8() {
        let wine: TargetType = "wine".parse().unwrap();
        let id = SessionId::new(&wine);
        assert_eq!(id.as_uuid().get_version_num(), 8);
        assert_eq!(id.as_uuid().get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.tag(), Some(SessionId::tag_of(&wine)));
        assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
        assert_ne!(SessionId::new(&wine), id);
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = SessionId::new(&"wine".parse().unwrap());
        assert!(id.as_uuid().simple().to_string().parse::<SessionId>().is_err());
        assert!("../etc".parse::<SessionId>().is_err());
    }

    #[test]
    fn end_reasons_and_their_words_agree_with_serde() {
        let word = serde_json::to_value(EndReason::ContainerLost).unwrap();
        assert_eq!(word, EndReason::ContainerLost.as_str());
        assert_eq!(EndReason::from_word("container_lost"), Some(EndReason::ContainerLost));
        assert_eq!(EndReason::from_word("gone"), None);
    }
}
