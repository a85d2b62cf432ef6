//! The command line. Data goes to stdout, everything else to stderr; exit codes are stable (see [`exit`]).

mod advise;
mod audit;
mod connection;
mod containers;
mod demo;
mod events;
pub mod exit;
mod explain;
mod insight;
mod key;
mod operator;
mod output;
mod recovery;
mod run;
mod scale;
mod serve;
mod sessions;
mod signals;
mod simulate;
mod status;
mod supervise;
mod types;
mod up;
mod vnc;
mod watch;
mod webhooks;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use self::output::Print as _;

/// Leasehold lends pre-warmed containers to sessions.
#[derive(Debug, Parser)]
#[command(
    name = "leasehold",
    version,
    about,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = exit::HELP
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one replica: the HTTP API and its background work, until SIGTERM
    Serve(serve::Args),
    /// Run everything on this machine: a private Redis, two replicas, and demo targets if there are no containers
    Up(up::Args),
    /// Show how many containers there are, by type and state
    Status(status::Args),
    /// List containers, or show one
    #[command(visible_alias = "container")]
    Containers(containers::Args),
    /// List, show, create and release sessions
    #[command(visible_alias = "session")]
    Sessions(sessions::Args),
    /// Show what a container writes
    Logs(insight::LogsArgs),
    /// Show what containers use of processor, memory and network
    Stats(insight::StatsArgs),
    /// List the types of containers, or change their settings
    #[command(visible_alias = "type")]
    Types(types::Args),
    /// Say how many containers a type is to have
    Scale(scale::Args),
    /// Tell why a type has nothing available, and what would help
    Explain(explain::Args),
    /// Tell how large a pool should be, by what happened
    #[command(after_help = advise::HELP)]
    Advise(advise::Args),
    /// Play a pool that follows demand through with what happened, beside pools of one size
    #[command(after_help = simulate::HELP)]
    Simulate(simulate::Args),
    /// Have a container given out no more; its session goes on
    Cordon(operator::Args),
    /// Let a container be given out again, and end its drain
    Uncordon(operator::Args),
    /// Have a container rest: it is given out no more until then, and comes back by itself; its session goes on
    Quarantine(operator::QuarantineArgs),
    /// End a container's quarantine, and forget what it failed before
    Unquarantine(operator::Args),
    /// Cordon a container and stay until no session has it
    #[command(after_help = operator::DRAIN_HELP)]
    Drain(operator::DrainArgs),
    /// Have a container restarted, unless a session has it
    #[command(after_help = operator::RESTART_HELP)]
    Restart(operator::RestartArgs),
    /// Open a port of this machine where VNC viewers see a session's desktop
    #[command(after_help = vnc::HELP)]
    Vnc(vnc::Args),
    /// Make a pass by which one viewer sees a session's desktop
    #[command(after_help = vnc::PASS_HELP)]
    Pass(vnc::PassArgs),
    /// Show what happened, or follow what happens
    Events(events::Args),
    /// Show how far the deliveries to webhooks are, and what they did not take; send that again
    #[command(visible_alias = "webhook")]
    Webhooks(webhooks::Args),
    /// Have every provider looked at now, and show what there is then
    Refresh(status::RefreshArgs),
    /// Mark a new Redis as new, before the first replica uses it: what is missing in it was not lost
    Init(recovery::InitArgs),
    /// Show the recovery after a loss of Redis, or end it
    Recover(recovery::RecoverArgs),
    /// Look for faults in the data in Redis, and repair them: exit code 1 when one is left
    Audit(audit::Args),
    /// Hold a container while a command runs
    Run(run::Args),
    /// Ask one replica whether it is ready: exit code 0 when it is, else 1 (for a container's HEALTHCHECK)
    Healthcheck(status::HealthcheckArgs),
    /// Make API keys
    Key(key::Args),
    /// Print the OpenAPI description of the HTTP API
    Openapi,
    /// Print a completion script, as in: source <(leasehold completions bash)
    Completions {
        /// The shell that is to complete
        shell: Shell,
    },
    /// Be a container for demonstrations: a desktop that a VNC client can view
    DemoTarget(demo::Args),
    /// Run a command and end it when this process's stdin ends (used by `up`)
    #[command(hide = true)]
    Supervise(supervise::Args),
}

/// Runs the program: reads its arguments, does what they say, and tells what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match cli.command {
        // The only one that has work for several threads.
        Command::Serve(_) => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
        _ => tokio::runtime::Builder::new_current_thread().enable_all().build(),
    };
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(dispatch(cli.command));
            // A thread that reads stdin must not hold up the end.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(anyhow::Error::new(error).context("the async runtime does not start")),
    };
    result.unwrap_or_else(|error| exit::tell(&error))
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::serve(args).await,
        Command::Up(args) => up::up(args).await,
        Command::Status(args) => status::status(args).await,
        Command::Containers(args) => containers::containers(args).await,
        Command::Sessions(args) => sessions::sessions(args).await,
        Command::Logs(args) => insight::logs(args).await,
        Command::Stats(args) => insight::stats(args).await,
        Command::Types(args) => types::types(args).await,
        Command::Scale(args) => scale::scale(args).await,
        Command::Explain(args) => explain::explain(args).await,
        Command::Advise(args) => advise::advise(args).await,
        Command::Simulate(args) => simulate::simulate(args).await,
        Command::Cordon(args) => operator::cordon(args).await,
        Command::Uncordon(args) => operator::uncordon(args).await,
        Command::Quarantine(args) => operator::quarantine(args).await,
        Command::Unquarantine(args) => operator::unquarantine(args).await,
        Command::Drain(args) => operator::drain(args).await,
        Command::Restart(args) => operator::restart(args).await,
        Command::Vnc(args) => vnc::vnc(args).await,
        Command::Pass(args) => vnc::pass(args).await,
        Command::Events(args) => events::events(args).await,
        Command::Webhooks(args) => webhooks::webhooks(args).await,
        Command::Refresh(args) => status::refresh(args).await,
        Command::Init(args) => recovery::init(args).await,
        Command::Recover(args) => recovery::recover(args).await,
        Command::Audit(args) => audit::audit(args).await,
        Command::Run(args) => run::run(args).await,
        Command::Healthcheck(args) => status::healthcheck(args).await,
        Command::Key(args) => key::key(args),
        Command::Openapi => format!("{}\n", serde_json::to_string_pretty(&crate::api::document())?).print(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "leasehold", &mut script);
            String::from_utf8_lossy(&script).into_owned().print()
        }
        Command::DemoTarget(args) => demo::demo_target(args).await,
        Command::Supervise(args) => supervise::supervise(args).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }
}
