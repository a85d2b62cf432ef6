//! Cursors of event streams that nobody was given, for the fuzzer and for random tests.

use super::Cursor;

/// Text is a cursor of ours, and then written as it was read, or refused with a reason.
///
/// # Panics
/// It is not so.
pub fn event_cursors(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Cursor::read(&text) {
        Ok(cursor) => assert_eq!(cursor.write(), text),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::model::Position;

    proptest! {
        #[test]
        fn any_text_is_a_cursor_or_refused(text in any::<String>()) {
            event_cursors(text.as_bytes());
        }

        #[test]
        fn any_bytes_in_the_form_of_a_cursor_are_one_or_refused(parts in vec(prop_oneof![
            select(vec![&b"\x04wine"[..], b"\x05linux", b"\x00", b"\x01", b"\x11", b"\xcb\x89\xf5\xbc\xa0\x34", b"\x80", b"\xff"])
                .prop_map(<[u8]>::to_vec),
            vec(any::<u8>(), 0..4),
        ], 0..12)) {
            event_cursors(format!("e1.{}", URL_SAFE_NO_PAD.encode(parts.concat())).as_bytes());
        }

        #[test]
        fn every_place_is_read_as_it_is_written(
            places in proptest::collection::btree_map("[a-z0-9][a-z0-9-]{0,62}", (0..=1_u64 << 53, 0..=1_u64 << 53), 0..20)
        ) {
            let place = |(name, (epoch, sequence)): (String, (u64, u64))| (name.parse().unwrap(), Position { epoch, sequence });
            let cursor = Cursor(places.into_iter().map(place).collect());
            prop_assert_eq!(Cursor::read(&cursor.write()), Ok(cursor));
        }
    }
}
