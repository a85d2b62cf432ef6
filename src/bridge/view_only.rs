//! What a viewer that may only watch says, without what a desktop would take for input: by a list of what gets through, so that no
//! extension can slip past.

use super::{
    Refused,
    messages::{Purpose, first},
};

/// How the lengths of messages, or what they mean, would depend on an extension, or what would open another way for input: these
/// encodings are not asked for.
const WITHHELD: [i32; 7] = [
    -257,                   // QEMU: the pointer moves by differences
    -258,                   // QEMU: keys by scan codes
    -259,                   // QEMU: sound
    -305,                   // gii
    -309,                   // xvp
    -316,                   // more mouse buttons, in pointer events of another length
    0xC0A1_E5CE_u32 as i32, // the extended clipboard
];

/// The messages of one viewer, from ClientInit on.
#[derive(Default)]
pub(super) struct Watching {
    /// The beginning of a message.
    pending: Vec<u8>,
    /// What is still to come of one that is dropped.
    skipped: usize,
}

impl Watching {
    /// Appends to `to_desktop` what of these bytes may reach the desktop. Keeps less than one message.
    ///
    /// # Errors
    /// It is no message that is known.
    pub(super) fn pass(&mut self, bytes: &[u8], to_desktop: &mut Vec<u8>) -> Result<(), Refused> {
        let skipped = self.skipped.min(bytes.len());
        self.skipped -= skipped;
        self.pending.extend_from_slice(&bytes[skipped..]);
        let mut at = 0;
        while let Some(message) = first(&self.pending[at..])? {
            let (length, there) = (message.length, &self.pending[at..]);
            match message.purpose {
                Purpose::Looks | Purpose::Encodings if length > there.len() => break,
                Purpose::Looks => to_desktop.extend(&there[..length]),
                Purpose::Encodings => to_desktop.extend(encodings(&there[..length])),
                Purpose::Input | Purpose::Acts => self.skipped = length.saturating_sub(there.len()),
            }
            at += length - self.skipped;
        }
        self.pending.drain(..at);
        Ok(())
    }
}

/// A list of encodings without those that are withheld.
fn encodings(message: &[u8]) -> Vec<u8> {
    let (asked, _) = message[4..].as_chunks::<4>();
    let kept: Vec<_> = asked.iter().filter(|one| !WITHHELD.contains(&i32::from_be_bytes(**one))).collect();
    let mut list = vec![2, 0];
    list.extend((kept.len() as u16).to_be_bytes());
    list.extend(kept.into_iter().flatten());
    list
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passed(said: &[u8], size: usize) -> Result<Vec<u8>, Refused> {
        let (mut watching, mut told) = (Watching::default(), Vec::new());
        for part in said.chunks(size) {
            watching.pass(part, &mut told)?;
        }
        Ok(told)
    }

    /// Messages that get through.
    fn harmless() -> Vec<Vec<u8>> {
        vec![
            [&[0; 4], &[7; 16][..]].concat(),
            vec![2, 0, 0, 2, 0, 0, 0, 16, 0xff, 0xff, 0xff, 0x11],
            vec![2, 0, 0, 0],
            vec![3, 1, 0, 0, 0, 0, 4, 4, 5, 5],
            vec![150, 1, 0, 0, 0, 0, 4, 4, 5, 5],
            vec![248, 0, 0, 0, 0, 0, 0, 1, 3, 4, 4, 4],
        ]
    }

    /// Messages that do not; what they hold would be input if they were cut wrong.
    fn input() -> Vec<Vec<u8>> {
        vec![
            vec![4, 1, 0, 0, 0, 0, 0xff, 0x0d],
            vec![5, 1, 0, 10, 0, 10],
            vec![6, 0, 0, 0, 0, 0, 0, 8, 4, 1, 0, 0, 0, 0, 0xff, 0x0d],
            vec![6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 4, 1, 0, 0],
            vec![250, 0, 1, 2],
            [vec![251, 0, 4, 0, 3, 0, 1, 0], vec![4; 16]].concat(),
            vec![255, 0, 0, 1, 0, 0, 0xff, 0x0d, 0, 0, 0, 28],
        ]
    }

    #[test]
    fn input_does_not_get_through_however_it_is_cut() {
        let mixed: Vec<u8> = harmless().into_iter().zip(input()).flat_map(|(good, bad)| [good, bad].concat()).collect();
        let mixed = [mixed, input().concat()].concat();
        for size in 1..mixed.len() {
            assert_eq!(passed(&mixed, size).unwrap(), harmless().concat(), "in pieces of {size}");
        }
    }

    #[test]
    fn extensions_that_change_what_input_looks_like_are_not_asked_for() {
        let asked: Vec<u8> = [0, -258, 16, -316, -223].iter().flat_map(|one: &i32| one.to_be_bytes()).collect();
        let told = passed(&[&[2, 0, 0, 5], &asked[..]].concat(), 3).unwrap();
        let kept: Vec<u8> = [0, 16, -223].iter().flat_map(|one: &i32| one.to_be_bytes()).collect();
        assert_eq!(told, [&[2, 0, 0, 3], &kept[..]].concat());
    }

    #[test]
    fn what_is_not_known_or_too_long_ends_it() {
        for said in [
            &[7_u8][..],
            &[253, 0, 0, 0],
            &[255, 1],
            &[2, 0, 0xff, 0xff],
            &[6, 0, 0, 0, 0x7f, 0, 0, 0],
            &[6, 0, 0, 0, 0x80, 0, 0, 0],
            &[248, 0, 0, 0, 0, 0, 0, 0, 65],
            &[251, 0, 0, 0, 0, 0, 65, 0],
        ] {
            assert!(passed(said, 100).is_err(), "{said:?}");
        }
    }

    proptest! {
        /// Whatever is said, also after messages that are known.
        #[test]
        fn what_gets_through_is_harmless(said in prop::collection::vec(any::<u8>(), 0..400),
            picks in prop::collection::vec(0_usize..13, 0..12), size in 1_u8..40) {
            let known = picks.iter().flat_map(|at| [harmless(), input()].concat()[*at].clone());
            let words: Vec<u8> = std::iter::once(size).chain(known).chain(said).collect();
            super::super::fuzz::view_only(&words);
        }
    }
}
