//! Lease tokens that nobody was given, for the fuzzer and for random tests.

use secrecy::SecretString;

use super::{FencingToken, LeaseProof, LeaseTokens, SessionId, TargetType};

/// Text of any kind proves nothing. A token proves what it was made of: not to a pool with another key, and not when any byte of it
/// is another one. The input's first two bytes say which byte, and what it becomes.
///
/// # Panics
/// It is not so.
pub fn lease_tokens(data: &[u8]) {
    let keys = ["0123456789abcdef0123456789abcdef", "another-key-of-at-least-32-bytes-length"];
    let [ours, others] = keys.map(|key| LeaseTokens::new(&[SecretString::from(key)]));
    let text = String::from_utf8_lossy(data);
    for text in [text.to_string(), format!("v1.{text}"), format!("v1.{text}.{text}")] {
        assert!(ours.verify(&text).is_err(), "{text:?} is believed");
    }
    let proof = proof(data, &text);
    let token = ours.sign(&proof).expect("there is a key");
    // What is longer than any is not looked at.
    assert_eq!(ours.verify(&token).ok(), (token.len() <= 2048).then_some(proof), "{token}");
    assert!(others.verify(&token).is_err(), "{token} is believed by others");
    let [place, by, ..] = data else { return };
    let mut changed = token.clone().into_bytes();
    let place = usize::from(*place) * changed.len() / 256;
    changed[place] ^= by % 127 + 1;
    // What is no text does not come so far.
    if let Ok(changed) = String::from_utf8(changed) {
        assert!(ours.verify(&changed).is_err(), "{changed} is believed, which was {token}");
    }
}

/// A proof made of the input.
fn proof(data: &[u8], text: &str) -> LeaseProof {
    let number = |at: usize| {
        data.iter().cycle().skip(at).take(8).fold(0_u64, |number, byte| number.wrapping_mul(256) + u64::from(*byte))
    };
    let target_type: TargetType = "wine".parse().expect("a type");
    LeaseProof {
        session: SessionId::new(&target_type),
        target_type,
        owner: text.parse().unwrap_or_else(|_| "backend".parse().expect("an owner")),
        container: text.parse().unwrap_or_else(|_| "c1".parse().expect("an id")),
        incarnation: text.to_owned(),
        fencing_token: FencingToken(number(0)),
        epoch: number(1),
        ttl_ms: number(2),
        created_ms: number(3),
        longest_ms: data.first().filter(|first| **first > 127).map(|_| number(4)),
        until_ms: number(5),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn a_token_proves_what_was_signed_and_nothing_else_does(data in vec(any::<u8>(), 0..300)) {
            super::lease_tokens(&data);
        }

        #[test]
        fn nor_does_what_looks_like_one(text in "(v1\\.)?[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{43})?") {
            super::lease_tokens(text.as_bytes());
        }
    }
}
