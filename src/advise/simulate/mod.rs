//! A pool that follows demand, played through: sessions come, wait in a line and hold a container, which is away for a while after
//! each; containers take their time to start. Once a second is decided by the very function that a replica asks
//! ([`decide`]), with the same bounds.
//!
//! In whole µs. At one moment containers come back first, then sessions come, then it is decided.

mod account;
mod pool;
mod scaler;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use self::{pool::Pool, scaler::Scaler};
use super::{Basis, Waits, smallest};
use crate::config::ScaleConfig;

/// What a simulation leaves out, in words.
pub const LEFT_OUT: [&str; 4] = [
    "containers that fail, are probed, rest or cannot be made",
    "waiters that give up, and creates that are refused",
    "which session of the line is served first",
    "containers that are there by themselves: they never go (give them as --min)",
];

/// Where and when a demand is played through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// When it begins: what schedules go by.
    pub begin: Timestamp,
    /// The same in the time of the arrivals (seconds).
    pub begin_seconds: f64,
    /// For how long (seconds) containers are counted; who waits then is still served.
    pub span_seconds: f64,
    /// How long a container takes from being asked for to being available.
    pub startup: Duration,
}

impl Stage {
    /// That of a record, as it was.
    #[must_use]
    pub fn of_record(basis: &Basis, begin: Timestamp, startup: Duration) -> Self {
        Self { begin, begin_seconds: basis.begin_seconds(), span_seconds: basis.span_seconds(), startup }
    }
}

/// How many containers there are.
#[derive(Debug, Clone, Copy)]
pub enum Size<'a> {
    /// As many all the time.
    Fixed(u64),
    /// As is decided, from what is wanted without a session on.
    Scaled(&'a ScaleConfig),
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// How many containers there were in the mean, with those that start or are made clean.
    pub containers_mean: f64,
    /// At most so many in 95 of a hundred moments.
    pub containers_p95: u64,
    /// The most.
    pub containers_max: u64,
    /// How the sessions fared.
    #[serde(flatten)]
    pub waits: Waits,
    /// What it cost.
    pub container_hours: f64,
    /// The share of that in which a session had the container: 0 to 1.
    pub in_use: f64,
    /// How many containers were added.
    pub added: u64,
    /// How many were taken away.
    pub taken_away: u64,
    /// What is drawn: the whole time in parts.
    #[serde(skip)]
    pub course: Vec<Part>,
}

/// The most in a part of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// Containers.
    pub containers: u64,
    /// Sessions that have one or wait.
    pub sessions: u64,
}

/// A pool that follows demand, and others beside it that do not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// As it is decided.
    pub scaled: Outcome,
    /// As many all the time.
    pub fixed: Vec<Fixed>,
}

/// A pool of one size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fixed {
    /// How many containers.
    pub containers: u64,
    /// Why it is told of.
    pub why: Vec<Why>,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Why a pool of one size is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It costs as much as the one that follows demand, or less than one container more.
    AsCostly,
    /// With less than the chance to wait that is asked for.
    Advised,
    /// As large as the one that follows demand ever is.
    AsLarge,
    /// There are so many now.
    Now,
    /// Somebody asked for it.
    Asked,
}

/// Plays a demand through with a pool that follows it, and with those of one size that cost as much, that are as large, and where less
/// than `wait_chance` of the sessions wait; and with `others`.
#[must_use]
pub fn compare(
    basis: &Basis,
    stage: &Stage,
    settings: &ScaleConfig,
    wait_chance: f64,
    others: &[(u64, Why)],
) -> Comparison {
    let scaled = simulate(basis, stage, Size::Scaled(settings));
    let advised = smallest(|containers| basis.replay(containers).wait_chance < wait_chance);
    let mut sizes: BTreeMap<u64, Vec<Why>> = BTreeMap::new();
    let found = [
        ((scaled.containers_mean.ceil() as u64).max(1), Why::AsCostly),
        (u64::from(advised), Why::Advised),
        (scaled.containers_max.max(1), Why::AsLarge),
    ];
    for (containers, why) in found.into_iter().chain(others.iter().copied().filter(|(containers, _)| *containers > 0)) {
        sizes.entry(containers).or_default().push(why);
    }
    let fixed = sizes.into_iter().map(|(containers, why)| {
        let outcome = simulate(basis, stage, Size::Fixed(containers));
        Fixed { containers, why, outcome }
    });
    Comparison { fixed: fixed.collect(), scaled }
}

/// Plays a demand through.
#[must_use]
pub fn simulate(basis: &Basis, stage: &Stage, size: Size<'_>) -> Outcome {
    let (outcome, _) = played(basis, stage, size, true);
    outcome
}

/// The same; also how long each session waited (seconds), in the order of arrival. `rest`: where nothing can happen, nothing is
/// decided either.
fn played(basis: &Basis, stage: &Stage, size: Size<'_>, rest: bool) -> (Outcome, Vec<f64>) {
    let mut pool = Pool::new(basis, stage);
    let mut scaler = match size {
        Size::Fixed(containers) => {
            pool.idle = containers;
            None
        }
        Size::Scaled(settings) => {
            let mut scaler = Scaler::new(settings, stage, rest);
            pool.idle = scaler.first(&pool);
            Some(scaler)
        }
    };
    while !pool.is_over() {
        let decided = scaler.as_ref().map(|scaler| scaler.next);
        let Some(next) = pool.next().into_iter().chain(decided).min() else { break };
        pool.pass(next);
        pool.happens();
        if let Some(scaler) = scaler.as_mut().filter(|scaler| scaler.next == next) {
            scaler.act(&mut pool);
        }
    }
    pool.pass(pool.horizon);
    (pool.account.outcome(pool.waits.clone()), pool.waits)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        advise::{
            demand::{Arrival, Burst, Demand, Holding},
            erlang::{self, Stretch},
            replay::replay,
        },
        config::ScheduleConfig,
    };

    const DAY: f64 = 86_400.0;

    fn stage(basis: &Basis, startup: u64) -> Stage {
        let begin = jiff::civil::date(2026, 1, 5).to_zoned_datetime(TimeZone::UTC).unwrap().timestamp();
        Stage::of_record(basis, begin, Duration::from_secs(startup))
    }

    fn settings(min: u64, max: u64, min_idle: u64) -> ScaleConfig {
        ScaleConfig { min_idle, min, max, ..ScaleConfig::unconfigured() }
    }

    fn basis(times: &[(f64, f64)], away_seconds: f64) -> Basis {
        let arrivals = times.iter().map(|&(at, holds)| Arrival { at, holds }).collect();
        Basis { away_seconds, ..Basis::of_arrivals(arrivals) }
    }

    /// A working day with a burst at noon.
    fn busy_day(seed: u64) -> Basis {
        let burst = Burst { at: 43_200.0, lasts: 600.0, times: 8.0 };
        let demand = Demand::daily(60.0, 0.9, 14, Holding::Exponential { mean: 300.0 }).with_burst(burst);
        Basis::of_demand(&demand, DAY, 5.0, seed).unwrap()
    }

    #[test]
    fn the_same_demand_gives_the_same_outcome_and_another_seed_another_one() {
        let outcome = |seed| {
            let basis = busy_day(seed);
            simulate(&basis, &stage(&basis, 10), Size::Scaled(&settings(0, 30, 1)))
        };
        assert_eq!(outcome(1), outcome(1));
        assert_ne!(outcome(1), outcome(2));
    }

    #[test]
    fn a_container_is_added_when_it_is_wanted_starts_and_goes_after_a_calm() {
        let one = basis(&[(0.0, 60.0), (1000.0, 0.0)], 0.0);
        let settings = settings(0, 3, 0);
        let (outcome, waits) = played(&one, &stage(&one, 10), Size::Scaled(&settings), true);
        // Asked for at once, in the second in which each comes; the first one is there for a calm after its session.
        assert_eq!(waits, [10.0, 10.0]);
        assert_eq!((outcome.added, outcome.taken_away, outcome.containers_max), (2, 1, 1));
        let hours = outcome.container_hours * 3600.0;
        assert!((hours - 371.0).abs() < 1.5, "ten to start, sixty in use, three hundred calm: {hours}");
        assert!((outcome.in_use - 60.0 / hours).abs() < 1e-6, "{outcome:?}");
    }

    #[test]
    fn idle_ones_are_there_for_who_comes_and_no_longer_than_it_takes_to_start_one_more() {
        let three = basis(&[(100.2, 500.0), (105.0, 500.0), (150.0, 500.0), (700.0, 1.0)], 0.0);
        let (_, waits) = played(&three, &stage(&three, 10), Size::Scaled(&settings(0, 9, 1)), true);
        // The second one comes before the container that the first one's arrival asked for is there.
        assert_eq!((waits[0], waits[2], waits[3]), (0.0, 0.0, 0.0));
        assert!((5.0..=6.0).contains(&waits[1]), "{waits:?}");
    }

    #[test]
    fn a_schedule_and_a_share_of_the_peak_have_containers_there_before_they_are_wanted() {
        // Each morning at 8 ten come at once, and stay for an hour.
        let times: Vec<_> = (0..4).flat_map(|day| (0..10).map(move |_| (f64::from(day) * DAY, 3600.0))).collect();
        let basis = basis(&times, 0.0);
        let stage = Stage { begin: "2026-01-05T08:00:00Z".parse().unwrap(), ..stage(&basis, 30) };
        let waited = |settings: &ScaleConfig| simulate(&basis, &stage, Size::Scaled(settings));
        let plain = settings(0, 20, 1);
        assert!(waited(&plain).waits.wait_chance > 0.8);
        let entry = ScheduleConfig {
            cron: "50 8 * * *".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            duration: Duration::from_mins(20),
            min: 10,
            min_idle: 0,
        };
        let by_schedule = waited(&ScaleConfig { schedule: vec![entry], ..plain.clone() });
        assert!(by_schedule.waits.wait_chance < 1e-9, "{by_schedule:?}");
        assert!(by_schedule.containers_mean < 2.5, "it is small between: {by_schedule:?}");
        let by_peak = waited(&ScaleConfig { share_of_peak: Some(1.0), ..plain.clone() });
        // On the first day nothing is known yet.
        assert!((by_peak.waits.wait_chance - 9.0 / 40.0).abs() < 1e-9, "{by_peak:?}");
        assert!(by_peak.containers_mean > 9.0, "{by_peak:?}");
    }

    #[test]
    fn sessions_by_chance_wait_for_a_fixed_size_as_erlang_c_says() {
        for (containers, load) in [(1, 0.7), (4, 3.0), (10, 8.0)] {
            let demand = Demand::steady(3600.0 * load / 60.0, Holding::Exponential { mean: 60.0 });
            let basis = Basis::of_demand(&demand, 60.0 / load * 200_000.0, 0.0, 11).unwrap();
            let found = simulate(&basis, &stage(&basis, 0), Size::Fixed(containers));
            let (known, _) = erlang::waits(&[Stretch { rate: load / 60.0, sessions: 1 }], 60.0, containers as u32);
            let near = |found: f64, known: f64, share: f64| (found - known).abs() < share * known;
            let (mean, of) = (found.waits.mean_wait_seconds.unwrap(), known.mean_wait_seconds.unwrap());
            assert!(near(found.waits.wait_chance, known.wait_chance, 0.04), "{containers}, {load}: {found:?}");
            assert!(near(mean, of, 0.1), "{containers}, {load}: {mean} for {of}");
            assert!(near(found.in_use, load / containers as f64, 0.02), "{containers}, {load}: {}", found.in_use);
        }
    }

    #[test]
    fn fixed_sizes_stand_beside_it_each_once() {
        let basis = busy_day(3);
        let found = compare(&basis, &stage(&basis, 10), &settings(0, 30, 1), 0.01, &[(7, Why::Asked), (0, Why::Now)]);
        let sizes: Vec<_> = found.fixed.iter().map(|one| one.containers).collect();
        assert!(sizes.is_sorted_by(|one, next| one < next), "{sizes:?}");
        let why = |wanted| found.fixed.iter().find(|one| one.why.contains(&wanted)).unwrap();
        let (costly, large) = (why(Why::AsCostly), why(Why::AsLarge));
        assert!(
            costly.containers as f64 >= found.scaled.containers_mean && large.containers == found.scaled.containers_max
        );
        assert_eq!(why(Why::Asked).containers, 7);
        assert!(why(Why::Advised).outcome.waits.wait_chance < 0.01);
        assert!(large.outcome.container_hours > found.scaled.container_hours);
        let fine = |one: &Outcome| (0.0..=1.0).contains(&one.in_use) && one.containers_p95 <= one.containers_max;
        assert!(fine(&found.scaled) && found.fixed.iter().all(|one| fine(&one.outcome)), "{found:?}");
    }

    /// Sessions, how long a container is away after each, and how long one takes to start.
    fn demands() -> impl Strategy<Value = (Vec<(f64, f64)>, f64, u64)> {
        (vec((0.0_f64..4000.0, 0.0_f64..600.0), 1..60), 0.0_f64..30.0, 0_u64..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_fixed_size_is_the_replay((times, away, startup) in demands(), containers in 1_u64..8) {
            let basis = basis(&times, away);
            let (outcome, waits) = played(&basis, &stage(&basis, startup), Size::Fixed(containers), true);
            prop_assert_eq!(&waits, &replay(&basis.arrivals, away, containers as u32));
            prop_assert_eq!((outcome.added, outcome.taken_away), (0, 0));
        }

        #[test]
        fn one_that_may_have_one_size_only_is_a_fixed_one((times, away, startup) in demands(), containers in 1_u64..8, idle in 0_u64..4) {
            let basis = basis(&times, away);
            let (stage, settings) = (stage(&basis, startup), settings(containers, containers, idle));
            prop_assert_eq!(
                played(&basis, &stage, Size::Scaled(&settings), true),
                played(&basis, &stage, Size::Fixed(containers), true)
            );
        }

        #[test]
        fn it_stays_within_its_bounds_and_serves_each_session_once(
            (times, away, startup) in demands(), min in 0_u64..4, more in 1_u64..8, idle in 0_u64..3
        ) {
            let basis = basis(&times, away);
            let (stage, settings) = (stage(&basis, startup), settings(min, min + more, idle.min(min + more)));
            let (outcome, waits) = played(&basis, &stage, Size::Scaled(&settings), true);
            prop_assert_eq!(waits.len(), times.len());
            prop_assert!(waits.iter().all(|wait| *wait >= 0.0));
            prop_assert!(outcome.containers_max <= settings.max, "{outcome:?}");
            let most = outcome.course.iter().map(|part| part.containers).max();
            prop_assert_eq!(most, Some(outcome.containers_max), "what is drawn is what was");
            // No fixed size that is as large makes anybody wait longer.
            let largest = played(&basis, &stage, Size::Fixed(settings.max), true).1;
            prop_assert!(waits.iter().sum::<f64>() >= largest.iter().sum::<f64>() - 1e-6);
        }

        #[test]
        fn where_nothing_can_happen_nothing_would_be_decided(
            (times, away, startup) in demands(), max in 1_u64..8, share in prop::option::of(0.1_f64..=1.0), scheduled in 0_u64..4
        ) {
            let basis = basis(&times, away);
            let entry = ScheduleConfig {
                cron: "*/20 * * * *".to_owned(),
                time_zone: "UTC".to_owned(),
                duration: Duration::from_mins(3),
                min: scheduled,
                min_idle: 1,
            };
            let settings = ScaleConfig {
                share_of_peak: share,
                peak_window: Duration::from_mins(20),
                calm: Duration::from_secs(90),
                schedule: vec![entry],
                ..settings(0, max, 0)
            };
            let stage = stage(&basis, startup);
            let each_second = played(&basis, &stage, Size::Scaled(&settings), false);
            prop_assert_eq!(played(&basis, &stage, Size::Scaled(&settings), true), each_second);
        }
    }
}
