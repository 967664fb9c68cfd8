//! A copy of a living database, by SQLite's backup interface.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::connect;
use crate::create::{self, Temporary};
use crate::error::Error;
use crate::options::Tuning;

/// Pages copied per step: 4 MiB at the default page size.
const PAGES: i32 = 1024;

/// Copies what `source` sees in its open transaction to `path`.
///
/// The transaction keeps `source` on one state. Without it, each commit would make the copy start again, and under
/// steady writing it would never end.
pub(crate) fn copy(source: &Connection, path: &Path, tuning: &Tuning) -> Result<(), Error> {
    let taken = || Error::Exists {
        path: path.to_path_buf(),
    };
    if create::exists(path)? {
        return Err(taken());
    }
    let path = std::path::absolute(path).map_err(|error| Error::io(path, &error))?;
    let failed = |error| Error::sqlite(&path, error);
    let temporary = Temporary::beside(&path)?;
    let mut target = connect::builder(&temporary.path, tuning.page_size).map_err(failed)?;
    source
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(failed)?;
    let backup = Backup::new(source, &mut target).map_err(failed)?;
    while backup.step(PAGES).map_err(failed)? != StepResult::Done {}
    drop(backup);
    connect::finish_building(target).map_err(failed)?;
    if temporary.publish(&path)? {
        Ok(())
    } else {
        Err(taken())
    }
}
