//! What advice stands on: sessions one by one, as they were recorded, or as they may have been where only their counts are known.

use rand::{SeedableRng as _, rngs::StdRng};
use serde::Serialize;

use super::{
    Waits,
    demand::{Arrival, Demand, Holding},
    erlang::Stretch,
    replay,
};
use crate::model::{Sizes, TypeHistory};

/// The seconds of an hour.
const HOUR: f64 = 3600.0;
/// About so many sessions are drawn at most: more show no more, and take their time.
const DRAWN_MOST: u64 = 300_000;
/// Into more parts no span is taken apart: over a year has longer ones.
const STRETCHES_MOST: f64 = 10_000.0;
/// Of an hour that has just begun nobody knows much: it counts as so many seconds at least.
const YOUNGEST: f64 = 600.0;
/// Any will do; always the same, so that the same history gives the same advice.
const SEED: u64 = 1;

/// Where the sessions come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BasisKind {
    /// Recorded one by one.
    Sessions,
    /// Drawn from what was counted by the hour.
    Hours,
    /// Made up.
    MadeUp,
}

/// Sessions that came, and how long containers are away after them.
#[derive(Debug, Clone, PartialEq)]
pub struct Basis {
    /// Where they come from.
    pub kind: BasisKind,
    /// The sessions, by when they came.
    pub(super) arrivals: Vec<Arrival>,
    /// For how long a container is made clean and probed after each session, in the mean.
    pub away_seconds: f64,
    /// How many left the line without a container.
    pub gave_up: u64,
    /// How often events were gone before they were counted.
    pub gaps: u64,
}

impl Basis {
    /// Of these sessions. Their durations count as the whole time that a container is not available.
    #[must_use]
    pub fn of_arrivals(mut arrivals: Vec<Arrival>) -> Self {
        arrivals.sort_by(|one, other| one.at.total_cmp(&other.at));
        Self { kind: BasisKind::Sessions, arrivals, away_seconds: 0.0, gave_up: 0, gaps: 0 }
    }

    /// Of a history: its sessions where at least half of them are there one by one, else drawn from the hours as
    /// a Poisson process with the rate of each. None when no session has ended yet.
    #[must_use]
    pub fn of_history(history: &TypeHistory) -> Option<Self> {
        let sum = |count: fn(&crate::model::HourCounts) -> u64| -> u64 {
            history.hours.iter().map(|hour| count(&hour.counts)).sum()
        };
        let (ended, singly) = (sum(|hour| hour.ended), history.sessions.len() as u64);
        if singly == 0 {
            return None;
        }
        let arrivals = history.sessions.iter().map(|session| Arrival {
            at: session.arrived.as_millisecond() as f64 / 1e3,
            holds: session.duration_seconds,
        });
        let mut basis = Self::of_arrivals(arrivals.collect());
        if singly * 2 < ended {
            basis = Self { kind: BasisKind::Hours, arrivals: drawn(history), ..basis };
        }
        basis.away_seconds = sum(|hour| hour.away_ms) as f64 / 1e3 / ended.max(1) as f64;
        basis.gave_up = sum(|hour| hour.gave_up);
        basis.gaps = sum(|hour| hour.gaps);
        (!basis.arrivals.is_empty()).then_some(basis)
    }

    /// Of a demand that is made up, over so many seconds. None when nobody comes.
    #[must_use]
    pub fn of_demand(demand: &Demand, seconds: f64, away_seconds: f64, seed: u64) -> Option<Self> {
        let arrivals = demand.arrivals(seconds, &mut StdRng::seed_from_u64(seed));
        let basis = Self { kind: BasisKind::MadeUp, away_seconds, ..Self::of_arrivals(arrivals) };
        (!basis.arrivals.is_empty()).then_some(basis)
    }

    /// When the first session came (seconds).
    #[must_use]
    pub fn begin_seconds(&self) -> f64 {
        self.arrivals.first().map_or(0.0, |first| first.at)
    }

    /// How many sessions came.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.arrivals.len()
    }

    /// From the first arrival to the last.
    #[must_use]
    pub fn span_seconds(&self) -> f64 {
        match (self.arrivals.first(), self.arrivals.last()) {
            (Some(first), Some(last)) => last.at - first.at,
            _ => 0.0,
        }
    }

    /// How long sessions hold a container: the mean.
    #[must_use]
    pub fn holding_seconds(&self) -> f64 {
        self.arrivals.iter().map(|one| one.holds).sum::<f64>() / self.arrivals.len().max(1) as f64
    }

    /// How long a session keeps a container from others: the mean.
    #[must_use]
    pub fn busy_seconds(&self) -> f64 {
        self.holding_seconds() + self.away_seconds
    }

    /// How they fare with so many containers, served again.
    #[must_use]
    pub fn replay(&self, containers: u32) -> Waits {
        replay::waits(&self.arrivals, self.away_seconds, containers)
    }

    /// The span in parts of about an hour, each with its rate.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let (span, begin) = (self.span_seconds(), self.begin_seconds());
        let count = (span / HOUR).round().clamp(1.0, STRETCHES_MOST);
        let length = span / count;
        let mut sessions = vec![0_u64; count as usize];
        for one in &self.arrivals {
            let part = if length > 0.0 { ((one.at - begin) / length) as usize } else { 0 };
            sessions[part.min(count as usize - 1)] += 1;
        }
        // Between so many there is one time less than there are sessions; over many hours that is nothing.
        let rate = |came: u64| if length > 0.0 { (came as f64 - 1.0 / count).max(0.0) / length } else { 0.0 };
        sessions.into_iter().map(|came| Stretch { rate: rate(came), sessions: came }).collect()
    }
}

/// Sessions as they may have come in the latest hours, one hour after the other. Hours in which nothing happened are not in a
/// history: they count as one, in which a line ends.
fn drawn(history: &TypeHistory) -> Vec<Arrival> {
    let (mut hourly, mut came, mut after) = (Vec::new(), 0, None);
    let (mut holds, mut held_ms, mut ended) = (Sizes::default(), 0, 0);
    for hour in history.hours.iter().rev() {
        let from = hour.from.as_second();
        if after.is_some_and(|after| after - from > HOUR as i64) {
            hourly.push(0.0);
        }
        after = Some(from);
        // Of the last one only what has passed.
        let passed = (history.at.as_second() - from) as f64;
        hourly.push(hour.counts.arrivals as f64 * HOUR / passed.clamp(YOUNGEST, HOUR));
        holds.add(&hour.counts.holds);
        held_ms += hour.counts.held_ms;
        ended += hour.counts.ended;
        came += hour.counts.arrivals;
        if came >= DRAWN_MOST {
            break;
        }
    }
    hourly.reverse();
    let mean = held_ms as f64 / 1e3 / ended.max(1) as f64;
    let holding = Holding::Counted { classes: holds.classes().collect(), mean };
    let seconds = hourly.len() as f64 * HOUR;
    Demand { hourly, bursts: Vec::new(), holding }.arrivals(seconds, &mut StdRng::seed_from_u64(SEED))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Hour, HourCounts, PastSession};

    const MORNING: i64 = 1_795_440_000;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Some hours of so many sessions of a minute, with ten seconds of reset; of each hour so many are there one by one.
    fn history(hours: &[(i64, u64)], singly: u64) -> TypeHistory {
        let hour = |&(number, sessions): &(i64, u64)| {
            let mut counts =
                HourCounts { arrivals: sessions, at_once: sessions, ended: sessions, ..HourCounts::default() };
            (counts.held_ms, counts.returned, counts.away_ms) = (sessions * 60_000, sessions, sessions * 10_000);
            (0..sessions).for_each(|_| counts.holds.count(60_000));
            Hour { from: time(MORNING + number * 3600), counts }
        };
        let session =
            |number: u64| PastSession { arrived: time(MORNING + number.cast_signed() * 60), duration_seconds: 60.0 };
        TypeHistory {
            target_type: "wine".parse().unwrap(),
            at: time(MORNING + hours.last().map_or(0, |hour| hour.0 + 1) * 3600),
            hours: hours.iter().map(hour).collect(),
            sessions: (0..singly).rev().map(session).collect(),
        }
    }

    #[test]
    fn sessions_that_are_there_one_by_one_are_taken_as_they_are() {
        let basis = Basis::of_history(&history(&[(0, 60), (1, 60)], 120)).unwrap();
        assert_eq!((basis.kind, basis.arrivals.len(), basis.away_seconds), (BasisKind::Sessions, 120, 10.0));
        assert_eq!((basis.span_seconds(), basis.holding_seconds(), basis.busy_seconds()), (7140.0, 60.0, 70.0));
        // One each minute: with one container all but the first wait for ten seconds more each.
        let chances: Vec<_> = [1, 2].into_iter().map(|containers| basis.replay(containers).wait_chance).collect();
        assert_eq!(chances, [119.0 / 120.0, 0.0]);
    }

    #[test]
    fn where_most_are_only_counted_they_are_drawn_by_the_hour() {
        let history = history(&[(0, 600), (1, 60), (5, 6000)], 100);
        let basis = Basis::of_history(&history).unwrap();
        assert_eq!((basis.kind, basis.away_seconds), (BasisKind::Hours, 10.0));
        assert_eq!(basis, Basis::of_history(&history).unwrap(), "the same each time");
        // The empty hours between are one.
        let within = |hour: u32| {
            let (from, to) = (f64::from(hour) * HOUR, f64::from(hour + 1) * HOUR);
            basis.arrivals.iter().filter(|one| (from..to).contains(&one.at)).count()
        };
        assert!((500..700).contains(&within(0)) && (30..90).contains(&within(1)), "{} {}", within(0), within(1));
        assert!(within(2) == 0 && (5700..6300).contains(&within(3)), "{} {}", within(2), within(3));
        assert!((basis.holding_seconds() - 60.0).abs() < 1.0, "{}", basis.holding_seconds());
    }

    #[test]
    fn an_hour_that_is_not_over_has_the_rate_of_what_has_passed() {
        let mut history = history(&[(0, 6000), (1, 3000)], 10);
        history.at = time(MORNING + 3600 + 1800);
        let basis = Basis::of_history(&history).unwrap();
        assert!((11_600..12_400).contains(&basis.arrivals.len()), "{}", basis.arrivals.len());
    }

    #[test]
    fn without_a_session_that_is_over_there_is_nothing_to_go_by() {
        assert_eq!(Basis::of_history(&history(&[], 0)), None);
    }

    #[test]
    fn stretches_have_the_rates_of_their_sessions() {
        let stretches = Basis::of_history(&history(&[(0, 60), (1, 60)], 120)).unwrap().stretches();
        assert_eq!(stretches.iter().map(|stretch| stretch.sessions).collect::<Vec<_>>(), [60, 60]);
        assert!(stretches.iter().all(|stretch| (stretch.rate * 60.0 - 1.0).abs() < 0.001), "{stretches:?}");
        let one = Basis::of_arrivals(vec![Arrival { at: 5.0, holds: 1.0 }]).stretches();
        assert_eq!(one, [Stretch { rate: 0.0, sessions: 1 }]);
    }
}
