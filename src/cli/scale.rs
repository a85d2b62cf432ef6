//! `leasehold scale`

use std::process::ExitCode;

use super::{connection::Connection, output::Output};
use crate::model::{Setting, TargetType, TypeInfo};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Args {
    /// The type of container
    target_type: TargetType,
    /// Exactly so many containers
    #[arg(conflicts_with_all = ["min", "max", "min_idle", "configured"], required_unless_present_any = ["min", "max", "min_idle", "configured"])]
    count: Option<u64>,
    /// The fewest
    #[arg(long, value_name = "N")]
    min: Option<u64>,
    /// The most, whatever they do
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// Idle ones beside those in use and waited for
    #[arg(long, value_name = "N")]
    min_idle: Option<u64>,
    /// As it is configured, or not at all
    #[arg(long, conflicts_with_all = ["min", "max", "min_idle"])]
    configured: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

const HELP: &str = "\
Containers that sessions have are never taken away, and of the others only those that were added for
demand: with fewer than there were by themselves, these stay. `leasehold events -f` tells what is done.";

pub(super) async fn scale(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let info = client.change_type(&args.target_type, &changes(&args)).await?;
    eprintln!("{}", told(&info));
    args.output.one(&info)
}

fn changes(args: &Args) -> Vec<(Setting, Option<u64>)> {
    if let Some(count) = args.count {
        return vec![
            (Setting::ScaleMin, Some(count)),
            (Setting::ScaleMax, Some(count)),
            (Setting::ScaleMinIdle, Some(0)),
        ];
    }
    let all = [(Setting::ScaleMin, args.min), (Setting::ScaleMax, args.max), (Setting::ScaleMinIdle, args.min_idle)];
    all.into_iter().filter(|(_, value)| args.configured || value.is_some()).collect()
}

fn told(info: &TypeInfo) -> String {
    let (name, settings) = (&info.target_type, &info.settings);
    match (settings.scale_min, settings.scale_max, settings.scale_min_idle) {
        (Some(min), Some(max), _) if min == max => {
            format!("{name} is to have {max} containers; there are {}", info.counts.total)
        }
        (Some(min), Some(max), Some(idle)) => {
            format!("{name} is to have {min} to {max} containers, {idle} of them idle; there are {}", info.counts.total)
        }
        _ => format!("{name} is not scaled; there are {} containers", info.counts.total),
    }
}
