//! Going on after a loss of Redis: a new epoch, and leases that are taken up again as they are proven.

use std::time::Duration;

use super::{
    Heartbeat, Store, StoreError, Way, scripts,
    sessions::{bytes, flag, millis},
};
use crate::model::{EndReason, LeaseProof, Session, TargetType};

/// Why nothing begins yet.
const GATHERING: &str = "its data may be old, and what other replicas know of the time before is waited for";

/// How a type that was found on another server, or without data, goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Verdict {
    /// Nothing of the type's name was ever known here.
    new: bool,
    /// When that was found, by Redis's clock.
    met_ms: u64,
}

/// What became of a lease that was proven.
#[derive(Debug)]
pub enum Adopted {
    /// It is live again.
    Renewed(Session),
    /// There is nothing to take up: no recovery, or a lease of this epoch, which the data would know.
    NotFound,
    /// The data knows it as ended, or ended it in favour of another.
    Ended(EndReason),
}

impl Store {
    /// Begins an epoch of a type: its data were last used with another server, or there are none.
    pub(super) async fn begin(&self, way: Way, target_type: &TargetType) -> Result<(), StoreError> {
        for _ in 0..3 {
            let verdict = self.meet(way, target_type).await?;
            let recovery = &self.shared.recovery;
            let seen = self.shared.journal.seen(target_type);
            let args = [
                if verdict.new { "new" } else { "known" }.to_owned(),
                verdict.met_ms.to_string(),
                millis(recovery.wait),
                millis(recovery.lag),
                millis(recovery.grace),
                flag(recovery.lossless),
                seen.epoch.to_string(),
                seen.token.to_string(),
                millis(if seen.just_now { Duration::ZERO } else { recovery.gather }),
            ];
            let mut reply = self.run_once(way, &scripts::BEGIN, target_type, &bytes(&args)).await?;
            match reply.code.as_str() {
                "known" => return Ok(()),
                "stale" => {}
                "gathering" => return Err(StoreError::Refused(GATHERING.to_owned())),
                "began" => {
                    let (epoch, kept) = (reply.values.number()?, reply.values.number()? == 1);
                    let left = reply.values.optional_number()?.map(Duration::from_millis);
                    if verdict.new {
                        // It is not new any more: whoever finds no data of it from now on has lost them.
                        let mut met = redis::cmd("HSET");
                        met.arg(self.shared.keys.types()).arg(target_type.as_str()).arg(0);
                        let _: u64 = self.command(&met).await?;
                    }
                    log_epoch(target_type, epoch, kept, left);
                    return Ok(());
                }
                _ => return Err(reply.unexpected()),
            }
        }
        Err(StoreError::Refused("Redis's clock runs away".to_owned()))
    }

    /// Makes a type known, and says whether it is new.
    async fn meet(&self, way: Way, target_type: &TargetType) -> Result<Verdict, StoreError> {
        let wait = millis(self.shared.recovery.wait);
        let args = [target_type.as_str().as_bytes(), wait.as_bytes()];
        let mut reply = self.run_at(way, &scripts::MEET_TYPE, &self.shared.keys.types(), &args).await?;
        let new = match reply.code.as_str() {
            "new" => true,
            "known" => false,
            _ => return Err(reply.unexpected()),
        };
        Ok(Verdict { new, met_ms: reply.values.number()? })
    }

    /// Makes a type known that was not: a new one begins its first epoch at once.
    pub(super) async fn introduce(&self, target_type: &TargetType) -> Result<(), StoreError> {
        self.begin(Way::Slow, target_type).await
    }

    /// Takes up a lease that its holder proved.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn adopt(&self, proof: &LeaseProof) -> Result<Adopted, StoreError> {
        let rows = self.adopt_all(&proof.target_type, false, &[(proof, None)]).await?;
        rows.into_iter().next().ok_or_else(|| StoreError::Protocol { script: "adopt", answer: "no row".to_owned() })
    }

    /// Replays what this replica remembers of a type, once in each recovery. Says how many leases were taken up.
    ///
    /// # Errors
    /// See [`StoreError`]; the next call replays all again.
    pub async fn replay(&self, target_type: &TargetType, epoch: u64) -> Result<usize, StoreError> {
        let Some(rows) = self.shared.journal.to_replay(target_type, epoch) else { return Ok(0) };
        let mut taken = 0;
        // Also one that remembers no lease says which fencing tokens it has seen.
        let none = rows.is_empty().then_some(&[][..]);
        for chunk in rows.chunks(100).chain(none) {
            let chunk: Vec<_> = chunk.iter().map(|(proof, lasts)| (proof, Some(*lasts))).collect();
            match self.adopt_all(target_type, true, &chunk).await {
                Ok(outcomes) => taken += outcomes.iter().filter(|one| matches!(one, Adopted::Renewed(_))).count(),
                Err(error) => {
                    self.shared.journal.again(target_type);
                    return Err(error);
                }
            }
        }
        Ok(taken)
    }

    /// Up to 100 proofs; with a time for those that are known to last so long.
    async fn adopt_all(
        &self,
        target_type: &TargetType,
        brief: bool,
        proofs: &[(&LeaseProof, Option<Duration>)],
    ) -> Result<Vec<Adopted>, StoreError> {
        let mut args = vec![flag(brief), self.shared.journal.seen(target_type).token.to_string()];
        for (proof, lasts) in proofs {
            args.extend([
                proof.session.to_string(),
                proof.owner.to_string(),
                proof.container.to_string(),
                proof.incarnation.clone(),
                proof.fencing_token.to_string(),
                proof.epoch.to_string(),
                proof.ttl_ms.to_string(),
                proof.created_ms.to_string(),
                proof.longest_ms.map(|longest| longest.to_string()).unwrap_or_default(),
                lasts.map(millis).unwrap_or_default(),
                if lasts.is_some() { String::new() } else { proof.until_ms.to_string() },
            ]);
        }
        let mut reply = self.run(Way::Hot, &scripts::ADOPT, target_type, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let mut outcomes = Vec::with_capacity(proofs.len());
        for row in reply.values.rows()? {
            let one = row.into_reply()?;
            outcomes.push(match one.code.as_str() {
                "not_found" => Adopted::NotFound,
                "lost" => Adopted::Ended(EndReason::ContainerLost),
                "superseded" => Adopted::Ended(EndReason::Superseded),
                "lapsed" => Adopted::Ended(EndReason::LostInRecovery),
                _ => match self.heartbeat_row(one, target_type, brief).await? {
                    Heartbeat::Renewed(session) => Adopted::Renewed(session),
                    Heartbeat::Ended(session) => Adopted::Ended(session.end_reason.unwrap_or(EndReason::Expired)),
                    _ => Adopted::NotFound,
                },
            });
        }
        Ok(outcomes)
    }

    /// Ends a type's recovery before its time. Says whether there was one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn end_recovery(&self, target_type: &TargetType) -> Result<bool, StoreError> {
        let mut reply = self.run(Way::Slow, &scripts::END_RECOVERY, target_type, &[]).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        Ok(reply.values.number()? == 1)
    }

    /// Marks the Redis as new: types that are not in it have lost nothing. With `force` also one that was found unmarked.
    /// False when it was not marked, because it has data or was found unmarked.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn mark_new(&self, force: bool) -> Result<bool, StoreError> {
        let force = flag(force);
        let reply = self.run_at(Way::Slow, &scripts::INIT, &self.shared.keys.types(), &[force.as_bytes()]).await?;
        match reply.code.as_str() {
            "marked" | "present" => Ok(true),
            "used" => Ok(false),
            _ => Err(reply.unexpected()),
        }
    }
}

fn log_epoch(target_type: &TargetType, epoch: u64, kept: bool, left: Option<Duration>) {
    match (kept, left) {
        (false, None) => tracing::info!(%target_type, epoch, "a new target type"),
        (true, None) => tracing::warn!(
            %target_type, epoch,
            "another Redis server is behind the data: going on, as `recovery.lossless` says that nothing was lost"
        ),
        (kept, Some(left)) => tracing::warn!(
            %target_type, epoch, data_kept = kept, ends_in_seconds = left.as_secs(),
            "Redis may have lost leases: a recovery begins. What may still be held is not given out until its end; \
             `leasehold recover --assume-none` ends it at once, `leasehold init` marks a new Redis before its first use"
        ),
    }
}
