//! `AcoustID`, `MusicBrainz`, `AcousticBrainz` and the Cover Art Archive of our own, on the loopback.
//!
//! They serve a [`World`] that is a function of a number, in the shapes of the real ones, write down
//! every request with its time, and can be slow, wrong, limiting, half closed, dead or hidden behind
//! a sign-in page.

mod answer;
mod files;
pub mod hard;
mod index;
mod server;
pub mod shelves;
mod world;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use files::{MadeFile, MadeRip, Tagging, files_of, rip_of, seed};
pub use world::{Artist, Edition, Guest, Kind, Linked, Recording, Release, Track, World, mbid};

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Fingerprints.
    AcoustId,
    /// Recordings and releases.
    MusicBrainz,
    /// How recordings sound.
    AcousticBrainz,
    /// Covers.
    CoverArt,
}

/// What is wrong with a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It takes this long to answer.
    Slow(Duration),
    /// It takes the request and never says a word.
    Silent,
    /// It answers with this status.
    Status(u16),
    /// It closes the connection in the middle of its answer.
    HalfClosed,
    /// It closes the connection without a word.
    Dead,
    /// Somebody else answers with a page to sign in.
    Portal,
    /// It does not know the key any more.
    BadKey,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// To whom.
    pub service: Service,
    /// Path and query.
    pub target: String,
    /// What `User-Agent` said.
    pub user_agent: String,
    /// Fingerprints in it.
    pub fingerprints: usize,
    /// When it came.
    pub at: Instant,
}

/// The key that is accepted.
pub const KEY: &str = "key-of-the-test-8c1f";

/// The services; they end when this is dropped.
#[derive(Debug)]
pub struct FakeServices {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    indices: answer::Indices,
    world: World,
    requests: Mutex<Vec<Request>>,
    /// Faults, and for how many requests they last.
    faults: Mutex<Vec<(Service, Fault, u32)>>,
    ended: AtomicBool,
}

impl FakeServices {
    /// Serves `world` on a free port.
    pub fn start(world: World) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            indices: answer::Indices::of(&world),
            world,
            requests: Mutex::default(),
            faults: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || crate::http::accept(&listener, &serving));
        Ok(Self { address, shared })
    }

    /// Where a service is.
    pub fn url(&self, service: Service) -> String {
        format!("http://{}{}", self.address, prefix(service))
    }

    /// The settings that lead a library here, by key.
    pub fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("acoustid_base_url", self.url(Service::AcoustId)),
            ("musicbrainz_base_url", self.url(Service::MusicBrainz)),
            ("acousticbrainz_base_url", self.url(Service::AcousticBrainz)),
            ("cover_art_base_url", self.url(Service::CoverArt)),
        ]
    }

    /// The world they serve.
    pub fn world(&self) -> &World {
        &self.shared.world
    }

    /// The next `times` answers of a service go wrong.
    pub fn fail(&self, service: Service, fault: Fault, times: u32) {
        lock(&self.shared.faults).push((service, fault, times));
    }

    /// The next `well` answers of a service are as they should be, and `times` after them go wrong.
    pub fn fail_after(&self, well: u32, service: Service, fault: Fault, times: u32) {
        let as_it_should_be = Fault::Slow(Duration::ZERO);
        lock(&self.shared.faults)
            .extend([(service, as_it_should_be, well), (service, fault, times)]);
    }

    /// Everything works again.
    pub fn mend(&self) {
        lock(&self.shared.faults).clear();
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The most requests to a service in any window of a second.
    pub fn most_in_a_second(&self, service: Service) -> usize {
        let requests = self.requests();
        let times: Vec<_> = requests
            .iter()
            .filter(|request| request.service == service)
            .map(|request| request.at)
            .collect();
        let second = Duration::from_secs(1);
        let in_window = |from: &Instant| {
            let inside = |at: &&Instant| **at >= *from && **at - *from < second;
            times.iter().filter(inside).count()
        };
        times.iter().map(in_window).max().unwrap_or(0)
    }
}

impl Drop for FakeServices {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // The listener looks at the flag when somebody comes.
        let _ = std::net::TcpStream::connect(self.address);
    }
}

impl Shared {
    /// The fault of a request, if one was asked for; it is used up.
    fn fault(&self, service: Service) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let (_, fault, times) = faults
            .iter_mut()
            .find(|(of, _, times)| *of == service && *times > 0)?;
        *times -= 1;
        Some(fault.clone())
    }
}

fn prefix(service: Service) -> &'static str {
    match service {
        Service::AcoustId => "/acoustid/v2",
        Service::MusicBrainz => "/musicbrainz/ws/2",
        Service::AcousticBrainz => "/acousticbrainz/api/v1",
        Service::CoverArt => "/coverart",
    }
}

/// A thread that panicked has failed its test already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
