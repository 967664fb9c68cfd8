//! `page -> record`: the whole catalogue, page by page, from the first to the one GRIN calls the last.
//!
//! A page is read and recorded while its bytes still come. The next one is asked for as soon as this one is whole: its
//! last books may still be on their way into the database, and until they are there, `journal` has them. So a
//! process that dies costs at most one page, fetched again.

mod begin;
pub(crate) mod fetch;
mod journal;
pub(crate) mod last;
pub(crate) mod overlap;
mod recorder;
mod vanish;

use std::cell::Cell;
use std::time::{Duration, Instant};

use run::Usage;
use tokio::sync::Mutex;

use crate::catalogue::pass::{self, KnownPage, Pass, ReadPage};
use crate::catalogue::{query, record};
use crate::collect::begin::{is_expired, new_pass, pass_to_go_on_with};
use crate::collect::fetch::{Batch, Fetched, Wanted, fetch};
use crate::collect::last::Listed;
use crate::collect::overlap::number;
use crate::collect::recorder::Recorder;
use crate::date;
use crate::error::Error;
use crate::event::{CollectCompleted, Event, Outcome};
use crate::grin::BOOKS_PER_PAGE;
use crate::listed::Books;
use crate::page::PageError;
use crate::run::{Stage, StageResult};
use crate::wait::wait;
use crate::work::{Work, patiently};

/// What a journal of these bytes holds that goes on where `pass` stands.
#[cfg(feature = "fuzzing")]
pub(crate) fn left_behind(folder: &std::path::Path, bytes: &[u8], pass: &Pass) {
    std::fs::write(folder.join(crate::run::JOURNAL), bytes)
        .expect("a fuzz target's folder can be written to");
    let entries = journal::Journal::of(folder).pages(pass);
    let entries = entries.expect("a damaged journal is no error");
    for (index, entry) in entries.iter().enumerate() {
        assert!(entry.number == index as u64 + 1, "a page was left out");
        assert!(
            entry.rest.iter().count() == entry.rest.len(),
            "books are whole"
        );
    }
}

/// How to collect.
#[derive(Clone, Debug)]
pub struct Collect {
    /// Update known books, after a complete collection.
    pub refresh: bool,
    /// Stop after this number of books.
    pub limit: Option<u64>,
    /// Books asked for on one page.
    pub books_per_page: u32,
    /// Begin at the first page, whatever was collected before; what is stored stays.
    pub from_start: bool,
    /// Believe that books have vanished, however many.
    pub allow_vanish: bool,
}

impl Default for Collect {
    fn default() -> Self {
        Self {
            refresh: false,
            limit: None,
            books_per_page: BOOKS_PER_PAGE,
            from_start: false,
            allow_vanish: false,
        }
    }
}

/// How a collection came to its end.
enum Ending {
    Completed {
        vanished: u64,
        repeated: u64,
    },
    Stopped,
    Limited,
    Failed {
        missing: String,
    },
    /// The list is whole, but too many books are gone from it.
    Doubted {
        vanishing: u64,
        missing: String,
    },
    CompleteBefore,
}

/// What the steps of a collection share.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that was learned on the way"
)]
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
    /// Books by which the page to ask for is to overlap the one before it.
    back: u64,
    /// Whether the server gives no more books on a page than usual, so that none can be asked for besides those of a page.
    keeps_count: bool,
    /// Whether the list was begun anew since it moved away from what is known of it.
    began_anew: bool,
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
    let pass = pass_to_go_on_with(work.catalogue, options)?;
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
        back: overlap::USUAL,
        keeps_count: false,
        began_anew: false,
    };
    let completed = collecting.run(started)?;
    if completed.state != Outcome::CompleteBefore {
        let result = StageResult {
            started: stamp,
            elapsed: started.elapsed(),
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

impl Collecting<'_> {
    fn run(&mut self, started: Instant) -> Result<CollectCompleted, Error> {
        let (work, pass) = (self.work, &self.pass);
        let left = pass.books_before.saturating_sub(pass.books);
        work.progress.expect(left, 0);
        if pass.completed_at.is_some() {
            // Nothing is asked for, so nothing is started.
            let total = query::count_books(work.catalogue)?;
            return Ok(self.completed(Ending::CompleteBefore, total, started));
        }
        (work.tell)(&Event::CollectStarted {
            run: work.run.config().run_name.clone(),
            library_directory: work.run.config().library_directory.clone(),
            database: work.database(),
            page: pass.pages + 1,
            books: pass.books,
            refresh: pass.refresh,
        });
        let ending = wait(self.all_pages())?;
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
                repeated: self.repeated()?,
            },
            other => other,
        })
    }

    /// Books that the list has named more than once, because it moved or is wrong.
    fn repeated(&self) -> Result<u64, Error> {
        let different = pass::count_seen(self.work.catalogue, &self.pass)?;
        Ok(self.pass.books.saturating_sub(different))
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
            let mut fetched = match self.fetch_patiently(&address, room).await {
                Ok(fetched) => fetched,
                Err(_) if self.work.cancel.is_requested() => return Ok(Ending::Stopped),
                Err(error) => match self.recover(address, error).await? {
                    Some(ending) => return Ok(ending),
                    None => continue,
                },
            };
            self.is_stored_address = false;
            if fetched.page.next.is_none()
                && !fetched.limited
                && let Err(error) = self.end(&address, &mut fetched).await
            {
                if self.work.cancel.is_requested() {
                    return Ok(Ending::Stopped);
                }
                return self.failed(address, &error).await;
            }
            if let Some(ending) = self.record(fetched).await? {
                return Ok(ending);
            }
            self.back = overlap::USUAL;
        }
    }

    /// A page that names no next one: proves that it is the last, and finds out what has vanished.
    async fn end(&mut self, address: &str, fetched: &mut Fetched) -> Result<(), Error> {
        let (asked, _) = self.asked(address);
        let (known, books) = (&self.known, self.pass.books);
        let listed = Listed::new("_all_books", known, books, address, &asked, fetched);
        last::prove(self.work, listed, address, fetched).await?;
        if fetched.page.next.is_some() || self.pass.books_before == 0 {
            return Ok(());
        }
        // The database has to know what the list names. The page stays the one to go on with until it is done.
        let rest = std::mem::take(&mut fetched.rest);
        let recorder = self.recorder.get_mut();
        recorder.books(rest, fetched.page.books).await?;
        recorder.flush().await?;
        self.pass.part = fetched.page.books;
        let vanished = vanish::vanished(self).await?;
        self.recorder.get_mut().vanish(vanished);
        Ok(())
    }

    /// What becomes of a page that cannot be had: how the collection ends, if there is no other way.
    async fn recover(&mut self, address: String, error: Error) -> Result<Option<Ending>, Error> {
        match error {
            Error::Repeated { .. } => {
                let page = self.step_back().await?;
                if !std::mem::replace(&mut self.stepped_back, true) {
                    return Ok(None);
                }
                if self.is_stored_address {
                    self.begin_anew(&page, &error).await?;
                    return Ok(None);
                }
                self.failed(page, &error).await.map(Some)
            }
            Error::Web(web::Error::Status {
                status: 400 | 413 | 414 | 422,
                ..
            }) if !self.keeps_count && self.asked(&address).1.is_some() => {
                self.keeps_count = true;
                Ok(None)
            }
            Error::Shifted | Error::Page(PageError::Empty) if self.reach_back(&address) => Ok(None),
            Error::Shifted if !self.began_anew => {
                self.begin_anew(&address, &error).await?;
                Ok(None)
            }
            error if self.is_stored_address && is_expired(&error) => {
                self.begin_anew(&address, &error).await?;
                Ok(None)
            }
            error if error.is_about_request() => self.failed(address, &error).await.map(Some),
            error => Err(error),
        }
    }

    /// The list has moved: the next attempt begins further back. Whether it can.
    fn reach_back(&mut self, address: &str) -> bool {
        let first = number(address, "first").unwrap_or(0);
        if self.back >= first || !overlap::counts_books(&self.known, address) {
            return false;
        }
        self.back = overlap::further(self.back).min(first);
        (self.work.tell)(&Event::Warning {
            message: format!(
                "the list has changed while it was read: page {} is read again from {} books before its place",
                self.pass.pages + 1,
                self.back
            ),
        });
        true
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
        self.began_anew = true;
        self.back = overlap::USUAL;
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

    /// What to ask for to get the page at `address`, and the book that it should begin with.
    fn asked(&self, address: &str) -> (String, Option<&str>) {
        let before = self.known.last().filter(|before| {
            !before.last_barcode.is_empty() && overlap::counts_books(&self.known, address)
        });
        let overlapping = before.and_then(|before| {
            let mut earlier = overlap::earlier(address, self.back)?;
            if self.keeps_count {
                earlier = overlap::restored(&earlier, address);
            }
            Some((earlier, Some(before.last_barcode.as_str())))
        });
        overlapping.unwrap_or_else(|| (address.to_owned(), None))
    }

    async fn attempt(&self, address: &str, room: Option<u64>) -> Result<Fetched, Error> {
        let (asked, anchor) = self.asked(address);
        let is_checked = Cell::new(anchor.is_none());
        let record = async |batch: Batch, part| {
            let mut recorder = self.recorder.lock().await;
            if !is_checked.replace(true) && !batch.joins {
                self.check_joins(&mut recorder, &batch.books).await?;
            }
            recorder.books(batch.books, part).await
        };
        let wanted = Wanted { room, anchor };
        let mut fetched = fetch(self.work.grin, &asked, wanted, record).await?;
        if !is_checked.get() && !fetched.joins {
            let mut recorder = self.recorder.lock().await;
            self.check_joins(&mut recorder, &fetched.rest).await?;
        }
        let page = &mut fetched.page;
        if anchor.is_some() && fetched.joins && page.books == 0 {
            // The list from its last book on has no other: that is its end, whatever else the page links to.
            page.next = None;
        }
        if let Some(next) = &mut page.next {
            let link = self.work.grin.relative(&asked, next)?;
            check_direction(&asked, &link)?;
            *next = overlap::restored(&link, address);
        }
        address.clone_into(&mut page.address);
        if let Some(anchor) = anchor.filter(|_| page.books == 0) {
            anchor.clone_into(&mut page.first_barcode);
            anchor.clone_into(&mut page.last_barcode);
        }
        self.check_progress(address, page)?;
        Ok(fetched)
    }

    /// A page that does not begin with the last known book must name another known one: then nothing lies between.
    async fn check_joins(&self, recorder: &mut Recorder<'_>, books: &Books) -> Result<(), Error> {
        recorder.flush().await?;
        if pass::has_seen(self.work.catalogue, &self.pass, books)? {
            return Ok(());
        }
        Err(Error::Shifted)
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
            ..
        } = fetched;
        if limited {
            // The page is not done: the next collection asks for it again and goes on from there.
            self.count(page.books);
            self.recorder.get_mut().books(rest, page.books).await?;
            return Ok(Some(Ending::Limited));
        }
        let last = page.next.is_none();
        self.work.catalogue.check_in_place()?;
        self.recorder.get_mut().page(page.clone(), rest).await?;
        self.ended(page);
        Ok(last.then_some(Ending::Completed {
            vanished: 0,
            repeated: 0,
        }))
    }

    /// Counts books of a page; some of them may be known since the last collection.
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
        if let Error::Vanishing { books, .. } = error {
            let missing = error.to_string();
            let problems = vec![("vanished books".to_owned(), missing.clone())];
            record::problem(self.work.catalogue, "collect", problems, date::now()).await?;
            return Ok(Ending::Doubted {
                vanishing: *books,
                missing,
            });
        }
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
        let mut completed = CollectCompleted {
            state: Outcome::Completed,
            pages: self.pages,
            books: self.books,
            total: self.pass.books,
            new_books: total.saturating_sub(self.pass.books_before),
            vanished: 0,
            vanishing: 0,
            repeated: 0,
            missing: None,
            usage: Usage::since(started),
            writes: self.work.catalogue.report(),
        };
        match ending {
            Ending::Completed { vanished, repeated } => {
                completed.vanished = vanished;
                completed.repeated = repeated;
                completed.total = completed.total.saturating_sub(repeated);
            }
            Ending::Stopped => completed.state = Outcome::Stopped,
            Ending::Limited => completed.state = Outcome::Limited,
            Ending::CompleteBefore => completed.state = Outcome::CompleteBefore,
            Ending::Failed { missing } => {
                completed.state = Outcome::Failed;
                completed.missing = Some(missing);
            }
            Ending::Doubted { vanishing, missing } => {
                completed.state = Outcome::Failed;
                completed.vanishing = vanishing;
                completed.missing = Some(missing);
            }
        }
        completed
    }
}

/// Numbered places of a list rise from page to page.
fn check_direction(asked: &str, next: &str) -> Result<(), Error> {
    match (number(asked, "first"), number(next, "first")) {
        (Some(here), Some(there)) if there <= here => Err(Error::Loop {
            reason: format!("the next link `{next}` leads back to a page of before"),
        }),
        _ => Ok(()),
    }
}
