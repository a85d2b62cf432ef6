//! Lease tokens.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::model::fuzz::lease_tokens(data));
