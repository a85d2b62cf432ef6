//! One probe: where to dial, what to expect, and in a few words what came instead.

use std::time::Duration;

use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::http;
use crate::{
    config::{HealthConfig, ProbeKind, Reach},
    model::About,
    rfb,
};

/// How long an RFB server may take for its handshake after the greeting, within the timeout.
const LEAVE: Duration = Duration::from_millis(500);

/// What one probe does.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    address: String,
    timeout: Duration,
    question: Question,
}

#[derive(Debug, PartialEq)]
enum Question {
    Tcp,
    Http { path: String },
    Rfb,
}

impl Plan {
    /// How the container is probed; none when it is not, or has nothing to dial. `reach` is decided, not `auto`.
    pub(super) fn new(settings: &HealthConfig, about: &About, reach: Reach) -> Option<Self> {
        let question = match settings.effective_kind(about) {
            ProbeKind::Tcp => Question::Tcp,
            ProbeKind::Http => Question::Http { path: settings.path.clone() },
            ProbeKind::Rfb => Question::Rfb,
            ProbeKind::Auto | ProbeKind::None => return None,
        };
        let address = reach.address(about.endpoints.get(&settings.endpoint)?)?.to_owned();
        // The claim's jitter may make the next probe due a tenth early: this one has ended by then.
        let timeout = settings.timeout.min(settings.interval.mul_f64(0.9));
        Some(Self { address, timeout, question })
    }
}

impl Plan {
    /// Probes once. An error is for operators: few words, no address.
    pub(super) async fn probe(&self) -> Result<(), String> {
        let deadline = Instant::now() + self.timeout;
        let asked = timeout_at(deadline, self.ask()).await;
        let greeted = asked.unwrap_or_else(|_| Err(format!("timed out after {:?}", self.timeout)))?;
        if let Some((mut stream, version)) = greeted {
            let leave = deadline.min(Instant::now() + LEAVE);
            // A courtesy: the verdict stands, whatever comes of it.
            let _ = timeout_at(leave, rfb::pass_security(&mut stream, version)).await;
        }
        Ok(())
    }

    /// Fails, or is answered well; by an RFB server that waits for the rest of a handshake, perhaps.
    async fn ask(&self) -> Result<Option<(TcpStream, rfb::Version)>, String> {
        let mut stream = connect(&self.address).await?;
        match &self.question {
            Question::Tcp => Ok(None),
            Question::Http { path } => http::ask(stream, &self.address, path).await.map(|()| None),
            Question::Rfb => {
                let version = rfb::greeting(&mut stream).await.map_err(|error| error.to_string())?;
                Ok(Some((stream, version)))
            }
        }
    }
}

async fn connect(address: &str) -> Result<TcpStream, String> {
    let addresses: Vec<_> =
        tokio::net::lookup_host(address).await.map_err(|_| "host name not found".to_owned())?.collect();
    TcpStream::connect(&addresses[..]).await.map_err(|error| error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::Endpoint;

    fn about() -> About {
        let endpoint = Endpoint { address: Some("127.0.0.1:1".to_owned()), internal: None };
        About { endpoints: BTreeMap::from([("vnc".to_owned(), endpoint)]), ..About::default() }
    }

    #[test]
    fn a_probe_has_ended_before_the_next_one_is_due() {
        let second = Duration::from_secs(1);
        let settings = HealthConfig { interval: second, timeout: second, ..HealthConfig::default() };
        let plan = Plan::new(&settings, &about(), Reach::Published).unwrap();
        assert_eq!(plan.timeout, second.mul_f64(0.9));
    }
}
