//! Answers that go on: each counts as a request that waits, and ends when the replica does.

use std::sync::Arc;

use super::{Pool, PoolError, Shared};

/// An answer that goes on; until it is dropped it is one of the `long_polls`.
pub struct OpenStream {
    shared: Arc<Shared>,
}

impl Pool {
    /// Room for an answer that goes on.
    ///
    /// # Errors
    /// There is none, or the replica ends.
    pub fn open_stream(&self) -> Result<OpenStream, PoolError> {
        if self.is_ending() {
            return Err(PoolError::ShuttingDown);
        }
        let permit = self.shared.long_polls.try_acquire().map_err(|_| PoolError::TooManyWaiting)?;
        permit.forget();
        Ok(OpenStream { shared: self.shared.clone() })
    }
}

impl OpenStream {
    /// Resolves when the replica is to end.
    pub async fn ending(&self) {
        self.shared.shutdown.cancelled().await;
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.shared.long_polls.add_permits(1);
    }
}
