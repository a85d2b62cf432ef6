//! What clients, web pages and whoever reads the logs must not be able to do.

mod cors;
mod exhaustion;
mod secrets;
mod tls;
