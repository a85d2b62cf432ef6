//! The signals that ask this process to end.

use std::{fs, io};

use futures_util::future::select_all;
use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind, signal};

/// SIGTERM, and those of SIGINT and SIGHUP that this process was not started to ignore: `nohup` and shells that put it
/// in the background have a reason.
pub(super) struct Signals {
    each: Vec<(Signal, unix::Signal)>,
}

impl Signals {
    /// Hears them from now on, instead of being ended by them.
    pub(super) fn hear() -> io::Result<Self> {
        let ignored = ignored();
        let each = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]
            .into_iter()
            .filter(|which| *which == Signal::SIGTERM || ignored >> (*which as i32 - 1) & 1 == 0)
            .map(|which| Ok((which, signal(SignalKind::from_raw(which as i32))?)))
            .collect::<io::Result<_>>()?;
        Ok(Self { each })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        let waits = self.each.iter_mut().map(|(which, signal)| {
            Box::pin(async move {
                signal.recv().await;
                *which
            })
        });
        select_all(waits).await.0
    }
}

/// The signals that this process ignores, signal 1 in the lowest bit; none where the system does not tell, as Linux does.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
