//! `leasehold init` and `leasehold recover`

use std::{path::PathBuf, process::ExitCode, time::Duration};

use super::{connection::Connection, exit};
use crate::{app, config::Config};

#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// The configuration file of the replicas (TOML) [default: none, only defaults and LEASEHOLD_… variables]
    #[arg(long, env = "LEASEHOLD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How long to wait for Redis, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    wait: u64,
    /// Leave a Redis that is not new as it is, instead of failing
    #[arg(long)]
    unless_used: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct RecoverArgs {
    /// Only this target type [default: all]
    target_type: Option<String>,
    /// End the recovery now: you know that nobody holds a container whose lease was not proven
    #[arg(long)]
    assume_none: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn init(args: InitArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(args.config.as_deref())?;
    if app::init(&config, Duration::from_secs(args.wait)).await? {
        eprintln!("Redis is marked as new: replicas that find nothing in it need not wait.");
        return Ok(ExitCode::SUCCESS);
    }
    let prefix = &config.prefix;
    eprintln!(
        "leasehold: this Redis is not new: it has data under the prefix {prefix:?}, or replicas found it without a mark. \
         If nobody holds a container, `leasehold recover --assume-none` ends the recovery."
    );
    Ok(if args.unless_used { ExitCode::SUCCESS } else { exit::FAILURE.into() })
}

pub(super) async fn recover(args: RecoverArgs) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    if args.assume_none {
        let ended = client.end_recovery(args.target_type.as_deref()).await?;
        if ended.is_empty() {
            eprintln!("No recovery went on.");
        }
        for target_type in ended {
            println!("{target_type}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let status = client.status().await?;
    let of = |name: &str| args.target_type.as_deref().is_none_or(|wanted| wanted == name);
    let mut recovering = false;
    for (name, counts) in status.by_type.iter().filter(|(name, _)| of(name)) {
        if let Some(recovery) = counts.recovery {
            recovering = true;
            println!(
                "{name}: recovers since {} s, ends by itself in {} s; {} containers are held, {} leases were proven",
                recovery.lasted_seconds, recovery.ends_in_seconds, counts.held, recovery.proven
            );
        }
    }
    if !recovering {
        println!("No recovery goes on.");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "Redis may have lost leases. What somebody may still hold is not given out before the end. If nobody can, \
         `leasehold recover --assume-none` ends it now."
    );
    Ok(exit::FAILURE.into())
}
