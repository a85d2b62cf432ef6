//! `leasehold run`: a container for as long as a command runs.

use std::{
    ffi::OsString,
    io::{self, IsTerminal as _},
    process::{ExitCode, ExitStatus},
    sync::Arc,
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::{
    connection::Connection,
    exit,
    signals::Signals,
    supervise::{code_of, end, signal},
};
use crate::{
    client::{ClientError, CreateSession, Loss, SessionGuard},
    model::{Container, Session, TargetType},
};

/// What the command gets between SIGTERM and SIGKILL when its lease is lost.
const GRACE: Duration = Duration::from_secs(5);
/// How long giving back may take; the lease's TTL does it otherwise.
const RELEASE: Duration = Duration::from_secs(10);

const HELP: &str = "\
The command finds the container in its environment:
  LEASEHOLD_SESSION_ID, LEASEHOLD_TARGET_TYPE, LEASEHOLD_CONTAINER_ID,
  LEASEHOLD_FENCING_TOKEN, LEASEHOLD_HOST, and host:port of each endpoint
  under its name: LEASEHOLD_VNC, LEASEHOLD_NOVNC, …

SIGTERM, SIGHUP and SIGINT are passed on to the command, which runs in the
same process group; the Ctrl-C of a terminal reaches it directly. A signal that
was ignored at the start stays so (as `nohup` wants it). The container
is given back when the command has ended. When the lease is lost, the command
gets SIGTERM, 5 seconds later SIGKILL, and the exit code is 75. When `run`
itself is killed by SIGKILL the command goes on, but the lease ends at its TTL:
a command that must not use a container that others may have needs a parent
that ends both.

Exit codes: the command's own, 128 + n when signal n ended it, 126 when it
cannot be started, 127 when it is not there; before it has started those of
`leasehold --help`.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Args {
    /// The type of container
    target_type: TargetType,
    /// Seconds that a heartbeat renews the lease for: how long the container is lost to others if this machine dies
    /// [default: the server's, 60]
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// Wait in line up to this many seconds when nothing is available
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    wait: u64,
    /// Head start in the line, in seconds [default: 0]
    #[arg(long, value_name = "SECONDS")]
    priority: Option<u32>,
    /// The longest that the container is held, in seconds: then the lease is lost [default: the server's]
    #[arg(long, value_name = "SECONDS")]
    max_duration: Option<u64>,
    /// Rather the container that the last session with this word had
    #[arg(long, value_name = "WORD")]
    affinity: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let mut signals = Signals::hear()?;
    let request = CreateSession {
        ttl_seconds: args.ttl,
        wait_seconds: Some(args.wait),
        priority: args.priority,
        max_duration_seconds: args.max_duration,
        affinity: args.affinity,
        ..CreateSession::new(args.target_type)
    };

    let mut caught = None;
    let mut place = 0;
    let in_line = |ticket: &crate::model::Ticket| {
        if ticket.position != place {
            place = ticket.position;
            let wait = ticket.estimated_wait_seconds.map(|seconds| format!(", about {seconds} s")).unwrap_or_default();
            eprintln!("waiting for a {} container: number {place} in line{wait}", request.target_type);
        }
    };
    let give_up = async { caught = Some(signals.next().await) };
    let guard = match client.acquire_unless(&request, in_line, give_up).await {
        Err(ClientError::GivenUp) => return Ok(by_signal(caught)),
        acquired => acquired?,
    };

    let mut child = match start(&args.command, guard.session()) {
        Ok(child) => child,
        Err(error) => {
            give_back(guard).await;
            eprintln!("leasehold: {} cannot be started: {error}", args.command[0].display());
            return Ok(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }.into());
        }
    };
    match accompany(&mut child, &guard, &mut signals).await? {
        End::Command(status) => {
            give_back(guard).await;
            Ok(code_of(status))
        }
        End::Lost(loss) => {
            eprintln!("leasehold: the lease is lost, ending the command: {loss}");
            end(&mut child, GRACE).await?;
            Ok(exit::TRY_LATER.into())
        }
    }
}

enum End {
    Command(ExitStatus),
    Lost(Arc<Loss>),
}

/// Waits for the command's end or the lease's, passing signals on.
async fn accompany(child: &mut Child, guard: &SessionGuard, signals: &mut Signals) -> io::Result<End> {
    // The Ctrl-C of a terminal goes to the whole foreground process group; passing it on would be a second one.
    let on_terminal = io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
    let mut warnings = guard.warnings();
    let mut told = false;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(End::Command(status?)),
            loss = guard.lost() => return Ok(End::Lost(loss)),
            Ok(near) = warnings.wait_for(|near| !near.is_empty()), if !told => {
                told = true;
                for warning in near.iter() {
                    let (reason, left) = (warning.reason.as_str(), warning.ends_in_ms.div_ceil(1000));
                    eprintln!("leasehold: the lease ends in {left} s: {reason}");
                }
            }
            heard = signals.next() => {
                if heard != Signal::SIGINT || !on_terminal {
                    signal(child, heard);
                }
            }
        }
    }
}

fn start(command: &[OsString], session: &Session) -> io::Result<Child> {
    Command::new(&command[0]).args(&command[1..]).envs(environment(session)).spawn()
}

async fn give_back(guard: SessionGuard) {
    let id = guard.session().id;
    match timeout(RELEASE, guard.release()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("leasehold: session {id} was not released, it ends at its TTL: {error}"),
        Err(_) => eprintln!("leasehold: session {id} was not released, it ends at its TTL: no answer in time"),
    }
}

/// What the command is told of its container.
fn environment(session: &Session) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    let mut set = |name: &str, value: String| variables.push((format!("LEASEHOLD_{name}"), value));
    if let Some(container) = &session.container {
        for (name, endpoint) in &container.endpoints {
            let name = variable_name(name);
            // An endpoint must not take the place of a variable that the client itself reads.
            if let (Some(address), false) = (endpoint.address.as_ref().or(endpoint.internal.as_ref()), is_ours(&name)) {
                set(&name, address.clone());
            }
        }
        if let Some(host) = host_of(container) {
            set("HOST", host);
        }
        set("CONTAINER_ID", container.id.to_string());
    }
    if let Some(lease) = &session.lease {
        set("FENCING_TOKEN", lease.fencing_token.to_string());
    }
    set("TARGET_TYPE", session.target_type.to_string());
    set("SESSION_ID", session.id.to_string());
    variables
}

fn variable_name(endpoint: &str) -> String {
    endpoint.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn is_ours(name: &str) -> bool {
    matches!(name, "URL" | "API_KEY" | "CONFIG" | "ROLES")
}

/// The host of the desktop, else of any endpoint, else the container's own address.
fn host_of(container: &Container) -> Option<String> {
    let vnc = container.endpoints.get("vnc");
    let addresses = vnc.into_iter().chain(container.endpoints.values());
    let mut hosts = addresses.filter_map(|endpoint| endpoint.address.as_ref().or(endpoint.internal.as_ref()));
    let host = hosts.next().and_then(|address| address.rsplit_once(':')).map(|(host, _)| host.to_owned());
    host.or_else(|| container.ip_address.clone())
}

fn by_signal(signal: Option<Signal>) -> ExitCode {
    signal.map_or(exit::FAILURE, |signal| 128 + signal as u8).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_every_endpoint() {
        let session: Session = serde_json::from_value(serde_json::json!({
            "id": "0199b0a0-0000-8000-8000-000000000000", "state": "ready", "target_type": "wine", "owner": "o",
            "ticket": null, "created_at": "", "ended_at": null, "end_reason": null, "metadata": {},
            "lease": {"fencing_token": 7, "ttl_seconds": 60, "expires_in_ms": 60000, "expires_at": "",
                      "heartbeat_interval_seconds": 20},
            "container": {"id": "c1", "name": "one", "target_type": "wine", "provider": "lab", "state": "running",
                "pool_state": "allocated", "cordoned": false, "ip_address": "10.0.0.2", "ports": {},
                "endpoints": {"vnc": {"address": "127.0.0.1:35900", "internal": "10.0.0.2:5900"},
                              "no-vnc": {"address": null, "internal": "10.0.0.2:6080"},
                              "url": {"address": "h:1", "internal": null}},
                "allocated_to": null, "allocated_at": null, "labels": {}, "fencing_token": 7,
                "health": {"status": "healthy", "engine": "none", "probe": null, "reason": null}},
        }))
        .unwrap();
        let variables: std::collections::BTreeMap<_, _> = environment(&session).into_iter().collect();
        let of = |name: &str| variables.get(name).map(String::as_str);
        assert_eq!(of("LEASEHOLD_VNC"), Some("127.0.0.1:35900"));
        assert_eq!(of("LEASEHOLD_NO_VNC"), Some("10.0.0.2:6080"));
        assert_eq!(of("LEASEHOLD_HOST"), Some("127.0.0.1"));
        assert_eq!(of("LEASEHOLD_FENCING_TOKEN"), Some("7"));
        assert_eq!(of("LEASEHOLD_CONTAINER_ID"), Some("c1"));
        assert_eq!(of("LEASEHOLD_TARGET_TYPE"), Some("wine"));
        assert_eq!(of("LEASEHOLD_SESSION_ID"), Some("0199b0a0-0000-8000-8000-000000000000"));
        assert_eq!(of("LEASEHOLD_URL"), None);
    }
}
