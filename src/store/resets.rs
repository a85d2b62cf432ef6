//! Resets: claimed by a worker for a limited time, and how they went.

use std::time::Duration;

use super::{
    Store, StoreError, Way,
    registry::shortened,
    scripts,
    sessions::{bytes, flag, millis},
};
use crate::model::{ContainerId, ProviderName, TargetType};

/// How a type's resets are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetTerms {
    /// A worker that has not reported after so long is taken for dead.
    pub deadline: Duration,
    /// Attempts in a row before the container rests.
    pub attempts: u32,
    /// How long it rests the first time; twice as long each further time in a row.
    pub rest: Duration,
    /// The longest that it rests.
    pub longest_rest: Duration,
}

/// One container to make clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetTask {
    /// The container.
    pub id: ContainerId,
    /// Who can act on it.
    pub provider: ProviderName,
    /// Names this attempt: a report of another one is dropped.
    pub attempt: u64,
    /// How many there were in a row, with this one.
    pub tries: u32,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetOutcome {
    /// The container is clean.
    Clean,
    /// It was restarted: it is clean as soon as discovery sees the new incarnation.
    Restarted,
    /// It failed, for this reason; the next attempt is made after the pause.
    Failed(String, Duration),
}

/// What became of a container by a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetReported {
    /// It is clean.
    Clean,
    /// It is clean as soon as discovery sees its new incarnation.
    Unseen,
    /// It is tried again.
    Again,
    /// It rests.
    Failed,
    /// Another worker has it, or it is gone: the report was dropped.
    Stale,
}

impl Store {
    /// Claims up to `most` containers (at most 100) that are to be made clean.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn claim_resets(
        &self,
        target_type: &TargetType,
        most: usize,
        terms: &ResetTerms,
    ) -> Result<Vec<ResetTask>, StoreError> {
        let args = [
            most.min(100).to_string(),
            millis(terms.deadline),
            terms.attempts.to_string(),
            millis(terms.rest),
            millis(terms.longest_rest),
        ];
        let mut reply = self.run(Way::Slow, &scripts::CLAIM_RESETS, target_type, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let mut tasks = Vec::new();
        for mut row in reply.values.rows()? {
            let (id, provider) = (row.text()?, row.text()?);
            tasks.push(ResetTask {
                id: id.parse().map_err(|_| row.wrong_word("a container id", &id))?,
                provider: provider.parse().map_err(|_| row.wrong_word("a provider", &provider))?,
                attempt: row.number()?,
                tries: u32::try_from(row.number()?).unwrap_or(u32::MAX),
            });
        }
        Ok(tasks)
    }

    /// Reports how an attempt went. Safe to repeat.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn report_reset(
        &self,
        target_type: &TargetType,
        task: &ResetTask,
        outcome: &ResetOutcome,
        terms: &ResetTerms,
    ) -> Result<ResetReported, StoreError> {
        let (failure, pause) = match outcome {
            ResetOutcome::Failed(why, pause) => (why.as_str(), *pause),
            _ => ("", Duration::ZERO),
        };
        let args = [
            task.id.to_string(),
            task.attempt.to_string(),
            // Longer values would make the container's record four times as large in Redis.
            shortened(failure, 60).replace(char::is_control, " "),
            flag(*outcome == ResetOutcome::Restarted),
            millis(pause),
            terms.attempts.to_string(),
            millis(terms.rest),
            millis(terms.longest_rest),
        ];
        let reply = self.run(Way::Slow, &scripts::REPORT_RESET, target_type, &bytes(&args)).await?;
        Ok(match reply.code.as_str() {
            "clean" => ResetReported::Clean,
            "unseen" => ResetReported::Unseen,
            "again" => ResetReported::Again,
            "failed" => ResetReported::Failed,
            "stale" => ResetReported::Stale,
            _ => return Err(reply.unexpected()),
        })
    }
}
