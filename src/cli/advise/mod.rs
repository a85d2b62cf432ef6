//! `leasehold advise`

mod plot;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::{
    connection::Connection,
    output::{Output, Print as _, Row, or_dash, table},
};
use crate::{
    advise::{self, Advice, Basis, BasisKind, Size, Waits},
    client::Client,
    model::TargetType,
};

/// What `--help` says about the numbers.
pub(super) const HELP: &str = "\
The replay serves the recorded sessions again, by each size of the pool. Erlang C takes each
hour as steady and all durations as exponential: where the replay says more, demand comes in
bursts. Sessions that were refused at once are in no record.

A CSV file names its columns in the first line: arrived (RFC 3339, or seconds) and
duration_seconds (for which no other session could have had the container).";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The type of container [default: all; with --csv only a name for it]
    target_type: Option<TargetType>,
    /// The chance to wait that is too much already, as in 1% or 0.01
    #[arg(long, value_name = "CHANCE", default_value = "1%", value_parser = chance)]
    wait_chance: f64,
    /// A file of sessions to go by, instead of the history that the server has
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draw the chance to wait by the size of the pool into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

/// What is told of a type.
#[derive(Debug, Serialize)]
struct Advised {
    target_type: String,
    /// How many containers there are.
    now: Option<u32>,
    #[serde(flatten)]
    advice: Advice,
}

pub(super) async fn advise(args: Args) -> anyhow::Result<ExitCode> {
    let bases = match &args.csv {
        Some(path) => vec![of_file(path, args.target_type.as_ref())?],
        None => of_history(&args.connection.client()?, args.target_type.as_ref()).await?,
    };
    let advised: Vec<_> = bases
        .iter()
        .map(|(target_type, now, basis)| Advised {
            target_type: target_type.clone(),
            now: *now,
            advice: advise::advise(basis, args.wait_chance, *now),
        })
        .collect();
    if let Some(path) = &args.svg {
        let panels =
            advised.iter().zip(&bases).map(|(one, (.., basis))| plot::Panel::new(&one.target_type, basis, &one.advice));
        plot::draw(&panels.collect::<Vec<_>>(), path)
            .with_context(|| format!("the picture {} cannot be written", path.display()))?;
    }
    args.output.told(&advised, &advised, || advised.iter().map(for_people).collect::<Vec<_>>().join("\n"))?.print()
}

pub(super) type Named = (String, Option<u32>, Basis);

pub(super) fn of_file(path: &Path, target_type: Option<&TargetType>) -> anyhow::Result<Named> {
    let what = || path.display().to_string();
    let arrivals = advise::csv::read(&fs::read(path).with_context(what)?).with_context(what)?;
    let name = target_type.map_or_else(what, ToString::to_string);
    Ok((name, None, Basis::of_arrivals(arrivals)))
}

/// Of each type of which something is known.
async fn of_history(client: &Client, wanted: Option<&TargetType>) -> anyhow::Result<Vec<Named>> {
    let mut types = client.types().await?;
    if let Some(wanted) = wanted {
        types.retain(|one| one.target_type == *wanted);
        if types.is_empty() {
            // The server says which there are.
            client.history(wanted).await?;
        }
    }
    let mut found = Vec::new();
    for one in types {
        match Basis::of_history(&client.history(&one.target_type).await?) {
            Some(basis) => found.push((one.target_type.to_string(), u32::try_from(one.counts.total).ok(), basis)),
            None => eprintln!("{}: no session has ended yet: there is nothing to go by.", one.target_type),
        }
    }
    if found.is_empty() {
        bail!("nothing is recorded to give advice by; --csv FILE takes a record from elsewhere");
    }
    Ok(found)
}

/// `1%` or `0.01`.
pub(super) fn chance(text: &str) -> Result<f64, String> {
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    let right = || format!("more than 0% and less than 100%, as in 1% or 0.01, is right, not {text:?}");
    number.ok().filter(|chance| *chance > 0.0 && *chance < 1.0).ok_or_else(right)
}

impl Row for Advised {
    const HEADS: &'static [&'static str] = &["TYPE", "CONTAINERS", "NOW", "WAIT", "ERLANG C CONTAINERS", "SESSIONS"];
    const NARROW: usize = 4;

    fn name(&self) -> String {
        self.target_type.clone()
    }

    fn cells(&self) -> Vec<String> {
        let advice = &self.advice;
        let at = advice.sizes.iter().find(|size| size.containers == advice.containers);
        vec![
            self.target_type.clone(),
            advice.containers.to_string(),
            or_dash(self.now),
            or_dash(at.map(|size| percent(size.replay.wait_chance))),
            advice.erlang_c_containers.to_string(),
            advice.sessions.to_string(),
        ]
    }
}

/// The advice in words, then the sizes around it.
fn for_people(advised: &Advised) -> String {
    let Advised { target_type, now, advice } = advised;
    let there = now.map_or_else(String::new, |now| format!("; there are {now} now"));
    let mut text = format!(
        "{target_type}: with {} container{} less than {} of the sessions wait; Erlang C says {}{there}.\n",
        advice.containers,
        if advice.containers == 1 { "" } else { "s" },
        percent(advice.wait_chance),
        advice.erlang_c_containers
    );
    let (away, source) = (away(advice.mean_away_seconds), source(advice.basis));
    text += &format!(
        "{} sessions in {}, {source}; each holds a container for {} in the mean{away}.\n",
        advice.sessions,
        time(advice.span_seconds),
        time(advice.mean_holding_seconds)
    );
    for caution in &advice.cautions {
        text += &format!("Caution: {caution}.\n");
    }
    let heads = ["CONTAINERS", "WAIT", "MEAN", "P95", "ERLANG C: WAIT", "MEAN", "P95", ""];
    text += &table(&heads, advice.sizes.iter().map(|size| cells(size, advice, *now)));
    text
}

fn cells(size: &Size, advice: &Advice, now: Option<u32>) -> Vec<String> {
    let mut cells = vec![size.containers.to_string()];
    for waits in [size.replay, size.erlang_c] {
        let Waits { wait_chance, mean_wait_seconds, p95_wait_seconds } = waits;
        cells.push(percent(wait_chance));
        cells.extend([mean_wait_seconds, p95_wait_seconds].map(|wait| wait.map_or("no end".to_owned(), time)));
    }
    let mut notes = Vec::new();
    if size.containers == advice.containers {
        notes.push("advised".to_owned());
    }
    if now == Some(size.containers) {
        notes.push("now".to_owned());
    }
    if size.overloaded_stretches > 0 {
        notes.push(format!("overloaded in {} of {} hours", size.overloaded_stretches, advice.stretches));
    }
    cells.push(notes.join(", "));
    cells
}

/// For how long a container is away after a session, as the end of a sentence.
pub(super) fn away(seconds: f64) -> String {
    if seconds > 0.0 { format!(", which is away for {} more", time(seconds)) } else { String::new() }
}

/// Where the sessions come from, in words.
pub(super) fn source(basis: BasisKind) -> &'static str {
    match basis {
        BasisKind::Sessions => "as they were recorded",
        BasisKind::Hours => "drawn by chance from what was counted by the hour",
        BasisKind::MadeUp => "made up",
    }
}

/// With two digits that count.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0%".to_owned(),
        _ if percent >= 9.95 => format!("{percent:.0}%"),
        _ if percent >= 0.995 => format!("{percent:.1}%"),
        _ if percent >= 0.0095 => format!("{percent:.2}%"),
        _ => "<0.01%".to_owned(),
    }
}

/// In the unit that suits it.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        _ if seconds < 120.0 => format!("{seconds:.1} s"),
        _ if seconds < 7200.0 => format!("{:.1} min", seconds / 60.0),
        _ if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} d", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chance_is_read_as_percent_or_share() {
        for (text, value) in [("1%", 0.01), ("0.01", 0.01), ("2.5 %", 0.025), ("99.9%", 0.999)] {
            assert!((chance(text).unwrap() - value).abs() < 1e-12, "{text}");
        }
        for bad in ["0", "0%", "1", "100%", "-1%", "NaN", "", "%", "much", "5"] {
            let error = chance(bad).unwrap_err();
            assert!(error.contains("as in 1% or 0.01") && error.contains(&format!("{bad:?}")), "{error}");
        }
    }

    #[test]
    fn shares_and_times_are_short() {
        let shares: Vec<_> = [0.0, 1e-5, 0.0012, 0.0099, 0.00996, 0.0995, 1.0].into_iter().map(percent).collect();
        assert_eq!(shares, ["0%", "<0.01%", "0.12%", "0.99%", "1.0%", "10%", "100%"]);
        let times: Vec<_> = [0.0, 0.0123, 59.94, 600.0, 36_000.0, 864_000.0].into_iter().map(time).collect();
        assert_eq!(times, ["0 ms", "12 ms", "59.9 s", "10.0 min", "10.0 h", "10.0 d"]);
    }
}
