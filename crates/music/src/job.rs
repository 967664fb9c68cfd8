//! One import with identification beside it: what the command line and a server call.
//!
//! The import never waits for the network. A thread beside it identifies what is recorded; when the
//! import is over, what is left gets its turn, and a service that is silent gets a grace.
//! To stop a job, request its [`Cancel`]: files in hand are finished.

use std::time::{Duration, Instant};

use run::{Cancel, Progress};
use serde::Serialize;
use web::Secret;

use crate::error::Result;
use crate::event::{Completed, Event};
use crate::identify::beside;
use crate::identify::{Identified, IdentifyEvent, OutagePolicy, identify};
use crate::intake::import::{Import, import};
use crate::library::Library;
use crate::library::answers::Answers;
use crate::library::due::Scope;
use crate::services::{Endpoints, Patience, Services};

/// How long a job waits for a service's first byte; `music identify` alone is more patient. A guess:
/// a service in order answers within a second, and a new attempt is always possible.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a request is made in all, for the same reason.
const ATTEMPTS: u32 = 2;

/// In an import of fewer files than this, a hundredth of its time is too short for any answer. A guess.
const FEW_FILES: u64 = 30;

/// The grace after an import of few files. A guess: short enough not to be felt as hanging.
const GRACE_OF_FEW: Duration = Duration::from_secs(2);

/// The part of an import's time that a silent service may add, as `bench outage` measures it.
const GRACE_PART: f64 = 0.01;

/// The least grace: the time of one round trip in a near network. A guess.
const LEAST_GRACE: Duration = Duration::from_millis(20);

/// One thing that happened in a job, in import or identification. As JSON it is that event.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum JobEvent<'a> {
    /// Files are taken in.
    Import(&'a Event),
    /// Passages are identified.
    Identify(&'a IdentifyEvent),
}

/// How a job ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// How the import went.
    pub imported: Completed,
    /// How identification went; `None` where it was not asked for.
    pub identified: Option<Identified>,
}

/// Who answers questions about what is recorded: the services, and the answers they gave before.
#[derive(Debug)]
pub struct Online {
    services: Services,
    answers: Answers,
    patience: Patience,
}

impl Online {
    /// Prepares requests as the library's settings say. Without a `key`, `AcoustID` is not asked.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or no request can be made at all.
    pub fn new(library: &Library, key: Option<Secret>, cancel: &Cancel) -> Result<Self> {
        let endpoints = Endpoints {
            patience: PATIENCE,
            attempts: ATTEMPTS,
            ..Endpoints::load(library.db(), key)?
        };
        Ok(Self {
            services: Services::new(&endpoints)?,
            answers: Answers::new(library.db().clone(), false),
            patience: Patience::new(cancel.clone()),
        })
    }
}

/// Runs a job to its end, or until `cancel` is requested. `tell` is called by several threads.
///
/// The last events, [`Event::ImportCompleted`] and [`IdentifyEvent::IdentifyCompleted`], are left to the
/// caller, who has their content in the result and knows what must be put away before.
///
/// # Errors
///
/// When the folder cannot be listed or the database cannot be used.
pub fn run(
    library: &Library,
    import_of: &Import,
    online: Option<&Online>,
    cancel: &Cancel,
    progress: &Progress,
    tell: &(dyn Fn(JobEvent<'_>) + Sync),
) -> Result<Ended> {
    let told = |told: &IdentifyEvent| tell(JobEvent::Identify(told));
    std::thread::scope(|scope| {
        let beside = online.map(|online| {
            let (recorded, receiver) = beside::channel();
            let thread = scope.spawn(move || {
                beside::identify_ahead(
                    library,
                    &online.services,
                    &online.answers,
                    &online.patience,
                    &receiver,
                    &told,
                )
            });
            (online, recorded, thread)
        });
        let recorded = beside.as_ref().map(|(_, recorded, _)| recorded.clone());
        let began = Instant::now();
        let imported = import(library, import_of, cancel, progress, &|event| {
            if let Some(recorded) = &recorded {
                recorded.tell(event);
            }
            tell(JobEvent::Import(event));
        });
        drop(recorded);
        progress.phase("identify");
        let Some((online, recorded, thread)) = beside else {
            return Ok(Ended {
                imported: imported?,
                identified: None,
            });
        };
        let files = imported.as_ref().map_or(0, |done| done.files.recorded);
        online.patience.hurry(grace(began.elapsed(), files));
        // The thread ends when no one can tell it anything more.
        drop(recorded);
        let ahead = match thread.join() {
            Ok(ahead) => ahead,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let imported = imported?;
        let ahead = ahead?;
        let identified = if files == 0 {
            // What earlier runs left is the business of an identification of its own; a run that changes
            // nothing asks no service.
            Identified::default()
        } else {
            ahead.followed_by(identify(
                library,
                &online.services,
                &online.answers,
                &online.patience,
                (&Scope::default(), OutagePolicy::Brisk),
                &told,
            )?)
        };
        Ok(Ended {
            imported,
            identified: Some(identified),
        })
    })
}

/// Identifies what is left, with a key that the services of an import did not have.
///
/// # Errors
///
/// When the database cannot be used.
pub fn identify_left(
    library: &Library,
    online: &Online,
    tell: &(dyn Fn(JobEvent<'_>) + Sync),
) -> Result<Identified> {
    identify(
        library,
        &online.services,
        &online.answers,
        &online.patience,
        (&Scope::default(), OutagePolicy::Brisk),
        &|told: &IdentifyEvent| tell(JobEvent::Identify(told)),
    )
}

/// How long a service that has not answered by the end of an import is still waited for: a small part
/// of the time that the import took.
fn grace(took: Duration, files: u64) -> Duration {
    if files < FEW_FILES {
        GRACE_OF_FEW
    } else {
        took.mul_f64(GRACE_PART).max(LEAST_GRACE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_service_adds_a_hundredth_to_an_import_of_many_files() {
        assert_eq!(grace(Duration::from_secs(1), 29), GRACE_OF_FEW);
        assert_eq!(grace(Duration::from_secs(1), 30), LEAST_GRACE);
        assert_eq!(
            grace(Duration::from_mins(10), 6_000),
            Duration::from_secs(6)
        );
    }
}
