//! A cue sheet of any bytes beside a file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    fuzz_tags::put("rip.cue", bytes);
    let path = fuzz_tags::put("rip.wav", b"");
    fuzz_tags::marks(&path, &audio::tags::Written::default());
});
