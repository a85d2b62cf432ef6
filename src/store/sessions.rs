//! Sessions: the scripts that give, renew and take back.

use std::time::{Duration, Instant};

use super::{
    Store, StoreError, Way, keys,
    reply::{Record, Reply},
    scripts, view,
};
use crate::model::{
    ContainerId, FencingToken, OwnerName, Recovery, Session, SessionId, SessionState, Share, TargetType,
};

/// How long an idempotency key or alias is kept from when it was last seen to be in use. A live session renews it every twelve
/// hours, so it outlives the session by 24 hours at least.
const NAME_KEPT: Duration = Duration::from_hours(48);

/// What to make.
#[derive(Debug, Clone)]
pub struct Allocation<'a> {
    /// The id, made before the first try, so that repeating it is safe.
    pub id: SessionId,
    /// Who it belongs to.
    pub owner: &'a OwnerName,
    /// What a heartbeat renews it for.
    pub ttl: Duration,
    /// How long it lasts before the first heartbeat.
    pub span: Duration,
    /// The longest it may hold in all.
    pub max_duration: Option<Duration>,
    /// It ends as unconfirmed when no heartbeat comes within the span.
    pub confirm: bool,
    /// This one and no other.
    pub container: Option<&'a ContainerId>,
    /// Whether to take a ticket when nothing is available.
    pub wait: bool,
    /// Head start in the line, in seconds.
    pub priority: u32,
    /// The replica to wake.
    pub replica: Option<&'a str>,
    /// A JSON object as text; empty for none.
    pub metadata: &'a str,
    /// The client's idempotency key, to keep alive with the session.
    pub idempotency_key: Option<&'a str>,
    /// What its owner may have.
    pub share: Share,
    /// The longest without activity that the holder reports.
    pub idle: Option<Duration>,
    /// Rather the container that the owner's last session with this key had.
    pub affinity: Option<&'a str>,
}

impl<'a> Allocation<'a> {
    /// One that fails at once when nothing is available, and asks for nothing else.
    #[must_use]
    pub fn new(id: SessionId, owner: &'a OwnerName, ttl: Duration) -> Self {
        Self {
            id,
            owner,
            ttl,
            span: ttl,
            max_duration: None,
            confirm: false,
            container: None,
            wait: false,
            priority: 0,
            replica: None,
            metadata: "",
            idempotency_key: None,
            share: Share::default(),
            idle: None,
            affinity: None,
        }
    }
}

/// What is to be renewed.
#[derive(Debug, Clone, Copy)]
pub struct Beat {
    /// The session.
    pub id: SessionId,
    /// The holder's fencing token: when given, it must be the session's.
    pub token: Option<FencingToken>,
    /// The holder reports that it is at work.
    pub active: bool,
}

impl Beat {
    /// A renewal that shows this token and reports nothing.
    #[must_use]
    pub fn new(id: SessionId, token: Option<FencingToken>) -> Self {
        Self { id, token, active: false }
    }
}

/// What became of an allocation.
#[derive(Debug)]
pub enum Allocated {
    /// It holds a container.
    Ready(Session),
    /// It has a ticket.
    Queued(Session),
    /// The id was there before.
    Replayed(Session),
    /// The id belongs to another owner.
    Foreign,
    /// Nothing is available, or others wait; the time until the end of a recovery.
    Shortage(Option<Duration>),
    /// The container asked for is not available; the same.
    Unavailable(Option<Duration>),
    /// What could be given is probed first, for its last good probe is too old: to be asked again soon.
    Checking,
    /// The line is as long as allowed.
    LineFull,
    /// The owner has as many as it may: the name of the quota.
    QuotaExceeded(String),
}

/// What became of one renewal.
#[derive(Debug)]
pub enum Heartbeat {
    /// It was renewed.
    Renewed(Session),
    /// No such session of this owner.
    NotFound,
    /// In a recovery: Redis may have lost it, and a proof is wanted.
    Unproven,
    /// It still waits.
    Queued,
    /// It is over.
    Ended(Session),
    /// The token is not the session's, which is this one.
    Stale(FencingToken),
}

/// What became of a report that a session is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// It is noted. The session's idle limit, if there is one.
    Noted(Option<Duration>),
    /// There is no such lease any more.
    Over,
    /// In a recovery: Redis may have lost it. The time until its end.
    Unproven(Duration),
}

/// What became of a poll.
#[derive(Debug)]
pub enum Polled {
    /// As it is now.
    Session(Session),
    /// No such session of this owner.
    NotFound,
    /// In a recovery: Redis may have lost it. The time until its end.
    Unproven(Duration),
    /// It was taken out of the line, as if it had never been; the time until the end of a recovery.
    GivenUp(Option<Duration>),
}

/// What became of a release.
#[derive(Debug)]
pub enum Released {
    /// It is over.
    Ended(Session),
    /// No such session of this owner.
    NotFound,
    /// The token is not the session's, which is this one.
    Stale(FencingToken),
}

/// What a name is claimed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It means what was asked.
    Mine,
    /// It means this.
    Theirs(String),
}

/// Sizes of a type's sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypeCounts {
    /// All containers that are present.
    pub containers: u64,
    /// Would be given out now.
    pub available: u64,
    /// Ready sessions.
    pub leases: u64,
    /// Containers offered to a ticket.
    pub offers: u64,
    /// Being made clean.
    pub resetting: u64,
    /// Not fit.
    pub unhealthy: u64,
    /// No verdict yet.
    pub initializing: u64,
    /// Idle and cordoned.
    pub cordoned: u64,
    /// Queued sessions.
    pub tickets: u64,
    /// Idle, and given out only after the recovery.
    pub held: u64,
    /// The recovery that goes on.
    pub recovery: Option<Recovery>,
    /// How long the oldest reset has been going on.
    pub oldest_reset: Option<Duration>,
    /// In quarantine, whether a session has it or not.
    pub quarantined: u64,
}

/// What a pass of the reaper did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reclaimed {
    /// How many were overdue.
    pub taken: u64,
    /// There may be more to do: call again.
    pub more: bool,
    /// The type's epoch.
    pub epoch: u64,
    /// The time until the end of a recovery.
    pub recovering: Option<Duration>,
}

/// Where a page of sessions stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCursor {
    /// The score of the last one.
    pub score: String,
    /// Its id.
    pub id: String,
}

/// A page of sessions.
#[derive(Debug)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Where the next page begins; none at the end.
    pub next: Option<SessionCursor>,
}

impl Store {
    /// Makes a session.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::OutOfMemory`] when Redis has no room for it.
    pub async fn allocate(&self, target_type: &TargetType, new: &Allocation<'_>) -> Result<Allocated, StoreError> {
        let state = self.type_state(target_type);
        let limits = &state.in_force.limits;
        let replica = new.replica.map(|replica| self.shared.keys.wake(replica)).unwrap_or_default();
        let idem = new.idempotency_key.map(|key| self.shared.keys.idempotency(new.owner, key)).unwrap_or_default();
        let args = || {
            vec![
                new.id.to_string(),
                new.owner.to_string(),
                millis(new.ttl),
                millis(new.span),
                new.max_duration.map(millis).unwrap_or_default(),
                flag(new.confirm),
                new.container.map(ToString::to_string).unwrap_or_default(),
                if new.wait { millis(limits.ticket_life) } else { "0".to_owned() },
                millis(limits.wait_max),
                millis(Duration::from_secs(new.priority.into())),
                limits.line_max.to_string(),
                replica.clone(),
                new.metadata.to_owned(),
                idem.clone(),
                new.share.weight.to_string(),
                number(new.share.sessions_max),
                number(new.share.tickets_max),
                new.idle.map(millis).unwrap_or_default(),
                if limits.warning.is_zero() { String::new() } else { millis(limits.warning) },
                new.affinity.map(keys::short_hash).unwrap_or_default(),
            ]
        };
        let began = Instant::now();
        let mut reply = loop {
            let reply = self.run_gathered(&scripts::ALLOCATE, target_type, args()).await?;
            // Each call ends sixteen of those that are overdue and stand in the way.
            if reply.code != "more" {
                break reply;
            }
            if began.elapsed() > self.shared.timeout {
                return Err(StoreError::Timeout(self.shared.timeout));
            }
        };
        match reply.code.as_str() {
            "ok" => self.session(&mut reply, target_type, true).await.map(Allocated::Ready),
            "queued" => self.session(&mut reply, target_type, true).await.map(Allocated::Queued),
            "replayed" => self.session(&mut reply, target_type, true).await.map(Allocated::Replayed),
            "not_found" => Ok(Allocated::Foreign),
            "shortage" => Ok(Allocated::Shortage(left(&mut reply)?)),
            "unavailable" => Ok(Allocated::Unavailable(left(&mut reply)?)),
            "checking" => Ok(Allocated::Checking),
            "line_full" => Ok(Allocated::LineFull),
            "quota_exceeded" => Ok(Allocated::QuotaExceeded(reply.values.text()?)),
            _ => Err(reply.unexpected()),
        }
    }

    /// Reads a session. For its owner (none: for anybody, and then it changes nothing) this keeps its ticket alive and
    /// claims its offer; `give_up` takes it out of the line if it still waits; `renew` renews its lease.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn poll(
        &self,
        target_type: &TargetType,
        id: SessionId,
        owner: Option<&OwnerName>,
        give_up: bool,
        renew: bool,
        replica: Option<&str>,
    ) -> Result<Polled, StoreError> {
        // What nobody owns is only read.
        let way = if owner.is_some() { self.granting() } else { Way::Hot };
        self.poll_by(way, target_type, id, owner, give_up, renew, replica).await
    }

    #[allow(clippy::too_many_arguments)]
    async fn poll_by(
        &self,
        way: Way,
        target_type: &TargetType,
        id: SessionId,
        owner: Option<&OwnerName>,
        give_up: bool,
        renew: bool,
        replica: Option<&str>,
    ) -> Result<Polled, StoreError> {
        let args = [
            id.to_string(),
            owner.map(ToString::to_string).unwrap_or_default(),
            millis(self.shared.limits.ticket_life),
            flag(give_up),
            flag(renew),
            replica.map(|replica| self.shared.keys.wake(replica)).unwrap_or_default(),
        ];
        let mut reply = self.run(way, &scripts::POLL, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" | "claimed" | "fresh" => {
                self.session(&mut reply, target_type, owner.is_some()).await.map(Polled::Session)
            }
            "not_found" => Ok(Polled::NotFound),
            "unproven" => Ok(Polled::Unproven(Duration::from_millis(reply.values.number()?))),
            "given_up" => Ok(Polled::GivenUp(left(&mut reply)?)),
            _ => Err(reply.unexpected()),
        }
    }

    /// Renews up to 100 sessions of one type; the outcomes are in their order. `brief` leaves containers out of the answer.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn heartbeat(
        &self,
        target_type: &TargetType,
        owner: Option<&OwnerName>,
        brief: bool,
        renewals: &[Beat],
    ) -> Result<Vec<Heartbeat>, StoreError> {
        let owner = owner.map(ToString::to_string).unwrap_or_default();
        let args = renewals.iter().flat_map(|Beat { id, token, active }| {
            let token = token.map(|token| token.to_string()).unwrap_or_default();
            [id.to_string(), owner.clone(), flag(brief), token, flag(*active)]
        });
        if renewals.len() == 1 {
            let reply = self.run_gathered(&scripts::HEARTBEAT, target_type, args.collect()).await?;
            return Ok(vec![self.heartbeat_row(reply, target_type, brief).await?]);
        }
        let args: Vec<String> = args.collect();
        let mut reply = self.run(Way::Hot, &scripts::HEARTBEAT, target_type, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let mut outcomes = Vec::with_capacity(renewals.len());
        for row in reply.values.rows()? {
            outcomes.push(self.heartbeat_row(row.into_reply()?, target_type, brief).await?);
        }
        Ok(outcomes)
    }

    /// Reads what became of one renewal; a lease token is given unless the answer is to be brief.
    pub(super) async fn heartbeat_row(
        &self,
        mut one: Reply,
        target_type: &TargetType,
        brief: bool,
    ) -> Result<Heartbeat, StoreError> {
        Ok(match one.code.as_str() {
            "ok" => Heartbeat::Renewed(self.session(&mut one, target_type, !brief).await?),
            "claimed" => {
                let session = self.session(&mut one, target_type, !brief).await?;
                if self.granting() != Way::Hot {
                    // Rare: an offer is mostly claimed by a poll.
                    Box::pin(self.confirm_grant(target_type, &session)).await?;
                }
                Heartbeat::Renewed(session)
            }
            "ended" => Heartbeat::Ended(self.session(&mut one, target_type, false).await?),
            "not_found" => Heartbeat::NotFound,
            "unproven" => Heartbeat::Unproven,
            "queued" => Heartbeat::Queued,
            "stale_token" => Heartbeat::Stale(FencingToken(one.values.number()?)),
            _ => return Err(one.unexpected()),
        })
    }

    /// Reports that a session is used, by others than its holder: renews nothing. `token` is that of the lease which it is used by.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn report_activity(
        &self,
        target_type: &TargetType,
        id: SessionId,
        token: FencingToken,
    ) -> Result<Used, StoreError> {
        let args = [id.to_string(), token.to_string()];
        let mut reply = self.run(Way::Hot, &scripts::REPORT_ACTIVITY, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => Ok(Used::Noted(left(&mut reply)?)),
            "over" => Ok(Used::Over),
            "unproven" => Ok(Used::Unproven(Duration::from_millis(reply.values.number()?))),
            _ => Err(reply.unexpected()),
        }
    }

    /// Waits until enough replicas have a grant that was made on the hot way.
    async fn confirm_grant(&self, target_type: &TargetType, session: &Session) -> Result<(), StoreError> {
        let Session { id, owner, .. } = session;
        let polled = self.poll_by(Way::Granted, target_type, *id, Some(owner), false, true, None).await;
        if matches!(polled, Err(StoreError::NotReplicated { .. })) {
            // It was remembered when it was answered, and is none.
            self.shared.journal.ended(target_type, *id);
        }
        polled.map(|_| ())
    }

    /// Ends a session for `reason` (its word), or takes it out of the line.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn release(
        &self,
        target_type: &TargetType,
        id: SessionId,
        owner: Option<&OwnerName>,
        token: Option<FencingToken>,
        reason: crate::model::EndReason,
    ) -> Result<Released, StoreError> {
        let args = vec![
            id.to_string(),
            owner.map(ToString::to_string).unwrap_or_default(),
            token.map(|token| token.to_string()).unwrap_or_default(),
            reason.as_str().to_owned(),
        ];
        let reply = self.run_gathered(&scripts::RELEASE, target_type, args).await?;
        self.released(reply, target_type).await
    }

    /// Reads what became of a release.
    pub(super) async fn released(&self, mut reply: Reply, target_type: &TargetType) -> Result<Released, StoreError> {
        match reply.code.as_str() {
            "ok" => self.session(&mut reply, target_type, false).await.map(Released::Ended),
            "not_found" => Ok(Released::NotFound),
            "stale_token" => Ok(Released::Stale(FencingToken(reply.values.number()?))),
            _ => Err(reply.unexpected()),
        }
    }

    /// Takes back what is overdue, serves the line and ticks pool time.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn reclaim(&self, target_type: &TargetType) -> Result<Reclaimed, StoreError> {
        let mut reply = self.run(Way::Hot, &scripts::RECLAIM, target_type, &[]).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let (taken, epoch) = (reply.values.number()?, reply.values.number()?);
        self.shared.journal.saw(target_type, epoch, reply.values.number()?);
        let recovering = left(&mut reply)?;
        Ok(Reclaimed { taken, epoch, recovering, more: reply.values.number()? == 1 })
    }

    /// Counts of a type.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn counts(&self, target_type: &TargetType) -> Result<TypeCounts, StoreError> {
        let mut reply = self.run(Way::Hot, &scripts::STATUS, target_type, &[]).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let values = &mut reply.values;
        Ok(TypeCounts {
            containers: values.number()?,
            available: values.number()?,
            leases: values.number()?,
            offers: values.number()?,
            resetting: values.number()?,
            unhealthy: values.number()?,
            initializing: values.number()?,
            cordoned: values.number()?,
            tickets: values.number()?,
            held: values.number()?,
            recovery: {
                let (left, lasted, proven) =
                    (values.optional_number()?, values.optional_number()?, values.optional_number()?);
                left.zip(proven).map(|(left, proven)| Recovery {
                    ends_in_seconds: left.div_ceil(1000),
                    lasted_seconds: lasted.unwrap_or_default() / 1000,
                    proven,
                })
            },
            oldest_reset: values.optional_number()?.map(Duration::from_millis),
            quarantined: values.number()?,
        })
    }

    /// A page of at most 100 sessions, oldest first: the live ones, or with `ended` those that ended.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn sessions(
        &self,
        target_type: &TargetType,
        owner: Option<&OwnerName>,
        ended: bool,
        after: Option<&SessionCursor>,
        most: usize,
    ) -> Result<SessionPage, StoreError> {
        let args = [
            owner.map(ToString::to_string).unwrap_or_default(),
            flag(ended),
            after.map_or_else(|| "-inf".to_owned(), |cursor| cursor.score.clone()),
            after.map(|cursor| cursor.id.clone()).unwrap_or_default(),
            most.min(100).to_string(),
        ];
        let mut reply = self.run(Way::Slow, &scripts::SESSIONS, target_type, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let mut sessions = Vec::new();
        for text in reply.values.texts()? {
            sessions.push(self.view(reply.script(), &text, target_type)?.session);
        }
        let (score, id) = (reply.values.text()?, reply.values.text()?);
        Ok(SessionPage { sessions, next: (!score.is_empty()).then_some(SessionCursor { score, id }) })
    }

    /// Claims an owner's `Idempotency-Key` for `value`; whoever comes first has it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_idempotency(&self, owner: &OwnerName, key: &str, value: &str) -> Result<Claim, StoreError> {
        self.claim(self.shared.keys.idempotency(owner, key), value, "").await
    }

    /// Claims an owner's own session id for `value`, taking it over from `replaces`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_alias(
        &self,
        owner: &OwnerName,
        client_id: &str,
        value: &str,
        replaces: &str,
    ) -> Result<Claim, StoreError> {
        self.claim(self.shared.keys.alias(owner, client_id), value, replaces).await
    }

    /// What an owner's own session id stands for.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn alias(&self, owner: &OwnerName, client_id: &str) -> Result<Option<String>, StoreError> {
        let mut command = redis::cmd("GETEX");
        command.arg(self.shared.keys.alias(owner, client_id)).arg("PX").arg(millis(NAME_KEPT));
        self.command(&command).await
    }

    async fn claim(&self, key: String, value: &str, replaces: &str) -> Result<Claim, StoreError> {
        let kept = millis(NAME_KEPT);
        let args = [value.as_bytes(), replaces.as_bytes(), kept.as_bytes()];
        let mut reply = self.run_at(Way::Hot, &scripts::CLAIM_ID, &key, &args).await?;
        match reply.code.as_str() {
            "mine" => Ok(Claim::Mine),
            "theirs" => Ok(Claim::Theirs(reply.values.text()?)),
            _ => Err(reply.unexpected()),
        }
    }

    /// Reads the session that follows in a reply, and keeps its idempotency key alive when that is due. Only its holder is
    /// given a lease token.
    pub(super) async fn session(
        &self,
        reply: &mut Reply,
        target_type: &TargetType,
        for_its_holder: bool,
    ) -> Result<Session, StoreError> {
        let text = reply.values.text()?;
        let mut view = self.view(reply.script(), &text, target_type)?;
        match (&view.proof, &mut view.session.lease) {
            (Some(proof), Some(lease)) => {
                self.shared.journal.renewed(proof, Duration::from_millis(lease.expires_in_ms));
                if for_its_holder {
                    lease.lease_token = self.shared.lease_tokens.sign(proof);
                }
            }
            _ if view.session.state == SessionState::Ended => self.shared.journal.ended(target_type, view.session.id),
            _ => {}
        }
        if let Some(key) = view.keep_idem {
            let mut command = redis::cmd("PEXPIRE");
            command.arg(key).arg(millis(NAME_KEPT));
            // Once in twelve hours, with as much to spare: a failure here is not worth failing the heartbeat.
            if let Err(error) = self.command::<i64>(&command).await {
                tracing::warn!(%error, session_id = %view.session.id, "the idempotency key was not kept alive");
            }
        }
        Ok(view.session)
    }

    fn view(
        &self,
        script: &'static str,
        text: &str,
        target_type: &TargetType,
    ) -> Result<view::SessionView, StoreError> {
        let poll_within = (self.shared.limits.ticket_life.as_secs() / 3).max(1);
        view::session(&mut Record::read(script, text), target_type, poll_within)
    }
}

/// A time that there may be, such as that until the end of a recovery.
fn left(reply: &mut Reply) -> Result<Option<Duration>, StoreError> {
    Ok(reply.values.optional_number()?.map(Duration::from_millis))
}

pub(super) fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// A bound; empty for none.
fn number(bound: Option<u64>) -> String {
    bound.map(|bound| bound.to_string()).unwrap_or_default()
}

pub(super) fn flag(on: bool) -> String {
    if on { "1" } else { "0" }.to_owned()
}

pub(super) fn bytes<T: AsRef<[u8]>>(args: &[T]) -> Vec<&[u8]> {
    args.iter().map(AsRef::as_ref).collect()
}
