//! What the tests stand on: real servers, started for the test and ended with it.

pub mod docker;
pub mod eventually;
pub mod http;
pub mod redis;
pub mod replica;
pub mod wire;
