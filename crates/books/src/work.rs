//! What a command works on and with, and how it asks GRIN.

use std::future::Future;
use std::time::Duration;

use run::{Cancel, Progress};
use web::{Class, Classified, Retry};

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::event::Listener;
use crate::grin::Grin;
use crate::page::PageError;
use crate::run::{Run, Stage, StageResult, record_stage};

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
    /// Where the database is, for people.
    pub(crate) fn database(&self) -> String {
        self.catalogue.shown()
    }

    /// Keeps how it went in the run's summary.
    pub(crate) fn summarise(&self, stage: Stage, result: &StageResult) -> Result<(), Error> {
        self.catalogue.check_in_place()?;
        record_stage(self.run.directory(), self.run.config(), stage, result)
    }
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
        result = retry.run(stop, again, attempt) => match result {
            // It might have come right, had nobody asked to stop; so it has not failed.
            Err(error) if stop() && matches!(error.class(), Class::Transient | Class::Throttled(_)) => Err(Error::Stopped),
            result => result,
        },
        () = stopped(cancel) => Err(Error::Stopped),
    }
}

/// Waits for a request to stop, and then long enough for an answer that is on its way.
pub(crate) async fn stopped(cancel: &Cancel) {
    /// Two seconds from a signal to the exit are promised, and recording takes some of them.
    const GRACE: Duration = Duration::from_secs(1);
    cancel.requested().await;
    tokio::time::sleep(GRACE).await;
}
