//! `[[webhook]]`: where events are sent.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::{
    ConfigError,
    validate::{between, check},
};
use crate::model::{TargetType, WebhookName};

/// What a secret of a webhook begins with, by the convention.
const SECRET_PREFIX: &str = "whsec_";

/// `[[webhook]]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Its name.
    pub name: WebhookName,
    /// Where events are posted to. Shown without what follows the host: that may be a secret.
    #[serde(serialize_with = "place_only")]
    pub url: SecretString,
    /// `whsec_` and 24 to 64 bytes in base64. Each signs, so that a receiver can change from one to the other.
    #[serde(serialize_with = "super::redact_all")]
    pub secrets: Vec<SecretString>,
    /// Only events of these types; of all when empty, which is the default.
    #[serde(default)]
    pub target_types: Vec<TargetType>,
    /// Only kinds that begin with one of these; all when empty, which is the default.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// How long a receiver may take to answer. Default 10s.
    #[serde(default = "ten_seconds", with = "duration_text::required")]
    pub timeout: Duration,
    /// Attempts at an event before it is a dead letter. Default 12.
    #[serde(default = "twelve")]
    pub attempts: u32,
    /// The pause after the first attempt; each later one is twice as long. Default 1s.
    #[serde(default = "one_second", with = "duration_text::required")]
    pub first_pause: Duration,
    /// The longest pause. Default 5m.
    #[serde(default = "five_minutes", with = "duration_text::required")]
    pub longest_pause: Duration,
    /// Dead letters kept for each type. Default 1000.
    #[serde(default = "thousand")]
    pub dead_kept: u64,
    /// The authorities that sign the receiver's certificate, as PEM; those of the system when absent.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn five_minutes() -> Duration {
    Duration::from_mins(5)
}

fn twelve() -> u32 {
    12
}

fn thousand() -> u64 {
    1000
}

impl WebhookConfig {
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

    /// # Errors
    /// The first setting that cannot be used.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let key = |field: &str| format!("webhook {:?} {field}", self.name.as_str());
        receiver(&key, &self.url, &self.secrets, self.ca_file.as_deref())?;
        let word =
            |kind: &String| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b"._".contains(&b));
        let kinds = self.kinds.join(", ");
        check(
            self.kinds.iter().all(word),
            &key("kinds"),
            &kinds,
            "kinds of events or their beginnings, as `session.`",
        )?;
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        between(&key("timeout"), self.timeout, second / 10, 60 * second)?;
        between(&key("first_pause"), self.first_pause, second / 100, hour)?;
        between(&key("longest_pause"), self.longest_pause, self.first_pause, 24 * hour)?;
        check((1..=100).contains(&self.attempts), &key("attempts"), &self.attempts, "1 to 100")?;
        check((1..=100_000).contains(&self.dead_kept), &key("dead_kept"), &self.dead_kept, "1 to 100000")
    }
}

/// Whether a receiver can be reached so, and messages signed. `name` is that of a setting.
pub(super) fn receiver(
    name: &dyn Fn(&str) -> String,
    url: &SecretString,
    secrets: &[SecretString],
    ca_file: Option<&Path>,
) -> Result<(), ConfigError> {
    let url = reqwest::Url::parse(url.expose_secret());
    let url_ok = url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    check(url_ok, &name("url"), &"(not shown)", "an address that begins with http:// or https://")?;
    check(!secrets.is_empty(), &name("secrets"), &"none", "at least one")?;
    let right = "whsec_ and 24 to 64 bytes in base64 each, as from `echo whsec_$(openssl rand -base64 32)`";
    check(secrets.iter().all(|secret| key(secret).is_some()), &name("secrets"), &"(not shown)", right)?;
    let file = ca_file.map(|file| file.display().to_string()).unwrap_or_default();
    check(ca_file.is_none_or(Path::is_file), &name("ca_file"), &file, "a file in PEM that can be read")
}

pub(super) fn key(secret: &SecretString) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(secret.expose_secret().strip_prefix(SECRET_PREFIX)?).ok()?;
    (24..=64).contains(&bytes.len()).then_some(bytes)
}

/// Scheme and host.
pub(super) fn place(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization() + "/***",
        _ => "***".to_owned(),
    }
}

pub(super) fn place_only<S: Serializer>(url: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&place(url.expose_secret()))
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn text(url: &str, secret: &str, more: &str) -> String {
        format!("[[webhook]]\nname = \"audit\"\nurl = \"{url}\"\nsecrets = [\"{secret}\"]\n{more}")
    }

    #[test]
    fn what_cannot_be_used_is_named_and_no_secret_is_shown() {
        let good = format!("whsec_{}", "QUFB".repeat(8));
        let url = "https://user:pw@hooks.example:8443/path-secret?token=query-secret";
        let config = Config::parse(&text(url, &good, "")).unwrap();
        let shown = toml::to_string(&config).unwrap();
        assert!(shown.contains("https://hooks.example:8443/***"), "{shown}");
        for secret in ["path-secret", "query-secret", "user:pw", "QUFB"] {
            assert!(!shown.contains(secret) && !format!("{config:?}").contains(secret), "{secret} in {shown}");
        }
        for (text, part) in [
            (text("ftp://hooks.example/path-secret", &good, ""), "url"),
            (text(url, "whsec_QUFB", ""), "secrets"),
            (text(url, "path-secret", ""), "whsec_"),
            (text(url, &good, "kinds = [\"Session\"]"), "kinds"),
            (text(url, &good, "attempts = 0"), "attempts"),
            (text(url, &good, "first_pause = \"10m\""), "longest_pause"),
            (text(url, &good, "") + &text(url, &good, ""), "each name once"),
        ] {
            let error = Config::parse(&text).unwrap_err().to_string();
            assert!(
                error.contains(part) && !error.contains("path-secret") && !error.contains("QUFB"),
                "{part}: {error}"
            );
        }
    }
}
