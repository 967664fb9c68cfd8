//! What every fuzz target does: a file of any bytes is imported by the real import into a real library, and
//! whatever was recorded is read again, drawn and checked.

use std::path::PathBuf;
use std::sync::OnceLock;

use music::views::picture::Picture;
use music::library::query::{Shown, show};
use music::{Import, Library};
use run::{Cancel, Progress};
use tempfile::TempDir;

struct Home {
    library: Library,
    folder: PathBuf,
    _dir: TempDir,
}

/// What the import says of a file over which our own code has panicked.
const DEFECT: &str = "a defect worth reporting";

static HOME: OnceLock<Home> = OnceLock::new();

fn home() -> &'static Home {
    HOME.get_or_init(|| {
        // What panics in a decoder is caught, and is no news: `DEFECT` tells of all others.
        std::panic::set_hook(Box::new(|_| {}));
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        };
        let dir = tempfile::tempdir_in(parent).expect("a temporary folder");
        let folder = dir.path().to_owned();
        let library = Library::open(&folder.join(music::DATABASE), &folder).expect("a new library");
        Home {
            library,
            folder,
            _dir: dir,
        }
    })
}

/// Imports `bytes` as the only file of a library, under a name with `extension`.
///
/// # Panics
///
/// When the import cannot be run at all, or what it recorded makes no sense: that is what is looked for.
pub fn take_in(extension: &str, bytes: &[u8]) {
    let home = home();
    let name = format!("01 Fuzz.{extension}");
    std::fs::write(home.folder.join(&name), bytes).expect("a file in a temporary folder");
    let import = Import {
        folder: home.folder.clone(),
        jobs: 1,
        prune: true,
        dry_run: false,
        force: true,
    };
    music::import(
        &home.library,
        &import,
        &Cancel::new(),
        &Progress::new(1),
        &|event| {
            let told = format!("{event:?}");
            assert!(!told.contains(DEFECT), "{told}");
        },
    )
    .expect("a bad file is no reason to stop");
    check(&home.library, &name);
}

fn check(library: &Library, name: &str) {
    // What is no audio has no row.
    let Ok(Shown::File(file)) = show(library, name) else {
        return;
    };
    let length = file.seconds.unwrap_or(f64::MAX);
    let mut end = 0.0;
    for passage in &file.passages {
        assert!(
            passage.start_seconds >= end && passage.end_seconds > passage.start_seconds,
            "passages overlap or are empty"
        );
        end = passage.end_seconds;
        assert!(end <= length + 1e-3, "a passage ends after its file");
        let (lead_in, lead_out) = (passage.lead_in_seconds, passage.lead_out_seconds);
        for point in [lead_in, lead_out].into_iter().flatten() {
            assert!(
                (passage.start_seconds..=passage.end_seconds).contains(&point),
                "a lead point lies outside its passage"
            );
        }
    }
    if let Ok(picture) = Picture::of(library, name) {
        assert!(picture.svg().ends_with("</svg>\n"));
        assert!(!picture.text(76).is_empty());
    }
}

/// Gives every Ogg page its right checksum, so that what was changed in it is read.
pub fn mend_pages(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(4).position(|four| four == b"OggS") {
        at += found;
        let Some(length) = page_length(&bytes[at..]) else {
            return;
        };
        let page = &mut bytes[at..at + length];
        page[22..26].fill(0);
        let sum = page.iter().fold(0_u32, |sum, byte| {
            (0..8).fold(sum ^ (u32::from(*byte) << 24), |sum, _| {
                (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
            })
        });
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        at += length;
    }
}

/// The length of the page that begins here, if all of it is there.
fn page_length(bytes: &[u8]) -> Option<usize> {
    let segments = usize::from(*bytes.get(26)?);
    let table = bytes.get(27..27 + segments)?;
    let body: usize = table.iter().map(|length| usize::from(*length)).sum();
    let length = 27 + segments + body;
    (length <= bytes.len()).then_some(length)
}
