//! How many containers a type should have, and why. What is known goes in and a decision comes out, so that the simulation asks what
//! a replica asks.

use std::{collections::VecDeque, fmt, time::Duration};

/// What bounds a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Idle ones beside those in use and those that somebody waits for.
    pub min_idle: u64,
    /// The fewest.
    pub min: u64,
    /// The most, whatever they do.
    pub max: u64,
    /// Between two additions.
    pub up_pause: Duration,
    /// So long nobody must have needed what is taken away.
    pub calm: Duration,
}

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
    let demand = seen.live + seen.queued + bounds.min_idle;
    let wanted = demand.clamp(bounds.min.min(bounds.max), bounds.max);
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
        return decision(Change::Up(more), if demand >= bounds.min { Reason::Demand } else { Reason::Min });
    }
    if demand > bounds.max {
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
    /// The most that was wanted in the last calm; none when that is not known for so long.
    fn held(&mut self, bounds: &Bounds, at_ms: u64, wanted: u64) -> Option<u64> {
        // A clock that was set back: what is from the future is not remembered.
        let since = *self.since_ms.get_or_insert(at_ms);
        if since > at_ms || self.peaks.back().is_some_and(|(at, _)| *at > at_ms) {
            *self = Self { since_ms: Some(at_ms), up_ms: None, peaks: VecDeque::new() };
        }
        let from = at_ms.saturating_sub(millis(bounds.calm));
        while self.peaks.front().is_some_and(|(at, _)| *at < from) {
            self.peaks.pop_front();
        }
        while self.peaks.back().is_some_and(|(_, other)| *other <= wanted) {
            self.peaks.pop_back();
        }
        self.peaks.push_back((at_ms, wanted));
        let whole = self.since_ms.is_some_and(|since| since <= from);
        whole.then(|| self.peaks[0].1)
    }

    /// From the text that it was written as; what cannot be read is forgotten.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let read = || {
            let mut parts = text.split(' ');
            let mut number = || -> Option<u64> { parts.next()?.parse().ok() };
            let (since_ms, up_ms) = (number()?, number()?);
            let peaks = parts
                .map(|pair| {
                    let (at, wanted) = pair.split_once(':')?;
                    Some((at.parse().ok()?, wanted.parse().ok()?))
                })
                .collect::<Option<_>>()?;
            Some(Self { since_ms: (since_ms > 0).then_some(since_ms), up_ms: (up_ms > 0).then_some(up_ms), peaks })
        };
        read().unwrap_or_default()
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.since_ms.unwrap_or_default(), self.up_ms.unwrap_or_default())?;
        self.peaks.iter().try_for_each(|(at, wanted)| write!(f, " {at}:{wanted}"))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds =
        Bounds { min_idle: 1, min: 2, max: 6, up_pause: Duration::from_secs(5), calm: Duration::from_mins(1) };

    /// A pool whose containers are there as soon as they are asked for.
    struct Pool {
        memory: Memory,
        now: u64,
        usable: u64,
    }

    impl Pool {
        fn new(usable: u64) -> Self {
            Self { memory: Memory::default(), now: 1_000_000, usable }
        }

        fn step(&mut self, seconds: u64, live: u64, queued: u64) -> Decision {
            self.now += seconds * 1000;
            let seen = Seen { at_ms: self.now, live, queued, usable: self.usable, all: self.usable };
            // As it is stored between two decisions.
            self.memory = Memory::read(&self.memory.to_string());
            let decision = decide(&BOUNDS, &mut self.memory, &seen);
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
