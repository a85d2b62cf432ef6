//! The sessions that a pool is simulated with: a record, or what is made up.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{super::advise, Connection, chance, duration};
use crate::{
    advise::{
        Basis,
        demand::{Burst, Demand, Holding},
        simulate::Stage,
    },
    model::{TargetType, TypeInfo},
};

/// A burst: so many seconds, and so many times as many sessions.
const BURST: (f64, f64) = (600.0, 5.0);
const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
/// Nothing longer is played through.
const DAYS_MOST: f64 = 3653.0;
/// No more sessions are made up.
const MADE_UP_MOST: f64 = 1e7;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Demand [default: the history that the server has]")]
pub(super) struct DemandArgs {
    /// A file of sessions, as for `advise`
    #[arg(long, value_name = "FILE", conflicts_with = "per_hour")]
    csv: Option<PathBuf>,
    /// Make sessions up: so many an hour in the mean, by chance
    #[arg(long, value_name = "N", value_parser = positive)]
    per_hour: Option<f64>,
    /// For how many days
    #[arg(long, value_name = "DAYS", default_value = "7", value_parser = positive, requires = "per_hour")]
    days: f64,
    /// How long each holds a container in the mean; most are short, a few very long
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration, requires = "per_hour")]
    holds: Duration,
    /// How many more come in the busiest hour of the day, and fewer half a day later
    #[arg(long, value_name = "SHARE", default_value = "80%", value_parser = chance, requires = "per_hour")]
    swing: f64,
    /// The busiest hour of the day
    #[arg(long, value_name = "HOUR", default_value_t = 14, value_parser = clap::value_parser!(u8).range(0..24), requires = "per_hour")]
    busiest: u8,
    /// Bursts a day: five times as many sessions for ten minutes
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=100), requires = "per_hour")]
    bursts: u32,
    /// Another seed makes other sessions up, as likely
    #[arg(long, value_name = "N", default_value_t = 1, requires = "per_hour")]
    seed: u64,
    /// How long a container is away after each session; a server's history knows it
    #[arg(long, value_name = "TIME", value_parser = duration)]
    away: Option<Duration>,
    /// When the first session comes, or the first day begins [default: as recorded; else 2026-01-05T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
}

/// Sessions, when they come, and of which type.
pub(super) struct Found {
    pub name: String,
    pub basis: Basis,
    pub stage: Stage,
    pub info: Option<TypeInfo>,
}

/// # Errors
/// There is no such record, or it cannot be read.
pub(super) async fn found(
    args: &DemandArgs,
    target_type: Option<&TargetType>,
    connection: &Connection,
    startup: Duration,
) -> anyhow::Result<Found> {
    let away = args.away.map(|away| away.as_secs_f64());
    if let Some(per_hour) = args.per_hour {
        if args.days > DAYS_MOST || per_hour * 24.0 * args.days > MADE_UP_MOST {
            bail!(
                "at most {DAYS_MOST} days and {MADE_UP_MOST} sessions can be made up: fewer --days, or --per-hour, are right"
            );
        }
        let name = target_type.map_or_else(|| "made up".to_owned(), ToString::to_string);
        let basis = made_up(args, per_hour, away.unwrap_or_default());
        let basis = basis.context("no session comes: a higher --per-hour or more --days are right")?;
        let begin = args.from.unwrap_or(Timestamp::constant(1_767_571_200, 0));
        let stage = Stage { begin, begin_seconds: 0.0, span_seconds: args.days * DAY, startup };
        return Ok(Found { name, basis, stage, info: None });
    }
    let (name, mut basis, info) = match (&args.csv, target_type) {
        (Some(path), _) => {
            let (name, _, basis) = advise::of_file(path, target_type)?;
            (name, basis, None)
        }
        (None, Some(target_type)) => {
            let client = connection.client()?;
            let history = client.history(target_type).await?;
            let Some(basis) = Basis::of_history(&history) else {
                bail!(
                    "{target_type}: no session has ended yet; --csv takes a record from elsewhere, --per-hour makes sessions up"
                );
            };
            let info = client.types().await?.into_iter().find(|one| one.target_type == *target_type);
            (target_type.to_string(), basis, info)
        }
        (None, None) => bail!("a type, --csv or --per-hour is right"),
    };
    if basis.span_seconds() > DAYS_MOST * DAY {
        bail!("the sessions come in {:.0} days: at most {DAYS_MOST} can be played through", basis.span_seconds() / DAY);
    }
    basis.away_seconds = away.unwrap_or(basis.away_seconds);
    let recorded = SignedDuration::try_from_secs_f64(basis.begin_seconds()).ok();
    let recorded = recorded.and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok());
    let begin = args.from.or(recorded).context("arrived: times of this era are right; else --from says when")?;
    let stage = Stage::of_record(&basis, begin, startup);
    Ok(Found { name, basis, stage, info })
}

fn made_up(args: &DemandArgs, per_hour: f64, away: f64) -> Option<Basis> {
    let seconds = args.days * DAY;
    let holding = Holding::Exponential { mean: args.holds.as_secs_f64() };
    let mut demand = Demand::daily(per_hour, args.swing, args.busiest, holding);
    let mut rng = StdRng::seed_from_u64(args.seed);
    for _ in 0..(f64::from(args.bursts) * args.days).round() as u32 {
        demand = demand.with_burst(Burst { at: rng.random_range(0.0..seconds), lasts: BURST.0, times: BURST.1 });
    }
    Basis::of_demand(&demand, seconds, away, args.seed)
}

fn positive(text: &str) -> Result<f64, String> {
    let right = || format!("a number above 0 is right, not {text:?}");
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0).ok_or_else(right)
}
