//! What every long job shares, whatever it takes in.
//!
//! A job works through many items. One item failing is a [`Fault`], kept and
//! reported, and the job goes on; only what makes the whole job impossible is
//! an error of the job. While it runs, a job says what happens as events (any
//! `Fn(&Event)`), keeps a [`Progress`] that a bar or a page may look at as
//! often as it likes, and asks its [`Cancel`] between items. At the end
//! [`Usage`] tells what it cost and [`ExitStatus`] what to tell the shell.
//!
//! This crate knows neither music nor books, and never touches a database:
//! progress that is written down per item is what slowed our predecessors.

mod cancel;
mod exit;
mod fault;
mod pool;
mod progress;
mod usage;

pub use cancel::{Cancel, Signal};
pub use exit::ExitStatus;
pub use fault::{Fault, Retry};
pub use pool::for_each;
pub use progress::{Progress, Snapshot, WorkerState};
pub use usage::Usage;
