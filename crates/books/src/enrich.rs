//! Asks GRIN for more about each book, many in one request, and records what it knows.
//!
//! A book counts as asked only when GRIN has answered: one whose request failed remains, and is asked for next time.

mod answer;

use std::time::{Duration, Instant};

use run::{Cancel, Usage};
use tokio::task::JoinSet;

use answer::read_answer;

use crate::catalogue::Catalogue;
use crate::catalogue::query;
use crate::catalogue::record::{self, EnrichedBook};
use crate::date;
use crate::error::Error;
use crate::event::{EnrichCompleted, Event, Outcome};
use crate::grin::Grin;
use crate::run::{Stage, StageResult};
use crate::session::{Work, patiently, wait};

/// How to enrich.
#[derive(Clone, Debug)]
pub struct Enrich {
    /// Requests under way at once.
    pub concurrent: usize,
    /// Books read from the database at a time, and asked for in one request at most.
    pub batch: u32,
    /// Stop after so many books.
    pub limit: Option<u64>,
    /// Ask again for books that were asked for before.
    pub reset: bool,
}

impl Default for Enrich {
    fn default() -> Self {
        Self {
            concurrent: 5,
            batch: 6_000,
            limit: None,
            reset: false,
        }
    }
}

/// A request's URL is no longer than this.
const LONGEST_URL: usize = 7_500;

/// Where to ask.
const SEARCH: &str = "_barcode_search?execute_query=true&format=text&mode=full&barcodes=";

/// Books recorded in one transaction, at least.
const RECORDED_AT_ONCE: usize = 4_000;

/// More is no answer about one URL's books.
const LONGEST_ANSWER: usize = 64 << 20;

/// What one request brought.
struct Answered {
    asked: Vec<String>,
    result: Result<Vec<EnrichedBook>, Error>,
}

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
        writes: work.catalogue.db().report(),
    };
    let problem = enriching.problems.last();
    let result = StageResult {
        started: stamp,
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
        let mut running: JoinSet<Answered> = JoinSet::new();
        let mut waiting: Vec<Vec<String>> = Vec::new();
        loop {
            while !self.work.cancel.is_requested() && running.len() < self.options.concurrent.max(1)
            {
                if waiting.is_empty() {
                    waiting = self.next_requests()?;
                }
                let Some(asked) = waiting.pop() else { break };
                self.left -= asked.len() as u64;
                let (grin, cancel) = (self.work.grin.clone(), self.work.cancel.clone());
                running.spawn(async move { ask(&grin, asked, &cancel).await });
            }
            match running.join_next().await {
                Some(Ok(answered)) => self.take(answered).await?,
                Some(Err(_)) => return Err(Error::Gone("a request")),
                None => break,
            }
        }
        self.record().await?;
        let problems = self.problems.clone();
        record::problem(self.work.catalogue, "enrich", problems, date::now()).await
    }

    /// The next books, cut into requests that are as long as they may be; in reverse, to be taken from the end.
    fn next_requests(&mut self) -> Result<Vec<Vec<String>>, Error> {
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
            let mut requests = cut(barcodes, base, self.options.batch);
            if self.left > requests.iter().map(Vec::len).sum::<usize>() as u64 {
                self.rest = requests.pop().unwrap_or_default();
            }
            if !requests.is_empty() || self.left == 0 {
                requests.reverse();
                return Ok(requests);
            }
        }
    }

    async fn take(&mut self, answered: Answered) -> Result<(), Error> {
        let Answered { asked, result } = answered;
        let failed = result.is_err();
        match result {
            Ok(found) => {
                let known: std::collections::HashSet<&str> =
                    found.iter().map(|book| book.barcode.as_str()).collect();
                let not_found = asked
                    .iter()
                    .filter(|barcode| !known.contains(barcode.as_str()));
                self.not_found.extend(not_found.cloned());
                self.found.extend(found);
                self.counts.batches += 1;
            }
            Err(error) if error.is_about_request() => self.failed(&asked, &error),
            Err(error) => return Err(error),
        }
        for _ in &asked {
            self.work.progress.finished(0, 1, failed);
        }
        if self.found.len() + self.not_found.len() >= RECORDED_AT_ONCE {
            self.record().await?;
        }
        Ok(())
    }

    fn failed(&mut self, asked: &[String], error: &Error) {
        let (first, last) = (
            asked.first().cloned().unwrap_or_default(),
            asked.last().cloned().unwrap_or_default(),
        );
        self.counts.failed += asked.len() as u64;
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

async fn ask(grin: &Grin, asked: Vec<String>, cancel: &Cancel) -> Answered {
    let again = |error: &Error, pause: Duration| {
        let first = asked.first().map_or("", String::as_str);
        tracing::info!(
            "asking again for `{first}` and those after it in {:.1} s: {error}",
            pause.as_secs_f64()
        );
    };
    let result = patiently(grin, cancel, again, || once(grin, &asked)).await;
    Answered { asked, result }
}

async fn once(grin: &Grin, asked: &[String]) -> Result<Vec<EnrichedBook>, Error> {
    let all: String = url::form_urlencoded::byte_serialize(asked.join(" ").as_bytes()).collect();
    let url = grin.url(&format!("{SEARCH}{all}"))?;
    let body = grin.get(&url).await?.bytes(LONGEST_ANSWER).await?;
    read_answer(&body, asked)
}

/// Cuts barcodes into groups whose URLs are short enough, of at most `most`.
fn cut(barcodes: Vec<String>, base: usize, most: u32) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut length = usize::MAX;
    for barcode in barcodes {
        let encoded: usize = url::form_urlencoded::byte_serialize(barcode.as_bytes())
            .map(str::len)
            .sum();
        length = length.saturating_add(encoded + 1);
        match groups.last_mut() {
            Some(group) if length <= LONGEST_URL && group.len() < most as usize => {
                group.push(barcode);
            }
            _ => {
                length = base + encoded;
                groups.push(vec![barcode]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_short_and_no_barcode_is_lost() {
        let barcodes: Vec<_> = (0..2000).map(|n| format!("{n:014}")).collect();
        let groups = cut(barcodes.clone(), 120, 6_000);
        assert_eq!(groups.concat(), barcodes);
        assert_eq!(groups[0].len(), (7_500 - 120 + 1) / 15);
        let odd = vec!["$".repeat(3_000), "x".into(), "y".repeat(8_000)];
        assert_eq!(cut(odd, 120, 6_000).len(), 3);
        assert_eq!(cut(barcodes, 120, 30).len(), 67);
    }
}
