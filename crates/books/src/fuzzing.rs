//! What fuzz targets call: everything here reads bytes that others wrote, and checks what must hold whatever they are.
//!
//! A check that fails panics, which is how a fuzz target reports it.

use std::path::Path;

use crate::catalogue::pass::Pass;
use crate::collect::left_behind;
use crate::enrich::answer::read_answer;
use crate::page::read_page;
use crate::run::{RunConfig, SUMMARY, Stage, StageResult, record_stage};

/// A list page, whole and in pieces: pieces must not matter.
///
/// # Panics
///
/// When they do.
pub fn list_page(bytes: &[u8]) {
    struct Pieces<'a>(&'a [u8], usize);
    impl std::io::Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    let read = |size| {
        let mut books = Vec::new();
        let end = read_page(Pieces(bytes, size), Some("text/html"), |book| {
            assert!(!book.barcode.is_empty(), "a book without a barcode");
            books.push(book.clone());
            true
        });
        (books, format!("{end:?}"))
    };
    assert!(read(usize::MAX) == read(7), "pieces matter");
}

/// An answer about books: whatever it says, each book is known, unknown, left out or doubtful, and only one of these.
///
/// # Panics
///
/// When one is none of these, or more than one.
pub fn answer(bytes: &[u8]) {
    let asked = ["A1", "B2", "b2", "C3"].map(str::to_owned);
    for exact in [false, true] {
        let Ok(reading) = read_answer(bytes, None, &asked, exact) else {
            continue;
        };
        let found = reading.found.iter().map(|book| &book.barcode);
        let others = [&reading.unknown, &reading.silent, &reading.doubtful];
        let mut all: Vec<&String> = found.chain(others.into_iter().flatten()).collect();
        all.sort();
        let mut expected: Vec<&String> = asked.iter().collect();
        expected.sort();
        assert!(all == expected, "{all:?}");
    }
}

/// A journal in `folder` that a process left behind.
pub fn journal(folder: &Path, bytes: &[u8]) {
    let pass = Pass {
        id: 1,
        session_id: 5,
        ..Pass::default()
    };
    left_behind(folder, bytes, &pass);
}

/// The settings of a run: what is understood is written as it is read.
///
/// # Panics
///
/// When it is not.
pub fn run_config(folder: &Path, bytes: &[u8]) {
    let path = folder.join("run_config.json");
    std::fs::write(&path, bytes).expect("the folder of a fuzz target can be written to");
    let Ok(config) = RunConfig::read(&path) else {
        return;
    };
    let written = config.to_bytes();
    std::fs::write(&path, &written).expect("the folder of a fuzz target can be written to");
    let again = RunConfig::read(&path).expect("what was written is understood");
    assert!(again.to_bytes() == written, "settings changed on the way");
}

/// A summary that another tool wrote: a stage can be recorded in it, and it is understood afterwards.
///
/// # Panics
///
/// When it is not.
pub fn summary(folder: &Path, bytes: &[u8]) {
    let path = folder.join(SUMMARY);
    std::fs::write(&path, bytes).expect("the folder of a fuzz target can be written to");
    let config = serde_json::from_str(
        r#"{"run_name": "R", "library_directory": "X", "storage_config": {"type": "local"}}"#,
    );
    let config: RunConfig = config.expect("these settings are understood");
    let result = StageResult {
        started: jiff::Timestamp::UNIX_EPOCH,
        elapsed: std::time::Duration::ZERO,
        done: 1,
        skipped: 0,
        failed: 0,
        requested: 0,
        unconvertible: 0,
        completed: true,
        last_error: None,
        limit: None,
    };
    record_stage(folder, &config, Stage::Collect, &result).expect("a stage can be recorded");
    let text = std::fs::read(&path).expect("it was written");
    let after: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
    assert!(
        after["stages"]["collect"]["books_collected"] == 1,
        "{after}"
    );
    // What was set aside is of no more use here.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let _ = std::fs::remove_file(entry.path());
    }
}
