//! The command line, through the real binary; and the Rust client that it is made of.

mod advise;
mod audit;
mod client;
mod operator;
mod queries;
mod run;
mod serve;
mod simulate;
mod up;
mod usage;
mod webhooks;

use std::{env, process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::common::{
    http::Http,
    redis::Redis,
    replica::{KEY, Replica, Settings, farm},
};

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program with these arguments, and nothing of the tests' own environment that it would read.
pub fn leasehold(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("LEASEHOLD_") || name == "LEGACY_USE_API_KEY" {
            command.env_remove(name);
        }
    }
    command
}

/// What it left behind when it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// Fails unless it ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Its stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Fails unless stderr has each of these texts.
    #[track_caller]
    pub fn complains_of(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stderr.contains(text), "no {text:?} in {self:#?}");
        }
    }
}

/// Runs it to its end.
pub async fn said(mut command: Command) -> Said {
    let output = timeout(PATIENCE, command.output()).await.expect("it ends").expect("it starts");
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// The program while it runs.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, stdin, stdout, stderr }
    }

    fn pid(&self) -> u32 {
        self.child.id().expect("it was not waited for")
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().cast_signed()), signal).expect("the process is there");
    }

    /// The next line of stdout.
    async fn line(&mut self) -> String {
        line_with(&mut self.stdout, "").await
    }

    /// The next line of stderr that has this text.
    async fn complaint(&mut self, text: &str) -> String {
        line_with(&mut self.stderr, text).await
    }

    /// Its stdin ends.
    fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Its exit code.
    async fn code(&mut self) -> Option<i32> {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("its state").code()
    }
}

async fn line_with(reader: &mut (impl AsyncBufRead + Unpin), text: &str) -> String {
    let mut passed = String::new();
    let look = async {
        loop {
            let mut line = String::new();
            let count = reader.read_line(&mut line).await.expect("text");
            assert!(count > 0, "the output ended without a line with {text:?}: {passed}");
            if line.contains(text) {
                return line.trim_end().to_owned();
            }
            passed += &line;
        }
    };
    timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("no line with {text:?} in time"))
}

/// Whether a process is there.
fn lives(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// A replica on a Redis of its own that lends so many wine containers, with TTLs from a second on.
struct Pool {
    replica: Replica,
    redis: Redis,
}

impl Pool {
    async fn start(containers: u64) -> Self {
        let redis = Redis::start();
        let settings = Settings::toml(farm("wine", containers as usize)).env("LIMITS__TTL_MIN", "1s");
        let replica = Replica::start_with_available(&redis.url(), &settings, containers).await;
        Self { replica, redis }
    }

    fn http(&self) -> Http {
        self.replica.http()
    }

    /// The program as a client of it.
    fn client(&self, args: &[&str]) -> Command {
        let mut command = leasehold(args);
        self.point(&mut command);
        command
    }

    /// Has a command speak to it.
    fn point(&self, command: &mut Command) {
        command.env("LEASEHOLD_URL", self.replica.url()).env("LEASEHOLD_API_KEY", KEY);
    }

    async fn said(&self, args: &[&str]) -> Said {
        said(self.client(args)).await
    }

    /// How many containers would be given out now.
    async fn available(&self) -> u64 {
        self.http().get("/containers/status").await.expect(200).body["available"].as_u64().expect("a count")
    }
}
