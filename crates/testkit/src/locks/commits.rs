//! The commit counter in the header of the WAL index.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::companion;

/// Counts the committed write transactions of one database, by any connection of any process.
///
/// SQLite raises `iChange` in the `-shm` file with every commit that wrote at least one page, and a restart of the WAL
/// leaves it alone, so two looks at it give the exact number of commits between them, however many and however fast.
/// The counter holds a connection without a transaction: it takes no lock that anybody waits for, and keeps the
/// `-shm` file from being made anew when the last other process closes the database or is killed.
///
/// Not counted: transactions that changed nothing or rolled back (they took the lock all the same: see
/// [`super::strace`]), and anything while the database is not in WAL mode or in `locking_mode = EXCLUSIVE`.
/// Being there has one effect: the last other process to close the database leaves its `-wal` file behind.
#[derive(Debug)]
pub struct CommitCounter {
    /// Never used, but it must live; the mutex lets threads share the counter.
    _connection: Mutex<Connection>,
    key: String,
    start: u32,
}

/// The `-shm` files that were opened, never closed again.
///
/// Closing any handle of a file drops all POSIX locks that the process has on it, so closing ours could release the
/// write lock of a connection under test in this same process.
static INDEXES: Mutex<BTreeMap<String, File>> = Mutex::new(BTreeMap::new());

impl CommitCounter {
    /// Begins to count at this moment; the database must exist and be in WAL mode.
    pub fn attach(database: &Path) -> io::Result<Self> {
        let mut counter = Self::open(database)?;
        counter.start = counter.reading()?;
        Ok(counter)
    }

    /// Waits until a program has made the database, and counts from the moment at which it entered WAL mode.
    ///
    /// Exact although it comes late, because the counter in the file began at zero; fails after `patience`, or with
    /// too small a number when the database was closed and opened again by then.
    pub fn attach_when_made(database: &Path, patience: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + patience;
        // Not to be opened before it is in WAL mode: a reader could be in the way of the change to it.
        let shm = companion(database, "-shm");
        loop {
            let attached = if shm.exists() {
                Self::open(database)
            } else {
                Err(io::ErrorKind::NotFound.into())
            };
            match attached {
                Ok(counter) => return Ok(counter),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => sleep(Duration::from_millis(1)),
            }
        }
    }

    fn open(database: &Path) -> io::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(database, flags).map_err(io::Error::other)?;
        connection
            .busy_timeout(Duration::from_secs(10))
            .map_err(io::Error::other)?;
        let mode: String = connection
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .map_err(io::Error::other)?;
        if mode != "wal" {
            return Err(io::Error::other(format!(
                "the journal mode is `{mode}`, not `wal`"
            )));
        }
        // The first read maps the -shm file and takes the lock that keeps it alive.
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(io::Error::other)?;
        let shm = companion(database, "-shm");
        let key = identity(&shm)?;
        let mut indexes = INDEXES.lock().unwrap_or_else(PoisonError::into_inner);
        if !indexes.contains_key(&key) {
            indexes.insert(key.clone(), File::open(&shm)?);
        }
        Ok(Self {
            _connection: Mutex::new(connection),
            key,
            start: 0,
        })
    }

    /// Returns the number of commits since the start.
    ///
    /// Fails when SQLite had to build the index anew, which sets it back to zero: when a writer was killed between two
    /// instructions, while the header was half written.
    pub fn commits(&self) -> io::Result<u64> {
        let passed = self.reading()?.wrapping_sub(self.start);
        if passed > u32::MAX / 2 {
            return Err(io::Error::other(
                "the index was built anew, and the count with it",
            ));
        }
        Ok(u64::from(passed))
    }

    /// Returns `iChange`, from a moment at which both copies of the header agree.
    fn reading(&self) -> io::Result<u32> {
        let mut indexes = INDEXES.lock().unwrap_or_else(PoisonError::into_inner);
        let file = indexes
            .get_mut(&self.key)
            .ok_or_else(|| io::Error::other("the -shm file was never opened"))?;
        loop {
            let mut header = [0; 96];
            file.rewind()?;
            file.read_exact(&mut header)?;
            let (first, second) = header.split_at(48);
            if first == second {
                return Ok(u32::from_ne_bytes([
                    first[8], first[9], first[10], first[11],
                ]));
            }
            std::thread::yield_now();
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<String> {
    use std::os::unix::fs::MetadataExt;
    let facts = path.metadata()?;
    Ok(format!("{}:{}", facts.dev(), facts.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<String> {
    Ok(path.canonicalize()?.display().to_string())
}
