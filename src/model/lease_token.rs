//! Lease tokens: what a holder can prove its lease by when Redis has lost it. Signed by the replicas (HMAC-SHA-256) with a
//! key that Redis does not know.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{ContainerId, FencingToken, OwnerName, SessionId, TargetType};

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 2048;

/// What a lease token says, and what a replica remembers of a lease. Times are in milliseconds by the clock of the Redis
/// that granted it. The names in a token are short, because every answer carries one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseProof {
    /// The type that the session is of.
    #[serde(rename = "t")]
    pub target_type: TargetType,
    /// The session.
    #[serde(rename = "s")]
    pub session: SessionId,
    /// Who it belongs to.
    #[serde(rename = "o")]
    pub owner: OwnerName,
    /// What it holds.
    #[serde(rename = "c")]
    pub container: ContainerId,
    /// And which life of it.
    #[serde(rename = "i")]
    pub incarnation: String,
    /// The lease's.
    #[serde(rename = "f")]
    pub fencing_token: FencingToken,
    /// The life of the data that it was renewed in.
    #[serde(rename = "e")]
    pub epoch: u64,
    /// What a heartbeat renews it for, in milliseconds.
    #[serde(rename = "l")]
    pub ttl_ms: u64,
    /// When the session was made.
    #[serde(rename = "b")]
    pub created_ms: u64,
    /// Past which it is never renewed.
    #[serde(rename = "m")]
    pub longest_ms: Option<u64>,
    /// Until when it lasts unless it is renewed.
    #[serde(rename = "u")]
    pub until_ms: u64,
}

/// Why a lease token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeaseTokenError {
    /// Not of the form of ours.
    #[error("it is not a lease token: give the `lease_token` of the session's last answer as it is")]
    Malformed,
    /// Signed by no key that is known, or changed.
    #[error("no key of this pool has signed it")]
    Unsigned,
    /// Of another session.
    #[error("it is another session's")]
    OtherSession,
    /// This pool has no key.
    #[error("this pool signs no lease tokens: `lease_tokens.keys` is not configured")]
    NoKey,
}

/// Signs and reads lease tokens.
#[derive(Clone)]
pub struct LeaseTokens {
    /// The first signs.
    keys: Vec<Hmac<Sha256>>,
}

impl LeaseTokens {
    /// With these secrets: the first signs, all are believed.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Self {
        // HMAC takes keys of any length: there is no error to tell of.
        let key = |secret: &SecretString| Hmac::new_from_slice(secret.expose_secret().as_bytes()).ok();
        Self { keys: secrets.iter().filter_map(key).collect() }
    }

    /// The token for a proof; none without a key.
    #[must_use]
    pub fn sign(&self, proof: &LeaseProof) -> Option<String> {
        let mut mac = self.keys.first()?.clone();
        let json = serde_json::to_vec(proof).ok()?;
        let mut token = String::with_capacity(json.len() * 4 / 3 + 52);
        token.push_str("v1.");
        URL_SAFE_NO_PAD.encode_string(&json, &mut token);
        mac.update(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(mac.finalize().into_bytes(), &mut token);
        Some(token)
    }

    /// What a token proves.
    ///
    /// # Errors
    /// It proves nothing; says why.
    pub fn verify(&self, token: &str) -> Result<LeaseProof, LeaseTokenError> {
        if self.keys.is_empty() {
            return Err(LeaseTokenError::NoKey);
        }
        let malformed = LeaseTokenError::Malformed;
        let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST).ok_or(malformed)?;
        let body = signed.strip_prefix("v1.").ok_or(malformed)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed)?;
        let by = |key: &Hmac<Sha256>| {
            let mut mac = key.clone();
            mac.update(signed.as_bytes());
            // In constant time.
            mac.verify_slice(&signature).is_ok()
        };
        if !self.keys.iter().any(by) {
            return Err(LeaseTokenError::Unsigned);
        }
        let json = URL_SAFE_NO_PAD.decode(body).map_err(|_| malformed)?;
        serde_json::from_slice(&json).map_err(|_| malformed)
    }

    /// What a token proves of this session.
    ///
    /// # Errors
    /// The same; or it is another session's.
    pub fn verify_for(&self, session: SessionId, token: &str) -> Result<LeaseProof, LeaseTokenError> {
        let proof = self.verify(token)?;
        if proof.session == session { Ok(proof) } else { Err(LeaseTokenError::OtherSession) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn tokens(keys: &[&str]) -> LeaseTokens {
        LeaseTokens::new(&keys.iter().map(|key| SecretString::from(*key)).collect::<Vec<_>>())
    }

    fn proof() -> LeaseProof {
        let wine: TargetType = "wine".parse().unwrap();
        LeaseProof {
            session: SessionId::new(&wine),
            target_type: wine,
            owner: "backend".parse().unwrap(),
            container: "c1".parse().unwrap(),
            incarnation: "abc".to_owned(),
            fencing_token: FencingToken(1_795_467_890_123_456),
            epoch: 1_795_467_890_123,
            ttl_ms: 60_000,
            created_ms: 1_795_467_890_123,
            longest_ms: None,
            until_ms: 1_795_467_950_123,
        }
    }

    #[test]
    fn a_token_proves_what_was_signed_and_a_changed_one_nothing() {
        let tokens = tokens(&[KEY]);
        let token = tokens.sign(&proof()).unwrap();
        assert_eq!(tokens.verify(&token).unwrap().fencing_token, proof().fencing_token);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character of a part carries bits that mean nothing; base64 refuses those that are set.
            assert!(tokens.verify(&changed).is_err(), "{at}");
        }
    }

    #[test]
    fn keys_are_rotated_by_two() {
        let other = "another-key-of-at-least-32-bytes-length";
        let old = tokens(&[KEY]).sign(&proof()).unwrap();
        assert!(tokens(&[other, KEY]).verify(&old).is_ok());
        let new = tokens(&[other, KEY]).sign(&proof()).unwrap();
        assert!(tokens(&[other]).verify(&new).is_ok());
        assert_eq!(tokens(&[other]).verify(&old), Err(LeaseTokenError::Unsigned));
        assert_eq!(tokens(&[]).verify(&old), Err(LeaseTokenError::NoKey));
        assert_eq!(tokens(&[]).sign(&proof()), None);
    }
}
