//! What clients ask for. One flow is one connection's requests, in turn; every server that is measured answers the same ones.

use anyhow::{Context as _, bail};

use crate::servers::{KEY, TYPE};

/// Renewals in one call of [`Work::Heartbeats`].
pub const BATCH: usize = 1000;

/// One kind of request, or pair of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A create, and its release.
    CreateRelease,
    /// One renewal.
    Heartbeat,
    /// A thousand renewals in one request.
    Heartbeats,
    /// A page of a hundred containers.
    List,
    /// The counts.
    Status,
}

impl Work {
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateRelease => "create and release",
            Self::Heartbeat => "heartbeat",
            Self::Heartbeats => "heartbeats by the thousand",
            Self::List => "list 100 containers",
            Self::Status => "status",
        }
    }

    /// What is counted.
    pub fn unit(self) -> &'static str {
        if self == Self::Heartbeats { "renewals/s" } else { "requests/s" }
    }

    /// How many are counted for one answer.
    pub fn units(self) -> u64 {
        if self == Self::Heartbeats { BATCH as u64 } else { 1 }
    }
}

/// The requests of one connection.
pub struct Flow {
    work: Work,
    /// Requests that never change, sent in turn.
    prepared: Vec<Vec<u8>>,
    at: usize,
    /// The release of what was created last.
    release: Option<Vec<u8>>,
}

impl Flow {
    /// The flow of connection `number` of `of`; `sessions` are ready, and shared out among the connections.
    pub fn new(work: Work, number: usize, of: usize, sessions: &[String]) -> Self {
        let share = || sessions.iter().skip(number % of.min(sessions.len().max(1))).step_by(of);
        let prepared = match work {
            Work::CreateRelease => {
                vec![request("POST", "/sessions", &format!("{{\"target_type\":\"{TYPE}\",\"ttl_seconds\":60}}"))]
            }
            Work::Heartbeat => {
                share().take(1000).map(|id| request("POST", &format!("/sessions/{id}/heartbeat"), "{}")).collect()
            }
            Work::Heartbeats => {
                let ids = sessions.iter().cycle().take(BATCH);
                let renewals: Vec<_> = ids.map(|id| format!("{{\"session_id\":\"{id}\"}}")).collect();
                vec![request("POST", "/sessions/heartbeats", &format!("{{\"heartbeats\":[{}]}}", renewals.join(",")))]
            }
            Work::List => vec![request("GET", &format!("/containers?target_type={TYPE}&limit=100"), "")],
            Work::Status => vec![request("GET", "/containers/status", "")],
        };
        Self { work, prepared, at: 0, release: None }
    }

    /// The flows of so many connections.
    pub fn all(work: Work, connections: usize, sessions: &[String]) -> Vec<Self> {
        (0..connections).map(|number| Self::new(work, number, connections, sessions)).collect()
    }

    pub fn work(&self) -> Work {
        self.work
    }

    /// The request to send now.
    pub fn next(&self) -> &[u8] {
        self.release.as_deref().unwrap_or(&self.prepared[self.at])
    }

    /// Whether it may end here: it holds nothing.
    pub fn at_rest(&self) -> bool {
        self.release.is_none()
    }

    /// Takes the answer to the request sent last.
    ///
    /// # Errors
    /// The server did not do what was asked: then there is nothing to measure.
    pub fn answered(&mut self, status: u16, body: &[u8]) -> anyhow::Result<()> {
        if !(200..300).contains(&status) {
            bail!("{}: {status} {}", self.work.name(), String::from_utf8_lossy(body));
        }
        if self.work == Work::CreateRelease && self.release.is_none() {
            let id = created(body).with_context(|| format!("no id in {}", String::from_utf8_lossy(body)))?;
            self.release = Some(request("DELETE", &format!("/sessions/{id}"), ""));
        } else {
            self.release = None;
            self.at = (self.at + 1) % self.prepared.len();
        }
        Ok(())
    }
}

/// The session's id: the first one in the answer.
fn created(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("\"id\":\"")?;
    rest.split('"').next()
}

/// A request's bytes.
pub fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    let about_body = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    };
    format!("{method} {path} HTTP/1.1\r\nHost: bench\r\nX-API-Key: {KEY}\r\n{about_body}\r\n{body}").into_bytes()
}
