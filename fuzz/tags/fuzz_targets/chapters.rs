//! The chapters of a file of any bytes: in its tags, in FLAC's own sheet, in MP4.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let (path, Some(written)) = fuzz_tags::tags(bytes) {
        fuzz_tags::marks(&path, &written);
    }
});
