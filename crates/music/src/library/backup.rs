//! Copies of a library, and a copy that takes the place of a lost or damaged library.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sqlite::{Db, Options, Restore, params};

use crate::error::{Error, Result};
use crate::library::settings::Settings;
use crate::library::{APPLICATION_ID, options};

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Files.
    pub files: u64,
    /// Passages.
    pub passages: u64,
}

/// Copies the library at `database` to `path`, which appears at once, complete and checked. With `replace`, a file
/// that is there is replaced.
///
/// Imports may go on meanwhile; the copy is of one moment.
///
/// # Errors
///
/// When there is no library, it is damaged, or the copy cannot be written; what was at `path` is there then as it was.
pub fn backup(database: &Path, path: &Path, replace: bool) -> Result<Held> {
    if !database.exists() {
        return Err(Error::NoLibrary {
            path: database.to_owned(),
        });
    }
    let db = Options::new(database).open_read_only()?;
    let held = held(&db, database)?;
    db.backup_checked(path, replace).map_err(Error::of_file)?;
    db.close()?;
    Ok(held)
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// What the library holds now.
    #[serde(flatten)]
    pub held: Held,
    /// Where the library that was there has gone.
    pub moved_to: Option<PathBuf>,
    /// Whether that one was damaged.
    pub was_damaged: bool,
}

/// Gives the copy `path` the place `database`. What is there is moved aside: a damaged library always, a sound one with
/// `replace`.
///
/// # Errors
///
/// When `path` is no sound library of this or an older version, a sound library is in its place, or another process
/// has that open; nothing is changed then.
pub fn restore(path: &Path, database: &Path, replace: bool) -> Result<Restored> {
    let restore = Restore::prepare(path, database).map_err(Error::of_file)?;
    let opened = options(restore.copy(), &Settings::default()).open_read_only();
    let db = opened.map_err(|error| match error {
        // What is looked at is a copy; the person knows the file that it was made of.
        sqlite::Error::Foreign { reason, .. } => Error::NotALibrary {
            path: path.to_owned(),
            reason,
        },
        other => other.into(),
    })?;
    let held = held(&db, path)?;
    db.close()?;
    let stamp = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ");
    let restored = restore
        .publish(replace, &stamp.to_string())
        .map_err(Error::of_file)?;
    Ok(Restored {
        held,
        moved_to: restored.moved_to,
        was_damaged: restored.was_damaged,
    })
}

/// Whether a database is a library, and what it holds.
fn held(db: &Db, path: &Path) -> Result<Held> {
    let no_library = |reason: String| Error::NotALibrary {
        path: path.to_owned(),
        reason,
    };
    // WKMP's services write no id of an application, so a library has ours or none, and any other is something else.
    let application: i64 = number(db, "PRAGMA application_id")?;
    if application != 0 && application != i64::from(APPLICATION_ID) {
        return Err(no_library(format!(
            "its application id `{application:#x}` is that of another program"
        )));
    }
    let tables =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('files', 'passages')";
    if number(db, tables)? != 2 {
        return Err(no_library(
            "expected the tables `files` and `passages`".to_owned(),
        ));
    }
    let count = |sql| number(db, sql).map(|found| u64::try_from(found).unwrap_or_default());
    Ok(Held {
        files: count("SELECT count(*) FROM files")?,
        passages: count("SELECT count(*) FROM passages")?,
    })
}

fn number(db: &Db, sql: &str) -> Result<i64> {
    Ok(db
        .read(|snapshot| snapshot.query_row(sql, params![], |row| row.get(0)))
        .map_err(|error: sqlite::Error| error)?)
}
