//! The broken files are all made, each as broken as it says.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use lofty::file::AudioFile;
use tempfile::TempDir;
use testkit::broken::{self, Broken, Expect};

fn all(folder: &TempDir) -> BTreeMap<String, Broken> {
    let made = broken::all(folder.path()).unwrap();
    let count = made.len();
    let named: BTreeMap<String, Broken> = made
        .into_iter()
        .map(|file| {
            (
                file.path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                file,
            )
        })
        .collect();
    assert_eq!(named.len(), count, "two have the same name");
    named
}

#[test]
fn everything_said_is_there_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let start = Instant::now();
    let made = all(&folder);
    assert!(start.elapsed().as_secs() < 5);
    assert!(made.len() > 90, "{}", made.len());
    let there = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(made.len(), there);
    for file in made.values() {
        assert!(
            file.path.symlink_metadata().is_ok(),
            "{}",
            file.path.display()
        );
        assert!(!file.why.is_empty());
    }
    // A second time, over the first.
    assert_eq!(broken::all(folder.path()).unwrap().len(), there);
}

#[test]
fn the_huge_tag_is_valid_and_the_other_is_not() {
    let folder = TempDir::new().unwrap();
    let made = all(&folder);
    let huge = &made["tag of 50 MB.mp3"];
    assert!(huge.path.metadata().unwrap().len() > 50_000_000);
    let read = lofty::read_from_path(&huge.path).unwrap();
    assert_eq!(read.properties().duration().as_secs(), 24);
    assert!(lofty::read_from_path(&made["only a tag header.mp3"].path).is_err());
}

#[test]
fn the_protected_file_is_so_in_one_word() {
    let folder = TempDir::new().unwrap();
    let made = all(&folder);
    let bytes = std::fs::read(&made["protected.m4a"].path).unwrap();
    assert_eq!(bytes.windows(4).filter(|word| word == b"drms").count(), 1);
}

#[cfg(unix)]
#[test]
fn special_files_are_special() {
    use std::os::unix::fs::FileTypeExt;
    let folder = TempDir::new().unwrap();
    let made = all(&folder);
    let kind = |name: &str| made[name].path.symlink_metadata().unwrap().file_type();
    assert!(kind("pipe.mp3").is_fifo());
    assert!(kind("socket.flac").is_socket());
    assert!(kind("dangling.mp3").is_symlink() && !made["dangling.mp3"].path.exists());
    assert!(made["loop one.mp3"].path.metadata().is_err());
    assert!(kind("x.mp3").is_dir());
    #[cfg(target_os = "linux")]
    assert!(
        made.values().any(|file| file.path.to_str().is_none()),
        "a name that is not UTF-8"
    );
    let unreadable = &made["unreadable.mp3"];
    let readable = std::fs::File::open(&unreadable.path).is_ok();
    assert_eq!(
        unreadable.expect == Expect::Sound,
        readable,
        "{}",
        unreadable.why
    );
}
