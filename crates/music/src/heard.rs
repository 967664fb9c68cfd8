//! Hearing on many machines, recording on one.
//!
//! Hearing costs half a CPU-second a track and needs nothing but the bytes; recording costs less than a millisecond and
//! needs the library. So [`hear`](hear::hear) is a function from bytes to [records](record::HeardFile), which any engine
//! may run on as many machines as it has, and [`collect`](collect::collect) brings the records into a library as an
//! import would have. Between them are only files in a folder, or objects in a bucket: hearing knows no database, and
//! collecting no audio.
//!
//! Both use the import's own chain: what is heard is what [`intake`](crate::intake) hears, and what is recorded is
//! planned and written by the same code.

pub mod collect;
pub mod event;
pub mod hear;
pub mod list;
mod name;
pub mod place;
pub mod record;
pub mod shards;
pub mod source;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock; a thread that died holding it left whole values behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
