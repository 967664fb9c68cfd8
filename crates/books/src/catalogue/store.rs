//! The two engines behind one set of statements: a file of SQLite, or a schema of a PostgreSQL server.
//!
//! Statements are written once, in the dialect that both speak, with `?1`, `?2`, .. for values. Reading closures see one
//! consistent state; writing closures are units that commit whole, in the order in which they came, and may run more
//! than once: a server undoes one of two units that are in each other's way, or is restarted.

use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use run::Cancel;
use sqlite::{Db, Pending, WriteReport};

use crate::catalogue::Catalogue;
use crate::catalogue::server::{self, Server};
use crate::catalogue::value::{Row, Value};
use crate::error::Error;

/// Where the tables are.
#[derive(Clone, Debug)]
pub(super) enum Store {
    File(Db),
    Server(Server),
}

/// What becomes of rows that are there already: the columns that tell, and the end of `ON CONFLICT (..)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conflict {
    pub(crate) key: &'static [&'static str],
    pub(crate) then: &'static str,
}

impl Conflict {
    pub(crate) fn clause(self) -> String {
        format!("ON CONFLICT ({}) {}", self.key.join(", "), self.then)
    }
}

/// One consistent state of the database.
pub(crate) enum Reader<'a> {
    File(&'a sqlite::Snapshot<'a>),
    Server(&'a server::Snapshot<'a>),
}

impl Reader<'_> {
    /// Gives every row to `row` as it is read, in constant memory.
    pub(crate) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::File(snapshot) => {
                let values = sqlite::params_from_iter(values);
                snapshot.query_each(sql, values, |found| row(&Row::File(found)))
            }
            Self::Server(snapshot) => snapshot.each(sql, values, |found| row(&Row::Server(found))),
        }
    }

    /// What `row` makes of every row.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.each(sql, values, |found| {
            all.push(row(found)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// What `row` makes of the first row, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        row: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Ok(self.all(sql, values, row)?.into_iter().next())
    }

    /// What `row` makes of the one row that such a statement always has.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        row: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let found = self.first(sql, values, row)?;
        found.ok_or(Error::Unexpected {
            column: 0,
            expected: "a row",
            found: "none".to_owned(),
        })
    }

    /// A relation with the columns `value` and `key`, the place in the list, that a statement can select from; the list
    /// is the statement's value `number`.
    pub(crate) fn list(&self, number: usize) -> String {
        match self {
            Self::File(_) => format!("(SELECT value, key FROM json_each(?{number})) AS list"),
            Self::Server(_) => format!(
                "(SELECT value, key FROM json_array_elements_text(CAST(CAST(?{number} AS TEXT) AS JSON))
                     WITH ORDINALITY AS listed (value, key)) AS list"
            ),
        }
    }
}

/// An open transaction, as a unit sees it: it changes rows and asks nothing.
pub(crate) enum Tx<'a> {
    File(&'a sqlite::Tx<'a>),
    Server(&'a server::Transaction<'a>),
}

impl Tx<'_> {
    /// Runs one statement; the number of rows it inserted, updated or deleted.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        match self {
            Self::File(tx) => Ok(tx.execute(sql, sqlite::params_from_iter(values))?),
            Self::Server(tx) => tx.execute(sql, values),
        }
    }

    /// Runs a statement of a server's own; what `row` makes of each row returned. A file's units ask nothing.
    pub(super) fn returning<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let Self::Server(tx) = self else {
            return Err(Error::OnlyOnServer("answers within a unit"));
        };
        let mut all = Vec::new();
        tx.each(sql, values, |found| {
            all.push(row(&Row::Server(found))?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Inserts many rows, one after the other as far as their effect goes: of two with the same key, the second one meets
    /// the first.
    pub(crate) fn insert_rows<'v, R>(
        &self,
        table: &'static str,
        columns: &[&'static str],
        conflict: Option<Conflict>,
        rows: impl Iterator<Item = R>,
    ) -> Result<u64, Error>
    where
        R: AsRef<[Value<'v>]> + IntoIterator<Item = Value<'v>>,
    {
        match self {
            Self::File(tx) => {
                let clause = conflict.map(Conflict::clause).unwrap_or_default();
                let rows = rows.map(sqlite::params_from_iter);
                Ok(tx.insert_rows(table, columns, &clause, rows)?)
            }
            Self::Server(tx) => tx.insert_rows(table, columns, conflict, rows),
        }
    }
}

/// A unit on its way to be recorded, as a future for any runtime.
#[must_use = "a unit that nobody awaits may never run"]
pub(crate) enum Recorded<T> {
    File(Pending<T, Error>),
    Server(server::Pending<T>),
}

impl<T> Future for Recorded<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::File(pending) => Pin::new(pending).poll(context),
            Self::Server(pending) => Pin::new(pending).poll(context),
        }
    }
}

impl Catalogue {
    /// Runs `work` on one consistent state. It may run again from the start where a server had to be reached anew.
    pub(crate) fn read<T>(
        &self,
        mut work: impl FnMut(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.store {
            Store::File(db) => db.read(|snapshot| work(&Reader::File(snapshot))),
            Store::Server(server) => server.read(|snapshot| work(&Reader::Server(snapshot))),
        }
    }

    /// The same for work that hands rows out and cannot begin again.
    pub(crate) fn read_once<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.store {
            Store::File(db) => db.read(|snapshot| work(&Reader::File(snapshot))),
            Store::Server(server) => server.read_once(|snapshot| work(&Reader::Server(snapshot))),
        }
    }

    /// Queues `work` as one unit and returns at once.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        label: &'static str,
        work: impl Fn(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Recorded<T> {
        match &self.store {
            Store::File(db) => Recorded::File(db.write_async(label, move |tx| work(&Tx::File(tx)))),
            Store::Server(server) => {
                Recorded::Server(server.write(move |tx| work(&Tx::Server(tx))))
            }
        }
    }

    /// Queues `work` as one unit and waits until it is committed.
    pub(crate) fn write_now<T: Send + 'static>(
        &self,
        label: &'static str,
        work: impl Fn(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        pollster::block_on(self.write(label, work))
    }

    /// What the writes have cost so far.
    pub(crate) fn report(&self) -> WriteReport {
        match &self.store {
            Store::File(db) => db.report(),
            Store::Server(server) => server.report(),
        }
    }

    /// What is damaged in the database itself. A server looks after its own files.
    pub(super) fn damage(&self) -> Result<Vec<String>, Error> {
        match &self.store {
            Store::File(db) => Ok(db.check()?.damage),
            Store::Server(_) => Ok(Vec::new()),
        }
    }

    /// Copies one consistent state into a new file of SQLite.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], [`Error::NotOnServer`].
    pub(crate) fn back_up(&self, path: &Path) -> Result<(), Error> {
        match &self.store {
            Store::File(db) => Ok(db.backup(path)?),
            Store::Server(_) => Err(Error::NotOnServer("copy of its database as a file")),
        }
    }

    /// Has the run to itself, on whatever machine others are; `directory` is that of the run here, of which this process
    /// holds the lock.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`], [`Error::Server`].
    pub(crate) fn take_alone(&self, run: &str, directory: &Path) -> Result<(), Error> {
        let Store::Server(server) = &self.store else {
            return Ok(());
        };
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let place = format!(
            "{}:{}",
            crate::catalogue::claims::host(),
            directory.display()
        );
        server.take_alone(run, &place)
    }

    /// From now on a request to stop shortens how long a lost server is waited for.
    pub(crate) fn heed(&self, cancel: &Cancel) {
        if let Store::Server(server) = &self.store {
            server.heed(cancel);
        }
    }
}
