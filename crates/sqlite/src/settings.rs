//! What connections and the writer know of how a database was opened.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;
use crate::home::Home;

/// When a commit reaches the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// At the next checkpoint: a power cut may lose the last commits and never damages the file.
    #[default]
    Normal,
    /// Before the commit is acknowledged: for work that is dear to repeat.
    Full,
}

/// Sizes that trade memory and disk for speed.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Page cache of each connection in KiB.
    pub cache_kib: u32,
    /// Bytes of the file read through a memory map. 0 by default: with a map, a failing disk or a removed stick is a
    /// signal that kills the process, and not an error.
    pub mmap_bytes: u64,
    /// Page size in bytes, for files that are created.
    pub page_size: u32,
    /// The WAL is cut back to this many bytes when it starts over.
    pub wal_limit_bytes: u64,
    /// After this many pages in the WAL, the writer copies them to the file. More make bulk writing faster, since a page
    /// that changes often is copied less often, and make the pause of a copy longer: tens of milliseconds per 1,000.
    /// After a copy the WAL starts over, and the transaction that starts it waits for the disk once.
    pub checkpoint_pages: u32,
    /// The file never grows beyond this many pages, [`Error::DiskFull`] comes first; 0 for SQLite's own limit.
    pub max_pages: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            cache_kib: 16 * 1024,
            mmap_bytes: 0,
            page_size: 4096,
            wal_limit_bytes: 64 * 1024 * 1024,
            checkpoint_pages: 4000,
            max_pages: 0,
        }
    }
}

/// What connections and the writer need to know for as long as the database is open.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) path: PathBuf,
    pub(crate) synchronous: Synchronous,
    pub(crate) max_lock_wait: Duration,
    pub(crate) max_blocked: Duration,
    pub(crate) application_id: Option<i32>,
    pub(crate) private: bool,
    /// The file that was opened for writing.
    pub(crate) home: Option<Home>,
    pub(crate) busy_timeout: Duration,
    pub(crate) group_limit: Duration,
    pub(crate) copies_aside: bool,
    pub(crate) readers: usize,
    pub(crate) tuning: Tuning,
}

impl Settings {
    /// Fails if the file that was opened for writing is no longer at its path.
    pub(crate) fn check_home(&self) -> Result<(), Error> {
        self.home.as_ref().map_or(Ok(()), Home::check)
    }
}
