//! How large should a pool be? The chance to wait by the size of the pool, found by replay of what happened ([`replay`]) and by
//! Erlang's formula beside it ([`erlang`]). Pure: who reads the history or a file is the caller.
//!
//! The two answer different questions. The replay knows bursts, days and long sessions as they were, but nothing that has
//! not happened; the formula takes each hour as steady, arrivals as independent and durations as exponential. Where they
//! agree, either may be believed; where the replay says more, demand comes in bursts.
//!
//! And should it be as large all the time? A pool that follows demand is played through beside some of one size ([`simulate`]).

mod basis;
pub mod csv;
pub mod demand;
pub mod erlang;
pub mod replay;
pub mod simulate;

use serde::Serialize;

pub use self::basis::{Basis, BasisKind};
use self::erlang::Stretch;

/// How many sizes are told below and above the advised one.
const AROUND: u32 = 3;
/// How many sessions should have waited before a chance is more than an accident.
const ENOUGH_WAITED: f64 = 10.0;
/// No pool is larger.
const SIZE_MOST: u32 = 1 << 20;

/// How sessions fare with a pool of some size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Waits {
    /// The share of sessions that wait at all: 0 to 1.
    pub wait_chance: f64,
    /// The mean over all sessions, also those that do not wait; none where the line grows without end.
    pub mean_wait_seconds: Option<f64>,
    /// What 95 of a hundred do not wait longer than; the same.
    pub p95_wait_seconds: Option<f64>,
}

/// A size of the pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Size {
    /// How many containers.
    pub containers: u32,
    /// By replay.
    pub replay: Waits,
    /// By Erlang C.
    pub erlang_c: Waits,
    /// In how many stretches (hours, as a rule) more comes than so many containers can ever serve.
    pub overloaded_stretches: usize,
}

/// What is advised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// The chance to wait that was asked for: 0 to 1.
    pub wait_chance: f64,
    /// The smallest pool with less in the replay.
    pub containers: u32,
    /// The smallest pool with less by Erlang C.
    pub erlang_c_containers: u32,
    /// How the advised size and those around it fare.
    pub sizes: Vec<Size>,
    /// What it stands on.
    pub basis: BasisKind,
    /// How many sessions were replayed.
    pub sessions: usize,
    /// From the first to the last arrival.
    pub span_seconds: f64,
    /// How long sessions hold a container: the mean.
    pub mean_holding_seconds: f64,
    /// For how long a container is away after a session, to be made clean and probed: the mean.
    pub mean_away_seconds: f64,
    /// Over how many stretches of the span (hours, as a rule) Erlang C is taken.
    pub stretches: usize,
    /// Why it should be taken with care.
    pub cautions: Vec<String>,
}

/// Advises on a pool for what came, so that less than `wait_chance` (more than 0, less than 1) of the sessions wait; tells
/// beside the sizes around it also of `now`.
#[must_use]
pub fn advise(basis: &Basis, wait_chance: f64, now: Option<u32>) -> Advice {
    let stretches = basis.stretches();
    let containers = smallest(|size| basis.replay(size).wait_chance < wait_chance);
    let erlang_c_containers =
        smallest(|size| erlang::waits(&stretches, basis.busy_seconds(), size).0.wait_chance < wait_chance);
    let mut sizes: Vec<_> = (containers.saturating_sub(AROUND).max(1)..=containers + AROUND).collect();
    sizes.extend(now.filter(|now| *now > 0));
    sizes.sort_unstable();
    sizes.dedup();
    Advice {
        wait_chance,
        containers,
        erlang_c_containers,
        sizes: sizes.into_iter().map(|containers| size_of(basis, &stretches, containers)).collect(),
        basis: basis.kind,
        sessions: basis.arrivals.len(),
        span_seconds: basis.span_seconds(),
        mean_holding_seconds: basis.holding_seconds(),
        mean_away_seconds: basis.away_seconds,
        stretches: stretches.len(),
        cautions: cautions(basis, wait_chance),
    }
}

/// How pools of these sizes fare.
#[must_use]
pub fn sizes(basis: &Basis, containers: impl IntoIterator<Item = u32>) -> Vec<Size> {
    let stretches = basis.stretches();
    containers.into_iter().map(|containers| size_of(basis, &stretches, containers)).collect()
}

fn size_of(basis: &Basis, stretches: &[Stretch], containers: u32) -> Size {
    let (erlang_c, overloaded_stretches) = erlang::waits(stretches, basis.busy_seconds(), containers);
    Size { containers, replay: basis.replay(containers), erlang_c, overloaded_stretches }
}

/// The smallest size that is enough, where all larger ones are enough too.
fn smallest(enough: impl Fn(u32) -> bool) -> u32 {
    let mut above = 1;
    while above < SIZE_MOST && !enough(above) {
        above *= 2;
    }
    let mut below = above / 2;
    while above - below > 1 {
        let middle = below.midpoint(above);
        if enough(middle) {
            above = middle;
        } else {
            below = middle;
        }
    }
    above
}

fn cautions(basis: &Basis, wait_chance: f64) -> Vec<String> {
    let mut cautions = Vec::new();
    let (sessions, percent) = (basis.arrivals.len(), wait_chance * 100.0);
    if (sessions as f64) * wait_chance < ENOUGH_WAITED {
        let enough = (ENOUGH_WAITED / wait_chance).ceil();
        cautions.push(format!("{sessions} sessions are few for a chance of {percent}%: about {enough} would show it"));
    }
    if basis.gave_up > 0 && basis.kind == BasisKind::Sessions {
        cautions.push(format!(
            "{} more left the line without a container: how long they would have had one is not known, and they are not replayed",
            basis.gave_up
        ));
    }
    if basis.gaps > 0 {
        cautions.push(format!("events were gone {} times before they were counted", basis.gaps));
    }
    cautions
}

#[cfg(test)]
mod tests {
    use super::{demand::Arrival, *};

    #[test]
    fn the_smallest_size_that_is_enough_is_found() {
        for wanted in [1, 2, 3, 4, 5, 7, 8, 9, 100, 1023, 1024, 1025] {
            assert_eq!(smallest(|size| size >= wanted), wanted);
        }
    }

    #[test]
    fn as_many_as_overlap_are_advised_where_nobody_may_wait() {
        // Three come at once each minute and hold for half of it; one in nine hundred is not allowed to wait.
        let arrivals = (0..300).map(|number| Arrival { at: f64::from(number / 3) * 60.0, holds: 30.0 }).collect();
        let advice = advise(&Basis::of_arrivals(arrivals), 0.001, Some(10));
        assert_eq!((advice.containers, advice.sessions), (3, 300));
        let sizes: Vec<_> = advice.sizes.iter().map(|size| size.containers).collect();
        assert_eq!(sizes, [1, 2, 3, 4, 5, 6, 10]);
        let chances: Vec<_> = advice.sizes.iter().map(|size| size.replay.wait_chance).collect();
        assert_eq!(chances[2..], [0.0; 5]);
        // One of three waits with two of them, and with one the line grows.
        assert!((chances[1] - 1.0 / 3.0).abs() < 1e-9, "{chances:?}");
        assert!(advice.sizes[0].overloaded_stretches > 0 && advice.sizes[0].erlang_c.mean_wait_seconds.is_none());
        assert!(advice.cautions[0].starts_with("300 sessions are few for a chance of 0.1%"), "{:?}", advice.cautions);
    }
}
