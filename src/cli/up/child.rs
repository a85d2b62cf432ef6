//! The children of `up`: started behind a pipe, started again when they die, ended together.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::folder::Folder;

/// The pause before a child that died is started again: doubled each time, from the first again once it has lived long enough.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const LIVED_LONG: Duration = Duration::from_mins(1);
/// How much of a log is shown when its writer died.
const LAST_LINES: usize = 15;

/// This program. Found once: a new build may replace the file later.
pub(super) fn program() -> OsString {
    static PROGRAM: OnceLock<OsString> = OnceLock::new();
    PROGRAM.get_or_init(|| std::env::current_exe().map_or_else(|_| "leasehold".into(), Into::into)).clone()
}

/// What is to be started.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    /// What it is called; the name of its log as well.
    pub(super) name: String,
    /// Where it is reached, for people.
    pub(super) address: String,
    /// The program and its arguments.
    pub(super) command: Vec<OsString>,
    /// Variables to set, or (none) to unset.
    pub(super) environment: Vec<(String, Option<String>)>,
    /// A file that is locked while it runs.
    pub(super) lock: Option<PathBuf>,
}

/// One child as it is shown.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// What it is called.
    pub(super) name: String,
    /// Where it is reached.
    pub(super) address: String,
    /// Its process at the first start.
    pub(super) pid: u32,
    /// Its log.
    pub(super) log: PathBuf,
}

/// A command that runs behind its supervisor.
struct Running {
    supervisor: Child,
    /// The write end of the supervisor's stdin: when it closes, the command ends.
    lifeline: Option<ChildStdin>,
    pid: u32,
}

impl Running {
    async fn start(spec: &Spec, log: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(program());
        command.arg("supervise").arg("--log").arg(log);
        if let Some(lock) = &spec.lock {
            command.arg("--lock").arg(lock);
        }
        command.arg("--").args(&spec.command);
        for (name, value) in &spec.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        // A process group of its own: the Ctrl-C of a terminal is for `up`, which ends its children in order.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut supervisor = command.spawn().with_context(|| format!("cannot start {}", spec.name))?;
        let lifeline = supervisor.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = supervisor.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).await?;
        }
        if let Ok(pid) = line.trim().parse() {
            return Ok(Self { supervisor, lifeline, pid });
        }
        let said = supervisor.wait_with_output().await?.stderr;
        bail!("{} does not start: {}", spec.name, String::from_utf8_lossy(&said).trim())
    }

    async fn ended(&mut self) -> Option<ExitStatus> {
        self.supervisor.wait().await.ok()
    }

    async fn end(mut self) {
        self.lifeline = None;
        let _ = self.supervisor.wait().await;
    }
}

/// All children. Redis outlives the others, so that each can end in good order.
pub(super) struct Household {
    logs: PathBuf,
    parts: Vec<Part>,
    others: JoinSet<()>,
    stop_others: CancellationToken,
    redis: Option<Running>,
}

impl Household {
    /// None yet; the logs of the last time are removed.
    pub(super) fn new(folder: &Folder) -> anyhow::Result<Self> {
        let logs = folder.logs();
        for old in fs::read_dir(&logs)? {
            fs::remove_file(old?.path())?;
        }
        Ok(Self { logs, parts: Vec::new(), others: JoinSet::new(), stop_others: CancellationToken::new(), redis: None })
    }

    /// What was started, in that order.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Starts Redis.
    pub(super) async fn start_redis(&mut self, spec: Spec) -> anyhow::Result<()> {
        must_have_redis().await?;
        let running = self.first_start(&spec).await?;
        self.redis = Some(running);
        Ok(())
    }

    /// Starts a child and keeps it running.
    pub(super) async fn start(&mut self, spec: Spec) -> anyhow::Result<()> {
        let running = self.first_start(&spec).await?;
        let log = self.log(&spec.name);
        self.others.spawn(keep(spec, log, running, self.stop_others.clone()));
        Ok(())
    }

    async fn first_start(&mut self, spec: &Spec) -> anyhow::Result<Running> {
        let log = self.log(&spec.name);
        let running = Running::start(spec, &log).await?;
        self.parts.push(Part { name: spec.name.clone(), address: spec.address.clone(), pid: running.pid, log });
        Ok(running)
    }

    /// Does `work`, and fails if Redis ends meanwhile.
    pub(super) async fn unless_redis_ends<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            done = work => done,
            ended = self.redis_ended() => Err(ended.err().unwrap_or_else(|| anyhow::anyhow!("Redis ended"))),
        }
    }

    /// Waits for Redis's end, which is an error: the last lines of its log say why.
    pub(super) async fn redis_ended(&mut self) -> anyhow::Result<()> {
        let Some(redis) = &mut self.redis else { bail!("Redis was not started") };
        redis.ended().await;
        let log = self.log("redis");
        bail!("Redis ended by itself. The end of {}:\n{}", log.display(), last_lines(&log))
    }

    /// Ends all, Redis last, and waits until they have ended.
    pub(super) async fn end(&mut self) {
        self.stop_others.cancel();
        while self.others.join_next().await.is_some() {}
        if let Some(redis) = self.redis.take() {
            redis.end().await;
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }
}

/// Starts a child again whenever it dies, until `stop`.
async fn keep(spec: Spec, log: PathBuf, mut running: Running, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let since = Instant::now();
        tokio::select! {
            _ = running.ended() => {}
            () = stop.cancelled() => return running.end().await,
        }
        if since.elapsed() > LIVED_LONG {
            pause = FIRST_PAUSE;
        }
        eprintln!("{} ended by itself and is started again. The end of {}:", spec.name, log.display());
        eprintln!("{}", last_lines(&log));
        running = loop {
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            match Running::start(&spec, &log).await {
                Ok(running) => break running,
                Err(error) => eprintln!("{error:#}"),
            }
        };
    }
}

async fn must_have_redis() -> anyhow::Result<()> {
    let found =
        Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    match found {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "redis-server is not installed. Install it and try again:\n  \
             Debian, Ubuntu:  apt-get install redis-server\n  \
             Fedora:          dnf install redis\n  \
             Alpine:          apk add redis\n  \
             macOS:           brew install redis"
        ),
        Err(error) => Err(error).context("redis-server cannot be run"),
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    if last.is_empty() {
        "  (empty)".to_owned()
    } else {
        last.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }
}
