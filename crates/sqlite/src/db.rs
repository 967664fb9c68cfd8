//! The handle that everything goes through.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::backup;
use crate::check::{self, CheckReport};
use crate::connect::Access;
use crate::error::Error;
use crate::gate::{Pending, Ticket, received};
use crate::inside::Id;
use crate::log;
use crate::readers::Readers;
use crate::report::{Meter, WriteReport};
use crate::schema::Warning;
use crate::settings::Settings;
use crate::snapshot::Snapshot;
use crate::tx::Tx;
use crate::writer::{Hurry, Writer};

/// An open database; clones share it.
///
/// When the last clone is dropped, queued units are finished and the connections closed, which waits. Errors are not
/// seen then; [`Db::close`] reports them.
#[derive(Clone, Debug)]
pub struct Db {
    shared: Arc<Shared>,
    patience: Option<Duration>,
}

#[derive(Debug)]
struct Shared {
    id: Id,
    settings: Settings,
    warnings: Vec<Warning>,
    meter: Arc<Meter>,
    hurry: Arc<Hurry>,
    readers: Readers,
    gate: Mutex<Gate>,
    writer: Mutex<Option<JoinHandle<Result<(), Error>>>>,
}

/// Where units go.
#[derive(Debug)]
enum Gate {
    Open(Sender<Ticket>),
    ReadOnly,
    Closed,
}

/// A state of a database, to be compared with others of the same [`Db`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(i64);

impl Db {
    /// Starts the writer thread.
    pub(crate) fn start(
        settings: Settings,
        connection: Connection,
        meter: Arc<Meter>,
        warnings: Vec<Warning>,
    ) -> Result<Db, Error> {
        let id = Id::unique();
        let (sender, receiver) = channel();
        let hurry = Arc::new(Hurry::default());
        let writer = Writer::new(
            connection,
            settings.clone(),
            Arc::clone(&meter),
            receiver,
            Arc::clone(&hurry),
        )?;
        let work = move || {
            let _inside = id.enter();
            writer.run()
        };
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(work);
        let writer = Mutex::new(Some(
            thread.map_err(|error| Error::io(&settings.path, &error))?,
        ));
        let readers = Readers::new(Access::Shared, Vec::new());
        let gate = Mutex::new(Gate::Open(sender));
        Ok(Db {
            shared: Arc::new(Shared {
                id,
                settings,
                warnings,
                meter,
                hurry,
                readers,
                gate,
                writer,
            }),
            patience: None,
        })
    }

    /// A handle without a writer.
    pub(crate) fn read_only(
        settings: Settings,
        first: Connection,
        access: Access,
        warnings: Vec<Warning>,
    ) -> Db {
        let readers = Readers::new(access, vec![first]);
        let (gate, writer) = (Mutex::new(Gate::ReadOnly), Mutex::new(None));
        let meter = Arc::new(Meter::default());
        Db {
            shared: Arc::new(Shared {
                id: Id::unique(),
                settings,
                warnings,
                meter,
                hurry: Arc::default(),
                readers,
                gate,
                writer,
            }),
            patience: None,
        }
    }

    /// Runs `work` on one consistent state of the database. Never waits for a writer.
    ///
    /// Waits while all readers are in use. Inside a closure of the same database it is refused with
    /// [`Error::Nested`].
    pub fn read<T, E>(&self, work: impl FnOnce(&Snapshot<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        let settings = &self.shared.settings;
        self.not_inside("read")?;
        let _inside = self.shared.id.enter();
        let loan = self.shared.readers.lend(settings)?;
        loan.in_snapshot(settings, |connection| {
            work(&Snapshot::new(connection, &settings.path))
        })
    }

    /// The state that the database is in: it equals one that was told before as long as nobody, in whatever process, has
    /// committed a change since. What is kept of a database in memory is asked for it first, and read afterwards.
    pub fn state(&self) -> Result<State, Error> {
        self.not_inside("state")?;
        let _inside = self.shared.id.enter();
        let version = self.shared.readers.version(&self.shared.settings)?;
        Ok(State(version))
    }

    /// Queues `work` as one unit and waits until it is committed.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().expect("a temporary directory");
    /// # let db = sqlite::Options::new(directory.path().join("a.db")).open()?;
    /// db.write("make tables", |tx| {
    ///     tx.execute("CREATE TABLE note (title TEXT)", [])?;
    ///     Ok(())
    /// })?;
    /// # Ok::<(), sqlite::Error>(())
    /// ```
    ///
    /// Closures with an error type of their own go to [`Db::try_write`].
    ///
    /// The unit is all or nothing: an error or a panic of the closure undoes it, the panic continues in the caller.
    /// Units of all threads run one after the other in the order in which they came, some of them in one transaction.
    /// Prepare everything outside; while the closure runs, nobody else can write.
    pub fn write<T, F>(&self, label: &'static str, work: F) -> Result<T, Error>
    where
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.try_write(label, work)
    }

    /// [`Db::write`] with an error type of the caller.
    pub fn try_write<T, E, F>(&self, label: &'static str, work: F) -> Result<T, E>
    where
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.submit(Ticket::new(label, work, reply))?;
        received(answer.recv().ok(), &self.closed())
    }

    /// Queues `work` as [`Db::write`] does and returns at once; the result is a future for any runtime.
    pub fn write_async<T, E, F>(&self, label: &'static str, work: F) -> Pending<T, E>
    where
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::async_channel();
        match self.submit(Ticket::new(label, work, reply)) {
            Ok(()) => Pending::queued(answer, self.closed()),
            Err(error) => Pending::refused(error),
        }
    }

    /// A handle on the same database whose units wait for other processes no longer than `limit`, for callers with somebody
    /// waiting for an answer; those of other handles are not affected.
    #[must_use]
    pub fn with_patience(&self, limit: Duration) -> Db {
        Db {
            shared: Arc::clone(&self.shared),
            patience: Some(limit),
        }
    }

    /// Whether the file that was opened is still at its path; does not wait for anybody.
    ///
    /// # Errors
    ///
    /// [`Error::Moved`] where it is not, another one where that cannot be found out.
    pub fn check_home(&self) -> Result<(), Error> {
        self.shared.settings.check_home()
    }

    /// What the writes have cost so far.
    pub fn report(&self) -> WriteReport {
        self.shared.meter.report()
    }

    /// What opening the file noticed and did not refuse.
    pub fn warnings(&self) -> &[Warning] {
        &self.shared.warnings
    }

    /// The file, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.shared.settings.path
    }

    /// Copies one consistent state of the database to a new file, which appears at once and complete.
    ///
    /// Nobody has to wait for it; the WAL cannot start over until it is done. An existing file is never replaced.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.not_inside("backup")?;
        let settings = &self.shared.settings;
        let _inside = self.shared.id.enter();
        let loan = self.shared.readers.lend(settings)?;
        loan.in_snapshot(settings, |connection| {
            backup::copy(connection, path.as_ref(), settings)
        })
    }

    /// Copies as [`Db::backup`] does, reads the copy whole, and only then gives it its name; with `replace`, over a file
    /// that is there. A database that proves to be damaged replaces nothing: [`Error::Corrupt`].
    pub fn backup_checked(&self, path: impl AsRef<Path>, replace: bool) -> Result<(), Error> {
        self.not_inside("backup")?;
        let settings = &self.shared.settings;
        let _inside = self.shared.id.enter();
        let loan = self.shared.readers.lend(settings)?;
        loan.in_snapshot(settings, |connection| {
            let source = (connection, &*settings.path);
            backup::copy_checked(source, path.as_ref(), settings, replace)
        })
    }

    /// Cuts waiting for other processes short whenever `asked` answers yes, such as after Ctrl-C: a unit then waits two
    /// seconds at most. A later call replaces the question.
    pub fn hurry_when(&self, asked: impl Fn() -> bool + Send + Sync + 'static) {
        self.shared.hurry.when(Box::new(asked));
    }

    /// Looks for damage and for references to rows that do not exist. Reads the whole file.
    pub fn check(&self) -> Result<CheckReport, Error> {
        self.read(check::check)
    }

    /// Finishes queued units, closes all connections, and reports what the writes have cost.
    ///
    /// Later calls on any clone fail with [`Error::Closed`]. Waits for reads that are under way. If no other process
    /// has the file open, its WAL is gone afterwards.
    pub fn close(&self) -> Result<WriteReport, Error> {
        self.not_inside("close")?;
        self.shared.close()?;
        Ok(self.report())
    }

    fn submit(&self, mut ticket: Ticket) -> Result<(), Error> {
        self.not_inside_writer(ticket.label)?;
        ticket.patience = self.patience;
        match &*self.shared.gate() {
            Gate::Open(sender) => sender.send(ticket).map_err(|_| self.closed()),
            Gate::ReadOnly => Err(Error::ReadOnly {
                path: self.shared.settings.path.clone(),
            }),
            Gate::Closed => Err(self.closed()),
        }
    }

    fn closed(&self) -> Error {
        Error::Closed {
            path: self.shared.settings.path.clone(),
        }
    }

    fn not_inside(&self, label: &'static str) -> Result<(), Error> {
        if self.shared.id.is_inside() {
            Err(Error::Nested { label })
        } else {
            Ok(())
        }
    }

    /// A read may write, a write may not.
    fn not_inside_writer(&self, label: &'static str) -> Result<(), Error> {
        if self.shared.is_writer() {
            Err(Error::Nested { label })
        } else {
            Ok(())
        }
    }
}

impl Shared {
    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Option<JoinHandle<Result<(), Error>>>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the writer thread.
    fn is_writer(&self) -> bool {
        self.writer()
            .as_ref()
            .is_some_and(|writer| writer.thread().id() == std::thread::current().id())
    }

    /// Readers first: the last connection must be one that can remove the WAL.
    fn close(&self) -> Result<(), Error> {
        let gate = std::mem::replace(&mut *self.gate(), Gate::Closed);
        if self.is_writer() {
            // The last handle was dropped by a unit. The writer ends by itself, it cannot wait for itself.
            return Ok(());
        }
        self.readers.close();
        drop(gate);
        let thread = self.writer().take();
        match thread.map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(closed)) => closed,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            log::warning!(self.settings.path, "closing failed: {error}");
        }
    }
}
