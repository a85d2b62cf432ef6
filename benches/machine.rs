//! What the numbers were measured on.

use std::process::Command;

use serde::Serialize;

#[derive(Serialize)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    pub memory_gib: f64,
    pub kernel: String,
    pub redis: String,
    pub rustc: String,
    pub commit: String,
    /// Of the last minute before the run: what else the machine did.
    pub load_before: f64,
    pub date: String,
}

impl Machine {
    pub fn look() -> Self {
        let load = read("/proc/loadavg");
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: f64 = memory.trim_end_matches("kB").trim().parse().unwrap_or_default();
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: kib / 1024.0 / 1024.0,
            kernel: read("/proc/sys/kernel/osrelease"),
            redis: said("redis-server", &["--version"]).split_whitespace().nth(2).unwrap_or("?").replace("v=", ""),
            rustc: said("rustc", &["--version"]),
            commit: said("git", &["describe", "--always", "--dirty", "--abbrev=10"]),
            load_before: load.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or_default(),
            date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        }
    }

    /// Whether something else ran that may have disturbed the numbers.
    pub fn was_busy(&self) -> bool {
        self.load_before > 0.5
    }

    pub fn text(&self) -> String {
        let busy = if self.was_busy() {
            format!(
                "\n\n**The machine was not quiet**: its load was {} before the run. Compare ratios, not absolute numbers.",
                self.load_before
            )
        } else {
            String::new()
        };
        format!(
            "{} × {}, {:.0} GiB, Linux {}, Redis {}, {}; commit {}, {}. Redis, replicas, load and peers share these \
             processors. Redis keeps nothing on disk; replicas run with their defaults, logs written to nowhere. Numbers are medians of \
             repetitions that were taken in turn with what they are compared with; ratios are medians of neighbours' ratios. CPU is what the server \
             itself used for each request (floor 1: Redis), which hardly depends on what else runs; beside it what the Redis behind the server \
             and the load used.{busy}",
            self.processors,
            self.processor,
            self.memory_gib,
            self.kernel.trim(),
            self.redis,
            self.rustc,
            self.commit,
            self.date
        )
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn field(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':')).map(|(_, value)| value.trim());
    line.unwrap_or("?").to_owned()
}

/// What a program says of itself; `?` when it is not there.
fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "?".to_owned() } else { text }
}
