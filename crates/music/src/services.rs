//! The services on the network, asked politely.
//!
//! Each keeps its own pace for the whole process. What a failure asks for is decided by its class:
//! a 404 is an answer, an outage is tried again and then left alone for the rest of the run, a
//! refused key stops that service. No key and no query appears in any message.

pub mod acousticbrainz;
pub mod acoustid;
pub mod cover_art;
pub mod dump;
mod lenient;
pub mod musicbrainz;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use run::Cancel;
use serde::de::DeserializeOwned;
use web::{Class, Classified, Client, Options, Retry, Secret, Url};

use crate::error::{Error, Result};
use crate::library::settings;

/// So many questions in a row are left open by a service that does not work; fewer are odd ones. A guess.
const MOST_IN_A_ROW: u32 = 3;

/// An answer larger than this is no answer.
const LARGEST_ANSWER: usize = 16 << 20;

/// Where the services are and how they want to be asked.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// `AcoustID`.
    pub acoustid: Url,
    /// `MusicBrainz`, or a mirror.
    pub musicbrainz: Url,
    /// `AcousticBrainz`.
    pub acousticbrainz: Url,
    /// The Cover Art Archive.
    pub cover_art: Url,
    /// Requests to `AcoustID` in any second.
    pub acoustid_rate: f64,
    /// Requests to `MusicBrainz` in any second.
    pub musicbrainz_rate: f64,
    /// Requests to `AcousticBrainz` in any second.
    pub acousticbrainz_rate: f64,
    /// How to reach whoever runs this, an address or a URL.
    pub contact: String,
    /// The key for `AcoustID`.
    pub acoustid_key: Option<Secret>,
    /// How long to wait for the first byte of an answer.
    pub patience: Duration,
    /// How often to try.
    pub attempts: u32,
}

impl Endpoints {
    /// What the library's settings say, with the key for `AcoustID` if there is one.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn load(db: &sqlite::Db, acoustid_key: Option<Secret>) -> Result<Self> {
        let address = |key| -> Result<Url> {
            let text = settings::value(db, key)?.unwrap_or_default();
            Url::parse(&text).map_err(|_| Error::Service {
                reason: format!("`{text}`, the value of `{key}`, is no address"),
            })
        };
        let rate = settings::value(db, "musicbrainz_requests_per_second")?;
        Ok(Self {
            acoustid: address("acoustid_base_url")?,
            musicbrainz: address("musicbrainz_base_url")?,
            acousticbrainz: address("acousticbrainz_base_url")?,
            cover_art: address("cover_art_base_url")?,
            acoustid_rate: 3.0,
            musicbrainz_rate: rate.and_then(|rate| rate.parse().ok()).unwrap_or(1.0),
            acousticbrainz_rate: 1.0,
            contact: settings::value(db, "service_contact")?.unwrap_or_default(),
            acoustid_key,
            patience: Duration::from_secs(10),
            attempts: 3,
        })
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The service does not work, or cannot be reached: later, perhaps.
    Down {
        /// The service.
        service: &'static str,
        /// What was noticed.
        reason: String,
    },
    /// The service left one question open: other questions it may well answer.
    Odd {
        /// The service.
        service: &'static str,
        /// What was noticed.
        reason: String,
    },
    /// The service does not want this key.
    Refused {
        /// The service.
        service: &'static str,
        /// What it said.
        reason: String,
    },
    /// Nobody waits for the answer any more.
    Stopped,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Down { service, reason } => write!(f, "{service} does not work: {reason}"),
            Self::Odd { service, reason } => {
                write!(f, "{service} left a question open: {reason}")
            }
            Self::Refused { service, reason } => write!(f, "{service} refuses: {reason}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// When to stop waiting.
#[derive(Debug, Default)]
pub struct Patience {
    /// The run was asked to stop.
    pub cancel: Cancel,
    /// From then on, services that do not work are waited for no longer than this.
    hurry: Mutex<Option<(Instant, Duration)>>,
}

impl Patience {
    /// With the run's wish to stop.
    pub fn new(cancel: Cancel) -> Self {
        Self {
            cancel,
            hurry: Mutex::default(),
        }
    }

    /// From now on a service has to answer within `grace`, unless it has shown that it works.
    pub fn hurry(&self, grace: Duration) {
        *self.lock() = Some((Instant::now(), grace));
    }

    /// Whether nobody waits any more for a service that was first asked at `asked`.
    fn is_over(&self, works: bool, asked: Instant) -> bool {
        let hurry = self
            .lock()
            .is_some_and(|(from, grace)| from.max(asked) + grace <= Instant::now());
        self.cancel.is_requested() || (hurry && !works)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Duration)>> {
        self.hurry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One service: its client, and what became of asking it.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    client: Client,
    retry: Retry,
    /// It has answered, and has not failed since.
    works: AtomicBool,
    requests: AtomicU64,
    /// When it was first asked.
    asked: OnceLock<Instant>,
    trouble: Mutex<Option<Trouble>>,
    /// Whether its trouble was told.
    told: AtomicBool,
    /// Questions in a row that it left open.
    odd: AtomicU32,
    /// The last of them, until it was told.
    odd_untold: Mutex<Option<Trouble>>,
}

/// A failed attempt, sorted by what may help.
#[derive(Debug)]
enum Failed {
    Web(web::Error),
    /// Not what the service says: a sign-in page of the network, most often.
    NotJson {
        host: String,
    },
    /// JSON, but no answer.
    NoAnswer {
        host: String,
    },
    /// The service wants fewer requests.
    TooMany,
    Key(String),
}

impl Failed {
    /// Whether it may be the question: an answer came, and was none, however often it was asked. What costs a service too
    /// much it answers like an outage, every time.
    fn concerns_one_question(&self) -> bool {
        matches!(
            self,
            Self::NotJson { .. }
                | Self::NoAnswer { .. }
                | Self::Web(
                    web::Error::Truncated { .. }
                        | web::Error::Status {
                            status: 500 | 502..=504,
                            ..
                        }
                )
        )
    }
}

impl Classified for Failed {
    fn class(&self) -> Class {
        match self {
            Self::Web(error) => error.class(),
            Self::NotJson { .. } | Self::NoAnswer { .. } => Class::Final,
            Self::TooMany => Class::Throttled(None),
            Self::Key(_) => Class::Unauthorised,
        }
    }
}

impl Service {
    fn new(name: &'static str, url: &Url, rate: f64, endpoints: &Endpoints) -> Result<Self> {
        let options = Options {
            // Pauses shrink and grow on the way; a little slower is never too fast.
            requests_per_second: rate * 0.94,
            connect_limit: endpoints.patience.min(Duration::from_secs(10)),
            answer_limit: endpoints.patience,
            idle_limit: endpoints.patience,
            // A question that fails in all attempts is one of `MOST_IN_A_ROW`.
            breaker_failures: endpoints.attempts.saturating_mul(MOST_IN_A_ROW),
            breaker_pause: Duration::from_mins(1),
            user_agent: user_agent(&endpoints.contact),
            ..Options::new(url.clone())
        };
        let client = Client::new(options).map_err(Error::Unprepared)?;
        Ok(Self {
            name,
            client,
            retry: Retry {
                attempts: endpoints.attempts,
                first_pause: Duration::from_secs(1),
                longest_pause: Duration::from_secs(10),
                longest_asked: Duration::from_secs(30),
            },
            works: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            asked: OnceLock::new(),
            trouble: Mutex::default(),
            told: AtomicBool::new(false),
            odd: AtomicU32::new(0),
            odd_untold: Mutex::default(),
        })
    }

    /// Why it is not asked any more, if so.
    pub fn trouble(&self) -> Option<Trouble> {
        self.lock().clone()
    }

    /// Requests that were sent, repeated ones too.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Asks for `path`; `None` if there is no such thing.
    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        patience: &Patience,
    ) -> Result<Option<T>, Trouble> {
        let read = |body: Vec<u8>| serde_json::from_slice(&body).ok();
        self.get_as(path, query, patience, read).await
    }

    /// The same, for answers that `read` understands.
    async fn get_as<T>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        patience: &Patience,
        read: impl Fn(Vec<u8>) -> Option<T>,
    ) -> Result<Option<T>, Trouble> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.ask(patience, || async {
            let answer = match self.client.get(&url, None).await {
                // A question that makes no sense to the service is about nothing it knows.
                Err(web::Error::Status {
                    status: 400 | 404, ..
                }) => return Ok(None),
                other => other.map_err(Failed::Web)?,
            };
            let host = answer.host().to_owned();
            let body = answer.bytes(LARGEST_ANSWER).await.map_err(Failed::Web)?;
            let is_json = is_json(&body);
            read(body).map(Some).ok_or(no_answer(is_json, host))
        })
        .await
    }

    /// The address of `path` below the base URL, whether that ends in a slash or not.
    fn url(&self, path: &str) -> Url {
        let mut url = self.client.base_url().clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        url
    }

    /// Sends until it is answered, or there is no point any more.
    async fn ask<T, F>(
        &self,
        patience: &Patience,
        mut operation: impl FnMut() -> F,
    ) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        if let Some(trouble) = self.trouble() {
            return Err(trouble);
        }
        let asked = *self.asked.get_or_init(Instant::now);
        let is_over = || patience.is_over(self.works.load(Ordering::Relaxed), asked);
        let again = |error: &Failed, pause: Duration| {
            tracing::info!(
                service = self.name,
                "{}, again in {pause:?}",
                describe(error)
            );
        };
        let asking = self.retry.run(is_over, again, || {
            self.requests.fetch_add(1, Ordering::Relaxed);
            operation()
        });
        let result = tokio::select! {
            result = asking => result,
            () = wait_until(is_over) => return Err(self.give_up(patience)),
        };
        match result {
            Ok(value) => {
                self.works.store(true, Ordering::Relaxed);
                self.odd.store(0, Ordering::Relaxed);
                Ok(value)
            }
            Err(error) if error.concerns_one_question() && self.is_one_of_few() => {
                let trouble = Trouble::Odd {
                    service: self.name,
                    reason: describe(&error),
                };
                *lock(&self.odd_untold) = Some(trouble.clone());
                Err(trouble)
            }
            Err(error) => {
                self.works.store(false, Ordering::Relaxed);
                Err(self.leave_alone(&error))
            }
        }
    }

    /// Counts a question that was left open; whether the service may answer others all the same.
    fn is_one_of_few(&self) -> bool {
        self.odd.fetch_add(1, Ordering::Relaxed) + 1 < MOST_IN_A_ROW
    }

    fn give_up(&self, patience: &Patience) -> Trouble {
        if patience.cancel.is_requested() {
            return Trouble::Stopped;
        }
        let trouble = Trouble::Down {
            service: self.name,
            reason: "it did not answer while the import ran".to_owned(),
        };
        *self.lock() = Some(trouble.clone());
        trouble
    }

    /// A service that failed in spite of all attempts is not asked again in this run.
    fn leave_alone(&self, error: &Failed) -> Trouble {
        lock(&self.odd_untold).take();
        let trouble = match error {
            Failed::Key(reason) => Trouble::Refused {
                service: self.name,
                reason: reason.clone(),
            },
            Failed::Web(error) if error.class() == Class::Unauthorised => Trouble::Refused {
                service: self.name,
                reason: describe(&Failed::Web(error.clone())),
            },
            other => Trouble::Down {
                service: self.name,
                reason: describe(other),
            },
        };
        *self.lock() = Some(trouble.clone());
        trouble
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Trouble>> {
        lock(&self.trouble)
    }
}

fn lock(trouble: &Mutex<Option<Trouble>>) -> std::sync::MutexGuard<'_, Option<Trouble>> {
    trouble.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an answer that is none is JSON all the same.
fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

fn no_answer(is_json: bool, host: String) -> Failed {
    if is_json {
        Failed::NoAnswer { host }
    } else {
        Failed::NotJson { host }
    }
}

fn describe(error: &Failed) -> String {
    match error {
        Failed::Web(error) => {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().to_owned()
        }
        Failed::NotJson { host } => {
            format!(
                "`{host}` sent a web page instead of an answer; does the network want a sign-in?"
            )
        }
        Failed::NoAnswer { host } => {
            format!("`{host}` sent something else than the service answers")
        }
        Failed::TooMany => "too many requests".to_owned(),
        Failed::Key(reason) => reason.clone(),
    }
}

async fn wait_until(is_over: impl Fn() -> bool) {
    while !is_over() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn user_agent(contact: &str) -> String {
    let program = concat!("accession/", env!("CARGO_PKG_VERSION"));
    let contact: String = contact.chars().filter(char::is_ascii_graphic).collect();
    if contact.is_empty() {
        program.to_owned()
    } else {
        format!("{program} ( {contact} )")
    }
}

/// All services.
#[derive(Debug)]
pub struct Services {
    /// `AcoustID`; none without a key.
    pub acoustid: Option<acoustid::AcoustId>,
    /// `MusicBrainz`.
    pub musicbrainz: musicbrainz::MusicBrainz,
    /// `AcousticBrainz`.
    pub acousticbrainz: acousticbrainz::AcousticBrainz,
    /// The Cover Art Archive.
    pub cover_art: cover_art::CoverArt,
}

impl Services {
    /// Clients that have sent nothing yet.
    ///
    /// # Errors
    ///
    /// When the system lets nobody make requests.
    pub fn new(endpoints: &Endpoints) -> Result<Self> {
        let key = endpoints.acoustid_key.clone().filter(|key| !key.is_empty());
        let acoustid = key
            .map(|key| {
                let service = Service::new(
                    "AcoustID",
                    &endpoints.acoustid,
                    endpoints.acoustid_rate,
                    endpoints,
                )?;
                Ok::<_, Error>(acoustid::AcoustId::new(service, key))
            })
            .transpose()?;
        let rate = endpoints.musicbrainz_rate;
        Ok(Self {
            acoustid,
            musicbrainz: musicbrainz::MusicBrainz::new(Service::new(
                "MusicBrainz",
                &endpoints.musicbrainz,
                rate,
                endpoints,
            )?),
            acousticbrainz: acousticbrainz::AcousticBrainz::new(Service::new(
                "AcousticBrainz",
                &endpoints.acousticbrainz,
                endpoints.acousticbrainz_rate,
                endpoints,
            )?),
            cover_art: cover_art::CoverArt::new(Service::new(
                "the Cover Art Archive",
                &endpoints.cover_art,
                1.0,
                endpoints,
            )?),
        })
    }

    /// Everything that is wrong with any of them.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.all().filter_map(Service::trouble).collect()
    }

    /// What is wrong with them and was not asked for in this way before. What may yet turn out to be an outage waits, unless
    /// nothing more will be asked.
    pub fn untold(&self, at_the_end: bool) -> Vec<Trouble> {
        let odd = self
            .all()
            .filter(|one| at_the_end || one.odd.load(Ordering::Relaxed) == 0)
            .filter_map(|one| lock(&one.odd_untold).take());
        let down = self
            .all()
            .filter_map(|one| Some((one, one.trouble()?)))
            .filter(|(one, _)| !one.told.swap(true, Ordering::Relaxed))
            .map(|(_, trouble)| trouble);
        odd.chain(down).collect()
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u64 {
        self.all().map(Service::requests).sum()
    }

    fn all(&self) -> impl Iterator<Item = &Service> {
        let acoustid = self.acoustid.as_ref().map(|one| &one.service);
        acoustid.into_iter().chain([
            &self.musicbrainz.service,
            &self.acousticbrainz.service,
            &self.cover_art.service,
        ])
    }
}
