//! `page -> record`: the whole catalogue, page by page, from the first to the one GRIN calls the last.
//!
//! A page is read and recorded while its bytes still come. The next one is asked for as soon as this one is whole: its
//! last books may still be on their way into the database, and until they are there, `journal` has them. So a
//! process that dies costs at most one page, fetched again.

pub(crate) mod fetch;
mod journal;
mod last;
mod recorder;

use std::time::{Duration, Instant};

use run::Usage;
use tokio::sync::Mutex;

use crate::catalogue::Catalogue;
use crate::catalogue::pass::{self, KnownPage, Pass, ReadPage};
use crate::catalogue::{query, record};
use crate::collect::fetch::{Fetched, fetch};
use crate::collect::recorder::Recorder;
use crate::date;
use crate::error::Error;
use crate::event::{CollectCompleted, Event, Outcome};
use crate::grin::BOOKS_PER_PAGE;
use crate::page::PageError;
use crate::run::{Stage, StageResult};
use crate::session::{Work, patiently, wait};

/// How to collect.
#[derive(Clone, Debug)]
pub struct Collect {
    /// Update known books, after a complete collection.
    pub refresh: bool,
    /// Stop after so many books.
    pub limit: Option<u64>,
    /// Books asked for on one page.
    pub books_per_page: u32,
    /// Begin at the first page, whatever was collected before; what is stored stays.
    pub from_start: bool,
}

impl Default for Collect {
    fn default() -> Self {
        Self {
            refresh: false,
            limit: None,
            books_per_page: BOOKS_PER_PAGE,
            from_start: false,
        }
    }
}

/// How a collection came to its end.
enum Ending {
    Completed { vanished: u64 },
    Stopped,
    Limited,
    Failed { missing: String },
    CompleteBefore,
}

/// What the steps of a collection share.
struct Collecting<'a> {
    work: &'a Work<'a>,
    options: &'a Collect,
    recorder: Mutex<Recorder<'a>>,
    /// Where the pass stands.
    pass: Pass,
    known: Vec<KnownPage>,
    pages: u64,
    books: u64,
    /// Whether a page led to a wrong one before; it gets one more chance.
    stepped_back: bool,
    /// Whether the page to ask for was named by an earlier run, and no page was had since.
    is_stored_address: bool,
}

/// Collects the catalogue of a run, or goes on where the last collection stopped.
///
/// Blocks until it ends. A page that cannot be had ends it, not as an error: the outcome names the page, and the next
/// call goes on there.
///
/// # Errors
///
/// What makes the whole command impossible: the database, or a file.
pub(crate) fn collect(work: &Work<'_>, options: &Collect) -> Result<CollectCompleted, Error> {
    let (started, stamp) = (Instant::now(), jiff::Timestamp::now());
    work.progress.phase("collect");
    let pass = pass(work.catalogue, options)?;
    let mut collecting = Collecting {
        recorder: Mutex::new(Recorder::new(work.catalogue, work.run, pass.clone())),
        known: pass::pages(work.catalogue, pass.id)?,
        is_stored_address: pass.next_page.is_some(),
        pass,
        work,
        options,
        pages: 0,
        books: 0,
        stepped_back: false,
    };
    let completed = collecting.run(started)?;
    if completed.state != Outcome::CompleteBefore {
        let result = StageResult {
            started: stamp,
            done: completed.books,
            skipped: 0,
            failed: u64::from(completed.missing.is_some()),
            requested: 0,
            unconvertible: 0,
            completed: completed.state == Outcome::Completed,
            last_error: completed.missing.clone(),
            limit: options.limit,
        };
        work.summarise(Stage::Collect, &result)?;
    }
    Ok(completed)
}

/// The pass to go on with, or a new one.
fn pass(catalogue: &Catalogue, options: &Collect) -> Result<Pass, Error> {
    let last = pass::last_pass(catalogue)?;
    let number = last.as_ref().map_or(0, |pass| pass.id) + 1;
    if let Some(pass) = last
        && !options.from_start
        && (pass.completed_at.is_none() || !options.refresh)
    {
        return Ok(pass);
    }
    new_pass(catalogue, number, options.refresh)
}

/// Begins a pass at the first page.
fn new_pass(catalogue: &Catalogue, number: i64, refresh: bool) -> Result<Pass, Error> {
    let now = jiff::Timestamp::now();
    let pass = Pass {
        id: number,
        refresh,
        session_id: now.as_second().max(pass::last_session(catalogue)? + 1),
        started_at: date::stamp(now),
        updated_at: date::stamp(now),
        completed_at: None,
        next_page: None,
        pages: 0,
        books: 0,
        books_before: query::count_books(catalogue)?,
        part: 0,
    };
    pass::begin(catalogue, &pass)?;
    Ok(pass)
}

/// Whether an address leads nowhere any more, however often it is asked for.
fn is_expired(error: &Error) -> bool {
    matches!(
        error,
        Error::Web(web::Error::Status {
            status: 400 | 404 | 410 | 414,
            ..
        }) | Error::Page(PageError::Empty)
            | Error::Loop { .. }
            | Error::Repeated { .. }
    )
}

impl Collecting<'_> {
    fn run(&mut self, started: Instant) -> Result<CollectCompleted, Error> {
        let (work, pass) = (self.work, &self.pass);
        let left = pass.books_before.saturating_sub(pass.books);
        work.progress.expect(left, 0);
        (work.tell)(&Event::CollectStarted {
            run: work.run.config().run_name.clone(),
            library_directory: work.run.config().library_directory.clone(),
            database: work.database(),
            page: pass.pages + 1,
            books: pass.books,
            refresh: pass.refresh,
        });
        let ending = if pass.completed_at.is_some() {
            Ending::CompleteBefore
        } else {
            wait(self.all_pages())?
        };
        let total = query::count_books(work.catalogue)?;
        Ok(self.completed(ending, total, started))
    }

    async fn all_pages(&mut self) -> Result<Ending, Error> {
        self.take_up().await?;
        let ending = self.new_pages().await?;
        self.recorder.get_mut().flush().await?;
        Ok(match ending {
            Ending::Completed { .. } => Ending::Completed {
                vanished: self.recorder.get_mut().vanished(),
            },
            other => other,
        })
    }

    /// Records what a process that died has fetched. The last page is never among it.
    async fn take_up(&mut self) -> Result<(), Error> {
        for entry in self.recorder.get_mut().left_behind()? {
            let page = entry.page.clone();
            self.recorder.get_mut().add(entry).await?;
            self.ended(page);
        }
        self.recorder.get_mut().flush().await
    }

    async fn new_pages(&mut self) -> Result<Ending, Error> {
        loop {
            if self.work.cancel.is_requested() {
                return Ok(Ending::Stopped);
            }
            // What is recorded of the page already is no step forward.
            let room = self
                .options
                .limit
                .map(|limit| limit.saturating_sub(self.books));
            if room == Some(0) {
                return Ok(Ending::Limited);
            }
            let room = room.map(|room| room + self.pass.part);
            let address = self.address();
            let fetched = match self.fetch_patiently(&address, room).await {
                Ok(fetched) => fetched,
                Err(_) if self.work.cancel.is_requested() => return Ok(Ending::Stopped),
                Err(error @ Error::Repeated { .. }) => {
                    let page = self.step_back().await?;
                    if std::mem::replace(&mut self.stepped_back, true) {
                        if self.is_stored_address {
                            self.begin_anew(&page, &error).await?;
                            continue;
                        }
                        return self.failed(page, &error).await;
                    }
                    continue;
                }
                Err(error) if self.is_stored_address && is_expired(&error) => {
                    self.begin_anew(&address, &error).await?;
                    continue;
                }
                Err(error) if error.is_about_request() => {
                    return self.failed(address, &error).await;
                }
                Err(error) => return Err(error),
            };
            self.is_stored_address = false;
            let mut fetched = fetched;
            if fetched.page.next.is_none()
                && !fetched.limited
                && let Err(error) = last::prove(self, &address, &mut fetched.page).await
            {
                if self.work.cancel.is_requested() {
                    return Ok(Ending::Stopped);
                }
                return self.failed(address, &error).await;
            }
            if let Some(ending) = self.record(fetched).await? {
                return Ok(ending);
            }
        }
    }

    /// The address of an earlier run leads nowhere any more: the list is read from its first page again.
    async fn begin_anew(&mut self, address: &str, error: &Error) -> Result<(), Error> {
        let catalogue = self.work.catalogue;
        self.recorder.get_mut().flush().await?;
        (self.work.tell)(&Event::Warning {
            message: format!(
                "the page to go on with (`{address}`) is there no more, so the list is read from its first page again; what is stored stays: {error}"
            ),
        });
        self.pass = new_pass(catalogue, self.pass.id + 1, self.pass.refresh)?;
        self.recorder = Mutex::new(Recorder::new(catalogue, self.work.run, self.pass.clone()));
        self.known.clear();
        self.is_stored_address = false;
        Ok(())
    }

    /// The page to ask for.
    fn address(&self) -> String {
        self.pass
            .next_page
            .clone()
            .unwrap_or_else(|| format!("_all_books?result_count={}", self.options.books_per_page))
    }

    /// Fetches a page, again if that may help. Its last books are left to be recorded with its end.
    async fn fetch_patiently(&self, address: &str, room: Option<u64>) -> Result<Fetched, Error> {
        let again = |error: &Error, pause: Duration| {
            (self.work.tell)(&Event::RequestRepeated {
                item: format!("page {} (`{address}`)", self.pass.pages + 1),
                reason: error.to_string(),
                pause_seconds: pause.as_secs_f64(),
            });
        };
        let ask = || self.attempt(address, room);
        patiently(self.work.grin, self.work.cancel, again, ask).await
    }

    async fn attempt(&self, address: &str, room: Option<u64>) -> Result<Fetched, Error> {
        let record = async |books, part| self.recorder.lock().await.books(books, part).await;
        let mut fetched = fetch(self.work.grin, address, room, record).await?;
        if let Some(next) = &mut fetched.page.next {
            *next = self.work.grin.relative(address, next)?;
        }
        self.check_progress(address, &fetched.page)?;
        Ok(fetched)
    }

    /// A catalogue leads from page to page and never back.
    fn check_progress(&self, address: &str, page: &ReadPage) -> Result<(), Error> {
        let same = |known: &KnownPage| {
            known.books == page.books
                && known.first_barcode == page.first_barcode
                && known.last_barcode == page.last_barcode
        };
        if let Some(index) = self.known.iter().position(same) {
            return Err(Error::Repeated { page: index + 1 });
        }
        let next = page.next.as_deref();
        let back = |known: &KnownPage| Some(known.address.as_str()) == next;
        if next == Some(address) || self.known.iter().any(back) {
            return Err(Error::Loop {
                reason: format!(
                    "the next link `{}` leads back to a page of before",
                    next.unwrap_or_default()
                ),
            });
        }
        Ok(())
    }

    /// Hands the end of a page to the recorder; how the collection ends, if it does here.
    async fn record(&mut self, fetched: Fetched) -> Result<Option<Ending>, Error> {
        let Fetched {
            page,
            rest,
            limited,
        } = fetched;
        if limited {
            // The page is not done: the next collection asks for it again and goes on from there.
            self.count(page.books);
            self.recorder.get_mut().books(rest, page.books).await?;
            return Ok(Some(Ending::Limited));
        }
        let last = page.next.is_none();
        self.recorder.get_mut().page(page.clone(), rest).await?;
        self.ended(page);
        Ok(last.then_some(Ending::Completed { vanished: 0 }))
    }

    /// So many books of a page are known, some of them perhaps since the last collection.
    fn count(&mut self, books: u64) {
        let new = books.saturating_sub(self.pass.part);
        for _ in 0..new {
            self.work.progress.finished(0, 0, false);
        }
        self.books += new;
    }

    /// A page is whole.
    fn ended(&mut self, page: ReadPage) {
        self.count(page.books);
        self.pass.advance(&page);
        self.pages += 1;
        (self.work.tell)(&Event::PageRecorded {
            page: self.pass.pages,
            books: page.books,
            total: self.pass.books,
        });
        self.known.push(KnownPage {
            address: page.address,
            books: page.books,
            first_barcode: page.first_barcode,
            last_barcode: page.last_barcode,
        });
    }

    /// The page before led to a wrong one, so it is not done: it has to be asked for again. Its address.
    async fn step_back(&mut self) -> Result<String, Error> {
        if let Some(page) = self.known.pop() {
            let recorder = self.recorder.get_mut();
            recorder.step_back(page.address, page.books).await?;
            self.pass.clone_from(recorder.pass());
        }
        Ok(self.address())
    }

    async fn failed(&mut self, address: String, error: &Error) -> Result<Ending, Error> {
        self.recorder.get_mut().flush().await?;
        let number = self.pass.pages + 1;
        let item = format!("page {number} (`{address}`)");
        let reason = error.to_string();
        let problems = vec![(item.clone(), reason.clone())];
        record::problem(self.work.catalogue, "collect", problems, date::now()).await?;
        (self.work.tell)(&Event::PageFailed {
            page: number,
            address,
            reason: reason.clone(),
        });
        let first_line = reason.lines().next().unwrap_or_default();
        Ok(Ending::Failed {
            missing: format!("{item} and what comes after it: {first_line}"),
        })
    }

    fn completed(&self, ending: Ending, total: u64, started: Instant) -> CollectCompleted {
        let (state, vanished, missing) = match ending {
            Ending::Completed { vanished } => (Outcome::Completed, vanished, None),
            Ending::Stopped => (Outcome::Stopped, 0, None),
            Ending::Limited => (Outcome::Limited, 0, None),
            Ending::Failed { missing } => (Outcome::Failed, 0, Some(missing)),
            Ending::CompleteBefore => (Outcome::CompleteBefore, 0, None),
        };
        CollectCompleted {
            state,
            pages: self.pages,
            books: self.books,
            total: self.pass.books,
            new_books: total.saturating_sub(self.pass.books_before),
            vanished,
            missing,
            usage: Usage::since(started),
            writes: self.work.catalogue.db().report(),
        }
    }
}
