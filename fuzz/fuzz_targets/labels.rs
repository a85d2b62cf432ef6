//! Labels of containers.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::provider::fuzz::labels(data));
