//! `leasehold supervise`: ties the life of a command to that of another process.
//!
//! The other process holds the write end of this one's stdin. However it ends, also by SIGKILL, the kernel closes the
//! pipe, and the command is ended.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io,
    path::PathBuf,
    process::{ExitCode, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::{Child, Command},
    sync::oneshot,
    time::timeout,
};

use super::{exit, signals::Signals};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the command's output goes
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// Held while the command runs; the command starts when nobody else holds it
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// Seconds between SIGTERM and SIGKILL
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    grace: u64,
    /// The command and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub(super) async fn supervise(args: Args) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::hear()?;
    let mut parent_gone = end_of_stdin();
    let lock = args.lock.clone();
    let mut locking = tokio::task::spawn_blocking(move || lock.map(hold).transpose());
    let _held = tokio::select! {
        held = &mut locking => held?.with_context(|| format!("cannot lock {:?}", args.lock))?,
        _ = &mut parent_gone => return Ok(ExitCode::SUCCESS),
        _ = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    let mut child = start(&args)?;
    // The parent shows it.
    println!("{}", child.id().unwrap_or_default());
    let status = tokio::select! {
        status = child.wait() => status?,
        _ = &mut parent_gone => end(&mut child, Duration::from_secs(args.grace)).await?,
        _ = signals.next() => end(&mut child, Duration::from_secs(args.grace)).await?,
    };
    Ok(code_of(status))
}

/// Resolves when stdin ends. A thread of its own, because a read of a pipe cannot be cancelled.
fn end_of_stdin() -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = tell.send(());
    });
    told
}

fn hold(path: PathBuf) -> io::Result<File> {
    let file = File::create(path)?;
    file.lock()?;
    Ok(file)
}

fn start(args: &Args) -> anyhow::Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(&args.log);
    let log = log.with_context(|| format!("cannot write {}", args.log.display()))?;
    Command::new(&args.command[0])
        .args(&args.command[1..])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", args.command[0].display()))
}

/// Asks the command to end, and after `grace` makes it.
pub(super) async fn end(child: &mut Child, grace: Duration) -> io::Result<ExitStatus> {
    signal(child, Signal::SIGTERM);
    if let Ok(status) = timeout(grace, child.wait()).await {
        return status;
    }
    child.start_kill()?;
    child.wait().await
}

/// Sends a signal to a command that has not been waited for: its id cannot be another's yet.
pub(super) fn signal(child: &Child, signal: Signal) {
    if let Some(id) = child.id() {
        // Failure means that it ended just now.
        let _ = kill(Pid::from_raw(id as i32), signal);
    }
}

/// A command's exit code as shells tell it: 128 + n when signal n ended it.
pub(super) fn code_of(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::FAILURE).into()
}
