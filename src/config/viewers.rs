//! `[viewers]`: who sees desktops through a replica.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};

use super::{
    ConfigError, Reach,
    validate::{between, check},
};

/// `[viewers]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ViewersConfig {
    /// Most viewers at a time on one replica; 0: none are let in. Default 200.
    pub most: usize,
    /// Most of them of one session. Default 8.
    pub per_session: usize,
    /// Most passes of a session that can be used. Default 100.
    pub passes: u64,
    /// How long a pass waits for its viewer when its maker does not say. Default 1m.
    #[serde(with = "duration_text::required")]
    pub pass_life: Duration,
    /// The longest that it may wait. Default 1h.
    #[serde(with = "duration_text::required")]
    pub pass_life_max: Duration,
    /// Where this process reaches desktops. Default `auto`: `internal` in a container, else `published`.
    pub reach: Reach,
}

impl Default for ViewersConfig {
    fn default() -> Self {
        Self {
            most: 200,
            per_session: 8,
            passes: 100,
            pass_life: Duration::from_mins(1),
            pass_life_max: Duration::from_hours(1),
            reach: Reach::Auto,
        }
    }
}

impl ViewersConfig {
    /// # Errors
    /// The first setting that cannot be used.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let day = Duration::from_hours(24);
        check(self.most <= 100_000, "viewers.most", &self.most, "at most 100000")?;
        check((1..=1000).contains(&self.per_session), "viewers.per_session", &self.per_session, "1 to 1000")?;
        check((1..=10_000).contains(&self.passes), "viewers.passes", &self.passes, "1 to 10000")?;
        between("viewers.pass_life_max", self.pass_life_max, Duration::from_secs(1), day)?;
        between("viewers.pass_life", self.pass_life, Duration::from_secs(1), self.pass_life_max)
    }
}
