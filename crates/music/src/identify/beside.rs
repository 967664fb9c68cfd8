//! Asks about fingerprints while an import still runs.
//!
//! The import hands over what it has recorded and never waits; answers are kept in memory until the
//! passages are identified, so they cost no transaction of their own.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use crate::error::Result;
use crate::id::FileId;
use crate::identify::answers::Answers;
use crate::identify::ask::Asker;
use crate::identify::services::acoustid::{BATCH, Fingerprint};
use crate::identify::services::{Patience, Services};
use crate::identify::{load, runtime};
use crate::library::Library;

/// Files that may wait to be asked about; what finds no room is asked about after the import.
const ROOM: usize = 4_096;

/// Where an import says what it has recorded.
#[derive(Debug, Clone)]
pub struct Recorded(SyncSender<FileId>);

impl Recorded {
    /// A file is recorded. Never waits.
    pub fn tell(&self, file: &FileId) {
        match self.0.try_send(file.clone()) {
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

/// A way to tell, and where it leads.
pub fn channel() -> (Recorded, Receiver<FileId>) {
    let (sender, receiver) = sync_channel(ROOM);
    (Recorded(sender), receiver)
}

/// Asks about what comes until the import has ended or the service is out of order.
///
/// # Errors
///
/// When the database cannot be read.
pub fn ask_ahead(
    library: &Library,
    services: &Services,
    answers: &Answers,
    patience: &Patience,
    recorded: &Receiver<FileId>,
) -> Result<()> {
    let runtime = runtime()?;
    let asker = Asker {
        services,
        answers,
        patience,
    };
    let mut waiting: Vec<Fingerprint> = Vec::new();
    loop {
        let next = recorded.recv_timeout(Duration::from_millis(500));
        let ended = matches!(next, Err(RecvTimeoutError::Disconnected));
        let quiet = next.is_err();
        let files = next.into_iter().chain(recorded.try_iter());
        for file in files {
            waiting.extend(load::fingerprints_of(library.db(), &file)?);
        }
        if services.acoustid.is_none() || !services.troubles().is_empty() {
            waiting.clear();
        }
        // Full batches as long as more is to come.
        while waiting.len() >= BATCH || (quiet && !waiting.is_empty()) {
            let batch: Vec<_> = waiting.drain(..waiting.len().min(BATCH)).collect();
            if runtime.block_on(asker.ask_fingerprints(&batch)).is_err() {
                waiting.clear();
            }
        }
        if ended || patience.cancel.is_requested() {
            return Ok(());
        }
    }
}
