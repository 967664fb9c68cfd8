//! A session: one command at work on a run, alone, with its log, and with GRIN to ask.
//!
//! A caller that starts a command, the program or a server, opens a [`Session`] and calls [`Session::collect`] or
//! [`Session::enrich`]: the lock, the log, the credentials, the database and the stop are here and nowhere else.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use run::{Cancel, Progress};
use web::{Retry, Secret};

use crate::catalogue::Catalogue;
use crate::collect::{self, Collect};
use crate::enrich::{self, Enrich};
use crate::error::Error;
use crate::event::{CollectCompleted, EnrichCompleted, Event, Severity, SyncCompleted};
use crate::grin::{CredentialPlaces, Grin, GrinOptions};
use crate::page::PageError;
use crate::run::{Run, RunLog, SessionLock, Stage, StageResult, record_stage};
use crate::sync::decrypt;
use crate::sync::{self, SyncOptions};

/// What is told as it happens.
pub type Listener<'a> = &'a (dyn Fn(&Event) + Sync);

/// How a session asks GRIN.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Another library than the run's own, for this session only.
    pub library: Option<String>,
    /// Where the credentials are.
    pub credentials: CredentialPlaces,
    /// How GRIN is asked.
    pub grin: GrinOptions,
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

impl Session {
    /// Locks the run and opens its database, its log and the way to GRIN. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another session works on the run; what reading credentials and opening files bring.
    pub fn open(run: Run, options: &SessionOptions, cancel: &Cancel) -> Result<Self, Error> {
        let lock = run.lock()?;
        let library = options.library.as_deref();
        let library = library.unwrap_or(&run.config().library_directory);
        let grin = Grin::open(library, &options.grin, &options.credentials)?;
        let catalogue = Catalogue::open(&run.database())?;
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

/// What a command works on and with.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) run: &'a Run,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) grin: &'a Grin,
    pub(crate) cancel: &'a Cancel,
    pub(crate) progress: &'a Progress,
    pub(crate) tell: Listener<'a>,
}

impl Work<'_> {
    /// The database's path, for people.
    pub(crate) fn database(&self) -> String {
        self.catalogue.db().path().display().to_string()
    }

    /// Keeps how it went in the run's summary.
    pub(crate) fn summarise(&self, stage: Stage, result: &StageResult) -> Result<(), Error> {
        self.catalogue.check_in_place()?;
        record_stage(self.run.directory(), self.run.config(), stage, result)
    }
}
/// Blocks until `work` is done: one thread for the network, others for what blocks.
pub(crate) fn wait<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::file("start work with", Path::new("the network")))?
        .block_on(work)
}

/// Asks again as long as that may help. A page to sign in means that the token is to be renewed before.
pub(crate) async fn patiently<T, F>(
    grin: &Grin,
    cancel: &Cancel,
    again: impl Fn(&Error, Duration),
    ask: impl Fn() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    patiently_by(grin, grin.retry(), cancel, again, ask).await
}

/// The same, with another patience than that of GRIN's options.
pub(crate) async fn patiently_by<T, F>(
    grin: &Grin,
    retry: &Retry,
    cancel: &Cancel,
    again: impl Fn(&Error, Duration),
    ask: impl Fn() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let attempt = || async {
        let token = grin.token().await?;
        let result = ask().await;
        if matches!(result, Err(Error::Page(PageError::SignIn))) {
            grin.distrust(&token).await?;
        }
        result
    };
    let stop = || cancel.is_requested();
    tokio::select! {
        result = retry.run(stop, again, attempt) => result,
        () = stopped(cancel) => Err(Error::Stopped),
    }
}

/// Waits for a request to stop, and then long enough for an answer that is on its way.
async fn stopped(cancel: &Cancel) {
    /// Two seconds from a signal to the exit are promised, and recording takes some of them.
    const GRACE: Duration = Duration::from_secs(1);
    cancel.requested().await;
    tokio::time::sleep(GRACE).await;
}
