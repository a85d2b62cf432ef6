//! The routes of the system that the guide describes: sessions under ids that the client chose.

use super::{
    Pool, PoolError,
    create::{no_available, nothing_free, over_quota},
};
use crate::{
    model::{Caller, Session, SessionId, SessionState, TargetType},
    store::{Allocated, Allocation, Claim},
};

/// The longest id that a client may choose.
const CLIENT_ID_BYTES: usize = 128;

impl Pool {
    /// The guide's route: a session under an id that the client chose; the same again for the same id.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn guide_allocate(
        &self,
        caller: &Caller,
        target_type: &TargetType,
        client_id: &str,
    ) -> Result<Session, PoolError> {
        match self.guide_session_of(caller, target_type, client_id).await {
            Ok(session) => Ok(session),
            Err(error) => Err(self.with_reasons(error).await),
        }
    }

    async fn guide_session_of(
        &self,
        caller: &Caller,
        target_type: &TargetType,
        client_id: &str,
    ) -> Result<Session, PoolError> {
        self.must_know(target_type).await?;
        check(client_id)?;
        let mut id = SessionId::new(target_type);
        let mut replaces = String::new();
        // An id whose session ended is free again: the alias goes to a new one. Twice is enough unless others race for it.
        for _ in 0..8 {
            match self.store.claim_alias(&caller.owner, client_id, &id.to_string(), &replaces).await? {
                Claim::Mine => {}
                Claim::Theirs(other) => {
                    let Ok(theirs) = other.parse::<SessionId>() else { return Err(super::not_found(id)) };
                    if !self.store.types_of(theirs).await?.contains(target_type) {
                        match self.read(caller, theirs, false, None).await {
                            Ok((target_type, session)) if session.state != SessionState::Ended => {
                                return Err(PoolError::AliasOfOtherType { id: client_id.to_owned(), target_type });
                            }
                            Ok(_) | Err(PoolError::SessionNotFound(_)) => replaces = other,
                            Err(error) => return Err(error),
                        }
                        continue;
                    }
                    id = theirs;
                }
            }
            match self.allocate_checked(target_type, &self.guide_allocation(caller, target_type, id)).await? {
                Allocated::Ready(session) => {
                    super::create::log_start(&session);
                    return Ok(session);
                }
                Allocated::Replayed(session) if session.state == SessionState::Ready => {
                    return self.read(caller, session.id, true, None).await.map(|(_, session)| session);
                }
                Allocated::Replayed(_) => {
                    replaces = id.to_string();
                    id = SessionId::new(target_type);
                }
                Allocated::Foreign => return Err(super::not_found(id)),
                Allocated::Shortage(recovering) | Allocated::Unavailable(recovering) => {
                    return Err(nothing_free(target_type, recovering));
                }
                Allocated::QuotaExceeded(quota) => return Err(over_quota(caller, target_type, quota)),
                Allocated::Queued(_) | Allocated::LineFull | Allocated::Checking => {
                    return Err(no_available(target_type));
                }
            }
        }
        Err(no_available(target_type))
    }

    /// The guide's route: releases by the client's id, or by ours.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn guide_release(&self, caller: &Caller, client_id: &str) -> Result<Session, PoolError> {
        let id = self.resolve(caller, client_id).await?;
        self.release(caller, caller.owner.as_str(), id, None).await
    }

    /// The guide's route: the live session under the client's id, or ours; reading renews it.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn guide_session(&self, caller: &Caller, client_id: &str) -> Result<Session, PoolError> {
        let id = self.resolve(caller, client_id).await?;
        let (_, session) = self.read(caller, id, true, None).await?;
        if session.state == SessionState::Ready {
            Ok(session)
        } else {
            Err(PoolError::SessionNotFound(client_id.to_owned()))
        }
    }

    async fn resolve(&self, caller: &Caller, client_id: &str) -> Result<SessionId, PoolError> {
        check(client_id)?;
        let alias = self.store.alias(&caller.owner, client_id).await?;
        alias.as_deref().unwrap_or(client_id).parse().map_err(|_| PoolError::SessionNotFound(client_id.to_owned()))
    }

    /// Its clients send no heartbeats: the lease is long from the start, and they can report no activity.
    fn guide_allocation<'a>(&self, caller: &'a Caller, target_type: &TargetType, id: SessionId) -> Allocation<'a> {
        let state = self.type_state(target_type);
        let limits = &state.in_force.limits;
        Allocation {
            max_duration: limits.max_duration,
            share: caller.share,
            ..Allocation::new(id, &caller.owner, limits.guide_ttl)
        }
    }
}

fn check(client_id: &str) -> Result<(), PoolError> {
    let good = !client_id.is_empty() && client_id.len() <= CLIENT_ID_BYTES && !client_id.contains(char::is_control);
    if good {
        return Ok(());
    }
    Err(PoolError::OutOfRange {
        field: "session_id",
        given: client_id.chars().take(80).collect(),
        right: format!("1 to {CLIENT_ID_BYTES} bytes without control characters"),
    })
}
