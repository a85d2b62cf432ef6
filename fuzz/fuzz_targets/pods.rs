//! What an API server tells of a pod.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::provider::fuzz::pod(data));
