//! What all books share: the way to GRIN and to the store, turns, room, and what is told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::run::Cancel;
use blob::Parts;
use tokio::sync::{Semaphore, SemaphorePermit};
use web::{Answer, Secret};

use crate::catalogue::Catalogue;
use crate::catalogue::claims::Claims;
use crate::error::Error;
use crate::event::Event;
use crate::grin::{Grin, Want};
use crate::sync::bandwidth::Limiter;
use crate::sync::convert::Converter;
use crate::sync::disk::Disk;
use crate::sync::lists::{self, FailedConversion};
use crate::sync::slot::Slot;
use crate::sync::storage::Storage;
use crate::sync::{Counts, SyncOptions};
use crate::work::Work;

/// Parts of uploads that are in memory at once: 64 MiB.
const PARTS_IN_MEMORY: usize = 8;

/// Books that wait for the answer about their conversion, besides those in the air.
const MOST_ASKING: usize = 400;

/// How long something that fails for everybody is waited for.
const PATIENCE: Duration = Duration::from_hours(1);

/// Whose tries they are.
pub(super) const GRIN: &str = "GRIN";

/// Tries of one book before it matters whether others fail, too.
const TRIES: u32 = 6;

/// A pause that a service asks for and that is told before it begins: a person would take it for a standstill.
const TOLD_AT_ONCE: Duration = Duration::from_secs(5);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What all books share.
pub(super) struct Shared {
    pub(super) grin: Grin,
    pub(super) catalogue: Catalogue,
    /// This process's part, where others may take part, too.
    pub(super) claims: Option<Claims>,
    /// The staging folder is this process's for as long as this is open.
    slot: Option<Slot>,
    pub(super) cancel: Cancel,
    pub(super) options: SyncOptions,
    pub(super) passphrase: Secret,
    pub(super) storage: Storage,
    pub(super) staging: PathBuf,
    pub(super) disk: Arc<Disk>,
    pub(super) limiter: Limiter,
    pub(super) counts: Counts,
    /// Answers of GRIN, whichever; it tells an outage from a book that fails alone.
    pub(super) grin_answered: AtomicU64,
    pub(super) store_answered: AtomicU64,
    /// Archives that the passphrase has opened, and those that it has not.
    pub(super) opened: AtomicU64,
    pub(super) unopened: AtomicU64,
    /// Whether the store has been asked for the metadata of an object that it was given.
    pub(super) metadata_asked: AtomicBool,
    pub(super) converter: Converter,
    pub(super) parts: Parts,
    pub(super) checks: Semaphore,
    pub(super) downloads: Semaphore,
    pub(super) cpu: Semaphore,
    pub(super) stores: Semaphore,
    pub(super) asking: Semaphore,
    pub(super) failed_conversions: Mutex<HashMap<String, FailedConversion>>,
    told: Mutex<Vec<Event>>,
    pub(super) last_error: Mutex<Option<String>>,
}

/// What came of a book.
#[derive(Debug)]
pub(super) enum BookOutcome {
    Stored {
        bytes: u64,
        pages: Option<u64>,
        oddities: Vec<String>,
    },
    Skipped(&'static str),
    Requested,
    Waiting(&'static str),
    Unconvertible(String),
    GivenUp(String),
    Failed {
        stage: &'static str,
        reason: String,
    },
    Stopped,
}

/// Why a stage gave up on a book.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) stage: &'static str,
    pub(super) reason: String,
    pub(super) later: bool,
    /// It fails so for every book, whichever it is: no try of this one is used up.
    pub(super) is_common: bool,
}

impl Fault {
    pub(super) fn new(stage: &'static str, reason: impl std::fmt::Display, later: bool) -> Self {
        Self {
            stage,
            reason: reason.to_string(),
            later,
            is_common: false,
        }
    }

    /// The cause is none of the book's: access, a sign-in, a passphrase, a disk.
    pub(super) fn common(self) -> Self {
        Self {
            later: true,
            is_common: true,
            ..self
        }
    }
}

/// Why a book's work ends early.
#[derive(Debug)]
pub(super) enum Halt {
    Fault(Fault),
    Stopped,
    /// The whole command cannot go on.
    Impossible(Error),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Impossible(error)
    }
}

impl Shared {
    pub(super) fn new(
        work: &Work<'_>,
        options: &SyncOptions,
        storage: Storage,
        passphrase: Secret,
    ) -> Result<Self, Error> {
        let config = work.run.config();
        let settings = config.sync_config.clone().unwrap_or_default();
        let mut staging = storage.staging(config, work.run.directory());
        let (mut claims, mut slot) = (None, None);
        if !options.dry_run {
            std::fs::create_dir_all(&staging).map_err(Error::file("make", &staging))?;
            claims = Claims::of(work.catalogue, options.lease);
            if claims.is_some() {
                let own = Slot::take(&staging)?;
                own.folder().clone_into(&mut staging);
                slot = Some(own);
            }
        }
        let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let at_once = |count: u32| Semaphore::new(count.max(1) as usize);
        Ok(Self {
            grin: work.grin.clone(),
            catalogue: work.catalogue.clone(),
            claims,
            slot,
            cancel: work.cancel.clone(),
            disk: Disk::new(&staging, settings.disk_space_threshold),
            limiter: Limiter::new(options.bandwidth.clone()),
            options: options.clone(),
            passphrase,
            storage,
            staging,
            counts: Counts::default(),
            grin_answered: AtomicU64::new(0),
            store_answered: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            unopened: AtomicU64::new(0),
            metadata_asked: AtomicBool::new(false),
            converter: Converter::default(),
            parts: Parts::new(PARTS_IN_MEMORY),
            checks: at_once(settings.task_check_concurrency),
            downloads: at_once(
                options
                    .downloads
                    .unwrap_or(settings.task_download_concurrency),
            ),
            // More than there are processors would only take their memory.
            cpu: Semaphore::new(threads.min(settings.task_decrypt_concurrency.max(1) as usize)),
            stores: at_once(options.uploads.unwrap_or(settings.task_upload_concurrency)),
            asking: Semaphore::new(MOST_ASKING),
            failed_conversions: Mutex::default(),
            told: Mutex::default(),
            last_error: Mutex::default(),
        })
    }

    /// Learns which books GRIN could not convert. Without the list, GRIN is asked about each.
    pub(super) async fn know_failed(&self, work: &Work<'_>) -> Result<(), Error> {
        match lists::failed(work).await {
            Ok(failed) => *lock(&self.failed_conversions) = failed,
            Err(error) if error.is_about_request() => (work.tell)(&Event::Warning {
                message: format!("the list of failed conversions is not known: {error}"),
            }),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    pub(super) async fn ask(&self, barcode: &str, want: Want<'_>) -> Result<Answer, Error> {
        self.grin.archive(barcode, want).await
    }

    /// Whether GRIN answers something else than what has failed: its list of books in process, which is short.
    async fn grin_is_well(&self) -> bool {
        let Ok(url) = self.grin.url(lists::IN_PROCESS) else {
            return false;
        };
        self.grin.get(&url).await.is_ok()
    }

    /// Ends when somebody asks to stop.
    pub(super) async fn stopped(&self) {
        self.cancel.requested().await;
    }

    /// Sleeps, unless somebody asks to stop.
    pub(super) async fn pause(&self, pause: Duration) -> Result<(), Halt> {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stopped() => Err(Halt::Stopped),
        }
    }

    pub(super) fn warn(&self, message: String) {
        lock(&self.told).push(Event::Warning { message });
    }

    /// Tells what is waited for. What several books wait for is told once.
    pub(super) fn say_waiting(&self, what: &str, reason: &str) {
        let waiting = Event::Waiting {
            what: what.to_owned(),
            reason: reason.to_owned(),
        };
        let mut told = lock(&self.told);
        let line = waiting.to_string();
        if !told.iter().any(|before| before.to_string() == line) {
            told.push(waiting);
        }
    }

    /// What is to be told, in order.
    pub(super) fn messages(&self) -> Vec<Event> {
        std::mem::take(&mut *lock(&self.told))
    }

    pub(super) fn last_error(&self) -> Option<String> {
        lock(&self.last_error).clone()
    }

    /// Removes the staging folders if nothing is left in them. Whose else files are in there stay.
    pub(super) fn clean_up(&self) {
        let is_gone = match &self.slot {
            Some(slot) => slot.clear_away(),
            None => std::fs::remove_dir(&self.staging).is_ok(),
        };
        if is_gone
            && self.storage.is_local()
            && let Some(parent) = self.staging.parent()
        {
            let _ = std::fs::remove_dir(parent);
        }
    }
}

/// Tries of one call, and whether it fails for everybody.
pub(super) struct Tries {
    who: &'static str,
    count: u32,
    begun: Instant,
    /// Answers that others had when the tries began.
    seen: Option<u64>,
    told: bool,
    /// Too much is asked of it, which is none of the book's fault.
    is_throttled: bool,
}

impl Tries {
    /// Those of a call to `who`, which people know by that name.
    pub(super) fn of(who: &'static str) -> Self {
        Self {
            who,
            count: 0,
            begun: Instant::now(),
            seen: None,
            told: false,
            is_throttled: false,
        }
    }

    /// It said that too much is asked, and for how long nothing is to be.
    pub(super) fn throttled(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.is_throttled = true;
        asked
    }

    /// Something came, so the tries begin anew.
    pub(super) fn progressed(&mut self) {
        self.count = 0;
        self.begun = Instant::now();
        self.seen = None;
    }

    /// Waits before another try; gives up if others succeed meanwhile, if GRIN answers all but this, or after a long outage.
    pub(super) async fn wait(
        &mut self,
        shared: &Shared,
        error: &impl std::fmt::Display,
        asked: Option<Duration>,
        answered: impl Fn() -> u64,
        stage: &'static str,
    ) -> Result<(), Halt> {
        self.count += 1;
        let seen = *self.seen.get_or_insert_with(&answered);
        if self.count >= TRIES {
            let alone = answered() > seen || (self.who == GRIN && shared.grin_is_well().await);
            if alone || self.begun.elapsed() > PATIENCE {
                let fault = Fault::new(stage, error.to_string(), true);
                let is_common = self.is_throttled;
                return Err(if is_common { fault.common() } else { fault }.into());
            }
        }
        let is_long = asked.is_some_and(|asked| asked >= TOLD_AT_ONCE);
        if !self.told && (self.count >= TRIES || is_long) {
            let again = match asked {
                Some(asked) => format!(
                    "{error}; it is asked again in {} s, as it says",
                    asked.as_secs()
                ),
                None => format!("{error}; it is asked again every minute"),
            };
            shared.say_waiting(self.who, &again);
            self.told = true;
        }
        let own = Duration::from_millis(250) * 2u32.pow(self.count.min(8));
        // Others who wait come back at other times.
        let own = own
            .min(LONGEST_PAUSE)
            .mul_f64(0.75 + f64::from(self.count % 5) / 10.0);
        shared
            .pause(asked.map_or(own, |asked| asked.max(own).min(PATIENCE)))
            .await
    }
}

/// Waits for a turn at a stage.
pub(super) async fn turn(semaphore: &Semaphore) -> Result<SemaphorePermit<'_>, Halt> {
    semaphore
        .acquire()
        .await
        .map_err(|_| Halt::Impossible(Error::Gone("a queue")))
}

/// A thread that panicked left nothing half done: every update is one assignment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
