//! Whether the Redis server is one that the promises can rest on.

use redis::aio::ConnectionLike;

use super::{Store, StoreError, connection};

/// The oldest version that has all that the scripts use.
const OLDEST: (u64, u64) = (6, 2);

impl Store {
    /// Asks the server for its version and its policy when memory is full.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] says what is wrong with it; any other, that it could not be asked.
    pub async fn check_server(&self) -> Result<(), StoreError> {
        let timeout = self.shared.timeout;
        let check = async { check(&mut self.slow_connection().await?).await };
        tokio::time::timeout(timeout, check).await.unwrap_or(Err(StoreError::Timeout(timeout)))
    }
}

/// # Errors
/// See [`Store::check_server`].
pub(super) async fn check<C: ConnectionLike>(connection: &mut C) -> Result<(), StoreError> {
    let mut info = String::new();
    for section in ["server", "memory"] {
        let text: String = redis::cmd("INFO")
            .arg(section)
            .query_async(connection)
            .await
            .map_err(|error| connection::explain(&error))?;
        info.push_str(&text);
    }
    verdict(&info)
}

fn verdict(info: &str) -> Result<(), StoreError> {
    let field = |name: &str| {
        info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim).unwrap_or_default()
    };
    let version = field("redis_version");
    let mut numbers = version.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST {
        return Err(StoreError::Unfit(format!("Redis is version {version:?}; 6.2 or newer is needed")));
    }
    let policy = field("maxmemory_policy");
    if policy != "noeviction" {
        return Err(StoreError::Unfit(format!(
            "Redis has maxmemory-policy {policy:?}, which would drop leases when memory is full; set it to noeviction"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_redis_and_an_evicting_one_are_refused_by_name() {
        assert!(verdict("redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\n").is_ok());
        assert!(verdict("redis_version:6.2.0\r\nmaxmemory_policy:noeviction\r\n").is_ok());
        let old = verdict("redis_version:6.0.16\r\nmaxmemory_policy:noeviction\r\n").unwrap_err().to_string();
        assert!(old.contains("6.0.16") && old.contains("6.2"), "{old}");
        let evicting = verdict("redis_version:7.0.15\r\nmaxmemory_policy:allkeys-lru\r\n").unwrap_err().to_string();
        assert!(evicting.contains("allkeys-lru") && evicting.contains("noeviction"), "{evicting}");
    }
}
