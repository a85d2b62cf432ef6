//! Leasehold lends pre-warmed containers to sessions.
//!
//! The map of the crate, from the outside in; what stands higher may use what stands lower, never the reverse:
//!
//! - [`app`] wires the parts of a replica together, supervises them and ends them.
//! - [`cli`] is the command line; its client commands speak HTTP only, through [`client`].
//! - [`api`] is the HTTP API: one file for each resource.
//! - [`advise`] is the mathematics of how large a pool should be: no I/O. It asks what [`scale`] decides.
//! - [`events`] tells what happens: to those who follow it, and to webhooks; it keeps the history.
//! - [`pool`] is what the service promises: sessions and the line.
//! - [`discovery`] keeps the registry in step with the [`provider`]s; [`health`] probes containers;
//!   [`recycle`] makes them clean between two sessions; [`scale`] makes pools follow demand.
//! - [`store`] is Redis: keys, scripts, connections. Nothing else names it.
//! - [`webhook`] posts signed messages.
//! - [`bridge`] carries desktops to their viewers.
//! - [`rfb`] is the little of the VNC protocol that probes, the bridge and the [`demo`] target share.
//! - `retry_after` reads the header of that name, for [`client`] and [`webhook`].
//! - [`model`] is the words as types, [`config`] the settings, [`metrics`] and [`telemetry`] what is told of a replica.

pub mod advise;
pub mod api;
pub mod app;
pub mod bridge;
pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod discovery;
pub mod events;
pub mod health;
pub mod metrics;
pub mod model;
pub mod pool;
pub mod provider;
pub mod recycle;
pub(crate) mod retry_after;
pub mod rfb;
pub mod scale;
pub mod store;
pub mod telemetry;
pub mod webhook;
