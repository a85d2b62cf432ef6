//! Cursors of event streams.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::events::fuzz::event_cursors(data));
