//! What the tests stand on: real servers, started for the test and ended with it.

pub mod clock;
pub mod cluster;
pub mod compose;
pub mod docker;
pub mod http;
pub mod redis;
pub mod replica;
pub mod sentinel;
pub mod tls;
pub mod wire;

use std::time::{Duration, Instant};

/// Waits until `look` gives something, and fails with `what` when it does not in `patience`.
pub async fn eventually<T>(what: &str, patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
