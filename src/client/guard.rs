//! A held container: renewed in the background, and known to be lost in time.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Client, error::ClientError};
use crate::model::{FencingToken, Lease, Session, SessionId, Warning};

/// The longest pause between a renewal that failed and the next try.
const RETRY: Duration = Duration::from_secs(1);

/// Why a lease is held no more.
#[derive(Debug, Clone)]
pub enum Loss {
    /// The server says so: the session has ended, is not known, or another one holds the container.
    Told(ClientError),
    /// No renewal succeeded in time. The container may be given to others from now on.
    Silence {
        /// The last renewal's error; none when no answer came at all.
        last: Option<ClientError>,
    },
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(error) => error.fmt(f),
            Self::Silence { last: None } => f.write_str("the lease could not be renewed in time: no answer"),
            Self::Silence { last: Some(error) } => write!(f, "the lease could not be renewed in time: {error}"),
        }
    }
}

/// A session that holds a container, renewed in the background at the interval that the server names (a third of the
/// TTL) until it is released or dropped.
///
/// The container is this holder's only until [`Self::lost`] resolves. That is decided by the holder's own monotonic
/// clock: the time at which the last successful renewal was *sent*, plus what its answer granted. (A machine that
/// sleeps may have a clock that sleeps too: after waking, the first renewal tells the truth.)
///
/// Who holds a guard is at work: each renewal reports activity, so no idle limit ends the session.
///
/// Dropping the guard releases in the background, as a best effort; [`Self::release`] waits and tells of failure. The
/// lease's TTL stands behind both.
#[derive(Debug)]
pub struct SessionGuard {
    client: Client,
    session: Session,
    held: watch::Receiver<Held>,
    warnings: watch::Receiver<Vec<Warning>>,
    /// Ends the renewals with the guard.
    _renewing: DropGuard,
    released: bool,
}

/// What the renewals know.
#[derive(Debug, Clone)]
enum Held {
    Until(Instant),
    Lost(Arc<Loss>),
}

impl SessionGuard {
    /// Holds a ready session. It is renewed at once: how long its grant took to arrive is not known, and the first
    /// renewal gives a lease its whole TTL.
    pub(super) async fn hold(client: Client, session: Session) -> Result<Self, ClientError> {
        let (sent, lease, warned) = match confirm(&client, &session).await {
            Ok(confirmed) => confirmed,
            Err(error) => {
                let fencing_token = session.lease.as_ref().map(|lease| lease.fencing_token);
                let _ = client.release(session.id, fencing_token).await;
                return Err(error);
            }
        };
        let (tell, held) = watch::channel(Held::Until(sent + Duration::from_millis(lease.expires_in_ms)));
        let (warn, warnings) = watch::channel(warned);
        let stop = CancellationToken::new();
        let renewing = Renewing { client: client.clone(), id: session.id, tell, warn };
        tokio::spawn({
            let stop = stop.clone();
            async move {
                tokio::select! {
                    () = renewing.run(sent, lease) => {}
                    () = stop.cancelled() => {}
                }
            }
        });
        Ok(Self { client, session, held, warnings, _renewing: stop.drop_guard(), released: false })
    }

    /// The session as it was granted.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Until when the container is surely this holder's, should no further renewal succeed; none when it is lost.
    #[must_use]
    pub fn held_until(&self) -> Option<Instant> {
        match &*self.held.borrow() {
            Held::Until(deadline) => Some(*deadline),
            Held::Lost(_) => None,
        }
    }

    /// Resolves when the lease is lost: the container must not be used any more.
    pub async fn lost(&self) -> Arc<Loss> {
        let mut held = self.held.clone();
        match held.wait_for(|held| matches!(held, Held::Lost(_))).await.as_deref() {
            Ok(Held::Lost(loss)) => loss.clone(),
            // The renewals ended with the runtime.
            _ => Arc::new(Loss::Silence { last: None }),
        }
    }

    /// Of the ends that come near, such as `max_duration`: what the last renewal told.
    #[must_use]
    pub fn warnings(&self) -> watch::Receiver<Vec<Warning>> {
        self.warnings.clone()
    }

    /// Gives the container back.
    ///
    /// # Errors
    /// See [`ClientError`]; the lease then ends at its TTL.
    pub async fn release(mut self) -> Result<(), ClientError> {
        self.released = true;
        self.client.release(self.session.id, self.fencing_token()).await
    }

    fn fencing_token(&self) -> Option<FencingToken> {
        self.session.lease.as_ref().map(|lease| lease.fencing_token)
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        if self.released {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (client, id, fencing_token) = (self.client.clone(), self.session.id, self.fencing_token());
            runtime.spawn(async move { client.release(id, fencing_token).await });
        }
    }
}

/// The first renewal: tried again as every call that is safe to repeat.
async fn confirm(client: &Client, session: &Session) -> Result<(Instant, Lease, Vec<Warning>), ClientError> {
    super::http::patiently(|| async {
        let sent = Instant::now();
        let (lease, warnings) = renew(client, session.id, session.lease.as_ref()).await?;
        Ok((sent, lease, warnings))
    })
    .await
}

async fn renew(client: &Client, id: SessionId, lease: Option<&Lease>) -> Result<(Lease, Vec<Warning>), ClientError> {
    let fencing_token = lease.map(|lease| lease.fencing_token);
    let lease_token = lease.and_then(|lease| lease.lease_token.as_deref());
    let renewed = client.heartbeat(id, fencing_token, lease_token, true).await?;
    let lease = renewed.lease.ok_or_else(|| ClientError::NotUnderstood {
        url: client.url().to_owned(),
        reason: "a renewed session without a lease".into(),
    })?;
    Ok((lease, renewed.warnings))
}

/// The renewals of one session.
struct Renewing {
    client: Client,
    id: SessionId,
    tell: watch::Sender<Held>,
    warn: watch::Sender<Vec<Warning>>,
}

impl Renewing {
    /// Renews until the lease is lost, and tells so.
    async fn run(self, mut sent: Instant, mut lease: Lease) {
        let mut interval = interval_of(&lease);
        let mut deadline = sent + Duration::from_millis(lease.expires_in_ms);
        let mut next = sent + interval;
        let mut last = None;
        let loss = loop {
            sleep_until(next.min(deadline)).await;
            let now = Instant::now();
            if now >= deadline {
                break Loss::Silence { last };
            }
            match timeout_at(deadline, renew(&self.client, self.id, Some(&lease))).await {
                Ok(Ok((renewed, warnings))) => {
                    self.warn.send_if_modified(|told| {
                        let changed = *told != warnings;
                        *told = warnings;
                        changed
                    });
                    lease = renewed;
                    sent = now;
                    interval = interval_of(&lease);
                    deadline = sent + Duration::from_millis(lease.expires_in_ms);
                    next = sent + interval;
                    last = None;
                    self.tell.send_replace(Held::Until(deadline));
                }
                Ok(Err(error)) if is_final(&error) => break Loss::Told(error),
                Ok(Err(error)) => {
                    last = Some(error);
                    next = Instant::now() + RETRY.min(interval / 4);
                }
                Err(_) => break Loss::Silence { last },
            }
        };
        self.tell.send_replace(Held::Lost(Arc::new(loss)));
    }
}

/// The server's interval is in whole seconds, which is the whole of the shortest TTL: a third of that is.
fn interval_of(lease: &Lease) -> Duration {
    let third = Duration::from_secs(lease.ttl_seconds.max(1)) / 3;
    third.min(Duration::from_secs(lease.heartbeat_interval_seconds.max(1)))
}

/// Ended, not known, or displaced by a higher fencing token. By the API's own words: a 404 of something between is none.
fn is_final(error: &ClientError) -> bool {
    error.problem().is_some_and(|problem| {
        matches!(problem.code.as_str(), "session_ended" | "session_not_found" | "stale_fencing_token")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Problem;

    #[test]
    fn only_the_api_itself_ends_a_lease_by_a_word() {
        let told = |status, body: &str| is_final(&ClientError::Problem(Problem::read(status, None, body.as_bytes())));
        assert!(told(410, r#"{"code": "session_ended"}"#));
        assert!(told(404, r#"{"code": "session_not_found"}"#));
        assert!(told(409, r#"{"code": "stale_fencing_token"}"#));
        assert!(!told(404, "<html>no such backend</html>"));
        assert!(!told(503, r#"{"code": "redis_unavailable"}"#));
    }
}
