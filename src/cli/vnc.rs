//! `leasehold vnc` and `leasehold pass`

use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::{
    connection::Connection,
    exit,
    output::{Format, Output, Print as _, Row},
    signals::Signals,
};
use crate::{
    client::{Client, DesktopEnd},
    model::{Pass, SessionId, SessionState},
};

/// What `vnc --help` says at its end.
pub(super) const HELP: &str = "\
Each VNC viewer that connects to the port sees the session's desktop, through the server; it need not reach the container.
The session is not renewed by this. Exit code 0: interrupted. 75: the lease is over.";

/// What `pass --help` says at its end.
pub(super) const PASS_HELP: &str = "\
It is for one viewer, and ends with the lease. docs/api.md says how a viewer opens the desktop with it.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The session
    session: SessionId,
    /// The port of this machine (127.0.0.1) to listen on [default: a free one]
    #[arg(short, long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// What viewers type and point at does not reach the desktop
    #[arg(long)]
    view_only: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(super) struct PassArgs {
    /// The session
    session: SessionId,
    /// Its viewer sees, and nothing that it does reaches the desktop
    #[arg(long)]
    view_only: bool,
    /// Seconds until the viewer must have come [default: the server's, 60]
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

/// Where viewers connect.
#[derive(Debug, Serialize)]
struct Port {
    address: String,
}

pub(super) async fn pass(args: PassArgs) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    args.output.one(&client.make_pass(args.session, args.view_only, args.expires_in).await?)
}

pub(super) async fn vnc(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let session = client.session(args.session, None).await?;
    anyhow::ensure!(
        session.state == SessionState::Ready,
        "session {} is {}: it has no desktop",
        session.id,
        session.state.as_str()
    );
    let mut signals = Signals::hear()?;
    let bind = TcpListener::bind(("127.0.0.1", args.port)).await;
    let listener = bind.with_context(|| format!("--port {}: it cannot be listened on", args.port))?;
    let address = listener.local_addr()?.to_string();
    let told = match args.output.format() {
        Format::Json => serde_json::to_string(&Port { address })?,
        _ => address,
    };
    format!("{told}\n").print()?;
    eprintln!("VNC viewers that connect there see the session's desktop; Ctrl-C ends it");
    let (tells, mut ends) = mpsc::channel(1);
    loop {
        let viewer = tokio::select! {
            _ = signals.next() => return Ok(ExitCode::SUCCESS),
            end = ends.recv() => match end {
                Some(DesktopEnd::Lease) | None => {
                    eprintln!("the lease is over");
                    return Ok(exit::TRY_LATER.into());
                }
                Some(_) => continue,
            },
            accepted = listener.accept() => accepted?.0,
        };
        let (client, tells) = (client.clone(), tells.clone());
        tokio::spawn(async move {
            let end = show(&client, session.id, args.view_only, viewer).await;
            // Nobody listens when this command ends.
            let _ = tells.send(end).await;
        });
    }
}

/// Shows the desktop to one viewer. What goes wrong is told.
async fn show(client: &Client, session: SessionId, view_only: bool, viewer: TcpStream) -> DesktopEnd {
    // Keys go out at once.
    let _ = viewer.set_nodelay(true);
    let opened = async { client.view(&client.make_pass(session, view_only, None).await?).await };
    let end = match opened.await {
        Ok(desktop) => desktop.carry(viewer).await,
        Err(error) if error.problem().is_some_and(|problem| problem.code == "session_ended") => DesktopEnd::Lease,
        Err(error) => DesktopEnd::Other(error.to_string()),
    };
    match &end {
        DesktopEnd::Replica => eprintln!("the replica ends: connect again"),
        DesktopEnd::Other(why) => eprintln!("a viewer is let go: {why}"),
        DesktopEnd::Left | DesktopEnd::Lease => {}
    }
    end
}

impl Row for Pass {
    const HEADS: &'static [&'static str] = &["PASS", "VIEW ONLY", "EXPIRES AT", "PATH"];
    const NARROW: usize = 3;

    fn name(&self) -> String {
        self.pass.clone()
    }

    fn cells(&self) -> Vec<String> {
        vec![self.pass.clone(), self.view_only.to_string(), self.expires_at.clone(), self.path.clone()]
    }
}
