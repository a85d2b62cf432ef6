//! How a pool follows demand.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, between, check};

/// Most containers that a type may be scaled to.
pub(super) const MOST: u64 = 10_000;

/// `[types.<type>.scale]`: absent, a type is not scaled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleConfig {
    /// Containers that are idle beside those in use and those that somebody waits for. Default 1.
    #[serde(default = "one")]
    pub min_idle: u64,
    /// The fewest containers. Default 0.
    #[serde(default)]
    pub min: u64,
    /// The most containers, whatever they do.
    pub max: u64,
    /// Between two additions, so that the first are seen before more are made. Default 5s.
    #[serde(default = "five_seconds", with = "duration_text::required")]
    pub up_pause: Duration,
    /// A container is taken away when so long none was needed beyond those that stay. Default 5m.
    #[serde(default = "five_minutes", with = "duration_text::required")]
    pub calm: Duration,
    /// The name of a container, or of a Compose service, that new ones are made like. Default: the oldest of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Decide, and tell what would be done, but do nothing. Default false.
    #[serde(default)]
    pub dry_run: bool,
}

fn one() -> u64 {
    1
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn five_minutes() -> Duration {
    Duration::from_mins(5)
}

impl ScaleConfig {
    /// What holds where an operator scales a type that is not configured to be.
    #[must_use]
    pub fn unconfigured() -> Self {
        Self {
            min_idle: one(),
            min: 0,
            max: 0,
            up_pause: five_seconds(),
            calm: five_minutes(),
            template: None,
            dry_run: false,
        }
    }

    fn validate(&self, section: &str) -> Result<(), ConfigError> {
        let day = Duration::from_hours(24);
        check((1..=MOST).contains(&self.max), &format!("{section}.max"), &self.max, &format!("1 to {MOST}"))?;
        check(self.min <= self.max, &format!("{section}.min"), &self.min, &format!("at most {section}.max"))?;
        check(
            self.min_idle <= self.max,
            &format!("{section}.min_idle"),
            &self.min_idle,
            &format!("at most {section}.max"),
        )?;
        between(&format!("{section}.up_pause"), self.up_pause, Duration::from_millis(500), day)?;
        between(&format!("{section}.calm"), self.calm, Duration::from_secs(1), day)
    }
}

impl Config {
    pub(super) fn validate_scale(&self) -> Result<(), ConfigError> {
        for (name, own) in &self.types {
            if let Some(scale) = &own.scale {
                scale.validate(&format!("types.{name}.scale"))?;
            }
        }
        Ok(())
    }
}
