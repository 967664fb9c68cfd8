//! Databases that belong to another program: they are read from a copy.
//!
//! SQLite writes beside a file that it only reads: a WAL and its shared memory, a rollback of what was left half
//! done. Opened as immutable it does not, and then it does not see what the WAL holds either. A copy of the file with
//! what lies beside it has all of that, and the file stays as it is.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::create::{self, Temporary};
use crate::db::Db;
use crate::error::Error;
use crate::options::Options;

/// How often a file that changes while it is copied is copied again, and the pause before. A guess: a program that
/// writes without pause for a second is better asked to stop.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// What SQLite keeps beside a file that belongs to its content.
pub(crate) const BESIDE: [&str; 2] = ["-wal", "-journal"];

/// Somebody else's database, read from a copy that is removed in the end.
#[derive(Debug)]
pub struct Foreign {
    db: Db,
    _copy: Temporary,
}

impl Foreign {
    /// Copies the database `path` and what its WAL holds into `folder`, and opens the copy.
    ///
    /// Nothing is written beside `path`, and no lock of it is taken. A file that goes on changing is
    /// [`Error::InUse`].
    pub fn open(path: &Path, folder: &Path) -> Result<Foreign, Error> {
        let copy = Temporary::beside(&folder.join("foreign.db"))?;
        copy_still(path, &copy.path)?;
        // Opened for writing once, so that SQLite puts right what was left half done; the copy has no WAL afterwards.
        drop(settle(&copy.path).map_err(|error| error.of(path))?);
        let db = Options::new(&copy.path)
            .open_read_only()
            .map_err(|error| error.of(path))?;
        Ok(Foreign { db, _copy: copy })
    }

    /// The copy.
    pub fn db(&self) -> &Db {
        &self.db
    }
}

/// Opens a copy and puts it right; what its WAL held is in the file itself afterwards.
pub(crate) fn settle(copy: &Path) -> Result<rusqlite::Connection, Error> {
    let failed = |error| Error::sqlite(copy, error);
    let connection = rusqlite::Connection::open(copy).map_err(failed)?;
    connection
        .pragma_update(None, "trusted_schema", false)
        .map_err(failed)?;
    connection
        .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(failed)?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(failed)?;
    Ok(connection)
}

/// Copies a database with what lies beside it, in a moment in which nothing of it changes.
pub(crate) fn copy_still(from: &Path, to: &Path) -> Result<(), Error> {
    if !create::exists(from)? {
        return Err(Error::CannotOpen {
            path: from.to_path_buf(),
            reason: "there is no such file".into(),
        });
    }
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            std::thread::sleep(PAUSE);
        }
        let before = state(from)?;
        let copied = copy_all(from, to);
        if state(from)? == before {
            return copied;
        }
    }
    Err(Error::InUse {
        path: from.to_path_buf(),
    })
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |error| Error::io(from, &error);
    fs::copy(from, to).map_err(failed)?;
    for end in BESIDE {
        let (from, to) = (with_end(from, end), with_end(to, end));
        if is_regular(&from) {
            fs::copy(from, to).map_err(failed)?;
        } else if is_regular(&to) {
            fs::remove_file(to).map_err(failed)?;
        }
    }
    Ok(())
}

fn is_regular(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file())
}

/// Length and time of a file; none if there is no such file.
type State = Option<(u64, Option<SystemTime>)>;

/// The states of a database and of what lies beside it.
fn state(path: &Path) -> Result<Vec<State>, Error> {
    let told = |found: Metadata| (found.len(), found.modified().ok());
    let own = fs::metadata(path).map_err(|error| Error::io(path, &error))?;
    let mut state = vec![Some(told(own))];
    for end in BESIDE {
        state.push(fs::metadata(with_end(path, end)).ok().map(told));
    }
    Ok(state)
}

/// `path` with an end of its name.
pub(crate) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
