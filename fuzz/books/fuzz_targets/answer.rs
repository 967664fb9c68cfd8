//! An answer about some books.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| books::fuzzing::answer(bytes));
