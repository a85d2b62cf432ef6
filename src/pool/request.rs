//! What is asked of the pool and what it answers, without HTTP.

use std::time::Duration;

use super::explain::Reasons;
use crate::model::{
    ContainerId, EndReason, FencingToken, LeaseTokenError, OwnerName, Session, SessionId, SessionState, TargetType,
};
use crate::store::StoreError;

/// What to do when nothing is available.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnShortage {
    /// Answer [`PoolError::NoAvailable`] (after `wait`).
    #[default]
    Fail,
    /// Keep a ticket after `wait` and answer a queued session.
    Queue,
}

/// A session to be made. Every bound has been checked against the configuration by [`super::Pool::create`].
#[derive(Debug, Clone)]
pub struct CreateSession {
    /// Which kind.
    pub target_type: TargetType,
    /// None: the default.
    pub ttl: Option<Duration>,
    /// How long to wait in line within this call.
    pub wait: Duration,
    /// What then.
    pub on_shortage: OnShortage,
    /// Seconds of head start.
    pub priority: u32,
    /// The longest it may last.
    pub max_duration: Option<Duration>,
    /// The longest without activity that the holder reports.
    pub idle: Option<Duration>,
    /// Rather the container that the owner's last session with this key had.
    pub affinity: Option<String>,
    /// This container and no other.
    pub container_id: Option<ContainerId>,
    /// End it unless a heartbeat comes within the confirm time.
    pub confirm: bool,
    /// The client's own words: a JSON object as text.
    pub metadata: String,
    /// The client's `Idempotency-Key` and the SHA-256 of the request body in canonical form.
    pub idempotency: Option<Idempotency>,
}

/// A repeated create is recognised by this.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The header as given.
    pub key: String,
    /// Of the body, in hexadecimal.
    pub body_hash: String,
}

/// What became of a create.
#[derive(Debug, Clone)]
pub struct Created {
    /// Ready, or queued (only with [`OnShortage::Queue`]).
    pub session: Session,
    /// It was there before: the same key came again.
    pub replayed: bool,
}

/// A renewal.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// The session.
    pub id: SessionId,
    /// The holder's fencing token: when given, it must be the session's.
    pub fencing_token: Option<FencingToken>,
    /// What it proves its lease by when Redis has lost it. Looked at only then.
    pub lease_token: Option<String>,
    /// The holder reports that it is at work.
    pub active: bool,
}

/// Which sessions to list. Admins see every owner's, others their own.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only of this type.
    pub target_type: Option<TargetType>,
    /// Only in this state.
    pub state: Option<SessionState>,
    /// Also those that ended.
    pub include_ended: bool,
}

/// Which containers to list.
#[derive(Debug, Clone, Default)]
pub struct ContainerFilter {
    /// Only of this type; an unknown one is [`PoolError::UnknownType`].
    pub target_type: Option<TargetType>,
    /// Only those that would be given out now.
    pub available_only: bool,
}

/// One page of something.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The opaque cursor of the next page.
    pub next: Option<String>,
}

/// Why the pool did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// No such type, ever.
    #[error("There is no target type {target_type:?}; known are: {}", known.join(", "))]
    UnknownType {
        /// As asked.
        target_type: String,
        /// The known ones, sorted.
        known: Vec<String>,
    },
    /// Nothing is available (the wait is over).
    #[error("No available {target_type} containers")]
    NoAvailable {
        /// As asked.
        target_type: TargetType,
        /// When to try again.
        retry_after: Duration,
        /// How many are out for what; none when Redis did not say.
        reasons: Option<Reasons>,
    },
    /// Nothing is given out: Redis may have lost leases, and what may still be held waits for the end of the recovery.
    #[error("No available {target_type} containers: Redis may have lost leases, and what may still be held is given out only when the recovery ends, in {} s", left.as_secs().max(1))]
    Recovering {
        /// As asked.
        target_type: TargetType,
        /// Until the end.
        left: Duration,
    },
    /// A session that Redis does not know in a recovery.
    #[error("Redis may have lost session {id}: a heartbeat with its lease token proves that it is live; the recovery ends in {} s", left.as_secs().max(1))]
    Unproven {
        /// As asked.
        id: SessionId,
        /// Until the end.
        left: Duration,
    },
    /// A heartbeat, without a lease token, for a session that Redis does not know in a recovery.
    #[error("Redis may have lost session {0}: give its lease_token with the heartbeat")]
    LeaseTokenRequired(SessionId),
    /// A lease token that proves nothing.
    #[error("lease_token: {0}")]
    InvalidLeaseToken(#[from] LeaseTokenError),
    /// The container that was asked for is not available, or not there.
    #[error("Container {container_id} is not available")]
    ContainerUnavailable {
        /// As asked.
        container_id: ContainerId,
    },
    /// No such session, or another owner's.
    #[error("There is no session {0}")]
    SessionNotFound(String),
    /// No such container.
    #[error("There is no container {0}")]
    ContainerNotFound(String),
    /// A session has it, and it was not said that this may end.
    #[error("Session {session_id} has container {container_id}; with force it ends first")]
    ContainerInUse {
        /// The container.
        container_id: ContainerId,
        /// Who has it.
        session_id: String,
    },
    /// It is over.
    #[error("Session {id} has ended: {}", reason.as_str())]
    SessionEnded {
        /// The session.
        id: SessionId,
        /// Why.
        reason: EndReason,
    },
    /// A heartbeat for a session that is still in line.
    #[error("Session {0} is queued: it holds nothing to renew yet")]
    SessionQueued(SessionId),
    /// The fencing token given is not the session's.
    #[error("The fencing token {given} is stale: session {id} has {current}")]
    StaleToken {
        /// The session.
        id: SessionId,
        /// As given.
        given: FencingToken,
        /// The session's.
        current: FencingToken,
    },
    /// The same `Idempotency-Key` came with another body.
    #[error("This Idempotency-Key was used with another request body")]
    IdempotencyMismatch,
    /// The client's own session id is in use for another type.
    #[error("Session {id} is of target type {target_type}")]
    AliasOfOtherType {
        /// As given.
        id: String,
        /// What it is in use for.
        target_type: TargetType,
    },
    /// The line is as long as allowed.
    #[error("The line for {target_type} is full ({most} tickets)")]
    LineFull {
        /// As asked.
        target_type: TargetType,
        /// The bound.
        most: u64,
    },
    /// The owner has as many live sessions, or tickets, of the type as it may.
    #[error("{quota} = {most}: {owner} has as many {target_type} {} as it may", if quota == "tickets_max" { "tickets" } else { "sessions" })]
    QuotaExceeded {
        /// As asked.
        target_type: TargetType,
        /// Whose it is.
        owner: OwnerName,
        /// `sessions_max` or `tickets_max`.
        quota: String,
        /// The bound.
        most: u64,
    },
    /// No pass of the session, or not any more.
    #[error(
        "The viewer pass is not one of this session: it was never made, was not used in time, or its lease is over"
    )]
    PassUnknown,
    /// A pass that another viewer has.
    #[error("The viewer pass was used already: each is for one viewer; ask for another one")]
    PassUsed,
    /// A session has as many passes as it may.
    #[error("viewers.passes = {most}: session {id} has as many passes as it may")]
    TooManyPasses {
        /// The session.
        id: SessionId,
        /// The bound.
        most: u64,
    },
    /// There are as many viewers as may be.
    #[error("As many viewers as {of} may have ({most}) are there")]
    TooManyViewers {
        /// The bound.
        most: usize,
        /// Of what.
        of: &'static str,
    },
    /// A value is out of its range.
    #[error("{field} = {given}: {right}")]
    OutOfRange {
        /// The field of the request.
        field: &'static str,
        /// As given.
        given: String,
        /// What would be right.
        right: String,
    },
    /// A cursor that no answer of ours contained.
    #[error("the page cursor {0:?} is not one of ours")]
    BadCursor(String),
    /// As many long polls as allowed are open on this replica.
    #[error("This replica has as many waiting requests as allowed")]
    TooManyWaiting,
    /// The replica is ending.
    #[error("This replica is shutting down")]
    ShuttingDown,
    /// Redis.
    #[error(transparent)]
    Store(#[from] StoreError),
}
