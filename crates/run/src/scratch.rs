//! Folders for what is needed only while a process lives, and what killed processes have left of them.

use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;

use crate::native_path::canonical_path;

/// What their names begin with.
const PREFIX: &str = "accession-scratch-";

/// Locked for as long as its folder is in use. A folder without it is somebody else's, whatever it is called.
const IN_USE: &str = "accession-in-use";

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
    // A process that was about to lock it makes another one.
    File::open(entry.path().join(IN_USE)).is_ok_and(|lock| lock.try_lock().is_ok())
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
        let (dead, begun) = ("accession-scratch-dead", "accession-scratch-begun");
        // A library that somebody keeps among temporary files.
        let (kept, other) = ("accession-music", "other");
        for name in [dead, begun, kept, other] {
            fs::create_dir_all(temporary.path().join(name).join("files")).unwrap();
        }
        for name in [dead, other] {
            fs::write(temporary.path().join(name).join(IN_USE), "").unwrap();
        }
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        for name in [begun, kept] {
            // Not every system lets the time of a folder be set.
            let folder = File::open(temporary.path().join(name));
            let _ = folder.map(|folder| folder.set_modified(long_ago));
        }
        sweep(temporary.path());
        assert!(used.path().join("object").exists());
        let is_there = |name: &str| temporary.path().join(name).exists();
        assert!(!is_there(dead));
        assert!([begun, kept, other].into_iter().all(is_there));
        drop(used);
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 3);
    }
}
