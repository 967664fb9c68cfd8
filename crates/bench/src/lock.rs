//! The contention that killed our predecessor, on its own schema: three designs side by side.
//!
//! Sixteen workers write down files of N passages each, as fast as they can, into a library. Every design writes the
//! same rows:
//!
//! - **A**, what it began with: a connection per worker, every step a statement of its own. Per passage a song, an
//!   artist and an album are looked up and saved (6) and linked (3); the passages are stored in one batch: 9N + 1
//!   accesses, 6N + 1 of which take the write lock.
//! - **B**, what it came to: looked up outside (3), entities and passages in a transaction each (2), links one by one
//!   (3N): 3N + 5 accesses, 3N + 2 write locks.
//! - **C**, ours: crate `sqlite`, one unit per file, at most one write lock.
//!
//! A and B are given every advantage: rusqlite instead of an async pool, WAL, `synchronous = NORMAL`, a busy timeout of
//! 5 s, the predecessor's retries, prepared statements, a large cache, ids taken from the row that is really there.
//! Nothing is counted by hand: see `meter` for A and B; C is the engine's own report, which must agree with SQLite's
//! commit counter.

mod designs;
mod meter;
mod plan;
mod report;
mod verify;
mod worker;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use music::Library;
use run::Usage;
use serde::Serialize;
use sqlite::{Db, Spread};
use testkit::locks::CommitCounter;

use meter::{Counts, Times};
use plan::File;
use worker::Worker;

pub use report::{ratios, table};

/// One of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Design {
    /// One statement at a time.
    A,
    /// Batches, links one by one.
    B,
    /// One unit.
    C,
}

impl Design {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::C];
}

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Threads that write.
    pub workers: usize,
    /// Passages per file, one round of all designs for each.
    pub passages: Vec<usize>,
    /// At most this many files in each cell of the table.
    pub files: usize,
    /// No file is begun after this time.
    pub limit: Duration,
}

/// One design at one number of passages.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The design.
    pub design: Design,
    /// Passages per file.
    pub passages: usize,
    /// Files written down.
    pub files: u64,
    /// Files given up.
    pub failed: u64,
    /// Statements that stood alone, and transactions; all of them, of all files.
    pub accesses: u64,
    /// Transactions that took the write lock and committed.
    pub write_locks: u64,
    /// Those of them that changed a page.
    pub changes: u64,
    /// Statements; unknown for C, whose connection is the engine's.
    pub statements: Option<u64>,
    /// Errors that said the database is locked.
    pub busy_errors: u64,
    /// Times a busy handler slept.
    pub polls: u64,
    /// Milliseconds per lock (C: per file) until it was there.
    pub wait: Spread,
    /// Milliseconds per transaction that it was held.
    pub hold: Spread,
    /// Milliseconds per file, from its first statement to its last commit.
    pub whole: Spread,
    /// Milliseconds per checkpoint of C's writer, which nobody's lock but everybody's turn waits for.
    pub checkpoint: Spread,
    /// Wall time.
    pub seconds: f64,
    /// CPU time of all threads.
    pub cpu_seconds: f64,
}

impl Cell {
    /// A count per file that was written down.
    pub fn per_file(&self, count: u64) -> f64 {
        count as f64 / self.files.max(1) as f64
    }
}

/// Measures every cell; `told` hears of each as it is done.
pub fn run(plan: &Plan, mut told: impl FnMut(&Cell)) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for &passages in &plan.passages {
        ensure!(passages > 0, "a file has at least one passage");
        for design in Design::ALL {
            let cell = cell(design, passages, plan)
                .with_context(|| format!("design {design:?}, {passages} passages"))?;
            told(&cell);
            cells.push(cell);
        }
    }
    Ok(cells)
}

fn cell(design: Design, passages: usize, plan: &Plan) -> Result<Cell> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(music::DATABASE);
    let library = Library::open(&path, folder.path())?;
    let files: Vec<File> = (0..plan.files)
        .map(|number| File::new(number, passages))
        .collect();
    verify::seed(library.db(), &files)?;
    // Neither A nor B shares the file with a writer that is not theirs.
    let library = if design == Design::C {
        Some(library)
    } else {
        library.close()?;
        None
    };
    let counter = CommitCounter::attach(&path)?;
    let race = Race::new(files, plan);
    let cpu = Usage::since(race.started).cpu_seconds;
    let cell = match &library {
        None => race.own_connections(design, &path)?,
        Some(library) => race.engine(library.db())?,
    };
    let usage = Usage::since(race.started);
    let cell = Cell {
        design,
        passages,
        failed: race.failed.load(Ordering::Relaxed) as u64,
        whole: race.whole().spread(),
        seconds: usage.elapsed_seconds,
        cpu_seconds: usage.cpu_seconds - cpu,
        ..cell
    };
    let commits = counter.commits()?;
    ensure!(
        commits == cell.changes,
        "{} changing transactions were counted, SQLite's own counter says {commits}",
        cell.changes
    );
    if let Some(library) = library {
        library.close()?;
    }
    verify::rows(&path, race.begun(), cell.failed)?;
    Ok(cell)
}

/// Workers that take files from one pile.
struct Race {
    files: Vec<File>,
    next: AtomicUsize,
    failed: AtomicUsize,
    workers: usize,
    started: Instant,
    limit: Duration,
    whole: Mutex<Times>,
}

impl Race {
    fn new(files: Vec<File>, plan: &Plan) -> Self {
        Self {
            files,
            next: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            workers: plan.workers.max(1),
            started: Instant::now(),
            limit: plan.limit,
            whole: Mutex::default(),
        }
    }

    /// The files that were begun; all of them were written down or given up.
    fn begun(&self) -> &[File] {
        let begun = self.next.load(Ordering::Relaxed).min(self.files.len());
        &self.files[..begun]
    }

    fn whole(&self) -> Times {
        self.whole.lock().expect("no worker panics").clone()
    }

    fn take(&self) -> Option<&File> {
        if self.started.elapsed() > self.limit {
            return None;
        }
        self.files.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// One worker's part. A file that could not be written down for the lock is counted, anything else is an error.
    fn work<E: std::error::Error + Send + Sync + 'static>(
        &self,
        mut write: impl FnMut(&File) -> Result<(), E>,
        is_locked: impl Fn(&E) -> bool,
    ) -> Result<()> {
        let mut whole = Times::default();
        while let Some(file) = self.take() {
            let started = Instant::now();
            match write(file) {
                Ok(()) => whole.record(started.elapsed()),
                Err(error) if is_locked(&error) => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.whole.lock().expect("no worker panics").add(&whole);
        Ok(())
    }

    fn everyone<T: Send>(&self, worker: impl Fn() -> Result<T> + Sync) -> Result<Vec<T>> {
        std::thread::scope(|threads| {
            let threads: Vec<_> = (0..self.workers).map(|_| threads.spawn(&worker)).collect();
            let results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            results
                .map(|result| result.expect("no worker panics"))
                .collect()
        })
    }

    /// Designs A and B.
    fn own_connections(&self, design: Design, path: &Path) -> Result<Cell> {
        let write = match design {
            Design::A => designs::single_steps,
            _ => designs::batches,
        };
        let counts = self.everyone(|| {
            let worker = Worker::open(path)?;
            self.work(|file| write(&worker, file), worker::is_locked)?;
            Ok(worker.counts())
        })?;
        let mut total = Counts::default();
        for counts in &counts {
            total.add(counts);
        }
        Ok(Cell {
            files: self.whole().spread().count,
            accesses: total.accesses,
            write_locks: total.commits,
            changes: total.changes,
            statements: Some(total.statements),
            busy_errors: total.busy_errors,
            polls: total.polls,
            wait: total.wait.spread(),
            hold: total.hold.spread(),
            ..Cell::empty(design)
        })
    }

    /// Design C.
    fn engine(&self, db: &Db) -> Result<Cell> {
        let before = db.report().transactions;
        self.everyone(|| {
            self.work(
                |file| designs::one_unit(db, file.clone()),
                |error| matches!(error, sqlite::Error::Locked { .. }),
            )
        })?;
        let report = db.report();
        let label = report.labels.get(designs::LABEL);
        let label = label.context("not one file was written down")?;
        Ok(Cell {
            files: self.whole().spread().count,
            accesses: report.transactions - before,
            write_locks: report.transactions - before,
            changes: report.transactions - before,
            busy_errors: label.retries,
            wait: label.wait,
            hold: label.hold,
            checkpoint: report.checkpoint,
            ..Cell::empty(Design::C)
        })
    }
}

impl Cell {
    fn empty(design: Design) -> Self {
        Self {
            design,
            passages: 0,
            files: 0,
            failed: 0,
            accesses: 0,
            write_locks: 0,
            changes: 0,
            statements: None,
            busy_errors: 0,
            polls: 0,
            wait: Spread::default(),
            hold: Spread::default(),
            whole: Spread::default(),
            checkpoint: Spread::default(),
            seconds: 0.0,
            cpu_seconds: 0.0,
        }
    }
}
