//! Events: what happened to a type's sessions and containers, in order.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::TargetType;

/// What an event says that stands for others: they are gone, and what a consumer knows should be read anew.
pub const RESYNC: &str = "resync";

/// The largest number that a script counts exactly.
const EXACT: u64 = 1 << 53;

/// A place in the stream of a type. Within an epoch sequences have no gap; the first is 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The life of the data.
    pub epoch: u64,
    /// The number within it.
    pub sequence: u64,
}

impl Position {
    /// A place that a script can have counted to.
    #[must_use]
    pub fn new(epoch: u64, sequence: u64) -> Option<Self> {
        (epoch <= EXACT && sequence <= EXACT).then_some(Self { epoch, sequence })
    }

    /// Whether nothing can stand between this one and `next`.
    #[must_use]
    pub fn is_followed_by(self, next: Self) -> bool {
        next.sequence == self.sequence + 1 && (next.epoch == self.epoch || self == Self::default())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.sequence)
    }
}

/// The text is no place in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the form <epoch>-<sequence>")]
pub struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let (epoch, sequence) = text.split_once('-').ok_or(NoPosition)?;
        let number = |text: &str| text.parse().map_err(|_| NoPosition);
        Self::new(number(epoch)?, number(sequence)?).ok_or(NoPosition)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Unique; who may get an event twice knows it by this.
    #[schema(example = "wine:1795467890123-17")]
    pub id: String,
    /// The type that it happened to. Order is kept within a type only.
    #[schema(value_type = String, example = "wine")]
    pub target_type: TargetType,
    /// What happened; `resync` when events are gone and what is known should be read anew.
    #[schema(example = "session.ready")]
    pub kind: String,
    /// When, by Redis's clock (RFC 3339).
    #[schema(example = "2026-11-25T12:00:00.000Z")]
    pub at: String,
    /// More, by kind: `session`, `owner`, `container`, `token`, `reason`, `from`, `to`, …
    pub data: Map<String, Value>,
}

impl Event {
    /// A text of its data.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.data.get(name)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_what() {
        let at = |epoch, sequence| Position { epoch, sequence };
        assert!(at(7, 3).is_followed_by(at(7, 4)));
        assert!(at(0, 0).is_followed_by(at(7, 1)), "the first of all");
        for (one, other) in [(at(7, 3), at(7, 5)), (at(7, 3), at(8, 4)), (at(7, 3), at(8, 1)), (at(0, 0), at(7, 2))] {
            assert!(!one.is_followed_by(other), "{one} {other}");
        }
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        assert_eq!("7-3".parse(), Ok(Position { epoch: 7, sequence: 3 }));
        for bad in ["", "7", "7-", "-3", "7-3-1", "x-3", "18446744073709551615-1", "7--3"] {
            assert_eq!(bad.parse::<Position>(), Err(NoPosition), "{bad}");
        }
    }
}
