//! What a file has and lacks, found by reading only.
//!
//! The declared objects are not parsed out of the SQL: the SQL runs on an empty database in memory, and what is there
//! afterwards is what it declares.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension};

use crate::schema::Schema;

/// A table, index, view or trigger: its type and its name in lower case, as SQLite compares names.
type Object = (String, String);

/// What one component declares.
#[derive(Debug)]
pub(crate) struct Declared {
    objects: BTreeSet<Object>,
    /// Per table, the columns in lower case.
    columns: BTreeMap<String, BTreeSet<String>>,
}

/// How a file compares to one component's schema.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// The recorded version; none for a file that does not know the component.
    pub(crate) version: Option<u32>,
    /// Whether any table of the component exists.
    pub(crate) has_tables: bool,
    /// What is declared and not there, as text for messages.
    pub(crate) missing: Vec<String>,
}

impl Declared {
    /// The columns of a table, if the component declares it.
    pub(crate) fn columns(&self, table: &str) -> Option<&BTreeSet<String>> {
        self.columns.get(table)
    }
}

impl Comparison {
    /// Whether the file is exactly what the program knows.
    pub(crate) fn is_complete(&self, schema: &Schema) -> bool {
        self.missing.is_empty() && self.version == Some(schema.version)
    }

    /// The version, if it is newer than the program's.
    pub(crate) fn newer(&self, schema: &Schema) -> Option<u32> {
        self.version.filter(|&found| found > schema.version)
    }
}

/// Runs the declarations in memory, in order, and takes down what each adds.
///
/// One database for all of them, since a trigger of one component may refer to a table of another.
pub(crate) fn declared(
    schemas: &[Schema],
) -> Result<Vec<Declared>, (&'static str, rusqlite::Error)> {
    let none = |error| ("", error);
    let memory = Connection::open_in_memory().map_err(none)?;
    memory
        .pragma_update(None, "trusted_schema", false)
        .map_err(none)?;
    let mut before = BTreeSet::new();
    let mut all = Vec::new();
    for schema in schemas {
        let added = declare(&memory, schema, &before).map_err(|error| (schema.component, error))?;
        before.extend(added.objects.iter().cloned());
        all.push(added);
    }
    Ok(all)
}

fn declare(
    memory: &Connection,
    schema: &Schema,
    before: &BTreeSet<Object>,
) -> rusqlite::Result<Declared> {
    memory.execute_batch(schema.ddl)?;
    let objects: BTreeSet<Object> = objects(memory)?.difference(before).cloned().collect();
    let mut columns = BTreeMap::new();
    for (kind, name) in &objects {
        if kind == "table" {
            columns.insert(name.clone(), columns_of(memory, name)?);
        }
    }
    // A column may also belong to a table that another component, or another program, declares.
    for column in schema.columns {
        columns
            .entry(column.table.to_lowercase())
            .or_insert_with(BTreeSet::new)
            .insert(column.name.to_lowercase());
    }
    Ok(Declared { objects, columns })
}

/// Compares a file with what a component declares.
pub(crate) fn compare(
    file: &Connection,
    schema: &Schema,
    declared: &Declared,
) -> rusqlite::Result<Comparison> {
    let present = objects(file)?;
    let mut missing = Vec::new();
    for (kind, name) in declared.objects.difference(&present) {
        missing.push(format!("{kind} `{name}`"));
    }
    for (table, wanted) in &declared.columns {
        let found = columns_of(file, table)?;
        if found.is_empty() {
            continue; // The table itself is missing, which is said already.
        }
        missing.extend(
            wanted
                .difference(&found)
                .map(|column| format!("column `{table}.{column}`")),
        );
    }
    let has_tables = declared
        .objects
        .iter()
        .any(|object| object.0 == "table" && present.contains(object));
    Ok(Comparison {
        version: version(file, schema.component)?,
        has_tables,
        missing,
    })
}

/// The recorded version of a component.
pub(crate) fn version(file: &Connection, component: &str) -> rusqlite::Result<Option<u32>> {
    if !objects(file)?.contains(&("table".into(), "schema_components".into())) {
        return Ok(None);
    }
    file.query_row(
        "SELECT version FROM schema_components WHERE component = ?1",
        [component],
        |row| row.get(0),
    )
    .optional()
}

/// Every named object of the file but SQLite's own, such as `sqlite_sequence` and automatic indexes.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<Object>> {
    let mut statement = connection.prepare(
        "SELECT type, lower(name) FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Whether the file holds nothing, as a file without a byte does.
pub(crate) fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)",
        [],
        |row| row.get(0),
    )
}

/// The tables of the file, in lower case.
pub(crate) fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let tables = objects(connection)?.into_iter();
    Ok(tables
        .filter(|(kind, _)| kind == "table")
        .map(|(_, name)| name)
        .collect())
}

/// The columns of a table, in lower case; generated ones too, which `table_info` would hide.
pub(crate) fn columns_of(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<BTreeSet<String>> {
    let mut statement = connection.prepare("SELECT lower(name) FROM pragma_table_xinfo(?1)")?;
    let rows = statement.query_map([table], |row| row.get(0))?;
    rows.collect()
}
