//! Redis.

mod error;
mod registry;

pub use error::StoreError;
pub use registry::{Discovered, ObservationMark, Observed, ProbeReport, ProbeTask, ProviderLock, ProviderStatus};

/// One worker's way to Redis. Cheap to clone.
#[derive(Clone)]
pub struct Store {}
