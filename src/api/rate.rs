//! How often a key may ask. Each replica counts for itself, so that a request costs no call to Redis for it: a pool of
//! several replicas lets as many times more through.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};

use super::Problem;
use crate::config::ApiKeyConfig;

/// The requests of one key.
#[derive(Debug)]
pub(super) struct Rate {
    limiter: DefaultDirectRateLimiter,
    per_second: NonZeroU32,
}

impl Rate {
    /// None where the key has no limit.
    pub(super) fn of(key: &ApiKeyConfig) -> Option<Self> {
        let per_second = NonZeroU32::new(key.rate_per_second?)?;
        let burst = key.burst.and_then(NonZeroU32::new).unwrap_or(per_second);
        Some(Self { limiter: RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst)), per_second })
    }

    /// # Errors
    /// The key asked too often; when to try again.
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.limiter.check().map_err(|until| {
            let wait = until.wait_time_from(self.limiter.clock().now());
            Problem::rate_limited(self.per_second.get(), wait)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(fields: &str) -> Option<Rate> {
        let text = format!("name = \"n\"\nowner = \"o\"\nrole = \"client\"\nhash = \"\"\n{fields}");
        Rate::of(&toml::from_str(&text).unwrap())
    }

    #[test]
    fn a_burst_passes_and_what_is_more_is_told_when() {
        assert!(rate("").is_none());
        let rate = rate("rate_per_second = 1\nburst = 3").unwrap();
        let passed = (0..10).take_while(|_| rate.check().is_ok()).count();
        assert!((3..10).contains(&passed), "{passed}");
        let refused = rate.check().unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (429, "rate_limited"));
    }
}
