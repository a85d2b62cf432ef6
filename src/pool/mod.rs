//! What the service promises: sessions and the line. Knows no HTTP and no Redis command.

mod request;

use std::time::Duration;

pub use request::{
    ContainerFilter, Counts, CreateSession, Created, Idempotency, OnShortage, Page, PoolError, Renewal, SessionFilter,
};

use crate::model::{Caller, Container, FencingToken, Session, SessionId, TargetType};
use crate::store::ProviderStatus;

/// The pool as one replica's worker sees it: cheap to clone, without state of its own beyond who waits here.
#[derive(Clone)]
pub struct Pool {}

impl Pool {
    /// Makes a session; waits in line up to `request.wait`. Dropping the future withdraws what nobody would hear of.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn create(&self, caller: &Caller, request: CreateSession) -> Result<Created, PoolError> {
        todo!()
    }

    /// Reads a session. For its owner this polls its ticket, and claims its offer; with `wait` it waits for one.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn session(&self, caller: &Caller, id: SessionId, wait: Duration) -> Result<Session, PoolError> {
        todo!()
    }

    /// One page of sessions, oldest first within a type.
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
        todo!()
    }

    /// Renews a lease.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn heartbeat(&self, caller: &Caller, renewal: Renewal) -> Result<Session, PoolError> {
        todo!()
    }

    /// Renews many; answers in the order of the input.
    pub async fn heartbeats(&self, caller: &Caller, renewals: &[Renewal]) -> Vec<Result<Session, PoolError>> {
        todo!()
    }

    /// Ends a session, or takes its ticket out of the line. A second time is the same answer.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn release(
        &self,
        caller: &Caller,
        id: SessionId,
        fencing_token: Option<FencingToken>,
    ) -> Result<Session, PoolError> {
        todo!()
    }

    /// One page of containers, and how many the filter matches in all.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn containers(
        &self,
        filter: &ContainerFilter,
        cursor: Option<&str>,
        most: usize,
    ) -> Result<(Page<Container>, u64), PoolError> {
        todo!()
    }

    /// One container by the engine's id or its name.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn container(&self, id: &str) -> Result<Container, PoolError> {
        todo!()
    }

    /// Counts by type, of every known type.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn counts(&self) -> Result<Vec<(TargetType, Counts)>, PoolError> {
        todo!()
    }

    /// The state of every configured provider.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn providers(&self) -> Result<Vec<ProviderStatus>, PoolError> {
        todo!()
    }

    /// Asks every provider's discoverer for a full look, waits up to 5 s for it, and reclaims what is overdue.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn refresh(&self) -> Result<(), PoolError> {
        todo!()
    }

    /// Whether Redis answers and scripts run.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), PoolError> {
        todo!()
    }

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
        todo!()
    }

    /// The guide's route: releases by the client's id, or by ours.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn guide_release(&self, caller: &Caller, client_id: &str) -> Result<Session, PoolError> {
        todo!()
    }

    /// The guide's route: the session under the client's id, or ours; reading renews it.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn guide_session(&self, caller: &Caller, client_id: &str) -> Result<Session, PoolError> {
        todo!()
    }
}
