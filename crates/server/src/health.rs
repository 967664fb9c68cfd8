//! Whether the library can be used, as `/health` tells it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use music::{Library, Trouble};

use crate::error::Refusal;

/// How long a disk that was full, or could not be written, is told to be so when nothing was written since. A guess:
/// those who watch a server ask more often.
const RECENT: Duration = Duration::from_mins(1);

/// What was the matter last.
#[derive(Debug, Default)]
pub(crate) struct Health {
    last: Mutex<Option<Noted>>,
}

#[derive(Debug, Clone)]
struct Noted {
    trouble: Trouble,
    message: String,
    at: Instant,
    /// Transactions that were committed before.
    committed: u64,
}

/// How the library is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Whether requests can be served.
    pub(crate) is_well: bool,
    /// What went wrong last, if nothing went well since.
    pub(crate) last_error: Option<String>,
}

impl Health {
    /// Takes note of a request or an import that the library was the end of, and returns what is to be told of it. A file
    /// that is gone fails in many ways, whichever comes first: then it is told that it is gone.
    pub(crate) fn note(&self, library: &Library, refused: Refusal) -> Refusal {
        let may_be_gone = matches!(
            refused.trouble(),
            Some(Trouble::Unreachable | Trouble::ReadOnly | Trouble::Damaged)
        );
        let refused = match library.check_home() {
            Err(gone) if may_be_gone => gone.into(),
            _ => refused,
        };
        if let Some(trouble) = refused.trouble() {
            *self.last() = Some(Noted {
                trouble,
                message: refused.message().to_owned(),
                at: Instant::now(),
                committed: committed(library),
            });
        }
        refused
    }

    /// How the library is now. Looks at the file's place, and reads nothing.
    pub(crate) fn condition(&self, library: &Library) -> Condition {
        if let Err(error) = library.check_home() {
            return Condition {
                is_well: false,
                last_error: Some(Refusal::from(error).message().to_owned()),
            };
        }
        let mut last = self.last();
        if last
            .as_ref()
            .is_some_and(|noted| committed(library) > noted.committed)
        {
            *last = None;
        }
        let is_well = last
            .as_ref()
            .is_none_or(|noted| noted.trouble == Trouble::Locked || noted.at.elapsed() > RECENT);
        Condition {
            is_well,
            last_error: last.as_ref().map(|noted| noted.message.clone()),
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Noted>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn committed(library: &Library) -> u64 {
    let report = library.db().report();
    report.transactions - report.rolled_back
}
