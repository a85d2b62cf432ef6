//! URLs with passwords, as they are shown.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::config::fuzz::urls(data));
