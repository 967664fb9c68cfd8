//! Identifies while an import still runs.
//!
//! The import hands over what it has recorded and never waits. Fingerprints are looked up as files
//! come, in full batches; passages are identified when their folder is taken in, since an album's
//! tracks tell about each other. What a service in trouble leaves over is marked when the import has
//! ended. All waiting for the network is done by this one thread, which is none of the workers.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use crate::catalogue::Fingerprint;
use crate::error::Result;
use crate::event::Event;
use crate::id::FileId;
use crate::identify::ask::CachedServices;
use crate::identify::{Identified, IdentifyEvent, OutagePolicy, Run};
use crate::library::Library;
use crate::library::answers::Answers;
use crate::library::due::{self, Scope};
use crate::services::acoustid::BATCH;
use crate::services::{Patience, Services};

/// Files and folders that may wait for their turn; what finds no room is seen to after the import.
const ROOM: usize = 4_096;

/// How long nothing has to come before a batch is sent that is not full.
const QUIET: Duration = Duration::from_millis(500);

/// What an import has done.
#[derive(Debug)]
pub enum News {
    /// A file is recorded.
    File(FileId),
    /// Nothing more comes from right in this folder of the library.
    Folder(String),
}

/// Where an import says what it has done.
#[derive(Debug, Clone)]
pub struct Recorded(SyncSender<News>);

impl Recorded {
    /// Passes on what matters of an event. Never waits.
    pub fn tell(&self, event: &Event) {
        let news = match event {
            Event::FileRecorded { file_id, .. } => News::File(file_id.clone()),
            Event::FolderTakenIn { folder } => News::Folder(folder.clone()),
            _ => return,
        };
        match self.0.try_send(news) {
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

/// A way to tell, and where it leads.
pub fn channel() -> (Recorded, Receiver<News>) {
    let (sender, receiver) = sync_channel(ROOM);
    (Recorded(sender), receiver)
}

/// Identifies what comes until the import has ended or a service is out of order.
///
/// What it does not get to, and what a service in trouble leaves open, is left as it is for
/// [`identify`](crate::identify::identify) to go on with.
///
/// # Errors
///
/// When the database cannot be used.
pub fn identify_ahead(
    library: &Library,
    services: &Services,
    answers: &Answers,
    patience: &Patience,
    recorded: &Receiver<News>,
    tell: &dyn Fn(&IdentifyEvent),
) -> Result<Identified> {
    let asker = CachedServices {
        services,
        answers,
        patience,
    };
    let scope = Scope::default();
    let mut run = Run::new(library, &asker, &scope, OutagePolicy::Ahead, tell)?;
    let mut waiting = Waiting::default();
    loop {
        let patient = if waiting.folders.is_empty() {
            QUIET
        } else {
            Duration::ZERO
        };
        let next = recorded.recv_timeout(patient);
        let ended = matches!(next, Err(RecvTimeoutError::Disconnected));
        let quiet = next.is_err();
        for news in next.into_iter().chain(recorded.try_iter()) {
            waiting.add(library, news)?;
        }
        if !services.troubles().is_empty() {
            run.tell_troubles(false);
            waiting = Waiting::default();
        }
        waiting.ask(&run, &asker, quiet);
        if let Some(folder) = waiting.folders.pop_front() {
            run.folder(&folder)?;
        }
        // Folders that wait still are the business of the run that follows, which counts them.
        if ended || patience.cancel.is_requested() {
            return Ok(run.ahead());
        }
    }
}

/// What was recorded and not seen to yet.
#[derive(Debug, Default)]
struct Waiting {
    prints: Vec<Fingerprint>,
    folders: VecDeque<String>,
}

impl Waiting {
    fn add(&mut self, library: &Library, news: News) -> Result<()> {
        match news {
            News::File(file) => self
                .prints
                .extend(due::fingerprints_of(library.db(), &file)?),
            News::Folder(folder) => self.folders.push_back(folder),
        }
        Ok(())
    }

    /// Asks about fingerprints: in full batches as long as more is to come.
    fn ask(&mut self, run: &Run<'_>, asker: &CachedServices<'_>, quiet: bool) {
        if asker.services.acoustid.is_none() {
            self.prints.clear();
        }
        while self.prints.len() >= BATCH || (quiet && !self.prints.is_empty()) {
            let batch: Vec<_> = self.prints.drain(..self.prints.len().min(BATCH)).collect();
            if run
                .runtime
                .block_on(asker.ask_fingerprints(&batch))
                .is_err()
            {
                self.prints.clear();
            }
        }
    }
}
