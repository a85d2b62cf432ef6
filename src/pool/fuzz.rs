//! Cursors that nobody was given, for the fuzzer and for random tests.

use super::sessions::Position;

/// Text is a cursor of ours, and then written as it was read, or none.
///
/// # Panics
/// It is written otherwise.
pub fn cursors(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some(position) = Position::read(&text) else { return };
    let written = position.write();
    let again = Position::read(&written).expect("what was written can be read");
    assert_eq!(again.write(), written, "of {text:?}");
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    proptest! {
        #[test]
        fn any_text_is_a_cursor_or_none(text in any::<String>()) {
            super::cursors(text.as_bytes());
        }

        #[test]
        fn what_looks_like_a_cursor_is_one_or_none(parts in vec(select(vec![
            "wine", "live", "ended", ".", "..", "0", "00017", "-1", "18446744073709551616", "1e3", "~",
            "0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10", "0193A5B0-7C2E-8F00-9D41-5B1E7A3C9F10", "{wine}", " ",
        ]), 0..8)) {
            super::cursors(parts.concat().as_bytes());
            super::cursors(parts.join(".").as_bytes());
        }
    }
}
