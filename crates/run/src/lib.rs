//! What every long job shares, whatever it takes in.
//!
//! A job works through many items. One item failing is a [`Fault`], kept and
//! reported, and the job goes on; only what makes the whole job impossible is
//! an error of the job. While it runs, a job says what happens as [`Events`],
//! keeps a [`Progress`] that a bar or a page may look at as often as it likes,
//! and asks its [`Cancel`] between items. At the end [`Usage`] tells what it
//! cost and [`ExitStatus`] what to tell the shell.
//!
//! Jobs read what others made and write where people say. So what lies in a
//! folder is opened by [`regular_file()`], what is read from it spends a
//! [`Budget`], a path from a database is a [`LibraryPath`], and everything
//! written for a person goes through [`output`].
//!
//! This crate knows neither music nor books, and never touches a database:
//! progress that is written down per item is what slowed our predecessors.

mod budget;
mod cancel;
mod descriptor;
mod disk;
mod event;
mod exit;
mod fault;
mod kept_closed;
mod library_path;
mod native_path;
mod nearest;
pub mod output;
mod pool;
mod progress;
mod regular_file;
mod scratch;
mod usage;

pub use budget::{Budget, BudgetReader, Exceeded};
pub use cancel::{Cancel, Reason, Signal};
pub use disk::{DiskSpace, disk_space};
pub use event::{Envelope, Events, JobId};
pub use exit::ExitStatus;
pub use fault::{Fault, Retry};
pub use kept_closed::KeptClosed;
pub use library_path::{InvalidLibraryPath, LibraryPath};
pub use native_path::{canonical_path, literal_path, plain_path};
pub use nearest::nearest;
pub use output::{Output, OutputError, OutputOptions};
pub use pool::for_each;
pub use progress::{Progress, Snapshot, WorkerState};
pub use regular_file::{
    file_without_links, is_listed_file, listed_file, named_file, read_regular_file,
    read_small_text, regular_file,
};
pub use scratch::Scratch;
pub use usage::Usage;
