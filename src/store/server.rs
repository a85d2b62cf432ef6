//! Whether the Redis server is one that the promises can rest on.

use redis::aio::ConnectionLike;

use super::{Store, StoreError, failure::explain, slow};

/// The oldest version that has all that the scripts use.
const OLDEST: (u64, u64) = (6, 2);

impl Store {
    /// Asks the server for its version and its policy when memory is full.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] says what is wrong with it; any other, that it could not be asked.
    pub async fn check_server(&self) -> Result<(), StoreError> {
        let timeout = self.shared.timeout;
        let deadline = tokio::time::Instant::now() + timeout;
        let server = self.shared.servers.any(deadline).await?;
        let check = async { check(&mut slow::connection(server.slow()).await?).await };
        tokio::time::timeout_at(deadline, check).await.unwrap_or(Err(StoreError::Timeout(timeout)))
    }

    /// What an operator should change on the server, though it serves.
    pub async fn risk(&self) -> Option<String> {
        let deadline = tokio::time::Instant::now() + self.shared.timeout;
        let server = self.shared.servers.any(deadline).await.ok()?;
        let ask = async { risk(&mut slow::connection(server.slow()).await.ok()?).await };
        tokio::time::timeout_at(deadline, ask).await.ok()?
    }
}

/// What of its settings endangers the promises though it serves; none also when it may not be asked.
async fn risk<C: ConnectionLike>(connection: &mut C) -> Option<String> {
    let replication = info(connection, "replication").await.ok()?;
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg("min-replicas-to-write");
    // An ACL user need not have the right to.
    let (_, least): (String, u64) = command.query_async(connection).await.ok()?;
    unguarded(&replication, least)
}

fn unguarded(replication: &str, least: u64) -> Option<String> {
    let replicas: u64 = field(replication, "connected_slaves").parse().ok()?;
    (replicas > 0 && least == 0).then(|| {
        format!(
            "Redis has {replicas} replica(s) and min-replicas-to-write 0: a primary that is cut off from them goes on \
             granting while another takes its place. Set min-replicas-to-write to 1 on every server"
        )
    })
}

/// # Errors
/// See [`Store::check_server`].
pub(super) async fn check<C: ConnectionLike>(connection: &mut C) -> Result<(), StoreError> {
    let info = format!("{}{}", info(connection, "server").await?, info(connection, "memory").await?);
    fit(&info)?;
    check_primary(connection).await
}

/// Only that it is a primary.
///
/// # Errors
/// [`StoreError::Refused`] when it is not; any other, that it could not be asked.
pub(super) async fn check_primary<C: ConnectionLike>(connection: &mut C) -> Result<(), StoreError> {
    primary(&info(connection, "replication").await?)
}

async fn info<C: ConnectionLike>(connection: &mut C, section: &str) -> Result<String, StoreError> {
    redis::cmd("INFO").arg(section).query_async(connection).await.map_err(|error| explain(&error))
}

fn field<'a>(info: &'a str, name: &str) -> &'a str {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim).unwrap_or_default()
}

fn primary(info: &str) -> Result<(), StoreError> {
    match field(info, "role") {
        "master" => Ok(()),
        role => Err(StoreError::Refused(format!("this server is not the primary: its role is {role:?}"))),
    }
}

fn fit(info: &str) -> Result<(), StoreError> {
    let version = field(info, "redis_version");
    let mut numbers = version.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST {
        return Err(StoreError::Unfit(format!("Redis is version {version:?}; 6.2 or newer is needed")));
    }
    let policy = field(info, "maxmemory_policy");
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
        assert!(fit("redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\n").is_ok());
        assert!(fit("redis_version:6.2.0\r\nmaxmemory_policy:noeviction\r\n").is_ok());
        let old = fit("redis_version:6.0.16\r\nmaxmemory_policy:noeviction\r\n").unwrap_err().to_string();
        assert!(old.contains("6.0.16") && old.contains("6.2"), "{old}");
        let evicting = fit("redis_version:7.0.15\r\nmaxmemory_policy:allkeys-lru\r\n").unwrap_err().to_string();
        assert!(evicting.contains("allkeys-lru") && evicting.contains("noeviction"), "{evicting}");
    }

    #[test]
    fn replicas_that_nobody_waits_for_are_a_risk() {
        let info = |replicas: u64| format!("role:master\r\nconnected_slaves:{replicas}\r\n");
        assert!(unguarded(&info(2), 0).unwrap().contains("min-replicas-to-write to 1"));
        assert_eq!((unguarded(&info(0), 0), unguarded(&info(2), 1)), (None, None));
    }

    #[test]
    fn a_replica_is_refused_for_now() {
        assert!(primary("# Replication\r\nrole:master\r\nconnected_slaves:1\r\n").is_ok());
        let refused = primary("# Replication\r\nrole:slave\r\n").unwrap_err();
        assert!(matches!(refused, StoreError::Refused(why) if why.contains("\"slave\"")));
    }
}
