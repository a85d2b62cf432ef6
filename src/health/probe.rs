//! One probe: where to dial, what to expect, and in a few words what came instead.

use std::{path::Path, time::Duration};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::http;
use crate::{
    config::{HealthConfig, ProbeKind, Reach},
    model::{About, Endpoint},
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
        let address = address(about.endpoints.get(&settings.endpoint)?, reach)?.to_owned();
        // The claim's jitter may make the next probe due a tenth early: this one has ended by then.
        let timeout = settings.timeout.min(settings.interval.mul_f64(0.9));
        Some(Self { address, timeout, question })
    }
}

/// The address that this process dials, or the other one when there is no choice.
fn address(endpoint: &Endpoint, reach: Reach) -> Option<&str> {
    let (published, internal) = (endpoint.address.as_deref(), endpoint.internal.as_deref());
    match reach {
        Reach::Internal => internal.or(published),
        Reach::Published | Reach::Auto => published.or(internal),
    }
}

/// `auto` decided, once: whether this process is in a container itself, where the containers' network is at hand.
pub(super) fn decided(reach: Reach) -> Reach {
    let in_a_container = || {
        Path::new("/.dockerenv").exists()
            || Path::new("/run/.containerenv").exists()
            || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
    };
    match reach {
        Reach::Auto if in_a_container() => Reach::Internal,
        Reach::Auto => Reach::Published,
        explicit => explicit,
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

    fn about(published: Option<&str>, internal: Option<&str>) -> About {
        let endpoint = Endpoint { address: published.map(str::to_owned), internal: internal.map(str::to_owned) };
        About { endpoints: BTreeMap::from([("vnc".to_owned(), endpoint)]), ..About::default() }
    }

    fn dialled(published: Option<&str>, internal: Option<&str>, reach: Reach) -> Option<String> {
        Plan::new(&HealthConfig::default(), &about(published, internal), reach).map(|plan| plan.address)
    }

    #[test]
    fn the_address_is_the_one_that_can_be_reached() {
        let (out, inside) = (Some("127.0.0.1:32768"), Some("172.18.0.2:5900"));
        assert_eq!(dialled(out, inside, Reach::Published).as_deref(), out);
        assert_eq!(dialled(out, inside, Reach::Internal).as_deref(), inside);
        assert_eq!(dialled(None, inside, Reach::Published).as_deref(), inside);
        assert_eq!(dialled(out, None, Reach::Internal).as_deref(), out);
        assert_eq!(dialled(None, None, Reach::Internal), None);
    }

    #[test]
    fn an_explicit_reach_stands() {
        assert_eq!(decided(Reach::Internal), Reach::Internal);
        assert_eq!(decided(Reach::Published), Reach::Published);
        assert_ne!(decided(Reach::Auto), Reach::Auto);
    }

    #[test]
    fn a_probe_has_ended_before_the_next_one_is_due() {
        let second = Duration::from_secs(1);
        let settings = HealthConfig { interval: second, timeout: second, ..HealthConfig::default() };
        let plan = Plan::new(&settings, &about(Some("127.0.0.1:1"), None), Reach::Published).unwrap();
        assert_eq!(plan.timeout, second.mul_f64(0.9));
    }
}
