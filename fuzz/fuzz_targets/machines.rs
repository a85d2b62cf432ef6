//! What an API server tells of a virtual machine.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::provider::fuzz::machine(data));
