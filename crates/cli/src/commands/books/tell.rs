//! What events say to a person.

use books::Event;

use crate::printer::Volume;
use crate::progress::duration;

/// The line of an event, and how loud it is.
pub(crate) fn line(event: &Event) -> Option<(Volume, String)> {
    Some(match event {
        Event::CollectStarted {
            library_directory,
            database,
            page,
            books,
            refresh,
            ..
        } => {
            let what = if *refresh { "refreshing" } else { "collecting" };
            let from = match page {
                1 => String::new(),
                page => format!(", going on with page {page} after {books} books"),
            };
            (
                Volume::Normal,
                format!("{what} `{library_directory}` into `{database}`{from}"),
            )
        }
        Event::PageRecorded { page, books, total } => (
            Volume::Verbose,
            format!("recorded page {page}: {books} books, {total} in all"),
        ),
        Event::RequestRepeated {
            item,
            reason,
            pause_seconds,
        } => (
            Volume::Brief,
            format!(
                "again in {pause_seconds:.1} s: {item}: {}",
                first_line(reason)
            ),
        ),
        Event::PageFailed {
            page,
            address,
            reason,
        } => (
            Volume::Brief,
            format!("failed: page {page} (`{address}`): {reason}"),
        ),
        Event::EnrichStarted {
            database, books, ..
        } => (
            Volume::Normal,
            format!("enriching {books} books in `{database}`"),
        ),
        Event::BooksEnriched { found, not_found } => (
            Volume::Verbose,
            format!("enriched {found} books, {not_found} are not known"),
        ),
        Event::BatchFailed {
            first_barcode,
            last_barcode,
            books,
            reason,
        } => (
            Volume::Brief,
            format!("failed: {books} books, `{first_barcode}` to `{last_barcode}`: {reason}"),
        ),
        Event::Warning { message } => (Volume::Brief, format!("warning: {message}")),
        Event::CollectCompleted(end) => (
            Volume::Verbose,
            format!(
                "collection {}: {} pages, {} books in {}{}",
                end.state.replace('_', " "),
                end.pages,
                end.books,
                duration(end.usage.elapsed_seconds),
                end.missing
                    .as_ref()
                    .map_or_else(String::new, |what| format!("; missing: {what}")),
            ),
        ),
        Event::EnrichCompleted(end) => (
            Volume::Verbose,
            format!(
                "enriching {}: {} found, {} not known, {} failed in {}",
                end.state,
                end.found,
                end.not_found,
                end.failed,
                duration(end.usage.elapsed_seconds)
            ),
        ),
        Event::Progress(_) => return None,
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
