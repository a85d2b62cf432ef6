//! The little of RFB (VNC, RFC 6143) that the probe and the demo target share: the greeting, pixel formats, and the
//! messages of both sides. Everything read from a peer is bounded.

mod greeting;
mod message;
mod pixel;

pub use greeting::{GREETING_BYTES, GreetingError, Version, greeting};
pub use message::{Area, ClientMessage, SECURITY_NONE, raw_update_header, read_client_message, security, server_init};
pub use pixel::PixelFormat;
