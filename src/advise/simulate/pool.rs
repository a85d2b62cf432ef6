//! Containers, sessions and their line, from one event to the next.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use super::{Stage, account::Account};
use crate::advise::{Basis, demand::Arrival, replay::micros};

/// A session to come.
#[derive(Debug, Clone, Copy)]
struct Coming {
    which: usize,
    at: u64,
    /// How long it holds a container (µs).
    holds: u64,
    /// How long it keeps it from others.
    keeps: u64,
}

/// Times in µs. All containers of a kind are alike, so they are counted.
pub(super) struct Pool {
    pub now: u64,
    pub horizon: u64,
    arrivals: VecDeque<Coming>,
    line: VecDeque<Coming>,
    /// How long each session waited (seconds), in the order of arrival.
    pub waits: Vec<f64>,
    pub idle: u64,
    /// When sessions end.
    ends: BinaryHeap<Reverse<u64>>,
    /// When containers that were given out can be given out again.
    backs: BinaryHeap<Reverse<u64>>,
    /// When containers that were asked for are available.
    starting: VecDeque<u64>,
    pub account: Account,
}

impl Pool {
    pub(super) fn new(basis: &Basis, stage: &Stage) -> Self {
        let coming = |(which, one): (usize, &Arrival)| Coming {
            which,
            at: micros(one.at - stage.begin_seconds),
            holds: micros(one.holds),
            keeps: micros(one.holds + basis.away_seconds),
        };
        let horizon = micros(stage.span_seconds);
        Self {
            now: 0,
            horizon,
            arrivals: basis.arrivals.iter().enumerate().map(coming).collect(),
            line: VecDeque::new(),
            waits: vec![0.0; basis.arrivals.len()],
            idle: 0,
            ends: BinaryHeap::new(),
            backs: BinaryHeap::new(),
            starting: VecDeque::new(),
            account: Account::new(horizon),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.idle + (self.backs.len() + self.starting.len()) as u64
    }

    /// Sessions that have a container.
    pub(super) fn live(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Sessions that wait.
    pub(super) fn queued(&self) -> u64 {
        self.line.len() as u64
    }

    pub(super) fn is_over(&self) -> bool {
        self.arrivals.is_empty() && self.line.is_empty() && self.now >= self.horizon
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Option<u64> {
        let times = [
            self.ends.peek().map(|Reverse(at)| *at),
            self.backs.peek().map(|Reverse(at)| *at),
            self.starting.front().copied(),
            self.arrivals.front().map(|coming| coming.at),
        ];
        times.into_iter().flatten().min()
    }

    /// Lets the time pass until then.
    pub(super) fn pass(&mut self, to: u64) {
        let (live, sessions) = (self.live(), self.live() + self.queued());
        self.account.count(self.now, to, self.size(), live, sessions);
        self.now = self.now.max(to);
    }

    /// What happens now.
    pub(super) fn happens(&mut self) {
        while self.ends.peek().is_some_and(|Reverse(at)| *at <= self.now) {
            self.ends.pop();
        }
        while self.backs.peek().is_some_and(|Reverse(at)| *at <= self.now) {
            self.backs.pop();
            self.idle += 1;
        }
        while self.starting.front().is_some_and(|at| *at <= self.now) {
            self.starting.pop_front();
            self.idle += 1;
        }
        while let Some(coming) = self.arrivals.front().copied().filter(|coming| coming.at <= self.now) {
            self.arrivals.pop_front();
            self.line.push_back(coming);
        }
        while self.idle > 0
            && let Some(first) = self.line.pop_front()
        {
            self.idle -= 1;
            self.waits[first.which] = (self.now - first.at) as f64 / 1e6;
            self.ends.push(Reverse(self.now.saturating_add(first.holds)));
            self.backs.push(Reverse(self.now.saturating_add(first.keeps)));
        }
    }

    pub(super) fn add(&mut self, count: u64, startup: u64) {
        self.starting.extend((0..count).map(|_| self.now + startup));
        self.account.added += count;
    }

    /// The youngest go first, and none that a session has or that is made clean.
    pub(super) fn take_away(&mut self, count: u64) {
        for _ in 0..count {
            if self.starting.pop_back().is_none() {
                let Some(fewer) = self.idle.checked_sub(1) else { return };
                self.idle = fewer;
            }
            self.account.taken_away += 1;
        }
    }
}
