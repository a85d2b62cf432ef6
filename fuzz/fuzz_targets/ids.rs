//! Paths, queries and session ids.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::api::fuzz::ids(data));
