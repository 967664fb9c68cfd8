//! Pages that overlap, since a catalogue changes while it is listed.
//!
//! A link to a next page names a place in the list. Books that are removed before that place pull others past it, and
//! they would never be listed. So each page is asked for from the last known book on: if that book is there, what
//! follows it follows without a gap. If it is not, the page is asked for from further back, until a known book is on it.

use url::form_urlencoded;

use crate::catalogue::pass::KnownPage;

/// Books by which a page first overlaps the one before it.
pub(crate) const USUAL: u64 = 1;

/// How much further back each further attempt begins. A guess: a page of 10,000 books is reached in four steps, and a
/// catalogue of 5 million in six.
const STEP: u64 = 16;

/// The next overlap to try.
pub(crate) fn further(back: u64) -> u64 {
    back.saturating_mul(STEP)
}

/// Whether `first=` of these pages, and of the one that comes next, counts books.
pub(crate) fn counts_books(known: &[KnownPage], next: &str) -> bool {
    let Some(page) = known.first() else {
        return false;
    };
    let second = known.get(1).map_or(next, |page| page.address.as_str());
    number(&page.address, "first").unwrap_or(0) + page.books == number(second, "first").unwrap_or(0)
}

/// The address of the same page with `back` books of the page before it; none where it would begin before the list.
pub(crate) fn earlier(address: &str, back: u64) -> Option<String> {
    let first = number(address, "first")?.checked_sub(back)?;
    let address = with_number(address, "first", first);
    Some(match number(&address, "result_count") {
        Some(count) => with_number(&address, "result_count", count + back),
        None => address,
    })
}

/// The address of the same page with room for one more book; none where it does not say how many it has.
pub(crate) fn larger(address: &str) -> Option<String> {
    let count = number(address, "result_count")?;
    Some(with_number(address, "result_count", count + 1))
}

/// The link to a next page, as it would be on a page that was asked for as `usual`.
pub(crate) fn restored(next: &str, usual: &str) -> String {
    match (number(usual, "result_count"), number(next, "result_count")) {
        (Some(count), Some(_)) => with_number(next, "result_count", count),
        _ => next.to_owned(),
    }
}

/// A number in the query of an address.
pub(crate) fn number(address: &str, name: &str) -> Option<u64> {
    let (_, query) = address.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .and_then(|(_, value)| value.parse().ok())
}

/// The address with another number in its query. Everything else keeps its letters.
fn with_number(address: &str, name: &str, number: u64) -> String {
    let Some((path, query)) = address.split_once('?') else {
        return address.to_owned();
    };
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((key, _)) if key == name => format!("{name}={number}"),
        _ => part.to_owned(),
    });
    format!("{path}?{}", parts.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(address: &str, books: u64) -> KnownPage {
        KnownPage {
            address: address.into(),
            books,
            first_barcode: String::new(),
            last_barcode: String::new(),
        }
    }

    #[test]
    fn a_page_is_asked_for_from_the_books_before_it_on() {
        let address = "_all_books?result_count=1000&first=2000&x=a%20b";
        assert_eq!(
            earlier(address, 1).as_deref(),
            Some("_all_books?result_count=1001&first=1999&x=a%20b")
        );
        assert_eq!(earlier(address, 2001), None);
        assert_eq!(earlier("_all_books?ctoken=7", 1), None);
        let next = "_all_books?result_count=1001&first=3000";
        assert_eq!(
            restored(next, address),
            "_all_books?result_count=1000&first=3000"
        );
        assert_eq!(restored("?ctoken=8", address), "?ctoken=8");
    }

    #[test]
    fn numbers_that_count_pages_are_left_alone() {
        let first = page("_all_books?result_count=1000", 1000);
        let counts = |known: &[KnownPage], next| counts_books(known, next);
        assert!(counts(std::slice::from_ref(&first), "?first=1000"));
        assert!(!counts(std::slice::from_ref(&first), "?first=2"));
        assert!(!counts(std::slice::from_ref(&first), "?ctoken=1000"));
        assert!(!counts(&[], "?first=1000"));
        // Later pages may differ, since the list moves.
        let second = page("?first=1000", 1300);
        assert!(counts(&[first, second], "?first=2200"));
    }
}
