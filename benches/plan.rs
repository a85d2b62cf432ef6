//! How much is measured: everything, or what a quick look needs.

use std::time::Duration;

use crate::load::Window;

/// Sizes and times of a run.
pub struct Plan {
    /// Repetitions of each measurement, in turn with those that it is compared with.
    pub repetitions: usize,
    pub window: Window,
    pub connections: &'static [usize],
    pub replicas: &'static [usize],
    /// Pool sizes.
    pub sizes: &'static [usize],
    pub lines: &'static [usize],
    /// Containers that a provider lists.
    pub discovered: usize,
    pub wakes: usize,
}

/// Idle containers of the pool where size is not the question.
pub const POOL: usize = 1000;
/// Connections where their number is not the question; goals are for this many.
pub const USUAL: usize = 64;

impl Plan {
    pub fn quick() -> Self {
        let window = Window { warm: Duration::from_millis(200), time: Duration::from_millis(600) };
        Self {
            repetitions: 3,
            window,
            connections: &[1, 64],
            replicas: &[1],
            sizes: &[10, 10_000],
            lines: &[10, 1_000],
            discovered: 1_000,
            wakes: 50,
        }
    }

    pub fn full() -> Self {
        let window = Window { warm: Duration::from_millis(300), time: Duration::from_millis(1500) };
        Self {
            repetitions: 5,
            window,
            connections: &[1, 16, 64, 256],
            replicas: &[1, 2, 4],
            sizes: &[10, 1_000, 100_000, 1_000_000],
            lines: &[10, 1_000, 10_000],
            discovered: 10_000,
            wakes: 300,
        }
    }
}
