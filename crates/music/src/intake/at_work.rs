//! Whether another import of the same library is at work: both would hear the files that neither has recorded yet.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// What is appended to the database's name for the file that an import locks.
const LOCK: &str = "-import.lock";

/// That an import is at work, until this is dropped.
#[derive(Debug)]
pub(super) struct AtWork {
    path: PathBuf,
    /// Locked as long as it is open.
    _file: File,
}

impl AtWork {
    /// Tells others from now on. `None` where another import does so already.
    ///
    /// What cannot be locked (media that cannot be written, a file system without locks) is not told, and stops nothing.
    pub(super) fn begin(database: &Path) -> Result<Option<Self>, ()> {
        let mut path = database.as_os_str().to_owned();
        path.push(LOCK);
        let path = PathBuf::from(path);
        // A FIFO would be waited for.
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(());
        }
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let file = options.open(&path).map_err(|_| ())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { path, _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(_)) => {
                let _ = std::fs::remove_file(&path);
                Err(())
            }
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        // Whoever opened it meanwhile has lost nothing but that it is told of.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("wkmp.db");
        let first = AtWork::begin(&database).unwrap();
        assert!(first.is_some());
        assert!(AtWork::begin(&database).unwrap().is_none());
        drop(first);
        assert!(AtWork::begin(&database).unwrap().is_some());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(AtWork::begin(Path::new("/nonexistent/wkmp.db")).is_err());
    }
}
