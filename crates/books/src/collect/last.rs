//! Whether a page without a link to a next one is the last.
//!
//! A link that is not understood looks like none. So a page is the last when it is not full, that is smaller than the
//! one before it and than what was asked for, or when asking beyond it gives a list of the same shape without a book.

use crate::catalogue::pass::ReadPage;
use crate::collect::Collecting;
use crate::collect::fetch::fetch;
use crate::error::Error;
use crate::listed::Books;
use crate::page::PageError;

/// Proves that `page`, which came from `address`, is the last; or finds that it is not, and where to go on.
///
/// # Errors
///
/// [`Error::Answer`] if neither can be known.
pub(crate) async fn prove(
    collecting: &Collecting<'_>,
    address: &str,
    page: &mut ReadPage,
) -> Result<(), Error> {
    let asked = number(address, "result_count").unwrap_or(0);
    let before = collecting.known.last().map(|known| known.books);
    let is_full = page.books >= asked || before.is_some_and(|before| page.books >= before);
    if !is_full && before.is_some() {
        return Ok(());
    }
    let beyond = match (number(address, "first"), before) {
        (Some(first), _) => Some(first + page.books),
        (None, None) => Some(page.books),
        // Pages that are not named by numbers cannot be asked for out of turn.
        (None, Some(_)) => None,
    };
    let Some(beyond) = beyond else {
        return if is_full {
            Err(unclear("no page beyond it can be asked for"))
        } else {
            Ok(())
        };
    };
    let beyond = format!("_all_books?result_count={}&first={beyond}", asked.max(1));
    match look(collecting, &beyond).await {
        // The list goes on, whatever the link looks like that says so.
        Ok(other) if is_new(collecting, page, &other) => {
            page.next = Some(beyond);
            Ok(())
        }
        Err(Error::Page(PageError::Empty)) => Ok(()),
        _ if !is_full => Ok(()),
        Ok(_) => Err(unclear("the page beyond it names the same books again")),
        Err(error) => Err(unclear(&format!(
            "the page beyond it cannot be read: {error}"
        ))),
    }
}

/// The page at `address`, of which nothing is recorded.
async fn look(collecting: &Collecting<'_>, address: &str) -> Result<ReadPage, Error> {
    let work = collecting.work;
    let again =
        |error: &Error, _| tracing::info!("looking for a page beyond the last again: {error}");
    let once = || async {
        let record = async |_: Books, _| Ok(());
        match fetch(work.grin, address, None, record).await {
            Ok(fetched) => Ok(Some(fetched.page)),
            // What is looked for; nothing to try again.
            Err(Error::Page(PageError::Empty)) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let found = crate::session::patiently(work.grin, work.cancel, again, once).await?;
    found.ok_or(Error::Page(PageError::Empty))
}

fn is_new(collecting: &Collecting<'_>, page: &ReadPage, other: &ReadPage) -> bool {
    let known = collecting.known.iter().map(|known| &known.first_barcode);
    let mut known = known.chain([&page.first_barcode]);
    known.all(|first| *first != other.first_barcode)
}

fn unclear(why: &str) -> Error {
    Error::Answer {
        reason: format!("it names no next page, but it is full, and {why}"),
    }
}

/// A number in the query of an address.
fn number(address: &str, name: &str) -> Option<u64> {
    let (_, query) = address.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .and_then(|(_, value)| value.parse().ok())
}
