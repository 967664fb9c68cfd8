//! A copy takes the place of a database, or of one that is damaged or lost.
//!
//! The copy is brought beside its place and read whole before anything is touched, and what was there is moved aside
//! and never removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::backup::find_damage;
use crate::connect;
use crate::create::{self, COMPANIONS, Temporary};
use crate::error::Error;
use crate::foreign::{copy_still, settle, with_end};

/// How long another process may hold the database before it counts as in use. A guess: longer than any transaction of
/// this engine, shorter than a person waits.
const PATIENCE: Duration = Duration::from_secs(3);

/// A sound copy that waits beside the place where it is wanted.
#[derive(Debug)]
pub struct Restore {
    copy: Temporary,
    database: PathBuf,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Where the database that was there has gone, if one was there.
    pub moved_to: Option<PathBuf>,
    /// Whether that one was damaged.
    pub was_damaged: bool,
}

impl Restore {
    /// Brings a copy of `backup` beside `database` and reads it whole; `database` is not touched.
    ///
    /// A damaged backup is [`Error::Corrupt`].
    pub fn prepare(backup: &Path, database: &Path) -> Result<Restore, Error> {
        let mut database =
            std::path::absolute(database).map_err(|error| Error::io(database, &error))?;
        if create::exists(&database)? {
            database = database
                .canonicalize()
                .map_err(|error| Error::io(&database, &error))?;
        }
        if backup.canonicalize().is_ok_and(|found| found == database) {
            return Err(Error::CannotOpen {
                path: database,
                reason: "it is the database itself".into(),
            });
        }
        create::remove_abandoned(&database);
        let copy = Temporary::beside(&database)?;
        copy_still(backup, &copy.path)?;
        let told = |error: Error| error.of(backup);
        let connection = settle(&copy.path).map_err(told)?;
        find_damage(&connection, backup)?;
        connect::finish_building(connection).map_err(|error| Error::sqlite(backup, error))?;
        Ok(Restore { copy, database })
    }

    /// The copy, for its owner to look into.
    pub fn copy(&self) -> &Path {
        &self.copy.path
    }

    /// Moves what is at the place aside under a name with `stamp`, and gives the copy the place.
    ///
    /// A sound database is moved only with `replace`, else it is [`Error::Exists`]; one that another process has open
    /// is [`Error::InUse`]. Killed in between, there is no database and both others are there under their names.
    pub fn publish(self, replace: bool, stamp: &str) -> Result<Restored, Error> {
        let path = &self.database;
        if !create::exists(path)? {
            // A WAL without its file would be taken for one of the copy's.
            move_companions(path, &free_name(path, "lost", stamp)?)?;
            self.give_place()?;
            return Ok(Restored {
                moved_to: None,
                was_damaged: false,
            });
        }
        let held = match open(path).and_then(|open| find_damage(&open, path).map(|()| open)) {
            Ok(_) if !replace => return Err(Error::Exists { path: path.clone() }),
            Ok(sound) => {
                hold(&sound, path)?;
                Some(sound)
            }
            Err(Error::Corrupt { .. } | Error::NotADatabase { .. }) => None,
            Err(error) => return Err(error),
        };
        let was_damaged = held.is_none();
        let word = if was_damaged { "damaged" } else { "replaced" };
        let moved_to = free_name(path, word, stamp)?;
        // Windows moves nothing that is open, neither by us nor, which is what the lock is for, by anyone else.
        let held = held.filter(|_| !cfg!(windows));
        fs::rename(path, &moved_to).map_err(|error| {
            if cfg!(windows) && error.raw_os_error() == Some(SHARING_VIOLATION) {
                Error::InUse { path: path.clone() }
            } else {
                Error::io(path, &error)
            }
        })?;
        move_companions(path, &moved_to)?;
        drop(held);
        self.give_place()?;
        Ok(Restored {
            moved_to: Some(moved_to),
            was_damaged,
        })
    }

    fn give_place(self) -> Result<(), Error> {
        let path = self.database;
        if self.copy.publish(&path)? {
            Ok(())
        } else {
            Err(Error::Exists { path })
        }
    }
}

/// What Windows calls a file that somebody has open.
const SHARING_VIOLATION: i32 = 32;

/// A name beside `path` that neither a file nor what SQLite leaves beside one has: the second restore within a second, or
/// with a clock that was set back, is numbered.
fn free_name(path: &Path, word: &str, stamp: &str) -> Result<PathBuf, Error> {
    let mut name = with_end(path, &format!(".{word}-{stamp}"));
    let mut number = 1;
    loop {
        let mut is_free = !create::exists(&name)?;
        for companion in COMPANIONS {
            is_free &= !create::exists(&with_end(&name, companion))?;
        }
        if is_free {
            return Ok(name);
        }
        number += 1;
        name = with_end(path, &format!(".{word}-{stamp}-{number}"));
    }
}

fn open(path: &Path) -> Result<Connection, Error> {
    let failed = |error| Error::sqlite(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    connection
        .pragma_update(None, "trusted_schema", false)
        .map_err(failed)?;
    Ok(connection)
}

/// Takes a database for itself alone; its WAL is in it then.
fn hold(connection: &Connection, path: &Path) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::InUse {
            path: path.to_path_buf(),
        },
        _ => Error::sqlite(path, error),
    };
    // Leaving the WAL needs the file for oneself, which no other open connection allows.
    connection
        .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(failed)?;
    connection.execute_batch("BEGIN EXCLUSIVE").map_err(failed)
}

/// Moves what SQLite left beside a file to lie beside another name.
fn move_companions(from: &Path, to: &Path) -> Result<(), Error> {
    for end in COMPANIONS {
        let (from, to) = (with_end(from, end), with_end(to, end));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(&from, &error));
            }
            _ => {}
        }
    }
    Ok(())
}
