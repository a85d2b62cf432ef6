//! How containers are made clean between two sessions, and how long one rests that could not be.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, between, check};
use crate::model::TargetType;

/// How a container is made clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetKind {
    /// `restart` where the provider can, else none.
    Auto,
    /// Not at all: the next session meets what the last one left.
    None,
    /// The engine restarts it.
    Restart,
    /// A command runs in it; exit code 0 means that it is clean.
    Exec,
}

/// `[reset]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResetConfig {
    /// `auto`, `none`, `restart` or `exec`. Default `auto`.
    pub kind: ResetKind,
    /// For `exec`: the program and its arguments.
    pub command: Vec<String>,
    /// The longest that one attempt may take. Default 1m.
    #[serde(with = "duration_text::required")]
    pub deadline: Duration,
    /// Attempts in a row before the container rests. Default 3.
    pub attempts: u32,
    /// Before the second attempt; twice as long before each further one. Default 1s.
    #[serde(with = "duration_text::required")]
    pub pause: Duration,
    /// Resets at a time on one replica (of `[reset]` only). Default 4.
    pub concurrency: usize,
}

impl Default for ResetConfig {
    fn default() -> Self {
        Self {
            kind: ResetKind::Auto,
            command: Vec::new(),
            deadline: Duration::from_mins(1),
            attempts: 3,
            pause: Duration::from_secs(1),
            concurrency: 4,
        }
    }
}

/// `[types.<type>.reset]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypeReset {
    /// See `[reset]`.
    pub kind: Option<ResetKind>,
    /// See `[reset]`.
    pub command: Option<Vec<String>>,
    /// See `[reset]`.
    #[serde(with = "duration_text::optional")]
    pub deadline: Option<Duration>,
    /// See `[reset]`.
    pub attempts: Option<u32>,
    /// See `[reset]`.
    #[serde(with = "duration_text::optional")]
    pub pause: Option<Duration>,
}

/// `[quarantine]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuarantineConfig {
    /// So many failures within `window` put a container into quarantine; 0: none ever do. Default 3.
    pub strikes: u32,
    /// See `strikes`. Default 10m.
    #[serde(with = "duration_text::required")]
    pub window: Duration,
    /// How long a container rests, also one whose reset failed for good, the first time; twice as long each further time in a
    /// row. Default 30s.
    #[serde(with = "duration_text::required")]
    pub first: Duration,
    /// The longest of such rests. Default 1h.
    #[serde(with = "duration_text::required")]
    pub longest: Duration,
    /// The share of a type's containers that may be in quarantine at a time, rounded down; but one where there are two or more. A container that
    /// flaps beyond it stays in use. Default 0.3.
    pub share: f64,
}

impl Default for QuarantineConfig {
    fn default() -> Self {
        Self {
            strikes: 3,
            window: Duration::from_mins(10),
            first: Duration::from_secs(30),
            longest: Duration::from_hours(1),
            share: 0.3,
        }
    }
}

impl ResetConfig {
    /// What is done with a container of a provider that can restart containers, and run commands in them, or cannot.
    #[must_use]
    pub fn effective_kind(&self, acts: bool) -> ResetKind {
        match self.kind {
            ResetKind::Auto if acts => ResetKind::Restart,
            ResetKind::Auto => ResetKind::None,
            explicit => explicit,
        }
    }

    fn validate(&self, section: &str) -> Result<(), ConfigError> {
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        between(&format!("{section}.deadline"), self.deadline, second, hour)?;
        between(&format!("{section}.pause"), self.pause, Duration::from_millis(10), hour)?;
        let (key, right) = (format!("{section}.attempts"), "1 to 100");
        check((1..=100).contains(&self.attempts), &key, &self.attempts, right)?;
        let ok = self.kind != ResetKind::Exec || !self.command.is_empty();
        check(ok, &format!("{section}.command"), &"[]", "a program and its arguments, since kind is exec")
    }
}

impl Config {
    /// How containers of `target_type` are made clean: its own settings over those of `[reset]`.
    #[must_use]
    pub fn reset_of(&self, target_type: &TargetType) -> ResetConfig {
        let mut reset = self.reset.clone();
        if let Some(own) = self.types.get(target_type).and_then(|t| t.reset.as_ref()) {
            reset.kind = own.kind.unwrap_or(reset.kind);
            reset.command = own.command.clone().unwrap_or(reset.command);
            reset.deadline = own.deadline.unwrap_or(reset.deadline);
            reset.attempts = own.attempts.unwrap_or(reset.attempts);
            reset.pause = own.pause.unwrap_or(reset.pause);
        }
        reset
    }

    /// # Errors
    /// The first setting of `[reset]` or `[quarantine]` that cannot be used.
    pub(super) fn validate_resets(&self) -> Result<(), ConfigError> {
        self.reset.validate("reset")?;
        check(self.reset.concurrency >= 1, "reset.concurrency", &self.reset.concurrency, "at least 1")?;
        for target_type in self.types.keys() {
            self.reset_of(target_type).validate(&format!("types.{target_type}.reset"))?;
        }
        let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
        let quarantine = &self.quarantine;
        check(quarantine.strikes <= 20, "quarantine.strikes", &quarantine.strikes, "0 to 20")?;
        between("quarantine.window", quarantine.window, second, day)?;
        check((0.0..=1.0).contains(&quarantine.share), "quarantine.share", &quarantine.share, "0 to 1")?;
        between("quarantine.first", self.quarantine.first, second, day)?;
        between("quarantine.longest", self.quarantine.longest, self.quarantine.first, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_its_own_reset_and_shares_the_rest() {
        let text = "[reset]\nattempts = 5\n[types.wine.reset]\nkind = \"exec\"\ncommand = [\"/clean\"]\n";
        let config = Config::parse(text).unwrap();
        let reset = config.reset_of(&"wine".parse().unwrap());
        assert_eq!((reset.kind, reset.attempts, reset.command), (ResetKind::Exec, 5, vec!["/clean".to_owned()]));
        let other = config.reset_of(&"linux".parse().unwrap());
        assert_eq!(other.effective_kind(true), ResetKind::Restart);
        assert_eq!(other.effective_kind(false), ResetKind::None);
    }

    #[test]
    fn a_command_is_needed_to_run_one() {
        let error = Config::parse("[types.wine.reset]\nkind = \"exec\"\n").unwrap_err().to_string();
        assert!(error.starts_with("configuration: types.wine.reset.command = []: a program"), "{error}");
        let error = Config::parse("[quarantine]\nfirst = \"2h\"\n").unwrap_err().to_string();
        assert!(error.contains("quarantine.longest"), "{error}");
    }
}
