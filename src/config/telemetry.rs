//! `[telemetry]`: where traces are sent.

use serde::{Deserialize, Serialize};

use super::{ConfigError, validate::check};

/// `[telemetry]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The collector that traces are sent to by OTLP over HTTP; none when absent.
    pub otlp_endpoint: Option<String>,
    /// The name under which it shows them. Default `leasehold`.
    pub service_name: String,
    /// The share of requests that are traced, where the caller does not say. Default 1.
    pub sample_ratio: f64,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { otlp_endpoint: None, service_name: "leasehold".to_owned(), sample_ratio: 1.0 }
    }
}

impl TelemetryConfig {
    /// # Errors
    /// The first setting that cannot be used.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if let Some(endpoint) = &self.otlp_endpoint {
            let host = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
            // A password would be shown with the configuration.
            let ok = host
                .is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(['@', '?', '#', ' ']));
            let given = if endpoint.contains('@') { "(not shown)" } else { endpoint };
            check(
                ok,
                "telemetry.otlp_endpoint",
                &given,
                "http:// or https:// and a host, as in http://collector:4318, and no password",
            )?;
        }
        check(!self.service_name.is_empty(), "telemetry.service_name", &self.service_name, "a name")?;
        let share = (0.0..=1.0).contains(&self.sample_ratio);
        check(share, "telemetry.sample_ratio", &self.sample_ratio, "from 0 to 1")
    }
}
