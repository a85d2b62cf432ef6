//! Child processes: started for a measurement and ended with it.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::net::TcpStream;

/// Linux tells processor time to programs in hundredths of a second.
const TICKS: u64 = 100;

/// One child that listens on an address.
pub struct Process {
    name: String,
    child: Child,
    pub address: SocketAddr,
    /// What ends it: SIGKILL, unless it would leave something behind.
    end: Signal,
}

impl Process {
    /// Starts it, and waits until its address takes connections.
    pub async fn start(name: &str, command: &mut Command, address: SocketAddr) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("{name} cannot be started: {}", command.get_program().display()))?;
        let mut process = Self { name: name.to_owned(), child, address, end: Signal::SIGKILL };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = process.child.try_wait()? {
                bail!("{name} ended before it listened: {status}");
            }
            if Instant::now() > deadline {
                bail!("{name} does not listen on {address}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(process)
    }

    /// The same, ended by another signal than SIGKILL.
    pub fn ended_by(mut self, signal: Signal) -> Self {
        self.end = signal;
        self
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time that it has used, by all its threads.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        used_by(self.child.id())
    }

    /// What it has in memory now, in bytes.
    pub fn resident(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} has ended", self.name))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), self.end);
        let _ = self.child.wait();
    }
}

/// The processor time that a process has used, by all its threads.
pub fn used_by(process: u32) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field after it.
    let (_, fields) = text.rsplit_once(')').context("no name")?;
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(1000 * ticks / TICKS))
}

/// A port on loopback that is free now.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
