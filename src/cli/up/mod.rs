//! `leasehold up`: the whole system on one machine, for a first look and for development.
//!
//! Everything that it starts is a child behind a pipe (see [`super::supervise`]), so nothing outlives it.

mod banner;
mod child;
mod folder;
mod plan;

use std::{
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::{Instant, sleep},
};

use self::{
    child::{Household, Spec},
    folder::Folder,
    plan::Plan,
};
use super::signals::Signals;
use crate::{
    app,
    client::{Client, PoolStatus},
};

/// How long each part may take to start.
const START: Duration = Duration::from_secs(30);
/// How long containers may take to become available before `up` says that none is.
const AVAILABLE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Starts a private Redis (on a unix socket in the data directory), two replicas,
and, when the Docker engine has no labelled container, six demo targets. Needs
redis-server and nothing else. Ctrl-C or SIGTERM ends all of it, and so does the
end of `up` for any other reason. The data directory keeps the data, the API key
(file `api-key`) and the logs; each LEASEHOLD_… setting of a replica that `up`
does not decide itself may be set in the environment.")]
pub(super) struct Args {
    /// The port of the first replica; the second has the next one
    #[arg(long, default_value_t = 8088, value_parser = clap::value_parser!(u16).range(1..=65534))]
    port: u16,
    /// Where data, logs and the API key are kept; two `up` at a time need two of them
    #[arg(long, default_value = ".leasehold/data", value_name = "DIR")]
    data: PathBuf,
}

pub(super) async fn up(args: Args) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::hear()?;
    let folder = Folder::open(&args.data)?;
    let ports = [args.port, args.port + 1];
    for port in ports {
        must_be_free(port)?;
    }
    let mut household = Household::new(&folder)?;
    let lived = tokio::select! {
        lived = live(&folder, ports, &mut household) => lived,
        _ = signals.next() => Ok(()),
    };
    eprintln!("Ending what was started …");
    household.end().await;
    lived.map(|()| ExitCode::SUCCESS)
}

/// Starts everything and stays until Redis ends, which nothing here survives.
async fn live(folder: &Folder, ports: [u16; 2], household: &mut Household) -> anyhow::Result<()> {
    eprintln!("Starting Redis …");
    let new = folder.is_new();
    household.start_redis(redis(folder)).await?;
    household.unless_redis_ends(redis_answers(folder)).await?;
    if new {
        app::init(&plan::of_redis(folder)?, START).await?;
    }

    eprintln!("Looking for labelled containers …");
    let plan = Plan::make(folder).await?;
    eprintln!("{}", plan.why);
    std::fs::write(folder.config(), &plan.config).context("cannot write the configuration of the replicas")?;
    for target in &plan.targets {
        household.start(target.spec()).await?;
    }

    eprintln!("Starting two replicas …");
    for (at, port) in ports.into_iter().enumerate() {
        household.start(replica(folder, at + 1, port)).await?;
    }
    let clients = ports.map(|port| client(folder, port));
    for client in &clients {
        household.unless_redis_ends(is_ready(client.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?)).await?;
    }
    let [client, _] = clients;
    let status = household.unless_redis_ends(containers_available(&client?, plan.targets.len() as u64)).await?;

    banner::print(folder, ports, &status, household.parts())?;
    household.redis_ended().await
}

fn client(folder: &Folder, port: u16) -> anyhow::Result<Client> {
    Ok(Client::new(&format!("http://127.0.0.1:{port}"), Some(&SecretString::from(folder.key())))?)
}

fn must_be_free(port: u16) -> anyhow::Result<()> {
    match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
        Ok(_) => Ok(()),
        Err(error) => bail!(
            "port {port} on 127.0.0.1 cannot be used: {error}\n\
             `ss -ltnp 'sport = :{port}'` shows the program that has it; \
             `leasehold up --port N` takes the ports N and N + 1 instead"
        ),
    }
}

fn redis(folder: &Folder) -> Spec {
    let text = |text: &str| OsString::from(text);
    let mut command = vec![text("redis-server"), text("--port"), text("0")];
    command.extend([text("--unixsocket"), folder.socket().into(), text("--unixsocketperm"), text("700")]);
    command.extend([text("--dir"), folder.redis().into(), text("--appendonly"), text("yes")]);
    command.extend(["--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction"].map(text));
    Spec {
        name: "redis".into(),
        address: folder.socket().display().to_string(),
        command,
        environment: Vec::new(),
        // After a crash of `up` the Redis before may still be writing.
        lock: Some(folder.redis_lock()),
    }
}

fn replica(folder: &Folder, number: usize, port: u16) -> Spec {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Spec {
        name: format!("replica-{number}"),
        address: format!("http://{address}"),
        command: vec![child::program(), "serve".into(), "--config".into(), folder.config().into()],
        environment: plan::environment(address),
        lock: None,
    }
}

/// Until Redis answers; it says LOADING while it reads its data.
async fn redis_answers(folder: &Folder) -> anyhow::Result<()> {
    let ping = async || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(folder.socket()).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok(answer == *b"+PONG")
    };
    let deadline = Instant::now() + START;
    loop {
        match ping().await {
            Ok(true) => return Ok(()),
            _ if Instant::now() > deadline => bail!("Redis does not answer within {START:?}"),
            _ => sleep(POLL).await,
        }
    }
}

async fn is_ready(client: &Client) -> anyhow::Result<()> {
    let deadline = Instant::now() + START;
    loop {
        match client.readyz().await {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(error).context(format!("{} is not ready within {START:?}", client.url()));
            }
            Err(_) => sleep(POLL).await,
        }
    }
}

/// Until all `targets`, or where there are none any container, are available or leased; or with a warning.
async fn containers_available(client: &Client, targets: u64) -> anyhow::Result<PoolStatus> {
    let deadline = Instant::now() + AVAILABLE;
    loop {
        let status = client.status().await?;
        if status.available + status.allocated >= targets.max(1) {
            return Ok(status);
        }
        if Instant::now() > deadline {
            eprintln!(
                "Not every container is available after {AVAILABLE:?}; `leasehold containers -o wide` shows why."
            );
            return Ok(status);
        }
        sleep(POLL).await;
    }
}
