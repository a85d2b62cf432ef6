//! From where containers are dialled.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::Endpoint;

/// Which of a container's two addresses this process dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// `internal` when this process runs in a container itself, else `published` where there is one.
    Auto,
    /// The address on the containers' network.
    Internal,
    /// The published address.
    Published,
}

impl Reach {
    /// `auto` decided, once: whether this process is in a container itself, where the containers' network is at hand.
    #[must_use]
    pub fn decided(self) -> Self {
        let in_a_container = || {
            Path::new("/.dockerenv").exists()
                || Path::new("/run/.containerenv").exists()
                || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
        };
        match self {
            Self::Auto if in_a_container() => Self::Internal,
            Self::Auto => Self::Published,
            explicit => explicit,
        }
    }

    /// The address that this process dials, or the other one when there is no choice. Decided, not `auto`.
    #[must_use]
    pub fn address(self, endpoint: &Endpoint) -> Option<&str> {
        let (published, internal) = (endpoint.address.as_deref(), endpoint.internal.as_deref());
        match self {
            Self::Internal => internal.or(published),
            Self::Published | Self::Auto => published.or(internal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_one_that_can_be_reached() {
        let (out, inside) = (Some("127.0.0.1:32768"), Some("172.18.0.2:5900"));
        let dialled = |published: Option<&str>, internal: Option<&str>, reach: Reach| {
            let endpoint = Endpoint { address: published.map(str::to_owned), internal: internal.map(str::to_owned) };
            reach.address(&endpoint).map(str::to_owned)
        };
        assert_eq!(dialled(out, inside, Reach::Published).as_deref(), out);
        assert_eq!(dialled(out, inside, Reach::Internal).as_deref(), inside);
        assert_eq!(dialled(None, inside, Reach::Published).as_deref(), inside);
        assert_eq!(dialled(out, None, Reach::Internal).as_deref(), out);
        assert_eq!(dialled(None, None, Reach::Internal), None);
    }

    #[test]
    fn an_explicit_reach_stands() {
        assert_eq!(Reach::Internal.decided(), Reach::Internal);
        assert_eq!(Reach::Published.decided(), Reach::Published);
        assert_ne!(Reach::Auto.decided(), Reach::Auto);
    }
}
