//! What a reading closure can do.

use std::path::Path;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};

use crate::error::Error;

/// One consistent state of the database: what others commit while the closure runs is not seen.
///
/// Statements are kept prepared. A snapshot held for long keeps the WAL from starting over, so stream or chunk long
/// reads.
pub struct Snapshot<'c> {
    connection: &'c Connection,
    path: &'c Path,
}

impl<'c> Snapshot<'c> {
    pub(crate) fn new(connection: &'c Connection, path: &'c Path) -> Self {
        Snapshot { connection, path }
    }

    /// What `row` makes of the first row; an error if there is none.
    pub fn query_row<T, P, F>(&self, sql: &str, params: P, row: F) -> Result<T, Error>
    where
        P: Params,
        F: FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    {
        self.prepare(sql)?
            .query_row(params, row)
            .map_err(|error| Error::statement(self.path, sql, error))
    }

    /// What `row` makes of the first row, if there is one.
    pub fn query_optional<T, P, F>(&self, sql: &str, params: P, row: F) -> Result<Option<T>, Error>
    where
        P: Params,
        F: FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    {
        let found = self.prepare(sql)?.query_row(params, row).optional();
        found.map_err(|error| Error::statement(self.path, sql, error))
    }

    /// What `row` makes of every row.
    pub fn query_all<T, P, F>(&self, sql: &str, params: P, row: F) -> Result<Vec<T>, Error>
    where
        P: Params,
        F: FnMut(&Row<'_>) -> rusqlite::Result<T>,
    {
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(params, row).and_then(Iterator::collect);
        rows.map_err(|error| Error::statement(self.path, sql, error))
    }

    /// Gives every row to `row` as it is read, in constant memory; an error of `row` ends the query.
    pub fn query_each<E, P, F>(&self, sql: &str, params: P, mut row: F) -> Result<(), E>
    where
        E: From<Error>,
        P: Params,
        F: FnMut(&Row<'_>) -> Result<(), E>,
    {
        let failed = |error| E::from(Error::statement(self.path, sql, error));
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(params).map_err(failed)?;
        while let Some(found) = rows.next().map_err(failed)? {
            row(found)?;
        }
        Ok(())
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>, Error> {
        self.connection
            .prepare_cached(sql)
            .map_err(|error| Error::statement(self.path, sql, error))
    }
}

impl std::fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
