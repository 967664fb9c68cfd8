//! Room on the disk of the staging folder, asked for before anything is written.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What downloads have asked for and not used yet counts as used.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    /// The share of the disk that may be filled.
    share: f64,
    reserved: Mutex<u64>,
}

/// Room that is kept for one book until this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    disk: Arc<Disk>,
    bytes: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut reserved = self
            .disk
            .reserved
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *reserved = reserved.saturating_sub(self.bytes);
    }
}

/// Whether there is room.
#[derive(Debug)]
pub(super) enum Reserved {
    /// There is, and it is kept.
    Room(Room),
    /// There is none now.
    Full,
    /// There never will be.
    TooLarge,
}

impl Disk {
    pub(super) fn new(folder: &Path, share: f64) -> Arc<Self> {
        Arc::new(Self {
            folder: folder.to_owned(),
            share,
            reserved: Mutex::new(0),
        })
    }

    /// Asks for room for so many bytes.
    pub(super) fn reserve(self: &Arc<Self>, bytes: u64) -> Reserved {
        let Some((total, used)) = space(&self.folder) else {
            // A system that does not tell: the disk itself will say when it is full.
            return Reserved::Room(self.room(0));
        };
        let most = (total as f64 * self.share) as u64;
        if bytes > most {
            return Reserved::TooLarge;
        }
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if used.saturating_add(*reserved).saturating_add(bytes) > most {
            return Reserved::Full;
        }
        *reserved += bytes;
        drop(reserved);
        Reserved::Room(self.room(bytes))
    }

    fn room(self: &Arc<Self>, bytes: u64) -> Room {
        Room {
            disk: Arc::clone(self),
            bytes,
        }
    }
}

/// Bytes of the disk, and bytes that are used or kept for the system.
fn space(folder: &Path) -> Option<(u64, u64)> {
    let space = run::disk_space(folder)?;
    Some((space.total, space.total.saturating_sub(space.free)))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn room_that_is_promised_is_not_promised_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (total, used) = space(folder.path()).unwrap();
        let disk = Disk::new(folder.path(), 1.0);
        let half = (total - used) / 2 + (1 << 20);
        let first = disk.reserve(half);
        assert!(matches!(first, Reserved::Room(_)));
        assert!(matches!(disk.reserve(half), Reserved::Full));
        drop(first);
        assert!(matches!(disk.reserve(half), Reserved::Room(_)));
        assert!(matches!(disk.reserve(u64::MAX), Reserved::TooLarge));
        let full = Disk::new(folder.path(), 0.0);
        assert!(matches!(full.reserve(1), Reserved::TooLarge));
    }
}
