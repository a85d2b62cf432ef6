//! The `leasehold` program.

use leasehold::{app, config::Config, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // One provider of cryptography, named: two of them in one process make rustls panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config::load(std::env::var_os("LEASEHOLD_CONFIG").map(std::path::PathBuf::from).as_deref())?;
    telemetry::init(&config.log).map_err(anyhow::Error::msg)?;
    let key = std::env::var("LEASEHOLD_API_KEY").or_else(|_| std::env::var("LEGACY_USE_API_KEY")).ok();
    app::run(config, app::Roles::default(), key.map(Into::into)).await
}
