//! `leasehold status`, `refresh` and `healthcheck`

use std::process::ExitCode;

use serde::Serialize;

use super::{
    connection::{Connection, DEFAULT_URL, Trust},
    exit,
    output::{Output, Row},
    watch::Watch,
};
use crate::{client::PoolStatus, model::TypeStatus};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    watch: Watch,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(super) struct RefreshArgs {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(super) struct HealthcheckArgs {
    /// The address of the replica
    #[arg(long, env = "LEASEHOLD_URL", default_value = DEFAULT_URL, value_name = "URL")]
    url: String,
    #[command(flatten)]
    trust: Trust,
}

pub(super) async fn status(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    args.watch
        .show(async || {
            let status = client.status().await?;
            args.output.part_text(&status, &rows(&status))
        })
        .await
}

pub(super) async fn refresh(args: RefreshArgs) -> anyhow::Result<ExitCode> {
    let refreshed = args.connection.client()?.refresh().await?;
    if !refreshed.refreshed {
        eprintln!("not every provider could be looked at in time");
    }
    args.output.part(&refreshed.status, &rows(&refreshed.status))
}

/// Docker knows 0 and 1 only.
pub(super) async fn healthcheck(args: HealthcheckArgs) -> anyhow::Result<ExitCode> {
    match ready(&args).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("leasehold: not ready: {error:#}");
            Ok(exit::FAILURE.into())
        }
    }
}

async fn ready(args: &HealthcheckArgs) -> anyhow::Result<()> {
    Ok(args.trust.client(&args.url, None)?.readyz().await?)
}

fn rows(status: &PoolStatus) -> Vec<TypeRow> {
    status.by_type.iter().map(|(name, counts)| TypeRow { name: name.clone(), counts: *counts }).collect()
}

#[derive(Debug, Serialize)]
struct TypeRow {
    name: String,
    counts: TypeStatus,
}

impl Row for TypeRow {
    const HEADS: &'static [&'static str] =
        &["TYPE", "TOTAL", "AVAILABLE", "ALLOCATED", "UNHEALTHY", "QUEUED", "INITIALIZING", "RESETTING", "CORDONED"];
    const NARROW: usize = 6;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<String> {
        let counts = &self.counts;
        let numbers = [
            counts.total,
            counts.available,
            counts.allocated,
            counts.unhealthy,
            counts.sessions_queued,
            counts.initializing,
            counts.resetting,
            counts.cordoned,
        ];
        std::iter::once(self.name.clone()).chain(numbers.iter().map(u64::to_string)).collect()
    }
}
