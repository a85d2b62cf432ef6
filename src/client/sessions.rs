//! Sessions: making, reading, renewing, ending.

use std::{future, time::Duration};

use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use super::{
    Client,
    answer::{HeartbeatOutcome, HeartbeatOutcomes},
    error::ClientError,
    guard::SessionGuard,
    http::{Http, next_cursor, patiently},
    request::{CreateSession, OnShortage, Renewal, SessionFilter},
};
use crate::model::{FencingToken, Session, SessionId, SessionState, Ticket};

/// How long one look at the line waits: then the place in line is told anew.
const LOOK_SECONDS: u64 = 10;

impl Client {
    /// Makes a session, as `POST /sessions`. It carries an `Idempotency-Key` of its own, so a lost answer or a server
    /// that is away for a moment is tried again without harm.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn create(&self, request: &CreateSession) -> Result<Session, ClientError> {
        let key = uuid::Uuid::new_v4().to_string();
        patiently(|| {
            let call = self.http.post("/sessions").header("Idempotency-Key", &key).json(request);
            self.http.json(call.timeout(Http::timeout(request.wait_seconds)))
        })
        .await
    }

    /// Reads a session. With `wait`, a queued one is answered when it leaves the line or the time is over.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn session(&self, id: SessionId, wait: Option<Duration>) -> Result<Session, ClientError> {
        let wait = wait.map(|wait| wait.as_secs());
        patiently(|| {
            let call = self.http.get(&format!("/sessions/{id}")).query(&[("wait_seconds", wait)]);
            self.http.json(call.timeout(Http::timeout(wait)))
        })
        .await
    }

    /// Renews a lease, once: who renews at an interval decides himself when to try again. The lease token of the last answer
    /// proves the lease when the pool has lost it. `active`: the session was used since the last one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn heartbeat(
        &self,
        id: SessionId,
        fencing_token: Option<FencingToken>,
        lease_token: Option<&str>,
        active: bool,
    ) -> Result<Session, ClientError> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            fencing_token: Option<FencingToken>,
            #[serde(skip_serializing_if = "Option::is_none")]
            lease_token: Option<&'a str>,
            // Only where it says something: a replica of a version that did not know it refuses a field that it does not know.
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            active: bool,
        }
        let body = Body { fencing_token, lease_token, active };
        self.http.json(self.http.post(&format!("/sessions/{id}/heartbeat")).json(&body)).await
    }

    /// Renews up to 1,000 leases in one call. The outcomes are in the order of `renewals`.
    ///
    /// # Errors
    /// See [`ClientError`]; what became of one renewal is in its outcome.
    pub async fn heartbeats(&self, renewals: &[Renewal]) -> Result<Vec<HeartbeatOutcome>, ClientError> {
        let call = || {
            self.http.json::<HeartbeatOutcomes>(
                self.http.post("/sessions/heartbeats").json(&json!({ "heartbeats": renewals })),
            )
        };
        Ok(patiently(call).await?.results)
    }

    /// Ends a session, or takes its ticket out of the line. Doing it twice is fine.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn release(&self, id: SessionId, fencing_token: Option<FencingToken>) -> Result<(), ClientError> {
        patiently(|| {
            let call = self.http.delete(&format!("/sessions/{id}"));
            self.http.nothing(call.query(&[("fencing_token", fencing_token)]))
        })
        .await
    }

    /// One page of sessions and the cursor of the next one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sessions_page(
        &self,
        filter: &SessionFilter,
        cursor: Option<&str>,
    ) -> Result<(Vec<Session>, Option<String>), ClientError> {
        let call = self.http.get("/sessions").query(filter).query(&[("cursor", cursor)]);
        let response = self.http.send(call).await?;
        let next = next_cursor(response.headers());
        Ok((self.http.read(response).await?, next))
    }

    /// Every session that the filter lets through, page by page.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, ClientError> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let (page, next) = self.sessions_page(filter, cursor.as_deref()).await?;
            all.extend(page);
            if next.is_none() {
                return Ok(all);
            }
            cursor = next;
        }
    }

    /// A container held until the guard is released, waiting in line for it up to the request's `wait_seconds`
    /// (however long: one call waits only for a part of it).
    ///
    /// # Errors
    /// See [`ClientError`]; [`ClientError::is_shortage`] when nothing became available in time.
    pub async fn acquire(&self, request: &CreateSession) -> Result<SessionGuard, ClientError> {
        self.acquire_unless(request, |_| (), future::pending()).await
    }

    /// The same, telling each place in line, and leaving the line when `give_up` resolves.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn acquire_unless(
        &self,
        request: &CreateSession,
        mut in_line: impl FnMut(&Ticket),
        give_up: impl Future<Output = ()>,
    ) -> Result<SessionGuard, ClientError> {
        let patience = request.wait_seconds.unwrap_or(0);
        let deadline = Instant::now() + Duration::from_secs(patience);
        let mut request = request.clone();
        request.wait_seconds = None;
        request.on_shortage = Some(if patience > 0 { OnShortage::Queue } else { OnShortage::Fail });
        tokio::pin!(give_up);

        let mut session = tokio::select! {
            session = self.create(&request) => session?,
            // Without an answer there is no id to cancel; the ticket's life or the first span ends what may have been made.
            () = &mut give_up => return Err(ClientError::GivenUp),
        };
        while session.state == SessionState::Queued {
            if let Some(ticket) = &session.ticket {
                in_line(ticket);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.leave_line(&session, shortage(&session)).await;
            }
            // Whole seconds: the last look may be shorter than one.
            let look = Duration::from_secs(left.as_secs().clamp(1, LOOK_SECONDS));
            let id = session.id;
            session = tokio::select! {
                read = self.session(id, Some(look)) => match read {
                    Ok(read) => read,
                    Err(error) => return self.leave_line(&session, error).await,
                },
                () = &mut give_up => return self.leave_line(&session, ClientError::GivenUp).await,
            };
        }
        if session.state == SessionState::Ended {
            return Err(shortage(&session));
        }
        tokio::select! {
            guard = SessionGuard::hold(self.clone(), session.clone()) => guard,
            () = &mut give_up => self.leave_line(&session, ClientError::GivenUp).await,
        }
    }

    /// Withdraws what nobody waits for any more; if that fails, the ticket's life ends it.
    async fn leave_line<T>(&self, session: &Session, error: ClientError) -> Result<T, ClientError> {
        let _ = self.release(session.id, None).await;
        Err(error)
    }
}

/// The server's own words for it, where the wait was ours.
fn shortage(session: &Session) -> ClientError {
    ClientError::Problem(super::Problem {
        status: 503,
        code: "no_available_containers".into(),
        detail: format!("No available {} containers", session.target_type),
        retry_after: None,
    })
}
