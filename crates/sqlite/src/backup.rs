//! A copy of a living database, by SQLite's backup interface.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::connect;
use crate::create::{self, Temporary};
use crate::error::Error;
use crate::settings::Settings;

/// Pages copied per step: 4 MiB at the default page size.
const PAGES: i32 = 1024;

/// Copies what `source` sees in its open transaction to `path`.
///
/// The transaction keeps `source` on one state. Without it, each commit would make the copy start again, and under
/// steady writing it would never end.
pub(crate) fn copy(source: &Connection, path: &Path, settings: &Settings) -> Result<(), Error> {
    let taken = || Error::Exists {
        path: path.to_path_buf(),
    };
    if create::exists(path)? {
        return Err(taken());
    }
    let path = std::path::absolute(path).map_err(|error| Error::io(path, &error))?;
    let (temporary, target) = build(source, &path, settings)?;
    connect::finish_building(target).map_err(|error| Error::sqlite(&path, error))?;
    if temporary.publish(&path)? {
        Ok(())
    } else {
        Err(taken())
    }
}

/// Copies as [`copy`] does, and gives the copy its name only once it has proved to be sound; with `replace`, over a
/// file that is there.
pub(crate) fn copy_checked(
    source: (&Connection, &Path),
    path: &Path,
    settings: &Settings,
    replace: bool,
) -> Result<(), Error> {
    let (source, database) = source;
    let is_there = create::exists(path)?;
    if is_there && !replace {
        return Err(Error::Exists {
            path: path.to_path_buf(),
        });
    }
    let mut path = std::path::absolute(path).map_err(|error| Error::io(path, &error))?;
    if is_there {
        // A link stays a link; what it leads to is replaced.
        path = path
            .canonicalize()
            .map_err(|error| Error::io(&path, &error))?;
        if database.canonicalize().is_ok_and(|own| own == path) {
            let reason = "it is the database itself".into();
            return Err(Error::CannotOpen { path, reason });
        }
    }
    let (temporary, target) = build(source, &path, settings)?;
    // What is copied page by page is as damaged as what it was copied from, and must not take a sound copy's place.
    find_damage(&target, database)?;
    connect::finish_building(target).map_err(|error| Error::sqlite(&path, error))?;
    if is_there {
        temporary.replace(&path)
    } else if temporary.publish(&path)? {
        Ok(())
    } else {
        Err(Error::Exists { path })
    }
}

fn build(
    source: &Connection,
    path: &Path,
    settings: &Settings,
) -> Result<(Temporary, Connection), Error> {
    let failed = |error| Error::sqlite(path, error);
    // What a killed one left would lie beside the copies for ever.
    create::remove_abandoned(path);
    let temporary = Temporary::beside(path)?;
    if settings.path.exists() {
        create::keep_as_private_as(&settings.path, &temporary.path)
            .map_err(|error| Error::io(path, &error))?;
    }
    let mut target = connect::builder(&temporary.path, settings).map_err(failed)?;
    source
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(failed)?;
    let backup = Backup::new(source, &mut target).map_err(failed)?;
    while backup.step(PAGES).map_err(failed)? != StepResult::Done {}
    drop(backup);
    Ok((temporary, target))
}

/// Reads a whole database; the first damage found is the error, and it is told of `path`.
pub(crate) fn find_damage(connection: &Connection, path: &Path) -> Result<(), Error> {
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| Error::sqlite(path, error))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(Error::Corrupt {
            path: path.to_path_buf(),
            reason: found,
        })
    }
}
