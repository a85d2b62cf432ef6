//! What the replicas of `up` are to lease: the engine's containers, or demo targets.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use anyhow::Context as _;
use serde::Serialize;
use tokio::time::timeout;

use super::{
    child::{Spec, program},
    folder::Folder,
};
use crate::{
    cli::key,
    config::{ApiKeyConfig, Config, DockerConfig, ProviderConfig, RedisConfig, StaticConfig, StaticContainer},
    model::{ProviderName, Role, TargetType},
    provider,
};

/// How long the engine may take to list its containers.
const LOOK: Duration = Duration::from_secs(5);
const DEMO_TYPES: [&str; 3] = ["wine", "linux", "android"];
const DEMO_OF_EACH: usize = 2;

/// What was decided at the start.
pub(super) struct Plan {
    /// Said to whoever watches.
    pub(super) why: String,
    /// The demo targets to start.
    pub(super) targets: Vec<Target>,
    /// The configuration of the replicas.
    pub(super) config: String,
}

/// A demo target.
pub(super) struct Target {
    name: String,
    kind: TargetType,
    port: u16,
}

impl Plan {
    /// Looks at the engine and decides. A container that is started later is found as well, when the engine answers now.
    pub(super) async fn make(folder: &Folder) -> anyhow::Result<Self> {
        let docker = DockerConfig { name: name("docker")?, address: None, tls: None, advertise_host: None };
        let found = look(&docker).await?;
        let (why, targets) = match found {
            Some(0) => ("The Docker engine has no labelled container: starting demo targets …".to_owned(), targets()?),
            Some(some) => (format!("Containers of the Docker engine that take part: {some}."), Vec::new()),
            None => ("No Docker engine answers: starting demo targets …".to_owned(), targets()?),
        };
        // Also when it is empty: demo targets of an earlier start are to go.
        let demo = StaticConfig { name: name("demo")?, container: targets.iter().map(Target::entry).collect() };
        let mut provider = vec![ProviderConfig::Static(demo)];
        if found.is_some() {
            provider.push(ProviderConfig::Docker(docker));
        }
        let settings = Settings {
            shutdown_timeout: "5s",
            // No load balancer stands before them.
            drain: "0s",
            redis: RedisSettings { url: redis_url(folder)? },
            // Its Redis writes to the disk before it answers.
            recovery: RecoverySettings { lossless: true },
            lease_tokens: LeaseTokenSettings { keys: [folder.lease_token_key()] },
            provider,
            api_key: vec![key::entry(folder.key(), "up".into(), "admin".parse()?, Role::Admin)],
        };
        let config = format!("# Written by `leasehold up` at each start.\n\n{}", toml::to_string(&settings)?);
        Ok(Self { why, targets, config })
    }
}

/// How many containers of the engine take part; none when it does not answer.
async fn look(docker: &DockerConfig) -> anyhow::Result<Option<usize>> {
    let config = Config { provider: vec![ProviderConfig::Docker(docker.clone())], ..Config::load(None)? };
    let Some(engine) = provider::from_config(&config)?.into_iter().next() else { return Ok(None) };
    Ok(timeout(LOOK, engine.list()).await.ok().and_then(Result::ok).map(|containers| containers.len()))
}

/// Two of each type, each on a port that is free now.
fn targets() -> anyhow::Result<Vec<Target>> {
    let mut held = Vec::new();
    let mut targets = Vec::new();
    for target_type in DEMO_TYPES {
        for number in 1..=DEMO_OF_EACH {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free for a demo target")?;
            targets.push(Target {
                name: format!("{target_type}-{number}"),
                kind: target_type.parse()?,
                port: listener.local_addr()?.port(),
            });
            // Held until all are chosen: no port twice.
            held.push(listener);
        }
    }
    Ok(targets)
}

impl Target {
    /// How it is started.
    pub(super) fn spec(&self) -> Spec {
        let address = format!("127.0.0.1:{}", self.port);
        let arguments = ["demo-target", "--listen", &address, "--name", &self.name];
        Spec {
            name: self.name.clone(),
            command: std::iter::once(program()).chain(arguments.map(Into::into)).collect(),
            address: format!("vnc://{address}"),
            environment: Vec::new(),
            lock: None,
        }
    }

    fn entry(&self) -> StaticContainer {
        StaticContainer {
            name: self.name.clone(),
            target_type: self.kind.clone(),
            host: "127.0.0.1".into(),
            ports: BTreeMap::from([("vnc".to_owned(), self.port)]),
        }
    }
}

/// The variables of a replica: `up` decides these, whatever the user's environment says.
pub(super) fn environment(listen: SocketAddr) -> Vec<(String, Option<String>)> {
    let decided = ["CONFIG", "ROLES", "PREFIX", "REDIS__URL", "PROVIDER"];
    let unset = decided.map(|name| (format!("LEASEHOLD_{name}"), None));
    unset.into_iter().chain([("LEASEHOLD_LISTEN".to_owned(), Some(listen.to_string()))]).collect()
}

/// A configuration that reaches the Redis of `up`.
pub(super) fn of_redis(folder: &Folder) -> anyhow::Result<Config> {
    let redis = RedisConfig { url: redis_url(folder)?.into(), ..RedisConfig::default() };
    Ok(Config { redis, ..Config::default() })
}

/// The URL of Redis's socket, with what a URL cannot hold as it is escaped.
fn redis_url(folder: &Folder) -> anyhow::Result<String> {
    let url = reqwest::Url::from_file_path(folder.socket()).ok().context("the data directory has no absolute path")?;
    Ok(format!("redis+unix://{}", url.path()))
}

fn name(text: &str) -> anyhow::Result<ProviderName> {
    Ok(text.parse()?)
}

#[derive(Serialize)]
struct Settings<'a> {
    shutdown_timeout: &'static str,
    drain: &'static str,
    redis: RedisSettings,
    recovery: RecoverySettings,
    lease_tokens: LeaseTokenSettings<'a>,
    provider: Vec<ProviderConfig>,
    api_key: Vec<ApiKeyConfig>,
}

#[derive(Serialize)]
struct RecoverySettings {
    lossless: bool,
}

#[derive(Serialize)]
struct LeaseTokenSettings<'a> {
    keys: [&'a str; 1],
}

#[derive(Serialize)]
struct RedisSettings {
    url: String,
}
