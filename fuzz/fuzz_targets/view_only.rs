//! What a viewer says that may only watch.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::bridge::fuzz::view_only(data));
