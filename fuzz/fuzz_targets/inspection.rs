//! What an engine tells of a container.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::provider::fuzz::inspection(data));
