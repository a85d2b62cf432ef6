//! The torture as a program: `make torture`.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "the integration tests use the rest")]
mod common;
#[path = "mod.rs"]
mod torture;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;

use torture::{
    check::{Story, check},
    history,
    plan::{Plan, Topology},
    report::Report,
    run::run,
};

/// Tortures Leasehold: replicas, clients and containers under faults, and a checker that decides whether the promises held.
#[derive(Debug, Parser)]
struct Arguments {
    /// What plans clients and faults; a random one when absent
    #[arg(long)]
    seed: Option<u64>,
    /// How long clients and faults are at work
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    #[arg(long, value_enum, default_value_t = Topology::Single)]
    topology: Topology,
    #[arg(long, default_value_t = 3)]
    replicas: usize,
    #[arg(long, default_value_t = 24)]
    clients: usize,
    /// In all, of all types; half of them come and go
    #[arg(long, default_value_t = 12)]
    containers: usize,
    /// Break the guarantee, to see that the checker finds it: leased containers are granted again
    #[arg(long = "break")]
    rogue: bool,
    /// Where to put the history and the logs of the replicas
    #[arg(long, default_value = "target/torture")]
    folder: PathBuf,
    /// Run nothing: check this history again
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = match &arguments.history {
        Some(path) => path.clone(),
        None => torture(&arguments),
    };
    let story = match history::read(&path).and_then(Story::read) {
        Ok(story) => story,
        Err(error) => {
            eprintln!("torture: {error}");
            return ExitCode::from(2);
        }
    };
    let verdict = check(&story);
    println!("{}", Report { story: &story, verdict: &verdict, history: &path });
    if verdict.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs; says where the history is.
fn torture(arguments: &Arguments) -> PathBuf {
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let plan = Plan {
        seed,
        time: Duration::from_secs(arguments.seconds),
        topology: arguments.topology,
        replicas: arguments.replicas,
        clients: arguments.clients,
        containers: arguments.containers,
        rogue: arguments.rogue,
        progress: true,
        folder: arguments.folder.join(format!("{}-{seed}", arguments.topology.as_str())),
    };
    eprintln!("torture: seed {seed}, {} for {} s", arguments.topology.as_str(), arguments.seconds);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(run(&plan)).path().to_owned()
}
