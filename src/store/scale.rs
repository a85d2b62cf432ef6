//! Scaling: who decides about a type's size, what that is decided on, and which containers go.

use std::time::Duration;

use super::{
    Store, StoreError, Way, scripts,
    sessions::{bytes, flag, millis},
    view::time_text,
};
use crate::model::{ContainerId, TargetType, TypeScale};

/// What a decision about a type's size is made on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScalePlan {
    /// Pool time, in milliseconds.
    pub now_ms: u64,
    /// Redis's clock, in milliseconds since 1970: what schedules go by.
    pub clock_ms: u64,
    /// Sessions that have a container.
    pub leases: u64,
    /// Sessions that are offered one.
    pub offers: u64,
    /// Sessions that wait.
    pub queued: u64,
    /// All containers.
    pub containers: u64,
    /// Those that are unhealthy.
    pub unhealthy: u64,
    /// Those that an operator cordoned.
    pub cordoned: u64,
    /// Those that are being taken away.
    pub leaving: u64,
    /// What the last decision left.
    pub memory: Option<String>,
    /// Why it was made.
    pub reason: Option<String>,
    /// What new containers are made like.
    pub template: Option<String>,
    /// Up to a hundred of those that are being taken away.
    pub taken: Vec<ContainerId>,
    /// The epoch that it is of: in another one, containers that were being taken away may be anybody's.
    pub epoch: u64,
}

/// A decision, as it is kept and told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleNote<'a> {
    /// What the next decision needs.
    pub memory: &'a str,
    /// The word for why.
    pub reason: &'a str,
    /// How many there should be.
    pub wanted: u64,
    /// How many more, or fewer when below 0.
    pub change: i64,
    /// Whether this reason is told, also where nothing changes.
    pub told: bool,
    /// More, in words; empty for nothing.
    pub detail: &'a str,
    /// What new containers are made like, when that is news.
    pub template: Option<&'a str>,
    /// That of the plan.
    pub epoch: u64,
}

impl Store {
    /// Claims the scaling of a type for `hold`, or goes on with it. None: another replica has it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn plan_scale(
        &self,
        target_type: &TargetType,
        replica: &str,
        hold: Duration,
    ) -> Result<Option<ScalePlan>, StoreError> {
        let args = [replica.to_owned(), millis(hold)];
        let mut reply = self.run(Way::Slow, &scripts::PLAN_SCALE, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => {}
            "busy" => return Ok(None),
            _ => return Err(reply.unexpected()),
        }
        let values = &mut reply.values;
        Ok(Some(ScalePlan {
            now_ms: values.number()?,
            clock_ms: values.number()?,
            leases: values.number()?,
            offers: values.number()?,
            queued: values.number()?,
            containers: values.number()?,
            unhealthy: values.number()?,
            cordoned: values.number()?,
            leaving: values.number()?,
            memory: values.optional_text()?,
            reason: values.optional_text()?,
            template: values.optional_text()?,
            taken: ids(values.texts()?, scripts::PLAN_SCALE.name)?,
            epoch: values.number()?,
        }))
    }

    /// Keeps and tells a decision. Says whether this replica still has the type, and Redis what it was planned by.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn note_scale(
        &self,
        target_type: &TargetType,
        replica: &str,
        note: &ScaleNote<'_>,
    ) -> Result<bool, StoreError> {
        let args = [
            replica.to_owned(),
            note.memory.to_owned(),
            note.reason.to_owned(),
            note.wanted.to_string(),
            note.change.to_string(),
            flag(note.told),
            note.detail.to_owned(),
            note.template.unwrap_or_default().to_owned(),
            note.epoch.to_string(),
        ];
        let reply = self.run(Way::Slow, &scripts::NOTE_SCALE, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => Ok(true),
            "lost" => Ok(false),
            _ => Err(reply.unexpected()),
        }
    }

    /// What was decided last about a type's size; none where nothing was yet.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn scale_state(&self, target_type: &TargetType) -> Result<Option<TypeScale>, StoreError> {
        let key = self.shared.keys.epoch(target_type);
        let mut reply = self.run_at(Way::Slow, &scripts::SCALE_STATE, &key, &[]).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let values = &mut reply.values;
        let now = values.number()?;
        let (wanted, reason) = (values.optional_number()?, values.optional_text()?);
        let (detail, at) = (values.optional_text()?, values.optional_number()?);
        // Before its time was kept, a decision is none.
        let (Some(wanted), Some(reason), Some(at)) = (wanted, reason, at) else { return Ok(None) };
        let age = Duration::from_millis(now.saturating_sub(at));
        let detail = detail.filter(|text| !text.is_empty());
        Ok(Some(TypeScale { wanted, reason, detail, decided_at: time_text(at), age }))
    }

    /// Takes up to `most` of these containers (at most a hundred, in this order) out of the pool for good, as far as no session has
    /// them and `least` that serve are left, and enough for all who are there or wait. Those that were taken; none when another
    /// replica has the type.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn take_away(
        &self,
        target_type: &TargetType,
        replica: &str,
        most: u64,
        least: u64,
        min_idle: u64,
        candidates: &[ContainerId],
    ) -> Result<Vec<ContainerId>, StoreError> {
        let mut args = vec![replica.to_owned(), most.to_string(), least.to_string(), min_idle.to_string()];
        args.extend(candidates.iter().take(100).map(ToString::to_string));
        let mut reply = self.run(Way::Slow, &scripts::TAKE_AWAY, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => ids(reply.values.texts()?, scripts::TAKE_AWAY.name),
            "lost" => Ok(Vec::new()),
            _ => Err(reply.unexpected()),
        }
    }
}

fn ids(texts: Vec<String>, script: &'static str) -> Result<Vec<ContainerId>, StoreError> {
    let wrong = |text: &str| StoreError::Protocol { script, answer: format!("{text:?} instead of a container id") };
    texts.into_iter().map(|text| text.parse().map_err(|_| wrong(&text))).collect()
}
