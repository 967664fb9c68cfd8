//! A run's tables in a schema of a PostgreSQL server.
//!
//! One thread drives the connections; reads go over one of them, on the caller's thread, units over another one, on a
//! thread of their own, in the order in which they came. A connection that is lost is made again: what was read is read
//! anew, and a unit runs again unless it was committed, which a row of the writer's own tells ([`writer`]).
//!
//! Only standard statements are used, without notifications, advisory locks, triggers or extensions, so that servers that
//! speak PostgreSQL's protocol can stand in.

mod alone;
mod bind;
mod copy;
mod link;
mod schema;
mod writer;

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use run::Cancel;
use sqlite::WriteReport;
use tokio::runtime::Builder;
use tokio::sync::{Notify, oneshot};

pub(super) use self::bind::cell;
use self::link::{Link, Place};
pub(super) use self::link::{Snapshot, Transaction};
use self::writer::{Unit, Writer};
use crate::error::{Error, ServerFault};
use crate::run::{RunConfig, ServerAddress};

/// How long a lost server is waited for. A guess: a server that was killed is back within a minute.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long once somebody has asked to stop.
const HURRIED: Duration = Duration::from_secs(2);

/// A run on a server; clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Server {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    place: Place,
    reader: Mutex<Link>,
    /// Where units arrive; nothing once it is closed.
    gate: Mutex<Option<std::sync::mpsc::Sender<Box<dyn Unit>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    meter: Arc<Mutex<WriteReport>>,
    stop: Arc<OnceLock<Cancel>>,
    ended: Arc<Notify>,
    /// Who this process is to the others, where it has the run to itself.
    alone: OnceLock<Arc<str>>,
}

impl Server {
    /// Connects, and makes the run's schema or completes it if `may_make`.
    ///
    /// # Errors
    ///
    /// [`Error::Server`]; [`Error::NoDatabase`] if there is no schema and none may be made.
    pub(super) fn open(
        address: ServerAddress,
        config: &RunConfig,
        may_make: bool,
    ) -> Result<Self, Error> {
        let ended = Arc::new(Notify::new());
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::server(&address.shown, &error, ServerFault::Final))?;
        let place = Place::new(address, runtime.handle().clone(), &config.run_name)?;
        let until = Arc::clone(&ended);
        std::thread::Builder::new()
            .name("postgres".into())
            .spawn(move || runtime.block_on(until.notified()))
            .map_err(|error| Error::server(place.shown(), &error, ServerFault::Final))?;
        let mut reader = Link::new(place.clone());
        prepare(&mut reader, config, may_make).inspect_err(|_| ended.notify_one())?;
        let (gate, units) = std::sync::mpsc::channel();
        let meter = Arc::new(Mutex::new(WriteReport::default()));
        let stop = Arc::new(OnceLock::new());
        let writer = Writer::new(place.clone(), units, Arc::clone(&meter), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("postgres-writer".into())
            .spawn(move || writer.run())
            .map_err(|error| Error::server(place.shown(), &error, ServerFault::Final))?;
        Ok(Self {
            shared: Arc::new(Shared {
                place,
                reader: Mutex::new(reader),
                gate: Mutex::new(Some(gate)),
                writer: Mutex::new(Some(thread)),
                meter,
                stop,
                ended,
                alone: OnceLock::new(),
            }),
        })
    }

    /// The address and the schema, for people.
    pub(super) fn shown(&self) -> String {
        self.shared.place.to_string()
    }

    /// From now on a request to stop shortens how long a lost server is waited for.
    pub(super) fn heed(&self, cancel: &Cancel) {
        // A session asks once.
        let _ = self.shared.stop.set(cancel.clone());
    }

    /// From now on, a process that stands still within a transaction loses it after this time, so that it is in nobody's way.
    pub(super) fn idle_at_most(&self, most: Duration) {
        self.shared.place.idle_at_most(most);
    }

    pub(super) fn read<T>(
        &self,
        mut work: impl FnMut(&Snapshot<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut link = lock(&self.shared.reader);
        link.patiently(&self.shared.stop, |open| open.snapshot(&mut work))
    }

    pub(super) fn read_once<T>(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // A connection that was lost since the last read is noticed before anything is handed out.
        self.read(|snapshot| snapshot.each("SELECT 1", &[], |_| Ok(())))?;
        let mut link = lock(&self.shared.reader);
        link.once(|open| open.snapshot(work))
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Pending<T> {
        let alone = self.shared.alone.get().cloned();
        let (unit, answer) = writer::unit(move |tx| {
            if let Some(me) = &alone {
                alone::confirm(tx, me)?;
            }
            work(tx)
        });
        if let Some(gate) = &*lock(&self.shared.gate) {
            // A writer that is gone answers nothing, which the receiver tells.
            let _ = gate.send(unit);
        }
        Pending { answer }
    }

    /// Has the run to itself from now on, as far as those are concerned who ask for the same. `place` is where this
    /// process would be started again; whoever was there before it is dead.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another process has it.
    pub(super) fn take_alone(&self, run: &str, place: &str) -> Result<(), Error> {
        let me: Arc<str> = format!("{place} {}", uuid::Uuid::new_v4()).into();
        let (owner, place) = (Arc::clone(&me), place.to_owned());
        let taken = self.write(move |tx| alone::take(tx, &owner, &place));
        if !pollster::block_on(taken)? {
            return Err(Error::Busy {
                run: run.to_owned(),
            });
        }
        // A session asks once.
        let _ = self.shared.alone.set(me);
        Ok(())
    }

    pub(super) fn report(&self) -> WriteReport {
        lock(&self.shared.meter).clone()
    }

    /// Waits until what was given to the writer is recorded, and ends it.
    pub(super) fn close(&self) -> WriteReport {
        if let Some(me) = self.shared.alone.get().cloned() {
            // Where it cannot be told, others wait until the lease has ended.
            let _ = pollster::block_on(self.write(move |tx| alone::leave(tx, &me)));
        }
        self.shared.close();
        self.report()
    }
}

/// Prepares the schema, as soon as a server that is on its way up lets it. One that does not answer at all is more
/// likely not where it was looked for.
fn prepare(link: &mut Link, config: &RunConfig, may_make: bool) -> Result<(), Error> {
    let begun = Instant::now();
    loop {
        match schema::prepare(link, config, may_make) {
            Err(Error::Server {
                fault: ServerFault::NotUp,
                ..
            }) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(250)),
            other => return other,
        }
    }
}

impl Shared {
    fn close(&self) {
        lock(&self.gate).take();
        if let Some(thread) = lock(&self.writer).take() {
            // A panic of the writer was told by the units that got no answer.
            let _ = thread.join();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
        self.ended.notify_one();
    }
}

/// A unit on its way, as a future for any runtime.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    answer: oneshot::Receiver<Result<T, Error>>,
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(Error::Gone("the writer of the database"))))
    }
}

/// A thread that panicked left nothing half done: every change is one assignment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
