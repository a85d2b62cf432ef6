//! Demand that is made up: sessions that come by chance, at a rate that changes by the hour and in bursts. The same seed of
//! the generator gives the same demand.

use rand::RngExt;

/// The seconds of an hour.
const HOUR: f64 = 3600.0;

/// A session: when it comes, and for how long it holds a container (seconds).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// After any point in time.
    pub at: f64,
    /// From when it gets a container.
    pub holds: f64,
}

/// A time in which more comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// When it begins (seconds).
    pub at: f64,
    /// How long it goes on (seconds).
    pub lasts: f64,
    /// How many times as many come.
    pub times: f64,
}

/// How long sessions hold a container.
#[derive(Debug, Clone, PartialEq)]
pub enum Holding {
    /// All as long (seconds).
    Fixed(f64),
    /// By chance without memory: most are short, a few very long.
    Exponential {
        /// In seconds.
        mean: f64,
    },
    /// As they were counted by size.
    Counted {
        /// From, to (seconds), how many.
        classes: Vec<(f64, f64, u64)>,
        /// In seconds: what the classes lost of it is made good.
        mean: f64,
    },
}

impl Holding {
    /// The mean (seconds).
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(mean) | Self::Exponential { mean } | Self::Counted { mean, .. } => *mean,
        }
    }

    fn draw(&self, rng: &mut impl RngExt) -> f64 {
        match self {
            Self::Fixed(seconds) => *seconds,
            Self::Exponential { mean } => exponential(rng) * mean,
            Self::Counted { classes, mean } => {
                let all: u64 = classes.iter().map(|(_, _, count)| count).sum();
                let middle = |(from, to, count): &(f64, f64, u64)| (from + to) / 2.0 * *count as f64;
                let of_classes = classes.iter().map(middle).sum::<f64>() / all as f64;
                if all == 0 || of_classes == 0.0 {
                    return *mean;
                }
                let mut left = rng.random_range(0..all);
                let class = classes.iter().find(|(_, _, count)| {
                    let found = left < *count;
                    left = left.saturating_sub(*count);
                    found
                });
                class.map_or(*mean, |(from, to, _)| rng.random_range(*from..=*to) * mean / of_classes)
            }
        }
    }
}

/// A demand.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// How many sessions come in each hour, in the mean; after the last hour comes the first again.
    pub hourly: Vec<f64>,
    /// When more come. Where two overlap, both count.
    pub bursts: Vec<Burst>,
    /// For how long.
    pub holding: Holding,
}

impl Demand {
    /// The same rate all the time: so many sessions an hour.
    #[must_use]
    pub fn steady(an_hour: f64, holding: Holding) -> Self {
        Self { hourly: vec![an_hour], bursts: Vec::new(), holding }
    }

    /// A day that repeats: so many sessions an hour in the mean, by the share `swing` (0 to 1) more in the hour `busiest`
    /// (0 to 23), and as much less half a day later.
    #[must_use]
    pub fn daily(an_hour: f64, swing: f64, busiest: u8, holding: Holding) -> Self {
        let rate = |hour: u8| {
            let angle = (f64::from(hour) - f64::from(busiest)) / 24.0 * std::f64::consts::TAU;
            an_hour * swing.mul_add(angle.cos(), 1.0)
        };
        Self { hourly: (0..24).map(rate).collect(), bursts: Vec::new(), holding }
    }

    /// With a burst more.
    #[must_use]
    pub fn with_burst(mut self, burst: Burst) -> Self {
        self.bursts.push(burst);
        self
    }

    /// How many sessions come a second at this time, in the mean.
    #[must_use]
    pub fn rate(&self, at: f64) -> f64 {
        let hour = (at / HOUR) as usize % self.hourly.len().max(1);
        self.hourly.get(hour).copied().unwrap_or_default() / HOUR * self.bursts_at(at)
    }

    /// How many times as many come at this time.
    fn bursts_at(&self, at: f64) -> f64 {
        let bursts = self.bursts.iter().filter(|burst| (burst.at..burst.at + burst.lasts).contains(&at));
        bursts.map(|burst| burst.times).product()
    }

    /// Draws the sessions of so many seconds, in order: a Poisson process. From candidates at the highest rate that can be
    /// each is taken with the chance that its time's rate is of that.
    pub fn arrivals(&self, seconds: f64, rng: &mut impl RngExt) -> Vec<Arrival> {
        // Those that overlap are the most where one of them begins or ends.
        let edges = self.bursts.iter().flat_map(|burst| [burst.at, burst.at + burst.lasts]);
        let bursts = edges.map(|at| self.bursts_at(at)).fold(1.0, f64::max);
        let highest = self.hourly.iter().copied().fold(0.0, f64::max) / HOUR * bursts;
        let mut arrivals = Vec::new();
        if highest <= 0.0 {
            return arrivals;
        }
        let mut at = exponential(rng) / highest;
        while at < seconds {
            if rng.random::<f64>() * highest < self.rate(at) {
                arrivals.push(Arrival { at, holds: self.holding.draw(rng) });
            }
            at += exponential(rng) / highest;
        }
        arrivals
    }
}

/// Without memory, with the mean 1.
fn exponential(rng: &mut impl RngExt) -> f64 {
    -(1.0 - rng.random::<f64>()).ln()
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    const DAY: f64 = 24.0 * HOUR;

    fn drawn(demand: &Demand, seconds: f64) -> Vec<Arrival> {
        demand.arrivals(seconds, &mut StdRng::seed_from_u64(7))
    }

    fn within(arrivals: &[Arrival], from: f64, to: f64) -> f64 {
        arrivals.iter().filter(|one| (from..to).contains(&one.at)).count() as f64
    }

    #[test]
    fn the_same_seed_gives_the_same_demand_in_order() {
        let demand = Demand::daily(60.0, 0.8, 14, Holding::Exponential { mean: 300.0 });
        let arrivals = drawn(&demand, DAY);
        assert_eq!(arrivals, drawn(&demand, DAY));
        assert_ne!(arrivals, demand.arrivals(DAY, &mut StdRng::seed_from_u64(8)));
        assert!(arrivals.is_sorted_by(|one, next| one.at <= next.at) && arrivals.len() > 1000);
    }

    #[test]
    fn a_day_is_busiest_in_its_hour_and_repeats() {
        let demand = Demand::daily(600.0, 0.9, 14, Holding::Fixed(1.0));
        assert!((demand.rate(14.0 * HOUR) * HOUR - 1140.0).abs() < 1e-6);
        assert!((demand.rate(DAY + 2.5 * HOUR) * HOUR - 60.0).abs() < 1e-6);
        let arrivals = drawn(&demand, 10.0 * DAY);
        // 144,000 in the mean: the tenth of a hundred is ten deviations.
        assert!((arrivals.len() as f64 / 144_000.0 - 1.0).abs() < 0.02, "{}", arrivals.len());
        let busy: f64 = (0..10)
            .map(|day| within(&arrivals, f64::from(day) * DAY + 14.0 * HOUR, f64::from(day) * DAY + 15.0 * HOUR))
            .sum();
        assert!((busy / 11_400.0 - 1.0).abs() < 0.05, "{busy}");
    }

    #[test]
    fn a_burst_brings_so_many_times_as_many() {
        let burst = Burst { at: HOUR, lasts: 600.0, times: 10.0 };
        let arrivals = drawn(&Demand::steady(3600.0, Holding::Fixed(1.0)).with_burst(burst), 2.0 * HOUR);
        let (in_it, before) = (within(&arrivals, HOUR, HOUR + 600.0), within(&arrivals, HOUR - 600.0, HOUR));
        assert!((in_it / 6000.0 - 1.0).abs() < 0.1 && (before / 600.0 - 1.0).abs() < 0.2, "{in_it} {before}");
    }

    #[test]
    fn many_bursts_are_drawn_as_fast_as_few_and_where_they_overlap_both_count() {
        let burst = |at, times| Burst { at, lasts: 600.0, times };
        let mut demand = Demand::steady(360.0, Holding::Fixed(1.0));
        for number in 0..40 {
            demand = demand.with_burst(burst(f64::from(number) * 1800.0, 5.0));
        }
        // The first one ends in the second, which is more without it.
        demand = demand.with_burst(burst(-300.0, 0.1));
        let arrivals = drawn(&demand, 20.0 * HOUR);
        let (both, one) = (within(&arrivals, 0.0, 300.0), within(&arrivals, 300.0, 600.0));
        assert!(both < 40.0 && (100.0..200.0).contains(&one), "{both} {one}");
    }

    #[test]
    fn sessions_last_as_long_as_was_asked_for() {
        let classes = vec![(0.0, 10.0, 90), (100.0, 200.0, 10), (1000.0, 2000.0, 0)];
        for holding in
            [Holding::Fixed(21.0), Holding::Exponential { mean: 21.0 }, Holding::Counted { classes, mean: 21.0 }]
        {
            let arrivals = drawn(&Demand::steady(3600.0, holding.clone()), 10.0 * HOUR);
            let mean = arrivals.iter().map(|one| one.holds).sum::<f64>() / arrivals.len() as f64;
            assert!((mean / holding.mean() - 1.0).abs() < 0.05, "{holding:?}: {mean}");
        }
        let none = Holding::Counted { classes: Vec::new(), mean: 3.0 };
        assert!(drawn(&Demand::steady(60.0, none), HOUR).iter().all(|one| (one.holds - 3.0).abs() < 1e-9));
    }

    #[test]
    fn where_nothing_comes_there_is_nothing() {
        assert_eq!(drawn(&Demand::steady(0.0, Holding::Fixed(1.0)), DAY), []);
        assert_eq!(drawn(&Demand { hourly: Vec::new(), bursts: Vec::new(), holding: Holding::Fixed(1.0) }, DAY), []);
    }
}
