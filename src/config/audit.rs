//! `[audit]`: how the data in Redis are looked through for faults.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};

use super::{ConfigError, validate::between};

/// `[audit]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// From the end of an audit of a type to the begin of the next one; 0s: none. Default 10m.
    #[serde(with = "duration_text::required")]
    pub interval: Duration,
    /// Between two pages of one. Default 100ms.
    #[serde(with = "duration_text::required")]
    pub pause: Duration,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { interval: Duration::from_mins(10), pause: Duration::from_millis(100) }
    }
}

impl AuditConfig {
    /// # Errors
    /// The first setting that cannot be used.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let day = Duration::from_hours(24);
        between("audit.interval", self.interval, Duration::ZERO, day)?;
        between("audit.pause", self.pause, Duration::ZERO, Duration::from_secs(10))
    }
}
