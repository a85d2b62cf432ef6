//! What a pool cost, and what is drawn of it.

use super::{Outcome, Part};
use crate::advise::replay::summary;

/// Into so many parts the time is taken apart that is drawn.
const PARTS: u64 = 800;
/// What 95 of a hundred moments have at most.
const TOLD: f64 = 0.95;
/// The µs of an hour.
const HOUR: f64 = 3.6e9;

/// What is counted.
pub(super) struct Account {
    /// For how long (µs) there were so many containers.
    by_size: Vec<u64>,
    in_use: u128,
    pub added: u64,
    pub taken_away: u64,
    /// How long a part is (µs).
    part: u64,
    course: Vec<Part>,
    horizon: u64,
}

impl Account {
    pub(super) fn new(horizon: u64) -> Self {
        let part = (horizon / PARTS).max(1);
        let course = vec![Part::default(); horizon.div_ceil(part).max(1) as usize];
        Self { by_size: Vec::new(), in_use: 0, added: 0, taken_away: 0, part, course, horizon }
    }

    pub(super) fn count(&mut self, from: u64, to: u64, size: u64, live: u64, sessions: u64) {
        let (from, to) = (from.min(self.horizon), to.min(self.horizon));
        if to <= from {
            return;
        }
        if self.by_size.len() <= size as usize {
            self.by_size.resize(size as usize + 1, 0);
        }
        self.by_size[size as usize] += to - from;
        self.in_use += u128::from(to - from) * u128::from(live);
        for part in &mut self.course[(from / self.part) as usize..=((to - 1) / self.part) as usize] {
            part.containers = part.containers.max(size);
            part.sessions = part.sessions.max(sessions);
        }
    }

    pub(super) fn outcome(self, waits: Vec<f64>) -> Outcome {
        let sizes = || self.by_size.iter().zip(0_u64..);
        let all: f64 = sizes().map(|(time, size)| *time as f64 * size as f64).sum();
        let mut passed = 0;
        let p95 = sizes().find(|(time, _)| {
            passed += **time;
            passed as f64 >= TOLD * self.horizon as f64
        });
        Outcome {
            containers_mean: all / self.horizon.max(1) as f64,
            containers_p95: p95.map_or(0, |(_, size)| size),
            containers_max: sizes().filter(|(time, _)| **time > 0).map(|(_, size)| size).max().unwrap_or_default(),
            waits: summary(waits),
            container_hours: all / HOUR,
            in_use: if all > 0.0 { self.in_use as f64 / all } else { 0.0 },
            added: self.added,
            taken_away: self.taken_away,
            course: self.course,
        }
    }
}
