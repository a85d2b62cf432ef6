//! What a desktop and a viewer say at the beginning.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::bridge::fuzz::handshake(data));
