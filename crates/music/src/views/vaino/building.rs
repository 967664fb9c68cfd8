//! The folder in which a bundle grows, beside where it is to be.
//!
//! It goes with the process that makes it. One that was killed leaves it, and the next bundle that is written beside it
//! removes it: the folder is locked while it grows, so that one of a process that lives is told from it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::{Builder, TempDir};

/// What the names of such folders begin and end with.
const NAME: (&str, &str) = (".bundle.", ".part");

/// What is in a bundle. A folder with anything else is somebody else's, whatever it is called.
const PARTS: [&str; 2] = ["audio", "payload.json"];

/// A folder that is removed when this is dropped, unless it was kept.
pub(super) struct Building {
    /// None where folders cannot be locked, and then nobody finds one free.
    _lock: Option<File>,
    folder: TempDir,
}

impl Building {
    /// A new one within `parent`, from which what dead processes have left is removed.
    pub(super) fn within(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        loop {
            let folder = Builder::new()
                .prefix(NAME.0)
                .suffix(NAME.1)
                .tempdir_in(parent)?;
            let lock = File::open(folder.path()).ok();
            let lock = lock.filter(|lock| lock.try_lock().is_ok());
            // Whoever sweeps may have come in between.
            if folder.path().is_dir() {
                return Ok(Self {
                    _lock: lock,
                    folder,
                });
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the folder, which has another name now.
    pub(super) fn keep(self) {
        let _ = self.folder.keep();
    }
}

/// Removes bundles that nobody finishes any more. What cannot be removed stays.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_named = name.starts_with(NAME.0) && name.ends_with(NAME.1);
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_named || !is_folder || !holds_parts_alone(&entry.path()) {
            continue;
        }
        if let Ok(lock) = File::open(entry.path())
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn holds_parts_alone(folder: &Path) -> bool {
    let is_part = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| PARTS.iter().any(|part| entry.file_name() == *part))
    };
    fs::read_dir(folder).is_ok_and(|mut entries| entries.all(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_goes_and_what_others_have_stays() {
        let parent = tempfile::tempdir().unwrap();
        let living = Building::within(parent.path()).unwrap();
        let dead = parent.path().join(".bundle.dead.part");
        fs::create_dir_all(dead.join("audio")).unwrap();
        fs::write(dead.join("audio/song.flac"), "sound").unwrap();
        fs::write(dead.join("payload.json"), "{").unwrap();
        let foreign = parent.path().join(".bundle.mine.part");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("letter.txt"), "words").unwrap();
        let file = parent.path().join(".bundle.file.part");
        fs::write(&file, "words").unwrap();
        let next = Building::within(parent.path()).unwrap();
        assert_eq!(dead.exists(), cfg!(not(unix)));
        for kept in [living.path(), next.path(), &foreign, &file] {
            assert!(kept.exists(), "{}", kept.display());
        }
        let path = next.path().to_owned();
        next.keep();
        drop(living);
        assert!(path.exists());
    }
}
