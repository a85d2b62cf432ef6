//! Making a session: at once, after a wait in line, or as a ticket.

use std::time::{Duration, Instant};

use tokio::time::Instant as Deadline;

use super::{CreateSession, Created, OnShortage, Pool, PoolError, waiters::Waiting};
use crate::{
    model::{Caller, EndReason, OwnerName, Session, SessionId, SessionState, TargetType},
    store::{Allocated, Allocation, Claim, Polled, Store, StoreError},
};

/// What a shortage tells the client to wait before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long a create waits for the probe of a container that had none lately, and how often it looks.
const CHECK_PATIENCE: Duration = Duration::from_secs(3);
const CHECK_PAUSE: Duration = Duration::from_millis(100);

impl Pool {
    /// Makes a session; waits in line up to `request.wait`. Dropping the future withdraws what nobody would hear of:
    /// without an idempotency key, only the answer tells the session's id.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn create(&self, caller: &Caller, request: CreateSession) -> Result<Created, PoolError> {
        let began = Instant::now();
        let result = self.create_or_join(caller, &request).await;
        let outcome = match &result {
            Ok(created) if created.replayed => "replayed",
            Ok(created) if created.session.state == SessionState::Queued => "queued",
            Ok(_) => "ready",
            Err(
                PoolError::NoAvailable { .. }
                | PoolError::Recovering { .. }
                | PoolError::ContainerUnavailable { .. }
                | PoolError::LineFull { .. }
                | PoolError::QuotaExceeded { .. },
            ) => "shortage",
            Err(PoolError::Store(_)) => "error",
            Err(_) => "refused",
        };
        // A type that nobody knows must not become a label of a metric.
        if !matches!(result, Err(PoolError::UnknownType { .. })) {
            self.shared.metrics.allocation(&request.target_type, outcome, began.elapsed());
        }
        match result {
            Ok(created) => Ok(created),
            Err(error) => Err(self.with_reasons(error).await),
        }
    }

    async fn create_or_join(&self, caller: &Caller, request: &CreateSession) -> Result<Created, PoolError> {
        let target_type = &request.target_type;
        self.must_know(target_type).await?;
        let id = self.identify(caller, request).await?;
        let waits = request.wait > Duration::ZERO || request.on_shortage == OnShortage::Queue;
        // Before the ticket is taken: an offer may come at once.
        let mut waiting = (request.wait > Duration::ZERO).then(|| self.shared.waiters.register(id));
        let withdrawal =
            Withdrawal::new(self.store.clone(), target_type, id, &caller.owner, request.idempotency.is_none());

        let state = self.type_state(target_type);
        let limits = &state.in_force.limits;
        let ttl = request.ttl.unwrap_or(limits.ttl_default);
        let first = if request.confirm { limits.confirm } else { limits.first_span };
        let allocation = Allocation {
            id,
            owner: &caller.owner,
            ttl,
            span: ttl.min(first),
            max_duration: shortest(request.max_duration, limits.max_duration),
            confirm: request.confirm,
            container: request.container_id.as_ref(),
            wait: waits,
            priority: request.priority,
            replica: waiting.is_some().then_some(self.shared.replica.as_str()),
            metadata: if request.metadata == "{}" { "" } else { &request.metadata },
            idempotency_key: request.idempotency.as_ref().map(|idempotency| idempotency.key.as_str()),
            share: caller.share,
            idle: shortest(request.idle, limits.idle_max),
            affinity: request.affinity.as_deref(),
        };
        let (mut session, replayed) = match self.allocate_checked(target_type, &allocation).await? {
            Allocated::Ready(session) | Allocated::Queued(session) => (session, false),
            Allocated::Replayed(session) => (session, true),
            Allocated::Foreign => return withdrawal.nothing(not_ours(id)),
            Allocated::Shortage(recovering) => return withdrawal.nothing(nothing_free(target_type, recovering)),
            Allocated::Unavailable(Some(left)) => return withdrawal.nothing(nothing_free(target_type, Some(left))),
            Allocated::Unavailable(None) | Allocated::Checking => {
                let container_id = request.container_id.clone();
                return withdrawal.nothing(container_id.map_or_else(
                    || no_available(target_type),
                    |container_id| PoolError::ContainerUnavailable { container_id },
                ));
            }
            Allocated::LineFull => {
                return withdrawal
                    .nothing(PoolError::LineFull { target_type: target_type.clone(), most: limits.line_max });
            }
            Allocated::QuotaExceeded(quota) => return withdrawal.nothing(over_quota(caller, target_type, quota)),
        };

        if replayed && session.state == SessionState::Queued {
            // Whoever asks again is there: the ticket lives, and what it was offered meanwhile is taken. No message will tell of that offer.
            match self.store.poll(target_type, id, Some(&caller.owner), false, false, allocation.replica).await? {
                Polled::Session(now) => session = now,
                Polled::Unproven(left) => return withdrawal.nothing(nothing_free(target_type, Some(left))),
                Polled::NotFound | Polled::GivenUp(_) => return withdrawal.nothing(no_available(target_type)),
            }
        }
        if session.state == SessionState::Queued {
            if let Some(waiting) = &mut waiting {
                let waited = self.wait_in_line(target_type, &caller.owner, session, waiting, request.wait).await;
                // A duplicate of this request gave up waiting, and the session with it.
                let gone = |error| match error {
                    PoolError::SessionNotFound(_) => no_available(target_type),
                    error => error,
                };
                session = waited.map_err(gone)?;
            }
            if session.state == SessionState::Queued && request.on_shortage == OnShortage::Fail {
                if self.shared.shutdown.is_cancelled() {
                    return Err(PoolError::ShuttingDown);
                }
                match self.store.poll(target_type, id, Some(&caller.owner), true, false, None).await? {
                    Polled::Session(last) => session = last,
                    Polled::Unproven(left) => return withdrawal.nothing(nothing_free(target_type, Some(left))),
                    Polled::GivenUp(recovering) => return withdrawal.nothing(nothing_free(target_type, recovering)),
                    Polled::NotFound => return withdrawal.nothing(no_available(target_type)),
                }
            }
        }
        match (session.state, session.end_reason) {
            (SessionState::Ended, Some(EndReason::TicketExpired)) if !replayed => {
                withdrawal.nothing(no_available(target_type))
            }
            (SessionState::Ended, reason) => {
                withdrawal.nothing(PoolError::SessionEnded { id, reason: reason.unwrap_or(EndReason::Released) })
            }
            _ => {
                withdrawal.heard();
                if !replayed {
                    log_start(&session);
                }
                Ok(Created { session, replayed })
            }
        }
    }

    /// Allocates. Where what could be given has not been probed lately, the create of who would not wait waits for the probe: a shortage that
    /// it would be told of is none.
    pub(super) async fn allocate_checked(
        &self,
        target_type: &TargetType,
        allocation: &Allocation<'_>,
    ) -> Result<Allocated, StoreError> {
        let deadline = Deadline::now() + CHECK_PATIENCE;
        loop {
            match self.store.allocate(target_type, allocation).await? {
                Allocated::Checking if Deadline::now() < deadline => tokio::time::sleep(CHECK_PAUSE).await,
                other => return Ok(other),
            }
        }
    }

    /// The session's id: a new one, or that of the first request with the same idempotency key. The claim stays also when nothing
    /// is available, so that duplicates and retries all mean one session; only the session itself is an answer worth keeping.
    async fn identify(&self, caller: &Caller, request: &CreateSession) -> Result<SessionId, PoolError> {
        let id = SessionId::new(&request.target_type);
        let Some(idempotency) = &request.idempotency else { return Ok(id) };
        let value = format!("{}:{id}", idempotency.body_hash);
        match self.store.claim_idempotency(&caller.owner, &idempotency.key, &value).await? {
            Claim::Mine => Ok(id),
            Claim::Theirs(first) => match first.split_once(':') {
                Some((hash, id)) if hash == idempotency.body_hash => {
                    id.parse().map_err(|_| PoolError::IdempotencyMismatch)
                }
                _ => Err(PoolError::IdempotencyMismatch),
            },
        }
    }

    /// Waits until the session leaves the line, `patience` is over, or the replica ends. Each look keeps the ticket
    /// alive and claims an offer; between looks Redis wakes it, and a slow poll stands behind that.
    pub(super) async fn wait_in_line(
        &self,
        target_type: &TargetType,
        owner: &OwnerName,
        mut session: Session,
        waiting: &mut Waiting,
        patience: Duration,
    ) -> Result<Session, PoolError> {
        let Ok(_permit) = self.shared.long_polls.try_acquire() else { return Err(PoolError::TooManyWaiting) };
        let deadline = Deadline::now() + patience;
        let slow_poll = self.shared.config.limits.ticket_life / 3;
        let mut pause = slow_poll;
        loop {
            tokio::select! {
                () = waiting.woken() => {}
                () = tokio::time::sleep_until(deadline.min(Deadline::now() + pause)) => {}
                // It is told where it stands, and asks another replica again.
                () = self.shared.shutdown.cancelled() => return Ok(session),
            }
            let replica = Some(self.shared.replica.as_str());
            match self.store.poll(target_type, session.id, Some(owner), false, false, replica).await {
                Ok(Polled::Session(now)) => {
                    session = now;
                    pause = slow_poll;
                }
                Ok(Polled::Unproven(left)) => return Err(PoolError::Unproven { id: session.id, left }),
                Ok(Polled::NotFound | Polled::GivenUp(_)) => return Err(super::not_found(session.id)),
                // It was taken back: there is no session to wait for any more.
                Err(error @ StoreError::NotReplicated { .. }) => return Err(error.into()),
                // Redis may be back before the client's patience ends.
                Err(error) if Deadline::now() >= deadline => return Err(error.into()),
                Err(_) => pause = Duration::from_millis(200),
            }
            if session.state != SessionState::Queued || Deadline::now() >= deadline {
                return Ok(session);
            }
        }
    }
}

pub(super) fn no_available(target_type: &TargetType) -> PoolError {
    PoolError::NoAvailable { target_type: target_type.clone(), retry_after: RETRY_AFTER, reasons: None }
}

/// Why nothing was given: nothing is there, or what is there may still be held.
pub(super) fn nothing_free(target_type: &TargetType, recovering: Option<Duration>) -> PoolError {
    match recovering {
        Some(left) => PoolError::Recovering { target_type: target_type.clone(), left },
        None => no_available(target_type),
    }
}

pub(super) fn log_start(session: &Session) {
    let Session { id, target_type, owner, .. } = session;
    if let (Some(container), Some(lease)) = (&session.container, &session.lease) {
        tracing::info!(
            session_id = %id, container_id = %container.id, fencing_token = %lease.fencing_token, %target_type, %owner,
            "session is ready"
        );
    } else {
        tracing::info!(session_id = %id, %target_type, %owner, "session is queued");
    }
}

/// The owner has as many as it may.
pub(super) fn over_quota(caller: &Caller, target_type: &TargetType, quota: String) -> PoolError {
    let share = &caller.share;
    let most = if quota == "tickets_max" { share.tickets_max } else { share.sessions_max };
    let (target_type, owner) = (target_type.clone(), caller.owner.clone());
    PoolError::QuotaExceeded { target_type, owner, quota, most: most.unwrap_or_default() }
}

fn not_ours(id: SessionId) -> PoolError {
    super::not_found(id)
}

fn shortest(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    a.into_iter().chain(b).min()
}

/// Takes back a session whose id its client will never hear: the request was dropped, or failed after the script may have run. The
/// first span, or the ticket's life, would end it as well, only later.
struct Withdrawal {
    armed: bool,
    store: Store,
    target_type: TargetType,
    id: SessionId,
    owner: OwnerName,
}

impl Withdrawal {
    fn new(store: Store, target_type: &TargetType, id: SessionId, owner: &OwnerName, armed: bool) -> Self {
        Self { armed, store, target_type: target_type.clone(), id, owner: owner.clone() }
    }

    /// The client hears of the session.
    fn heard(mut self) {
        self.armed = false;
    }

    /// There is no session to take back.
    fn nothing<T>(mut self, error: PoolError) -> Result<T, PoolError> {
        self.armed = false;
        Err(error)
    }
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let (store, target_type, id, owner) =
            (self.store.clone(), self.target_type.clone(), self.id, self.owner.clone());
        // Without a runtime the process is ending: the ticket's life or the first span ends the session.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.release(&target_type, id, Some(&owner), None, EndReason::Cancelled).await {
                    tracing::warn!(%error, session_id = %id, "a session that nobody heard of was not withdrawn; it ends by itself");
                }
            });
        }
    }
}
