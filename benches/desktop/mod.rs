//! Desktops through the bridge, beside the bare connection, a TCP relay, and websockify: how much is carried, and how much later it comes.
//!
//! The desktop and the relay are processes of their own, as the replica is: all of them share the machine, and none the viewer's thread.

pub mod far;
mod viewer;

use std::{net::SocketAddr, path::PathBuf, process::Command, time::Duration};

use leasehold::{
    client::{Client, CreateSession},
    model::SessionId,
};
use secrecy::SecretString;

use self::viewer::Viewer;
use crate::{
    load::Sample,
    measure::Measured,
    plan::Plan,
    process::{Process, free_address},
    report::{Report, Section, grouped},
    servers::{self, KEY, Redis, Replica, TYPE},
};

/// What one sample carries, in MiB, and how many questions it asks.
const FLOOD_MIB: u16 = 64;
const QUESTIONS: usize = 500;

/// A way to the desktop.
struct Way {
    name: &'static str,
    viewer: Viewer,
    measured: Measured,
}

/// Everything that this part measures.
pub async fn measure(plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let desktop = servers::role(far::DESKTOP, &[]).await?;
    let to = desktop.address.to_string();
    let relay = servers::role(far::RELAY, &[&to]).await?;
    let redis = Redis::start().await?;
    let provider = format!(
        "[types.{TYPE}.reset]\nkind = \"none\"\n[[provider]]\nname = \"lab\"\nkind = \"static\"\n[[provider.container]]\nname = \"one\"\n\
         type = \"{TYPE}\"\nhost = \"127.0.0.1\"\nports = {{ vnc = {} }}\n",
        desktop.address.port()
    );
    let replica = Replica::start(&redis, &provider).await?;
    let session = Session::begin(&replica).await?;
    let websockify = websockify(&to).await;

    let mut ways = vec![
        Way::new("the desktop itself", Viewer::tcp(desktop.address).await?),
        Way::new("a TCP relay", Viewer::tcp(relay.address).await?),
        Way::new("Leasehold, by a viewer that drives", session.viewer(false).await?),
        Way::new("Leasehold, by one that only watches", session.viewer(true).await?),
    ];
    let mut missing = None;
    match &websockify {
        Ok(process) => ways.push(Way::new("websockify", Viewer::websocket(process.address, "/", "binary").await?)),
        Err(error) => missing = Some(format!("{error:#}")),
    }
    for _ in 0..plan.repetitions {
        for way in &mut ways {
            let (mib, latencies) = (way.viewer.flood(FLOOD_MIB).await?, way.viewer.ask(QUESTIONS).await?);
            let at = |quantile| latencies.value_at_quantile(quantile) as f64;
            way.measured.samples.push(Sample { per_second: mib, p50: at(0.5), p99: at(0.99), ..Sample::default() });
        }
        session.renew().await?;
    }
    let mut section = Section::new(
        "A desktop through the bridge",
        format!(
            "One viewer. {FLOOD_MIB} MiB that the desktop shows, and {QUESTIONS} questions of 10 bytes, one after the other, each until its answer is there. \
             A WebSocket costs a frame for each piece, and its masking on the way to the desktop."
        ),
        &["way", "MiB/s", "of the relay", "p50 µs", "later than the relay's, µs", "p99 µs"],
    );
    for way in &ways {
        let p50 = way.measured.median_of(|sample| sample.p50);
        section.rows.push(vec![
            way.name.to_owned(),
            grouped(way.measured.per_second()),
            format!("{:.2}", way.measured.ratio_to(&ways[1].measured, |sample| sample.per_second)),
            format!("{p50:.0}"),
            format!("{:.0}", p50 - ways[1].measured.median_of(|sample| sample.p50)),
            format!("{:.0}", way.measured.median_of(|sample| sample.p99)),
        ]);
    }
    if let Some(why) = missing {
        eprintln!("  missing: websockify: {why}");
        section.text.push_str(&format!("\n\n**Missing in this run**: websockify: {why}."));
    }
    report.sections.push(section);
    Ok(())
}

impl Way {
    fn new(name: &'static str, viewer: Viewer) -> Self {
        Self { name, viewer, measured: Measured::default() }
    }
}

/// A session whose desktop is seen.
struct Session {
    client: Client,
    replica: SocketAddr,
    id: SessionId,
}

impl Session {
    async fn begin(replica: &Replica) -> anyhow::Result<Self> {
        let replica = replica.process.address;
        let client = Client::new(&format!("http://{replica}"), Some(&SecretString::from(KEY)))?;
        let create = CreateSession { ttl_seconds: Some(600), ..CreateSession::new(TYPE.parse()?) };
        let id = servers::eventually("the container is there", async || {
            Ok(client.create(&create).await.ok().map(|session| session.id))
        })
        .await?;
        Ok(Self { client, replica, id })
    }

    async fn viewer(&self, view_only: bool) -> anyhow::Result<Viewer> {
        let pass = self.client.make_pass(self.id, view_only, None).await?;
        Viewer::websocket(self.replica, &pass.path, &format!("binary, leasehold.pass.{}", pass.pass)).await
    }

    async fn renew(&self) -> anyhow::Result<()> {
        Ok(self.client.heartbeat(self.id, None, None, false).await.map(drop)?)
    }
}

/// As `scripts/bench.sh` installs it.
async fn websockify(to: &str) -> anyhow::Result<Process> {
    let program: PathBuf = crate::peers::installed("python/bin/websockify")?;
    let address = free_address()?;
    let mut command = Command::new(program);
    command.arg("--timeout=0").arg(address.to_string()).arg(to).stderr(std::process::Stdio::null());
    let process = Process::start("websockify", &mut command, address).await?;
    // It was asked whether it listens, and has a child that ends by that.
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(process)
}
