//! Where a consumer is in all streams that it follows, in one text: what an event stream gives as `id` and takes as
//! `Last-Event-ID`.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::model::{Position, TargetType};

/// What every cursor begins with.
const VERSION: &str = "e1.";

/// The longest that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// A place in each stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor(pub BTreeMap<TargetType, Position>);

/// The text is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCursor {
    /// Longer than any.
    #[error("it is longer than any that was given out ({LONGEST} bytes)")]
    TooLong,
    /// Something else.
    #[error("it is not one that was given out as an event's id; without it, events from now on are sent")]
    Malformed,
}

impl Cursor {
    /// As text: for each type the length of its name, its name, epoch and sequence; numbers in groups of seven bits.
    #[must_use]
    pub fn write(&self) -> String {
        let mut bytes = Vec::with_capacity(self.0.len() * 20);
        for (target_type, position) in &self.0 {
            let name = target_type.as_str().as_bytes();
            put(&mut bytes, name.len() as u64);
            bytes.extend_from_slice(name);
            put(&mut bytes, position.epoch);
            put(&mut bytes, position.sequence);
        }
        VERSION.to_owned() + &URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a text. Only what [`Cursor::write`] writes is one.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(text: &str) -> Result<Self, BadCursor> {
        if text.len() > LONGEST {
            return Err(BadCursor::TooLong);
        }
        let bytes = text.strip_prefix(VERSION).and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok());
        let cursor = bytes.and_then(|bytes| Self::of(&bytes)).ok_or(BadCursor::Malformed)?;
        if cursor.write() == text { Ok(cursor) } else { Err(BadCursor::Malformed) }
    }

    fn of(mut bytes: &[u8]) -> Option<Self> {
        let mut places = BTreeMap::new();
        while !bytes.is_empty() {
            let length = usize::try_from(take(&mut bytes)?).ok()?;
            let (name, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            let target_type = std::str::from_utf8(name).ok()?.parse().ok()?;
            let position = Position::new(take(&mut bytes)?, take(&mut bytes)?)?;
            places.insert(target_type, position);
        }
        Some(Self(places))
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(places: &[(&str, u64, u64)]) -> Cursor {
        let place = |(name, epoch, sequence): &(&str, u64, u64)| {
            (name.parse().unwrap(), Position { epoch: *epoch, sequence: *sequence })
        };
        Cursor(places.iter().map(place).collect())
    }

    #[test]
    fn a_cursor_is_short_and_read_as_it_is_written() {
        for cursor in [
            cursor(&[]),
            cursor(&[("wine", 1_795_467_890_123, 17)]),
            cursor(&[("linux", 1_795_467_890_123, 0), ("wine", 0, 0), ("android", 1 << 53, 1 << 53)]),
        ] {
            assert_eq!(Cursor::read(&cursor.write()), Ok(cursor));
        }
        let text = cursor(&[("wine", 1_795_467_890_123, 17)]).write();
        assert!(text.len() < 24, "{text}");
    }

    #[test]
    fn another_text_is_refused() {
        let good = cursor(&[("wine", 7, 1)]).write();
        let twice = VERSION.to_owned() + &good[VERSION.len()..].repeat(2);
        for bad in ["", "e1", "7-1", "e2.", "e1.!", &good[..good.len() - 1], &format!("{good}A"), &twice] {
            assert_eq!(Cursor::read(bad), Err(BadCursor::Malformed), "{bad}");
        }
        assert_eq!(Cursor::read(&"e1.A".repeat(LONGEST)), Err(BadCursor::TooLong));
    }
}
