//! How many containers a type should have, and why. What is known goes in and a decision comes out, so that the simulation asks what
//! a replica asks.

use std::{collections::VecDeque, fmt, time::Duration};

use super::Bounds;

/// Into so many parts the window of the peak is taken apart: what is remembered stays short, whatever the window is.
const PARTS: u64 = 96;

/// What there is of a type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// When, in milliseconds of a clock that goes on evenly.
    pub at_ms: u64,
    /// Sessions that have a container, or are offered one.
    pub live: u64,
    /// Sessions that wait.
    pub queued: u64,
    /// Containers that serve, or soon will: not those that are unhealthy, cordoned, or being taken away.
    pub usable: u64,
    /// All containers.
    pub all: u64,
}

/// What is remembered from one decision to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Since when there is one: before a whole calm is known nothing is taken away.
    since_ms: Option<u64>,
    /// The last addition.
    up_ms: Option<u64>,
    /// What was wanted lately, when last, and is not exceeded by anything later: the first is the most.
    peaks: VecDeque<(u64, u64)>,
    /// The same of the sessions that there were at once, by the ends of the parts of the peak's window.
    sessions: VecDeque<(u64, u64)>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// So many more.
    Up(u64),
    /// So many fewer.
    Down(u64),
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// What there is, is what is wanted.
    Steady,
    /// More are in use or waited for than there are, with those that should be idle.
    Demand,
    /// There are fewer than the fewest.
    Min,
    /// There are fewer than the schedule asks for at this time.
    Schedule,
    /// There are fewer than the share of the peak.
    Peak,
    /// More are wanted than there may be.
    AtMax,
    /// More are wanted; the last ones that were added are to be seen first.
    Pausing,
    /// Fewer are wanted, but not for long enough.
    NotCalm,
    /// Fewer were wanted for long enough.
    Calm,
}

impl Reason {
    /// The stable word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Demand => "demand",
            Self::Min => "min",
            Self::Schedule => "schedule",
            Self::Peak => "peak",
            Self::AtMax => "at_max",
            Self::Pausing => "pausing",
            Self::NotCalm => "not_calm",
            Self::Calm => "calm",
        }
    }
}

/// How many containers there should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// So many, by what is known now.
    pub wanted: u64,
    /// What is to be done about it.
    pub change: Change,
    /// Why.
    pub reason: Reason,
}

/// Decides, and remembers.
#[must_use]
pub fn decide(bounds: &Bounds, memory: &mut Memory, seen: &Seen) -> Decision {
    memory.forget_what_is_to_come(seen.at_ms);
    let sessions = seen.live + seen.queued;
    let peak = memory.peak(bounds, seen.at_ms, sessions.min(bounds.max));
    let asked = [
        (sessions + bounds.min_idle, Reason::Demand),
        (bounds.min, Reason::Min),
        (bounds.scheduled.min.max(sessions + bounds.scheduled.min_idle), Reason::Schedule),
        (share(bounds.share_of_peak, peak), Reason::Peak),
    ];
    // Of those that ask for as many the first is the reason.
    let (most, reason) = asked.into_iter().rev().max_by_key(|(count, _)| *count).unwrap_or(asked[0]);
    let wanted = most.min(bounds.max);
    let held = memory.held(bounds, seen.at_ms, wanted);
    let decision = |change, reason| Decision { wanted, change, reason };
    if wanted > seen.usable {
        let room = bounds.max.saturating_sub(seen.all);
        let more = (wanted - seen.usable).min(room);
        if more == 0 {
            return decision(Change::None, Reason::AtMax);
        }
        if memory.up_ms.is_some_and(|up| seen.at_ms < up + millis(bounds.up_pause)) {
            return decision(Change::None, Reason::Pausing);
        }
        memory.up_ms = Some(seen.at_ms);
        return decision(Change::Up(more), reason);
    }
    if sessions + bounds.idle() > bounds.max {
        return decision(Change::None, Reason::AtMax);
    }
    if wanted == seen.usable {
        return decision(Change::None, Reason::Steady);
    }
    match held {
        Some(most) if most < seen.usable => decision(Change::Down(seen.usable - most), Reason::Calm),
        _ => decision(Change::None, Reason::NotCalm),
    }
}

impl Memory {
    /// A clock that was set back: what is from the future is not remembered.
    fn forget_what_is_to_come(&mut self, at_ms: u64) {
        let since = *self.since_ms.get_or_insert(at_ms);
        if since > at_ms || self.peaks.back().is_some_and(|(at, _)| *at > at_ms) {
            *self = Self { since_ms: Some(at_ms), ..Self::default() };
        }
    }

    /// The most sessions that there were at once in the peak's window, up to a part of it longer.
    fn peak(&mut self, bounds: &Bounds, at_ms: u64, sessions: u64) -> u64 {
        if bounds.share_of_peak <= 0.0 {
            self.sessions.clear();
            return 0;
        }
        let window = millis(bounds.peak_window);
        let part = (window / PARTS).max(1);
        let end = (at_ms / part + 1) * part;
        remember(&mut self.sessions, at_ms.saturating_sub(window), end, sessions)
    }

    /// The most that was wanted in the last calm; none when that is not known for so long.
    fn held(&mut self, bounds: &Bounds, at_ms: u64, wanted: u64) -> Option<u64> {
        let from = at_ms.saturating_sub(millis(bounds.calm));
        let most = remember(&mut self.peaks, from, at_ms, wanted);
        let whole = self.since_ms.is_some_and(|since| since <= from);
        whole.then_some(most)
    }

    /// When what is known of the peak changes by itself, in milliseconds; none without one.
    #[must_use]
    pub fn peak_until_ms(&self, bounds: &Bounds) -> Option<u64> {
        self.sessions.front().map(|(at, _)| at + millis(bounds.peak_window) + 1)
    }

    /// From the text that it was written as; what cannot be read is forgotten.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let read = || {
            let mut parts = text.split(' ');
            let mut number = || -> Option<u64> { parts.next()?.parse().ok() };
            let (since_ms, up_ms) = (number()?, number()?);
            let (since_ms, up_ms) = ((since_ms > 0).then_some(since_ms), (up_ms > 0).then_some(up_ms));
            let mut memory = Self { since_ms, up_ms, ..Self::default() };
            for pair in parts {
                let (line, (at, count)) = match pair.split_once('=') {
                    Some(pair) => (&mut memory.sessions, pair),
                    None => (&mut memory.peaks, pair.split_once(':')?),
                };
                line.push_back((at.parse().ok()?, count.parse().ok()?));
            }
            Some(memory)
        };
        read().unwrap_or_default()
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.since_ms.unwrap_or_default(), self.up_ms.unwrap_or_default())?;
        self.peaks.iter().try_for_each(|(at, wanted)| write!(f, " {at}:{wanted}"))?;
        self.sessions.iter().try_for_each(|(at, count)| write!(f, " {at}={count}"))
    }
}

/// Puts a count at the end of a falling line, in which each is more than all later ones; forgets what is from before `from`; the most
/// that is left.
fn remember(line: &mut VecDeque<(u64, u64)>, from: u64, at: u64, count: u64) -> u64 {
    while line.front().is_some_and(|(at, _)| *at < from) {
        line.pop_front();
    }
    while line.back().is_some_and(|(_, other)| *other <= count) {
        line.pop_back();
    }
    if line.back().is_none_or(|(last, _)| *last != at) {
        line.push_back((at, count));
    }
    line.front().map_or(count, |(_, most)| *most)
}

/// So much of a count, rounded up; what floating point adds in its last digits is not.
fn share(share: f64, count: u64) -> u64 {
    (share * count as f64 - 1e-9).ceil().max(0.0) as u64
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scale::Scheduled;

    const BOUNDS: Bounds = Bounds {
        min_idle: 1,
        min: 2,
        max: 6,
        up_pause: Duration::from_secs(5),
        calm: Duration::from_mins(1),
        scheduled: Scheduled { min: 0, min_idle: 0 },
        share_of_peak: 0.0,
        peak_window: Duration::from_hours(24),
    };

    /// A pool whose containers are there as soon as they are asked for.
    struct Pool {
        bounds: Bounds,
        memory: Memory,
        now: u64,
        usable: u64,
    }

    impl Pool {
        fn new(usable: u64) -> Self {
            Self { bounds: BOUNDS, memory: Memory::default(), now: 1_000_000, usable }
        }

        fn step(&mut self, seconds: u64, live: u64, queued: u64) -> Decision {
            self.now += seconds * 1000;
            let seen = Seen { at_ms: self.now, live, queued, usable: self.usable, all: self.usable };
            // As it is stored between two decisions.
            self.memory = Memory::read(&self.memory.to_string());
            let decision = decide(&self.bounds, &mut self.memory, &seen);
            match decision.change {
                Change::None => {}
                Change::Up(more) => self.usable += more,
                Change::Down(fewer) => self.usable -= fewer,
            }
            decision
        }
    }

    #[test]
    fn it_grows_at_once_with_demand_up_to_the_most_and_says_so() {
        let mut pool = Pool::new(2);
        assert_eq!(pool.step(1, 1, 0).reason, Reason::Steady);
        let up = pool.step(1, 2, 1);
        assert_eq!((up.wanted, up.change, up.reason), (4, Change::Up(2), Reason::Demand));
        assert_eq!(pool.step(1, 4, 3).reason, Reason::Pausing);
        let up = pool.step(5, 4, 3);
        assert_eq!((up.wanted, up.change), (6, Change::Up(2)));
        let full = pool.step(10, 6, 3);
        assert_eq!((full.wanted, full.change, full.reason), (6, Change::None, Reason::AtMax));
    }

    #[test]
    fn the_fewest_are_there_without_any_demand() {
        let mut pool = Pool::new(0);
        let up = pool.step(1, 0, 0);
        assert_eq!((up.change, up.reason), (Change::Up(2), Reason::Min));
        assert_eq!(pool.step(10, 0, 0).reason, Reason::Steady);
    }

    #[test]
    fn it_shrinks_to_what_was_needed_at_most_in_a_whole_calm() {
        let mut pool = Pool::new(6);
        // It has only just begun to look.
        assert_eq!(pool.step(1, 0, 0).reason, Reason::NotCalm);
        assert_eq!(pool.step(59, 3, 0).reason, Reason::NotCalm);
        let down = pool.step(2, 0, 0);
        assert_eq!((down.change, down.reason), (Change::Down(2), Reason::Calm), "three and one more were needed");
        assert_eq!(pool.step(30, 0, 0).reason, Reason::NotCalm);
        assert_eq!(pool.step(30, 0, 0).change, Change::Down(2));
        assert_eq!(pool.step(600, 0, 0).reason, Reason::Steady, "the fewest stay");
    }

    #[test]
    fn demand_that_goes_to_and_fro_about_a_boundary_changes_nothing() {
        let mut pool = Pool::new(4);
        for turn in 0..200 {
            let decision = pool.step(2, if turn % 5 == 0 { 3 } else { 2 }, 0);
            assert_eq!(decision.change, Change::None, "{turn}: {decision:?}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_takes_nothing_away_before_a_calm_is_known_again() {
        let mut pool = Pool::new(5);
        pool.step(1, 0, 0);
        pool.now -= 500_000;
        assert_eq!(pool.step(1, 0, 0).reason, Reason::NotCalm);
        assert_eq!(pool.step(59, 0, 0).reason, Reason::NotCalm);
        assert_eq!(pool.step(2, 0, 0).change, Change::Down(3));
    }

    #[test]
    fn what_the_schedule_asks_for_is_there_while_it_holds_and_says_so() {
        let mut pool = Pool::new(2);
        assert_eq!(pool.step(61, 1, 0).reason, Reason::Steady);
        pool.bounds.scheduled = Scheduled { min: 5, min_idle: 0 };
        let up = pool.step(1, 1, 0);
        assert_eq!((up.change, up.reason), (Change::Up(3), Reason::Schedule));
        assert_eq!(pool.step(600, 1, 0).reason, Reason::Steady);
        // Four in use, and two idle ones.
        pool.bounds.scheduled = Scheduled { min: 0, min_idle: 2 };
        let up = pool.step(1, 4, 0);
        assert_eq!((up.change, up.reason), (Change::Up(1), Reason::Schedule));
        let full = pool.step(1, 6, 0);
        assert_eq!((full.change, full.reason), (Change::None, Reason::AtMax), "it is idle ones that are missing");
        // What demand asks for as well is asked for by demand.
        pool.bounds.scheduled = Scheduled::default();
        assert_eq!(pool.step(1, 2, 0).reason, Reason::NotCalm);
        assert_eq!(pool.step(61, 2, 0).change, Change::Down(3));
    }

    #[test]
    fn a_share_of_the_most_sessions_of_the_window_stays() {
        let mut pool = Pool::new(2);
        (pool.bounds.share_of_peak, pool.bounds.max) = (0.5, 20);
        pool.step(1, 2, 7);
        assert_eq!(pool.usable, 10, "nine are wanted and an idle one");
        for _ in 0..24 * 60 - 1 {
            pool.step(60, 1, 0);
        }
        assert_eq!(pool.usable, 5, "half of nine");
        // All were removed by somebody.
        pool.usable = 0;
        let up = pool.step(1, 1, 0);
        assert_eq!((up.change, up.reason), (Change::Up(5), Reason::Peak));
        for _ in 0..20 {
            pool.step(60, 1, 0);
        }
        assert_eq!(pool.usable, 2, "a quarter of an hour after the window it is forgotten");
        // Who waits beyond the most makes no larger pool.
        pool.step(1, 2, 1000);
        pool.step(61, 1, 0);
        assert_eq!(pool.step(61, 1, 0).wanted, 10);
    }

    #[test]
    fn a_peak_is_remembered_in_short_whatever_the_window_is() {
        let mut pool = Pool::new(2);
        (pool.bounds.share_of_peak, pool.bounds.max) = (0.1, 10_000);
        pool.bounds.peak_window = Duration::from_hours(7 * 24);
        for second in 0..8 * 24 * 60 {
            pool.step(60, 9_999 - second / 2, 0);
        }
        assert!((96..=98).contains(&pool.memory.sessions.len()), "{}", pool.memory);
    }

    #[test]
    fn what_an_older_version_wrote_is_read_and_what_cannot_be_is_forgotten() {
        let old = Memory::read("1000 0 2000:5 3000:2");
        assert_eq!((old.since_ms, old.up_ms, &old.sessions), (Some(1000), None, &VecDeque::new()));
        assert_eq!(old.peaks, [(2000, 5), (3000, 2)]);
        let new = "1000 1500 2000:5 3000:2 900000=7 1800000=3";
        assert_eq!(Memory::read(new).to_string(), new);
        for bad in ["", "1000", "1000 0 5", "1000 0 5:x", "1000 0 5=6=7"] {
            assert_eq!(Memory::read(bad), Memory::default(), "{bad:?}");
        }
    }

    #[test]
    fn a_share_is_rounded_up_and_by_nothing_else() {
        let shares = [(0.5, 9), (0.55, 100), (0.1, 30), (1.0, 7), (0.001, 1), (0.5, 0)];
        assert_eq!(shares.map(|(part, count)| share(part, count)), [5, 55, 3, 7, 1, 0]);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds_and_never_takes_what_is_wanted(steps in prop::collection::vec((1..40_u64, 0..9_u64, 0..5_u64), 1..80)) {
            let mut pool = Pool::new(2);
            for (seconds, live, queued) in steps {
                let before = pool.usable;
                let decision = pool.step(seconds, live.min(pool.usable), queued);
                prop_assert!(pool.usable <= BOUNDS.max && pool.usable >= BOUNDS.min.min(before));
                if let Change::Down(_) = decision.change {
                    prop_assert!(pool.usable >= decision.wanted);
                }
            }
        }
    }
}
