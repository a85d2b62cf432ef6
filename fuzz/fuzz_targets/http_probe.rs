//! What a target says to a probe by HTTP.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::health::fuzz::http(data));
