//! The words of the system as types: validated names, records and outcomes. No I/O.

mod container;
mod event;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod lease_token;
mod name;
mod session;

pub use container::{
    About, Container, Endpoint, EngineHealth, EngineState, Health, HealthStatus, Observation, PoolState, Recovery,
    TypeStatus,
};
pub use event::{Event, NoPosition, Position, RESYNC};
pub use lease_token::{LeaseProof, LeaseTokenError, LeaseTokens};
pub use name::{Caller, ContainerId, InvalidName, OwnerName, ProviderName, Role, TargetType, WebhookName};
pub use session::{EndReason, FencingToken, Lease, Session, SessionId, SessionState, Ticket};
