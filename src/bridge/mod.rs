//! Carries a desktop to its viewers: the bytes of RFB between the container's VNC server and whoever has a viewer pass.
//!
//! The handshake is read in any case ([`handshake`]): a viewer never sends another away, and only security types are let through that
//! can be followed. After it a viewer that drives is carried as it is, whereby its keys and pointer are noticed ([`input`]), and of one that may only watch nothing gets through that a
//! desktop would take for input ([`view_only`]). Each direction is read only as fast as the other end takes it.

mod carry;
mod desktop;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod handshake;
mod input;
mod messages;
mod view_only;

pub use carry::{Ended, Traffic, carry};
pub use desktop::{Desktop, DialError, dial};

/// What a peer said cannot be carried on with: in words, for the viewer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl Refused {
    /// For what, in words.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}
