//! Tests of the torture, and the torture as a test.

mod planted;
mod short;
