//! The security handshake, for the security type `None`: no password.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Version;

/// The security type `None`. Its SecurityResult `OK` is four zero bytes.
pub const SECURITY_NONE: u8 = 1;

/// What a server whose only security type is `None` says after the greeting: 3.3 is told it, later versions may choose.
#[must_use]
pub fn security(version: Version) -> &'static [u8] {
    if version.published() == Version::V3_3 { &[0, 0, 0, SECURITY_NONE] } else { &[1, SECURITY_NONE] }
}

/// A client's part of the handshake with a server that greeted with `version`: goes through it when the server asks for
/// no password, and says whether it did. The server awaits ClientInit then. Reads at most 260 bytes.
///
/// # Errors
/// The connection broke.
pub async fn pass_security<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, version: Version) -> io::Result<bool> {
    let version = version.published();
    stream.write_all(&version.encode()).await?;
    if version == Version::V3_3 {
        return Ok(stream.read_u32().await? == u32::from(SECURITY_NONE));
    }
    let mut offered = [0; u8::MAX as usize];
    let count = usize::from(stream.read_u8().await?);
    stream.read_exact(&mut offered[..count]).await?;
    if !offered[..count].contains(&SECURITY_NONE) {
        return Ok(false);
    }
    stream.write_all(&[SECURITY_NONE]).await?;
    Ok(version == Version::V3_7 || stream.read_u32().await? == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the client says to a server that greeted with `version` and says all this, and whether it passed.
    async fn pass(version: Version, server: &[u8]) -> (bool, Vec<u8>) {
        let mut said = Vec::new();
        let passed = pass_security(&mut tokio::io::join(server, &mut said), version).await.unwrap();
        (passed, said)
    }

    #[test]
    fn the_server_says_what_the_version_has() {
        assert_eq!(security(Version::V3_3), [0, 0, 0, 1]);
        assert_eq!(security(Version::V3_8), [1, 1]);
    }

    #[tokio::test]
    async fn each_version_has_its_handshake() {
        assert_eq!(pass(Version::V3_3, &[0, 0, 0, 1]).await, (true, b"RFB 003.003\n".to_vec()));
        assert_eq!(pass(Version::V3_7, &[2, 2, 1]).await, (true, b"RFB 003.007\n\x01".to_vec()));
        assert_eq!(pass(Version::V3_8, &[2, 2, 1, 0, 0, 0, 0]).await, (true, b"RFB 003.008\n\x01".to_vec()));
    }

    #[tokio::test]
    async fn a_server_that_wants_a_password_or_refuses_is_left_there() {
        assert_eq!(pass(Version::V3_8, &[1, 2]).await, (false, b"RFB 003.008\n".to_vec()));
        assert_eq!(pass(Version::V3_8, &[0]).await, (false, b"RFB 003.008\n".to_vec()));
        assert!(!pass(Version::V3_3, &[0, 0, 0, 2]).await.0);
        assert!(!pass(Version::V3_8, &[1, 1, 0, 0, 0, 1]).await.0);
    }
}
