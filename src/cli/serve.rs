//! `leasehold serve`

use std::{path::PathBuf, process::ExitCode};

use super::{connection, output::Print as _};
use crate::{app, config::Config, telemetry};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file (TOML) [default: none, only defaults and LEASEHOLD_… variables]
    #[arg(long, env = "LEASEHOLD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What this replica does, of `api`, `discovery`, `health`, `reaper` and `events`, separated by commas [default: all]
    #[arg(long, env = "LEASEHOLD_ROLES", value_name = "ROLES")]
    roles: Option<app::Roles>,
    /// Print the configuration as it would be used, without secrets, and end
    #[arg(long)]
    print_config: bool,
}

pub(super) async fn serve(args: Args) -> anyhow::Result<ExitCode> {
    let config = Config::load(args.config.as_deref())?;
    if args.print_config {
        return toml::to_string(&config.shown())?.print();
    }
    let traces = telemetry::init_traced(&config.log, &config.telemetry).map_err(anyhow::Error::msg)?;
    let ended = app::run(config, args.roles.unwrap_or_default(), connection::key_in_environment()).await;
    traces.end().await;
    ended.map(|()| ExitCode::SUCCESS)
}
