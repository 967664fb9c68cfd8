//! Books on their way into the database, while the next ones are fetched.

use std::collections::VecDeque;

use crate::catalogue::Catalogue;
use crate::catalogue::pass::{self, Listing, Pass, ReadPage};
use crate::catalogue::store::Recorded;
use crate::collect::journal::{Entry, Journal};
use crate::date;
use crate::error::Error;
use crate::listed::Books;
use crate::run::Run;

/// Fewer books than this wait for those of the next page: only the last transaction takes fewer.
const ENOUGH: usize = 2_000;

/// Transactions that may wait for the writer.
const SENT: usize = 2;

/// Sends books to the writer in large transactions, and knows which of them are committed.
pub(crate) struct Recorder<'a> {
    catalogue: &'a Catalogue,
    /// Where the pass stands with everything that was given to this recorder.
    pass: Pass,
    journal: Journal,
    waiting: Listing,
    sent: VecDeque<Sent>,
    /// Pages that are committed.
    recorded: u64,
    vanished: u64,
}

struct Sent {
    pages: u64,
    answer: Recorded<u64>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue, run: &Run, pass: Pass) -> Self {
        Self {
            catalogue,
            recorded: pass.pages,
            pass,
            journal: Journal::of(run.directory()),
            waiting: Listing::default(),
            sent: VecDeque::new(),
            vanished: 0,
        }
    }

    /// Where the pass stands.
    pub(crate) fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Pages that were fetched by a process that died before it could record them.
    pub(crate) fn left_behind(&self) -> Result<Vec<Entry>, Error> {
        self.journal.pages(&self.pass)
    }

    /// Takes books of a page that has more of them. `part` is the number of its books up to the last of these.
    pub(crate) async fn books(&mut self, books: Books, part: u64) -> Result<(), Error> {
        self.pass.part = part;
        self.waiting.books.append(books);
        self.send().await
    }

    /// Takes what has vanished, to be recorded with the last page.
    pub(crate) fn vanish(&mut self, books: Vec<String>) {
        self.waiting.vanished = books;
    }

    /// Takes the last books of a page. The next one may be asked for as soon as this returns: a process that dies finds
    /// in the database, or in the journal, all of this one.
    pub(crate) async fn page(&mut self, page: ReadPage, rest: Books) -> Result<(), Error> {
        let part = page.books - rest.len() as u64;
        if self.journal.is_long() {
            self.flush().await?;
        } else if part > 0 {
            self.settle(0).await?;
        }
        let entry = Entry::new(&self.pass, page, part, rest);
        if entry.page.next.is_some() {
            self.journal.keep(&entry, self.recorded)?;
        }
        self.add(entry).await
    }

    /// Takes a page that is in the journal.
    pub(crate) async fn add(&mut self, entry: Entry) -> Result<(), Error> {
        let Entry { page, rest, .. } = entry;
        self.pass.advance(&page);
        self.waiting.is_last = page.next.is_none();
        self.waiting.books.append(rest);
        self.waiting.pages.push((self.pass.pages, page));
        if self.waiting.books.len() >= ENOUGH || self.waiting.is_last {
            self.send().await?;
        }
        Ok(())
    }

    /// Waits until everything is recorded.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        if !self.waiting.is_empty() {
            self.send().await?;
        }
        self.settle(0).await?;
        self.journal.clear()
    }

    /// Books that the last page's transaction has marked as vanished.
    pub(crate) fn vanished(&self) -> u64 {
        self.vanished
    }

    /// The last page led to a wrong one, so it is not done: it has to be asked for again.
    pub(crate) async fn step_back(&mut self, address: String, books: u64) -> Result<(), Error> {
        self.flush().await?;
        let number = self.pass.pages;
        self.pass.pages = self.pass.pages.saturating_sub(1);
        self.pass.books = self.pass.books.saturating_sub(books);
        self.pass.next_page = Some(address);
        self.recorded = self.pass.pages;
        pass::step_back(self.catalogue, &self.pass, number, date::now()).await
    }

    async fn send(&mut self) -> Result<(), Error> {
        self.settle(SENT - 1).await?;
        let listing = std::mem::take(&mut self.waiting);
        let answer = pass::listing(self.catalogue, &self.pass, listing, date::now());
        let pages = self.pass.pages;
        self.sent.push_back(Sent { pages, answer });
        Ok(())
    }

    /// Waits until at most `left` transactions are under way.
    async fn settle(&mut self, left: usize) -> Result<(), Error> {
        while self.sent.len() > left
            && let Some(Sent { pages, answer }) = self.sent.pop_front()
        {
            self.vanished += answer.await?;
            self.recorded = pages;
        }
        Ok(())
    }
}
