//! Waiting for other processes: which errors mean "later", and how long to sleep before the next attempt.
//!
//! The decision is made by result code only. Texts change between versions and languages of a message, codes do not.

use std::time::{Duration, Instant};

use rusqlite::ffi::ErrorCode;

use crate::error::Error;
use crate::log;
use crate::settings::Settings;

/// The first sleep.
const SHORTEST: Duration = Duration::from_millis(10);
/// No sleep is longer: after a lock is released, nobody waits more than this for nothing.
const LONGEST: Duration = Duration::from_secs(1);

/// After so long a wait is told of: a person wonders after some seconds, and no program at work holds a lock that long.
pub(crate) const TOLD_AFTER: Duration = Duration::from_secs(3);

/// Tells that another process is waited for.
pub(crate) fn tell(settings: &Settings) {
    log::warning!(
        settings.path,
        "another process is writing to the database; waiting for it, up to {:.0} s for each step",
        settings.max_lock_wait.as_secs_f64()
    );
}

/// Whether another connection is in the way and the same call can succeed later.
///
/// The primary code covers its extended ones: `BUSY` also `BUSY_SNAPSHOT`, `BUSY_RECOVERY` and `BUSY_TIMEOUT`.
/// `PROTOCOL` is what SQLite answers when it lost the race for the start of the WAL too often.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

/// The sleeps between attempts: doubling from 10 ms to 1 s, each shortened by a random part.
///
/// Without the random part a peer that writes in bursts at a fixed period could stay in phase with the attempts.
#[derive(Debug)]
pub(crate) struct Backoff {
    ceiling: Duration,
}

impl Backoff {
    /// Starts with the shortest sleep.
    pub(crate) fn new() -> Self {
        Backoff { ceiling: SHORTEST }
    }

    /// The next sleep.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self
            .ceiling
            .mul_f64(0.5 + 0.5 * fastrand::f64())
            .max(SHORTEST);
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        pause
    }
}

/// Repeats `attempt` while it is busy, as long as the settings allow.
///
/// For the few calls outside of the writer's own loop: changing the journal mode, upgrading the schema.
pub(crate) fn retry<T>(
    label: &'static str,
    settings: &Settings,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> Result<rusqlite::Result<T>, Error> {
    let limit = settings.max_lock_wait;
    let started = Instant::now();
    let mut backoff = Backoff::new();
    let mut attempts = 0;
    let mut is_told = false;
    loop {
        let outcome = attempt();
        attempts += 1;
        match outcome {
            Err(error) if is_busy(&error) => {}
            other => return Ok(other),
        }
        let waited = started.elapsed();
        if waited >= limit {
            return Err(Error::Locked {
                label,
                attempts,
                waited,
            });
        }
        if waited >= TOLD_AFTER && !is_told {
            is_told = true;
            tell(settings);
        }
        std::thread::sleep(backoff.pause().min(limit.saturating_sub(waited)));
    }
}
