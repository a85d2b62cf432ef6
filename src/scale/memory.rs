//! What is remembered from one decision to the next, in Redis as text: short, and read by other versions.

use std::{collections::VecDeque, fmt, time::Duration};

use super::Bounds;

/// Into so many parts the window of the peak is taken apart: what is remembered stays short, whatever the window is.
const PARTS: u64 = 96;

/// What is remembered from one decision to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Since when there is one: before a whole calm is known nothing is taken away.
    since_ms: Option<u64>,
    /// The last addition.
    pub(super) up_ms: Option<u64>,
    /// What was wanted lately, when last, and is not exceeded by anything later: the first is the most.
    peaks: VecDeque<(u64, u64)>,
    /// The same of the sessions that there were at once, by the ends of the parts of the peak's window.
    pub(super) sessions: VecDeque<(u64, u64)>,
}

impl Memory {
    /// A clock that was set back: what is from the future is not remembered.
    pub(super) fn forget_what_is_to_come(&mut self, at_ms: u64) {
        let since = *self.since_ms.get_or_insert(at_ms);
        if since > at_ms || self.peaks.back().is_some_and(|(at, _)| *at > at_ms) {
            *self = Self { since_ms: Some(at_ms), ..Self::default() };
        }
    }

    /// The most sessions that there were at once in the peak's window, up to a part of it longer.
    pub(super) fn peak(&mut self, bounds: &Bounds, at_ms: u64, sessions: u64) -> u64 {
        if bounds.share_of_peak <= 0.0 {
            self.sessions.clear();
            return 0;
        }
        let window = millis(bounds.peak_window);
        let part = (window / PARTS).max(1);
        let end = (at_ms / part + 1) * part;
        remember(&mut self.sessions, at_ms.saturating_sub(window), end, sessions)
    }

    /// The most that was wanted in the last calm; none when that is not known for so long.
    pub(super) fn held(&mut self, bounds: &Bounds, at_ms: u64, wanted: u64) -> Option<u64> {
        let from = at_ms.saturating_sub(millis(bounds.calm));
        let most = remember(&mut self.peaks, from, at_ms, wanted);
        let whole = self.since_ms.is_some_and(|since| since <= from);
        whole.then_some(most)
    }

    /// When what is known of the peak changes by itself, in milliseconds; none without one.
    #[must_use]
    pub fn peak_until_ms(&self, bounds: &Bounds) -> Option<u64> {
        self.sessions.front().map(|(at, _)| at + millis(bounds.peak_window) + 1)
    }

    /// From the text that it was written as; what cannot be read is forgotten.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let read = || {
            let mut parts = text.split(' ');
            let mut number = || -> Option<u64> { parts.next()?.parse().ok() };
            let (since_ms, up_ms) = (number()?, number()?);
            let (since_ms, up_ms) = ((since_ms > 0).then_some(since_ms), (up_ms > 0).then_some(up_ms));
            let mut memory = Self { since_ms, up_ms, ..Self::default() };
            for pair in parts {
                let (line, (at, count)) = match pair.split_once('=') {
                    Some(pair) => (&mut memory.sessions, pair),
                    None => (&mut memory.peaks, pair.split_once(':')?),
                };
                line.push_back((at.parse().ok()?, count.parse().ok()?));
            }
            Some(memory)
        };
        read().unwrap_or_default()
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.since_ms.unwrap_or_default(), self.up_ms.unwrap_or_default())?;
        self.peaks.iter().try_for_each(|(at, wanted)| write!(f, " {at}:{wanted}"))?;
        self.sessions.iter().try_for_each(|(at, count)| write!(f, " {at}={count}"))
    }
}

/// Puts a count at the end of a falling line, in which each is more than all later ones; forgets what is from before `from`; the most
/// that is left.
fn remember(line: &mut VecDeque<(u64, u64)>, from: u64, at: u64, count: u64) -> u64 {
    while line.front().is_some_and(|(at, _)| *at < from) {
        line.pop_front();
    }
    while line.back().is_some_and(|(_, other)| *other <= count) {
        line.pop_back();
    }
    if line.back().is_none_or(|(last, _)| *last != at) {
        line.push_back((at, count));
    }
    line.front().map_or(count, |(_, most)| *most)
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_wrote_is_read_and_what_cannot_be_is_forgotten() {
        let old = Memory::read("1000 0 2000:5 3000:2");
        assert_eq!((old.since_ms, old.up_ms, &old.sessions), (Some(1000), None, &VecDeque::new()));
        assert_eq!(old.peaks, [(2000, 5), (3000, 2)]);
        let new = "1000 1500 2000:5 3000:2 900000=7 1800000=3";
        assert_eq!(Memory::read(new).to_string(), new);
        for bad in ["", "1000", "1000 0 5", "1000 0 5:x", "1000 0 5=6=7"] {
            assert_eq!(Memory::read(bad), Memory::default(), "{bad:?}");
        }
    }
}
