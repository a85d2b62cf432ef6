//! Probes containers and reports what it found.
//!
//! Work is shared among replicas by claims in the store: a probe that is due goes to the replica that asks first, and is
//! due again an interval later, whoever asks then; so no container is probed by two. A replica claims only what it can
//! begin at once. What is found is reported as it comes, and the store keeps the count that makes a container healthy
//! or unhealthy.
//!
//! Leased containers are probed as well, so a probe must not disturb a desktop in use: it connects, takes the first
//! answer (nothing for `tcp`, the status line and headers for `http`, the greeting for `rfb`) and hangs up.
//!
//! An `rfb` probe decides by the greeting, and then lets the server finish its security handshake if that needs no
//! password, because TigerVNC takes a client that hangs up before as one that guesses passwords: after five it refuses
//! everybody from that address, viewers too. The probe leaves before ClientInit, where a client becomes a viewer, so no
//! other viewer notices. A TigerVNC server that does ask for a password must run with `-UseBlacklist=0`. `tcp` probes
//! of any TigerVNC server have the same effect: `rfb` is the kind for desktops.

mod claim;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod http;
mod probe;
mod report;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    metrics::Metrics,
    store::{Store, StoreError},
};

/// Findings that may wait to be reported; when there are more, probes wait.
const FINDINGS_MOST: usize = 1000;

/// Probes until `shutdown`; what was found by then is still reported.
pub async fn run(store: Store, config: Arc<Config>, metrics: Arc<Metrics>, shutdown: CancellationToken) {
    let reach = config.health.reach.decided();
    let (findings, inbox) = mpsc::channel(FINDINGS_MOST);
    let claiming = claim::run(&store, &config, reach, &metrics, findings, &shutdown);
    tokio::join!(claiming, report::run(&store, inbox));
}

/// Says that Redis fails, and that it works again, once each.
struct Outage {
    what: &'static str,
    failing: bool,
}

impl Outage {
    fn new(what: &'static str) -> Self {
        Self { what, failing: false }
    }

    fn note(&mut self, result: &Result<(), StoreError>) {
        match result {
            Ok(()) if self.failing => tracing::info!("{} again", self.what),
            Err(error) if !self.failing => tracing::warn!(%error, "not {}; trying on", self.what),
            _ => {}
        }
        self.failing = result.is_err();
    }
}
