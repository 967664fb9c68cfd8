//! Counts and times what a connection does, by SQLite's own hooks.
//!
//! | figure | hook |
//! |---|---|
//! | statements, and how many stood alone | trace |
//! | write transactions | commit hook |
//! | those of them that changed a page | WAL hook |
//! | asking for the lock, and getting it | trace; the busy handler's last return |
//! | letting go of it | profile, which comes after the commit and before a checkpoint |

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use sqlite::Spread;

/// Times in microseconds.
#[derive(Debug, Clone)]
pub(crate) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        let mut histogram = Histogram::new(3).expect("three digits are within what is supported");
        histogram.auto(true);
        Self(histogram)
    }
}

impl Times {
    pub(crate) fn record(&mut self, time: Duration) {
        // It grows as needed; only a time of centuries would not fit.
        self.0.record(time.as_micros() as u64).ok();
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("a histogram that grows holds any other");
    }

    pub(crate) fn spread(&self) -> Spread {
        let milliseconds = |microseconds: u64| microseconds as f64 / 1000.0;
        Spread {
            count: self.0.len(),
            p50: milliseconds(self.0.value_at_quantile(0.5)),
            p99: milliseconds(self.0.value_at_quantile(0.99)),
            max: milliseconds(self.0.max()),
        }
    }
}

/// What was counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Statements, each `BEGIN` and `COMMIT` among them.
    pub statements: u64,
    /// Statements that stood alone and transactions: what the predecessor counted as locks, reads among them.
    pub accesses: u64,
    /// Transactions that held the write lock and committed.
    pub commits: u64,
    /// Those that changed a page; saving what is there already does not.
    pub changes: u64,
    /// Times the busy handler was asked to wait.
    pub polls: u64,
    /// Errors that said the database is locked.
    pub busy_errors: u64,
    /// From asking for the write lock until it was there.
    pub wait: Times,
    /// From then until it was free again.
    pub hold: Times,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.statements += other.statements;
        self.accesses += other.accesses;
        self.commits += other.commits;
        self.changes += other.changes;
        self.polls += other.polls;
        self.busy_errors += other.busy_errors;
        self.wait.add(&other.wait);
        self.hold.add(&other.hold);
    }
}

/// Where the next statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of any transaction.
    Alone,
    /// First in a transaction. A deferred one has no lock before that.
    First,
    /// In a transaction that has the lock, since all statements within one write here.
    Later,
}

/// Where a connection stands between two hooks.
#[derive(Debug)]
struct State {
    counts: Counts,
    place: Place,
    /// The last attempt ended in a busy error, so the waiting goes on.
    refused: bool,
    committed: bool,
    asked: Instant,
    granted: Instant,
}

/// Watches one connection.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    state: Arc<Mutex<State>>,
}

/// SQLite's own: after this many pages a commit copies the WAL to the file.
const AUTOCHECKPOINT: i32 = 1000;

/// How long SQLite's own busy handler sleeps, the last for ever after.
const DELAYS: [u64; 12] = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100];

impl Meter {
    /// Watches `connection`, whose busy handler and checkpoints stay what they are by default, with `timeout`.
    pub(crate) fn attach(connection: &mut Connection, timeout: Duration) -> rusqlite::Result<Self> {
        let now = Instant::now();
        let meter = Self {
            state: Arc::new(Mutex::new(State {
                counts: Counts::default(),
                place: Place::Alone,
                refused: false,
                committed: false,
                asked: now,
                granted: now,
            })),
        };
        let (traced, committed, changed, polled) =
            (meter.clone(), meter.clone(), meter.clone(), meter.clone());
        connection.trace_v2(
            TraceEventCodes::SQLITE_TRACE_STMT | TraceEventCodes::SQLITE_TRACE_PROFILE,
            Some(move |event: TraceEvent<'_>| match event {
                TraceEvent::Stmt(_, sql) => traced.state().begun(sql),
                TraceEvent::Profile(..) => traced.state().ended(),
                _ => {}
            }),
        )?;
        connection.commit_hook(Some(move || {
            committed.state().committed = true;
            false
        }))?;
        connection.wal_hook(Some(move |wal: &mut Wal, pages| {
            changed.state().counts.changes += 1;
            // Another connection that checkpoints at the same time is no failure of this commit.
            if pages >= AUTOCHECKPOINT {
                wal.checkpoint().ok();
            }
            Ok(())
        }))?;
        connection.busy_handler(Some(move |attempt| polled.poll(attempt, timeout)))?;
        Ok(meter)
    }

    /// An operation failed because the database was locked.
    pub(crate) fn busy_error(&self) {
        let mut state = self.state();
        state.counts.busy_errors += 1;
        state.refused = true;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// What SQLite's own handler does, and the time.
    fn poll(&self, attempt: i32, timeout: Duration) -> bool {
        let attempt = attempt as usize;
        let delay = |n: usize| DELAYS.get(n).or(DELAYS.last()).copied().unwrap_or(0);
        let slept = Duration::from_millis((0..attempt).map(delay).sum());
        let sleep = Duration::from_millis(delay(attempt)).min(timeout.saturating_sub(slept));
        if sleep.is_zero() {
            return false;
        }
        std::thread::sleep(sleep);
        let mut state = self.state();
        state.counts.polls += 1;
        state.granted = Instant::now();
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begun(&mut self, sql: &str) {
        // What foreign keys and triggers run within a statement is announced as a comment.
        if sql.starts_with("--") {
            return;
        }
        self.counts.statements += 1;
        if self.place == Place::Alone {
            self.counts.accesses += 1;
        }
        if self.place != Place::Later {
            self.granted = Instant::now();
            if !self.refused {
                self.asked = self.granted;
            }
        }
        self.place = match (sql, self.place) {
            ("BEGIN", _) => Place::First,
            ("COMMIT" | "ROLLBACK", _) | (_, Place::Alone) => Place::Alone,
            (_, Place::First | Place::Later) => Place::Later,
        };
    }

    fn ended(&mut self) {
        if !std::mem::take(&mut self.committed) {
            return;
        }
        self.counts.commits += 1;
        self.counts.wait.record(self.granted - self.asked);
        self.counts.hold.record(self.granted.elapsed());
        self.refused = false;
    }
}
