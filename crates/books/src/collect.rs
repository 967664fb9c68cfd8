//! `page -> record`: the whole catalogue, page by page, from the first to the one GRIN calls the last.
//!
//! A page is read and recorded while its bytes still come. The next one is asked for when the last book of this one is
//! committed together with where to go on: so a process that dies costs at most one page, fetched again.

mod fetch;

use std::time::{Duration, Instant};

use run::{Cancel, Progress, Usage};

use crate::Tell;
use crate::collect::fetch::{Fetched, fetch};
use crate::date;
use crate::error::Error;
use crate::event::{CollectCompleted, Event};
use crate::grin::{BOOKS_PER_PAGE, Grin};
use crate::page::PageError;
use crate::query::{self, KnownPage, Pass};
use crate::record::{self, ReadPage};
use crate::run_directory::{Run, Stage, StageResult, record_stage};
use crate::tracker::Tracker;

/// How to collect.
#[derive(Clone, Debug)]
pub struct Collect {
    /// Update known books, after a complete collection.
    pub refresh: bool,
    /// Stop after so many books.
    pub limit: Option<u64>,
    /// Books asked for on one page.
    pub books_per_page: u32,
}

impl Default for Collect {
    fn default() -> Self {
        Self {
            refresh: false,
            limit: None,
            books_per_page: BOOKS_PER_PAGE,
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
    tracker: &'a Tracker,
    grin: &'a Grin,
    options: &'a Collect,
    cancel: &'a Cancel,
    progress: &'a Progress,
    tell: Tell<'a>,
    pass: Pass,
    known: Vec<KnownPage>,
    pages: u64,
    books: u64,
    /// Whether a page led to a wrong one before; it gets one more chance.
    stepped_back: bool,
}

/// Collects the catalogue of a run, or goes on where the last collection stopped.
///
/// Blocks until it ends. A page that cannot be had ends it, not as an error: the outcome names the page, and the next
/// call goes on there.
///
/// # Errors
///
/// What makes the whole command impossible: the database, or a file.
pub fn collect(
    run: &Run,
    tracker: &Tracker,
    grin: &Grin,
    options: &Collect,
    cancel: &Cancel,
    progress: &Progress,
    tell: Tell<'_>,
) -> Result<CollectCompleted, Error> {
    let (started, stamp) = (Instant::now(), jiff::Timestamp::now());
    progress.phase("collect");
    let mut work = Collecting {
        pass: pass(tracker, options)?,
        known: Vec::new(),
        tracker,
        grin,
        options,
        cancel,
        progress,
        tell,
        pages: 0,
        books: 0,
        stepped_back: false,
    };
    work.known = query::pages(tracker, work.pass.id)?;
    progress.expect(work.pass.books_before.saturating_sub(work.pass.books), 0);
    tell(&Event::CollectStarted {
        run: run.config().run_name.clone(),
        library_directory: run.config().library_directory.clone(),
        database: tracker.db().path().display().to_string(),
        page: work.pass.pages + 1,
        books: work.pass.books,
        refresh: work.pass.refresh,
    });
    let ending = if work.pass.completed_at.is_some() {
        Ending::CompleteBefore
    } else {
        crate::runtime()?.block_on(work.all_pages())?
    };
    let total = query::count_books(tracker)?;
    let completed = work.completed(ending, total, started);
    if completed.state != "complete_before" {
        let result = StageResult {
            started: stamp,
            done: completed.books,
            skipped: 0,
            failed: u64::from(completed.missing.is_some()),
            completed: completed.state == "completed",
            last_error: completed.missing.clone(),
        };
        let name = &run.config().run_name;
        record_stage(run.directory(), name, Stage::Collect, &result)?;
    }
    Ok(completed)
}

/// The pass to go on with, or a new one.
fn pass(tracker: &Tracker, options: &Collect) -> Result<Pass, Error> {
    let last = query::last_pass(tracker)?;
    let number = last.as_ref().map_or(0, |pass| pass.id) + 1;
    if let Some(pass) = last
        && (pass.completed_at.is_none() || !options.refresh)
    {
        return Ok(pass);
    }
    let now = jiff::Timestamp::now();
    Ok(Pass {
        id: number,
        refresh: options.refresh,
        session_id: now.as_second().max(query::last_session(tracker)? + 1),
        started_at: date::stamp(now),
        updated_at: date::stamp(now),
        completed_at: None,
        next_page: None,
        pages: 0,
        books: 0,
        books_before: query::count_books(tracker)?,
    })
}

impl Collecting<'_> {
    async fn all_pages(&mut self) -> Result<Ending, Error> {
        loop {
            if self.cancel.is_requested() {
                return Ok(Ending::Stopped);
            }
            let room = self.options.limit.map(|limit| limit - self.books);
            if room == Some(0) {
                return Ok(Ending::Limited);
            }
            let address = self.address();
            let fetched = match self.fetch_patiently(&address, room).await {
                Ok(fetched) => fetched,
                Err(_) if self.cancel.is_requested() => return Ok(Ending::Stopped),
                Err(error @ Error::Repeated { .. }) => {
                    let page = self.step_back().await?;
                    if std::mem::replace(&mut self.stepped_back, true) {
                        return self.failed(page, &error).await;
                    }
                    continue;
                }
                Err(error) if error.is_about_request() => {
                    return self.failed(address, &error).await;
                }
                Err(error) => return Err(error),
            };
            if let Some(ending) = self.record(address, fetched).await? {
                return Ok(ending);
            }
        }
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
            (self.tell)(&Event::RequestRepeated {
                item: format!("page {} (`{address}`)", self.pass.pages + 1),
                reason: error.to_string(),
                pause_seconds: pause.as_secs_f64(),
            });
        };
        let attempt = || async {
            let token = self.grin.token().await?;
            let fetched = self.attempt(address, room).await;
            if matches!(fetched, Err(Error::Page(PageError::SignIn))) {
                self.grin.distrust(&token).await?;
            }
            fetched
        };
        let stop = || self.cancel.is_requested();
        self.grin.retry().run(stop, again, attempt).await
    }

    async fn attempt(&self, address: &str, room: Option<u64>) -> Result<Fetched, Error> {
        let record = |books| record::books(self.tracker, &self.pass, books, date::now());
        let mut fetched = fetch(self.grin, address, room, record).await?;
        if let Some(next) = &mut fetched.page.next {
            *next = self.grin.relative(address, next)?;
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

    /// Records the end of a page; how the collection ends, if it does here.
    async fn record(&mut self, address: String, fetched: Fetched) -> Result<Option<Ending>, Error> {
        let Fetched {
            page,
            rest,
            limited,
        } = fetched;
        for _ in 0..page.books {
            self.progress.finished(0, 0, false);
        }
        self.books += page.books;
        if limited {
            // The page is not done: the next collection asks for it again and goes on from there.
            record::books(self.tracker, &self.pass, rest, date::now()).await?;
            return Ok(Some(Ending::Limited));
        }
        self.pass.pages += 1;
        self.pass.books += page.books;
        self.pass.next_page.clone_from(&page.next);
        self.pages += 1;
        self.known.push(KnownPage {
            address,
            books: page.books,
            first_barcode: page.first_barcode.clone(),
            last_barcode: page.last_barcode.clone(),
        });
        let (books, last) = (page.books, page.next.is_none());
        let vanished = record::page(self.tracker, &self.pass, page, rest, date::now()).await?;
        (self.tell)(&Event::PageRecorded {
            page: self.pass.pages,
            books,
            total: self.pass.books,
        });
        Ok(last.then_some(Ending::Completed { vanished }))
    }

    /// The page before led to a wrong one, so it is not done: it has to be asked for again. Its address.
    async fn step_back(&mut self) -> Result<String, Error> {
        if let Some(page) = self.known.pop() {
            let number = self.pass.pages;
            self.pass.pages = self.pass.pages.saturating_sub(1);
            self.pass.books = self.pass.books.saturating_sub(page.books);
            self.pass.next_page = Some(page.address);
            record::step_back(self.tracker, &self.pass, number, date::now()).await?;
        }
        Ok(self.address())
    }

    async fn failed(&self, address: String, error: &Error) -> Result<Ending, Error> {
        let number = self.pass.pages + 1;
        let item = format!("page {number} (`{address}`)");
        let reason = error.to_string();
        let problems = vec![(item.clone(), reason.clone())];
        record::problem(self.tracker, "collect", problems, date::now()).await?;
        (self.tell)(&Event::PageFailed {
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
            Ending::Completed { vanished } => ("completed", vanished, None),
            Ending::Stopped => ("stopped", 0, None),
            Ending::Limited => ("limited", 0, None),
            Ending::Failed { missing } => ("failed", 0, Some(missing)),
            Ending::CompleteBefore => ("complete_before", 0, None),
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
            writes: self.tracker.db().report(),
        }
    }
}
