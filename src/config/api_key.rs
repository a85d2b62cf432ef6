//! `[[api_key]]`: who may ask, for whom, and how much of the pool that owner may have.

use serde::{Deserialize, Serialize};

use super::{ConfigError, Limits, validate::check};
use crate::model::{OwnerName, Role, Share};

/// `[[api_key]]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyConfig {
    /// What to call it in logs.
    pub name: String,
    /// Who its sessions belong to.
    pub owner: OwnerName,
    /// `admin`, `client` or `viewer`.
    pub role: Role,
    /// `sha256:` and the key's SHA-256 in hexadecimal, as `leasehold key new` prints it.
    pub hash: String,
    /// The largest `priority` that this key may ask for; `limits.priority_max` when absent.
    #[serde(default)]
    pub priority_max: Option<u32>,
    /// How many tickets of its owner are served for each one of an owner of weight 1, the default; at most 1000.
    #[serde(default)]
    pub weight: Option<u32>,
    /// Most live sessions of its owner in each type, with those that wait; `limits.sessions_max` when absent.
    #[serde(default)]
    pub sessions_max: Option<u64>,
    /// Most of them that wait; `limits.tickets_max` when absent.
    #[serde(default)]
    pub tickets_max: Option<u64>,
    /// Requests a second that one replica serves this key, but for heartbeats and releases; any number when absent.
    #[serde(default)]
    pub rate_per_second: Option<u32>,
    /// How many of them may come at once; `rate_per_second` when absent.
    #[serde(default)]
    pub burst: Option<u32>,
}

impl ApiKeyConfig {
    /// Its part in the pool.
    #[must_use]
    pub fn share(&self, limits: &Limits) -> Share {
        Share {
            weight: self.weight.unwrap_or(1),
            sessions_max: self.sessions_max.or(limits.sessions_max),
            tickets_max: self.tickets_max.or(limits.tickets_max),
        }
    }

    /// # Errors
    /// The first value that cannot be used.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let key = |field: &str| format!("api_key {:?} {field}", self.name);
        let digest = self.hash.strip_prefix("sha256:").unwrap_or_default();
        let hash_ok = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        let right = "sha256: and 64 hexadecimal digits; `leasehold key new` makes one";
        check(hash_ok, &key("hash"), &"(not shown)", right)?;
        let shown = |value: Option<u32>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        check((1..=1000).contains(&self.weight.unwrap_or(1)), &key("weight"), &shown(self.weight), "1 to 1000")?;
        let rate_ok = self.rate_per_second != Some(0);
        check(rate_ok, &key("rate_per_second"), &shown(self.rate_per_second), "at least 1, or absent for any number")?;
        let burst_ok = self.burst.is_none_or(|burst| burst >= 1 && self.rate_per_second.is_some());
        check(burst_ok, &key("burst"), &shown(self.burst), "at least 1, and only with rate_per_second")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fields: &str) -> ApiKeyConfig {
        let hash = "0".repeat(64);
        let text = format!("name = \"n\"\nowner = \"o\"\nrole = \"client\"\nhash = \"sha256:{hash}\"\n{fields}");
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_key_s_own_quota_stands_before_that_of_all() {
        let limits = Limits { sessions_max: Some(5), tickets_max: Some(7), ..Limits::default() };
        assert_eq!(key("").share(&limits), Share { weight: 1, sessions_max: Some(5), tickets_max: Some(7) });
        let own = key("weight = 3\nsessions_max = 50\n").share(&limits);
        assert_eq!(own, Share { weight: 3, sessions_max: Some(50), tickets_max: Some(7) });
    }

    #[test]
    fn a_rate_and_a_weight_of_nothing_are_refused() {
        for bad in ["weight = 0", "weight = 1001", "rate_per_second = 0", "burst = 5", "rate_per_second = 1\nburst = 0"]
        {
            let error = key(bad).validate().unwrap_err().to_string();
            assert!(error.starts_with("configuration: api_key \"n\" "), "{error}");
        }
        key("weight = 2\nrate_per_second = 10\nburst = 50").validate().unwrap();
    }
}
