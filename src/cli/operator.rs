//! `leasehold cordon`, `uncordon`, `quarantine`, `unquarantine`, `drain` and `restart`

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::bail;

use super::{connection::Connection, exit, output::Output};
use crate::{
    client::{Client, ContainerFilter},
    model::{Container, ContainerId, ResetState},
};

/// How often a container that is drained or restarted is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The fewest characters that may stand for an id.
const PREFIX: usize = 6;

/// What `drain --help` says at its end.
pub(super) const DRAIN_HELP: &str = "\
The drain goes on when this command is interrupted: `leasehold uncordon` ends it.
Exit code 0: no session has the container. 75: the deadline is over and its session goes on.";

/// What `restart --help` says at its end.
pub(super) const RESTART_HELP: &str = "\
A worker restarts it, also when this command is interrupted.
With --wait, exit code 0: it is done. 75: it failed, and is tried again later.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The container: its id, at least six characters of its beginning, or its name
    container: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(super) struct QuarantineArgs {
    /// The container: its id, at least six characters of its beginning, or its name
    container: String,
    /// How long it rests, in seconds [default: the server's, 1800]
    #[arg(long = "for", value_name = "SECONDS")]
    rest: Option<u64>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(super) struct DrainArgs {
    /// The container: its id, at least six characters of its beginning, or its name
    container: String,
    /// How long its session is waited for, in seconds [default: the server's, 600]
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
    /// End its session at the deadline; else it goes on
    #[arg(long)]
    force: bool,
    /// Do not stay until it is free
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestartArgs {
    /// The container: its id, at least six characters of its beginning, or its name
    container: String,
    /// End the session that has it; else such a container is refused
    #[arg(long)]
    force: bool,
    /// Stay until it is done
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn cordon(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let container = client.cordon(&find(&client, &args.container).await?).await?;
    eprintln!("container {} is cordoned: it is given out no more", container.name);
    args.output.one(&container)
}

pub(super) async fn uncordon(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let container = client.uncordon(&find(&client, &args.container).await?).await?;
    eprintln!("container {} is not cordoned", container.name);
    args.output.one(&container)
}

pub(super) async fn quarantine(args: QuarantineArgs) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let container = client.quarantine(&find(&client, &args.container).await?, args.rest).await?;
    let until = container.quarantine.as_ref().map_or("its end", |rest| rest.until.as_str());
    eprintln!("container {} is in quarantine until {until}: it is given out no more meanwhile", container.name);
    args.output.one(&container)
}

pub(super) async fn unquarantine(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let container = client.lift_quarantine(&find(&client, &args.container).await?).await?;
    eprintln!("container {} is not in quarantine", container.name);
    args.output.one(&container)
}

pub(super) async fn drain(args: DrainArgs) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let id = find(&client, &args.container).await?;
    let mut container = client.drain(&id, args.deadline, args.force).await?;
    let mut progress = Progress::default();
    while let Some(drain) = container.drain.as_ref().filter(|_| !args.no_wait) {
        let then = if drain.force { "then it ends" } else { "then it goes on" };
        progress.show(&format!(
            "{} waits for session {}, until {}; {then}",
            container.name, drain.waiting_for, drain.until
        ));
        tokio::time::sleep(LOOK).await;
        container = match client.container(&id).await {
            Ok(now) => now,
            Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => {
                progress.show(&format!("{} is gone", container.name));
                return Ok(ExitCode::SUCCESS);
            }
            // The drain goes on in Redis, whoever looks at it.
            Err(error) if error.is_passing() => {
                progress.show(&format!("cannot look at {}: {error}", container.name));
                container
            }
            Err(error) => return Err(error.into()),
        };
    }
    let (name, held) = (container.name.clone(), container.allocated_to.clone());
    match (&container.drain, held) {
        (Some(drain), _) => {
            progress.show(&format!("{name} is being drained: it waits for session {}", drain.waiting_for));
        }
        (None, None) if container.cordoned => progress.show(&format!("{name} is drained: no session has it")),
        (None, _) if !container.cordoned => progress.show(&format!("the drain of {name} was ended by an uncordon")),
        (None, held) => {
            let session = held.unwrap_or_default();
            progress.show(&format!(
                "the deadline is over and session {session} still has {name}, which stays cordoned; --force would end it"
            ));
        }
    }
    let free = container.drain.is_some() || (container.cordoned && container.allocated_to.is_none());
    let shown = args.output.one(&container)?;
    Ok(if free { shown } else { exit::TRY_LATER.into() })
}

pub(super) async fn restart(args: RestartArgs) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let id = find(&client, &args.container).await?;
    let mut container = client.restart(&id, args.force).await?;
    let mut progress = Progress::default();
    progress.show(&format!("{} is to be restarted", container.name));
    let mut failed = false;
    while let Some(reset) = container.reset.as_ref().filter(|_| args.wait) {
        let why = reset.failure.as_deref();
        failed = reset.state == ResetState::Failed;
        if failed {
            progress.show(&format!("{} could not be restarted: {}", container.name, why.unwrap_or("unknown")));
            break;
        }
        let so_far = why.map_or_else(String::new, |why| format!("; the last attempt failed: {why}"));
        progress.show(&format!("{} is being restarted{so_far}", container.name));
        tokio::time::sleep(LOOK).await;
        container = match client.container(&id).await {
            Ok(now) => now,
            Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => {
                progress.show(&format!("{} is gone: another one may be in its place", container.name));
                return Ok(ExitCode::SUCCESS);
            }
            // A worker is at it, whoever looks.
            Err(error) if error.is_passing() => {
                progress.show(&format!("cannot look at {}: {error}", container.name));
                container
            }
            Err(error) => return Err(error.into()),
        };
    }
    if args.wait && !failed {
        progress.show(&format!("{} was restarted", container.name));
    }
    let shown = args.output.one(&container)?;
    Ok(if failed { exit::TRY_LATER.into() } else { shown })
}

/// The id of the container that is meant.
async fn find(client: &Client, text: &str) -> anyhow::Result<ContainerId> {
    if let Ok(id) = text.parse::<ContainerId>() {
        match client.container(&id).await {
            Ok(found) => return Ok(found.id),
            Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let all = client.containers(&ContainerFilter::default()).await?;
    let means = |one: &&Container| one.name == text || (text.len() >= PREFIX && one.id.as_str().starts_with(text));
    let mut found = all.iter().filter(means);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.id.clone()),
        (Some(one), Some(other)) => bail!("{text:?} may be container {} or {}: give its id", one.id, other.id),
        (None, _) => bail!("there is no container {text:?}: `leasehold containers` lists them"),
    }
}

/// What goes on, on stderr: in a terminal in one line that changes, else a line whenever something else is told.
#[derive(Default)]
struct Progress {
    told: String,
}

impl Progress {
    fn show(&mut self, text: &str) {
        if self.told == text {
            return;
        }
        let mut stderr = io::stderr().lock();
        let again = if stderr.is_terminal() && !self.told.is_empty() { "\x1b[A\r\x1b[J" } else { "" };
        // Who closed stderr does not want to hear of it.
        let _ = writeln!(stderr, "{again}{text}");
        text.clone_into(&mut self.told);
    }
}
