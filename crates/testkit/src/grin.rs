//! A GRIN of our own: real HTTP on the loopback, and everything that can go wrong, on demand.
//!
//! It serves list pages, answers about barcodes, and tokens, for a catalogue that is a function of a number. It writes
//! down every request, so that a test can see what was asked how often, and with which token.

mod catalogue;
mod server;

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use catalogue::{COLUMNS_LISTED, FakeCatalogue, barcode, listed, stored};

/// What goes wrong with an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A status, perhaps with `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// The connection is reset before any answer.
    Reset,
    /// Half of the body, and then the connection is reset.
    HalfThenReset,
    /// Half of the body under a length that fits: only its content tells.
    HalfComplete,
    /// A page to sign in, with status 200.
    SignInPage,
    /// A page that says that the request is unavailable, with status 200.
    Unavailable,
    /// A page of some other kind, with status 200.
    OtherPage,
    /// A list without a book.
    Empty,
    /// The right books, and a next link to this page itself.
    NextIsSelf,
    /// The right books, and a next link to the first page.
    NextIsFirst,
    /// This body, with status 200, in place of the right one.
    Body(String),
    /// No answer at all, while the connection stays open.
    Silent,
    /// A redirect to this address.
    Redirect(String),
    /// This number of bytes at a time, with pauses.
    Slow(usize, Duration),
}

/// Which requests a fault concerns.
#[derive(Clone, Debug, PartialEq)]
pub enum On {
    /// List pages that name the book at this place, from 0: the one that begins with it, or with a book before it that
    /// the asker knows.
    Page(u64),
    /// Questions about this barcode, and those asked for with it.
    Barcode(String),
    /// Requests for a new token.
    Token,
    /// Every request but those for a new token.
    Any,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Path and query.
    pub target: String,
    /// What `Authorization` said.
    pub authorization: Option<String>,
    /// When it came.
    pub at: Instant,
}

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct FakeGrin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    catalogue: FakeCatalogue,
    faults: Mutex<Vec<(On, Fault, u32)>>,
    requests: Mutex<Vec<Request>>,
    /// The token that is accepted; none accepts every one.
    token: Mutex<Option<String>>,
    refreshes: AtomicU64,
    latency: Mutex<Duration>,
    /// Pages that were made beforehand, by their first book.
    prepared: Mutex<HashMap<u64, Arc<Vec<u8>>>>,
    /// What becomes of every answer about barcodes.
    change_answers: Mutex<fn(String) -> Vec<u8>>,
    /// Pages of more books are refused.
    most_asked: AtomicU64,
    /// What becomes of every list page.
    change_pages: Mutex<fn(String) -> String>,
    /// A list that moves, in place of the catalogue's own order.
    shelf: Mutex<Option<Shelf>>,
    ended: AtomicBool,
}

/// What becomes of a list.
type Change = dyn FnMut(&mut Vec<u64>) + Send;

/// The numbers of books in the order of the list, and what becomes of it after every page.
struct Shelf {
    books: Vec<u64>,
    change: Box<Change>,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} books", self.books.len())
    }
}

/// What a client's credential file holds at first.
pub const FIRST_TOKEN: &str = "ya29.first-token-of-the-test";

/// A token that is good once the first one is not, and that no one was given.
pub const RENEWED_ELSEWHERE: &str = "ya29.not-given-to-anybody-yet";

/// What gets new tokens.
pub const REFRESH_TOKEN: &str = "1//refresh-token-of-the-test";

/// The application's secret.
pub const CLIENT_SECRET: &str = "hush-client-secret-of-the-test";

impl FakeGrin {
    /// Serves `catalogue` on a free port.
    pub fn start(catalogue: FakeCatalogue) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            catalogue,
            faults: Mutex::default(),
            requests: Mutex::default(),
            token: Mutex::new(Some(FIRST_TOKEN.to_owned())),
            refreshes: AtomicU64::new(0),
            latency: Mutex::default(),
            prepared: Mutex::default(),
            change_answers: Mutex::new(String::into_bytes),
            most_asked: AtomicU64::new(u64::MAX),
            change_pages: Mutex::new(|page| page),
            shelf: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || crate::http::accept(&listener, &serving));
        Ok(Self { address, shared })
    }

    /// Makes all pages of `asked` books beforehand, so that serving them costs next to nothing.
    pub fn prepare(&self, asked: u64) {
        let catalogue = &self.shared.catalogue;
        let firsts = (0..catalogue.books).step_by(asked.max(1) as usize);
        let pages = firsts.map(|first| {
            // Every page but the first begins with the last book of the one before it.
            let overlap = u64::from(first > 0);
            let page = catalogue.page(first - overlap, asked + overlap, None);
            (first - overlap, Arc::new(page.into_bytes()))
        });
        *lock(&self.shared.prepared) = pages.collect();
    }

    /// Its address, to be given as the base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Writes a credential file that is good for it.
    pub fn write_credentials(&self, folder: &Path) -> io::Result<()> {
        let url = self.url();
        let text = format!(
            r#"{{"token": "{FIRST_TOKEN}", "refresh_token": "{REFRESH_TOKEN}", "token_uri": "{url}/token",
"client_id": "id", "client_secret": "{CLIENT_SECRET}", "scopes": ["openid"]}}"#
        );
        std::fs::write(folder.join("credentials.json"), text)
    }

    /// The next `times` answers to such requests go wrong.
    pub fn fail(&self, on: On, fault: Fault, times: u32) {
        lock(&self.shared.faults).push((on, fault, times));
    }

    /// Faults that were asked for and did not happen yet are forgotten.
    pub fn mend(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Pages of more books than this are refused.
    pub fn refuse_more_than(&self, books: u64) {
        self.shared.most_asked.store(books, Ordering::SeqCst);
    }

    /// List pages become something else.
    pub fn change_pages(&self, change: fn(String) -> String) {
        *lock(&self.shared.change_pages) = change;
    }

    /// The list of books becomes one that `change` changes after every page.
    pub fn move_books(&self, change: impl FnMut(&mut Vec<u64>) + Send + 'static) {
        *lock(&self.shared.shelf) = Some(Shelf {
            books: self.shared.catalogue.numbers().collect(),
            change: Box::new(change),
        });
    }

    /// The numbers of books in the order of the list, where that moves.
    pub fn shelf(&self) -> Vec<u64> {
        let shelf = lock(&self.shared.shelf);
        shelf
            .as_ref()
            .map(|shelf| shelf.books.clone())
            .unwrap_or_default()
    }

    /// Answers about barcodes become something else.
    pub fn change_answers(&self, change: fn(String) -> Vec<u8>) {
        *lock(&self.shared.change_answers) = change;
    }

    /// Every answer takes this much longer.
    pub fn set_latency(&self, latency: Duration) {
        *lock(&self.shared.latency) = latency;
    }

    /// The token in use is no longer accepted; a new one must be asked for.
    pub fn revoke_token(&self) {
        *lock(&self.shared.token) = Some(RENEWED_ELSEWHERE.to_owned());
    }

    /// How often a new token was asked for.
    pub fn refreshes(&self) -> u64 {
        self.shared.refreshes.load(Ordering::SeqCst)
    }

    /// All requests so far, those for tokens left out.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// Requests for list pages so far.
    pub fn page_requests(&self) -> usize {
        let requests = lock(&self.shared.requests);
        requests
            .iter()
            .filter(|request| request.target.contains("_all_books"))
            .count()
    }
}

impl Drop for FakeGrin {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // The listener looks at the flag at the next connection.
        let _ = std::net::TcpStream::connect(self.address);
    }
}

impl Shared {
    /// The fault of a request, if one was asked for; it is used up.
    fn fault(&self, wanted: impl Fn(&On) -> bool) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let (_, fault, times) = faults
            .iter_mut()
            .find(|(on, _, times)| *times > 0 && wanted(on))?;
        *times -= 1;
        Some(fault.clone())
    }
}

/// A thread that panicked has failed its test already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
