//! A library's catalogue in GRIN becomes a database: completely, fast, and in memory that does not grow with it.
//!
//! The chain of a collection is `page -> record`: list pages stream from GRIN ([`mod@collect`]), books are read from them
//! as their bytes come ([`page`]), and recorded in a few large transactions ([`mod@catalogue`]) while the next page comes;
//! what is fetched and not yet recorded is kept in a file beside the database. Enriching asks GRIN for more about each
//! book ([`mod@enrich`]), exporting writes everything out ([`mod@export`]). A run is a directory ([`mod@run`]) that other
//! tools know, too; a [`Session`] is one command at work on it.
//!
//! **A collection is complete when a page was proved to be the last, and never otherwise.** What was recorded stays
//! whatever happens afterwards, and where to go on is recorded with it, in the same transaction.
//!
//! Only `catalogue` contains SQL, and no text of this crate names a command or a flag of the program: errors carry data.

pub mod archive;
pub mod catalogue;
pub mod collect;
mod date;
pub mod decrypt;
pub mod enrich;
mod error;
mod event;
pub mod export;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod grin;
mod listed;
pub mod page;
pub mod run;
pub mod session;
pub mod shelf;
pub mod sync;
pub mod verify;
mod wait;
mod work;

pub use catalogue::{COLUMNS, Catalogue, Column, SCHEMA_VERSION};
pub use error::{Error, ServerFault, Setting};
pub use event::{
    CollectCompleted, EnrichCompleted, Event, Listener, Outcome, Severity, SyncCompleted,
    SyncCounts,
};
pub use listed::ListedBook;
pub use run::{Access, DatabaseUrl, Place, Run, RunConfig, RunOptions};
pub use session::{Session, SessionOptions, begin, preview};
