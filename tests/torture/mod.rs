//! The torture: replicas, clients and containers of one run, what is done to them meanwhile, and whether the promises held.

mod call;
pub mod check;
mod client;
mod door;
mod events;
mod farm;
pub mod history;
mod nemesis;
mod network;
mod operator;
pub mod plan;
pub mod report;
mod rogue;
pub mod run;
mod servers;
mod target;
mod world;
