//! The project's scripts, called without a replica.

use std::collections::BTreeMap;

use anyhow::Context as _;
use leasehold::store::script_text;
use redis::{Cmd, aio::MultiplexedConnection};

use crate::servers::{ENDED_KEPT, OWNER, PREFIX, TYPE};

/// The arguments of one item, for scripts that take any number of them.
const ITEMS: [(&str, &[&str]); 3] = [
    (
        "allocate",
        &[
            "session",
            "owner",
            "ttl_ms",
            "span_ms",
            "most_ms",
            "confirm",
            "container",
            "ticket_ms",
            "wait_ms",
            "head_start_ms",
            "line_max",
            "replica",
            "metadata",
            "idem",
            "weight",
            "sessions_max",
            "tickets_max",
            "idle_ms",
            "lead_ms",
            "affinity",
        ],
    ),
    ("heartbeat", &["session", "owner", "brief", "token", "active"]),
    ("release", &["session", "owner", "token", "reason"]),
];

/// One script with the arguments that stay the same from call to call; of a script of items, with one item.
#[derive(Clone)]
pub struct Call {
    name: &'static str,
    source: &'static str,
    names: Vec<&'static str>,
    hash: String,
    args: Vec<String>,
}

impl Call {
    /// # Panics
    /// When there is no such script, or it has no argument of a name given here: then this file is behind `lua/`.
    pub fn new(name: &'static str, fixed: &[(&str, &str)]) -> Self {
        let text = script_text(name).unwrap_or_else(|| panic!("there is no script {name}"));
        let ended_kept = ENDED_KEPT.as_millis().to_string();
        // As a replica calls it on a connection that it knows.
        let mut values = BTreeMap::from([
            ("check", "0"),
            ("events_kept", "100000"),
            ("ended_kept_ms", ended_kept.as_str()),
            ("confirm_ms", "10000"),
        ]);
        let item = ITEMS.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, names)| names);
        let names: Vec<_> = text.args.iter().filter(|arg| **arg != "...").chain(item).copied().collect();
        for (arg, value) in fixed {
            assert!(names.contains(arg), "{name} has no argument {arg}");
            values.insert(arg, value);
        }
        let args = names.iter().map(|arg| values.get(arg).copied().unwrap_or_default().to_owned()).collect();
        Self { name, source: text.source, names, hash: redis::Script::new(text.source).get_hash().to_owned(), args }
    }

    /// Where an argument stands, for [`Call::with`].
    pub fn place(&self, arg: &str) -> usize {
        self.names.iter().position(|name| *name == arg).unwrap_or_else(|| panic!("{} has no argument {arg}", self.name))
    }

    /// The command with one argument of its own, and what follows the named ones.
    pub fn with(&self, place: usize, value: &str, rest: &[&str]) -> Cmd {
        let mut command = self.begun();
        for (at, arg) in self.args.iter().enumerate() {
            command.arg(if at == place { value } else { arg });
        }
        command.arg(rest);
        command
    }

    /// The command with what follows the named arguments.
    pub fn rest(&self, rest: &[&str]) -> Cmd {
        self.with(usize::MAX, "", rest)
    }

    fn begun(&self) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.hash).arg(1).arg(key("epoch"));
        command
    }

    /// Makes the server know it.
    pub async fn load(&self, connection: &mut MultiplexedConnection) -> anyhow::Result<()> {
        let known: String = redis::cmd("SCRIPT").arg("LOAD").arg(self.source).query_async(connection).await?;
        (known == self.hash).then_some(()).context("Redis has another hash for the script")
    }
}

/// A key of the type.
pub fn key(name: &str) -> String {
    format!("{PREFIX}:{{{TYPE}}}:{name}")
}

/// Longer than a run: what was filled in must not lapse in the middle of one.
const LONG_MS: &str = "36000000";

/// Takes a container, or with `wait` a place in the line.
pub fn allocate(wait: bool) -> Call {
    Call::new(
        "allocate",
        &[
            ("owner", OWNER),
            ("ttl_ms", LONG_MS),
            ("span_ms", LONG_MS),
            ("confirm", "0"),
            ("ticket_ms", if wait { LONG_MS } else { "0" }),
            ("wait_ms", LONG_MS),
            ("head_start_ms", "0"),
            ("line_max", "1000000"),
            ("weight", "1"),
            ("confirm_ms", LONG_MS),
        ],
    )
}

pub fn release() -> Call {
    Call::new("release", &[("owner", OWNER), ("reason", "released"), ("confirm_ms", LONG_MS)])
}

pub fn heartbeat() -> Call {
    Call::new("heartbeat", &[("owner", OWNER), ("brief", "0")])
}

/// Many renewals in one call.
pub fn heartbeats(call: &Call, sessions: &[&str]) -> Cmd {
    let mut command = call.begun();
    for arg in &call.args[..call.place("session")] {
        command.arg(arg);
    }
    for session in sessions {
        command.arg(&[session, OWNER, "1", "", "0"]);
    }
    command
}

pub fn poll() -> Call {
    let fixed = [("owner", OWNER), ("ticket_ms", LONG_MS), ("give_up", "0"), ("renews", "0"), ("confirm_ms", LONG_MS)];
    Call::new("poll", &fixed)
}

pub fn list() -> Call {
    Call::new("containers", &[("available_only", "0"), ("most", "100")])
}

pub fn status() -> Call {
    Call::new("status", &[])
}
