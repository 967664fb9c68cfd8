//! The predecessor's way to the database: a connection per worker, and trying again when it is locked.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use crate::lock::meter::{Counts, Meter};

/// How long SQLite itself waits for the lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// No further attempt after this long.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A connection of its own.
pub(crate) struct Worker {
    connection: Connection,
    meter: Meter,
}

impl Worker {
    pub(crate) fn open(database: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(database, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // As large as the write engine's, so that no design is slow for want of memory.
        connection.pragma_update(None, "cache_size", -16 * 1024)?;
        connection.set_prepared_statement_cache_capacity(128);
        let meter = Meter::attach(&mut connection, BUSY_TIMEOUT)?;
        Ok(Self { connection, meter })
    }

    /// Runs `operation` until it succeeds, fails for another reason, or has been locked out for too long.
    pub(crate) fn retrying<T>(
        &self,
        mut operation: impl FnMut(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match operation(&self.connection) {
                Err(error) if is_locked(&error) => {
                    self.meter.busy_error();
                    if started.elapsed() >= MAX_LOCK_WAIT {
                        return Err(error);
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                result => return result,
            }
        }
    }

    /// Runs `operation` in a transaction, which takes the lock at its first write.
    pub(crate) fn transaction<T>(
        &self,
        operation: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.retrying(|connection| {
            connection.execute_batch("BEGIN")?;
            let result = operation(connection).and_then(|value| {
                connection.execute_batch("COMMIT")?;
                Ok(value)
            });
            if result.is_err() && !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK")?;
            }
            result
        })
    }

    /// Runs one statement in a transaction of its own.
    pub(crate) fn execute(&self, sql: &str, params: &[&dyn ToSql]) -> rusqlite::Result<()> {
        self.retrying(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute(params).map(drop)
        })
    }

    pub(crate) fn counts(&self) -> Counts {
        self.meter.counts()
    }
}

pub(crate) fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
