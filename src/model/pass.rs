//! Viewer passes: permission to see or drive the desktop of one session.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{FencingToken, SessionId};

/// What a pass begins with, so that scanners for leaked secrets can know it.
const BEGINS: &str = "lhp_";
/// Random bytes of a pass.
const BYTES: usize = 24;
/// The longest secret of a viewer.
const VIEWER_MOST: usize = 128;

/// A secret of one viewer: Redis knows its hash. Made of letters, digits, `-` and `_`, so that it can stand in any header.
#[derive(Clone, PartialEq, Eq)]
pub struct ViewerPass(String);

/// A viewer pass, as it is given to its viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pass {
    /// The secret: for one viewer, as the WebSocket's protocol `leasehold.pass.<pass>`, beside `binary`.
    pub pass: String,
    /// The session whose desktop it shows.
    #[schema(value_type = uuid::Uuid)]
    pub session_id: SessionId,
    /// The lease that it is for: it ends with it.
    #[schema(value_type = u64)]
    pub fencing_token: FencingToken,
    /// Whether its viewer only watches.
    pub view_only: bool,
    /// When its viewer must have come, by Redis's clock.
    pub expires_at: String,
    /// Where the WebSocket is.
    pub path: String,
}

/// Not of the form of a pass, or of a viewer's own secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a viewer pass: give the `pass` of the answer as it is")]
pub struct BadPass;

impl ViewerPass {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        Self(format!("{BEGINS}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; BYTES]>())))
    }

    /// As it is given to a viewer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What Redis knows it by: 128 bits are enough of a hash of as many as a pass has.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl Default for ViewerPass {
    fn default() -> Self {
        Self::new()
    }
}

impl std::str::FromStr for ViewerPass {
    type Err = BadPass;

    fn from_str(text: &str) -> Result<Self, BadPass> {
        let random = text.strip_prefix(BEGINS).and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok());
        random.filter(|random| random.len() == BYTES).map(|_| Self(text.to_owned())).ok_or(BadPass)
    }
}

/// The hash of what a viewer that comes back is known by: of its own making.
///
/// # Errors
/// It is empty, too long, or has other letters.
pub fn viewer_hash(secret: &str) -> Result<String, BadPass> {
    let good = (16..=VIEWER_MOST).contains(&secret.len())
        && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if good { Ok(hash(secret)) } else { Err(BadPass) }
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(secret)[..16])
}

/// Never the secret itself: it would stand in logs.
impl fmt::Debug for ViewerPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewerPass(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_read_as_it_was_written_and_stays_out_of_logs() {
        let pass = ViewerPass::new();
        assert_eq!(pass.as_str().parse(), Ok(pass.clone()));
        assert_ne!(pass, ViewerPass::new());
        assert!(!format!("{pass:?}").contains(&pass.as_str()[4..]));
        for bad in ["", "lhp_", "lhp_short", &pass.as_str()[1..], &format!("{}A", pass.as_str())] {
            assert_eq!(bad.parse::<ViewerPass>(), Err(BadPass), "{bad}");
        }
    }

    #[test]
    fn a_viewers_secret_is_long_enough_and_plain() {
        assert!(viewer_hash("0123456789abcdef").is_ok());
        for bad in ["", "0123456789abcde", "0123456789abcde:", &"a".repeat(129)] {
            assert_eq!(viewer_hash(bad), Err(BadPass), "{bad}");
        }
    }
}
