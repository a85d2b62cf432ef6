//! What clients, web pages and whoever reads the logs must not be able to do.

mod cors;
mod secrets;
mod tls;
