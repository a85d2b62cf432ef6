//! Whether somebody sits at a viewer that drives: what it says of the keyboard and the pointer. A viewer asks for the screen, and tells of
//! its clipboard, by itself.

use super::messages::{Message, Purpose, first};

/// By this encoding a viewer offers to tell of more than eight buttons.
const MORE_BUTTONS: i32 = -316;
/// In a PointerEvent: a byte with the other buttons follows it.
const MORE_FOLLOW: u8 = 0x80;

/// The messages of one viewer, from ClientInit on. Once it says what is not known here all that it says counts as input: better a session
/// that goes on too long than one that ends under somebody's hands.
#[derive(Default)]
pub(super) struct Following {
    /// The beginning of a message.
    pending: Vec<u8>,
    /// What is still to come of the last one.
    skipped: usize,
    more_buttons: bool,
    lost: bool,
}

impl Following {
    /// Whether there is input in these bytes.
    pub(super) fn hears_input(&mut self, bytes: &[u8]) -> bool {
        let skipped = self.skipped.min(bytes.len());
        self.skipped -= skipped;
        if self.lost {
            return !bytes.is_empty();
        }
        self.pending.extend_from_slice(&bytes[skipped..]);
        let (mut at, mut input) = (0, false);
        while let Some(length) = self.next(at, &mut input) {
            self.skipped = length.saturating_sub(self.pending.len() - at);
            at += length - self.skipped;
        }
        if self.lost {
            self.pending = Vec::new();
            return true;
        }
        self.pending.drain(..at);
        input
    }

    /// How long the message is that begins here; none when too little of it is there, or it is not known.
    fn next(&mut self, at: usize, input: &mut bool) -> Option<usize> {
        let there = &self.pending[at..];
        let Ok(message) = first(there) else {
            self.lost = true;
            return None;
        };
        let Message { purpose, length } = message?;
        if purpose == Purpose::Encodings {
            let (asked, _) = there.get(4..length)?.as_chunks::<4>();
            self.more_buttons = asked.iter().any(|one| i32::from_be_bytes(*one) == MORE_BUTTONS);
        }
        let longer = there[0] == 5 && self.more_buttons && there.get(1)? & MORE_FOLLOW != 0;
        *input |= purpose == Purpose::Input;
        Some(length + usize::from(longer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 0x0d];
    const POINTER: [u8; 6] = [5, 1, 0, 10, 0, 10];
    const LOOK: [u8; 10] = [3, 1, 0, 0, 0, 0, 4, 4, 5, 5];

    /// How often input is heard, said in pieces of this size.
    fn heard(said: &[u8], size: usize) -> usize {
        let mut following = Following::default();
        said.chunks(size).filter(|part| following.hears_input(part)).count()
    }

    /// What a program says by itself; it holds what would be input if it were cut wrong.
    fn nobody() -> Vec<u8> {
        let text = [&[6, 0, 0, 0, 0, 0, 0, 8], &KEY[..]].concat();
        let encodings = [&[2, 0, 0, 2], &[0, 0, 0, 4], &[0xff, 0xff, 0xff, 0x11][..]].concat();
        let size = [&[251, 0, 4, 0, 3, 0, 1, 0], &[4; 16][..]].concat();
        [&LOOK[..], &text, &encodings, &LOOK, &size, &[248, 0, 0, 0, 0, 0, 0, 1, 2, 4, 5], &LOOK].concat()
    }

    #[test]
    fn only_keys_and_the_pointer_are_input_however_they_are_cut() {
        let said = nobody();
        for size in 1..=said.len() {
            assert_eq!(heard(&said, size), 0, "in pieces of {size}");
            for input in [&KEY[..], &POINTER, &[255, 0, 0, 1, 0, 0, 0xff, 0x0d, 0, 0, 0, 28]] {
                let twice = [&said, input, &said, input, &said].concat();
                assert!((1..=2).contains(&heard(&twice, size)), "{input:?} in pieces of {size}");
                assert_eq!(heard(&twice, 1), 2);
            }
        }
    }

    #[test]
    fn a_pointer_with_more_buttons_is_longer_where_they_were_offered() {
        let offer = [&[2, 0, 0, 1][..], &(-316_i32).to_be_bytes()].concat();
        // The byte that follows would be a message that is not known.
        let longer = [&[5, 0x81, 0, 10, 0, 10, 77][..], &LOOK].concat();
        let said = [&offer[..], &longer, &longer].concat();
        for size in 1..=said.len() {
            assert!((1..=2).contains(&heard(&said, size)), "in pieces of {size}");
        }
        assert_eq!(heard(&[&[5, 0x81, 0, 10, 0, 10][..], &LOOK, &POINTER].concat(), 1), 2, "not offered");
    }

    #[test]
    fn who_says_what_is_not_known_is_taken_for_somebody() {
        let mut following = Following::default();
        assert!(!following.hears_input(&LOOK) && following.hears_input(&[77]) && following.hears_input(&LOOK));
        assert!(!following.hears_input(&[]));
    }
}
