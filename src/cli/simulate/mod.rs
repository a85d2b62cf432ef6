//! `leasehold simulate`

mod demand;
mod plot;
mod settings;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp, fmt::friendly::SpanParser};
use serde::Serialize;

use super::{
    advise::{away, chance, percent, source, time},
    connection::Connection,
    output::{Output, Print as _, Row, table},
};
use crate::{
    advise::{
        BasisKind, Waits,
        simulate::{Comparison, LEFT_OUT, Outcome, Why, compare},
    },
    config::ScaleConfig,
    model::TargetType,
};

/// What `--help` says about it.
pub(super) const HELP: &str = "\
A pool that follows demand is played through with the recorded sessions, decided about once a second as a
replica does, and pools of one size beside it: as costly, as large, and as large as `advise` says.

A schedule is written as in the configuration, in one line:
  --schedule 'cron = \"0 8 * * mon-fri\", time_zone = \"Europe/Berlin\", duration = \"10h\", min = 8'";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The type of container [with --csv or --per-hour only a name for it]
    #[arg(required_unless_present_any = ["csv", "per_hour"])]
    target_type: Option<TargetType>,
    #[command(flatten)]
    demand: demand::DemandArgs,
    #[command(flatten)]
    settings: settings::SettingsArgs,
    /// How long a container takes from being asked for to being available
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    startup: Duration,
    /// Also a pool of so many all the time; may be given several times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    fixed: Vec<u64>,
    /// The chance to wait that is too much already, for the size that is advised
    #[arg(long, value_name = "CHANCE", default_value = "1%", value_parser = chance)]
    wait_chance: f64,
    /// Draw containers and sessions over the time into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

/// What is told.
#[derive(Debug, Serialize)]
struct Simulated {
    target_type: String,
    /// What was simulated with.
    settings: ScaleConfig,
    startup_seconds: f64,
    basis: BasisKind,
    sessions: usize,
    begin: Timestamp,
    span_seconds: f64,
    mean_holding_seconds: f64,
    mean_away_seconds: f64,
    /// The chance to wait of the size that is advised.
    wait_chance: f64,
    #[serde(flatten)]
    comparison: Comparison,
    left_out: [&'static str; 4],
}

pub(super) async fn simulate(args: Args) -> anyhow::Result<ExitCode> {
    let found = demand::found(&args.demand, args.target_type.as_ref(), &args.connection, args.startup).await?;
    let settings = args.settings.with(args.target_type.as_ref(), found.info.as_ref())?;
    let (basis, stage) = (&found.basis, &found.stage);
    let asked = args.fixed.iter().map(|containers| (*containers, Why::Asked));
    let others: Vec<_> = asked.chain(found.info.map(|info| (info.counts.total, Why::Now))).collect();
    let simulated = Simulated {
        target_type: found.name,
        startup_seconds: args.startup.as_secs_f64(),
        basis: basis.kind,
        sessions: basis.sessions(),
        begin: stage.begin,
        span_seconds: stage.span_seconds,
        mean_holding_seconds: basis.holding_seconds(),
        mean_away_seconds: basis.away_seconds,
        wait_chance: args.wait_chance,
        comparison: compare(basis, stage, &settings, args.wait_chance, &others),
        settings,
        left_out: LEFT_OUT,
    };
    if let Some(path) = &args.svg {
        plot::draw(&simulated, path).with_context(|| format!("the picture {} cannot be written", path.display()))?;
    }
    args.output.told(&simulated, &rows(&simulated), || for_people(&simulated))?.print()
}

/// As in the configuration: `250ms`, `5s`, `10m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let right = |_| format!("a time as 250ms, 5s, 10m or 1h is right, not {text:?}");
    SpanParser::new().parse_unsigned_duration(text).map_err(right)
}

/// A pool in the table.
#[derive(Debug, Serialize)]
struct PoolRow {
    name: String,
    #[serde(flatten)]
    outcome: Outcome,
    note: String,
}

fn rows(simulated: &Simulated) -> Vec<PoolRow> {
    let Comparison { scaled, fixed } = &simulated.comparison;
    let note = |why: &Why| match why {
        Why::AsCostly => "as costly".to_owned(),
        Why::Advised => format!("advised for {}", percent(simulated.wait_chance)),
        Why::AsLarge => "as large".to_owned(),
        Why::Now => "now".to_owned(),
        Why::Asked => "asked for".to_owned(),
    };
    let scaled = PoolRow { name: "scaled".to_owned(), outcome: scaled.clone(), note: String::new() };
    let fixed = fixed.iter().map(|one| PoolRow {
        name: format!("fixed {}", one.containers),
        outcome: one.outcome.clone(),
        note: one.why.iter().map(note).collect::<Vec<_>>().join(", "),
    });
    std::iter::once(scaled).chain(fixed).collect()
}

impl Row for PoolRow {
    const HEADS: &'static [&'static str] = &[
        "POOL",
        "CONTAINERS",
        "P95",
        "MOST",
        "WAIT",
        "MEAN WAIT",
        "P95 WAIT",
        "CONTAINER HOURS",
        "IN USE",
        "ADDED",
        "TAKEN AWAY",
        "",
    ];
    const NARROW: usize = 12;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<String> {
        let Outcome {
            containers_mean,
            containers_p95,
            containers_max,
            waits,
            container_hours,
            in_use,
            added,
            taken_away,
            ..
        } = &self.outcome;
        let Waits { wait_chance, mean_wait_seconds, p95_wait_seconds } = *waits;
        let wait = |wait: Option<f64>| wait.map_or("no end".to_owned(), time);
        vec![
            self.name.clone(),
            format!("{containers_mean:.1}"),
            containers_p95.to_string(),
            containers_max.to_string(),
            percent(wait_chance),
            wait(mean_wait_seconds),
            wait(p95_wait_seconds),
            format!("{container_hours:.0}"),
            percent(*in_use),
            added.to_string(),
            taken_away.to_string(),
            self.note.clone(),
        ]
    }
}

/// What was simulated in words, then how it went.
fn for_people(simulated: &Simulated) -> String {
    let Simulated { target_type, settings, sessions, begin, span_seconds, .. } = simulated;
    let mut text = format!("{target_type}: {}; one starts in {}.\n", told(settings), time(simulated.startup_seconds));
    let (away, source) = (away(simulated.mean_away_seconds), source(simulated.basis));
    text += &format!(
        "{sessions} sessions in {} from {} on, {source}; each holds a container for {} in the mean{away}.\n",
        time(*span_seconds),
        begin.round(jiff::Unit::Second).unwrap_or(*begin),
        time(simulated.mean_holding_seconds)
    );
    text += &table(PoolRow::HEADS, rows(simulated).iter().map(Row::cells));
    text + &format!("Left out: {}.\n", LEFT_OUT.join("; "))
}

/// Settings in words.
fn told(settings: &ScaleConfig) -> String {
    let text = |time: Duration| format!("{:#}", SignedDuration::try_from(time).unwrap_or_default());
    let ScaleConfig { min, max, min_idle, calm, up_pause, .. } = settings;
    let mut told = format!(
        "{min} to {max} containers, {min_idle} of them idle, calm {}, up_pause {}",
        text(*calm),
        text(*up_pause)
    );
    if let Some(share) = settings.share_of_peak {
        told += &format!(", at least {} of the peak of {}", percent(share), text(settings.peak_window));
    }
    for entry in &settings.schedule {
        told += &format!(", {:?} in {} for {}:", entry.cron, entry.time_zone, text(entry.duration));
        let asks = [(entry.min, "at least"), (entry.min_idle, "idle")];
        for (count, what) in asks.into_iter().filter(|(count, _)| *count > 0) {
            told += &format!(" {what} {count}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_in_the_configuration() {
        for (text, millis) in [("250ms", 250), ("5s", 5000), ("10m", 600_000), ("1h", 3_600_000), ("1h 30m", 5_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "5", "-5s", "soon"] {
            let error = duration(bad).unwrap_err();
            assert!(error.contains("5s, 10m or 1h is right"), "{bad:?}: {error}");
        }
    }
}
