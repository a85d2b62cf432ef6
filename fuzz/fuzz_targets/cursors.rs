//! Cursors of pages.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| leasehold::pool::fuzz::cursors(data));
