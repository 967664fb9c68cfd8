//! Where a collection begins: where the last one stopped, or at the first page.

use crate::catalogue::pass::{self, Pass};
use crate::catalogue::{Catalogue, query};
use crate::collect::Collect;
use crate::date;
use crate::error::Error;
use crate::page::PageError;

/// The pass to go on with, or a new one.
pub(super) fn pass_to_go_on_with(catalogue: &Catalogue, options: &Collect) -> Result<Pass, Error> {
    let last = pass::last_pass(catalogue)?;
    let Some(pass) = last else {
        return new_pass(catalogue, 1, options.refresh);
    };
    let is_open = pass.completed_at.is_none();
    if !options.from_start && (is_open || !options.refresh) {
        return Ok(pass);
    }
    new_pass(
        catalogue,
        pass.id + 1,
        options.refresh || (is_open && pass.refresh),
    )
}

/// Begins a pass at the first page.
pub(super) fn new_pass(catalogue: &Catalogue, number: i64, refresh: bool) -> Result<Pass, Error> {
    let now = jiff::Timestamp::now();
    let pass = Pass {
        id: number,
        refresh,
        session_id: now.as_second().max(pass::last_session(catalogue)? + 1),
        started_at: date::stamp(now),
        updated_at: date::stamp(now),
        books_before: query::count_books(catalogue)?,
        ..Pass::default()
    };
    pass::begin(catalogue, &pass)?;
    Ok(pass)
}

/// Whether an address leads nowhere any more, however often it is asked for.
pub(super) fn is_expired(error: &Error) -> bool {
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
