//! How a pool follows demand.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, ScheduleConfig, between, check};
use crate::model::{ScaleTerms, ScaleTime};

/// Most containers that a type may be scaled to.
pub(super) const MOST: u64 = 10_000;

/// `[types.<type>.scale]`: absent, a type is not scaled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The fewest are also this share (more than 0, up to 1) of the most sessions that there were at once within `peak_window`.
    /// Default: no share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_peak: Option<f64>,
    /// How far back the peak is looked for. Default 24h.
    #[serde(default = "day", with = "duration_text::required")]
    pub peak_window: Duration,
    /// When more are to be there, whatever demand is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<ScheduleConfig>,
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

fn day() -> Duration {
    Duration::from_hours(24)
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
            share_of_peak: None,
            peak_window: day(),
            schedule: Vec::new(),
            template: None,
            dry_run: false,
        }
    }

    /// What cannot be changed at run time, as it is shown.
    #[must_use]
    pub fn terms(&self) -> ScaleTerms {
        let time = |entry: &ScheduleConfig| ScaleTime {
            cron: entry.cron.clone(),
            time_zone: entry.time_zone.clone(),
            duration_seconds: entry.duration.as_secs_f64(),
            min: entry.min,
            min_idle: entry.min_idle,
        };
        ScaleTerms {
            up_pause_seconds: self.up_pause.as_secs_f64(),
            calm_seconds: self.calm.as_secs_f64(),
            share_of_peak: self.share_of_peak,
            peak_window_seconds: self.peak_window.as_secs_f64(),
            schedule: self.schedule.iter().map(time).collect(),
            template: self.template.clone(),
            dry_run: self.dry_run,
        }
    }

    /// Whether it can be used; `section` is what its keys are told with.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn validate(&self, section: &str) -> Result<(), ConfigError> {
        let key = |name: &str| format!("{section}.{name}");
        let most = format!("at most {section}.max");
        check((1..=MOST).contains(&self.max), &key("max"), &self.max, &format!("1 to {MOST}"))?;
        check(self.min <= self.max, &key("min"), &self.min, &most)?;
        check(self.min_idle <= self.max, &key("min_idle"), &self.min_idle, &most)?;
        between(&key("up_pause"), self.up_pause, Duration::from_millis(500), day())?;
        between(&key("calm"), self.calm, Duration::from_secs(1), day())?;
        if let Some(share) = self.share_of_peak {
            check(share > 0.0 && share <= 1.0, &key("share_of_peak"), &share, "more than 0, up to 1")?;
        }
        between(&key("peak_window"), self.peak_window, Duration::from_hours(1), 7 * day())?;
        for (at, entry) in self.schedule.iter().enumerate() {
            entry.validate(&key(&format!("schedule[{at}]")), self.max)?;
        }
        Ok(())
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
