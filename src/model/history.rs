//! The history of a type: what happened in each hour, and the last sessions one by one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TargetType;

/// Times by their size, in classes that grow by the square root of two: each is right to a fifth. As JSON a list of pairs:
/// the longest time of a class in seconds, and how many are in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(f64, u64)>", into = "Vec<(f64, u64)>")]
pub struct Sizes(BTreeMap<u8, u64>);

impl Sizes {
    /// Two weeks and more are the last.
    const CLASSES: u8 = 48;

    /// The longest time of a class (ms): 100 for the first.
    fn longest(class: u8) -> u64 {
        (100.0 * (f64::from(class) / 2.0).exp2()) as u64
    }

    fn class(ms: u64) -> u8 {
        (0..Self::CLASSES - 1).find(|class| ms <= Self::longest(*class)).unwrap_or(Self::CLASSES - 1)
    }

    /// Counts a time (ms).
    pub fn count(&mut self, ms: u64) {
        *self.0.entry(Self::class(ms)).or_default() += 1;
    }

    /// Counts what others have.
    pub fn add(&mut self, others: &Self) {
        for (class, count) in &others.0 {
            *self.0.entry(*class).or_default() += count;
        }
    }

    /// Each class that has any: from, to (seconds), how many.
    pub fn classes(&self) -> impl Iterator<Item = (f64, f64, u64)> {
        self.0.iter().map(|(class, count)| {
            let from = class.checked_sub(1).map_or(0, Self::longest);
            (from as f64 / 1e3, Self::longest(*class) as f64 / 1e3, *count)
        })
    }
}

impl From<Vec<(f64, u64)>> for Sizes {
    fn from(pairs: Vec<(f64, u64)>) -> Self {
        let mut sizes = Self::default();
        for (seconds, count) in pairs {
            *sizes.0.entry(Self::class((seconds * 1e3).round() as u64)).or_default() += count;
        }
        sizes
    }
}

impl From<Sizes> for Vec<(f64, u64)> {
    fn from(sizes: Sizes) -> Self {
        sizes.classes().map(|(_, to, count)| (to, count)).collect()
    }
}

/// What happened in an hour. Each thing counts in the hour in which it became known: a session's time in that of its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct HourCounts {
    /// Sessions that were made: ready at once, or with a place in the line. Those that were refused are not known.
    pub arrivals: u64,
    /// Those that got a container at once.
    pub at_once: u64,
    /// Those that got one after waiting.
    pub waited: u64,
    /// How long these waited, in all (ms).
    pub wait_ms: u64,
    /// The same by size.
    #[schema(value_type = Vec<(f64, u64)>, example = json!([[0.1, 3], [1.131, 1]]))]
    pub waits: Sizes,
    /// Those that left the line without one.
    pub gave_up: u64,
    /// Sessions that ended and had a container.
    pub ended: u64,
    /// How long they had it, in all (ms).
    pub held_ms: u64,
    /// The same by size.
    #[schema(value_type = Vec<(f64, u64)>, example = json!([[60.0, 4]]))]
    pub holds: Sizes,
    /// The most sessions that had a container at once.
    pub most_held: u64,
    /// Containers that were made clean, or probed, after a session and could be given out again.
    pub returned: u64,
    /// How long that took, in all (ms).
    pub away_ms: u64,
    /// How often events were gone before they were counted.
    pub gaps: u64,
}

/// An hour in which something happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hour {
    /// When it began (RFC 3339).
    #[schema(value_type = String, example = "2026-11-25T12:00:00Z")]
    pub from: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub counts: HourCounts,
}

/// A session that is over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PastSession {
    /// When it was made (RFC 3339).
    #[schema(value_type = String, example = "2026-11-25T12:00:00.000Z")]
    pub arrived: Timestamp,
    /// How long it had its container.
    pub duration_seconds: f64,
}

/// The history of a type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TypeHistory {
    /// The type.
    #[schema(value_type = String, example = "wine")]
    pub target_type: TargetType,
    /// When it was read, by Redis's clock (RFC 3339).
    #[schema(value_type = String, example = "2026-11-25T12:30:00.000Z")]
    pub at: Timestamp,
    /// The last 840 hours in which something happened, in order.
    pub hours: Vec<Hour>,
    /// The last 10,000 sessions that are over, by their end.
    pub sessions: Vec<PastSession>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        let mut sizes = Sizes::default();
        for class in 0..Sizes::CLASSES {
            for _ in 0..=class {
                sizes.count(Sizes::longest(class));
            }
        }
        assert_eq!(sizes.0.len(), 48, "{sizes:?}");
        let text = serde_json::to_string(&sizes).unwrap();
        assert!(text.starts_with("[[0.1,1],[0.141,2],[0.2,3],"), "{text}");
        assert_eq!(serde_json::from_str::<Sizes>(&text).unwrap(), sizes);
    }

    #[test]
    fn a_time_is_between_the_bounds_of_its_class() {
        for ms in [0, 1, 100, 101, 142, 999, 60_000, 3_600_000, 86_400_000] {
            let mut sizes = Sizes::default();
            sizes.count(ms);
            let (from, to, count) = sizes.classes().next().unwrap();
            let seconds = ms as f64 / 1e3;
            assert!(count == 1 && (from < seconds || ms == 0) && seconds <= to, "{ms}: {from} to {to}");
            assert!(from == 0.0 || to / from < 1.43, "{from} to {to}");
        }
    }

    #[test]
    fn what_an_older_version_did_not_count_is_nothing() {
        let counts: HourCounts = serde_json::from_str(r#"{"arrivals": 3, "newer": 1}"#).unwrap();
        assert_eq!(counts, HourCounts { arrivals: 3, ..HourCounts::default() });
    }
}
