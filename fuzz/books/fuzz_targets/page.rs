//! A page of a list.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| books::fuzzing::list_page(bytes));
