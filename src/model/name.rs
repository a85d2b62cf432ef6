//! Validated names. Each is checked once, where it enters, and is right from then on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Share;

/// A name that breaks its rule: what was given, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {given:?} must match {rule}")]
pub struct InvalidName {
    /// Which name it is, such as `target type`.
    pub what: &'static str,
    /// What was given (cut at 80 characters).
    pub given: String,
    /// The pattern that it must match.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(given: String) -> Result<Self, InvalidName> {
                let check: fn(&str) -> bool = $check;
                if check(&given) {
                    Ok(Self(given))
                } else {
                    Err(InvalidName { what: $what, given: given.chars().take(80).collect(), rule: $rule })
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;

            fn from_str(given: &str) -> Result<Self, InvalidName> {
                Self::try_from(given.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Whether `text` is one of `first`, then at most `rest_most` characters of `first` or `more`.
fn is_name(text: &str, rest_most: usize, first: fn(u8) -> bool, more: &[u8]) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= rest_most + 1
        && bytes.first().is_some_and(|b| first(*b))
        && bytes.iter().all(|b| first(*b) || more.contains(b))
}

fn lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn letter_or_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

name!(
    /// Which kind a container is: `wine`, `linux`, `android` or any other.
    TargetType, "target type", "[a-z0-9][a-z0-9-]{0,62}",
    |text| is_name(text, 62, lower_or_digit, b"-")
);
name!(
    /// The engine's own id of a container. At most 64 characters, so that Redis keeps its record small.
    ContainerId, "container id", "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    |text| is_name(text, 63, letter_or_digit, b"._-")
);
name!(
    /// Who a session belongs to; set on the API key.
    OwnerName, "owner", "[A-Za-z0-9][A-Za-z0-9._@-]{0,62}",
    |text| is_name(text, 62, letter_or_digit, b"._@-")
);
name!(
    /// The name of a `[[provider]]`.
    ProviderName, "provider name", "[a-z0-9][a-z0-9-]{0,31}",
    |text| is_name(text, 31, lower_or_digit, b"-")
);
name!(
    /// The name of a `[[webhook]]`.
    WebhookName, "webhook name", "[a-z0-9][a-z0-9-]{0,31}",
    |text| is_name(text, 31, lower_or_digit, b"-")
);

/// What an API key may do. Each role may do all that the ones after it may; but a viewer's event stream shows every owner's
/// sessions, a client's its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, for every owner.
    Admin,
    /// Its owner's sessions, and reading the pool.
    Client,
    /// Reading only.
    Viewer,
}

impl Role {
    /// The word for it, as configured.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Client => "client",
            Self::Viewer => "viewer",
        }
    }
}

/// Who makes a request. The API checks the role, the scripts check the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The owner on the API key.
    pub owner: OwnerName,
    /// The role of the API key.
    pub role: Role,
    /// What its owner may have.
    pub share: Share,
}

impl Caller {
    /// Whether the caller may see and end every owner's sessions.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_type_follows_its_rule() {
        let longest = "a".repeat(63);
        for good in ["wine", "0-a", "a", longest.as_str()] {
            assert!(good.parse::<TargetType>().is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in ["", "-wine", "Wine", "wi ne", "wine{x}", too_long.as_str()] {
            assert!(bad.parse::<TargetType>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_names_what_was_given_and_what_is_right() {
        let error = "Wine!".parse::<TargetType>().unwrap_err().to_string();
        assert_eq!(error, r#"target type "Wine!" must match [a-z0-9][a-z0-9-]{0,62}"#);
    }
}
