//! Whether a page without a link to a next one is the last.
//!
//! A link that is not understood looks like none. So a page is the last when it is not full, that is smaller than the
//! one before it and than what was asked for, or when the list that begins with its last book has no other.

use crate::catalogue::pass::{KnownPage, ReadPage};
use crate::collect::fetch::{Batch, Fetched, Wanted, fetch};
use crate::collect::overlap::{counts_books, earlier, larger, number};
use crate::error::Error;
use crate::page::PageError;
use crate::work::Work;

/// What is known of a list when one of its pages names no next one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'a> {
    /// The list, as addresses name it.
    list: &'a str,
    /// Books on the page before, if there is one.
    before: Option<u64>,
    /// Whether `first=` of its pages counts books.
    counts: bool,
    /// Books of the list up to the end of the page.
    end: u64,
}

impl<'a> Listed<'a> {
    /// What is known of `list` up to this page, which came from `address`, or was `asked` for with some books of the page
    /// before; behind the `known` pages, which have `books` books.
    pub(crate) fn new(
        list: &'a str,
        known: &[KnownPage],
        books: u64,
        address: &str,
        asked: &str,
        fetched: &Fetched,
    ) -> Self {
        let before = known.last().map(|page| page.books);
        let counts = before.is_none() || counts_books(known, address);
        let end = if counts {
            number(asked, "first").unwrap_or(0) + fetched.named
        } else {
            books + fetched.page.books
        };
        Self {
            list,
            before,
            counts,
            end,
        }
    }
}

/// Proves that the page, which came from `address`, is the last; or finds that it is not, and where to go on.
///
/// # Errors
///
/// [`Error::Answer`] if neither can be known.
pub(crate) async fn prove(
    work: &Work<'_>,
    listed: Listed<'_>,
    address: &str,
    fetched: &mut Fetched,
) -> Result<(), Error> {
    let Listed {
        list,
        before,
        counts,
        end,
    } = listed;
    let is_cut = fetched.is_cut;
    let page = &mut fetched.page;
    let asked = number(address, "result_count").unwrap_or(0);
    // A server that gives fewer books than asked for gives one fewer that is new, where pages overlap.
    let is_full = page.books >= asked || before.is_some_and(|before| page.books + 1 >= before);
    if !is_full && before.is_some() && !is_cut {
        return Ok(());
    }
    let beyond = format!("{list}?result_count={}&first={end}", asked.max(1));
    let Some(from_last) = earlier(&beyond, 1) else {
        return Ok(());
    };
    let is_end = |other: &ReadPage| other.next.is_none() && other.last_barcode == page.last_barcode;
    if !counts
        && let Some(larger) = larger(address)
        && look(work, &larger).await.is_ok_and(|other| is_end(&other))
    {
        // There was room for one book more, and none came.
        return Ok(());
    }
    match look(work, &from_last).await {
        Err(Error::Page(PageError::Empty)) => Ok(()),
        Ok(other) if is_end(&other) => Ok(()),
        // The list goes on, whatever the link looks like that says so; or it has moved, which is seen there.
        Ok(other)
            if other.first_barcode == page.last_barcode || (counts && (is_full || is_cut)) =>
        {
            page.next = Some(beyond);
            Ok(())
        }
        _ if !is_full && !is_cut => Ok(()),
        Ok(_) => Err(unclear("the page beyond it cannot be asked for")),
        Err(error) => Err(unclear(&format!(
            "the page beyond it cannot be read: {error}"
        ))),
    }
}

/// The page at `address`, of which nothing is recorded.
async fn look(work: &Work<'_>, address: &str) -> Result<ReadPage, Error> {
    let again =
        |error: &Error, _| tracing::info!("looking for a page beyond the last again: {error}");
    let once = || async {
        let record = async |_: Batch, _| Ok(());
        match fetch(work.grin, address, Wanted::default(), record).await {
            Ok(fetched) => Ok(Some(fetched.page)),
            // What is looked for; nothing to try again.
            Err(Error::Page(PageError::Empty)) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let found = crate::work::patiently(work.grin, work.cancel, again, once).await?;
    found.ok_or(Error::Page(PageError::Empty))
}

fn unclear(why: &str) -> Error {
    Error::Answer {
        reason: format!("it names no next page, but it is full or was cut, and {why}"),
    }
}
