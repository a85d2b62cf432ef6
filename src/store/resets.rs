//! Resets: claimed by a worker for a limited time, and how they went.

use std::time::Duration;

use super::{
    Store, StoreError, Way,
    registry::shortened,
    scripts,
    sessions::{bytes, millis},
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
    /// Whether an operator has it restarted.
    pub restart: bool,
    /// How many sessions used it since it was made.
    pub uses: u64,
    /// What it is made anew from, once that has begun: it goes on whatever became of the container.
    pub definition: Option<String>,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetOutcome {
    /// The container is clean.
    Clean,
    /// It was restarted: it is clean as soon as discovery sees the new incarnation.
    Restarted,
    /// Another container is in its place, and fit.
    Replaced,
    /// It failed, for this reason; the next attempt is made after the pause.
    Failed(String, Duration),
}

/// What became of a container by a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetReported {
    /// It is clean.
    Clean,
    /// The one in its place is given out from now on.
    Replaced,
    /// It is clean as soon as discovery sees its new incarnation.
    Unseen,
    /// It is tried again.
    Again,
    /// It rests.
    Failed,
    /// Another worker has it, or it is gone: the report was dropped.
    Stale,
}

/// Whether an idle container is made clean for its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outdated {
    /// It is work.
    Taken,
    /// It is not idle, or gone.
    Busy,
    /// Enough of its type are being made clean.
    Later,
}

/// Whether a container may take the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacing {
    /// It is given out when the other is gone.
    Known,
    /// Discovery has not seen it yet.
    Unseen,
    /// Another worker has the reset.
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
                restart: row.text()? == "1",
                uses: row.number()?,
                definition: row.optional_text()?,
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
        let how = match outcome {
            ResetOutcome::Restarted => "restarted",
            ResetOutcome::Replaced => "replaced",
            ResetOutcome::Clean | ResetOutcome::Failed(..) => "",
        };
        let args = [
            task.id.to_string(),
            task.attempt.to_string(),
            // Longer values would make the container's record four times as large in Redis.
            shortened(failure, 60).replace(char::is_control, " "),
            how.to_owned(),
            millis(pause),
            terms.attempts.to_string(),
            millis(terms.rest),
            millis(terms.longest_rest),
        ];
        let reply = self.run(Way::Slow, &scripts::REPORT_RESET, target_type, &bytes(&args)).await?;
        Ok(match reply.code.as_str() {
            "clean" => ResetReported::Clean,
            "replaced" => ResetReported::Replaced,
            "unseen" => ResetReported::Unseen,
            "again" => ResetReported::Again,
            "failed" => ResetReported::Failed,
            "stale" => ResetReported::Stale,
            _ => return Err(reply.unexpected()),
        })
    }

    /// Has an idle container made clean for its age, unless more than a share (in percent) of its type are being made clean.
    /// Safe to repeat.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn outdate(
        &self,
        target_type: &TargetType,
        id: &ContainerId,
        share: u32,
    ) -> Result<Outdated, StoreError> {
        let args = [id.to_string(), share.to_string()];
        let reply = self.run(Way::Slow, &scripts::OUTDATE, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => Ok(Outdated::Taken),
            "busy" => Ok(Outdated::Busy),
            "later" => Ok(Outdated::Later),
            _ => Err(reply.unexpected()),
        }
    }

    /// Keeps what a container is made anew from, before anything is done to it. What is kept (what was kept first); none
    /// when another worker has the reset. Safe to repeat.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn keep_definition(
        &self,
        target_type: &TargetType,
        task: &ResetTask,
        definition: &str,
    ) -> Result<Option<String>, StoreError> {
        let args = [task.id.to_string(), task.attempt.to_string(), definition.to_owned()];
        let mut reply = self.run(Way::Slow, &scripts::KEEP_DEFINITION, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => Ok(Some(reply.values.text()?)),
            "stale" => Ok(None),
            _ => Err(reply.unexpected()),
        }
    }

    /// Says which container takes the place of one that is made anew. Safe to repeat.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn replace(
        &self,
        target_type: &TargetType,
        task: &ResetTask,
        new: &ContainerId,
    ) -> Result<Replacing, StoreError> {
        let args = [task.id.to_string(), task.attempt.to_string(), new.to_string()];
        let reply = self.run(Way::Slow, &scripts::REPLACE, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => Ok(Replacing::Known),
            "unseen" => Ok(Replacing::Unseen),
            "stale" => Ok(Replacing::Stale),
            _ => Err(reply.unexpected()),
        }
    }
}
