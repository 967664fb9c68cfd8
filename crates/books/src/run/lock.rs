//! One session at a time works on a run, whichever tool it belongs to.

use std::fs::{self, File};

use crate::error::Error;
use crate::run::Run;

/// The name of the file that is locked while a command works on the run.
pub(crate) const LOCK: &str = "session.lock";

/// Keeps other sessions out of a run until it is dropped.
#[derive(Debug)]
pub struct SessionLock {
    _file: File,
}

impl Run {
    /// Keeps sessions out that want the run to themselves, and lets others in that can share it: those of a run on a
    /// server.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    pub(crate) fn lock_with_others(&self) -> Result<SessionLock, Error> {
        self.locked(File::try_lock_shared)
    }

    /// Keeps other sessions out, those of other tools too.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another session holds the lock, [`Error::File`] if the lock cannot be taken at all.
    pub fn lock(&self) -> Result<SessionLock, Error> {
        self.locked(File::try_lock)
    }

    fn locked(
        &self,
        lock: impl FnOnce(&File) -> Result<(), fs::TryLockError>,
    ) -> Result<SessionLock, Error> {
        let path = self.directory().join(LOCK);
        // Windows locks no file that is open for appending alone.
        let file = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(Error::file("open", &path))?;
        match lock(&file) {
            Ok(()) => Ok(SessionLock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::Busy {
                run: self.config().run_name.clone(),
            }),
            Err(fs::TryLockError::Error(error)) => Err(Error::file("lock", &path)(error)),
        }
    }
}
