//! Brings an existing file to the declared schemas: by reading if nothing is missing, else in one transaction.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::connect;
use crate::error::Error;
use crate::log;
use crate::patience;
use crate::report::Meter;
use crate::schema::inspect::{self, Comparison, Declared};
use crate::schema::{Newer, Schema, Warning};
use crate::settings::Settings;

/// The label of the one transaction that opening a file may need.
const LABEL: &str = "upgrade schema";

const COMPONENTS: &str = "CREATE TABLE IF NOT EXISTS schema_components (
    component TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)";

/// Compares, and upgrades if anything is missing. Takes the write lock only then, and only once.
pub(crate) fn bring_up_to_date(
    connection: &mut Connection,
    settings: &Settings,
    schemas: &[Schema],
    meter: &Meter,
) -> Result<Vec<Warning>, Error> {
    let path = &settings.path;
    let declared = declare(path, schemas)?;
    let (complete, warnings) = survey(connection, path, schemas, &declared)?;
    if complete {
        return Ok(warnings);
    }
    let asked = Instant::now();
    let begin = || connection.execute_batch("BEGIN IMMEDIATE");
    patience::retry(LABEL, settings, begin)?.map_err(|error| Error::sqlite(path, error))?;
    let granted = Instant::now();
    // Another process may have upgraded the file in the meantime, so everything is asked again under the lock.
    let upgraded = upgrade_all(connection, path, schemas, &declared).and_then(|warnings| {
        connection
            .execute_batch("COMMIT")
            .map_err(|error| Error::sqlite(path, error))?;
        Ok(warnings)
    });
    if upgraded.is_err() && !connection.is_autocommit() {
        connection
            .execute_batch("ROLLBACK")
            .map_err(|error| Error::sqlite(path, error))?;
    }
    meter.record_alone(LABEL, granted - asked, granted.elapsed(), upgraded.is_ok());
    upgraded
}

/// Compares a file that was opened read-only: what cannot be upgraded becomes a warning.
pub(crate) fn compare_read_only(
    connection: &Connection,
    path: &Path,
    schemas: &[Schema],
) -> Result<Vec<Warning>, Error> {
    let declared = declare(path, schemas)?;
    let mut warnings = Vec::new();
    for (schema, declared) in schemas.iter().zip(&declared) {
        let found = compare(connection, path, schema, declared)?;
        if let Some(warning) = newer(path, schema, &found)? {
            warnings.push(warning);
        } else if !found.is_complete(schema) {
            let warning = Warning::OlderSchema {
                component: schema.component,
                found: found.version,
                supported: schema.version,
                missing: found.missing,
            };
            log::warning!(path, "{warning}");
            warnings.push(warning);
        }
    }
    Ok(warnings)
}

/// Creates everything in an empty file, inside one transaction.
pub(crate) fn create_all(
    connection: &Connection,
    path: &Path,
    schemas: &[Schema],
) -> Result<(), Error> {
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(|error| Error::sqlite(path, error))?;
    let declared = declare(path, schemas)?;
    upgrade_all(connection, path, schemas, &declared)?;
    connection
        .execute_batch("COMMIT")
        .map_err(|error| Error::sqlite(path, error))
}

pub(crate) fn declare(path: &Path, schemas: &[Schema]) -> Result<Vec<Declared>, Error> {
    inspect::declared(schemas).map_err(|(component, error)| Error::schema(path, component, error))
}

/// Whether nothing is to be done, and what is to be said.
fn survey(
    connection: &Connection,
    path: &Path,
    schemas: &[Schema],
    declared: &[Declared],
) -> Result<(bool, Vec<Warning>), Error> {
    let mut complete = true;
    let mut warnings = Vec::new();
    for (schema, declared) in schemas.iter().zip(declared) {
        let found = compare(connection, path, schema, declared)?;
        match newer(path, schema, &found)? {
            Some(warning) => warnings.push(warning),
            None => complete &= found.is_complete(schema),
        }
    }
    if schemas.is_empty() {
        // Nothing was read so far; a file that is no database must not pass for an open one.
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(|error| Error::sqlite(path, error))?;
    }
    Ok((complete, warnings))
}

/// The steps of [`Schema`]'s description for every component, inside a transaction that is already open.
fn upgrade_all(
    connection: &Connection,
    path: &Path,
    schemas: &[Schema],
    declared: &[Declared],
) -> Result<Vec<Warning>, Error> {
    let mut warnings = Vec::new();
    if !schemas.is_empty() {
        connection
            .execute_batch(COMPONENTS)
            .map_err(|error| Error::sqlite(path, error))?;
    }
    for (schema, declared) in schemas.iter().zip(declared) {
        let found = compare(connection, path, schema, declared)?;
        if let Some(warning) = newer(path, schema, &found)? {
            warnings.push(warning);
        } else if !found.is_complete(schema) {
            complete(connection, schema, &found).map_err(|error| of_schema(path, schema, error))?;
            let after = compare(connection, path, schema, declared)?;
            if !after.missing.is_empty() {
                let reason = format!("{} could not be created", after.missing.join(", "));
                return Err(Error::schema(path, schema.component, reason));
            }
        }
    }
    Ok(warnings)
}

/// Adds what one component lacks and records its version.
fn complete(connection: &Connection, schema: &Schema, found: &Comparison) -> rusqlite::Result<()> {
    // Columns first: an index among the declarations may be on one of them.
    add_columns(connection, schema)?;
    connection.execute_batch(schema.ddl)?;
    add_columns(connection, schema)?;
    // Tables without a recorded version were made before versions were recorded: every migration is due. Without any
    // table, the component is fresh.
    let from = found
        .version
        .unwrap_or(if found.has_tables { 0 } else { schema.version });
    if migrate(connection, schema, from)? {
        add_columns(connection, schema)?;
        connection.execute_batch(schema.ddl)?;
    }
    connection.execute(
        "INSERT INTO schema_components (component, version) VALUES (?1, ?2)
         ON CONFLICT (component) DO UPDATE SET version = excluded.version, applied_at = excluded.applied_at",
        (schema.component, schema.version),
    )?;
    Ok(())
}

/// Runs the migrations above `from`; whether there were any.
fn migrate(connection: &Connection, schema: &Schema, from: u32) -> rusqlite::Result<bool> {
    let due: Vec<_> = schema
        .migrations
        .iter()
        .filter(|m| m.version > from && m.version <= schema.version)
        .collect();
    if due.is_empty() {
        return Ok(false);
    }
    // Foreign keys are not enforced during an upgrade; what was broken before is not the migrations' fault.
    let before = violations(connection)?;
    for migration in due {
        connection.execute_batch(migration.sql)?;
        if connection.is_autocommit() {
            let reason = format!("migration {} ended the transaction", migration.version);
            return Err(rusqlite::Error::ToSqlConversionFailure(reason.into()));
        }
    }
    if violations(connection)? > before {
        let reason = "a migration left references to rows that do not exist";
        return Err(rusqlite::Error::ToSqlConversionFailure(reason.into()));
    }
    Ok(true)
}

fn violations(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
        row.get(0)
    })
}

/// Adds the declared columns that existing tables lack.
fn add_columns(connection: &Connection, schema: &Schema) -> rusqlite::Result<()> {
    for column in schema.columns {
        let present = inspect::columns_of(connection, column.table)?;
        if !present.is_empty() && !present.contains(&column.name.to_lowercase()) {
            let (table, name, definition) = (column.table, column.name, column.definition);
            connection.execute_batch(&format!(
                "ALTER TABLE \"{table}\" ADD COLUMN \"{name}\" {definition}"
            ))?;
        }
    }
    Ok(())
}

fn compare(
    connection: &Connection,
    path: &Path,
    schema: &Schema,
    declared: &Declared,
) -> Result<Comparison, Error> {
    inspect::compare(connection, schema, declared).map_err(|error| Error::sqlite(path, error))
}

/// Refuses or warns about a component that is newer than the program.
fn newer(path: &Path, schema: &Schema, found: &Comparison) -> Result<Option<Warning>, Error> {
    let Some(version) = found.newer(schema) else {
        return Ok(None);
    };
    let (component, found, supported) = (schema.component, version, schema.version);
    match schema.newer {
        Newer::Refuse => Err(Error::NewerSchema {
            path: path.to_path_buf(),
            component,
            found,
            supported,
        }),
        Newer::Warn => {
            let warning = Warning::NewerSchema {
                component,
                found,
                supported,
            };
            log::warning!(path, "{warning}");
            Ok(Some(warning))
        }
    }
}

/// A full disk stays a full disk; everything else is the schema's fault.
fn of_schema(path: &Path, schema: &Schema, error: rusqlite::Error) -> Error {
    if connect::is_schema_error(&error) || error.sqlite_error_code().is_none() {
        return Error::schema(path, schema.component, error);
    }
    Error::sqlite(path, error)
}
