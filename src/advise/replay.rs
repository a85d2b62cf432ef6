//! Sessions of a record served again, by another number of containers: who comes first is served first, by whichever
//! container is free first.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{Waits, demand::Arrival};

/// How long each session waits (seconds), in the order of `arrivals`, which are sorted by when they come. After a session its
/// container is away for `away_seconds` more.
///
/// In whole µs, so that more containers never make anybody wait longer, also in the last digit.
#[must_use]
pub fn replay(arrivals: &[Arrival], away_seconds: f64, containers: u32) -> Vec<f64> {
    let begin = arrivals.first().map_or(0.0, |first| first.at);
    // When each container is free; those that were never used need not be in it.
    let mut free: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    let wait = |arrival: &Arrival| {
        let at = micros(arrival.at - begin);
        let next = if free.len() < containers as usize { None } else { free.pop() };
        let start = next.map_or(at, |Reverse(free)| free.max(at));
        free.push(Reverse(start.saturating_add(micros(arrival.holds + away_seconds))));
        (start - at) as f64 / 1e6
    };
    arrivals.iter().map(wait).collect()
}

pub(super) fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

/// The same, in short.
#[must_use]
pub fn waits(arrivals: &[Arrival], away_seconds: f64, containers: u32) -> Waits {
    summary(replay(arrivals, away_seconds, containers))
}

/// How those fare who wait so long (seconds).
pub(super) fn summary(mut waits: Vec<f64>) -> Waits {
    waits.sort_unstable_by(f64::total_cmp);
    let count = waits.len().max(1) as f64;
    let waited = waits.len() - waits.partition_point(|wait| *wait <= 0.0);
    let p95 = ((count * 0.95).ceil() as usize).saturating_sub(1);
    Waits {
        wait_chance: waited as f64 / count,
        mean_wait_seconds: Some(waits.iter().sum::<f64>() / count),
        p95_wait_seconds: Some(waits.get(p95).copied().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;
    use crate::advise::{
        demand::{Demand, Holding},
        erlang::{self, Stretch},
    };

    fn arrivals(times: &[(f64, f64)]) -> Vec<Arrival> {
        times.iter().map(|&(at, holds)| Arrival { at, holds }).collect()
    }

    #[test]
    fn who_comes_first_is_served_first_by_the_container_that_is_free_first() {
        let sessions = arrivals(&[(100.0, 10.0), (101.0, 4.0), (102.0, 1.0), (103.0, 1.0), (120.0, 1.0)]);
        assert_eq!(replay(&sessions, 0.0, 1), [0.0, 9.0, 12.0, 12.0, 0.0]);
        assert_eq!(replay(&sessions, 0.0, 2), [0.0, 0.0, 3.0, 3.0, 0.0]);
        assert_eq!(replay(&sessions, 0.0, 3), [0.0, 0.0, 0.0, 0.0, 0.0]);
        // Made clean for two seconds each time.
        assert_eq!(replay(&sessions, 2.0, 2), [0.0, 0.0, 5.0, 7.0, 0.0]);
        let nobody = Waits { wait_chance: 0.0, mean_wait_seconds: Some(0.0), p95_wait_seconds: Some(0.0) };
        assert_eq!((waits(&[], 0.0, 1), waits(&sessions, 0.0, 3)), (nobody, nobody));
    }

    #[test]
    fn a_session_that_comes_when_a_container_is_given_back_does_not_wait() {
        assert_eq!(replay(&arrivals(&[(0.0, 0.1), (0.1, 0.1), (0.2, 0.1)]), 0.0, 1), [0.0; 3]);
    }

    #[test]
    fn sessions_by_chance_wait_as_erlang_c_says() {
        // A million of them: over the busy times of a queue the means of samples vary by a few in a hundred.
        let mut rng = StdRng::seed_from_u64(11);
        for (containers, load) in [(1, 0.7), (4, 3.0), (10, 8.0), (30, 25.0)] {
            let demand = Demand::steady(3600.0 * load / 60.0, Holding::Exponential { mean: 60.0 });
            let sessions = demand.arrivals(60.0 / load * 200_000.0, &mut rng);
            let found = waits(&sessions, 0.0, containers);
            let (known, _) = erlang::waits(&[Stretch { rate: load / 60.0, sessions: 1 }], 60.0, containers);
            let near = |found: f64, known: f64, share: f64| (found - known).abs() < share * known;
            assert!(near(found.wait_chance, known.wait_chance, 0.04), "{containers}, {load}: {found:?} for {known:?}");
            let (mean, of) = (found.mean_wait_seconds.unwrap(), known.mean_wait_seconds.unwrap());
            assert!(near(mean, of, 0.1), "{containers}, {load}: {found:?} for {known:?}");
            let (p95, of) = (found.p95_wait_seconds.unwrap(), known.p95_wait_seconds.unwrap());
            assert!(near(p95, of, 0.1), "{containers}, {load}: {found:?} for {known:?}");
        }
    }

    proptest! {
        #[test]
        fn more_containers_never_make_anybody_wait_longer(
            times in vec((0.0_f64..600.0, 0.0_f64..120.0), 1..200), away in 0.0_f64..30.0, containers in 1_u32..20
        ) {
            let mut sessions = arrivals(&times);
            sessions.sort_by(|one, other| one.at.total_cmp(&other.at));
            let (fewer, more) = (replay(&sessions, away, containers), replay(&sessions, away, containers + 1));
            for (fewer, more) in fewer.iter().zip(&more) {
                prop_assert!(more <= fewer);
            }
            prop_assert!(waits(&sessions, away, containers + 1).wait_chance <= waits(&sessions, away, containers).wait_chance);
            // With one for each nobody waits.
            prop_assert!(replay(&sessions, away, sessions.len() as u32).iter().all(|wait| *wait <= 0.0));
        }
    }
}
