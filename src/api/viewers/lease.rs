//! The lease that a viewer must not outlive.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    events::Follower,
    pool::{Pool, Viewing},
};

/// The last look, when the time that was known of is over: longer would be longer than the lease.
const LAST_LOOK: Duration = Duration::from_millis(250);
/// Between two looks near the end, or while Redis does not answer.
const NEAR: Duration = Duration::from_millis(500);
/// The longest between two looks: what is not heard of by an event is seen so late at most.
const FAR: Duration = Duration::from_secs(30);

/// A lease, and until when it is known to go on.
pub(super) struct Lease {
    pool: Pool,
    viewing: Viewing,
    /// Its end, and what may have hidden it.
    ends: Follower,
    until: Instant,
}

impl Lease {
    /// `asked`: before the session was read.
    pub(super) fn new(pool: Pool, viewing: Viewing, ends: Follower, asked: Instant) -> Self {
        let lasts = viewing.session.lease.as_ref().map_or(0, |lease| lease.expires_in_ms);
        Self { pool, viewing, ends, until: asked + Duration::from_millis(lasts) }
    }

    /// Resolves when it is over, or may be: while Redis does not answer nothing is known beyond what it said before.
    pub(super) async fn over(mut self) {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            let next = (left / 2).clamp(NEAR, FAR).min(left);
            // What was heard is looked at, whatever it is.
            let _ = timeout(next, self.ends.next()).await;
            let asked = Instant::now();
            let look = self.pool.still_viewing(&self.viewing);
            let seen =
                if asked < self.until { timeout_at(self.until, look).await } else { timeout(LAST_LOOK, look).await };
            match seen {
                Ok(Ok(Some(lasts))) => self.until = asked + lasts,
                Ok(Ok(None)) => return,
                _ if Instant::now() >= self.until => return,
                // Not all at once while Redis is away.
                _ => tokio::time::sleep(NEAR.min(self.until - Instant::now())).await,
            }
        }
    }
}
