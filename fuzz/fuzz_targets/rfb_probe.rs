//! What a target says to a probe by RFB.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::health::fuzz::rfb(data));
