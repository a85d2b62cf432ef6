//! The only place (with `lua/lib`) that spells a key.

use sha2::{Digest, Sha256};

use crate::model::{OwnerName, ProviderName, TargetType};

/// Builds the names of keys and channels under one prefix.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The key that a type's scripts are sent to; they build all others of the type from it.
    pub(super) fn epoch(&self, target_type: &TargetType) -> String {
        format!("{}:{{{target_type}}}:epoch", self.prefix)
    }

    /// The stream of a type's events.
    pub(super) fn events(&self, target_type: &TargetType) -> String {
        format!("{}:{{{target_type}}}:events", self.prefix)
    }

    /// Who observed a type last, by provider.
    pub(super) fn observers(&self, target_type: &TargetType) -> String {
        format!("{}:{{{target_type}}}:observers", self.prefix)
    }

    /// The set of known types.
    pub(super) fn types(&self) -> String {
        format!("{}:types", self.prefix)
    }

    /// A provider's lock and state.
    pub(super) fn provider(&self, provider: &ProviderName) -> String {
        format!("{}:provider:{provider}", self.prefix)
    }

    /// What an owner's `Idempotency-Key` was used for. The key is hashed: it may be long and hold any character.
    pub(super) fn idempotency(&self, owner: &OwnerName, key: &str) -> String {
        format!("{}:idem:{owner}:{}", self.prefix, short_hash(key))
    }

    /// What an owner's own session id stands for.
    pub(super) fn alias(&self, owner: &OwnerName, client_id: &str) -> String {
        format!("{}:alias:{owner}:{}", self.prefix, short_hash(client_id))
    }

    /// The channel on which a replica hears of offers to those that wait there.
    pub(super) fn wake(&self, replica: &str) -> String {
        format!("{}:wake:{replica}", self.prefix)
    }
}

/// The first 128 bits of a SHA-256, in hexadecimal.
pub(super) fn short_hash(text: &str) -> String {
    Sha256::digest(text).iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        use std::fmt::Write;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_a_type_share_its_hash_tag() {
        let keys = Keys::new("lh");
        let wine: TargetType = "wine".parse().unwrap();
        assert_eq!(keys.epoch(&wine), "lh:{wine}:epoch");
        assert_eq!(keys.events(&wine), "lh:{wine}:events");
        assert_eq!(keys.observers(&wine), "lh:{wine}:observers");
    }

    #[test]
    fn a_key_of_any_content_makes_a_short_name() {
        let keys = Keys::new("lh");
        let owner: OwnerName = "backend".parse().unwrap();
        let name = keys.idempotency(&owner, &"}{ \n".repeat(60));
        assert_eq!(name.len(), "lh:idem:backend:".len() + 32);
        assert_ne!(name, keys.idempotency(&owner, "other"));
    }
}
