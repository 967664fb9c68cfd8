//! The one error type of the crate: every way a file, a statement or a wait can fail.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::ffi::{ErrorCode, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHORT_READ};

/// What can go wrong with a database.
///
/// The variants are named for what failed. Errors can be cloned, because one failed commit is reported to every unit
/// that was part of it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file or its directory cannot be opened at all.
    #[error("cannot open the database `{}`: {reason}", path.display())]
    CannotOpen {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },

    /// The file exists and is something else.
    #[error("`{}` is not a SQLite database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },

    /// The file is a database, and damaged.
    #[error("the database `{}` is damaged: {reason}", path.display())]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What SQLite found.
        reason: String,
    },

    /// The file, its directory or this handle does not allow writing.
    #[error("the database `{}` cannot be written, it is read-only", path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },

    /// The disk, a quota or the largest allowed page count is exhausted.
    #[error("no space left for the database `{}`", path.display())]
    DiskFull {
        /// The database file.
        path: PathBuf,
    },

    /// Reading or writing a file failed below SQLite.
    #[error("input or output on `{}` failed: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },

    /// Other processes held the write lock longer than the configured maximum.
    #[error(
        "`{label}` did not get the write lock in {attempts} attempts within {:.1} s",
        waited.as_secs_f64()
    )]
    Locked {
        /// The label given to [`Db::write`](crate::Db::write).
        label: &'static str,
        /// How often the lock was asked for.
        attempts: u32,
        /// How long this unit waited for other processes.
        waited: Duration,
    },

    /// The file was written by a newer version of the program.
    #[error(
        "`{}` was written by a newer version: `{component}` has schema {found}, this program knows {supported}",
        path.display()
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// The component whose schema is newer.
        component: &'static str,
        /// The version in the file.
        found: u32,
        /// The version this program was built for.
        supported: u32,
    },

    /// The schema could not be created, upgraded or completed; the file is as it was.
    #[error("cannot bring the schema of `{component}` in `{}` up to date: {reason}", path.display())]
    Schema {
        /// The database file.
        path: PathBuf,
        /// The component whose schema failed.
        component: &'static str,
        /// What failed.
        reason: String,
    },

    /// The file system or another process does not allow write-ahead logging.
    #[error("`{}` cannot use write-ahead logging, its journal mode stays `{mode}`", path.display())]
    NoWal {
        /// The database file.
        path: PathBuf,
        /// The mode the file is in.
        mode: String,
    },

    /// The file that was opened is no longer at its path.
    #[error("the database `{}` was moved, deleted or replaced while it was open: {found}", path.display())]
    Moved {
        /// Where it was.
        path: PathBuf,
        /// What is there now.
        found: &'static str,
    },

    /// Other processes have held the write lock for so long that waiting on makes no sense.
    #[error(
        "other processes have held the write lock of `{}` for {:.0} s without a pause",
        path.display(), waited.as_secs_f64()
    )]
    Blocked {
        /// The database file.
        path: PathBuf,
        /// For how long nothing could be written.
        waited: Duration,
    },

    /// The file is a database of another program.
    #[error("`{}` is the database of another program: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that is known.
        reason: String,
    },

    /// A statement violated a constraint of the schema.
    #[error("{} in `{sql}`", said(cause))]
    Constraint {
        /// The statement.
        sql: String,
        /// What SQLite said.
        cause: Arc<rusqlite::Error>,
    },

    /// A statement failed for another reason.
    #[error("{} in `{sql}`", said(cause))]
    Statement {
        /// The statement.
        sql: String,
        /// What SQLite said.
        cause: Arc<rusqlite::Error>,
    },

    /// SQLite failed outside of a statement of the caller.
    #[error("{}", said(cause))]
    Sqlite {
        /// What SQLite said.
        cause: Arc<rusqlite::Error>,
    },

    /// A read-only statement was issued while the write lock is held.
    #[error("a read inside a write: `{sql}`")]
    ReadInsideWrite {
        /// The statement.
        sql: String,
    },

    /// A unit tried to steer the transaction or the connection itself.
    #[error("not allowed inside a unit: `{sql}`")]
    Forbidden {
        /// The statement.
        sql: String,
    },

    /// A closure called back into the database in a way that would wait for itself.
    #[error(
        "`{label}` was called from inside a closure of the same database, it would wait for itself"
    )]
    Nested {
        /// The label or the name of the call.
        label: &'static str,
    },

    /// The database was closed before.
    #[error("the database `{}` is closed", path.display())]
    Closed {
        /// The database file.
        path: PathBuf,
    },

    /// Another process has a file open that is to be copied or replaced as a whole.
    #[error("another process is using the database `{}`", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },

    /// The target of a backup or a restore exists.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
}

impl Error {
    /// The same of another file: what was found out on a copy is told of the original.
    pub(crate) fn of(self, original: &Path) -> Error {
        let path = original.to_path_buf();
        match self {
            Error::CannotOpen { reason, .. } => Error::CannotOpen { path, reason },
            Error::NotADatabase { .. } => Error::NotADatabase { path },
            Error::Corrupt { reason, .. } => Error::Corrupt { path, reason },
            other => other,
        }
    }

    /// What a person may do about it, where something is known; a sentence to be shown on a line of its own.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Error::CannotOpen { .. } => "check that the directory exists and may be written",
            Error::NotADatabase { .. } | Error::Foreign { .. } => {
                "check the path, the file was left untouched"
            }
            Error::Corrupt { .. } => {
                "move it aside together with its `-wal` file and restore a backup"
            }
            Error::DiskFull { .. } => "nothing half was written, free some space and run again",
            Error::Locked { .. } => "another process is writing to the same database",
            Error::NewerSchema { .. } => "upgrade the program",
            Error::NoWal { .. } => "keep it on a local file system",
            Error::Moved { .. } => "what was written since may be lost, run again",
            Error::Blocked { .. } => "find out which process it is, end it, and run again",
            Error::ReadInsideWrite { .. } => {
                "read with `Db::read` before, or use `ON CONFLICT .. RETURNING`"
            }
            Error::Forbidden { .. } => "the engine begins, commits and rolls back",
            _ => return None,
        })
    }

    /// Whether a UNIQUE or PRIMARY KEY constraint was violated, so that the row is there already.
    pub fn is_unique_violation(&self) -> bool {
        use rusqlite::ffi::{
            SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE,
        };
        matches!(
            self.sqlite_code(),
            Some(SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID)
        )
    }

    /// Whether later units will fail for the same reason, so that a job had better end.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Error::Moved { .. }
                | Error::DiskFull { .. }
                | Error::Blocked { .. }
                | Error::Corrupt { .. }
                | Error::NotADatabase { .. }
                | Error::ReadOnly { .. }
                | Error::CannotOpen { .. }
                | Error::Closed { .. }
        )
    }

    /// SQLite's extended result code, where the error carries one.
    pub fn sqlite_code(&self) -> Option<i32> {
        match self {
            Error::Constraint { cause, .. }
            | Error::Statement { cause, .. }
            | Error::Sqlite { cause } => cause.sqlite_error().map(|error| error.extended_code),
            _ => None,
        }
    }

    /// An error of the statement `sql`, sorted by its code.
    pub(crate) fn statement(path: &Path, sql: &str, error: rusqlite::Error) -> Error {
        match Error::of_file(path, &error) {
            Some(error) => error,
            None if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Error::Constraint {
                    sql: shorten(sql),
                    cause: Arc::new(error),
                }
            }
            None => Error::Statement {
                sql: shorten(sql),
                cause: Arc::new(error),
            },
        }
    }

    /// An error outside of any statement of the caller, sorted by its code.
    pub(crate) fn sqlite(path: &Path, error: rusqlite::Error) -> Error {
        Error::of_file(path, &error).unwrap_or_else(|| Error::from(error))
    }

    /// An error of the file system, sorted by its kind.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Error {
        use std::io::ErrorKind::{
            NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
        };
        let path = path.to_path_buf();
        match error.kind() {
            StorageFull | QuotaExceeded => Error::DiskFull { path },
            ReadOnlyFilesystem => Error::ReadOnly { path },
            NotFound | PermissionDenied => Error::CannotOpen {
                path,
                reason: error.to_string(),
            },
            _ => Error::Io {
                path,
                reason: error.to_string(),
            },
        }
    }

    /// What a component's schema failed with.
    pub(crate) fn schema(path: &Path, component: &'static str, reason: impl Display) -> Error {
        Error::Schema {
            path: path.to_path_buf(),
            component,
            reason: reason.to_string(),
        }
    }

    /// The failures that are the file's and not the statement's.
    pub(crate) fn of_file(path: &Path, error: &rusqlite::Error) -> Option<Error> {
        let path = path.to_path_buf();
        let reason = || error.to_string();
        match error.sqlite_error()?.extended_code {
            // The shared memory of the WAL could not grow, which is what a full disk looks like first.
            SQLITE_IOERR_SHMSIZE => return Some(Error::DiskFull { path }),
            // The file ends before its own header says so.
            SQLITE_IOERR_SHORT_READ => {
                return Some(Error::Corrupt {
                    path,
                    reason: reason(),
                });
            }
            _ => {}
        }
        Some(match error.sqlite_error_code()? {
            ErrorCode::NotADatabase => Error::NotADatabase { path },
            ErrorCode::DatabaseCorrupt => Error::Corrupt {
                path,
                reason: reason(),
            },
            ErrorCode::ReadOnly => Error::ReadOnly { path },
            ErrorCode::DiskFull => Error::DiskFull { path },
            ErrorCode::CannotOpen => Error::CannotOpen {
                path,
                reason: reason(),
            },
            ErrorCode::SystemIoFailure => Error::Io {
                path,
                reason: reason(),
            },
            _ => return None,
        })
    }
}

impl From<rusqlite::Error> for Error {
    /// For the row closures of callers: a value of an unexpected type, a missing column.
    fn from(error: rusqlite::Error) -> Self {
        Error::Sqlite {
            cause: Arc::new(error),
        }
    }
}

/// The words of an error in our style: without the statement, which we shorten ourselves, and in lower case.
fn said(error: &rusqlite::Error) -> String {
    let text = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        // A word such as `UNIQUE` stays as it is.
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text,
    }
}

/// The statement on one line and of bearable length, for messages.
pub(crate) fn shorten(sql: &str) -> String {
    const LONGEST: usize = 120;
    let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &words[..end]),
        None => words,
    }
}
