//! Which of a cluster's 16,384 slots a key is in.

use crc16::{State, XMODEM};

/// The slot after the last one.
pub(super) const SLOTS: u16 = 16_384;

/// The slot of a key: of what stands in its first pair of braces, if something does.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    State::<XMODEM>::calculate(tag(key)) % SLOTS
}

fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else { return key };
    let rest = &key[open + 1..];
    match rest.iter().position(|&byte| byte == b'}') {
        Some(close) if close > 0 => &rest[..close],
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // From CLUSTER KEYSLOT.
        assert_eq!(slot_of(b"foo"), 12182);
        assert_eq!(slot_of(b"lh:{foo}:epoch"), 12182);
        assert_eq!(slot_of(b"foo{}{bar}"), slot_of(b"foo{}{bar}"));
        assert_ne!(slot_of(b"foo{}{bar}"), slot_of(b"bar"));
        assert_eq!(slot_of(b"{foo}{bar}"), 12182);
        assert_eq!(slot_of(b"123456789"), 12739);
    }
}
