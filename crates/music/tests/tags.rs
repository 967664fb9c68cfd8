//! Files that once broke a reader, whatever it was that they broke.

use std::path::Path;

/// What fuzzing has found; see `script/fuzz`.
#[test]
fn what_once_broke_a_decoder_does_not_break_the_reader_of_tags() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../audio/tests/found");
    let mut seen = 0;
    for entry in std::fs::read_dir(found).unwrap() {
        let path = entry.unwrap().path();
        let read = std::panic::catch_unwind(|| music::intake::tags::read(&path));
        assert!(read.is_ok(), "{}", path.display());
        seen += 1;
    }
    assert!(seen > 0);
}
