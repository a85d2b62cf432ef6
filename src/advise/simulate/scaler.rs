//! When it is decided, and what follows from it.

use jiff::{SignedDuration, Timestamp};

use super::{Pool, Stage};
use crate::{
    config::ScaleConfig,
    scale::{
        ADDED_MOST, Bounds,
        decide::{Change, Decision, Memory, Reason, Seen, decide},
    },
};

/// Between two decisions (µs).
const TICK: u64 = 1_000_000;

/// Who decides, as a replica does.
pub(super) struct Scaler<'a> {
    settings: &'a ScaleConfig,
    stage: Stage,
    begin_ms: u64,
    memory: Memory,
    /// And until when they hold (µs).
    bounds: (Bounds, u64),
    /// When it is decided next.
    pub next: u64,
    rest: bool,
}

impl<'a> Scaler<'a> {
    pub(super) fn new(settings: &'a ScaleConfig, stage: &Stage, rest: bool) -> Self {
        let begin_ms = u64::try_from(stage.begin.as_millisecond()).unwrap_or_default();
        let bounds = bounds(settings, stage, 0);
        Self { settings, stage: *stage, begin_ms, memory: Memory::default(), bounds, next: 0, rest }
    }

    /// How many are wanted before anybody comes.
    pub(super) fn first(&mut self, pool: &Pool) -> u64 {
        let wanted = self.decision(pool).wanted;
        self.memory = Memory::default();
        wanted
    }

    fn decision(&mut self, pool: &Pool) -> Decision {
        if pool.now >= self.bounds.1 {
            self.bounds = bounds(self.settings, &self.stage, pool.now);
        }
        let usable = pool.size();
        let at_ms = self.begin_ms + pool.now / 1000;
        let seen = Seen { at_ms, live: pool.live(), queued: pool.queued(), usable, all: usable };
        decide(&self.bounds.0, &mut self.memory, &seen)
    }

    pub(super) fn act(&mut self, pool: &mut Pool) {
        let decision = self.decision(pool);
        match decision.change {
            Change::None => {}
            Change::Up(more) => pool.add(more.min(ADDED_MOST), self.stage.startup.as_micros() as u64),
            Change::Down(fewer) => pool.take_away(fewer),
        }
        self.next = pool.now + TICK;
        if self.rest && matches!(decision.reason, Reason::Steady | Reason::AtMax) {
            self.next = self.next.max(self.last_of_rest(pool));
        }
    }

    /// The last decision before anything can change: it is made for what is remembered of the time.
    fn last_of_rest(&self, pool: &Pool) -> u64 {
        let forgets = self.memory.peak_until_ms(&self.bounds.0).map(|ms| ms.saturating_sub(self.begin_ms) * 1000);
        let ends = [pool.next(), forgets, Some(self.bounds.1)];
        ends.into_iter().flatten().min().unwrap_or_default().saturating_sub(1) / TICK * TICK
    }
}

/// Those of a moment (µs), and until when they hold.
fn bounds(settings: &ScaleConfig, stage: &Stage, now: u64) -> (Bounds, u64) {
    let passed = SignedDuration::from_micros(i64::try_from(now).unwrap_or(i64::MAX));
    let (bounds, until) = Bounds::of(settings, stage.begin.checked_add(passed).unwrap_or(Timestamp::MAX));
    let until = until.duration_since(stage.begin).as_micros();
    (bounds, u64::try_from(until).unwrap_or(u64::MAX).max(now + 1))
}
