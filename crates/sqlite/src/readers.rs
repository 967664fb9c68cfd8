//! The few reading connections: opened when first needed, lent one at a time, closed together.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::connect::{self, Access};
use crate::error::Error;
use crate::settings::Settings;

/// Lends reading connections; whoever finds none waits.
#[derive(Debug)]
pub(crate) struct Readers {
    access: Access,
    shelf: Mutex<Shelf>,
    returned: Condvar,
    /// Asked whether the database has changed, and nothing else: each connection counts changes from its own beginning.
    watch: Mutex<Option<Connection>>,
}

#[derive(Debug)]
struct Shelf {
    idle: Vec<Connection>,
    lent: usize,
    closed: bool,
}

/// A connection on loan; it goes back when dropped.
pub(crate) struct Loan<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl Readers {
    /// Starts with what is open already.
    pub(crate) fn new(access: Access, idle: Vec<Connection>) -> Self {
        Readers {
            access,
            shelf: Mutex::new(Shelf {
                idle,
                lent: 0,
                closed: false,
            }),
            returned: Condvar::new(),
            watch: Mutex::default(),
        }
    }

    /// A number that is another one after each change that anybody has committed.
    pub(crate) fn version(&self, settings: &Settings) -> Result<i64, Error> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if self.lock().closed {
            return Err(Error::Closed {
                path: settings.path.clone(),
            });
        }
        let connection = match watch.take() {
            Some(connection) => connection,
            None => connect::reader(settings, self.access)?,
        };
        let version = connect::data_version(&connection);
        *watch = Some(connection);
        version.map_err(|error| Error::sqlite(&settings.path, error))
    }

    /// A connection, in the order in which the system wakes those who wait.
    pub(crate) fn lend(&self, settings: &Settings) -> Result<Loan<'_>, Error> {
        let mut stock = self.lock();
        loop {
            if stock.closed {
                return Err(Error::Closed {
                    path: settings.path.clone(),
                });
            }
            if let Some(connection) = stock.idle.pop() {
                stock.lent += 1;
                return Ok(Loan {
                    readers: self,
                    connection: Some(connection),
                });
            }
            if stock.lent < settings.readers {
                stock.lent += 1;
                drop(stock);
                // A loan without a connection gives its place back if opening fails.
                let mut loan = Loan {
                    readers: self,
                    connection: None,
                };
                loan.connection = Some(connect::reader(settings, self.access)?);
                return Ok(loan);
            }
            stock = self
                .returned
                .wait(stock)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lends nothing more, waits for what is on loan and closes all of them.
    pub(crate) fn close(&self) {
        let mut stock = self.lock();
        stock.closed = true;
        self.returned.notify_all();
        while stock.lent > 0 {
            stock = self
                .returned
                .wait(stock)
                .unwrap_or_else(PoisonError::into_inner);
        }
        stock.idle.clear();
        drop(stock);
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loan<'_> {
    /// Runs `work` inside one transaction, so that everything it reads belongs together.
    pub(crate) fn in_snapshot<T, E>(
        &self,
        settings: &Settings,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let connection = self
            .connection
            .as_ref()
            .expect("a loan that was granted has a connection");
        let failed = |error| E::from(Error::sqlite(&settings.path, error));
        // Ends on drop, also when the closure fails or panics; there is nothing to commit.
        let transaction = connection.unchecked_transaction().map_err(failed)?;
        let result = work(connection)?;
        transaction.finish().map_err(failed)?;
        Ok(result)
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut stock = self.readers.lock();
        stock.lent -= 1;
        // A connection whose transaction could not be ended would show an old state for ever.
        if let Some(connection) = self.connection.take().filter(Connection::is_autocommit)
            && !stock.closed
        {
            stock.idle.push(connection);
        }
        drop(stock);
        self.readers.returned.notify_all();
    }
}
