//! Compares two databases by what they say, not by the ids and times they happen to have.
//!
//! Two imports of the same files never give the same `wkmp.db`: every guid is random. Here a guid is replaced by what
//! its row is about (a file by its path, a passage by its file and start, a song by its recording), wherever it is
//! used, in key columns and inside JSON. Tables are not known by name, except for the natural keys of a few, so one
//! that is added later is compared as well.

mod resolve;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Result};

use resolve::Resolver;

/// The content of a database: each table's rows as text, sorted.
pub type Dump = BTreeMap<String, Vec<String>>;

/// What a comparison leaves out.
#[derive(Debug, Clone)]
pub struct Rules {
    columns: BTreeSet<String>,
    tables: BTreeSet<String>,
    kept: BTreeSet<String>,
}

impl Default for Rules {
    /// Leaves out times of day (columns `*_at`, `*timestamp*`, `modification_time`, `modified_ns`, `changed_ns`),
    /// session ids, `import_duration_ms` and `stamp` (a number drawn anew at every change), also as JSON keys; no table.
    fn default() -> Self {
        let columns = [
            "modification_time",
            "modified_ns",
            "changed_ns",
            "session_id",
            "import_session_id",
            "import_duration_ms",
            "stamp",
        ];
        Self {
            columns: columns.map(str::to_owned).into(),
            tables: BTreeSet::new(),
            kept: BTreeSet::new(),
        }
    }
}

impl Rules {
    /// Leaves out one more column, in whichever table.
    #[must_use]
    pub fn without_column(mut self, name: &str) -> Self {
        self.columns.insert(name.to_owned());
        self
    }

    /// Leaves out a table, such as `import_sessions`, of which every resumed run adds a row.
    #[must_use]
    pub fn without_table(mut self, name: &str) -> Self {
        self.tables.insert(name.to_owned());
        self
    }

    /// Compares a column that would be left out, such as `modification_time`.
    #[must_use]
    pub fn with_column(mut self, name: &str) -> Self {
        self.kept.insert(name.to_owned());
        self
    }

    fn ignores(&self, column: &str) -> bool {
        let time = column.ends_with("_at") || column.contains("timestamp");
        (time || self.columns.contains(column)) && !self.kept.contains(column)
    }
}

/// Reads the whole database with the usual [`Rules`].
pub fn dump(database: &Path) -> Result<Dump> {
    dump_by(database, &Rules::default())
}

/// Reads the whole database, in one read transaction; it may be in use.
pub fn dump_by(database: &Path, rules: &Rules) -> Result<Dump> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.execute_batch("BEGIN")?;
    let tables = schema::tables(&connection)?;
    let resolver = Resolver::new(&tables, rules);
    let chosen = tables
        .iter()
        .filter(|table| !rules.tables.contains(&table.name));
    Ok(chosen
        .map(|table| (table.name.clone(), resolver.rows(table)))
        .collect())
}

/// Returns every difference as a line: `-` is only in `left`, `+` only in `right`; nothing when they are equal.
pub fn differences(left: &Dump, right: &Dump) -> Vec<String> {
    let mut lines = Vec::new();
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for name in names {
        match (left.get(name), right.get(name)) {
            (Some(left), Some(right)) => {
                lines.extend(
                    missing(left, right)
                        .into_iter()
                        .map(|row| format!("- {name}: {row}")),
                );
                lines.extend(
                    missing(right, left)
                        .into_iter()
                        .map(|row| format!("+ {name}: {row}")),
                );
            }
            (Some(_), None) => lines.push(format!("- table {name}")),
            (None, _) => lines.push(format!("+ table {name}")),
        }
    }
    lines
}

/// Returns the rows of `from` that `other` has not, or not as often.
fn missing<'a>(from: &'a [String], other: &[String]) -> Vec<&'a String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in other {
        *counts.entry(row).or_default() += 1;
    }
    let mut absent = |row: &&String| match counts.get_mut(row.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    from.iter().filter(|row| absent(row)).collect()
}

/// Asserts that two databases say the same.
///
/// # Panics
///
/// When they do not, with the first forty differences, or when one cannot be read.
pub fn assert_same(left: &Path, right: &Path, rules: &Rules) {
    let read = |path: &Path| {
        dump_by(path, rules)
            .unwrap_or_else(|error| panic!("`{}` cannot be read: {error}", path.display()))
    };
    let found = differences(&read(left), &read(right));
    let shown = found
        .iter()
        .take(40)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        found.is_empty(),
        "{} differences between the libraries:\n{shown}",
        found.len()
    );
}
