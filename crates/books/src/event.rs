//! What happens while a command works, in the one vocabulary of progress, log and machines.

use std::fmt;

use run::{Snapshot, Usage};
use serde::Serialize;
use sqlite::WriteReport;

/// One thing that happened. As JSON it is an object whose `event` names it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A collection has begun, or goes on.
    CollectStarted {
        /// The run.
        run: String,
        /// The library's directory in GRIN.
        library_directory: String,
        /// The database file.
        database: String,
        /// The page it begins with, from 1.
        page: u64,
        /// Books of earlier pages.
        books: u64,
        /// Whether known books are updated.
        refresh: bool,
    },
    /// A page is in the database, with all its books.
    PageRecorded {
        /// Its number, from 1.
        page: u64,
        /// Books it names.
        books: u64,
        /// Books of this collection so far.
        total: u64,
    },
    /// A request failed and will be repeated.
    RequestRepeated {
        /// What was asked for: a page, or the barcodes of a batch.
        item: String,
        /// Why it failed.
        reason: String,
        /// Seconds until it is repeated.
        pause_seconds: f64,
    },
    /// A page could not be had; the collection goes on there next time.
    PageFailed {
        /// Its number, from 1.
        page: u64,
        /// Its address, relative to the library's directory.
        address: String,
        /// Why.
        reason: String,
    },
    /// A collection has ended; always its last event.
    CollectCompleted(Box<CollectCompleted>),
    /// Enriching has begun.
    EnrichStarted {
        /// The run.
        run: String,
        /// The database file.
        database: String,
        /// Books to be asked for.
        books: u64,
    },
    /// What GRIN knows of some books is in the database.
    BooksEnriched {
        /// Books that GRIN knows.
        found: u64,
        /// Books that it does not.
        not_found: u64,
    },
    /// GRIN did not answer about some books; they are asked for again next time.
    BatchFailed {
        /// The first of them.
        first_barcode: String,
        /// The last of them.
        last_barcode: String,
        /// How many.
        books: u64,
        /// Why.
        reason: String,
    },
    /// Enriching has ended; always its last event.
    EnrichCompleted(Box<EnrichCompleted>),
    /// Archives of one queue begin to come.
    SyncStarted {
        /// The run.
        run: String,
        /// Its name, or `barcodes`.
        queue: &'static str,
        /// Books in it, as far as it is known.
        books: u64,
    },
    /// There is no book in a queue.
    QueueEmpty {
        /// Its name.
        queue: &'static str,
        /// Why.
        reason: String,
    },
    /// A book would be worked on.
    BookPlanned {
        /// The book.
        barcode: String,
    },
    /// A book is stored, and the store has confirmed it.
    BookStored {
        /// The book.
        barcode: String,
        /// Bytes of its archive.
        bytes: u64,
        /// Lines of its text, if it was extracted.
        pages: Option<u64>,
        /// What is odd about it.
        oddities: Vec<String>,
    },
    /// A book needs nothing now.
    BookSkipped {
        /// The book.
        barcode: String,
        /// Why.
        reason: &'static str,
    },
    /// A book cannot be had.
    BookUnavailable {
        /// The book.
        barcode: String,
        /// Why.
        reason: String,
    },
    /// A book failed at a stage.
    BookFailed {
        /// The book.
        barcode: String,
        /// The stage that gave up.
        stage: &'static str,
        /// Why.
        reason: String,
    },
    /// All work waits for something from outside.
    Waiting {
        /// For what.
        what: String,
        /// Why.
        reason: String,
    },
    /// Archives have come, or not; always the last event.
    SyncCompleted(Box<SyncCompleted>),
    /// Something that a person should know and that stops nothing.
    Warning {
        /// What it is.
        message: String,
    },
    /// Where the command stands.
    Progress(Snapshot),
}

/// How a command on books ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything was done.
    Completed,
    /// Everything had been done before.
    CompleteBefore,
    /// It was asked to stop.
    Stopped,
    /// The limit that was asked for is reached.
    Limited,
    /// Something is missing that should have been had.
    Failed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::CompleteBefore => "complete before",
            Self::Stopped => "stopped",
            Self::Limited => "limited",
            Self::Failed => "failed",
        })
    }
}

/// How much an event matters to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something is missing because of it.
    Error,
    /// Something that a person should know, and that stops nothing.
    Warning,
    /// What goes on.
    Info,
    /// What goes on, page by page.
    Detail,
}

impl Event {
    /// How much it matters; none for what is shown in other ways.
    pub fn severity(&self) -> Option<Severity> {
        Some(match self {
            Self::PageFailed { .. } | Self::BatchFailed { .. } | Self::BookFailed { .. } => {
                Severity::Error
            }
            Self::RequestRepeated { .. }
            | Self::Warning { .. }
            | Self::Waiting { .. }
            | Self::QueueEmpty { .. }
            | Self::BookUnavailable { .. } => Severity::Warning,
            Self::CollectStarted { .. }
            | Self::EnrichStarted { .. }
            | Self::SyncStarted { .. }
            | Self::BookPlanned { .. } => Severity::Info,
            Self::PageRecorded { .. }
            | Self::BooksEnriched { .. }
            | Self::BookStored { .. }
            | Self::BookSkipped { .. }
            | Self::CollectCompleted(_)
            | Self::EnrichCompleted(_)
            | Self::SyncCompleted(_) => Severity::Detail,
            Self::Progress(_) => return None,
        })
    }
}

/// One line for people and for the log.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CollectStarted {
                library_directory,
                database,
                page,
                books,
                refresh,
                ..
            } => {
                let what = if *refresh { "refreshing" } else { "collecting" };
                write!(f, "{what} `{library_directory}` into `{database}`")?;
                match page {
                    1 => Ok(()),
                    page => write!(f, ", going on with page {page} after {books} books"),
                }
            }
            Self::PageRecorded { page, books, total } => {
                write!(f, "recorded page {page}: {books} books, {total} in all")
            }
            Self::RequestRepeated {
                item,
                reason,
                pause_seconds,
            } => write!(
                f,
                "again in {pause_seconds:.1} s: {item}: {}",
                first_line(reason)
            ),
            Self::PageFailed {
                page,
                address,
                reason,
            } => write!(f, "failed: page {page} (`{address}`): {reason}"),
            Self::EnrichStarted {
                database, books, ..
            } => write!(f, "enriching {books} books in `{database}`"),
            Self::BooksEnriched { found, not_found } => {
                write!(f, "enriched {found} books, {not_found} are not known")
            }
            Self::BatchFailed {
                first_barcode,
                last_barcode,
                books,
                reason,
            } => write!(
                f,
                "failed: {books} books, `{first_barcode}` to `{last_barcode}`: {reason}"
            ),
            Self::Warning { message } => write!(f, "warning: {message}"),
            Self::CollectCompleted(end) => {
                write!(
                    f,
                    "collection {}: {} pages, {} books in {:.1} s",
                    end.state, end.pages, end.books, end.usage.elapsed_seconds
                )?;
                match &end.missing {
                    Some(missing) => write!(f, "; missing: {missing}"),
                    None => Ok(()),
                }
            }
            Self::EnrichCompleted(end) => write!(
                f,
                "enriching {}: {} found, {} not known, {} failed in {:.1} s",
                end.state, end.found, end.not_found, end.failed, end.usage.elapsed_seconds
            ),
            Self::Progress(_) => Ok(()),
            archives => archives.about_archives(f),
        }
    }
}

impl Event {
    /// The line of what happens to archives.
    fn about_archives(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SyncStarted { run, queue, books } => {
                write!(f, "archives of `{run}`, {queue}: {books} books")
            }
            Self::QueueEmpty { queue, reason } => write!(f, "nothing in `{queue}`: {reason}"),
            Self::BookPlanned { barcode } => write!(f, "{barcode}"),
            Self::BookStored {
                barcode,
                bytes,
                pages,
                oddities,
            } => {
                write!(f, "stored: {barcode}, {bytes} bytes")?;
                if let Some(pages) = pages {
                    write!(f, ", {pages} pages")?;
                }
                oddities.iter().try_for_each(|odd| write!(f, "; {odd}"))
            }
            Self::BookSkipped { barcode, reason } => write!(f, "skipped: {barcode}: {reason}"),
            Self::BookUnavailable { barcode, reason } => {
                write!(f, "not to be had: {barcode}: {reason}")
            }
            Self::BookFailed {
                barcode,
                stage,
                reason,
            } => {
                write!(f, "failed: {barcode}: {stage}: {reason}")
            }
            Self::Waiting { what, reason } => write!(f, "waiting for {what}: {reason}"),
            Self::SyncCompleted(end) => write!(
                f,
                "archives {}: {} stored, {} failed, {} skipped in {:.1} s",
                end.state,
                end.counts.stored,
                end.counts.failed,
                end.counts.skipped,
                end.usage.elapsed_seconds
            ),
            _ => Ok(()),
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// How a collection ended.
#[derive(Debug, Clone, Serialize)]
pub struct CollectCompleted {
    /// How it ended; complete only when the last page was proved to be the last.
    pub state: Outcome,
    /// Pages recorded now.
    pub pages: u64,
    /// Books that these pages named.
    pub books: u64,
    /// Books of the whole collection so far.
    pub total: u64,
    /// Of these, books that were not known when it began.
    pub new_books: u64,
    /// Books known before that the catalogue no longer names, nor finds by their barcodes.
    pub vanished: u64,
    /// Books that would have vanished, too many to believe it without consent.
    pub vanishing: u64,
    /// Books that the list named more than once, because it changed while it was read.
    pub repeated: u64,
    /// What is missing, if the collection failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Time and memory.
    #[serde(flatten)]
    pub usage: Usage,
    /// What writing to the database took.
    pub writes: WriteReport,
}

/// How enriching ended.
#[derive(Debug, Clone, Serialize)]
pub struct EnrichCompleted {
    /// How it ended; complete only when no book is left.
    pub state: Outcome,
    /// Requests that were answered.
    pub batches: u64,
    /// Books that GRIN knows.
    pub found: u64,
    /// Books that it does not know.
    pub not_found: u64,
    /// Books that remain to be asked for because their request failed.
    pub failed: u64,
    /// Time and memory.
    #[serde(flatten)]
    pub usage: Usage,
    /// What writing to the database took.
    pub writes: WriteReport,
}

/// How bringing archives to storage ended.
#[derive(Debug, Clone, Serialize)]
pub struct SyncCompleted {
    /// How it ended; complete only when no book of the queue failed.
    pub state: Outcome,
    /// What came of the books.
    #[serde(flatten)]
    pub counts: SyncCounts,
    /// What could not be stored about the run as a whole.
    pub problems: Vec<String>,
    /// Time and memory.
    #[serde(flatten)]
    pub usage: Usage,
    /// What writing to the database took.
    pub writes: WriteReport,
}

/// The counts of a sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyncCounts {
    /// Books stored now.
    pub stored: u64,
    /// Books that need nothing.
    pub skipped: u64,
    /// Books that failed.
    pub failed: u64,
    /// Books whose conversion was asked for now.
    pub requested: u64,
    /// Books that GRIN cannot or will not convert.
    pub unconvertible: u64,
    /// Books that are being converted, or for which GRIN's queue had no room.
    pub waiting: u64,
    /// Books left alone because they failed too often.
    pub given_up: u64,
    /// Bytes that came from GRIN.
    pub downloaded_bytes: u64,
    /// Bytes stored.
    pub stored_bytes: u64,
}

/// What is told as it happens.
pub type Listener<'a> = &'a (dyn Fn(&Event) + Sync);
