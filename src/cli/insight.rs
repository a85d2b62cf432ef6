//! `leasehold logs` and `leasehold stats`

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::bail;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::{
    connection::Connection,
    containers::short,
    exit,
    output::{Format, Output, Print as _, Row, or_dash},
};
use crate::{
    client::{Client, ContainerFilter, LogFilter},
    model::{Container, ContainerId, ContainerStats, TargetType},
};

/// Containers that are measured at a time.
const AT_ONCE: usize = 16;

/// Between two tables of `--watch`, beside the second or two of each measurement.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct LogsArgs {
    /// The container: its id, the beginning of it, or its name
    container: String,
    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,
    /// Only so many of the last lines
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<u32>,
    /// Only since this time (RFC 3339), or for this long (such as 10m)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(super) struct StatsArgs {
    /// The containers: ids, beginnings of them, or names [default: all]
    containers: Vec<String>,
    /// Only containers of this type
    #[arg(long = "type", value_name = "TYPE")]
    target_type: Option<TargetType>,
    /// Measure again and again
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn logs(args: LogsArgs) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let container = named(&client, &args.container).await?;
    let filter = LogFilter { follow: args.follow, tail: args.tail, since: args.since };
    let mut lines = client.logs(&container.id, &filter, args.output.format() == Format::Json).await?;
    while let Some(piece) = lines.next().await? {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(&piece).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            done => done?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn stats(args: StatsArgs) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    loop {
        let containers = chosen(&client, &args).await?;
        let mut rows = Vec::with_capacity(containers.len());
        let mut failed = 0;
        let mut measured = stream::iter(containers)
            .map(|container| async { (client.stats(&container.id).await, container) })
            .buffered(AT_ONCE);
        while let Some((stats, container)) = measured.next().await {
            match stats {
                Ok(stats) => rows.push(StatsRow { name: container.name, stats }),
                Err(error) => {
                    failed += 1;
                    eprintln!("leasehold: {}: {error}", container.name);
                }
            }
        }
        drop(measured);
        if args.watch && io::stdout().is_terminal() && args.output.format() != Format::Json {
            // Clears the screen.
            print!("\x1b[H\x1b[2J");
        }
        let shown = args.output.list_text(&rows)?.print()?;
        if !args.watch {
            return Ok(if failed == 0 { shown } else { exit::FAILURE.into() });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn chosen(client: &Client, args: &StatsArgs) -> anyhow::Result<Vec<Container>> {
    let mut containers = Vec::new();
    for text in &args.containers {
        containers.push(named(client, text).await?);
    }
    if args.containers.is_empty() {
        let filter = ContainerFilter { target_type: args.target_type.clone(), available_only: false };
        return Ok(client.containers(&filter).await?);
    }
    containers.retain(|one| args.target_type.as_ref().is_none_or(|wanted| *wanted == one.target_type));
    Ok(containers)
}

/// The container of this id or name, or the only one whose id begins so: tables show ids shortened.
async fn named(client: &Client, text: &str) -> anyhow::Result<Container> {
    if let Ok(id) = text.parse::<ContainerId>() {
        match client.container(&id).await {
            Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => {}
            found => return Ok(found?),
        }
    }
    let all = client.containers(&ContainerFilter::default()).await?;
    let mut fitting = all.into_iter().filter(|one| one.name == text || one.id.as_str().starts_with(text));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => bail!("there is no container {text:?}; `leasehold containers` lists them"),
        (Some(_), Some(_)) => bail!("more than one container is meant by {text:?}; give more of its id"),
    }
}

#[derive(Debug, Serialize)]
struct StatsRow {
    name: String,
    #[serde(flatten)]
    stats: ContainerStats,
}

impl Row for StatsRow {
    const HEADS: &'static [&'static str] = &["ID", "NAME", "CPU %", "MEMORY", "LIMIT", "RECEIVED", "SENT", "TIME"];
    const NARROW: usize = 7;

    fn name(&self) -> String {
        self.stats.id.to_string()
    }

    fn cells(&self) -> Vec<String> {
        let stats = &self.stats;
        vec![
            short(stats.id.as_str()),
            self.name.clone(),
            or_dash(stats.cpu_percent.map(|percent| format!("{percent:.1}"))),
            or_dash(stats.memory_bytes.map(size)),
            or_dash(stats.memory_limit_bytes.map(size)),
            or_dash(stats.network_rx_bytes.map(size)),
            or_dash(stats.network_tx_bytes.map(size)),
            or_dash(stats.time.as_deref()),
        ]
    }
}

/// Bytes in the largest unit of which there is a whole one.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        let all = [0, 1023, 1024, 1536, 5 << 20, 3 << 40, u64::MAX].map(size);
        assert_eq!(all, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 MiB", "3.0 TiB", "16777216.0 TiB"]);
    }
}
