//! The HTTP API: one file for each resource.

mod auth;
mod containers;
mod extract;
mod guide;
mod openapi;
mod operation;
mod paths;
mod problem;
mod server;
mod sessions;
mod span;

use std::sync::Arc;

pub use auth::{Keys, KeysError};
pub use containers::{ContainerList, PoolStatus, ProviderState, Refreshed};
pub use guide::{GuideAllocated, GuideReleased};
pub use openapi::document;
pub use operation::{Health, Readiness};
pub use problem::Problem;
pub use server::{Bound, bind};
pub use sessions::{
    CreateBody, HeartbeatBody, HeartbeatResult, HeartbeatsBody, HeartbeatsResult, OneHeartbeat, Shortage,
};

use crate::{config::Config, metrics::Metrics, pool::Pool};

/// What handlers of one worker work with.
struct State {
    pool: Pool,
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    keys: Arc<Keys>,
}
