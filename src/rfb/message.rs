//! The messages of server and client after the greeting.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{PixelFormat, Version};

/// The security type `None`, and its SecurityResult `OK` is four zero bytes.
pub const SECURITY_NONE: u8 = 1;

/// The longest text that a client may cut; what is longer is no clipboard.
const CUT_TEXT_MOST: u32 = 1024 * 1024;

/// A part of the framebuffer, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// From the left.
    pub x: u16,
    /// From the top.
    pub y: u16,
    /// To the right of `x`.
    pub width: u16,
    /// Down from `y`.
    pub height: u16,
}

/// What a client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientMessage {
    /// How it wants pixels from now on.
    SetPixelFormat(PixelFormat),
    /// Which encodings it knows. Raw is always one of them, so the list is passed over.
    SetEncodings,
    /// It wants to see an area.
    UpdateRequest {
        /// Only what changed since the last time, and not before something did.
        incremental: bool,
        /// Which part.
        area: Area,
    },
    /// A key.
    Key {
        /// Pressed, else released.
        down: bool,
        /// The X keysym.
        keysym: u32,
    },
    /// The pointer moved, or its buttons changed.
    Pointer {
        /// One bit for each button that is down.
        buttons: u8,
        /// From the left.
        x: u16,
        /// From the top.
        y: u16,
    },
    /// It cut text, which is passed over.
    CutText,
}

/// What follows the greeting when the only security type is `None`: 3.3 is told it, later versions may choose.
#[must_use]
pub fn security(version: Version) -> &'static [u8] {
    if version.published() == Version::V3_3 { &[0, 0, 0, SECURITY_NONE] } else { &[1, SECURITY_NONE] }
}

/// The ServerInit message.
#[must_use]
pub fn server_init(width: u16, height: u16, format: &PixelFormat, name: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(24 + name.len());
    message.extend(width.to_be_bytes());
    message.extend(height.to_be_bytes());
    message.extend(format.encode());
    message.extend((name.len() as u32).to_be_bytes());
    message.extend(name.as_bytes());
    message
}

/// The head of a FramebufferUpdate of one raw rectangle; the pixels of `area` follow, row by row.
#[must_use]
pub fn raw_update_header(area: Area) -> [u8; 16] {
    let mut message = [0; 16];
    message[3] = 1;
    for (at, value) in [area.x, area.y, area.width, area.height].into_iter().enumerate() {
        message[4 + 2 * at..6 + 2 * at].copy_from_slice(&value.to_be_bytes());
    }
    message
}

/// Reads the rest of a client's message, whose first byte was `kind`.
///
/// # Errors
/// The connection broke, or what came is no message that is known, within its bounds.
pub async fn read_client_message<R: AsyncRead + Unpin>(kind: u8, reader: &mut R) -> io::Result<ClientMessage> {
    match kind {
        0 => {
            let body: [u8; 19] = read(reader).await?;
            let format = body[3..].first_chunk().and_then(PixelFormat::decode);
            format.map(ClientMessage::SetPixelFormat).ok_or_else(|| wrong("a pixel format that cannot be drawn"))
        }
        2 => {
            let [_, high, low] = read(reader).await?;
            pass_over(reader, 4 * u64::from(u16::from_be_bytes([high, low]))).await?;
            Ok(ClientMessage::SetEncodings)
        }
        3 => {
            let body: [u8; 9] = read(reader).await?;
            let [x, y, width, height] = [1, 3, 5, 7].map(|at| u16::from_be_bytes([body[at], body[at + 1]]));
            Ok(ClientMessage::UpdateRequest { incremental: body[0] != 0, area: Area { x, y, width, height } })
        }
        4 => {
            let [down, _, _, a, b, c, d] = read(reader).await?;
            Ok(ClientMessage::Key { down: down != 0, keysym: u32::from_be_bytes([a, b, c, d]) })
        }
        5 => {
            let [buttons, a, b, c, d] = read(reader).await?;
            Ok(ClientMessage::Pointer { buttons, x: u16::from_be_bytes([a, b]), y: u16::from_be_bytes([c, d]) })
        }
        6 => {
            let [_, _, _, a, b, c, d] = read(reader).await?;
            let len = u32::from_be_bytes([a, b, c, d]);
            if len > CUT_TEXT_MOST {
                return Err(wrong("more cut text than is allowed"));
            }
            pass_over(reader, len.into()).await?;
            Ok(ClientMessage::CutText)
        }
        _ => Err(wrong("an unknown kind of message")),
    }
}

async fn read<const N: usize, R: AsyncRead + Unpin>(reader: &mut R) -> io::Result<[u8; N]> {
    let mut body = [0; N];
    reader.read_exact(&mut body).await?;
    Ok(body)
}

/// Reads `len` bytes and keeps none.
async fn pass_over<R: AsyncRead + Unpin>(reader: &mut R, len: u64) -> io::Result<()> {
    let passed = tokio::io::copy(&mut reader.take(len), &mut tokio::io::sink()).await?;
    if passed == len { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn message(kind: u8, body: &[u8]) -> io::Result<(ClientMessage, usize)> {
        let mut reader = body;
        let message = read_client_message(kind, &mut reader).await?;
        Ok((message, reader.len()))
    }

    #[tokio::test]
    async fn messages_are_read_to_their_end_and_no_further() {
        let mut format = vec![0; 3];
        format.extend(PixelFormat::BGRX.encode());
        let area = Area { x: 1, y: 2, width: 3, height: 256 };
        let cases: [(u8, &[u8], ClientMessage); 6] = [
            (0, &format, ClientMessage::SetPixelFormat(PixelFormat::BGRX)),
            (2, &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 16], ClientMessage::SetEncodings),
            (3, &[1, 0, 1, 0, 2, 0, 3, 1, 0], ClientMessage::UpdateRequest { incremental: true, area }),
            (4, &[1, 0, 0, 0, 0, 0xff, 0x0d], ClientMessage::Key { down: true, keysym: 0xff0d }),
            (5, &[1, 0, 10, 1, 0], ClientMessage::Pointer { buttons: 1, x: 10, y: 256 }),
            (6, &[0, 0, 0, 0, 0, 0, 2, b'h', b'i'], ClientMessage::CutText),
        ];
        for (kind, body, expected) in cases {
            let and_more = [body, &[4, 4]].concat();
            assert_eq!(message(kind, &and_more).await.unwrap(), (expected, 2));
        }
    }

    #[tokio::test]
    async fn what_is_out_of_bounds_is_refused() {
        let kind_of = async |kind, body: &[u8]| message(kind, body).await.unwrap_err().kind();
        assert_eq!(kind_of(6, &[0, 0, 0, 0xff, 0xff, 0xff, 0xff]).await, io::ErrorKind::InvalidData);
        assert_eq!(kind_of(0, &[0; 19]).await, io::ErrorKind::InvalidData);
        assert_eq!(kind_of(77, &[]).await, io::ErrorKind::InvalidData);
        assert_eq!(kind_of(2, &[0, 0xff, 0xff, 0]).await, io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn the_server_says_what_the_protocol_has() {
        assert_eq!(security(Version::V3_3), [0, 0, 0, 1]);
        assert_eq!(security(Version::V3_8), [1, 1]);
        let init = server_init(640, 480, &PixelFormat::BGRX, "wine-1");
        assert_eq!(init[..4], [2, 128, 1, 224]);
        assert_eq!(init[20..], *b"\0\0\0\x06wine-1");
        let head = raw_update_header(Area { x: 1, y: 2, width: 3, height: 256 });
        assert_eq!(head, [0, 0, 0, 1, 0, 1, 0, 2, 0, 3, 1, 0, 0, 0, 0, 0]);
    }
}
