//! Counts the write locks of a WAL database from outside the program under test.
//!
//! SQLite's write lock in WAL mode is byte 120 of the `-shm` file, held for as little as a few microseconds, so asking
//! the kernel now and then who holds it misses most of them. Two ways do not miss any:
//!
//! - [`CommitCounter`] reads the commit counter that SQLite itself keeps in the `-shm` file: committed transactions
//!   that changed something. No overhead; see there for what it cannot see.
//! - [`strace`] watches the locking calls: every taking of the lock, also by transactions that change nothing or roll
//!   back, by checkpoints and by recovery, and every refusal. It slows the program down.
//!
//! [`wal::read`] looks into a `-wal` file as it lies, say after a crash.

mod commits;
pub mod strace;
pub mod wal;

pub use commits::CommitCounter;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Returns the path of the database's companion file, `-wal` or `-shm`.
fn companion(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    name.into()
}
