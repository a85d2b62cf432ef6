//! The range of every setting, and which contradict each other.

use std::{path::PathBuf, time::Duration};

use secrecy::ExposeSecret as _;

use super::{Config, ConfigError, HealthConfig, RedisConfig, RedisPlace, RedisUrl, redacted};

impl Config {
    /// # Errors
    /// The first setting that cannot be used.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        let prefix_ok = !self.prefix.is_empty()
            && self.prefix.len() <= 64
            && self.prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
        check(prefix_ok, "prefix", &self.prefix, "1 to 64 of letters, digits and . _ : -")?;
        self.redis.validate()?;
        self.audit.validate()?;
        self.viewers.validate()?;
        self.telemetry.validate()?;
        between("reaper_interval", self.reaper_interval, Duration::from_millis(50), Duration::from_mins(1))?;
        let hour = Duration::from_hours(1);
        let day = 24 * hour;
        between("limits.ttl_min", limits.ttl_min, Duration::from_secs(1), day)?;
        between("limits.ttl_max", limits.ttl_max, limits.ttl_min, day)?;
        between("limits.ttl_default", limits.ttl_default, limits.ttl_min, limits.ttl_max)?;
        between("limits.guide_ttl", limits.guide_ttl, Duration::from_secs(1), 30 * day)?;
        between("limits.first_span", limits.first_span, Duration::from_secs(1), hour)?;
        between("limits.confirm", limits.confirm, Duration::from_secs(1), Duration::from_mins(10))?;
        between("limits.ticket_life", limits.ticket_life, Duration::from_secs(1), Duration::from_mins(10))?;
        between("limits.wait_max", limits.wait_max, limits.ticket_life, day)?;
        between("limits.long_poll_max", limits.long_poll_max, Duration::from_secs(1), hour)?;
        between("limits.ended_kept", limits.ended_kept, Duration::from_secs(1), 30 * day)?;
        if let Some(longest) = self.recovery.longest_lease {
            between("recovery.longest_lease", longest, Duration::from_secs(1), 30 * day)?;
        }
        between("recovery.lag", self.recovery.lag, Duration::ZERO, hour)?;
        between("recovery.grace", self.recovery.grace, Duration::ZERO, hour)?;
        between("recovery.gather", self.recovery.gather, Duration::ZERO, hour)?;
        for key in &self.lease_tokens.keys {
            let ok = key.expose_secret().len() >= 32;
            check(ok, "lease_tokens.keys", &"(not shown)", "at least 32 bytes each, as from `openssl rand -hex 32`")?;
        }
        if let Some(most) = limits.max_duration {
            between("limits.max_duration", most, limits.ttl_min, 365 * day)?;
        }
        if let Some(most) = limits.idle_max {
            between("limits.idle_max", most, Duration::from_secs(1), 365 * day)?;
        }
        between("limits.warning", limits.warning, Duration::ZERO, day)?;
        check((1..=10_000).contains(&limits.page_max), "limits.page_max", &limits.page_max, "1 to 10000")?;
        let page_ok = limits.page_default >= 1 && limits.page_default <= limits.page_max;
        check(page_ok, "limits.page_default", &limits.page_default, "1 to limits.page_max")?;
        check(limits.body_bytes >= 1024, "limits.body_bytes", &limits.body_bytes, "at least 1024")?;
        check(limits.events_kept >= 100, "limits.events_kept", &limits.events_kept, "at least 100")?;
        between("discovery.resync", self.discovery.resync, Duration::from_millis(200), hour)?;
        between("discovery.lock", self.discovery.lock, Duration::from_millis(500), Duration::from_mins(5))?;
        Self::validate_probe("health", &self.health)?;
        check(self.health.concurrency >= 1, "health.concurrency", &self.health.concurrency, "at least 1")?;
        for target_type in self.types.keys() {
            Self::validate_probe(&format!("types.{target_type}.probe"), &self.probe_of(target_type))?;
        }
        self.validate_resets()?;
        self.validate_scale()?;
        for (at, provider) in self.provider.iter().enumerate() {
            let again = self.provider[..at].iter().any(|other| other.name() == provider.name());
            check(!again, "provider.name", provider.name(), "each name once")?;
            provider.validate()?;
        }
        for (at, webhook) in self.webhook.iter().enumerate() {
            let again = self.webhook[..at].iter().any(|other| other.name == webhook.name);
            check(!again, "webhook.name", &webhook.name, "each name once")?;
            webhook.validate()?;
        }
        for key in &self.api_key {
            key.validate()?;
        }
        self.validate_access()
    }

    fn validate_access(&self) -> Result<(), ConfigError> {
        let file = |path: &Option<PathBuf>| path.as_ref().map_or("none".to_owned(), |path| path.display().to_string());
        let (cert, key) = (&self.tls.cert_file, &self.tls.key_file);
        check(cert.is_some() || key.is_none(), "tls.cert_file", &file(cert), "with tls.key_file, or neither")?;
        check(key.is_some() || cert.is_none(), "tls.key_file", &file(key), "with tls.cert_file, or neither")?;
        for origin in &self.cors.origins {
            let right = "exact origins, as a browser sends them: https://desk.example or http://localhost:3000";
            check(is_origin(origin), "cors.origins", origin, right)?;
        }
        Ok(())
    }

    fn validate_probe(section: &str, probe: &HealthConfig) -> Result<(), ConfigError> {
        between(&format!("{section}.interval"), probe.interval, Duration::from_millis(100), Duration::from_hours(1))?;
        between(&format!("{section}.timeout"), probe.timeout, Duration::from_millis(10), probe.interval)?;
        check(probe.rise >= 1, &format!("{section}.rise"), &probe.rise, "at least 1")?;
        if let Some(bound) = probe.fresh_within.filter(|bound| !bound.is_zero()) {
            let (key, least) = (format!("{section}.fresh_within"), probe.least_fresh());
            let right = format!("0s, or from {least:?} (interval and a tenth, and timeout) to 24h");
            check((least..=Duration::from_hours(24)).contains(&bound), &key, &format!("{bound:?}"), &right)?;
        }
        check(probe.fall >= 1, &format!("{section}.fall"), &probe.fall, "at least 1")?;
        check(probe.path.starts_with('/'), &format!("{section}.path"), &probe.path, "a path that starts with /")
    }
}

/// Whether a browser could send this as `Origin`: scheme, host and perhaps a port, in small letters, nothing behind.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    ["http", "https"].contains(&scheme)
        && !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_:[]".contains(&b))
}

impl RedisConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        let given = self.url.expose_secret();
        let wrong = |right| ConfigError::Wrong { key: "redis.url".to_owned(), given: redacted(given), right };
        let url = RedisUrl::parse(given).map_err(wrong)?;
        between("redis.timeout", self.timeout, Duration::from_millis(10), Duration::from_secs(30))?;
        check((1..=1024).contains(&self.pool_size), "redis.pool_size", &self.pool_size, "1 to 1024")?;
        check(self.wait_replicas <= 16, "redis.wait_replicas", &self.wait_replicas, "0 to 16")?;
        if self.wait_replicas > 0 {
            // Taking the grant back needs time as well.
            between("redis.wait_timeout", self.wait_timeout, Duration::from_millis(1), self.timeout / 2)?;
        }
        let secret = self.sentinel_password.is_some();
        let sentinel = matches!(url.place, RedisPlace::Sentinel { .. });
        check(sentinel || !secret, "redis.sentinel_password", &"(not shown)", "none without redis+sentinel://")?;
        let user = self.sentinel_user.as_deref().unwrap_or_default();
        check(secret || user.is_empty(), "redis.sentinel_user", &user, "none without redis.sentinel_password")?;
        let files =
            [("ca_file", &self.tls.ca_file), ("cert_file", &self.tls.cert_file), ("key_file", &self.tls.key_file)];
        for (name, file) in files.into_iter().filter_map(|(name, file)| file.as_ref().map(|file| (name, file))) {
            let key = format!("redis.tls.{name}");
            check(url.tls, &key, &file.display(), "none without rediss:// in redis.url")?;
            check(file.is_file(), &key, &file.display(), "a file in PEM that can be read")?;
        }
        let certificate = self.tls.cert_file.as_ref().or(self.tls.key_file.as_ref());
        let both = self.tls.cert_file.is_some() == self.tls.key_file.is_some();
        let shown = certificate.map(|file| file.display().to_string()).unwrap_or_default();
        check(both, "redis.tls", &shown, "cert_file and key_file, both or none")
    }
}

pub(super) fn check(ok: bool, key: &str, given: &impl ToString, right: &str) -> Result<(), ConfigError> {
    if ok {
        return Ok(());
    }
    Err(ConfigError::Wrong { key: key.to_owned(), given: given.to_string(), right: right.to_owned() })
}

pub(super) fn between(key: &str, given: Duration, least: Duration, most: Duration) -> Result<(), ConfigError> {
    check((least..=most).contains(&given), key, &format!("{given:?}"), &format!("from {least:?} to {most:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn a_certificate_and_its_key_come_together() {
        let cert = refusal(|config| config.tls.key_file = Some("/k.pem".into()));
        assert_eq!(cert, "configuration: tls.cert_file = none: with tls.key_file, or neither");
        let key = refusal(|config| config.tls.cert_file = Some("/c.pem".into()));
        assert_eq!(key, "configuration: tls.key_file = none: with tls.cert_file, or neither");
    }

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
        for good in ["https://desk.example", "http://localhost:3000", "http://[::1]:8088"] {
            let config = Config { cors: super::super::CorsConfig { origins: vec![good.into()] }, ..Config::default() };
            assert!(config.validate().is_ok(), "{good}");
        }
        for bad in
            ["*", "", "desk.example", "https://desk.example/", "https://Desk.example", "https://*.example", "null"]
        {
            let error = refusal(|config| config.cors.origins = vec![bad.into()]);
            assert!(error.starts_with(&format!("configuration: cors.origins = {bad}: exact origins")), "{error}");
        }
    }
}
