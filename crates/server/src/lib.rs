//! Serves a library to browsers and programs.
//!
//! Two interfaces stand beside each other: the one that WKMP's ingest service has (module `wkmp`: its paths,
//! bodies, states and events), and the pages on which a person takes a folder in and looks at what is there
//! (module `pages`). Both are views of one import at a time (module `jobs`), which is what the command line runs, too.
//!
//! Nothing here holds a statement or decodes audio, and no job waits for a browser: events go through a ring
//! whose oldest frame is overwritten. Every request passes `guard` first: the name in `Host`, the origin of writes, and
//! beyond this machine a token.

mod amplitude;
mod api;
mod choices;
mod collection;
mod error;
mod events;
mod fitted;
mod folder;
mod guard;
mod health;
mod jobs;
mod kept;
mod listen;
mod metrics;
mod object;
mod pages;
mod peer;
mod whole;
mod wkmp;
mod work;

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use music::Library;
use music::job::Online;
use music::library::browse;
use music::library::query::Status;
use music::library::review::{self, Part};
use music::views::similar::Sounds;
use run::Cancel;
use tokio::sync::OwnedSemaphorePermit;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;
use web::Secret;

pub use crate::collection::CollectionOptions;
pub use crate::error::{Error, Result};

use crate::error::Refusal;
use crate::events::Ring;
use crate::guard::Guard;
use crate::health::Health;
use crate::jobs::Jobs;
use crate::kept::Kept;

/// Largest body of a request in bytes, as WKMP's `http_max_body_size_bytes` has it.
const LARGEST_BODY: usize = 1 << 20;

/// How long a request may take until its answer begins, as WKMP's `http_request_timeout_ms` has it.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// The same where a file is heard again first. A guess: four hours of audio take less.
const HEARING_TIME: Duration = Duration::from_mins(10);

/// How long a request waits for other programs that write to the library. A guess: longer than a transaction of a program
/// in order takes, and a person still waits for an answer.
const LOCK_TIME: Duration = Duration::from_secs(10);

/// How many may listen at once to what must be decoded first. A guess: a person listens to one or two at a time.
const LISTENERS: usize = 8;

/// How many may follow events at once: far fewer than there are connections, so that others still get one. A browser has
/// one stream for each page of it. A guess.
const FOLLOWERS: usize = 128;

/// Prepares the services that a job asks; `None` where the network is not to be asked.
pub type Connect = dyn Fn(&Library, &Cancel) -> Option<Online> + Send + Sync;

/// What is served, and to whom.
pub struct Options {
    /// The library, open for writing.
    pub library: Library,
    /// Files worked on at once by an import.
    pub jobs: usize,
    /// How a job gets its services.
    pub connect: Box<Connect>,
    /// Whether the network may be asked at all.
    pub offline: bool,
    /// Names, besides addresses and `localhost`, under which browsers may ask for this server.
    pub names: Vec<String>,
    /// What a visitor must know; `None` only where the listener can be reached from this machine alone.
    pub token: Option<Secret>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("library", &self.library.path())
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

/// What every handler sees.
pub(crate) struct App {
    /// As requests use it; what they write waits for others no longer than somebody waits for them.
    pub(crate) library: Library,
    /// Whether it can be used.
    pub(crate) health: Arc<Health>,
    pub(crate) jobs: Arc<Jobs>,
    /// How passages sound.
    pub(crate) sounds: Arc<Kept<Sounds>>,
    /// What the report tells.
    pub(crate) status: Arc<Kept<Status>>,
    /// What is told of imports, to all who listen.
    pub(crate) ring: Arc<Ring>,
    pub(crate) offline: bool,
    pub(crate) started: Instant,
    /// Requested when the server is to stop; event streams end then.
    pub(crate) stop: Cancel,
    /// One decoding at a time for `/analyze/amplitude`.
    pub(crate) decoding: tokio::sync::Semaphore,
    /// A few who listen to what must be decoded first.
    pub(crate) listening: Arc<tokio::sync::Semaphore>,
    /// Those who follow events.
    following: Arc<tokio::sync::Semaphore>,
    /// One plan of an import at a time.
    pub(crate) planning: tokio::sync::Semaphore,
    /// Held by whoever looks at a passage and then writes what a person said about it.
    editing: Mutex<()>,
}

impl App {
    /// A place among those who follow events.
    pub(crate) fn listener(&self) -> std::result::Result<OwnedSemaphorePermit, Refusal> {
        let place = Arc::clone(&self.following).try_acquire_owned();
        place.map_err(|_| Refusal::busy("too many follow events already"))
    }

    /// Some files by path, as [`browse::page`] has them; if that does not know the words of all of them, they are read
    /// beside.
    pub(crate) fn files(
        &self,
        after: Option<&str>,
        words: Option<&str>,
        count: u32,
    ) -> std::result::Result<browse::Page, Refusal> {
        let page = browse::page(self.library.db(), after, words, count)?;
        if page.unread > 0 {
            let (jobs, stop) = (Arc::clone(&self.jobs), self.stop.clone());
            work::beside(move || jobs.catch_up(&stop));
        }
        Ok(page)
    }

    /// Waits until nobody else edits.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        // It guards no data that a panic could have left half done.
        self.editing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that holds its port and answers once [`Server::run`] is called.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Takes the first of the addresses that is free.
    ///
    /// # Errors
    ///
    /// When none of them is.
    pub fn bind(addresses: &[SocketAddr]) -> Result<Self> {
        let mut last = None;
        for address in addresses {
            match TcpListener::bind(address).and_then(|listener| {
                listener.set_nonblocking(true)?;
                let address = listener.local_addr()?;
                Ok(Self { listener, address })
            }) {
                Ok(server) => return Ok(server),
                Err(source) => {
                    last = Some(Error::Listen {
                        address: *address,
                        source,
                    });
                }
            }
        }
        Err(last.unwrap_or(Error::NoAddress))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is requested; then finishes the files in hand.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used, or somebody beyond this machine could come without a token.
    pub fn run(self, options: Options, stop: &Cancel) -> Result<()> {
        let guard = self.guard(options.names, options.token.as_ref())?;
        let ring = Arc::new(Ring::new());
        let frames = Arc::clone(&ring);
        let health = Arc::new(Health::default());
        let patient = options.library.with_patience(LOCK_TIME);
        let jobs = Arc::new(Jobs::new(
            (options.library, patient.clone()),
            Arc::clone(&health),
            options.jobs,
            options.connect,
            Box::new(move |moment, view| {
                let (name, data) = wkmp::told::event(moment, view);
                frames.tell(name, &data);
            }),
        ));
        let (sounds, status) = (Arc::new(Kept::sounds()), Arc::new(Kept::status()));
        let (kept, counts) = (Arc::clone(&sounds), Arc::clone(&status));
        let library = patient.clone();
        let app = Arc::new(App {
            library: patient,
            health,
            jobs: Arc::clone(&jobs),
            sounds,
            status,
            ring,
            offline: options.offline,
            started: Instant::now(),
            stop: stop.clone(),
            decoding: tokio::sync::Semaphore::new(1),
            listening: Arc::new(tokio::sync::Semaphore::new(LISTENERS)),
            following: Arc::new(tokio::sync::Semaphore::new(FOLLOWERS)),
            planning: tokio::sync::Semaphore::new(1),
            editing: Mutex::default(),
        });
        jobs.go_on()?;
        let progress = Arc::clone(&jobs).tell_progress(stop.clone());
        let served = listen::serve(
            self.listener,
            &guarded(routes(app), guard),
            async move {
                work::beside(move || {
                    counts.read_ahead(&library);
                    look_at_doubts(&library);
                    kept.read_ahead(&library);
                });
                progress.await;
            },
            stop,
        );
        jobs.finish(stop);
        served
    }

    /// Shows a run of books until `stop` is requested.
    ///
    /// # Errors
    ///
    /// As [`Server::run`].
    pub fn run_collection(self, options: CollectionOptions, stop: &Cancel) -> Result<()> {
        let guard = self.guard(options.names.clone(), options.token.as_ref())?;
        let routes = collection::routes(options).layer(within(REQUEST_TIME));
        listen::serve(self.listener, &guarded(routes, guard), async {}, stop)
    }

    fn guard(&self, names: Vec<String>, token: Option<&Secret>) -> Result<Guard> {
        let only_this_machine = self.address.ip().is_loopback();
        if token.is_none() && !only_this_machine {
            return Err(Error::NoToken {
                address: self.address,
            });
        }
        Ok(Guard::new(only_this_machine, names, token))
    }
}

/// Reads what is in doubt once, whose counts run through an index of a few megabytes: the first page of it finds that in
/// the system's cache.
fn look_at_doubts(library: &Library) {
    let matches = review::page_of_matches(library, Part::default(), 1).map(drop);
    let read =
        matches.and_then(|()| review::page_of_boundaries(library, Part::default(), 1).map(drop));
    // A page that needs it meets the same error, and tells it.
    if let Err(error) = read {
        tracing::warn!("cannot read the library ahead: {error}");
    }
}

/// All routes on a library in one table.
fn routes(app: Arc<App>) -> Router {
    Router::new()
        .merge(wkmp::routes())
        .merge(pages::routes())
        .merge(api::routes())
        .layer(within(REQUEST_TIME))
        .merge(api::slow_routes().layer(within(HEARING_TIME)))
        .with_state(app)
        .merge(pages::assets())
}

/// Puts routes behind everything that keeps strangers out.
fn guarded(routes: Router, guard: Guard) -> Router {
    routes
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(axum::middleware::from_fn(whole::taken_in))
        .layer(CsrfLayer::new())
        .layer(axum::middleware::from_fn_with_state(
            Arc::new(guard),
            guard::check,
        ))
        .layer(axum::middleware::from_fn(whole::told_alike))
}

fn within(time: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, time)
}
