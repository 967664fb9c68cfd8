//! Whose file it is: a database of another program gets no tables of ours.

use rusqlite::Connection;

use crate::error::Error;
use crate::patience;
use crate::schema::Schema;
use crate::schema::inspect::{self, Declared};
use crate::schema::upgrade::declare;
use crate::settings::Settings;

/// Columns that an unmarked file must share with ours, in tables that are alike: a table called `settings` with a key and
/// a value may be anybody's, and the least file table of WKMP that we know shares six. A guess in between.
const SHARED_COLUMNS: usize = 5;

/// Refuses a file that is marked as another program's, or has tables and none of ours among them.
///
/// A file of ours may bear no mark: those of other programs with the same schema, and of older versions, do not.
pub(crate) fn check(
    connection: &Connection,
    settings: &Settings,
    schemas: &[Schema],
) -> Result<(), Error> {
    let Some(wanted) = settings.application_id else {
        return Ok(());
    };
    let failed = |error| Error::sqlite(&settings.path, error);
    // Another process may just have the WAL to itself, to recover or to remove it.
    let ask = || connection.pragma_query_value(None, "application_id", |row| row.get(0));
    let found: i32 = patience::retry("open the database", settings, ask)?.map_err(failed)?;
    if found == wanted {
        return Ok(());
    }
    let reason = if found != 0 {
        format!("its application id is {found:#x}, expected {wanted:#x}")
    } else if is_recorded(connection, schemas).map_err(failed)?
        || is_alike(connection, &declare(&settings.path, schemas)?).map_err(failed)?
    {
        return Ok(());
    } else {
        "it holds tables that this program does not know".to_owned()
    };
    Err(Error::Foreign {
        path: settings.path.clone(),
        reason,
    })
}

/// Whether one of the components has recorded its version.
fn is_recorded(connection: &Connection, schemas: &[Schema]) -> rusqlite::Result<bool> {
    for schema in schemas {
        if inspect::version(connection, schema.component)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether enough of its tables are ours, or all of them, if there are any.
fn is_alike(connection: &Connection, declared: &[Declared]) -> rusqlite::Result<bool> {
    let tables = inspect::tables(connection)?;
    let (mut alike, mut shared) = (0, 0);
    for table in &tables {
        let columns = inspect::columns_of(connection, table)?;
        let most = declared
            .iter()
            .filter_map(|component| component.columns(table))
            .map(|wanted| columns.intersection(wanted).count())
            .max()
            .unwrap_or(0);
        // Other versions have other columns, but most of them are the same.
        if most * 2 >= columns.len() {
            alike += 1;
            shared += most;
        }
    }
    Ok(shared >= SHARED_COLUMNS || alike == tables.len())
}
