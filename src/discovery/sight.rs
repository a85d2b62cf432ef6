//! What the clocks showed before a provider was asked what there is: whether a container was started after a loss of Redis.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use crate::{
    model::{Observation, TargetType},
    store::Loss,
};

/// A clock of Redis that is set forward by less than this passes for time that went by (`lua/lib/open.lua`).
const UNNOTICED: Duration = Duration::from_secs(2);

/// One question to the provider: a full look, or one after changes.
pub(super) struct Sight {
    /// Its place in the order of all calls.
    pub(super) number: u64,
    /// The latest losses of Redis. How long ago they were found was asked before `clock`.
    pub(super) losses: BTreeMap<TargetType, Loss>,
    /// The provider's own clock; none when nothing is asked of it, or it could not be told.
    pub(super) clock: Option<Timestamp>,
}

impl Sight {
    /// The epoch that began with a loss which the container was surely started after. Times of one clock are never compared with
    /// those of another: its age by the provider's clock is less than the time since the loss by Redis's. For `lag` a former
    /// primary may have gone on granting, also what was started then.
    pub(super) fn after_loss(&self, seen: &Observation, lag: Duration) -> Option<u64> {
        let loss = self.losses.get(&seen.target_type)?;
        // None for what seems to come from the future: its clock was set since, or it came later and will be seen again.
        let age = Duration::try_from(self.clock?.duration_since(seen.started?)).ok()?;
        (age + lag + UNNOTICED < loss.ago).then_some(loss.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{About, EngineHealth, EngineState};

    const LAG: Duration = Duration::from_secs(10);

    /// What is said of a container of this age, a minute after a loss; none for an age that is not known.
    fn after_loss(age: Option<i64>) -> Option<u64> {
        let clock = Timestamp::from_second(1_000_000).unwrap();
        let wine: TargetType = "wine".parse().unwrap();
        let seen = Observation {
            id: "one".parse().unwrap(),
            target_type: wine.clone(),
            incarnation: "first".to_owned(),
            started: age.map(|age| Timestamp::from_second(1_000_000 - age).unwrap()),
            state: EngineState::Running,
            health: EngineHealth::None,
            about: About::default(),
        };
        let loss = Loss { epoch: 7, over: false, ago: Duration::from_mins(1) };
        Sight { number: 1, losses: [(wine, loss)].into(), clock: Some(clock) }.after_loss(&seen, LAG)
    }

    #[test]
    fn only_what_is_surely_younger_than_the_loss_was_started_after_it() {
        for (age, expected) in [(0, Some(7)), (47, Some(7)), (48, None), (60, None), (3600, None), (-1, None)] {
            assert_eq!(after_loss(Some(age)), expected, "{age} s old");
        }
        assert_eq!(after_loss(None), None);
    }
}
