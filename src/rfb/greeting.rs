//! The first twelve bytes that an RFB server says.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The length of a ProtocolVersion message: `RFB xxx.yyy` and a newline.
pub const GREETING_BYTES: usize = 12;

/// The most characters of a wrong greeting that an error shows.
const SHOWN: usize = 40;

/// A version of the protocol, as a ProtocolVersion message tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 3 for all versions that are published.
    pub major: u16,
    /// 3, 7 or 8 for the published versions; some servers say others.
    pub minor: u16,
}

impl Version {
    /// RFB 3.3.
    pub const V3_3: Self = Self { major: 3, minor: 3 };
    /// RFB 3.7.
    pub const V3_7: Self = Self { major: 3, minor: 7 };
    /// RFB 3.8.
    pub const V3_8: Self = Self { major: 3, minor: 8 };

    /// From a ProtocolVersion message.
    #[must_use]
    pub fn decode(message: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?;
        let (major, minor) = text.strip_prefix("RFB ")?.strip_suffix('\n')?.split_once('.')?;
        let number = |digits: &str| {
            let right = digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit());
            right.then(|| digits.parse().ok()).flatten()
        };
        Some(Self { major: number(major)?, minor: number(minor)? })
    }

    /// As a ProtocolVersion message. Numbers above 999 do not exist.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        format!("RFB {:03}.{:03}\n", self.major, self.minor).into_bytes()
    }

    /// The published version that a peer which said this one speaks: RFC 6143 has unknown ones treated as 3.3, and
    /// newer ones know 3.8.
    #[must_use]
    pub fn published(self) -> Self {
        [Self::V3_8, Self::V3_7].into_iter().find(|known| self >= *known).unwrap_or(Self::V3_3)
    }
}

/// No RFB server is there: what came instead.
#[derive(Debug, thiserror::Error)]
pub enum GreetingError {
    /// The connection ended before a byte came.
    #[error("closed without a greeting")]
    Closed,
    /// Something else came: its first bytes, escaped.
    #[error("greeting is \"{0}\"")]
    NotRfb(String),
    /// The connection broke.
    #[error("{}", .0.kind())]
    Broken(#[from] io::Error),
}

/// Reads the server's ProtocolVersion message: at most [`GREETING_BYTES`] bytes, however the server cuts them. A
/// server that is slow is waited for, so call it under a timeout.
///
/// # Errors
/// What came instead.
pub async fn greeting<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Version, GreetingError> {
    let mut message = [0; GREETING_BYTES];
    let mut len = 0;
    // A line that ended early is not RFB: no need to wait for the rest.
    while len < GREETING_BYTES && !message[..len].contains(&b'\n') {
        match reader.read(&mut message[len..]).await? {
            0 if len == 0 => return Err(GreetingError::Closed),
            0 => break,
            more => len += more,
        }
    }
    let said = &message[..len];
    Version::decode(said).ok_or_else(|| GreetingError::NotRfb(shown(said)))
}

fn shown(said: &[u8]) -> String {
    let escaped = said.escape_ascii().to_string();
    if escaped.len() <= SHOWN { escaped } else { format!("{}…", &escaped[..SHOWN]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn greet(said: &[u8]) -> Result<Version, String> {
        let mut reader = said;
        greeting(&mut reader).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn every_version_is_understood() {
        assert_eq!(greet(b"RFB 003.003\n").await, Ok(Version::V3_3));
        assert_eq!(greet(b"RFB 003.007\n").await, Ok(Version::V3_7));
        assert_eq!(greet(b"RFB 003.008\n").await, Ok(Version::V3_8));
        assert_eq!(greet(b"RFB 003.889\n").await, Ok(Version { major: 3, minor: 889 }));
    }

    #[tokio::test]
    async fn an_error_says_what_came_instead() {
        assert_eq!(greet(b"").await.unwrap_err(), "closed without a greeting");
        assert_eq!(greet(b"SSH-2.0-OpenSSH_9.2").await.unwrap_err(), r#"greeting is "SSH-2.0-Open""#);
        assert_eq!(greet(b"220\nmail").await.unwrap_err(), r#"greeting is "220\nmail""#);
        assert_eq!(greet(b"RFB 003").await.unwrap_err(), r#"greeting is "RFB 003""#);
        assert_eq!(greet(b"RFB +03.008\n").await.unwrap_err(), r#"greeting is "RFB +03.008\n""#);
        assert!(greet(&[0; 12]).await.unwrap_err().len() <= 60);
    }

    #[tokio::test]
    async fn no_byte_after_the_greeting_is_read() {
        let mut reader: &[u8] = b"RFB 003.008\n\x01\x01";
        greeting(&mut reader).await.unwrap();
        assert_eq!(reader, b"\x01\x01");
    }

    #[tokio::test]
    async fn a_greeting_in_pieces_is_one_greeting() {
        let (mut server, mut client) = tokio::io::duplex(1);
        let say = async { tokio::io::AsyncWriteExt::write_all(&mut server, b"RFB 003.008\n").await };
        let (said, heard) = tokio::join!(say, greeting(&mut client));
        said.unwrap();
        assert_eq!(heard.unwrap(), Version::V3_8);
    }

    #[test]
    fn a_version_is_written_as_it_is_read() {
        assert_eq!(Version::V3_8.encode(), b"RFB 003.008\n");
        assert_eq!(Version::decode(&Version::V3_3.encode()), Some(Version::V3_3));
    }

    #[test]
    fn every_version_speaks_a_published_one() {
        let published = |minor| Version { major: 3, minor }.published();
        assert_eq!([3, 5, 7, 8, 889].map(published).map(|version| version.minor), [3, 3, 7, 8, 8]);
    }
}
