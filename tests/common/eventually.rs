//! Waiting for what must become true.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// What `look` finds, as soon as it finds it. Panics when it has not within `patience`.
pub async fn eventually<T>(what: &str, patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
