//! A folder within the staging folder for each process that works on a run, and the lock that says that it is taken.
//!
//! The lock is a file beside the folder. Both go when nothing is left in the folder, by the process itself or by another
//! one after it died. Whoever removes a lock holds it, and whoever takes one looks whether it is still the file of that
//! name, so that no two processes have the same folder.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// What the names of folders and locks begin with; a number follows.
const NAME: &str = "worker-";

/// A folder that no other process uses until this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    folder: PathBuf,
    _lock: File,
}

impl Slot {
    /// The first one that is free, so that a process that is started again after another one died finds what that one has
    /// downloaded.
    pub(super) fn take(staging: &Path) -> Result<Self, Error> {
        let mut number = 1_u32;
        loop {
            let folder = staging.join(format!("{NAME}{number}"));
            let path = folder.with_extension("lock");
            let lock = File::options().create(true).append(true).open(&path);
            let lock = lock.map_err(Error::file("open", &path))?;
            match lock.try_lock() {
                Ok(()) if !is_at(&lock, &path) => {}
                Ok(()) => {
                    std::fs::create_dir_all(&folder).map_err(Error::file("make", &folder))?;
                    return Ok(Self {
                        folder,
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) => number += 1,
                Err(TryLockError::Error(error)) => return Err(Error::file("lock", &path)(error)),
            }
        }
    }

    /// Those of processes that are gone.
    pub(super) fn of_the_dead(staging: &Path) -> impl Iterator<Item = Self> {
        let entries = std::fs::read_dir(staging).into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix(NAME)?.strip_suffix(".lock")?;
            number.parse::<u32>().ok()?;
            let path = entry.path();
            let lock = File::options().write(true).open(&path).ok()?;
            let is_free = lock.try_lock().is_ok() && is_at(&lock, &path);
            is_free.then(|| Self {
                folder: path.with_extension(""),
                _lock: lock,
            })
        })
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the folder and its lock, unless something is left in the folder.
    pub(super) fn clear_away(&self) -> bool {
        let is_gone = match std::fs::remove_dir(&self.folder) {
            Ok(()) => true,
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if is_gone && cfg!(unix) {
            let _ = std::fs::remove_file(self.folder.with_extension("lock"));
        }
        is_gone
    }
}

/// Whether a file is still the one of this name. Where that cannot be told, no lock is removed.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let both = file.metadata().and_then(|one| Ok((one, path.metadata()?)));
    both.is_ok_and(|(one, other)| (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_locks_of_the_dead_go_and_those_of_the_living_stay() {
        let staging = tempfile::tempdir().unwrap();
        let staging = staging.path();
        let [living, dead, full] = [(); 3].map(|()| Slot::take(staging).unwrap());
        std::fs::write(full.folder().join("book.tar.gz"), "").unwrap();
        drop((dead, full));
        let cleared = Slot::of_the_dead(staging).map(|slot| slot.clear_away());
        let mut cleared: Vec<bool> = cleared.collect();
        cleared.sort_unstable();
        assert_eq!(cleared, [false, true]);
        let names = || {
            let entries = std::fs::read_dir(staging).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort_unstable();
            names
        };
        if cfg!(unix) {
            assert_eq!(
                names(),
                ["worker-1", "worker-1.lock", "worker-3", "worker-3.lock"]
            );
        }
        assert!(living.clear_away());
        // Whoever has opened the lock of a folder that was removed meanwhile takes another one.
        let next = Slot::take(staging).unwrap();
        assert!(next.folder().ends_with("worker-1"));
        assert!(next.folder().is_dir());
    }
}
