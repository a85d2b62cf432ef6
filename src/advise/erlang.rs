//! Erlang C: how many wait when sessions come by chance, each for an exponential time, to so many containers and one line.

use super::Waits;

/// The quantile that is told.
const TOLD: f64 = 0.95;

/// A stretch of time with a rate of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// How many sessions come a second, in the mean.
    pub rate: f64,
    /// How many came: what it weighs beside others.
    pub sessions: u64,
}

/// The chance to wait with so many containers at this load (in Erlang: sessions a second × seconds that each keeps a container
/// busy). Where the load is no less than the containers the line grows without end, and everybody waits.
///
/// By the recursion of Erlang B, `1/B(n) = 1 + n/a · 1/B(n−1)` the other way round: no factorials and no powers, so it
/// neither overflows nor loses digits at thousands of containers.
#[must_use]
pub fn wait_chance(containers: u32, load: f64) -> f64 {
    let count = f64::from(containers);
    if load <= 0.0 {
        return 0.0;
    }
    if load >= count {
        return 1.0;
    }
    let blocked = (1..=containers).fold(1.0, |blocked, n| load * blocked / (f64::from(n) + load * blocked));
    count * blocked / (count - load * (1.0 - blocked))
}

/// How sessions fare over all stretches, where each keeps a container busy for so many seconds, and in how many of the stretches
/// more comes than the containers can serve. Each stretch counts as if it had always been so: what a line that grew in
/// one does to the next is the replay's to say.
#[must_use]
pub fn waits(stretches: &[Stretch], busy_seconds: f64, containers: u32) -> (Waits, usize) {
    let all = stretches.iter().map(|stretch| stretch.sessions).sum::<u64>().max(1) as f64;
    let parts: Vec<_> = stretches.iter().map(|stretch| Part::of(stretch, busy_seconds, containers, all)).collect();
    let overloaded = parts.iter().filter(|part| part.leaving <= 0.0).count();
    let chance = parts.iter().map(|part| part.share * part.chance).sum();
    let mean = parts.iter().map(|part| part.share * part.chance / part.leaving).sum();
    let waits = Waits {
        wait_chance: chance,
        mean_wait_seconds: (overloaded == 0).then_some(mean),
        p95_wait_seconds: quantile(&parts),
    };
    (waits, overloaded)
}

/// A stretch with a size of the pool.
struct Part {
    /// Of all sessions.
    share: f64,
    chance: f64,
    /// How fast a line gets shorter: sessions a second that containers serve more than come. Who waits, waits exponentially
    /// with this rate.
    leaving: f64,
}

impl Part {
    fn of(stretch: &Stretch, busy_seconds: f64, containers: u32, all: f64) -> Self {
        let load = stretch.rate * busy_seconds;
        let leaving = (f64::from(containers) - load) / busy_seconds;
        Self { share: stretch.sessions as f64 / all, chance: wait_chance(containers, load), leaving }
    }

    /// The share of all sessions that are of this stretch and wait longer.
    fn longer(&self, seconds: f64) -> f64 {
        let left = if self.leaving > 0.0 { (-self.leaving * seconds).exp() } else { 1.0 };
        self.share * self.chance * left
    }
}

/// What [`TOLD`] of the sessions do not wait longer than; none when more than the others are in stretches where the line grows.
fn quantile(parts: &[Part]) -> Option<f64> {
    let longer = |seconds| parts.iter().map(|part| part.longer(seconds)).sum::<f64>();
    let (mut below, mut above) = (0.0, 1.0);
    if longer(below) <= 1.0 - TOLD {
        return Some(below);
    }
    while longer(above) > 1.0 - TOLD {
        below = above;
        above *= 2.0;
        if above > 1e9 {
            return None;
        }
    }
    while above - below > 1e-6 * above {
        let middle = f64::midpoint(below, above);
        if longer(middle) > 1.0 - TOLD { below = middle } else { above = middle }
    }
    Some(above)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn about(value: f64, known: f64, digits: f64) {
        assert!((value - known).abs() < digits, "{value} for {known}");
    }

    fn steady(rate: f64) -> [Stretch; 1] {
        [Stretch { rate, sessions: 1 }]
    }

    #[test]
    fn known_values() {
        // One container: the chance to wait is the load. Two: load²/(2 + load).
        for load in [0.1, 0.5, 0.9, 0.999] {
            about(wait_chance(1, load), load, 1e-12);
            about(wait_chance(2, load), load * load / (2.0 + load), 1e-12);
        }
        // In whole fractions, by the sum with factorials.
        about(wait_chance(3, 2.0), 4.0 / 9.0, 1e-12);
        about(wait_chance(5, 4.0), 0.554_112_554_112_554_1, 1e-12);
        about(wait_chance(10, 8.0), 0.409_180_150_796_443_54, 1e-12);
        about(wait_chance(55, 50.0), 0.384_547_317_932_928_57, 1e-12);
        about(wait_chance(100, 90.0), 0.216_940_480_906_366_4, 1e-12);
    }

    #[test]
    fn it_is_what_the_sum_with_factorials_says_where_that_can_be_formed() {
        for (containers, load) in [(4, 3.2), (12, 7.5), (30, 29.0), (60, 41.0)] {
            let (mut term, mut sum) = (1.0, 1.0);
            for n in 1..containers {
                term *= load / f64::from(n);
                sum += term;
            }
            let last = term * load / f64::from(containers) * f64::from(containers) / (f64::from(containers) - load);
            about(wait_chance(containers, load), last / (sum + last), 1e-10);
        }
    }

    #[test]
    fn thousands_of_containers_neither_overflow_nor_lose_digits() {
        // By the square-root rule about 22 of a hundred wait with √a more than the load.
        about(wait_chance(10_100, 10_000.0), 0.22, 0.01);
        assert!(wait_chance(100_000, 90_000.0) < 1e-12);
        about(wait_chance(100_000, 99_999.9), 1.0, 1e-2);
    }

    #[test]
    fn a_load_that_cannot_be_served_is_told() {
        let (waits, overloaded) = waits(&steady(1.0), 3.0, 3);
        assert_eq!(
            (waits.wait_chance, waits.mean_wait_seconds, waits.p95_wait_seconds, overloaded),
            (1.0, None, None, 1)
        );
        // In one of a hundred sessions' stretches only: the others' quantile can be told.
        let stretches = [Stretch { rate: 1.0, sessions: 1 }, Stretch { rate: 0.01, sessions: 99 }];
        let (waits, overloaded) = super::waits(&stretches, 3.0, 3);
        about(waits.wait_chance, 0.01, 1e-4);
        assert_eq!((waits.mean_wait_seconds, waits.p95_wait_seconds, overloaded), (None, Some(0.0), 1));
    }

    #[test]
    fn waits_of_one_container_are_those_of_the_book() {
        // M/M/1 at 0.8: the mean wait is 0.8 / (1 − 0.8) service times, and P(W > t) = 0.8 e^(−0.2 t / service).
        let (waits, _) = waits(&steady(0.08), 10.0, 1);
        about(waits.mean_wait_seconds.unwrap(), 40.0, 1e-9);
        about(waits.p95_wait_seconds.unwrap(), 50.0 * 16.0_f64.ln(), 1e-3);
    }

    proptest! {
        #[test]
        fn more_containers_and_less_load_wait_less(containers in 1_u32..500, part in 0.01_f64..0.99, less in 0.01_f64..0.99) {
            let load = f64::from(containers) * part;
            let chance = wait_chance(containers, load);
            prop_assert!((0.0..=1.0).contains(&chance));
            prop_assert!(wait_chance(containers + 1, load) <= chance);
            prop_assert!(wait_chance(containers, load * less) <= chance);
        }
    }
}
