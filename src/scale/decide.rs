//! How many containers a type should have, and why. What is known goes in and a decision comes out, so that the simulation asks what
//! a replica asks.

pub use super::memory::Memory;
use super::{Bounds, memory::millis};

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

/// So much of a count, rounded up; what floating point adds in its last digits is not.
fn share(share: f64, count: u64) -> u64 {
    (share * count as f64 - 1e-9).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
