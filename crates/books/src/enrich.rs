//! Asks GRIN for more about each book, many in one request, and records what it knows.
//!
//! A book counts as asked only when GRIN has answered: one whose request failed remains, and is asked for next time. A
//! book is called unknown to GRIN only where an answer proves it; see `answer`.

pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod requests;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use run::Usage;
use tokio::task::JoinSet;

use crate::catalogue::Catalogue;
use crate::catalogue::query;
use crate::catalogue::record::{self, EnrichedBook};
use crate::date;
use crate::enrich::ask::{Answered, ask};
use crate::enrich::requests::{Kind, Request, SEARCH, cut};
use crate::error::Error;
use crate::event::{EnrichCompleted, Event, Outcome};
use crate::run::{Stage, StageResult};
use crate::wait::wait;
use crate::work::Work;

/// Requests under way at once unless told otherwise: enough to keep up 5 a second where each takes 3 s to answer.
pub const CONCURRENT: u16 = 16;

/// How to enrich.
#[derive(Clone, Debug)]
pub struct Enrich {
    /// Requests under way at once.
    pub concurrent: usize,
    /// Books read from the database at a time, and asked for in one request at most.
    pub batch: u32,
    /// Stop after this number of books.
    pub limit: Option<u64>,
    /// Ask again for books that were asked for before.
    pub reset: bool,
}

impl Default for Enrich {
    fn default() -> Self {
        Self {
            concurrent: usize::from(CONCURRENT),
            batch: 6_000,
            limit: None,
            reset: false,
        }
    }
}

/// Books recorded in one transaction, at least.
const RECORDED_AT_ONCE: usize = 4_000;

/// What the steps share.
struct Enriching<'a> {
    work: &'a Work<'a>,
    options: &'a Enrich,
    found: Vec<EnrichedBook>,
    not_found: Vec<String>,
    problems: Vec<(String, String)>,
    counts: Counts,
    /// The last row that was read.
    above: i64,
    /// Books that do not fill a request: they go with those that are read next.
    rest: Vec<String>,
    left: u64,
    /// Requests that are ready, to be taken from the end.
    waiting: Vec<Request>,
    /// Books about which an answer was silent.
    again: HashSet<String>,
    /// A book that GRIN knows.
    witness: Option<String>,
}

#[derive(Default)]
struct Counts {
    batches: u64,
    found: u64,
    not_found: u64,
    failed: u64,
}

/// Enriches all books of a run that remain.
///
/// Blocks until it ends. A request that fails does not end it: its books remain, and the outcome counts them.
///
/// # Errors
///
/// What makes the whole command impossible: the database, or a file.
pub(crate) fn enrich(work: &Work<'_>, options: &Enrich) -> Result<EnrichCompleted, Error> {
    let (started, stamp) = (Instant::now(), jiff::Timestamp::now());
    work.progress.phase("enrich");
    if options.reset {
        reset(work.catalogue)?;
    }
    if query::has_doubtful(work.catalogue)? {
        record::doubt_not_found(work.catalogue)?;
    }
    let remaining = query::count_unenriched(work.catalogue)?;
    let books = remaining.min(options.limit.unwrap_or(u64::MAX));
    work.progress.expect(books, books);
    (work.tell)(&Event::EnrichStarted {
        run: work.run.config().run_name.clone(),
        database: work.database(),
        books,
    });
    let mut enriching = Enriching {
        work,
        options,
        found: Vec::new(),
        not_found: Vec::new(),
        problems: Vec::new(),
        counts: Counts::default(),
        above: 0,
        rest: Vec::new(),
        left: books,
        waiting: Vec::new(),
        again: HashSet::new(),
        witness: None,
    };
    wait(enriching.all())?;
    let counts = enriching.counts;
    let stopped = work.cancel.is_requested() && enriching.left > 0;
    let completed = EnrichCompleted {
        state: match () {
            () if stopped => Outcome::Stopped,
            () if counts.failed > 0 => Outcome::Failed,
            () if books < remaining => Outcome::Limited,
            () => Outcome::Completed,
        },
        batches: counts.batches,
        found: counts.found,
        not_found: counts.not_found,
        failed: counts.failed,
        usage: Usage::since(started),
        writes: work.catalogue.report(),
    };
    let problem = enriching.problems.last();
    let result = StageResult {
        started: stamp,
        elapsed: started.elapsed(),
        done: counts.found,
        skipped: counts.not_found,
        failed: counts.failed,
        requested: 0,
        unconvertible: 0,
        completed: completed.state == Outcome::Completed,
        last_error: problem.map(|(_, reason)| reason.clone()),
        limit: options.limit,
    };
    work.summarise(Stage::Enrich, &result)?;
    Ok(completed)
}

/// Every book may be asked for again. Rows are taken some thousands at a time.
fn reset(catalogue: &Catalogue) -> Result<(), Error> {
    const STEP: i64 = 20_000;
    let last = query::last_row(catalogue)?;
    let mut above = 0;
    while above < last {
        record::forget_enrichment(catalogue, above, above + STEP)?;
        above += STEP;
    }
    Ok(())
}

impl Enriching<'_> {
    async fn all(&mut self) -> Result<(), Error> {
        let mut running: JoinSet<Vec<Answered>> = JoinSet::new();
        let alive = Arc::new(AtomicBool::new(true));
        loop {
            while !self.work.cancel.is_requested() && running.len() < self.options.concurrent.max(1)
            {
                if self.waiting.is_empty() {
                    self.next_requests()?;
                }
                let Some(request) = self.waiting.pop() else {
                    break;
                };
                self.left -= request.asked.len() as u64;
                let (grin, cancel) = (self.work.grin.clone(), self.work.cancel.clone());
                running.spawn(ask(grin, request, cancel, Arc::clone(&alive)));
            }
            match running.join_next().await {
                Some(Ok(answers)) => {
                    for answered in answers {
                        self.take(answered).await?;
                    }
                }
                Some(Err(_)) => return Err(Error::Gone("a request")),
                None => break,
            }
        }
        self.record().await?;
        let problems = self.problems.clone();
        record::problem(self.work.catalogue, "enrich", problems, date::now()).await
    }

    /// Reads the next books and cuts them into requests that are as long as they may be; in reverse, to be taken from
    /// the end.
    fn next_requests(&mut self) -> Result<(), Error> {
        let base = self.work.grin.url(SEARCH)?.as_str().len();
        loop {
            let mut barcodes = std::mem::take(&mut self.rest);
            let most = self.left - barcodes.len() as u64;
            let most = u64::from(self.options.batch.max(1)).min(most) as u32;
            let mut read = Vec::new();
            if most > 0 {
                (read, self.above) = query::unenriched(self.work.catalogue, self.above, most)?;
            }
            let is_end = read.len() < most as usize || most == 0;
            barcodes.append(&mut read);
            if is_end {
                self.left = barcodes.len() as u64;
            }
            // Room for a witness.
            let witness = self.witness.as_ref().map_or(0, |witness| witness.len() + 1);
            let is_last_look = self.are_all_again(&barcodes);
            let base = base + if is_last_look { witness } else { 0 };
            let mut requests = cut(barcodes, base, self.options.batch);
            if self.left > requests.iter().map(Vec::len).sum::<usize>() as u64 {
                self.rest = requests.pop().unwrap_or_default();
            }
            if !requests.is_empty() || self.left == 0 {
                let request = |asked: Vec<String>| self.request(asked);
                self.waiting = requests.into_iter().rev().map(request).collect();
                return Ok(());
            }
        }
    }

    fn are_all_again(&self, asked: &[String]) -> bool {
        asked.iter().all(|barcode| self.again.contains(barcode))
    }

    fn request(&self, asked: Vec<String>) -> Request {
        let again = self.are_all_again(&asked);
        Request {
            witness: self.witness.clone().filter(|_| again),
            kind: if again { Kind::Again } else { Kind::First },
            asked,
        }
    }

    async fn take(&mut self, answered: Answered) -> Result<(), Error> {
        let Answered {
            asked,
            kind,
            witnessed,
            result,
        } = answered;
        let reading = match result {
            Ok(reading) => reading,
            // They remain, and are asked for next time.
            Err(Error::Stopped) => {
                self.left += asked.len() as u64;
                return Ok(());
            }
            Err(error) if error.is_about_request() => {
                self.failed(&asked, &error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.counts.batches += 1;
        let before = self.found.len() + self.not_found.len();
        if let Some(book) = reading.found.last() {
            self.witness = Some(book.barcode.clone());
        }
        self.found.extend(reading.found);
        self.not_found.extend(reading.unknown);
        for barcode in reading.silent {
            // What an answer without an order leaves out twice, and what one that is known to be whole leaves out, GRIN
            // does not know.
            let looked_twice = self.again.contains(&barcode) && !reading.in_order;
            if looked_twice || (kind == Kind::Again && witnessed) {
                self.not_found.push(barcode);
            } else if kind == Kind::Again {
                let reason = "the answers tell of no book at all, which proves nothing".to_owned();
                self.failed(&[barcode], &Error::Answer { reason });
            } else {
                self.ask_again(barcode);
            }
        }
        for barcode in reading.doubtful {
            if kind == Kind::Alone {
                let reason = "its line does not have the fields of the header".to_owned();
                self.failed(&[barcode], &Error::Answer { reason });
            } else {
                self.left += 1;
                // The witness comes last, so that the line of the book has an end if it is whole.
                let witness = self.witness.clone();
                self.waiting.push(Request {
                    witness: witness.filter(|witness| *witness != barcode),
                    asked: vec![barcode],
                    kind: Kind::Alone,
                });
            }
        }
        for _ in before..self.found.len() + self.not_found.len() {
            self.work.progress.finished(0, 1, false);
        }
        if self.found.len() + self.not_found.len() >= RECORDED_AT_ONCE {
            self.record().await?;
        }
        Ok(())
    }

    /// A book goes with those that are read next: a line of one of them shows that its own is missing.
    fn ask_again(&mut self, barcode: String) {
        self.again.insert(barcode.clone());
        self.rest.insert(0, barcode);
        self.left += 1;
    }

    fn failed(&mut self, asked: &[String], error: &Error) {
        let (first, last) = (
            asked.first().cloned().unwrap_or_default(),
            asked.last().cloned().unwrap_or_default(),
        );
        self.counts.failed += asked.len() as u64;
        for _ in asked {
            self.work.progress.finished(0, 1, true);
        }
        let item = format!("{} books, `{first}` to `{last}`", asked.len());
        self.problems.push((item, error.to_string()));
        (self.work.tell)(&Event::BatchFailed {
            first_barcode: first,
            last_barcode: last,
            books: asked.len() as u64,
            reason: error.to_string(),
        });
    }

    async fn record(&mut self) -> Result<(), Error> {
        let found = std::mem::take(&mut self.found);
        let not_found = std::mem::take(&mut self.not_found);
        if found.is_empty() && not_found.is_empty() {
            return Ok(());
        }
        let counts = (found.len() as u64, not_found.len() as u64);
        self.work.catalogue.check_in_place()?;
        record::enriched(self.work.catalogue, found, not_found, date::now()).await?;
        self.counts.found += counts.0;
        self.counts.not_found += counts.1;
        (self.work.tell)(&Event::BooksEnriched {
            found: counts.0,
            not_found: counts.1,
        });
        Ok(())
    }
}
