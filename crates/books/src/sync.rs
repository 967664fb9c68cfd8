//! From GRIN's queue to verified archives in storage.
//!
//! Each book goes through `check -> request | download -> decrypt -> read -> store -> record` (`book`). Stages have their
//! own concurrency, and a book that waits for one holds a place among those in the air, so that nothing piles up: not
//! memory, not the disk. What a stage leaves on disk lets the next run go on where a killed one stopped.
//!
//! **A book is called completed only after the store has confirmed every byte of it**, in one transaction with
//! everything else that is known of it by then. A book that fails keeps its stage, reason and number of tries; one that
//! failed five times, or whose archive itself is at fault, is left alone until GRIN has another version or somebody asks
//! for it by its barcode.

mod bandwidth;
mod book;
mod convert;
mod disk;
mod download;
mod history;
mod lists;
pub(crate) mod owner;
mod queue;
mod shared;
mod slot;
mod staging;
pub(crate) mod storage;
mod teardown;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::run::Usage;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use web::Secret;

pub use self::bandwidth::{Bandwidth, BandwidthError};
pub use self::lists::Queue;
pub use self::storage::{Room, Storage};

use self::book::work_on;
use self::queue::{Books, Next};
use self::shared::{BookOutcome, Shared};
use crate::catalogue::claims::{Claims, LOOKS, Told};
use crate::catalogue::sync::Claim;
use crate::error::Error;
use crate::event::{Event, Outcome, SyncCompleted, SyncCounts};
use crate::run::{Stage, StageResult};
use crate::work::Work;

/// Which books, and how.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct SyncOptions {
    /// Which books.
    pub source: Source,
    /// Stop after so many books that had to be worked on.
    pub limit: Option<u64>,
    /// Download what is stored in the same version, and ask again for what failed for good.
    pub force: bool,
    /// Store in the buckets of another run of this name, which is no more.
    pub take_over: bool,
    /// Tell what would be done, and do nothing.
    pub dry_run: bool,
    /// Whether text is extracted.
    pub text: bool,
    /// Whether the description is extracted.
    pub marc: bool,
    /// Whether the list of books is exported at the end.
    pub csv: bool,
    /// Whether the database is copied before.
    pub backup: bool,
    /// Whether text is packed.
    pub pack_text: bool,
    /// Whether exports are packed.
    pub pack_meta: bool,
    /// Failures in a row that end it.
    pub failures_in_a_row: u32,
    /// Books in the air at once.
    pub in_the_air: u32,
    /// Bytes a second.
    pub bandwidth: Bandwidth,
    /// The file whose first line is the passphrase, if it is not in the usual places.
    pub passphrase_file: Option<PathBuf>,
    /// Downloads at once, if not as the run's settings say.
    pub downloads: Option<u32>,
    /// Archives stored at once, if not as the run's settings say.
    pub uploads: Option<u32>,
    /// How long others wait before they take over the books of a process that is silent, where several work on a run.
    pub lease: Duration,
}

/// Books in the air at once unless said otherwise: what a gigabyte of disk and a hundred megabytes of memory hold of
/// usual ones.
pub const IN_THE_AIR: u32 = 40;

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            source: Source::Queues(vec![Queue::Converted]),
            limit: None,
            force: false,
            take_over: false,
            dry_run: false,
            text: true,
            marc: true,
            csv: true,
            backup: true,
            pack_text: true,
            pack_meta: true,
            failures_in_a_row: 10,
            in_the_air: IN_THE_AIR,
            bandwidth: Bandwidth::default(),
            passphrase_file: None,
            downloads: None,
            uploads: None,
            lease: LEASE,
        }
    }
}

/// How long a claim of a book holds unless it is renewed. A guess: longer than a database server takes to restart, and
/// short beside the hours of a sync.
pub const LEASE: Duration = Duration::from_mins(1);

/// How often a process that has nothing to do looks for books that others have left.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Whether a text can be a barcode: some characters that are harmless in names of files, in keys and in addresses.
pub fn is_barcode(text: &str) -> bool {
    let sane = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '$');
    (3..=50).contains(&text.chars().count())
        && !text.starts_with('.')
        && !text.contains("..")
        && text.chars().all(sane)
}

/// Which books are worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Those of queues, one after the other.
    Queues(Vec<Queue>),
    /// These, whatever is recorded of them.
    Barcodes(Vec<String>),
}

/// What came of the books.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) stored: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) requested: AtomicU64,
    pub(crate) unconvertible: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) given_up: AtomicU64,
    pub(crate) downloaded_bytes: AtomicU64,
    pub(crate) stored_bytes: AtomicU64,
}

impl Counts {
    fn read(&self) -> SyncCounts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SyncCounts {
            stored: of(&self.stored),
            skipped: of(&self.skipped),
            failed: of(&self.failed),
            requested: of(&self.requested),
            unconvertible: of(&self.unconvertible),
            waiting: of(&self.waiting),
            given_up: of(&self.given_up),
            downloaded_bytes: of(&self.downloaded_bytes),
            stored_bytes: of(&self.stored_bytes),
        }
    }
}

/// Brings books home. Blocks until it ends.
///
/// # Errors
///
/// What makes the whole command impossible. Books that fail do not.
pub(crate) fn sync(
    work: &Work<'_>,
    options: &SyncOptions,
    passphrase: Secret,
) -> Result<SyncCompleted, Error> {
    let (started, stamp) = (Instant::now(), jiff::Timestamp::now());
    work.progress.phase("sync");
    let storage = Storage::open(work.run.config())?;
    storage.check_there()?;
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(Error::file(
            "start work with",
            std::path::Path::new("the network"),
        ))?;
    runtime.block_on(unless_late(work, storage.check_filled(work.catalogue)))?;
    if options.dry_run {
        let checked = async { owner::check(work.run, &storage).await.map(drop) };
        runtime.block_on(unless_late(work, checked))?;
    } else {
        let claimed = owner::claim(work.run, &storage, options.take_over);
        runtime.block_on(unless_late(work, claimed))?;
    }
    if options.backup && !options.dry_run {
        teardown::back_up(work)?;
    }
    let shared = Arc::new(Shared::new(work, options, storage, passphrase)?);
    let ended = runtime.block_on(with_others(work, options, &shared));
    let ended = match ended {
        Ok(ended) if !options.dry_run => {
            if matches!(ended, Ended::All | Ended::Nothing) {
                runtime.block_on(staging::sweep(&shared))?;
            }
            shared.clean_up();
            let torn_down = runtime.block_on(teardown::finish(work, options, &shared.storage));
            (ended, torn_down)
        }
        Ok(ended) => (ended, Vec::new()),
        Err(error) => return Err(error),
    };
    let mut completed = complete(work, options, &shared, (started, stamp), ended)?;
    if !options.dry_run
        && let Err(error) = runtime.block_on(teardown::summary(work, &shared.storage))
    {
        completed.problems.push(format!("the summary: {error}"));
        completed.state = Outcome::Failed;
    }
    // What still runs on other threads has been asked to stop.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    Ok(completed)
}

/// How long the store is asked what there is before the first book: a store that does not answer is waited for with the
/// books, and says nothing until then.
const ASKED: Duration = Duration::from_secs(20);

/// What is asked before the first book, unless somebody asks to stop or the answer does not come.
async fn unless_late(
    work: &Work<'_>,
    asked: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    tokio::select! {
        answer = asked => answer,
        _ = work.cancel.requested() => Ok(()),
        () = tokio::time::sleep(ASKED) => Ok(()),
    }
}

/// Works on all books, beside others if there are any.
async fn with_others(
    work: &Work<'_>,
    options: &SyncOptions,
    shared: &Arc<Shared>,
) -> Result<Ended, Error> {
    let Some(claims) = &shared.claims else {
        return all(work, options, shared).await;
    };
    claims.tell(Told::default()).await?;
    let renewing = tokio::spawn(renew(claims.clone(), Arc::clone(shared)));
    let ended = all(work, options, shared).await;
    renewing.abort();
    // What it still holds is free at once; where that cannot be told, it is when the lease ends.
    if let Err(error) = claims.leave().await {
        tracing::warn!("the claims of books are not given back: {error}");
    }
    ended
}

/// Tells the others from time to time that this process is still there, until it is aborted.
async fn renew(claims: Claims, shared: Arc<Shared>) {
    let pause = claims.lease() / LOOKS;
    loop {
        tokio::time::sleep(pause).await;
        // What could not be told is told next time; until then the lease may end, and others take over.
        if let Err(error) = claims.tell(told(&shared)).await {
            tracing::warn!("the claims of books are not renewed: {error}");
        }
    }
}

fn told(shared: &Shared) -> Told {
    let counts = shared.counts.read();
    Told {
        stored: counts.stored,
        failed: counts.failed,
        bytes: counts.stored_bytes,
    }
}

/// Why the feeding of books ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    All,
    Limited,
    /// GRIN takes no more conversions.
    Full,
    /// There was no book at all.
    Nothing,
    Stopped,
    /// Too many failures in a row.
    Failing,
}

/// Works on all books.
async fn all(work: &Work<'_>, options: &SyncOptions, shared: &Arc<Shared>) -> Result<Ended, Error> {
    let mut ended = Ended::Nothing;
    let queues: Vec<Option<Queue>> = match &options.source {
        Source::Queues(queues) => queues.iter().copied().map(Some).collect(),
        Source::Barcodes(_) => vec![None],
    };
    if !options.dry_run && !staging::takes_stored(options) {
        staging::sweep(shared).await?;
    }
    shared.know_failed(work).await?;
    let mut left = options.limit.unwrap_or(u64::MAX);
    for queue in queues {
        let mut books = Books::open(work, options, queue).await?;
        let name = queue.map_or("barcodes", Queue::name);
        // Barcodes that a person gave are this process's own.
        let claims = shared.claims.clone().filter(|_| queue.is_some());
        if let Some(claims) = &claims {
            books.share(work, claims, name, options.in_the_air).await?;
        }
        let claim = claims.map(|claims| (claims, name));
        (work.tell)(&Event::SyncStarted {
            run: work.run.config().run_name.clone(),
            queue: name,
            books: books.expected(),
        });
        if let Some(message) = books.left_out(work)? {
            (work.tell)(&Event::Warning { message });
        }
        work.progress.expect(books.expected().min(left), 0);
        // Where others take books from the queue, one that brings nothing here says nothing.
        let is_alone = claim.is_none();
        let before = left;
        let done = feed(work, options, shared, queue, (&mut books, claim), &mut left).await?;
        match done {
            Ended::All if left == before && is_alone => {
                let reason = books.why_empty(work)?;
                (work.tell)(&Event::QueueEmpty {
                    queue: name,
                    reason,
                });
            }
            Ended::Limited | Ended::Stopped => return Ok(done),
            // Of several queues the one that ended worst says how all did.
            Ended::All if ended != Ended::Nothing => {}
            Ended::Full if ended == Ended::Failing => {}
            done => ended = done,
        }
    }
    Ok(ended)
}

/// Works on the books of one queue.
async fn feed(
    work: &Work<'_>,
    options: &SyncOptions,
    shared: &Arc<Shared>,
    queue: Option<Queue>,
    (books, claim): (&mut Books, Option<Claim>),
    left: &mut u64,
) -> Result<Ended, Error> {
    // Books of these queues are there to be asked for, and for nothing else.
    let is_asking = matches!(queue, Some(Queue::Previous | Queue::Unconverted));
    let air = Arc::new(Semaphore::new(options.in_the_air.max(1) as usize));
    let mut running = JoinSet::new();
    let mut in_a_row = 0;
    let mut ended = Ended::All;
    loop {
        while let Some(done) = running.try_join_next() {
            take(work, shared, done, &mut in_a_row)?;
        }
        // What is waited for is told also while no book comes to an end.
        tell(work, shared);
        if let Some(reason) = why_no_more(work, options, (in_a_row, *left)) {
            ended = reason;
            break;
        }
        if is_asking && shared.converter.is_full() {
            break;
        }
        let place = tokio::select! {
            place = Arc::clone(&air).acquire_owned() => place.map_err(|_| Error::Gone("a queue"))?,
            Some(done) = running.join_next() => {
                take(work, shared, done, &mut in_a_row)?;
                continue;
            }
            () = tokio::time::sleep(TELL) => continue,
        };
        let barcode = match books.next(work).await? {
            Next::Book(barcode) => barcode,
            Next::End => break,
            Next::Drained => {
                ended = Ended::Limited;
                break;
            }
            Next::Later => {
                drop(place);
                tokio::select! {
                    Some(done) = running.join_next() => take(work, shared, done, &mut in_a_row)?,
                    () = tokio::time::sleep(ASK_AGAIN) => {}
                    _ = work.cancel.requested() => {}
                }
                continue;
            }
        };
        *left -= 1;
        if options.dry_run {
            (work.tell)(&Event::BookPlanned { barcode });
            continue;
        }
        let shared = Arc::clone(shared);
        let claim = claim.clone();
        running.spawn(async move { work_on(&shared, claim, barcode, place).await });
    }
    loop {
        match tokio::time::timeout(TELL, running.join_next()).await {
            Ok(Some(done)) => take(work, shared, done, &mut in_a_row)?,
            Ok(None) => break,
            Err(_) => tell(work, shared),
        }
    }
    if ended == Ended::All && work.cancel.is_requested() {
        ended = Ended::Stopped;
    }
    if ended == Ended::All
        && is_asking
        && let Some(message) = shared.converter.why_no_more()
    {
        (work.tell)(&Event::Warning { message });
        ended = Ended::Full;
    }
    Ok(ended)
}

/// Why no book is begun any more, if that is so, after so many failures in a row and with so many books left.
fn why_no_more(
    work: &Work<'_>,
    options: &SyncOptions,
    (in_a_row, left): (u32, u64),
) -> Option<Ended> {
    if in_a_row >= options.failures_in_a_row.max(1) {
        return Some(Ended::Failing);
    }
    if work.cancel.is_requested() {
        return Some(Ended::Stopped);
    }
    (left == 0).then_some(Ended::Limited)
}

/// How often what books wait for is told while none of them comes to an end.
const TELL: Duration = Duration::from_millis(500);

/// Tells what books have left to be told.
fn tell(work: &Work<'_>, shared: &Shared) {
    for message in shared.messages() {
        (work.tell)(&message);
    }
}

/// Counts and tells what came of a book.
fn take(
    work: &Work<'_>,
    shared: &Shared,
    done: Result<Result<(String, BookOutcome), Error>, tokio::task::JoinError>,
    in_a_row: &mut u32,
) -> Result<(), Error> {
    let (barcode, outcome) = done.map_err(|_| Error::Gone("the work on a book"))??;
    tell(work, shared);
    let counts = &shared.counts;
    let add = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
    let failed = matches!(outcome, BookOutcome::Failed { .. });
    let event = match outcome {
        BookOutcome::Stored {
            bytes,
            pages,
            oddities,
        } => {
            add(&counts.stored);
            counts.stored_bytes.fetch_add(bytes, Ordering::Relaxed);
            Event::BookStored {
                barcode,
                bytes,
                pages,
                oddities,
            }
        }
        BookOutcome::Skipped(reason) => {
            add(&counts.skipped);
            Event::BookSkipped { barcode, reason }
        }
        BookOutcome::Requested => {
            add(&counts.requested);
            Event::BookSkipped {
                barcode,
                reason: "its conversion was asked for",
            }
        }
        BookOutcome::Waiting(reason) => {
            add(&counts.waiting);
            Event::BookSkipped { barcode, reason }
        }
        BookOutcome::Unconvertible(reason) => {
            add(&counts.unconvertible);
            Event::BookUnavailable { barcode, reason }
        }
        BookOutcome::GivenUp(reason) => {
            add(&counts.given_up);
            Event::BookUnavailable { barcode, reason }
        }
        BookOutcome::Failed { stage, reason } => {
            add(&counts.failed);
            Event::BookFailed {
                barcode,
                stage,
                reason,
            }
        }
        BookOutcome::Stopped => return Ok(()),
    };
    *in_a_row = if failed { *in_a_row + 1 } else { 0 };
    work.progress.finished(0, 0, failed);
    (work.tell)(&event);
    Ok(())
}

/// How it ended, in the summary too.
fn complete(
    work: &Work<'_>,
    options: &SyncOptions,
    shared: &Shared,
    (started, stamp): (Instant, jiff::Timestamp),
    (ended, mut problems): (Ended, Vec<String>),
) -> Result<SyncCompleted, Error> {
    let counts = shared.counts.read();
    let failed = counts.failed + counts.given_up;
    let completed = SyncCompleted {
        state: match ended {
            Ended::Stopped => Outcome::Stopped,
            Ended::Failing => Outcome::Failed,
            _ if failed > 0 || !problems.is_empty() => Outcome::Failed,
            Ended::Limited | Ended::Full => Outcome::Limited,
            Ended::All => Outcome::Completed,
            Ended::Nothing => Outcome::CompleteBefore,
        },
        counts,
        problems: std::mem::take(&mut problems),
        usage: Usage::since(started),
        writes: work.catalogue.report(),
    };
    if !options.dry_run {
        let result = StageResult {
            started: stamp,
            elapsed: started.elapsed(),
            done: counts.stored,
            skipped: counts.skipped + counts.waiting,
            failed,
            requested: counts.requested,
            unconvertible: counts.unconvertible,
            completed: matches!(
                completed.state,
                Outcome::Completed | Outcome::CompleteBefore
            ),
            last_error: shared.last_error(),
            limit: options.limit,
        };
        work.summarise(Stage::Sync, &result)?;
    }
    Ok(completed)
}
