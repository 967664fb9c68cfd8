//! A summary that another tool wrote.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// In memory where there is such a folder, to spare the disk.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder")
});

fuzz_target!(|bytes: &[u8]| books::fuzzing::summary(FOLDER.path(), bytes));
