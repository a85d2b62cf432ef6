//! Reading, renewing and ending sessions.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;

use super::{Page, Pool, PoolError, Renewal, SessionFilter, not_found, scope};
use crate::{
    model::{Caller, EndReason, FencingToken, OwnerName, Role, Session, SessionId, SessionState, TargetType},
    store::{Adopted, Beat, Heartbeat, Polled, Released, SessionCursor},
};

impl Pool {
    /// Reads a session. For its owner this polls its ticket, and claims its offer; with `wait` it waits for one.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn session(&self, caller: &Caller, id: SessionId, wait: Duration) -> Result<Session, PoolError> {
        let mut waiting = (wait > Duration::ZERO).then(|| self.shared.waiters.register(id));
        let replica = waiting.is_some().then_some(self.shared.replica.as_str());
        let (target_type, session) = self.read(caller, id, false, replica).await?;
        match &mut waiting {
            Some(waiting) if session.state == SessionState::Queued && session.owner == caller.owner => {
                self.wait_in_line(&target_type, &caller.owner, session, waiting, wait).await
            }
            _ => Ok(session),
        }
    }

    /// Reads a session where its id says that it is. Only its owner's clients change something by it.
    pub(super) async fn read(
        &self,
        caller: &Caller,
        id: SessionId,
        renew: bool,
        replica: Option<&str>,
    ) -> Result<(TargetType, Session), PoolError> {
        let owner = (caller.role != Role::Viewer).then_some(&caller.owner);
        for target_type in self.store.types_of(id).await? {
            let mut polled = self.store.poll(&target_type, id, owner, false, renew, replica).await?;
            if matches!(polled, Polled::NotFound) && caller.is_admin() {
                polled = self.store.poll(&target_type, id, None, false, false, None).await?;
            }
            match polled {
                Polled::Unproven(left) => return Err(PoolError::Unproven { id, left }),
                Polled::Session(session) if caller.is_admin() || session.owner == caller.owner => {
                    return Ok((target_type, session));
                }
                _ => {}
            }
        }
        Err(not_found(id))
    }

    /// Renews a lease. The first renewal confirms the session. In a recovery the lease token proves it.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn heartbeat(&self, caller: &Caller, renewal: &Renewal) -> Result<Session, PoolError> {
        for target_type in self.store.types_of(renewal.id).await? {
            let outcomes = self.store.heartbeat(&target_type, scope(caller), false, &[beat(renewal)]).await?;
            match outcomes.into_iter().next() {
                None | Some(Heartbeat::NotFound) => {}
                Some(outcome) if wants_proof(&outcome) => return self.prove(caller, renewal, outcome).await,
                Some(outcome) => return renewed(renewal, outcome),
            }
        }
        Err(not_found(renewal.id))
    }

    /// Renews many; answers in the order of the input, without the containers.
    pub async fn heartbeats(&self, caller: &Caller, renewals: &[Renewal]) -> Vec<Result<Session, PoolError>> {
        let mut results: Vec<Result<Session, PoolError>> = renewals.iter().map(|one| Err(not_found(one.id))).collect();
        let mut by_type: BTreeMap<TargetType, Vec<usize>> = BTreeMap::new();
        for (at, renewal) in renewals.iter().enumerate() {
            match self.store.types_of(renewal.id).await {
                Ok(types) => {
                    for target_type in types {
                        by_type.entry(target_type).or_default().push(at);
                    }
                }
                Err(error) => results[at] = Err(error.into()),
            }
        }
        let calls = by_type.iter().flat_map(|(target_type, places)| {
            places.chunks(100).map(move |chunk| async move {
                let beats: Vec<_> = chunk.iter().map(|at| beat(&renewals[*at])).collect();
                (chunk, self.store.heartbeat(target_type, scope(caller), true, &beats).await)
            })
        });
        let mut to_prove = Vec::new();
        for (chunk, outcomes) in join_all(calls).await {
            match outcomes {
                Ok(outcomes) => {
                    for (at, outcome) in chunk.iter().zip(outcomes) {
                        // Of two types with one tag, the session is in one.
                        if wants_proof(&outcome) {
                            to_prove.push((*at, outcome));
                        } else if !matches!(outcome, Heartbeat::NotFound) {
                            results[*at] = renewed(&renewals[*at], outcome);
                        }
                    }
                }
                Err(error) => {
                    let text = error.to_string();
                    for at in chunk {
                        results[*at] = Err(PoolError::Store(crate::store::StoreError::Refused(text.clone())));
                    }
                }
            }
        }
        let proofs = to_prove
            .into_iter()
            .map(|(at, outcome)| async move { (at, self.prove(caller, &renewals[at], outcome).await) });
        for (at, result) in join_all(proofs).await {
            results[at] = result;
        }
        results
    }

    /// In a recovery: proves a lease by its token. One that Redis knows goes on without as well, for now.
    async fn prove(&self, caller: &Caller, renewal: &Renewal, outcome: Heartbeat) -> Result<Session, PoolError> {
        let id = renewal.id;
        let proof = renewal
            .lease_token
            .as_deref()
            .ok_or(PoolError::LeaseTokenRequired(id))
            .and_then(|token| Ok(self.shared.lease_tokens.verify_for(id, token)?));
        let (proof, known) = match (proof, outcome) {
            (Err(_), Heartbeat::Renewed(session)) => return Ok(session),
            (proof, Heartbeat::Renewed(session)) => (proof?, Some(session)),
            (proof, _) => (proof?, None),
        };
        if scope(caller).is_some_and(|owner| *owner != proof.owner) {
            return Err(not_found(id));
        }
        match self.store.adopt(&proof).await? {
            Adopted::Renewed(session) => {
                tracing::info!(
                    session_id = %id, container_id = %proof.container, fencing_token = %proof.fencing_token,
                    target_type = %proof.target_type, "a lease was proven after a loss of Redis"
                );
                Ok(session)
            }
            Adopted::Ended(reason) => Err(PoolError::SessionEnded { id, reason }),
            // The recovery has just ended.
            Adopted::NotFound => known.ok_or_else(|| not_found(id)),
        }
    }

    /// Ends a session, or takes its ticket out of the line; an admin does so with anybody's, and `by` is told. A second time is the
    /// same answer.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn release(
        &self,
        caller: &Caller,
        by: &str,
        id: SessionId,
        fencing_token: Option<FencingToken>,
    ) -> Result<Session, PoolError> {
        for target_type in self.store.types_of(id).await? {
            let owner = Some(&caller.owner);
            let mut released = self.store.release(&target_type, id, owner, fencing_token, EndReason::Released).await?;
            if matches!(released, Released::NotFound) && caller.is_admin() {
                released = self.store.end_session(&target_type, id, fencing_token, by).await?;
            }
            match (released, fencing_token) {
                (Released::Ended(session), _) => {
                    let reason = session.end_reason.map(EndReason::as_str);
                    tracing::info!(session_id = %id, %target_type, owner = %session.owner, reason, by, "session is over");
                    return Ok(session);
                }
                (Released::Stale(current), Some(given)) => return Err(PoolError::StaleToken { id, given, current }),
                (Released::Stale(_) | Released::NotFound, _) => {}
            }
        }
        Err(not_found(id))
    }

    /// One page of sessions, by type, oldest first. Admins see every owner's, others their own.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn sessions(
        &self,
        caller: &Caller,
        filter: &SessionFilter,
        cursor: Option<&str>,
        most: usize,
    ) -> Result<Page<Session>, PoolError> {
        let sections = self.sections(filter).await?;
        let mut position = match cursor {
            None => sections.first().cloned().map(|section| Position { section, after: None }),
            Some(text) => Some(Position::read(text).ok_or_else(|| PoolError::BadCursor(text.to_owned()))?),
        };
        let owner: Option<&OwnerName> = scope(caller);
        let mut items = Vec::new();
        while let Some(Position { section, after }) = position {
            let left = most - items.len();
            if left == 0 {
                return Ok(Page { items, next: Some(Position { section, after }.write()) });
            }
            let page = self.store.sessions(&section.target_type, owner, section.ended, after.as_ref(), left).await?;
            items.extend(
                page.sessions.into_iter().filter(|session| filter.state.is_none_or(|state| session.state == state)),
            );
            position = match page.next {
                Some(after) => Some(Position { section, after: Some(after) }),
                None => sections
                    .iter()
                    .find(|other| **other > section)
                    .cloned()
                    .map(|section| Position { section, after: None }),
            };
        }
        Ok(Page { items, next: None })
    }

    /// What a listing goes through, in order.
    async fn sections(&self, filter: &SessionFilter) -> Result<Vec<Section>, PoolError> {
        let types = match &filter.target_type {
            Some(target_type) => {
                self.must_know(target_type).await?;
                vec![target_type.clone()]
            }
            None => self.store.types().await?,
        };
        let with_ended = filter.include_ended || filter.state == Some(SessionState::Ended);
        let live = filter.state != Some(SessionState::Ended);
        Ok(types
            .into_iter()
            .flat_map(|target_type| {
                let section = |ended| Section { target_type: target_type.clone(), ended };
                [live.then(|| section(false)), with_ended.then(|| section(true))]
            })
            .flatten()
            .collect())
    }
}

fn beat(renewal: &Renewal) -> Beat {
    Beat { id: renewal.id, token: renewal.fencing_token, active: renewal.active }
}

/// Whether Redis lost the session, or may have lost what came after its lease.
fn wants_proof(outcome: &Heartbeat) -> bool {
    match outcome {
        Heartbeat::Unproven => true,
        Heartbeat::Renewed(session) => session.lease.as_ref().is_some_and(|lease| lease.proof_wanted),
        _ => false,
    }
}

fn renewed(renewal: &Renewal, outcome: Heartbeat) -> Result<Session, PoolError> {
    let id = renewal.id;
    match outcome {
        Heartbeat::Unproven => Err(PoolError::LeaseTokenRequired(id)),
        Heartbeat::Renewed(session) => Ok(session),
        Heartbeat::NotFound => Err(not_found(id)),
        Heartbeat::Queued => Err(PoolError::SessionQueued(id)),
        Heartbeat::Ended(session) => {
            Err(PoolError::SessionEnded { id, reason: session.end_reason.unwrap_or(EndReason::Released) })
        }
        Heartbeat::Stale(current) => {
            let given = renewal.fencing_token.unwrap_or(current);
            Err(PoolError::StaleToken { id, given, current })
        }
    }
}

/// The live or the ended sessions of one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Section {
    target_type: TargetType,
    ended: bool,
}

/// Where a listing stopped.
pub(super) struct Position {
    section: Section,
    after: Option<SessionCursor>,
}

impl Position {
    pub(super) fn write(&self) -> String {
        let Section { target_type, ended } = &self.section;
        let kind = if *ended { "ended" } else { "live" };
        match &self.after {
            None => format!("{target_type}.{kind}"),
            Some(SessionCursor { score, id }) => format!("{target_type}.{kind}.{score}.{id}"),
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let target_type = parts.next()?.parse().ok()?;
        let ended = match parts.next()? {
            "live" => false,
            "ended" => true,
            _ => return None,
        };
        let after = match (parts.next(), parts.next()) {
            (None, None) => None,
            (Some(score), Some(id)) => {
                let score: u64 = score.parse().ok()?;
                let id: SessionId = id.parse().ok()?;
                Some(SessionCursor { score: score.to_string(), id: id.to_string() })
            }
            _ => return None,
        };
        parts.next().is_none().then_some(Self { section: Section { target_type, ended }, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_written_and_nothing_else_is_one() {
        let id = SessionId::new(&"wine".parse().unwrap()).to_string();
        for text in ["wine.live".to_owned(), format!("wine.ended.1795467890123.{id}")] {
            assert_eq!(Position::read(&text).unwrap().write(), text);
        }
        for bad in ["", "wine", "wine.other", "wine.live.1", "wine.live.x.y", "Wine.live", "wine.live.-inf.x"] {
            assert!(Position::read(bad).is_none(), "{bad}");
        }
    }
}
