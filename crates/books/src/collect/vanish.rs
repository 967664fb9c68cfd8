//! Which books have vanished from the catalogue.
//!
//! A list that does not name a book does not say that it is gone: a list moves while it is read, and may be cut short.
//! So GRIN is asked for each such book by its barcode, together with books that it has just named, whose lines show that
//! the answer is whole.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::catalogue::pass;
use crate::collect::Collecting;
use crate::enrich::ask::ask;
use crate::enrich::requests::{Kind, Request, SEARCH, cut};
use crate::error::Error;

/// More than one book in a hundred is too much to vanish at once without consent.
const TOO_MANY: u64 = 100;

/// More books than this are not asked for where consent would be needed for them: some ten requests.
const MOST_LOOKED_FOR: usize = 5_000;

/// Books in each request that the list has just named. One will do, but some books of a list are not known to the search.
const WITNESSES: u32 = 8;

/// Books asked for at once, besides the limit of a URL.
const MOST_AT_ONCE: u32 = 6_000;

/// The books that have vanished; everything that the list names must be recorded.
///
/// # Errors
///
/// [`Error::Vanishing`] if they are too many to be believed, and what asking for them brings.
pub(crate) async fn vanished(collecting: &Collecting<'_>) -> Result<Vec<String>, Error> {
    let (catalogue, pass) = (collecting.work.catalogue, &collecting.pass);
    if pass.books_before == 0 {
        return Ok(Vec::new());
    }
    let unseen = pass::unseen(catalogue, pass)?;
    if unseen.is_empty() {
        return Ok(unseen);
    }
    let doubt = |books: usize| {
        let too_many = books as u64 * TOO_MANY > pass.books_before;
        (too_many && !collecting.options.allow_vanish).then_some(Error::Vanishing {
            books: books as u64,
            of: pass.books_before,
        })
    };
    if unseen.len() > MOST_LOOKED_FOR
        && let Some(error) = doubt(unseen.len())
    {
        return Err(error);
    }
    let vanished = look(collecting, unseen).await?;
    match doubt(vanished.len()) {
        Some(error) => Err(error),
        None => Ok(vanished),
    }
}

/// Asks for each book; those that GRIN does not know.
async fn look(collecting: &Collecting<'_>, unseen: Vec<String>) -> Result<Vec<String>, Error> {
    let work = collecting.work;
    let witnesses = pass::some_seen(work.catalogue, &collecting.pass, WITNESSES)?;
    let room: usize = witnesses.iter().map(|barcode| barcode.len() * 3 + 1).sum();
    let base = work.grin.url(SEARCH)?.as_str().len() + room;
    let alive = Arc::new(AtomicBool::new(true));
    let mut vanished = Vec::new();
    for group in cut(unseen, base, MOST_AT_ONCE) {
        let wanted: HashSet<String> = group.iter().cloned().collect();
        let request = Request {
            asked: group.into_iter().chain(witnesses.clone()).collect(),
            witness: None,
            kind: Kind::First,
        };
        let (grin, cancel) = (work.grin.clone(), work.cancel.clone());
        for answered in ask(grin, request, cancel, Arc::clone(&alive)).await {
            let reading = answered.result?;
            let is_whole = |book: &String| !wanted.contains(book);
            let tells = reading.found.iter().any(|book| is_whole(&book.barcode));
            let silent = reading
                .silent
                .into_iter()
                .filter(|book| wanted.contains(book));
            for barcode in silent {
                if !tells {
                    return Err(Error::Answer {
                        reason: format!(
                            "it is silent about `{barcode}`, and about every book that the list has just named"
                        ),
                    });
                }
                vanished.push(barcode);
            }
            let unknown = reading.unknown.into_iter();
            vanished.extend(unknown.filter(|book| wanted.contains(book)));
        }
    }
    Ok(vanished)
}
