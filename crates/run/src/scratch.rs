//! Folders for what is needed only while a process lives, and what killed processes have left of them.

use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use crate::native_path::canonical_path;

/// What their names begin with.
const PREFIX: &str = "accession-";

/// Locked for as long as its folder is in use.
const IN_USE: &str = "in-use";

/// After this time, a folder that nobody has ever locked is nobody's: it was made by a version that locked none.
const ABANDONED: Duration = Duration::from_hours(24);

/// A folder below that of the system for temporary files. It goes when this is dropped; where the process is killed, the
/// next one that makes such a folder removes it.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    /// Dropped, and with it removed, after the lock on what is in it.
    _lock: File,
    _folder: tempfile::TempDir,
}

impl Scratch {
    /// A new folder, without a link in its path.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new() -> io::Result<Self> {
        static SWEPT: Once = Once::new();
        let temporary = canonical_path(&std::env::temp_dir())?;
        SWEPT.call_once(|| sweep(&temporary));
        Self::within(&temporary)
    }

    fn within(temporary: &Path) -> io::Result<Self> {
        loop {
            let folder = tempfile::Builder::new()
                .prefix(PREFIX)
                .tempdir_in(temporary)?;
            let lock = File::create_new(folder.path().join(IN_USE))?;
            // Where there are no locks, none is found free either, and nothing is swept.
            let _ = lock.lock();
            // Whoever sweeps may have come in between.
            if !folder.path().join(IN_USE).exists() {
                continue;
            }
            let path = folder.path().join("files");
            fs::create_dir(&path)?;
            return Ok(Self {
                path,
                _lock: lock,
                _folder: folder,
            });
        }
    }

    /// Where files can be put.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes what dead processes of this user have left. What cannot be removed stays.
fn sweep(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else {
        return;
    };
    for entry in entries.flatten() {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PREFIX.as_bytes())
            && is_left(&entry)
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_left(entry: &DirEntry) -> bool {
    // Of a link, this is the link's.
    let Ok(about) = entry.metadata() else {
        return false;
    };
    if !about.is_dir() || !is_ours(&about) {
        return false;
    }
    if let Ok(lock) = File::open(entry.path().join(IN_USE)) {
        // A process that was about to lock it makes another one.
        return lock.try_lock().is_ok();
    }
    let changed = about.modified().ok().and_then(|time| time.elapsed().ok());
    changed.is_some_and(|age| age > ABANDONED)
}

#[cfg(unix)]
fn is_ours(about: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(about) == rustix::process::geteuid().as_raw()
}

/// The folder for temporary files is each user's own.
#[cfg(not(unix))]
fn is_ours(_: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_uses_is_swept() {
        let temporary = tempfile::tempdir().unwrap();
        let used = Scratch::within(temporary.path()).unwrap();
        fs::write(used.path().join("object"), "x").unwrap();
        for name in ["accession-dead", "accession-begun", "other"] {
            fs::create_dir_all(temporary.path().join(name).join("files")).unwrap();
        }
        for name in ["accession-dead", "other"] {
            fs::write(temporary.path().join(name).join(IN_USE), "").unwrap();
        }
        sweep(temporary.path());
        assert!(used.path().join("object").exists());
        let is_there = |name: &str| temporary.path().join(name).exists();
        assert!(!is_there("accession-dead"));
        // It has no lock yet.
        assert!(is_there("accession-begun") && is_there("other"));
        drop(used);
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 2);
    }
}
