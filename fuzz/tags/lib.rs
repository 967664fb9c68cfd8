//! What the fuzz targets for tags, cue sheets and chapters share: a folder in memory, and the looks at what was read.

use std::path::PathBuf;
use std::sync::LazyLock;

use audio::decode::Decoders;
use audio::marks::{Beside, Found, Known};
use audio::tags::{Neighbours, Written};
use tempfile::TempDir;

/// In memory where there is such a folder, to spare the disk.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder")
});

/// Writes a file of the folder.
///
/// # Panics
///
/// When the folder cannot be written to.
pub fn put(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("a file in a temporary folder");
    path
}

/// Reads the tags of a file of these bytes.
///
/// # Panics
///
/// When what was read makes no sense.
pub fn tags(bytes: &[u8]) -> (PathBuf, Option<Written>) {
    let path = put("rip", bytes);
    // Only what is read here: no other program is asked.
    let read = audio::tags::read(&path, &Neighbours::default(), &Decoders::default());
    if let Ok(written) = &read {
        assert!(written.digest().len() == 16);
        for text in [&written.tags.title, &written.tags.artist, &written.tags.album].into_iter().flatten() {
            assert!(!text.contains(char::is_control), "`{text:?}` is no line");
        }
    }
    (path, read.ok())
}

/// Finds the marks of a file of 500 s, and looks at them.
///
/// # Panics
///
/// When they are out of order or no times.
pub fn marks(path: &std::path::Path, written: &Written) -> Found {
    let known = Known {
        seconds: 500.0,
        title: written.tags.title.as_deref(),
        track: written.tags.track,
        track_total: written.tags.track_total,
    };
    let found = audio::marks::find(path, written, &Beside::of(path), &known);
    let tracks = found.marks.iter().flat_map(|marks| &marks.tracks);
    let starts: Vec<f64> = tracks.map(|mark| mark.start).collect();
    assert!(starts.iter().all(|start| start.is_finite() && *start >= 0.0), "{starts:?}");
    assert!(starts.is_sorted(), "{starts:?}");
    found
}
