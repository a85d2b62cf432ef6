//! The words of the system as types: validated names, records and outcomes. No I/O.

mod audit;
mod container;
mod event;
mod explain;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod history;
mod insight;
mod lease_token;
mod name;
mod pass;
mod session;
mod settings;
mod share;
mod webhook;

pub use audit::{Fault, Finding};
pub use container::{
    About, Container, Drain, Endpoint, EngineHealth, EngineState, Health, HealthStatus, Keep, Observation, PoolState,
    Quarantine, Recovery, Reset, ResetState, TypeStatus,
};
pub use event::{Event, NoPosition, Position, RESYNC};
pub use explain::{Explanation, NamedContainer, OutReason, Reason};
pub use history::{Hour, HourCounts, PastSession, Sizes, TypeHistory};
pub use insight::{ContainerStats, LogLine, LogStream};
pub use lease_token::{LeaseProof, LeaseTokenError, LeaseTokens};
pub use name::{Caller, ContainerId, InvalidName, OwnerName, ProviderName, Role, TargetType, WebhookName};
pub use pass::{BadPass, Pass, ViewerPass, viewer_hash};
pub use session::{Activity, EndReason, FencingToken, Lease, Session, SessionId, SessionState, Ticket, Warning};
pub use settings::{Changes, ScaleTerms, ScaleTime, Setting, TypeInfo, TypeScale, TypeSettings};
pub use share::Share;
pub use webhook::{DeadLetter, DeadLetters, DeliveryStatus, Replayed, WebhookStatus};
