//! The default of every setting.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use super::{
    AuditConfig, Config, CorsConfig, DiscoveryConfig, HealthConfig, LeaseTokenConfig, Limits, LogConfig, LogFormat,
    ProbeKind, QuarantineConfig, Reach, RecoveryConfig, RedisConfig, RedisTls, ResetConfig, TelemetryConfig, TlsConfig,
    ViewersConfig,
};

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8088)),
            prefix: "leasehold".into(),
            workers: 0,
            reaper_interval: Duration::from_secs(1),
            shutdown_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(3),
            long_polls: 10_000,
            redis: RedisConfig::default(),
            recovery: RecoveryConfig::default(),
            lease_tokens: LeaseTokenConfig::default(),
            limits: Limits::default(),
            discovery: DiscoveryConfig::default(),
            health: HealthConfig::default(),
            reset: ResetConfig::default(),
            quarantine: QuarantineConfig::default(),
            audit: AuditConfig::default(),
            viewers: ViewersConfig::default(),
            telemetry: TelemetryConfig::default(),
            log: LogConfig::default(),
            types: BTreeMap::new(),
            provider: Vec::new(),
            webhook: Vec::new(),
            api_key: Vec::new(),
            api_keys_file: None,
            tls: TlsConfig::default(),
            cors: CorsConfig::default(),
        }
    }
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379".into(),
            timeout: Duration::from_secs(1),
            pool_size: 4,
            sentinel_user: None,
            sentinel_password: None,
            wait_replicas: 0,
            wait_timeout: Duration::from_millis(200),
            tls: RedisTls::default(),
        }
    }
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self {
            longest_lease: None,
            lag: Duration::from_secs(10),
            grace: Duration::from_mins(1),
            gather: Duration::from_millis(2500),
            lossless: false,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ttl_default: Duration::from_mins(1),
            ttl_min: Duration::from_secs(5),
            ttl_max: Duration::from_mins(10),
            guide_ttl: Duration::from_hours(1),
            first_span: Duration::from_mins(1),
            confirm: Duration::from_secs(10),
            ticket_life: Duration::from_secs(10),
            wait_max: Duration::from_mins(10),
            long_poll_max: Duration::from_mins(1),
            line_max: 10_000,
            priority_max: 300,
            max_duration: None,
            idle_max: None,
            warning: Duration::from_mins(1),
            sessions_max: None,
            tickets_max: None,
            ended_kept: Duration::from_hours(24),
            page_default: 100,
            page_max: 1000,
            body_bytes: 64 * 1024,
            metadata_bytes: 4096,
            idempotency_key_bytes: 255,
            events_kept: 100_000,
        }
    }
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self {
            resync: Duration::from_secs(30),
            lock: Duration::from_secs(5),
            stale_after: Duration::from_secs(90),
            label: "leasehold.type".into(),
            guide_label: "legacy-use.target-type".into(),
            guide_scalable_label: "legacy-use.scalable".into(),
            compose_services: true,
            compose_project: None,
        }
    }
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            kind: ProbeKind::Auto,
            endpoint: "vnc".into(),
            path: "/".into(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            rise: 1,
            fall: 3,
            fresh_within: None,
            concurrency: 32,
            reach: Reach::Auto,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Json, filter: "info".into() }
    }
}
