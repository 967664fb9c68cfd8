//! The one writer: units from a queue, committed in their order, each of them exactly once.
//!
//! Units that wait are committed together, since a commit waits for the disk; if one of them fails, each runs alone. A
//! connection that is lost while a commit is under way leaves open whether it took place. So each transaction also writes
//! its number into a row of this writer, and that row, locked until a transaction of before has ended, tells.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use run::Cancel;
use sqlite::WriteReport;
use tokio::sync::oneshot;

use super::link::{Link, Open, Place, Transaction};
use super::lock;
use crate::catalogue::value::{FromCell, Value};
use crate::error::Error;

/// Units committed together at most. A guess: a hundred books are recorded in some ten milliseconds.
const MOST_UNITS: usize = 64;

/// A unit of work, which may run more than once.
pub(super) trait Unit: Send {
    /// Runs it; what it returned is kept.
    fn attempt(&mut self, tx: &Transaction<'_>) -> Result<(), Error>;
    /// Tells that it was committed, or why not.
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

struct Work<T, W> {
    run: W,
    made: Option<T>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T, W> Unit for Work<T, W>
where
    T: Send,
    W: Fn(&Transaction<'_>) -> Result<T, Error> + Send,
{
    fn attempt(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        self.made = Some((self.run)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let Self { made, reply, .. } = *self;
        let gone = Error::Gone("the writer of the database");
        // Whoever asked may have gone.
        let _ = reply.send(committed.and_then(|()| made.ok_or(gone)));
    }
}

/// A unit, and its answer.
pub(super) fn unit<T: Send + 'static>(
    work: impl Fn(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
) -> (Box<dyn Unit>, oneshot::Receiver<Result<T, Error>>) {
    let (reply, answer) = oneshot::channel();
    (
        Box::new(Work {
            run: work,
            made: None,
            reply,
        }),
        answer,
    )
}

/// The state of the writer thread.
pub(super) struct Writer {
    link: Link,
    units: Receiver<Box<dyn Unit>>,
    meter: Arc<Mutex<WriteReport>>,
    stop: Arc<OnceLock<Cancel>>,
    /// What its row is called.
    name: String,
    /// The transaction that was committed last.
    last: i64,
}

impl Writer {
    pub(super) fn new(
        place: Place,
        units: Receiver<Box<dyn Unit>>,
        meter: Arc<Mutex<WriteReport>>,
        stop: Arc<OnceLock<Cancel>>,
    ) -> Self {
        Self {
            link: Link::new(place),
            units,
            meter,
            stop,
            name: uuid::Uuid::new_v4().to_string(),
            last: 0,
        }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let mut is_known = false;
        while let Ok(first) = self.units.recv() {
            let mut group = vec![first];
            group.extend(self.units.try_iter().take(MOST_UNITS - 1));
            if !is_known && let Err(error) = self.introduce() {
                // The first unit tells it; the next one tries again.
                let mut told = Some(error);
                for unit in group {
                    let gone = || Error::Gone("the writer of the database");
                    unit.answer(Err(told.take().unwrap_or_else(gone)));
                }
                continue;
            }
            is_known = true;
            self.commit(group);
        }
        if is_known {
            let name = self.name.clone();
            // A row that stays is removed by a later session.
            let _ = self.link.once(|open| {
                open.execute(
                    "DELETE FROM accession_writer WHERE writer = ?1",
                    &[(&name).into()],
                )
            });
        }
    }

    /// Makes the row of this writer, committed before any transaction writes into it: one that has to be waited for has
    /// then locked it.
    fn introduce(&mut self) -> Result<(), Error> {
        let name = self.name.clone();
        self.link.patiently(&self.stop, |open| {
            open.execute(
                "INSERT INTO accession_writer (writer, last) VALUES (?1, 0) ON CONFLICT (writer) DO NOTHING",
                &[(&name).into()],
            )
        })?;
        Ok(())
    }

    fn commit(&mut self, mut group: Vec<Box<dyn Unit>>) {
        match self.together(&mut group) {
            Ok(()) => group.into_iter().for_each(|unit| unit.answer(Ok(()))),
            Err(error) => {
                if group.len() == 1
                    && let Some(unit) = group.pop()
                {
                    self.count(|report| report.failed += 1);
                    return unit.answer(Err(error));
                }
                // One of them is at fault, and the others are not.
                for unit in group {
                    self.commit(vec![unit]);
                }
            }
        }
    }

    /// All of them in one transaction.
    fn together(&mut self, group: &mut [Box<dyn Unit>]) -> Result<(), Error> {
        let (name, number) = (self.name.clone(), self.last + 1);
        let mut is_first = true;
        let (mut attempts, mut rows) = (0, 0);
        let began = Instant::now();
        self.link.patiently(&self.stop, |open| {
            if !std::mem::take(&mut is_first) && is_committed(open, &name, number)? {
                return Ok(());
            }
            attempts += 1;
            rows = open.transaction(|tx| {
                note(tx, &name, number)?;
                tx.open.changed.set(0);
                for unit in &mut *group {
                    unit.attempt(tx)?;
                }
                Ok(tx.open.changed.get())
            })?;
            Ok(())
        })?;
        self.last = number;
        let (units, took) = (group.len() as u64, began.elapsed());
        self.count(|report| {
            report.transactions += 1;
            report.units += units;
            report.rows += rows;
            report.retries += attempts - 1;
            report.hold.count += 1;
            report.hold.max = report.hold.max.max(milliseconds(took));
        });
        Ok(())
    }

    fn count(&self, change: impl FnOnce(&mut WriteReport)) {
        change(&mut lock(&self.meter));
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Writes the number of a transaction down, as part of it.
fn note(tx: &Transaction<'_>, name: &str, number: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE accession_writer SET last = ?2, seen_at = CURRENT_TIMESTAMP WHERE writer = ?1",
        &[name.into(), number.into()],
    )?;
    Ok(())
}

/// Whether a transaction whose end is not known was committed. Waits for one that the server still works on.
fn is_committed(open: &Open, name: &str, number: i64) -> Result<bool, Error> {
    let mut last = 0;
    let values: [Value<'_>; 1] = [name.into()];
    open.transaction(|tx| {
        let sql = "SELECT last FROM accession_writer WHERE writer = ?1 FOR UPDATE";
        tx.open.each(sql, &values, |row| {
            last = i64::from_cell(super::cell(row, 0)).unwrap_or(0);
            Ok(())
        })
    })?;
    Ok(last >= number)
}
