//! How containers are made clean between two sessions, and how long one rests that could not be.

use std::{path::PathBuf, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    Config, ConfigError, between, check,
    webhook::{key, place, place_only, receiver},
};
use crate::model::TargetType;

/// How a container is made clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetKind {
    /// What the provider does best: `restart`, `recreate`, or none.
    Auto,
    /// Not at all: the next session meets what the last one left.
    None,
    /// The engine restarts it.
    Restart,
    /// A command runs in it; exit code 0 means that it is clean.
    Exec,
    /// A new one is made from the same definition, and the old one removed.
    Recreate,
    /// Somebody is asked to by a signed message, and answers when it is clean.
    Webhook,
}

/// `[reset]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResetConfig {
    /// `auto`, `none`, `restart`, `exec`, `recreate` or `webhook`. Default `auto`.
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
    /// For `webhook`: who is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<ResetWebhook>,
    /// After so many sessions a container is made anew, whatever its reset is. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_sessions: Option<u32>,
    /// A container is made anew before it is older, idle ones as well; none that a session has. Default: never.
    #[serde(with = "duration_text::optional", skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
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
            webhook: None,
            max_sessions: None,
            max_age: None,
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
    /// See `[reset]`.
    pub webhook: Option<ResetWebhook>,
    /// See `[reset]`.
    pub max_sessions: Option<u32>,
    /// See `[reset]`.
    #[serde(with = "duration_text::optional")]
    pub max_age: Option<Duration>,
}

/// `[reset.webhook]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetWebhook {
    /// Where the message is posted to. Shown without what follows the host: that may be a secret.
    #[serde(serialize_with = "place_only")]
    pub url: SecretString,
    /// `whsec_` and 24 to 64 bytes in base64. Each signs, so that a receiver can change from one to the other.
    #[serde(serialize_with = "super::redact_all")]
    pub secrets: Vec<SecretString>,
    /// The authorities that sign the receiver's certificate, as PEM; those of the system when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl ResetWebhook {
    /// Its secrets as bytes.
    #[must_use]
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.secrets.iter().filter_map(key).collect()
    }

    /// Its address as it may be shown.
    #[must_use]
    pub fn place(&self) -> String {
        place(self.url.expose_secret())
    }

    fn validate(&self, section: &str) -> Result<(), ConfigError> {
        receiver(&|field| format!("{section}.{field}"), &self.url, &self.secrets, self.ca_file.as_deref())
    }
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
    /// What is done with a container, where `auto` stands for this: `restart`, `recreate` or `none`, as its provider can.
    #[must_use]
    pub fn effective_kind(&self, auto: ResetKind) -> ResetKind {
        match self.kind {
            ResetKind::Auto => auto,
            explicit => explicit,
        }
    }

    /// Whether containers of such a provider have anything done to them after a session.
    #[must_use]
    pub fn wanted(&self, auto: ResetKind) -> bool {
        self.effective_kind(auto) != ResetKind::None || auto != ResetKind::None && self.renews()
    }

    /// Whether that cuts off whoever still uses a container: what they use ends with it.
    #[must_use]
    pub fn cuts_off(&self, auto: ResetKind) -> bool {
        matches!(self.effective_kind(auto), ResetKind::Restart | ResetKind::Recreate)
    }

    /// Whether containers are made anew for what they went through.
    #[must_use]
    pub fn renews(&self) -> bool {
        self.max_sessions.is_some() || self.max_age.is_some()
    }

    /// From which age on a container is made anew: at nine tenths, so that one that is given out has some life left.
    #[must_use]
    pub fn renewal_age(&self) -> Option<Duration> {
        self.max_age.map(|age| age / 10 * 9)
    }

    fn validate(&self, section: &str) -> Result<(), ConfigError> {
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        between(&format!("{section}.deadline"), self.deadline, second, hour)?;
        between(&format!("{section}.pause"), self.pause, Duration::from_millis(10), hour)?;
        let (key, right) = (format!("{section}.attempts"), "1 to 100");
        check((1..=100).contains(&self.attempts), &key, &self.attempts, right)?;
        if let Some(most) = self.max_sessions {
            check(most >= 1, &format!("{section}.max_sessions"), &most, "at least 1")?;
        }
        if let Some(age) = self.max_age {
            between(&format!("{section}.max_age"), age, second, Duration::from_hours(24 * 366))?;
        }
        if let Some(webhook) = &self.webhook {
            webhook.validate(&format!("{section}.webhook"))?;
        }
        let ok = self.kind != ResetKind::Webhook || self.webhook.is_some();
        check(ok, &format!("{section}.webhook"), &"none", "url and secrets, since kind is webhook")?;
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
            reset.webhook = own.webhook.clone().or(reset.webhook);
            reset.max_sessions = own.max_sessions.or(reset.max_sessions);
            reset.max_age = own.max_age.or(reset.max_age);
        }
        reset
    }

    /// The shortest age that any container may have.
    #[must_use]
    pub fn least_max_age(&self) -> Option<Duration> {
        let own = self.types.values().filter_map(|own| own.reset.as_ref()?.max_age);
        own.chain(self.reset.max_age).min()
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
        assert_eq!(reset.effective_kind(ResetKind::Recreate), ResetKind::Exec);
        assert_eq!((reset.kind, reset.attempts, reset.command), (ResetKind::Exec, 5, vec!["/clean".to_owned()]));
        let other = config.reset_of(&"linux".parse().unwrap());
        assert_eq!(other.effective_kind(ResetKind::Restart), ResetKind::Restart);
        assert_eq!(other.effective_kind(ResetKind::None), ResetKind::None);
    }

    #[test]
    fn a_webhook_is_needed_to_ask_one_and_its_secrets_are_not_shown() {
        let error = Config::parse("[reset]\nkind = \"webhook\"\n").unwrap_err().to_string();
        assert!(error.contains("reset.webhook") && error.contains("url and secrets"), "{error}");
        let text = |secret: &str| {
            format!(
                "[types.wine.reset]\nkind = \"webhook\"\n[types.wine.reset.webhook]\n\
                 url = \"https://hooks.example/path-secret\"\nsecrets = [\"{secret}\"]\n"
            )
        };
        let config = Config::parse(&text(&format!("whsec_{}", "QUFB".repeat(8)))).unwrap();
        let shown = toml::to_string(&config).unwrap() + &format!("{config:?}");
        assert!(shown.contains("https://hooks.example/***"), "{shown}");
        let error = Config::parse(&text("whsec_QUFB")).unwrap_err().to_string();
        assert!(error.contains("types.wine.reset.webhook.secrets"), "{error}");
        for webhook in ["url = \"http://h/\"\nsecrets = \"hidden\"", "url = 7\nsecrets = [\"hidden\"]"] {
            let error = Config::parse(&format!("[reset.webhook]\n{webhook}")).unwrap_err().to_string();
            assert!(error.contains("reset.webhook.") && error.contains("not shown"), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
        assert!(![shown, error].iter().any(|text| text.contains("QUFB") || text.contains("path-secret")));
    }

    #[test]
    fn a_command_is_needed_to_run_one() {
        let error = Config::parse("[types.wine.reset]\nkind = \"exec\"\n").unwrap_err().to_string();
        assert!(error.starts_with("configuration: types.wine.reset.command = []: a program"), "{error}");
        let error = Config::parse("[quarantine]\nfirst = \"2h\"\n").unwrap_err().to_string();
        assert!(error.contains("quarantine.longest"), "{error}");
    }
}
