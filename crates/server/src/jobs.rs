//! One import at a time, those that wait for it, and what is known of the ones before.
//!
//! An import is written to the library when it is asked for, when it begins and when it ends; in between it is told from
//! memory only. One that was under way when the server was killed is begun again, and finds done what was done; those
//! that waited come after it.

mod listed;
mod plan;
mod told;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use music::job::{self, JobEvent};
use music::library::jobs::{self as kept, KeptJob};
use music::library::search;
use music::{Completed, Import, Library, Only};
use run::{Cancel, Progress, Reason, Snapshot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Connect;
use crate::error::{Refusal, Result};
use crate::folder::Folder;
use crate::health::Health;

pub(crate) use listed::Job;
pub(crate) use plan::Plan;
pub(crate) use told::{Key, Problem, Told};

/// Imports that are remembered with their details. A guess; the library's own table has all of them.
const REMEMBERED: usize = 20;

/// Imports that may wait. A guess: nobody has chosen more folders by hand.
const MOST_WAITING: usize = 50;

/// How often progress is told. WKMP tells it every two seconds; a person sees at once that something happens.
const TELL: Duration = Duration::from_secs(1);

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Scanning,
    Processing,
    /// `AcoustID` refuses the key. Listening goes on, and somebody may give another key meanwhile.
    Paused,
    Completed,
    Cancelled,
    Failed,
}

/// A moment of an import at which those who follow it are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Began,
    GoesOn,
    Ended,
}

/// Tells those who follow an import. It never waits for them.
pub(crate) type Tell = dyn Fn(Moment, &View) + Send + Sync;

/// What of a folder is to be taken in, and how; kept with the import until it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Terms {
    pub(crate) only: Only,
    /// Files worked on at once, at most as many as the server was told.
    pub(crate) workers: Option<usize>,
}

/// One import.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) folder: Folder,
    terms: Terms,
    /// When it was asked for.
    pub(crate) asked_at: Timestamp,
    /// When it began; until then it waits.
    began: OnceLock<(Timestamp, Instant)>,
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

    fn is_waiting(&self) -> bool {
        self.began.get().is_none() && !self.has_ended()
    }

    /// How long it has been under way.
    fn elapsed(&self) -> Duration {
        self.began
            .get()
            .map_or(Duration::ZERO, |(_, at)| at.elapsed())
    }

    pub(crate) fn view(&self) -> View {
        let told = self.told().clone();
        View {
            id: self.id,
            folder: self.folder.absolute.clone(),
            started_at: self.began.get().map_or(self.asked_at, |(at, _)| *at),
            state: match told.ended {
                Some(state) => state,
                None if self.began.get().is_none() => State::Waiting,
                None if self.cancel.is_requested() => State::Cancelled,
                None if told.key == Key::Refused => State::Paused,
                None if told.found.is_none() => State::Scanning,
                None => State::Processing,
            },
            elapsed: told.took.unwrap_or_else(|| self.elapsed()),
            snapshot: self.progress.snapshot(),
            told,
        }
    }
}

/// The imports of one library.
pub(crate) struct Jobs {
    /// As imports use it.
    library: Library,
    /// As those use it who ask for one and wait for the answer.
    asked: Library,
    health: Arc<Health>,
    workers: usize,
    connect: Box<Connect>,
    sessions: Mutex<VecDeque<Arc<Session>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Held by the one who writes down the words of files.
    words: Mutex<()>,
    /// Set when the server stops: nothing that waits begins any more.
    closed: AtomicBool,
    tell: Box<Tell>,
}

impl Jobs {
    pub(crate) fn new(
        (library, asked): (Library, Library),
        health: Arc<Health>,
        workers: usize,
        connect: Box<Connect>,
        tell: Box<Tell>,
    ) -> Self {
        Self {
            library,
            asked,
            health,
            workers,
            connect,
            sessions: Mutex::default(),
            thread: Mutex::default(),
            words: Mutex::default(),
            closed: AtomicBool::new(false),
            tell,
        }
    }

    fn sessions(&self) -> MutexGuard<'_, VecDeque<Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The import that is under way.
    pub(crate) fn running(&self) -> Option<Arc<Session>> {
        let sessions = self.sessions();
        let mut under_way = sessions.iter();
        under_way
            .find(|one| !one.is_waiting() && !one.has_ended())
            .cloned()
    }

    /// The latest import that has begun, whether it has ended or not.
    pub(crate) fn latest(&self) -> Option<Arc<Session>> {
        let sessions = self.sessions();
        let mut begun = sessions.iter().rev();
        begun.find(|one| one.began.get().is_some()).cloned()
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<Arc<Session>> {
        self.sessions().iter().find(|one| one.id == id).cloned()
    }

    /// Begins an import of `folder`, which is the root folder or lies below it; refuses while another has not ended.
    pub(crate) fn start(
        self: &Arc<Self>,
        folder: &Path,
        terms: Terms,
    ) -> std::result::Result<View, Refusal> {
        self.add(folder, terms, 0)
    }

    /// Begins an import of `folder`, or has it wait until those before it have ended.
    pub(crate) fn queue(self: &Arc<Self>, folder: &Path) -> std::result::Result<View, Refusal> {
        self.add(folder, Terms::default(), MOST_WAITING)
    }

    fn add(
        self: &Arc<Self>,
        folder: &Path,
        terms: Terms,
        most_before: usize,
    ) -> std::result::Result<View, Refusal> {
        let folder = Folder::find(self.library.root(), folder)?;
        let session = Arc::new(self.session(Uuid::new_v4(), folder, terms));
        let is_first = {
            let mut sessions = self.sessions();
            let before = sessions.iter().filter(|one| !one.has_ended()).count();
            if before > most_before {
                return Err(Refusal::conflict(if most_before == 0 {
                    "an import is under way"
                } else {
                    "too many imports are waiting"
                }));
            }
            sessions.push_back(Arc::clone(&session));
            // Those that have ended longest ago are forgotten first.
            while sessions.len() > REMEMBERED + before
                && let Some(at) = sessions.iter().position(|one| one.has_ended())
            {
                sessions.remove(at);
            }
            before == 0
        };
        let (id, at) = (session.id.to_string(), session.asked_at.to_string());
        let below = &session.folder.below;
        let terms = serde_json::to_string(&session.terms).ok();
        if let Err(error) = kept::add(self.asked.db(), &id, below, &at, terms, is_first) {
            // What is not written down is not promised.
            self.sessions().retain(|one| one.id != session.id);
            return Err(error.into());
        }
        self.go(false);
        Ok(session.view())
    }

    /// Begins again what was under way when the last server was killed, and then what waited.
    pub(crate) fn go_on(self: &Arc<Self>) -> Result<()> {
        for job in kept::ended(self.library.db(), REMEMBERED as u32)? {
            let problems = kept::problems(self.library.db(), &job.id)?;
            if let Some(session) = self.of_before(&job, problems) {
                self.sessions().push_back(Arc::new(session));
            }
        }
        for job in kept::unended(self.library.db())? {
            let id = Uuid::parse_str(&job.id).ok();
            let folder = Folder::find(self.library.root(), Path::new(&job.folder)).ok();
            if let Some((id, folder)) = id.zip(folder) {
                let terms = job.report.as_deref().map(serde_json::from_str);
                let terms = terms.and_then(std::result::Result::ok).unwrap_or_default();
                let session = Arc::new(self.session(id, folder, terms));
                self.sessions().push_back(session);
            } else {
                let at = Timestamp::now().to_string();
                kept::end(self.library.db(), &job.id, "failed", &at, "{}")?;
            }
        }
        self.go(true);
        Ok(())
    }

    /// An import that a server before this one did.
    fn of_before(&self, job: &KeptJob, problems: Vec<kept::KeptProblem>) -> Option<Session> {
        let asked_at: Timestamp = job.started_at.parse().ok()?;
        let ended_at: Option<Timestamp> = job.ended_at.as_ref().and_then(|at| at.parse().ok());
        let folder = Folder::known(self.library.root(), &job.folder);
        let session = Session {
            asked_at,
            told: Mutex::new(Told::of_before(job, problems, ended_at.unwrap_or(asked_at))),
            ..self.session(Uuid::parse_str(&job.id).ok()?, folder, Terms::default())
        };
        let _ = session.began.set((asked_at, Instant::now()));
        Some(session)
    }

    fn session(&self, id: Uuid, folder: Folder, terms: Terms) -> Session {
        Session {
            id,
            folder,
            asked_at: Timestamp::now(),
            began: OnceLock::new(),
            cancel: Cancel::new(),
            progress: Progress::new(self.workers_of(&terms)),
            told: Mutex::default(),
            terms,
        }
    }

    fn workers_of(&self, terms: &Terms) -> usize {
        terms
            .workers
            .map_or(self.workers, |workers| workers.min(self.workers))
    }

    /// Has a thread work on what waits, if none does already, and then see to it that everything is found by its words;
    /// the latter alone `in_any_case`.
    fn go(self: &Arc<Self>, in_any_case: bool) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.next();
        if first.is_none() && !in_any_case {
            return;
        }
        let jobs = Arc::clone(self);
        let spawned = std::thread::Builder::new()
            .name("import".to_owned())
            .spawn(move || {
                let mut session = first;
                while let Some(begun) = session {
                    jobs.work(&begun);
                    session = jobs.next();
                }
                let _turn = jobs.words.lock().unwrap_or_else(PoisonError::into_inner);
                jobs.write_words(|| !jobs.closed.load(Ordering::Acquire));
            });
        match spawned {
            Ok(new) => *thread = Some(new),
            Err(error) => {
                if let Some(session) = self.running() {
                    self.ended(&session, State::Failed, None, Some(error.to_string()));
                }
            }
        }
    }

    /// Sees to it that everything is found by its words, unless somebody does already, or until it is to stop.
    pub(crate) fn catch_up(&self, stop: &Cancel) {
        if let Ok(_turn) = self.words.try_lock() {
            self.write_words(|| !stop.is_requested());
        }
    }

    fn write_words(&self, is_wanted: impl Fn() -> bool) {
        if let Err(error) = search::catch_up(self.library.db(), is_wanted) {
            tracing::error!("cannot write down the words of files: {error}");
        }
    }

    /// The first that waits, begun; `None` while another is under way, nothing waits, or the server stops.
    fn next(&self) -> Option<Arc<Session>> {
        let sessions = self.sessions();
        if self.closed.load(Ordering::Acquire) {
            return None;
        }
        let mut unended = sessions.iter().filter(|one| !one.has_ended());
        let first = unended.next().filter(|one| one.is_waiting())?;
        let _ = first.began.set((Timestamp::now(), Instant::now()));
        Some(Arc::clone(first))
    }

    fn work(&self, session: &Session) {
        let id = session.id.to_string();
        if let Err(error) = kept::begin(self.library.db(), &id) {
            self.ended(session, State::Failed, None, Some(error.to_string()));
            return;
        }
        let view = session.view();
        (self.tell)(Moment::Began, &view);
        (self.tell)(Moment::GoesOn, &view);
        let import = Import {
            folder: session.folder.absolute.clone(),
            jobs: self.workers_of(&session.terms),
            only: Some(session.terms.only.clone()).filter(|only| !only.is_all()),
            prune: false,
            dry_run: false,
            force: false,
            session: Some(session.id.into()),
        };
        let worked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let hear = |event: JobEvent<'_>| {
                let asks = session.told().hear(&event);
                if asks {
                    (self.tell)(Moment::GoesOn, &session.view());
                }
            };
            let online = (self.connect)(&self.library, &session.cancel);
            let ended = job::run(
                &self.library,
                &import,
                online.as_ref(),
                &session.cancel,
                &session.progress,
                &hear,
            )?;
            while session.told().take_key() && !session.cancel.is_requested() {
                if let Some(online) = (self.connect)(&self.library, &session.cancel) {
                    job::identify_left(&self.library, &online, &hear)?;
                }
            }
            Ok::<_, music::Error>(ended)
        }));
        let (state, completed, reason) = match worked {
            Ok(Ok(ended)) if session.cancel.is_requested() => {
                (State::Cancelled, Some(ended.imported), None)
            }
            Ok(Ok(ended)) => (State::Completed, Some(ended.imported), None),
            Ok(Err(error)) => {
                let reason = error.to_string();
                self.health.note(&self.library, error.into());
                (State::Failed, None, Some(reason))
            }
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
            _ => "failed",
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
            told.took = Some(session.elapsed());
        }
        if session.began.get().is_none() {
            // What never began is no news to those who follow an import.
            return;
        }
        let view = session.view();
        (self.tell)(Moment::GoesOn, &view);
        (self.tell)(Moment::Ended, &view);
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
                (self.tell)(Moment::GoesOn, &session.view());
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
        if session.began.get().is_some() {
            // What was promised is written down first: a server that is killed now does not go on with it again.
            let (id, now) = (session.id.to_string(), Timestamp::now().to_string());
            kept::end(self.asked.db(), &id, "cancelled", &now, "{}")?;
        }
        session.cancel.request(Reason::Asked);
        // With the list in hand, so that it does not begin now.
        let sessions = self.sessions();
        if session.is_waiting() {
            session.told().took = Some(Duration::ZERO);
            drop(sessions);
            self.ended(&session, State::Cancelled, None, None);
        }
        Ok(session.view())
    }

    /// Answers an import that waits for a key for `AcoustID`; false where none waits, or it has ended.
    pub(crate) fn answer(&self, id: Uuid, answer: Key) -> bool {
        let Some(session) = self.find(id) else {
            return false;
        };
        let mut told = session.told();
        let is_asked = told.key == Key::Refused;
        if is_asked {
            told.key = answer;
        }
        is_asked
    }

    /// Stops what is under way for the reason that `stop` was requested for, and waits for the files in hand.
    pub(crate) fn finish(&self, stop: &Cancel) {
        // What waits stays in the table, and the next server goes on with it.
        self.closed.store(true, Ordering::Release);
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
