//! One import at a time, and what is known of the ones before.
//!
//! An import's beginning and end are written to the library; in between it is told from memory only. One that
//! was under way when the server was killed is begun again, and finds done what was done.

mod told;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use music::job::{self, JobEvent};
use music::library::jobs as kept;
use music::{Completed, Import, Library};
use run::{Cancel, Progress, Reason, Snapshot};
use uuid::Uuid;

use crate::Connect;
use crate::error::{Refusal, Result};
use crate::events::Ring;
use crate::wkmp::told as wkmp;

pub(crate) use told::{Problem, Told};

/// Imports that are remembered with their details. A guess; the library's own table has all of them.
const REMEMBERED: usize = 20;

/// How often progress is told. WKMP tells it every two seconds; a person sees at once that something happens.
const TELL: Duration = Duration::from_secs(1);

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Scanning,
    Processing,
    Completed,
    Cancelled,
    Failed,
}

/// One import.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) folder: PathBuf,
    pub(crate) started_at: Timestamp,
    began: Instant,
    cancel: Cancel,
    progress: Progress,
    told: Mutex<Told>,
}

/// What is to be known of an import at one moment.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) id: Uuid,
    pub(crate) folder: PathBuf,
    pub(crate) started_at: Timestamp,
    pub(crate) state: State,
    pub(crate) elapsed: Duration,
    pub(crate) snapshot: Snapshot,
    pub(crate) told: Told,
}

impl Session {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.told().took.is_some()
    }

    pub(crate) fn view(&self) -> View {
        let told = self.told().clone();
        View {
            id: self.id,
            folder: self.folder.clone(),
            started_at: self.started_at,
            state: match told.ended {
                Some(state) => state,
                None if self.cancel.is_requested() => State::Cancelled,
                None if told.found.is_none() => State::Scanning,
                None => State::Processing,
            },
            elapsed: told.took.unwrap_or_else(|| self.began.elapsed()),
            snapshot: self.progress.snapshot(),
            told,
        }
    }
}

/// The imports of one library.
pub(crate) struct Jobs {
    library: Library,
    workers: usize,
    connect: Box<Connect>,
    sessions: Mutex<VecDeque<Arc<Session>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) ring: Arc<Ring>,
}

impl Jobs {
    pub(crate) fn new(library: Library, workers: usize, connect: Box<Connect>) -> Self {
        Self {
            library,
            workers,
            connect,
            sessions: Mutex::default(),
            thread: Mutex::default(),
            ring: Arc::new(Ring::new()),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, VecDeque<Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The import that is under way.
    pub(crate) fn running(&self) -> Option<Arc<Session>> {
        let sessions = self.sessions();
        sessions.back().filter(|one| !one.has_ended()).cloned()
    }

    /// The latest import, whether it has ended or not.
    pub(crate) fn latest(&self) -> Option<Arc<Session>> {
        self.sessions().back().cloned()
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<Arc<Session>> {
        self.sessions().iter().find(|one| one.id == id).cloned()
    }

    /// Begins an import of `folder`, which is the root folder or lies below it.
    pub(crate) fn start(self: &Arc<Self>, folder: &Path) -> std::result::Result<View, Refusal> {
        let below = below(self.library.root(), folder)?;
        let session = {
            let mut sessions = self.sessions();
            if sessions.back().is_some_and(|one| !one.has_ended()) {
                return Err(Refusal::conflict("an import is under way"));
            }
            let session = Arc::new(self.session(Uuid::new_v4(), folder));
            sessions.push_back(Arc::clone(&session));
            while sessions.len() > REMEMBERED {
                sessions.pop_front();
            }
            session
        };
        let (id, at) = (session.id.to_string(), session.started_at.to_string());
        if let Err(error) = kept::begin(self.library.db(), &id, &below, &at) {
            // What is not written down is not promised.
            self.sessions().retain(|one| one.id != session.id);
            return Err(error.into());
        }
        let view = session.view();
        self.spawn(&session);
        Ok(view)
    }

    /// Begins again what was under way when the last server was killed.
    pub(crate) fn go_on(self: &Arc<Self>) -> Result<()> {
        let mut newest = true;
        for job in kept::latest(self.library.db(), REMEMBERED as u32)? {
            if job.state != "running" {
                continue;
            }
            let folder = self.library.root().join(&job.folder);
            let id = Uuid::parse_str(&job.id).ok();
            if let Some(id) = id.filter(|_| newest && below(self.library.root(), &folder).is_ok()) {
                newest = false;
                let session = Arc::new(self.session(id, &folder));
                self.sessions().push_back(Arc::clone(&session));
                self.spawn(&session);
            } else {
                let at = Timestamp::now().to_string();
                kept::end(self.library.db(), &job.id, "failed", &at, "{}")?;
            }
        }
        Ok(())
    }

    fn session(&self, id: Uuid, folder: &Path) -> Session {
        Session {
            id,
            folder: folder.to_owned(),
            started_at: Timestamp::now(),
            began: Instant::now(),
            cancel: Cancel::new(),
            progress: Progress::new(self.workers),
            told: Mutex::default(),
        }
    }

    fn spawn(self: &Arc<Self>, session: &Arc<Session>) {
        let jobs = Arc::clone(self);
        let in_hand = Arc::clone(session);
        let spawned = std::thread::Builder::new()
            .name("import".to_owned())
            .spawn(move || jobs.work(&in_hand));
        match spawned {
            Ok(thread) => {
                *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
            }
            Err(error) => self.ended(session, State::Failed, None, Some(error.to_string())),
        }
    }

    fn work(&self, session: &Session) {
        self.ring
            .tell("ImportSessionStarted", &wkmp::started(&session.view()));
        self.tell(session);
        let import = Import {
            folder: session.folder.clone(),
            jobs: self.workers,
            prune: false,
            dry_run: false,
            force: false,
        };
        let worked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let online = (self.connect)(&self.library, &session.cancel);
            job::run(
                &self.library,
                &import,
                online.as_ref(),
                &session.cancel,
                &session.progress,
                &|event: JobEvent<'_>| session.told().hear(&event),
            )
        }));
        let (state, completed, reason) = match worked {
            Ok(Ok(ended)) if session.cancel.is_requested() => {
                (State::Cancelled, Some(ended.imported), None)
            }
            Ok(Ok(ended)) => (State::Completed, Some(ended.imported), None),
            Ok(Err(error)) => (State::Failed, None, Some(error.to_string())),
            Err(_) => (
                State::Failed,
                None,
                Some("the import broke off; the server's log tells where".to_owned()),
            ),
        };
        self.ended(session, state, completed, reason);
    }

    fn ended(
        &self,
        session: &Session,
        state: State,
        completed: Option<Completed>,
        reason: Option<String>,
    ) {
        // A server that is stopped leaves its import running in the table, and the next one goes on with it.
        let is_interrupted = matches!(session.cancel.reason(), Some(Reason::Signal(_)));
        let word = match state {
            State::Completed => "completed",
            State::Cancelled => "cancelled",
            State::Scanning | State::Processing | State::Failed => "failed",
        };
        let report = match (&completed, &reason) {
            (Some(completed), _) => serde_json::to_string(completed).unwrap_or_default(),
            (None, reason) => serde_json::json!({ "error": reason }).to_string(),
        };
        let now = Timestamp::now().to_string();
        let id = session.id.to_string();
        if !(is_interrupted && state == State::Cancelled)
            && let Err(error) = kept::end(self.library.db(), &id, word, &now, &report)
        {
            tracing::error!("cannot write down how import {id} ended: {error}");
        }
        {
            let mut told = session.told();
            told.ended = Some(state);
            told.failure = reason;
            told.completed = completed.map(Box::new);
            told.took = Some(session.began.elapsed());
        }
        self.tell(session);
        let view = session.view();
        let (name, data) = wkmp::ended(&view);
        self.ring.tell(name, &data);
    }

    fn tell(&self, session: &Session) {
        let data = wkmp::progress(&session.view());
        self.ring.tell("ImportProgressUpdate", &data);
    }

    /// Tells now and then how far the import is, until `stop` is requested.
    pub(crate) async fn tell_progress(self: Arc<Self>, stop: Cancel) {
        let mut ticks = tokio::time::interval(TELL);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stop.requested() => return,
            }
            if let Some(session) = self.running() {
                self.tell(&session);
            }
        }
    }

    /// Asks the import `id` to stop, or the one that is under way.
    pub(crate) fn cancel(&self, id: Option<Uuid>) -> std::result::Result<View, Refusal> {
        let session = match id {
            Some(id) => self.find(id),
            None => self.running(),
        };
        let session = session.ok_or_else(|| Refusal::not_found("there is no such import"))?;
        if session.has_ended() || session.cancel.is_requested() {
            return Err(Refusal::bad_request("the import is over"));
        }
        session.cancel.request(Reason::Asked);
        Ok(session.view())
    }

    /// Stops what is under way for the reason that `stop` was requested for, and waits for the files in hand.
    pub(crate) fn finish(&self, stop: &Cancel) {
        if let Some(session) = self.running() {
            session
                .cancel
                .request(stop.reason().unwrap_or(Reason::Asked));
        }
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // What it panicked with was told where it was caught.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

/// The path of `folder` below `root`, with `/`; a folder that is not there, or lies elsewhere, is refused.
fn below(root: &Path, folder: &Path) -> std::result::Result<String, Refusal> {
    let no = |what: &str| Refusal::bad_request(format!("the folder `{}` {what}", folder.display()));
    let real = folder
        .canonicalize()
        .map_err(|error| no(&format!("cannot be read: {error}")))?;
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let Ok(below) = real.strip_prefix(&root) else {
        return Err(no("does not lie below the root folder"));
    };
    if !real.is_dir() {
        return Err(no("is no folder"));
    }
    let parts: Vec<_> = below
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    Ok(parts.join("/"))
}
