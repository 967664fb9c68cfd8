//! Every table of a database with its keys and its rows, in memory.

use rusqlite::types::Value;
use rusqlite::{Connection, Result};

/// A table as it lies in the file.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// The column that only names the row: a one-column primary key that looks like an id and refers to no other table.
    pub(super) own_id: Option<usize>,
    /// Foreign keys: column, table.
    pub(super) references: Vec<(usize, String)>,
    /// Columns of the unique constraint that says what a row is about.
    pub(super) natural: Vec<usize>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// What rows are about where no unique constraint says so, or a less telling one.
const NATURAL: [(&str, &[&str]); 8] = [
    ("files", &["path"]),
    ("passages", &["file_id", "start_time_ticks"]),
    ("songs", &["recording_mbid"]),
    ("artists", &["artist_mbid"]),
    ("works", &["work_mbid"]),
    ("albums", &["album_mbid"]),
    ("images", &["file_path"]),
    ("users", &["username"]),
];

/// Reads all tables; views, virtual tables and SQLite's own tables hold nothing of their own.
pub(super) fn tables(connection: &Connection) -> Result<Vec<Table>> {
    let query = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let names: Vec<String> = connection
        .prepare(query)?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_>>()?;
    names
        .into_iter()
        .map(|name| table(connection, name))
        .collect()
}

fn table(connection: &Connection, name: String) -> Result<Table> {
    // Generated columns repeat what others say and are hidden from table_info.
    let mut keys = Vec::new();
    let mut columns: Vec<String> = Vec::new();
    connection
        .prepare("SELECT name, pk FROM pragma_table_info(?1)")?
        .query_map([&name], |row| {
            if row.get::<_, i64>(1)? > 0 {
                keys.push(columns.len());
            }
            columns.push(row.get(0)?);
            Ok(())
        })?
        .collect::<Result<()>>()?;
    let place = |column: &str| {
        columns
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column))
    };
    let mut references = Vec::new();
    connection
        .prepare("SELECT \"from\", \"table\" FROM pragma_foreign_key_list(?1)")?
        .query_map([&name], |row| {
            if let Some(column) = place(&row.get::<_, String>(0)?) {
                references.push((column, row.get(1)?));
            }
            Ok(())
        })?
        .collect::<Result<()>>()?;
    let own_id = match keys[..] {
        [key] if is_id(&columns[key]) && references.iter().all(|(column, _)| *column != key) => {
            Some(key)
        }
        _ => None,
    };
    let natural = natural(connection, &name, &place)?;
    let rows = rows(connection, &name, &columns)?;
    Ok(Table {
        name,
        columns,
        own_id,
        references,
        natural,
        rows,
    })
}

fn natural(
    connection: &Connection,
    name: &str,
    place: &dyn Fn(&str) -> Option<usize>,
) -> Result<Vec<usize>> {
    if let Some((_, columns)) = NATURAL.iter().find(|(table, _)| *table == name)
        && let Some(places) = columns.iter().map(|column| place(column)).collect()
    {
        return Ok(places);
    }
    let query = "SELECT i.name FROM pragma_index_list(?1) AS l, pragma_index_info(l.name) AS i
                 WHERE l.seq = (SELECT min(seq) FROM pragma_index_list(?1) WHERE \"unique\" = 1 AND origin = 'u')";
    let columns: Vec<Option<String>> = connection
        .prepare(query)?
        .query_map([name], |row| row.get(0))?
        .collect::<Result<_>>()?;
    Ok(columns
        .into_iter()
        .flatten()
        .filter_map(|column| place(&column))
        .collect())
}

fn rows(connection: &Connection, name: &str, columns: &[String]) -> Result<Vec<Vec<Value>>> {
    let quoted: Vec<String> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.replace('"', "\"\"")))
        .collect();
    let query = format!(
        "SELECT {} FROM \"{}\"",
        quoted.join(", "),
        name.replace('"', "\"\"")
    );
    let mut statement = connection.prepare(&query)?;
    let rows = statement.query_map([], |row| {
        (0..columns.len()).map(|column| row.get(column)).collect()
    })?;
    rows.collect()
}

/// Returns whether a column's name says that it holds an id made by the program.
pub(super) fn is_id(column: &str) -> bool {
    matches!(column, "id" | "guid") || column.ends_with("_id") || column.ends_with("_guid")
}

/// Returns whether the text has the form of a UUID.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
