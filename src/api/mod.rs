//! The HTTP API: one file for each resource.

mod answers;
mod audit;
mod auth;
mod browser;
mod containers;
mod cors;
mod dashboard;
mod events;
mod explain;
mod extract;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod guide;
mod history;
mod insight;
mod me;
mod methods;
mod openapi;
mod operation;
mod operator;
mod paths;
mod problem;
mod rate;
mod recovery;
mod server;
mod sessions;
mod span;
mod stream;
mod tls;
mod types;
mod viewers;
mod webhooks;

use std::sync::Arc;

pub use audit::{AuditBody, AuditResult};
pub use auth::{Keys, KeysError};
pub use containers::{ContainerList, PoolStatus, ProviderState, Refreshed};
pub use guide::{GuideAllocated, GuideReleased};
pub use me::Me;
pub use openapi::document;
pub use operation::{Liveness, Readiness};
pub use operator::{DrainBody, RestartBody};
pub use problem::Problem;
pub use server::{Bound, Services, bind};
pub use sessions::{
    CreateBody, HeartbeatBody, HeartbeatResult, HeartbeatsBody, HeartbeatsResult, OneHeartbeat, Shortage,
};
pub use tls::{Certificate, TlsError};
pub use types::TypeBody;
pub use viewers::PassBody;

use crate::{config::Config, events::Events, metrics::Metrics, pool::Pool, provider::Provider};

/// What handlers of one worker work with.
struct State {
    pool: Pool,
    events: Events,
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    keys: Arc<Keys>,
    providers: Arc<[Arc<dyn Provider>]>,
}
