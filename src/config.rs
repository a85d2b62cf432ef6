//! Every setting, with its default and its range. One struct for each concern.
//!
//! Read in this order, later ones win: the defaults here, the TOML file (`--config` or `LEASEHOLD_CONFIG`), and
//! environment variables: `LEASEHOLD_` and the key in capitals, with two underscores between levels
//! (`LEASEHOLD_REDIS__URL`, `LEASEHOLD_LIMITS__TTL_DEFAULT=30s`).
//!
//! Durations are written as `250ms`, `5s`, `10m`, `1h`.

mod api_key;
mod audit;
mod cron;
mod defaults;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod in_force;
mod links;
mod provider;
mod reach;
mod redaction;
mod redis_url;
mod reset;
mod scale;
mod schedule;
mod telemetry;
mod validate;
mod viewers;
mod webhook;

use std::{
    collections::BTreeMap,
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use self::validate::{between, check};
pub use self::{
    api_key::ApiKeyConfig,
    audit::AuditConfig,
    in_force::InForce,
    provider::{DockerConfig, KubernetesConfig, ProviderConfig, StaticConfig, StaticContainer},
    reach::Reach,
    redaction::{redacted, without_source},
    redis_url::{HostPort, RedisPlace, RedisUrl},
    reset::{QuarantineConfig, ResetConfig, ResetKind, ResetWebhook, TypeReset},
    scale::ScaleConfig,
    schedule::ScheduleConfig,
    telemetry::TelemetryConfig,
    viewers::ViewersConfig,
    webhook::WebhookConfig,
};
use crate::model::{About, TargetType};

/// A setting that cannot be used: which one, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or a variable could not be read into a setting.
    #[error("configuration: {0}")]
    Unreadable(String),
    /// The configuration file that was named does not exist.
    #[error("configuration: there is no file {0}; name an existing one with --config or LEASEHOLD_CONFIG")]
    NoFile(PathBuf),
    /// A value is out of its range, or two contradict each other.
    #[error("configuration: {key} = {given}: {right}")]
    Wrong {
        /// The key with its section, as in `limits.ttl_default`.
        key: String,
        /// The value as given.
        given: String,
        /// What would be right.
        right: String,
    },
}

/// All settings of a replica.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address to listen on. Port 0 takes a free one. Default `127.0.0.1:8088`.
    pub listen: SocketAddr,
    /// The first part of every key in Redis; two pools in one Redis have two prefixes. Default `leasehold`.
    pub prefix: String,
    /// Threads that serve HTTP, each with its own Redis connection; 0 is one for each processor. Default 0.
    pub workers: usize,
    /// How often overdue leases are reclaimed. Default 1s.
    #[serde(with = "duration_text::required")]
    pub reaper_interval: Duration,
    /// How long a replica may take to end after SIGTERM. Default 30s.
    #[serde(with = "duration_text::required")]
    pub shutdown_timeout: Duration,
    /// How long a replica that is to end still serves, while `/readyz` says no, before it stops listening:
    /// longer than load balancers take to notice. Default 3s.
    #[serde(with = "duration_text::required")]
    pub drain: Duration,
    /// Most long polls and streams of events open at a time on one replica. Default 10000.
    pub long_polls: usize,
    /// Redis.
    pub redis: RedisConfig,
    /// What is done after a loss of Redis.
    pub recovery: RecoveryConfig,
    /// How holders prove their leases after a loss of Redis.
    pub lease_tokens: LeaseTokenConfig,
    /// Bounds and defaults of sessions.
    pub limits: Limits,
    /// How containers are discovered.
    pub discovery: DiscoveryConfig,
    /// How containers are probed, unless their type says otherwise.
    pub health: HealthConfig,
    /// How the data in Redis are audited.
    pub audit: AuditConfig,
    /// Who sees desktops through this replica.
    pub viewers: ViewersConfig,
    /// How containers are made clean between sessions, unless their type says otherwise.
    pub reset: ResetConfig,
    /// How long a container rests that fails again and again.
    pub quarantine: QuarantineConfig,
    /// Where traces are sent.
    pub telemetry: TelemetryConfig,
    /// Logs.
    pub log: LogConfig,
    /// Target types: those that are listed are known before a container of them is found.
    pub types: BTreeMap<TargetType, TypeConfig>,
    /// Where containers are found.
    pub provider: Vec<ProviderConfig>,
    /// Where events are sent.
    pub webhook: Vec<WebhookConfig>,
    /// API keys, beside those of `api_keys_file`.
    pub api_key: Vec<ApiKeyConfig>,
    /// A TOML file of `[[api_key]]` entries, read again when it changes.
    pub api_keys_file: Option<PathBuf>,
    /// HTTPS.
    pub tls: TlsConfig,
    /// Web pages of other origins.
    pub cors: CorsConfig,
}

/// `[tls]`: with both files the address that is listened on speaks HTTPS, with neither HTTP.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The server's certificate and those between it and its authority, as PEM; read again when it changes.
    pub cert_file: Option<PathBuf>,
    /// The certificate's private key, as PEM.
    pub key_file: Option<PathBuf>,
}

/// `[cors]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsConfig {
    /// Origins whose pages may call the API, each exact, as in `https://desk.example`. Default none.
    pub origins: Vec<String>,
}

/// `[redis]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// One server (`redis://`), Sentinel (`redis+sentinel://`) or Cluster (`redis+cluster://`); with `rediss` by TLS.
    /// Default `redis://127.0.0.1:6379`.
    #[serde(serialize_with = "redact_url")]
    pub url: SecretString,
    /// The longest one call may take. Default 1s.
    #[serde(with = "duration_text::required")]
    pub timeout: Duration,
    /// Connections for slow and rare calls, to each server. Default 4.
    pub pool_size: usize,
    /// The user for sentinels, when they have ACLs.
    pub sentinel_user: Option<String>,
    /// The password for sentinels, when they ask for one; the one in the URL is for Redis.
    #[serde(serialize_with = "redact_secret")]
    pub sentinel_password: Option<SecretString>,
    /// How many replicas must have a grant before it is answered; 0: none is waited for. Default 0.
    pub wait_replicas: u32,
    /// How long they have for it; then it is taken back, and answered with 503 `not_replicated`. Default 200ms.
    #[serde(with = "duration_text::required")]
    pub wait_timeout: Duration,
    /// For `rediss`.
    pub tls: RedisTls,
}

/// `[redis.tls]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisTls {
    /// The authority that Redis's certificate is of, as PEM; those of the system when absent.
    pub ca_file: Option<PathBuf>,
    /// This client's certificate, as PEM, when Redis asks for one.
    pub cert_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
}

/// `[recovery]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecoveryConfig {
    /// The longest that a holder may go on without a renewal: how long a recovery holds what may be leased. The longest of
    /// `limits.ttl_max`, `limits.guide_ttl` and `limits.first_span` when absent, which is the default.
    #[serde(with = "duration_text::optional")]
    pub longest_lease: Option<Duration>,
    /// Of how much time a failover may lose writes. Default 10s.
    #[serde(with = "duration_text::required")]
    pub lag: Duration,
    /// How long every live holder has time to prove its lease, before the end of a proven one is believed. Default 1m.
    #[serde(with = "duration_text::required")]
    pub grace: Duration,
    /// How long after a loss the replicas say what they know of the epochs before, where Redis's clock may be behind those and
    /// none asks that heard of Redis until just now: so that no epoch's number is used twice. Default 2500ms.
    #[serde(with = "duration_text::required")]
    pub gather: Duration,
    /// Whether Redis loses no acknowledged write at a restart (`appendfsync always`) and, where it has replicas, at a
    /// failover (`redis.wait_replicas`): then only an empty Redis is a loss. Default false.
    pub lossless: bool,
}

/// `[lease_tokens]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeaseTokenConfig {
    /// Secrets of at least 32 bytes, the same on every replica. The first signs; all are believed, so that a new one can be
    /// put before the old one. None: leases cannot be proven. Default none.
    #[serde(serialize_with = "redact_all")]
    pub keys: Vec<SecretString>,
}

/// `[limits]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// A lease's time to live when the client names none. Default 60s.
    #[serde(with = "duration_text::required")]
    pub ttl_default: Duration,
    /// The shortest that a client may ask for. Default 5s.
    #[serde(with = "duration_text::required")]
    pub ttl_min: Duration,
    /// The longest that a client may ask for. Default 10m.
    #[serde(with = "duration_text::required")]
    pub ttl_max: Duration,
    /// The TTL of sessions made by the guide's routes, whose clients send no heartbeats. Default 1h.
    #[serde(with = "duration_text::required")]
    pub guide_ttl: Duration,
    /// The longest that a lease lasts before its first heartbeat, whatever its TTL. Default 1m.
    #[serde(with = "duration_text::required")]
    pub first_span: Duration,
    /// How long an offer, or a session made with `confirm`, waits to be confirmed. Default 10s.
    #[serde(with = "duration_text::required")]
    pub confirm: Duration,
    /// How long a ticket lives without being polled. Default 10s.
    #[serde(with = "duration_text::required")]
    pub ticket_life: Duration,
    /// The longest that a ticket may wait, however often it is polled. Default 10m.
    #[serde(with = "duration_text::required")]
    pub wait_max: Duration,
    /// The longest `wait_seconds` of one request. Default 1m.
    #[serde(with = "duration_text::required")]
    pub long_poll_max: Duration,
    /// Most tickets in one type's line. Default 10000.
    pub line_max: u64,
    /// The largest `priority` (seconds of head start) that a key may ask for when the key says nothing. Default 300.
    pub priority_max: u32,
    /// The longest a session may last in all; none when absent, which is the default.
    #[serde(with = "duration_text::optional")]
    pub max_duration: Option<Duration>,
    /// The longest a session may go on without activity reported by its holder; any time when absent, which is the default.
    #[serde(with = "duration_text::optional")]
    pub idle_max: Option<Duration>,
    /// How long before such an end the holder is warned; not in the first half of the time. Default 1m; 0s: never.
    #[serde(with = "duration_text::required")]
    pub warning: Duration,
    /// Most live sessions of one owner in each type, with those that wait, when its key says nothing; any number when
    /// absent, which is the default.
    pub sessions_max: Option<u64>,
    /// Most of them that wait; the same.
    pub tickets_max: Option<u64>,
    /// How long an ended session can still be read. Default 24h.
    #[serde(with = "duration_text::required")]
    pub ended_kept: Duration,
    /// Default and most items on a page. Defaults 100 and 1000.
    pub page_default: u32,
    /// See `page_default`.
    pub page_max: u32,
    /// Largest request body in bytes. Default 65536.
    pub body_bytes: usize,
    /// Largest `metadata` in bytes of JSON. Default 4096.
    pub metadata_bytes: usize,
    /// Longest `Idempotency-Key` in bytes. Default 255.
    pub idempotency_key_bytes: usize,
    /// Events kept for each type. Default 100000.
    pub events_kept: u64,
}

/// `[discovery]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiscoveryConfig {
    /// A full look at each provider, beside its events. Default 30s.
    #[serde(with = "duration_text::required")]
    pub resync: Duration,
    /// After this time without renewal another replica takes a provider over. Default 5s.
    #[serde(with = "duration_text::required")]
    pub lock: Duration,
    /// A provider that was not seen for this long is shown as stale. Default 90s.
    #[serde(with = "duration_text::required")]
    pub stale_after: Duration,
    /// The label whose value is the target type. Default `leasehold.type`.
    pub label: String,
    /// The guide's system's label for the same. Default `legacy-use.target-type`.
    pub guide_label: String,
    /// The guide's system's label that takes a container out when it is `false`. Default `legacy-use.scalable`.
    pub guide_scalable_label: String,
    /// Whether Compose services named `<type>-target` (or `linux-machine`) take part without a label. Default true.
    pub compose_services: bool,
    /// Take only containers of this Compose project (label `com.docker.compose.project`); all when absent.
    pub compose_project: Option<String>,
}

/// How a probe asks a container whether it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeKind {
    /// `rfb` where the container has a `vnc` endpoint, else none.
    Auto,
    /// Never probed.
    None,
    /// A connection is accepted.
    Tcp,
    /// `GET path` answers 200 to 399.
    Http,
    /// The server greets as RFB (VNC) does.
    Rfb,
}

/// `[health]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthConfig {
    /// `auto`, `none`, `tcp`, `http` or `rfb`. Default `auto`.
    pub kind: ProbeKind,
    /// The name of the endpoint to probe. Default `vnc`.
    pub endpoint: String,
    /// For `http`. Default `/`.
    pub path: String,
    /// Time between two probes of a container, give or take a tenth. Default 5s.
    #[serde(with = "duration_text::required")]
    pub interval: Duration,
    /// The longest a probe may take. Default 2s.
    #[serde(with = "duration_text::required")]
    pub timeout: Duration,
    /// Good probes in a row that make a container healthy. Default 1.
    pub rise: u32,
    /// Bad probes in a row that make it unhealthy. Default 3.
    pub fall: u32,
    /// How old a container's last good probe may be when it is given out: one that is older is probed first. 0s: any age. Default 6
    /// intervals.
    #[serde(with = "duration_text::optional")]
    pub fresh_within: Option<Duration>,
    /// Probes at a time on one replica (of `[health]` only). Default 32.
    pub concurrency: usize,
    /// `auto`, `internal` or `published` (of `[health]` only). Default `auto`.
    pub reach: Reach,
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `text` or `json`. Default `json`.
    pub format: LogFormat,
    /// A `tracing` filter such as `info` or `leasehold=debug`. Default `info`.
    pub filter: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

/// `[types.<type>]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypeConfig {
    /// Endpoint names and the ports inside the container. Default `{vnc = 5900, novnc = 6080}`, for linux also `http = 80`.
    pub ports: Option<BTreeMap<String, u16>>,
    /// How to probe; what is absent is taken from `[health]`.
    pub probe: Option<TypeProbe>,
    /// How to make it clean between sessions; what is absent is taken from `[reset]`.
    pub reset: Option<TypeReset>,
    /// How it follows demand; absent: not at all.
    pub scale: Option<ScaleConfig>,
}

/// `[types.<type>.probe]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypeProbe {
    /// See `[health]`.
    pub kind: Option<ProbeKind>,
    /// See `[health]`.
    pub endpoint: Option<String>,
    /// See `[health]`.
    pub path: Option<String>,
    /// See `[health]`.
    #[serde(with = "duration_text::optional")]
    pub interval: Option<Duration>,
    /// See `[health]`.
    #[serde(with = "duration_text::optional")]
    pub timeout: Option<Duration>,
    /// See `[health]`.
    pub rise: Option<u32>,
    /// See `[health]`.
    pub fall: Option<u32>,
    /// See `[health]`.
    #[serde(with = "duration_text::optional")]
    pub fresh_within: Option<Duration>,
}

impl HealthConfig {
    /// How a container with this description is probed: `auto` decided, and none where it lacks the endpoint to probe.
    /// Discovery (whether) and health (how) both ask here, so that they cannot differ.
    #[must_use]
    pub fn effective_kind(&self, about: &About) -> ProbeKind {
        let reachable = about
            .endpoints
            .get(&self.endpoint)
            .is_some_and(|endpoint| endpoint.address.is_some() || endpoint.internal.is_some());
        match self.kind {
            _ if !reachable => ProbeKind::None,
            ProbeKind::Auto => ProbeKind::Rfb,
            explicit => explicit,
        }
    }

    /// How old the last good probe of a container may be when it is given out; none: any age. Never less than the time from
    /// one probe to the end of the next, also where the interval was changed at run time.
    #[must_use]
    pub fn fresh_bound(&self) -> Option<Duration> {
        let bound = self.fresh_within.unwrap_or(6 * self.interval);
        (!bound.is_zero()).then(|| bound.max(self.least_fresh()))
    }

    /// From the claim of one probe to the end of the next, where that is due a tenth late.
    fn least_fresh(&self) -> Duration {
        self.interval.mul_f64(1.1) + self.timeout
    }
}

impl Config {
    /// Reads the file, if one is named, and the environment, and checks every value.
    ///
    /// # Errors
    /// The first setting that cannot be used, named by its key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = file {
            if !path.is_file() {
                return Err(ConfigError::NoFile(path.to_owned()));
            }
            figment = figment.merge(Toml::file_exact(path));
        }
        // Not settings of a replica: read by the command line and by `api::auth`.
        let mut other: Vec<_> = ["config", "api_key", "url", "roles", "ca_file"].map(str::to_owned).into();
        other.extend(links::service_links(env::vars_os()));
        let variables = Env::prefixed("LEASEHOLD_").filter(move |key| !other.iter().any(|o| key == o.as_str()));
        Self::checked(&figment.merge(variables.split("__")))
    }

    /// Reads the text of a file alone, and checks every value.
    ///
    /// # Errors
    /// The first setting that cannot be used, named by its key.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::checked(&Figment::from(Serialized::defaults(Self::default())).merge(Toml::string(text)))
    }

    fn checked(figment: &Figment) -> Result<Self, ConfigError> {
        let config: Self = figment.extract().map_err(|error| ConfigError::Unreadable(redaction::told(error)))?;
        config.validate()?;
        Ok(config)
    }

    /// How containers of `target_type` are probed: its own settings over those of `[health]`.
    #[must_use]
    pub fn probe_of(&self, target_type: &TargetType) -> HealthConfig {
        let mut probe = self.health.clone();
        if let Some(own) = self.types.get(target_type).and_then(|t| t.probe.as_ref()) {
            probe.kind = own.kind.unwrap_or(probe.kind);
            probe.endpoint = own.endpoint.clone().unwrap_or(probe.endpoint);
            probe.path = own.path.clone().unwrap_or(probe.path);
            probe.interval = own.interval.unwrap_or(probe.interval);
            probe.timeout = own.timeout.unwrap_or(probe.timeout);
            probe.rise = own.rise.unwrap_or(probe.rise);
            probe.fall = own.fall.unwrap_or(probe.fall);
            probe.fresh_within = own.fresh_within.or(probe.fresh_within);
        }
        probe
    }

    /// As it may be shown: the hash of a key that somebody made up can be guessed. Other secrets are never written.
    #[must_use]
    pub fn shown(mut self) -> Self {
        for key in &mut self.api_key {
            "sha256:***".clone_into(&mut key.hash);
        }
        self
    }

    /// The longest that a holder may go on without a renewal.
    #[must_use]
    pub fn longest_lease(&self) -> Duration {
        let limits = &self.limits;
        self.recovery.longest_lease.unwrap_or_else(|| limits.ttl_max.max(limits.guide_ttl).max(limits.first_span))
    }

    /// The named ports inside containers of `target_type`.
    #[must_use]
    pub fn ports_of(&self, target_type: &TargetType) -> BTreeMap<String, u16> {
        if let Some(ports) = self.types.get(target_type).and_then(|t| t.ports.clone()) {
            return ports;
        }
        let mut ports = BTreeMap::from([("vnc".to_owned(), 5900), ("novnc".to_owned(), 6080)]);
        if target_type.as_str() == "linux" {
            ports.insert("http".to_owned(), 80);
        }
        ports
    }
}

fn redact_url<S: Serializer>(url: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    // `Serialized::defaults` reads this back, so the default must pass through unchanged; it has no password.
    serializer.serialize_str(&redacted(url.expose_secret()))
}

fn redact_all<S: Serializer>(secrets: &[SecretString], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(|_| "***"))
}

// serde gives the field as it is.
#[allow(clippy::ref_option)]
fn redact_secret<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| "***").serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoint;

    #[test]
    fn every_setting_is_in_the_documents() {
        fn keys(table: &toml::Table, prefix: &str, found: &mut Vec<String>) {
            for (key, value) in table {
                match value {
                    toml::Value::Table(inner) => keys(inner, &format!("{prefix}{key}."), found),
                    _ => found.push(format!("{prefix}{key}")),
                }
            }
        }
        let mut found = Vec::new();
        keys(&toml::Table::try_from(Config::default()).unwrap(), "", &mut found);
        assert!(found.len() > 40);
        let path = format!("{}/docs/configuration.md", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        for key in found {
            assert!(text.contains(&format!("`{key}`")) || text.contains(&format!("[[{key}]]")), "{key}");
        }
    }

    #[test]
    fn the_defaults_are_valid() {
        Config::default().validate().unwrap();
    }

    #[test]
    fn a_wrong_value_is_named_with_what_would_be_right() {
        let mut config = Config::default();
        config.limits.ttl_default = Duration::from_secs(3);
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "configuration: limits.ttl_default = 3s: from 5s to 600s"
        );
    }

    #[test]
    fn an_unknown_key_is_named() {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(file.path(), "[limits]\nttl_defualt = \"30s\"\n").unwrap();
        let error = Config::load(Some(file.path())).unwrap_err().to_string();
        assert!(error.contains("ttl_defualt") && error.contains("ttl_default"), "{error}");
    }

    #[test]
    fn a_file_is_read_with_friendly_durations() {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        let text = r#"
            [limits]
            ttl_default = "30s"
            max_duration = "2h"
            [types.wine.probe]
            kind = "tcp"
            [[provider]]
            name = "lab"
            kind = "static"
            [[provider.container]]
            name = "one"
            type = "wine"
            host = "127.0.0.1"
            ports = { vnc = 5900 }
        "#;
        std::fs::write(file.path(), text).unwrap();
        let config = Config::load(Some(file.path())).unwrap();
        assert_eq!(config.limits.ttl_default, Duration::from_secs(30));
        assert_eq!(config.limits.max_duration, Some(Duration::from_hours(2)));
        assert_eq!(config.probe_of(&"wine".parse().unwrap()).kind, ProbeKind::Tcp);
        assert!(matches!(&config.provider[0], ProviderConfig::Static(fixed) if fixed.container.len() == 1));
    }

    #[test]
    fn a_container_is_probed_only_where_it_can_be_reached() {
        let about = |endpoint| About { endpoints: BTreeMap::from([("vnc".to_owned(), endpoint)]), ..About::default() };
        let outside = about(Endpoint { address: Some("127.0.0.1:5900".to_owned()), internal: None });
        let inside = about(Endpoint { address: None, internal: Some("172.17.0.2:5900".to_owned()) });
        let nowhere = about(Endpoint::default());
        let kind = |kind, about: &About| HealthConfig { kind, ..HealthConfig::default() }.effective_kind(about);
        for reachable in [&outside, &inside] {
            assert_eq!(kind(ProbeKind::Auto, reachable), ProbeKind::Rfb);
            assert_eq!(kind(ProbeKind::Http, reachable), ProbeKind::Http);
            assert_eq!(kind(ProbeKind::None, reachable), ProbeKind::None);
        }
        for unreachable in [&nowhere, &About::default()] {
            assert_eq!(kind(ProbeKind::Auto, unreachable), ProbeKind::None);
            assert_eq!(kind(ProbeKind::Tcp, unreachable), ProbeKind::None);
        }
    }

    #[test]
    fn a_printed_configuration_shows_no_password() {
        let mut config = Config::default();
        config.redis.url = "redis://app:secret@host:6379".into();
        config.redis.sentinel_password = Some("secret".into());
        let text = toml::to_string(&config).unwrap();
        assert!(text.contains("redis://app:***@host:6379") && !text.contains("secret"), "{text}");
    }
}
