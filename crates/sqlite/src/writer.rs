//! The writer: the one thread that owns the one writing connection.
//!
//! It takes units from the gate, gets the lock, commits them in groups ([`group`]), answers, and copies the WAL back
//! to the file in between. It refuses to know what a unit does.

mod copier;
mod group;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::Error;
use crate::gate::Ticket;
use crate::log;
use crate::patience::{self, Backoff, TOLD_AFTER, is_busy};
use crate::report::{Meter, Sample};
use crate::settings::Settings;
use copier::Copier;

/// The state of the writer thread.
pub(crate) struct Writer {
    connection: Connection,
    settings: Settings,
    meter: Arc<Meter>,
    /// Where units arrive.
    gate: Receiver<Ticket>,
    /// Units that arrived while the writer was busy with those in front.
    line: VecDeque<Ticket>,
    /// Pages in the WAL after the last commit, reported by SQLite.
    wal_pages: Arc<AtomicU32>,
    /// How many of them the last checkpoint has dealt with.
    checkpointed: u32,
    /// Who copies them while this thread writes on.
    copier: Option<Copier>,
    /// Since when other processes have held the lock without a pause.
    blocked_since: Option<Instant>,
    /// Whether that was told of.
    is_told: bool,
    hurry: Arc<Hurry>,
}

/// Whether waiting for others is to be cut short.
#[derive(Default)]
pub(crate) struct Hurry {
    asked: Mutex<Option<Box<dyn Fn() -> bool + Send + Sync>>>,
}

impl Hurry {
    /// From now on, whenever `asked` says so.
    pub(crate) fn when(&self, asked: Box<dyn Fn() -> bool + Send + Sync>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
    }

    fn is_asked(&self) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.as_ref().is_some_and(|asked| asked())
    }
}

impl std::fmt::Debug for Hurry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hurry").finish_non_exhaustive()
    }
}

/// How many times as long as a usual one the WAL becomes where another thread copies it, before it is ended.
const WHOLE: u32 = 4;

/// What a unit waits for other processes at most once somebody is in a hurry. A guess: a transaction of a program in
/// order is over long before, and a person who pressed Ctrl-C has not lost patience yet.
const HURRIED: Duration = Duration::from_secs(2);

impl Writer {
    /// Takes over the writing connection.
    pub(crate) fn new(
        mut connection: Connection,
        mut settings: Settings,
        meter: Arc<Meter>,
        gate: Receiver<Ticket>,
        hurry: Arc<Hurry>,
    ) -> Result<Writer, Error> {
        let wal_pages = Arc::new(AtomicU32::new(0));
        let pages = Arc::clone(&wal_pages);
        let count = move |_: &mut rusqlite::hooks::Wal, now| {
            pages.store(u32::try_from(now).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        connection
            .wal_hook(Some(count))
            .map_err(|error| Error::sqlite(&settings.path, error))?;
        if spoils_others(&connection).map_err(|error| Error::sqlite(&settings.path, error))? {
            settings.group_limit = Duration::ZERO;
        }
        let copier = settings
            .copies_aside
            .then(|| Copier::start(&settings, &meter))
            .transpose()?;
        Ok(Writer {
            connection,
            settings,
            meter,
            gate,
            line: VecDeque::new(),
            wal_pages,
            checkpointed: 0,
            copier,
            blocked_since: None,
            is_told: false,
            hurry,
        })
    }

    /// Works until the gate is closed and empty, then closes the connection.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        while self.wait_for_work() {
            if self.begin() {
                self.commit_group();
                self.checkpoint_if_due();
            }
        }
        self.close()
    }

    /// Whether there is a unit to work on, waiting for it if need be.
    fn wait_for_work(&mut self) -> bool {
        if self.line.is_empty() {
            match self.gate.recv() {
                Ok(ticket) => self.line.push_back(ticket),
                Err(_) => return false,
            }
        }
        true
    }

    /// Gets the write lock for the unit in front; `false` if no unit is left that wants it.
    fn begin(&mut self) -> bool {
        let started = Instant::now();
        let mut backoff = Backoff::new();
        self.end_transaction();
        loop {
            self.discard_abandoned();
            if self.line.is_empty() {
                return false;
            }
            let begun = match self.settings.check_home() {
                Ok(()) => self.execute("BEGIN IMMEDIATE"),
                Err(moved) => {
                    self.give_up_front(moved);
                    continue;
                }
            };
            match begun {
                Ok(()) => {
                    self.blocked_since = None;
                    self.is_told = false;
                    return true;
                }
                Err(error) if is_busy(&error) => {
                    self.note_busy(started);
                    self.give_up_overdue();
                    self.pause(&mut backoff);
                }
                Err(error) => {
                    self.give_up_front(Error::sqlite(&self.settings.path, error));
                }
            }
        }
    }

    /// Units whose caller left before they started never run.
    fn discard_abandoned(&mut self) {
        while self.line.front().is_some_and(Ticket::is_abandoned) {
            self.line.pop_front().into_iter().for_each(Ticket::discard);
        }
    }

    /// Everyone who waits now waits for another process, from when the first attempt began or they came.
    fn note_busy(&mut self, started: Instant) {
        self.meter.record_retry();
        let since = *self.blocked_since.get_or_insert(started);
        if since.elapsed() >= TOLD_AFTER && !self.is_told {
            self.is_told = true;
            patience::tell(&self.settings);
        }
        self.line.extend(self.gate.try_iter());
        for ticket in &mut self.line {
            ticket.busy_since.get_or_insert(started.max(ticket.queued));
            ticket.attempts += 1;
        }
    }

    /// Answers those who have waited for other processes as long as is allowed.
    ///
    /// Each has its own allowance: whoever came later goes on waiting.
    fn give_up_overdue(&mut self) {
        let now = Instant::now();
        let blocked = self.blocked_since.map(|since| now - since);
        if let Some(waited) = blocked.filter(|blocked| *blocked >= self.settings.max_blocked) {
            let path = self.settings.path.clone();
            return self.give_up_front(Error::Blocked { path, waited });
        }
        let waiting = std::mem::take(&mut self.line);
        for ticket in waiting {
            if ticket.busy(now) < self.allowed(&ticket) {
                self.line.push_back(ticket);
                continue;
            }
            let (label, attempts, waited) = (ticket.label, ticket.attempts, ticket.busy(now));
            self.give_up(
                ticket,
                now,
                Error::Locked {
                    label,
                    attempts,
                    waited,
                },
            );
        }
    }

    /// Sleeps before the next attempt, but not beyond the patience of any unit.
    fn pause(&self, backoff: &mut Backoff) {
        let now = Instant::now();
        let left = |ticket: &Ticket| self.allowed(ticket).saturating_sub(ticket.busy(now));
        if let Some(left) = self.line.iter().map(left).min() {
            std::thread::sleep(backoff.pause().min(left));
        }
    }

    /// How long a unit may wait for other processes.
    fn allowed(&self, ticket: &Ticket) -> Duration {
        let limit = self.settings.max_lock_wait;
        let limit = ticket.patience.map_or(limit, |own| own.min(limit));
        if self.hurry.is_asked() {
            limit.min(HURRIED)
        } else {
            limit
        }
    }

    fn give_up_front(&mut self, error: Error) {
        if let Some(front) = self.line.pop_front() {
            self.give_up(front, Instant::now(), error);
        }
    }

    /// Answers a unit that did not run.
    fn give_up(&self, ticket: Ticket, now: Instant, error: Error) {
        self.meter.record_unit(&Sample {
            committed: false,
            ..sample(&ticket, now)
        });
        ticket.settle(Err(error));
    }

    /// Copies the WAL to the file, outside of the lock: others can write meanwhile.
    fn checkpoint_if_due(&mut self) {
        let pages = self.wal_pages.load(Ordering::Relaxed);
        if pages < self.checkpointed {
            // The WAL started over, as it does unless a reader still needs the old part.
            self.checkpointed = 0;
        }
        if pages
            < self
                .checkpointed
                .saturating_add(self.settings.tuning.checkpoint_pages)
        {
            return;
        }
        match &self.copier {
            Some(copier) if pages < WHOLE * self.settings.tuning.checkpoint_pages => copier.ask(),
            _ => self.checkpoint(),
        }
        self.checkpointed = pages;
    }

    fn checkpoint(&self) {
        let _alone = self.copier.as_ref().map(Copier::keep_off);
        copier::copy(&self.connection, &self.settings.path, &self.meter);
    }

    /// Leaves nothing in the WAL if possible. SQLite removes it if this was the last connection.
    fn close(self) -> Result<(), Error> {
        if self.wal_pages.load(Ordering::Relaxed) > 0 {
            self.checkpoint();
        }
        let Writer {
            connection,
            settings,
            copier,
            ..
        } = self;
        // Its connection is closed before this one, which is the last and removes the WAL.
        drop(copier);
        // Where the file has gone, closing may fail for that reason.
        let home = settings.check_home();
        let closed = connection.close();
        home?;
        closed.map_err(|(_, error)| Error::sqlite(&settings.path, error))
    }

    /// Rolls back what a failed commit left open, so that the lock is free in any case.
    fn end_transaction(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            log::warning!(self.settings.path, "rollback failed: {error}");
        }
    }

    /// Runs one of the engine's own statements.
    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }
}

/// Whether the schema lets one unit undo the others of its transaction, so that each must be committed alone.
///
/// A deferred constraint fails no earlier than the commit. `RAISE (ROLLBACK, ..)` and `ON CONFLICT ROLLBACK` end the
/// transaction at once.
fn spoils_others(connection: &Connection) -> rusqlite::Result<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema
        WHERE sql LIKE '%INITIALLY%DEFERRED%' OR sql LIKE '%ROLLBACK%')";
    connection.query_row(SQL, [], |row| row.get(0))
}

/// What the wait of a unit cost until `now`.
fn sample(ticket: &Ticket, now: Instant) -> Sample {
    let busy = ticket.busy(now);
    let wait = now
        .saturating_duration_since(ticket.queued)
        .saturating_sub(busy);
    let (label, retries) = (ticket.label, ticket.attempts);
    Sample {
        label,
        rows: 0,
        retries,
        committed: false,
        wait,
        busy,
        hold: None,
    }
}
