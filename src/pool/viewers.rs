//! Who sees the desktop of a session: passes, and whether the lease that they are for goes on.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Pool, PoolError, Shared, not_found, scope};
use crate::{
    model::{Caller, EndReason, FencingToken, Session, SessionId, SessionState, TargetType, ViewerPass},
    store::{NewPass, PassMade, PassUsed, Polled, Used},
};

/// The longest between two reports of one viewer's input.
const REPORT_PAUSE: Duration = Duration::from_secs(5);

/// A pass that was made.
#[derive(Debug, Clone)]
pub struct MadePass {
    /// The secret.
    pub pass: ViewerPass,
    /// Until when its viewer must have come (RFC 3339), by Redis's clock.
    pub expires_at: String,
    /// The lease that it is for.
    pub fencing_token: FencingToken,
}

/// Who sees what.
#[derive(Debug, Clone)]
pub struct Viewing {
    /// The session's type.
    pub target_type: TargetType,
    /// The session as it was when the viewer came, with its container.
    pub session: Session,
    /// Whether the viewer may only watch.
    pub view_only: bool,
}

/// Viewers of a replica, by session.
#[derive(Default)]
pub(super) struct Viewers {
    of: Mutex<HashMap<SessionId, usize>>,
}

/// A viewer's place; it is free when this is dropped.
pub struct ViewerPlace {
    shared: Arc<Shared>,
    session: SessionId,
}

impl Pool {
    /// Makes a pass for one viewer.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn make_pass(
        &self,
        caller: &Caller,
        id: SessionId,
        token: Option<FencingToken>,
        view_only: bool,
        life: Duration,
    ) -> Result<MadePass, PoolError> {
        let (pass, most) = (ViewerPass::new(), self.shared.config.viewers.passes);
        let new = NewPass { session: id, owner: scope(caller), token, pass: &pass, view_only, life, most };
        for target_type in self.store.types_of(id).await? {
            return match self.store.make_pass(&target_type, &new).await? {
                PassMade::NotFound => continue,
                PassMade::Made(fencing_token, expires_at) => Ok(MadePass { pass, expires_at, fencing_token }),
                PassMade::Unproven(left) => Err(PoolError::Unproven { id, left }),
                PassMade::Queued => Err(PoolError::SessionQueued(id)),
                PassMade::Ended(session) => Err(ended(&session)),
                PassMade::Stale(current) => Err(PoolError::StaleToken { id, given: token.unwrap_or(current), current }),
                PassMade::TooMany => Err(PoolError::TooManyPasses { id, most }),
            };
        }
        Err(not_found(id))
    }

    /// Lets a viewer in by its pass. `viewer` is the hash of its own secret, by which it may come back.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn use_pass(&self, id: SessionId, pass: &ViewerPass, viewer: Option<&str>) -> Result<Viewing, PoolError> {
        for target_type in self.store.types_of(id).await? {
            return match self.store.use_pass(&target_type, id, pass, viewer).await? {
                PassUsed::Unknown => continue,
                PassUsed::LetIn { view_only, session } => Ok(Viewing { target_type, session, view_only }),
                PassUsed::Used => Err(PoolError::PassUsed),
                PassUsed::Unproven(left) => Err(PoolError::Unproven { id, left }),
                PassUsed::Ended(session) => Err(ended(&session)),
            };
        }
        Err(PoolError::PassUnknown)
    }

    /// For how long the lease that a viewer came for goes on; none when it is over. One that drives a session of the guide's clients
    /// renews it by this, for they send no heartbeats.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn still_viewing(&self, viewing: &Viewing) -> Result<Option<Duration>, PoolError> {
        let Viewing { target_type, session, view_only } = viewing;
        let Some(lease) = &session.lease else { return Ok(None) };
        let guide_ttl = self.type_state(target_type).in_force.limits.guide_ttl;
        let renews = !view_only && Duration::from_secs(lease.ttl_seconds) == guide_ttl;
        let owner = renews.then_some(&session.owner);
        Ok(match self.store.poll(target_type, session.id, owner, false, renews, None).await? {
            Polled::Session(now) if now.state == SessionState::Ready => {
                let lease_now = now.lease.filter(|now| now.fencing_token == lease.fencing_token);
                lease_now.map(|lease| Duration::from_millis(lease.expires_in_ms))
            }
            Polled::Unproven(left) => return Err(PoolError::Unproven { id: session.id, left }),
            _ => None,
        })
    }

    /// Reports that a viewer uses the session: its idle limit counts anew, and its lease is not renewed, for that is its holder's. For how
    /// long the report is good enough, a third of the limit at most; none when the lease is over.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn report_input(&self, viewing: &Viewing) -> Result<Option<Duration>, PoolError> {
        let Viewing { target_type, session, .. } = viewing;
        let Some(lease) = &session.lease else { return Ok(None) };
        match self.store.report_activity(target_type, session.id, lease.fencing_token).await? {
            Used::Noted(idle) => Ok(Some(idle.map_or(REPORT_PAUSE, |idle| REPORT_PAUSE.min(idle / 3)))),
            Used::Over => Ok(None),
            Used::Unproven(left) => Err(PoolError::Unproven { id: session.id, left }),
        }
    }

    /// A place for a viewer of a session on this replica.
    ///
    /// # Errors
    /// There is none.
    pub fn seat_viewer(&self, session: SessionId) -> Result<ViewerPlace, PoolError> {
        let bounds = &self.shared.config.viewers;
        let mut of = self.shared.viewers.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.values().sum::<usize>() >= bounds.most {
            return Err(PoolError::TooManyViewers { most: bounds.most, of: "this replica" });
        }
        let seated = of.entry(session).or_default();
        if *seated >= bounds.per_session {
            return Err(PoolError::TooManyViewers { most: bounds.per_session, of: "a session on one replica" });
        }
        *seated += 1;
        Ok(ViewerPlace { shared: self.shared.clone(), session })
    }
}

impl Drop for ViewerPlace {
    fn drop(&mut self) {
        let mut of = self.shared.viewers.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seated) = of.get_mut(&self.session) {
            *seated -= 1;
            if *seated == 0 {
                of.remove(&self.session);
            }
        }
    }
}

fn ended(session: &Session) -> PoolError {
    PoolError::SessionEnded { id: session.id, reason: session.end_reason.unwrap_or(EndReason::Released) }
}
