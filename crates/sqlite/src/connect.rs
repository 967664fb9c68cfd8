//! The only place that opens a connection, and the only place that sets a pragma.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OpenFlags};

use crate::error::Error;
use crate::patience;
use crate::settings::{Settings, Synchronous, Tuning};

/// Statements kept prepared per connection; programs have some dozens of them.
const PREPARED_STATEMENTS: usize = 128;

/// How readers open the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// As `Shared`, and allowed to write, which only tidies up: the last connection removes the WAL when it is closed.
    Tidy,
    /// With the shared memory of the WAL, so that they see what others commit.
    Shared,
    /// Without any lock or shared memory: nobody can write to this file.
    Immutable,
}

/// The one writing connection of an existing file, before anything is written: see [`prepare`].
pub(crate) fn writer(settings: &Settings) -> Result<Connection, Error> {
    let path = &settings.path;
    // No CREATE: a file that vanished must not come back empty. NO_MUTEX: one thread owns the connection.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| Error::sqlite(path, error))?;
    let failed = |error| Error::sqlite(path, error);
    // SQLite opens a write-protected file for reading without a word.
    if connection.is_readonly("main").map_err(failed)? {
        return Err(Error::ReadOnly { path: path.clone() });
    }
    // One attempt polls this long inside SQLite; the writer repeats attempts with growing, random pauses.
    connection
        .busy_timeout(settings.busy_timeout)
        .map_err(failed)?;
    common(&connection, &settings.tuning).map_err(failed)?;
    Ok(connection)
}

/// Makes a file of ours one with a WAL, and the connection one that writes.
pub(crate) fn prepare(connection: &Connection, settings: &Settings) -> Result<(), Error> {
    use_wal(connection, settings)?;
    writer_pragmas(connection, settings).map_err(|error| Error::sqlite(&settings.path, error))
}

/// A connection that copies the WAL back to the file, and does nothing else.
pub(crate) fn copier(settings: &Settings) -> Result<Connection, Error> {
    let connection = writer(settings)?;
    let failed = |error| Error::sqlite(&settings.path, error);
    settings.check_home()?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(failed)?;
    synchronous(&connection, settings).map_err(failed)?;
    Ok(connection)
}

/// A reading connection.
pub(crate) fn reader(settings: &Settings, access: Access) -> Result<Connection, Error> {
    let path = &settings.path;
    let (only_read, no_mutex) = (
        OpenFlags::SQLITE_OPEN_READ_ONLY,
        OpenFlags::SQLITE_OPEN_NO_MUTEX,
    );
    let opened = match access {
        Access::Tidy => {
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | no_mutex)
        }
        Access::Shared => Connection::open_with_flags(path, only_read | no_mutex),
        Access::Immutable => Connection::open_with_flags(
            immutable_uri(path),
            only_read | no_mutex | OpenFlags::SQLITE_OPEN_URI,
        ),
    };
    let failed = |error| Error::sqlite(path, error);
    let connection = opened.map_err(failed)?;
    // A reader is in nobody's way and meets a lock only while a WAL is recovered or deleted, so SQLite's polling does.
    connection
        .busy_timeout(settings.max_lock_wait)
        .map_err(failed)?;
    common(&connection, &settings.tuning).map_err(failed)?;
    settings.check_home()?;
    // Nothing is written, not even to temporary tables.
    connection
        .pragma_update(None, "query_only", true)
        .map_err(failed)?;
    Ok(connection)
}

/// What differs once another connection has committed a change.
pub(crate) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}

/// A first reading connection together with the access that worked.
pub(crate) fn probe_reader(settings: &Settings) -> Result<(Connection, Access), Error> {
    let open = |access| {
        let connection = reader(settings, access)?;
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(|error| Error::sqlite(&settings.path, error))?;
        Ok((connection, access))
    };
    // Whoever has the file open has put both beside it; with neither, a reader that may not write would leave them.
    let is_at_rest = ["-wal", "-shm"]
        .iter()
        .all(|end| beside(&settings.path, end).is_err());
    let may_write =
        |connection: &Connection| connection.is_readonly("main").is_ok_and(|read| !read);
    match open(Access::Tidy) {
        Ok((connection, access)) if may_write(&connection) => return Ok((connection, access)),
        Err(error @ (Error::NotADatabase { .. } | Error::Corrupt { .. })) => return Err(error),
        _ if is_at_rest => return open(Access::Immutable),
        _ => {}
    }
    match open(Access::Shared) {
        // A full disk has no room for the shared memory either; without a WAL the file holds all there is.
        Err(Error::CannotOpen { .. } | Error::ReadOnly { .. } | Error::DiskFull { .. })
            if !has_wal(&settings.path) =>
        {
            open(Access::Immutable)
        }
        other => other,
    }
}

/// Pragmas of every connection.
fn common(connection: &Connection, tuning: &Tuning) -> rusqlite::Result<()> {
    // Views, triggers and generated columns of a file from elsewhere may only call functions without side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    // No statement can turn the file into a damaged one, such as by writing to sqlite_schema.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // "name" in double quotes is an identifier; the old fallback to a string hides misspelt columns.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // A plan does not depend on the values bound. Otherwise a statement that compares a column of a partial index with a
    // parameter is compiled anew whenever it is bound, which was a quarter of what importing small files cost.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A damaged page is reported when it is read and not spread further.
    connection.pragma_update(None, "cell_size_check", true)?;
    // Negative means KiB, independent of the page size.
    connection.pragma_update(None, "cache_size", -i64::from(tuning.cache_kib))?;
    // Sorting and temporary indexes in memory: no second file that a full or slow disk could fail.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // See `Tuning::mmap_bytes` for why it is off unless asked for.
    connection.pragma_update_and_check(None, "mmap_size", tuning.mmap_bytes as i64, |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    Ok(())
}

/// Pragmas of the writer alone.
fn writer_pragmas(connection: &Connection, settings: &Settings) -> rusqlite::Result<()> {
    synchronous(connection, settings)?;
    // SQLite would checkpoint inside COMMIT, that is, within the time others wait; the writer does it afterwards.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    // After a burst the WAL gives its disk space back when it starts over.
    let limit = settings.tuning.wal_limit_bytes as i64;
    connection.pragma_update_and_check(None, "journal_size_limit", limit, |_| Ok(()))?;
    if settings.tuning.max_pages > 0 {
        let most = settings.tuning.max_pages;
        connection.pragma_update_and_check(None, "max_page_count", most, |_| Ok(()))?;
    }
    // Rebuilding a table in a migration drops the old one, which must not delete the rows that refer to it ..
    connection.pragma_update(None, "foreign_keys", false)?;
    // .. and gives its name to the new one, while views and triggers refer to a name that is not there.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, true)?;
    Ok(())
}

/// When commits, and copies of the WAL, wait for the disk.
fn synchronous(connection: &Connection, settings: &Settings) -> rusqlite::Result<()> {
    let level = match settings.synchronous {
        // Synced at checkpoints only: the file cannot be damaged, the last commits can be lost with the power.
        Synchronous::Normal => "NORMAL",
        // Synced before a commit returns.
        Synchronous::Full => "FULL",
    };
    connection.pragma_update(None, "synchronous", level)
}

/// Takes back what only upgrades need, and turns foreign keys on.
pub(crate) fn end_upgrade(connection: &Connection, path: &Path) -> Result<(), Error> {
    let failed = |error| Error::sqlite(path, error);
    let legacy = DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE;
    connection.set_db_config(legacy, false).map_err(failed)?;
    // References are checked by this connection, whatever other programs do.
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(failed)
}

/// Readers and one writer at a time do not wait for each other in WAL mode, and a commit is one append.
///
/// The mode is a property of the file. It is asked for first, because setting it needs the whole file for itself.
fn use_wal(connection: &Connection, settings: &Settings) -> Result<(), Error> {
    let path = &settings.path;
    let mode = |error| Error::sqlite(path, error);
    let ask = || connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
    let asked = patience::retry("open the database", settings, ask)?.map_err(mode)?;
    if asked == "wal" {
        return Ok(());
    }
    // Only an empty file takes its page size over.
    let page_size = settings.tuning.page_size;
    connection
        .pragma_update(None, "page_size", page_size)
        .map_err(mode)?;
    let set = || {
        connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
    };
    let now = patience::retry("switch to write-ahead logging", settings, set)?.map_err(mode)?;
    if now == "wal" {
        Ok(())
    } else {
        Err(Error::NoWal {
            path: path.clone(),
            mode: now,
        })
    }
}

/// A file under construction: nobody else knows it, so it needs no safety until it is published.
pub(crate) fn builder(path: &Path, settings: &Settings) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "page_size", settings.tuning.page_size)?;
    if let Some(id) = settings.application_id {
        connection.pragma_update(None, "application_id", id)?;
    }
    connection.pragma_update(None, "synchronous", "OFF")?;
    // As in `common`: what this crate creates, it can also use.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    Ok(connection)
}

/// Turns a built file into one with a WAL and closes it.
pub(crate) fn finish_building(connection: Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

/// Whether `error` says that the schema itself is at fault and not the file.
pub(crate) fn is_schema_error(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation)
    )
}

fn has_wal(path: &Path) -> bool {
    beside(path, "-wal").is_ok_and(|wal| wal.len() > 0)
}

fn beside(path: &Path, end: &str) -> std::io::Result<std::fs::Metadata> {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    std::fs::metadata(name)
}

/// The path as SQLite's URI, each unusual byte escaped, so that `?`, `#` and `%` in names mean themselves.
fn immutable_uri(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    uri.push_str("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_compiled_once_whatever_is_bound() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("a.db")).unwrap();
        common(&connection, &Tuning::default()).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (a TEXT, b INTEGER); CREATE INDEX t_a ON t (a) WHERE b = 1;",
            )
            .unwrap();
        let sql = "SELECT count(*) FROM t WHERE a = ?1 AND b = ?2";
        let mut statement = connection.prepare_cached(sql).unwrap();
        for b in 0..5 {
            let count: i64 = statement
                .query_row(rusqlite::params!["x", b], |row| row.get(0))
                .unwrap();
            assert_eq!(count, 0);
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
