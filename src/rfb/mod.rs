//! The little of RFB (VNC, RFC 6143) that the probe and the demo target share: the greeting, the security
//! handshake, pixel formats, and the messages of both sides. Everything read from a peer is bounded.

mod greeting;
mod message;
mod pixel;
mod security;

pub use greeting::{GREETING_BYTES, GreetingError, Version, greeting};
pub use message::{Area, ClientMessage, raw_update_header, read_client_message, server_init};
pub use pixel::PixelFormat;
pub use security::{SECURITY_NONE, pass_security, security};
