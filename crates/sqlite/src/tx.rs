//! What a unit can do while the write lock is held: change rows, and nothing else.

use std::cell::{Cell, RefCell};
use std::path::Path;

use rusqlite::{CachedStatement, Connection, Params, Row};

use crate::error::{Error, shorten};

/// The open transaction, as a unit sees it.
///
/// It only takes statements that change rows. Whatever a unit needs to know is read before, or comes back by
/// `RETURNING`: the lock is held for as long as the closure runs.
pub struct Tx<'c> {
    connection: &'c Connection,
    path: &'c Path,
    rows: Cell<u64>,
    /// The failure of the file that may have ended the transaction for everyone in it.
    fatal: RefCell<Option<Error>>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c Connection, path: &'c Path) -> Self {
        Tx {
            connection,
            path,
            rows: Cell::new(0),
            fatal: RefCell::new(None),
        }
    }

    /// Runs one statement; the number of rows it inserted, updated or deleted.
    pub fn execute<P: Params>(&self, sql: &str, params: P) -> Result<u64, Error> {
        let mut statement = self.prepare(sql)?;
        let before = self.connection.total_changes();
        let rows = statement
            .execute(params)
            .map_err(|error| self.failed(sql, error))?;
        // A statement without rows, such as `CREATE TABLE`, leaves the count of the one before it in place.
        let changed = self.connection.total_changes() > before;
        let rows = if changed { rows as u64 } else { 0 };
        self.count(rows);
        Ok(rows)
    }

    /// Runs one `INSERT`, `UPDATE` or `DELETE .. RETURNING`; what `row` makes of each row returned.
    pub fn returning<T, P, F>(&self, sql: &str, params: P, row: F) -> Result<Vec<T>, Error>
    where
        P: Params,
        F: FnMut(&Row<'_>) -> rusqlite::Result<T>,
    {
        let mut statement = self.prepare(sql)?;
        let values = statement
            .query_map(params, row)
            .and_then(Iterator::collect::<rusqlite::Result<Vec<T>>>)
            .map_err(|error| self.failed(sql, error))?;
        self.count(self.connection.changes());
        Ok(values)
    }

    /// Inserts many rows by one prepared statement; the number inserted or updated.
    ///
    /// Statements of many rows are no faster (`examples/cost.rs` measures both), and this way no row count meets a limit.
    ///
    /// `conflict` ends the statement, such as `ON CONFLICT (id) DO NOTHING`, or is empty.
    pub fn insert_rows<P, I>(
        &self,
        table: &str,
        columns: &[&str],
        conflict: &str,
        rows: I,
    ) -> Result<u64, Error>
    where
        P: Params,
        I: IntoIterator<Item = P>,
    {
        let sql = insert_statement(table, columns, conflict);
        let mut statement = self.prepare(&sql)?;
        let mut inserted = 0;
        for row in rows {
            inserted += statement
                .execute(row)
                .map_err(|error| self.failed(&sql, error))? as u64;
        }
        self.count(inserted);
        Ok(inserted)
    }

    /// Rows inserted, updated or deleted by this unit so far; those of triggers are not counted.
    pub(crate) fn rows_changed(&self) -> u64 {
        self.rows.get()
    }

    /// The failure that may have ended the transaction.
    pub(crate) fn into_fatal(self) -> Option<Error> {
        self.fatal.into_inner()
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>, Error> {
        if steers(sql) {
            return Err(Error::Forbidden { sql: shorten(sql) });
        }
        let statement = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| self.failed(sql, error))?;
        if statement.readonly() {
            return Err(Error::ReadInsideWrite { sql: shorten(sql) });
        }
        Ok(statement)
    }

    fn count(&self, rows: u64) {
        self.rows.set(self.rows.get() + rows);
    }

    fn failed(&self, sql: &str, error: rusqlite::Error) -> Error {
        if let Some(fatal) = Error::of_file(self.path, &error) {
            self.fatal.replace(Some(fatal));
        }
        Error::statement(self.path, sql, error)
    }
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

fn insert_statement(table: &str, columns: &[&str], conflict: &str) -> String {
    let quoted: Vec<_> = columns.iter().map(|column| quote(column)).collect();
    let values = vec!["?"; columns.len()].join(", ");
    format!(
        "INSERT INTO {} ({}) VALUES ({values}) {conflict}",
        quote(table),
        quoted.join(", ")
    )
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether a statement steers the transaction or the connection and is the engine's alone.
///
/// SQLite calls some of them read-only and some not, so the first word decides. `OR ROLLBACK`, wherever it stands, would
/// undo the other units of the transaction, too.
fn steers(sql: &str) -> bool {
    const ALONE: [&str; 10] = [
        "BEGIN",
        "ROLLBACK",
        "COMMIT",
        "END",
        "SAVEPOINT",
        "RELEASE",
        "ATTACH",
        "DETACH",
        "VACUUM",
        "PRAGMA",
    ];
    let mut words = Words { rest: sql };
    let is = |word: &str, other: &str| word.eq_ignore_ascii_case(other);
    let first = words.next().unwrap_or_default();
    // Statements are looked at each time they run, and hardly one has these letters at all.
    ALONE.iter().any(|alone| is(first, alone))
        || (has_rollback(words.rest) && words.any(|word| is(word, "ROLLBACK")))
}

/// A K is rare in statements, and so looked for first.
fn has_rollback(sql: &str) -> bool {
    const WORD: &[u8] = b"ROLLBACK";
    let bytes = sql.as_bytes();
    let ends = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte | 0x20 == b'k');
    let mut words = ends.filter_map(|(end, _)| bytes.get((end + 1).checked_sub(WORD.len())?..=end));
    words.any(|word| word.eq_ignore_ascii_case(WORD))
}

/// The bare words of a statement: neither strings nor quoted names nor comments.
struct Words<'s> {
    rest: &'s str,
}

impl<'s> Iterator for Words<'s> {
    type Item = &'s str;

    fn next(&mut self) -> Option<&'s str> {
        loop {
            let rest = self.rest;
            let first = rest.chars().next()?;
            let skipped = match first {
                '-' if rest.starts_with("--") => past(rest, 2, "\n"),
                '/' if rest.starts_with("/*") => past(rest, 2, "*/"),
                // A doubled quote ends one string and begins the next, which comes to the same.
                '\'' => past(rest, 1, "'"),
                '"' => past(rest, 1, "\""),
                '`' => past(rest, 1, "`"),
                '[' => past(rest, 1, "]"),
                // Letters outside ASCII belong to names, but not the mark of the byte order.
                _ if is_of_word(first) => {
                    let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
                    self.rest = &rest[end..];
                    return Some(&rest[..end]);
                }
                _ => &rest[first.len_utf8()..],
            };
            self.rest = skipped;
        }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || (!c.is_ascii() && c != '\u{feff}')
}

/// What follows the next `end`, after `from` bytes.
fn past<'s>(text: &'s str, from: usize, end: &str) -> &'s str {
    let inside = &text[from..];
    inside
        .find(end)
        .map_or("", |found| &inside[found + end.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_steer_are_found_behind_blanks_and_comments() {
        for sql in [
            "COMMIT",
            " begin immediate",
            ";;\n-- why\n /* not */ Rollback to unit",
            "\u{feff}PRAGMA journal_mode = DELETE",
            "end;",
            "--\nrelease x",
            "INSERT OR ROLLBACK INTO note VALUES (1)",
            "update /* all */ or rollback note SET id = 1",
            "WITH x AS (SELECT 1) INSERT OR ROLLBACK INTO note SELECT * FROM x",
            "with x as (select 'it''s', \"a\"\"b\", [c], `d`) insert or--\nrollback into note select 1",
            "CREATE TRIGGER t AFTER INSERT ON note BEGIN SELECT raise(ROLLBACK, 'no'); END",
        ] {
            assert!(steers(sql), "{sql}");
        }
        for sql in [
            "INSERT INTO begin VALUES (1)",
            "-- COMMIT",
            "",
            "ENDS",
            "DELETE FROM \"commit\"",
            "INSERT OR IGNORE INTO note VALUES ('or rollback')",
            "WITH x AS (SELECT 'or rollback') INSERT INTO \"rollback\" SELECT * FROM x -- OR ROLLBACK",
            "INSERT INTO note (rollbacks, é_rollback) VALUES (1, 2)",
            "INSERT INTO note VALUES ('unfinished",
        ] {
            assert!(!steers(sql), "{sql}");
        }
    }

    #[test]
    fn names_are_quoted() {
        let sql = insert_statement("a \"b\"", &["order", "x"], "ON CONFLICT DO NOTHING");
        assert_eq!(
            sql,
            "INSERT INTO \"a \"\"b\"\"\" (\"order\", \"x\") VALUES (?, ?) ON CONFLICT DO NOTHING"
        );
    }
}
