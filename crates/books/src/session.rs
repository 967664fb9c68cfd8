//! A session: one command at work on a run, alone, with its log, and with GRIN to ask.
//!
//! A caller that starts a command, the program or a server, opens a [`Session`] and calls [`Session::collect`] or
//! [`Session::enrich`]: the lock, the log, the credentials, the database and the stop are here and nowhere else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use run::{Cancel, Progress};
use web::Secret;

use crate::catalogue::{Catalogue, query};
use crate::collect::{self, Collect};
use crate::decrypt;
use crate::enrich::{self, Enrich};
use crate::error::Error;
use crate::event::{CollectCompleted, EnrichCompleted, Event, Listener, Severity, SyncCompleted};
use crate::grin::{CredentialPlaces, Grin, GrinOptions};
use crate::run::{Access, Run, RunLog, RunOptions, SessionLock};
use crate::sync::{self, SyncOptions};
use crate::work::Work;

/// How a session asks GRIN.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Another library than the run's own, for this session only.
    pub library: Option<String>,
    /// Where the credentials are.
    pub credentials: CredentialPlaces,
    /// How GRIN is asked.
    pub grin: GrinOptions,
    /// Whether others may do the same at the same time, where the run is on a server.
    pub with_others: bool,
}

/// One command at work on a run. Other sessions are kept out until it ends.
#[derive(Debug)]
pub struct Session {
    run: Run,
    grin: Grin,
    catalogue: Catalogue,
    cancel: Cancel,
    progress: Arc<Progress>,
    log: RunLog,
    log_problem: Option<String>,
    passphrase_file: PathBuf,
    _lock: SessionLock,
}

/// Opens the run `name` in `output`, or begins it with `options`. Until a first book is collected, other settings are
/// taken for a correction, such as of a mistyped library.
///
/// # Errors
///
/// [`Error::OtherSettings`] with the difference, and whatever files do.
pub fn begin(
    output: &Path,
    name: &str,
    options: &RunOptions,
    access: &Access,
) -> Result<Run, Error> {
    let begun = Run::begin(output, name, options);
    let correct = || Run::correct(output, name, options);
    or_corrected(begun, || Run::open(output, name), correct, access)
}

/// The run as [`begin`] would leave it. Nothing is written.
///
/// # Errors
///
/// Those of [`begin`].
pub fn preview(
    output: &Path,
    name: &str,
    options: &RunOptions,
    access: &Access,
) -> Result<Run, Error> {
    let seen = Run::preview(output, name, options);
    let correct = || Run::open(output, name)?.corrected(options);
    or_corrected(seen, || Run::open(output, name), correct, access)
}

/// A run, or what `correct` makes of it where its settings are others and it holds no book.
fn or_corrected(
    run: Result<Run, Error>,
    open: impl FnOnce() -> Result<Run, Error>,
    correct: impl FnOnce() -> Result<Run, Error>,
    access: &Access,
) -> Result<Run, Error> {
    let run = match run {
        Err(Error::OtherSettings { .. }) if is_empty(&open()?.with_access(access)) => correct(),
        other => other,
    };
    Ok(run?.with_access(access))
}

/// Whether a run has certainly collected nothing.
fn is_empty(run: &Run) -> bool {
    let books = Catalogue::of_run_to_read(run).and_then(|catalogue| query::count_books(&catalogue));
    match books {
        Ok(books) => books == 0,
        Err(Error::NoDatabase { .. }) => true,
        Err(_) => false,
    }
}

impl Session {
    /// Locks the run and opens its database, its log and the way to GRIN. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another session works on the run; what reading credentials and opening files bring.
    pub fn open(run: Run, options: &SessionOptions, cancel: &Cancel) -> Result<Self, Error> {
        let lock = if options.with_others && run.is_served() {
            run.lock_with_others()?
        } else {
            run.lock()?
        };
        let library = options.library.as_deref();
        let library = library.unwrap_or(&run.config().library_directory);
        let grin = Grin::open(library, &options.grin, &options.credentials)?;
        let catalogue = Catalogue::of_run(&run)?;
        catalogue.heed(cancel);
        if let Some(pace) = catalogue.shared_pace(options.grin.requests_per_second) {
            grin.share_pace(pace);
        }
        if !options.with_others {
            catalogue.take_alone(&run.config().run_name, run.directory())?;
        }
        let path = run.config().log_file.as_deref().map(Path::new);
        let (log, log_problem) = match RunLog::open(path) {
            Ok(log) => (log, None),
            Err(error) => {
                let path = path.unwrap_or(Path::new("")).display();
                let message = format!("cannot write the log `{path}`: {error}");
                (RunLog::default(), Some(message))
            }
        };
        Ok(Self {
            run,
            grin,
            catalogue,
            cancel: cancel.clone(),
            progress: Arc::new(Progress::new(0)),
            log,
            log_problem,
            passphrase_file: options.credentials.passphrase().to_owned(),
            _lock: lock,
        })
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Where the command stands, to be looked at as often as wanted.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Collects the catalogue, or goes on where the last collection stopped. Blocks until it ends; the last event says
    /// how.
    ///
    /// # Errors
    ///
    /// What makes the whole command impossible: the database, or a file.
    pub fn collect(
        self,
        options: &Collect,
        listener: Listener<'_>,
    ) -> Result<CollectCompleted, Error> {
        let work = |work: &Work<'_>| collect::collect(work, options);
        self.work(listener, work, |completed, writes| {
            completed.writes = writes;
            Event::CollectCompleted(Box::new(completed.clone()))
        })
    }

    /// Enriches all books of the run that remain. Blocks until it ends; the last event says how.
    ///
    /// # Errors
    ///
    /// What makes the whole command impossible: the database, or a file.
    pub fn enrich(
        self,
        options: &Enrich,
        listener: Listener<'_>,
    ) -> Result<EnrichCompleted, Error> {
        let work = |work: &Work<'_>| enrich::enrich(work, options);
        self.work(listener, work, |completed, writes| {
            completed.writes = writes;
            Event::EnrichCompleted(Box::new(completed.clone()))
        })
    }

    /// Brings archives to storage. Blocks until it ends; the last event says how.
    ///
    /// # Errors
    ///
    /// What makes the whole command impossible: the database, a file, the storage's settings, or no passphrase.
    pub fn sync(
        self,
        options: &SyncOptions,
        listener: Listener<'_>,
    ) -> Result<SyncCompleted, Error> {
        let passphrase = match &options.passphrase_file {
            Some(path) => decrypt::passphrase(path)?,
            None if options.dry_run => Secret::default(),
            None => decrypt::passphrase(&self.passphrase_file)?,
        };
        let work = |work: &Work<'_>| sync::sync(work, options, passphrase);
        self.work(listener, work, |completed, writes| {
            completed.writes = writes;
            Event::SyncCompleted(Box::new(completed.clone()))
        })
    }

    /// Does the work, closes the database, and tells how it ended.
    pub(crate) fn work<T>(
        self,
        listener: Listener<'_>,
        work: impl FnOnce(&Work<'_>) -> Result<T, Error>,
        ended: impl FnOnce(&mut T, sqlite::WriteReport) -> Event,
    ) -> Result<T, Error> {
        let tell = |event: &Event| {
            self.log.event(event);
            listener(event);
        };
        if let Some(message) = &self.log_problem {
            listener(&Event::Warning {
                message: message.clone(),
            });
        }
        let done = work(&Work {
            run: &self.run,
            catalogue: &self.catalogue,
            grin: &self.grin,
            cancel: &self.cancel,
            progress: &self.progress,
            tell: &tell,
        })
        .and_then(|mut done| {
            self.catalogue.check_in_place()?;
            let writes = self.catalogue.clone().close()?;
            tell(&ended(&mut done, writes));
            Ok(done)
        });
        done.inspect_err(|error| self.log.line(Severity::Error, &error.to_string()))
    }
}
