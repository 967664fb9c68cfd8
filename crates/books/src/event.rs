//! What happens while a command works, in the one vocabulary of progress, log and machines.

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
    /// Something that a person should know and that stops nothing.
    Warning {
        /// What it is.
        message: String,
    },
    /// Where the command stands.
    Progress(Snapshot),
}

/// How a collection ended.
#[derive(Debug, Clone, Serialize)]
pub struct CollectCompleted {
    /// `completed` when GRIN said that the last page was the last; `stopped` when asked to stop, `limited` when the
    /// limit was reached, `failed` when a page could not be had, `complete_before` when there was nothing to do.
    pub state: &'static str,
    /// Pages recorded now.
    pub pages: u64,
    /// Books that these pages named.
    pub books: u64,
    /// Books of the whole collection so far.
    pub total: u64,
    /// Of these, books that were not known when it began.
    pub new_books: u64,
    /// Books known before that the catalogue no longer names.
    pub vanished: u64,
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
    /// `completed` when no book is left, `stopped`, `limited`, or `failed` when some batches failed.
    pub state: &'static str,
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
