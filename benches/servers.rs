//! The servers that are measured: Redis, replicas of Leasehold, and this program in another role.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use redis::aio::MultiplexedConnection;
use sha2::{Digest as _, Sha256};

use crate::process::{Process, free_address};

/// The first part of every key.
pub const PREFIX: &str = "bench";
/// The API key of all requests, and the owner of all sessions.
pub const KEY: &str = "lh_the-key-of-the-benchmark-as-long-as-those-that-are-made";
pub const OWNER: &str = "backend";
/// The target type of all containers.
pub const TYPE: &str = "wine";

/// How long every HTTP server keeps an idle connection, as a replica does.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long ended sessions are kept while it is measured: so short that as many are forgotten as end.
pub const ENDED_KEPT: Duration = Duration::from_secs(10);

/// A Redis that keeps nothing on disk.
pub struct Redis {
    pub process: Process,
    _folder: tempfile::TempDir,
}

impl Redis {
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &address.port().to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.current_dir(folder.path());
        let process = Process::start("redis-server", &mut command, address).await?;
        let redis = Self { process, _folder: folder };
        // As `leasehold init` does it.
        let mut mark = redis::cmd("HSET");
        mark.arg(format!("{PREFIX}:types")).arg(":whole").arg(0);
        let _: u64 = mark.query_async(&mut redis.connect().await?).await?;
        Ok(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.process.address)
    }

    pub async fn connect(&self) -> anyhow::Result<MultiplexedConnection> {
        connect(&self.url()).await
    }

    /// What its data takes, in bytes.
    pub async fn memory(&self) -> anyhow::Result<u64> {
        let info: String = redis::cmd("INFO").arg("memory").query_async(&mut self.connect().await?).await?;
        let value = info.lines().find_map(|line| line.strip_prefix("used_memory:")).context("no used_memory")?;
        Ok(value.trim().parse()?)
    }
}

/// A connection without a timeout of its own: a slow answer is a measurement.
pub async fn connect(url: &str) -> anyhow::Result<MultiplexedConnection> {
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    Ok(redis::Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await?)
}

/// One replica: the real binary with its defaults, but for what a measurement needs.
pub struct Replica {
    pub process: Process,
    _folder: tempfile::TempDir,
}

impl Replica {
    /// `more` is added to its configuration. It logs as by default, to nowhere.
    pub async fn start(redis: &Redis, more: &str) -> anyhow::Result<Self> {
        Self::of_build(Path::new(env!("CARGO_BIN_EXE_leasehold")), redis, more).await
    }

    /// The same with another build of the program.
    pub async fn of_build(program: &Path, redis: &Redis, more: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("leasehold.toml");
        let address = free_address()?;
        std::fs::write(&file, configuration(redis, address, more))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(&file).stderr(Stdio::null());
        let process = Process::start("the replica", &mut command, address).await?;
        Ok(Self { process, _folder: folder })
    }
}

fn configuration(redis: &Redis, address: SocketAddr, more: &str) -> String {
    let hash = Sha256::digest(KEY).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!(
        "listen = \"{address}\"\nprefix = \"{PREFIX}\"\n[redis]\nurl = \"{}\"\n\
         [lease_tokens]\nkeys = [\"{KEY}\"]\n\
         [limits]\nended_kept = \"{}s\"\n[types.{TYPE}.probe]\nkind = \"none\"\n\
         [[api_key]]\nname = \"bench\"\nowner = \"{OWNER}\"\nrole = \"client\"\nhash = \"sha256:{hash}\"\n{more}",
        redis.url(),
        ENDED_KEPT.as_secs()
    )
}

/// This program again, in a role of its own: a server to compare with must not share the load's thread.
pub async fn role(name: &str, args: &[&str]) -> anyhow::Result<Process> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).arg(address.to_string()).args(args);
    Process::start(name, &mut command, address).await
}

/// Waits until `look` gives something.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("not within two minutes: {what}");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
