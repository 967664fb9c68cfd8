//! `books status`.

use anyhow::Result;
use books::catalogue::query::{self, Status};
use run::ExitStatus;

use crate::args::books::RunPlace;
use crate::commands::books::open_to_read;
use crate::printer::Printer;
use crate::words::{count, counted, moment};

/// Problems that are listed.
const FIRST: usize = 20;

/// Tells how far a run is.
pub(crate) fn status(place: &RunPlace, printer: Printer) -> Result<ExitStatus> {
    let (_, catalogue) = open_to_read(place)?;
    let status = query::status(&catalogue)?;
    printer.show(&status, || text(&status));
    Ok(ExitStatus::Done)
}

fn text(status: &Status) -> Vec<String> {
    let mut lines = vec![
        format!("database    {}", status.database),
        format!(
            "books       {}, {} vanished from the catalogue",
            count(status.books),
            count(status.vanished)
        ),
        format!("collection  {}", collection(status)),
        format!(
            "enriched    {}, of which GRIN does not know {}; {} to go",
            count(status.enriched),
            count(status.not_found),
            count(status.books.saturating_sub(status.enriched))
        ),
    ];
    let states = status
        .states
        .iter()
        .map(|state| format!("{} {}", count(state.count), state.name));
    let states: Vec<_> = states.collect();
    if !states.is_empty() {
        lines.push(format!("states      {}", states.join(", ")));
    }
    if !status.problems.is_empty() {
        lines.push(String::new());
        lines.push(format!("{} failed last:", count(status.problems.len())));
    }
    for problem in status.problems.iter().take(FIRST) {
        let reason = problem.reason.lines().next().unwrap_or_default();
        lines.push(format!("  {}: {}: {reason}", problem.command, problem.item));
    }
    if status.problems.len() > FIRST {
        lines.push(format!("  .. and {} more", status.problems.len() - FIRST));
    }
    lines
}

/// How far the catalogue is known, in words.
pub(super) fn collection(status: &Status) -> String {
    let Some(pass) = &status.collection else {
        return "not begun".to_owned();
    };
    let rate = status.books_per_second.map_or_else(String::new, |rate| {
        format!(", {} a second", count(rate.round() as u64))
    });
    match (&pass.completed_at, &pass.next_page) {
        (Some(at), _) => format!(
            "complete since {}: {} on {}{rate}",
            moment(at),
            counted(pass.books, "book"),
            counted(pass.pages, "page")
        ),
        (None, page) if status.complete_since.is_some() => {
            let since = status.complete_since.as_deref().unwrap_or_default();
            let at = page.as_deref().unwrap_or("the first page");
            format!(
                "complete since {}; a refresh is at {}, goes on with `{at}`",
                moment(since),
                counted(pass.books, "book")
            )
        }
        (None, Some(page)) => format!(
            "not complete: {} on {}, goes on with `{page}`{rate}",
            counted(pass.books, "book"),
            counted(pass.pages, "page")
        ),
        (None, None) => "begun, no page is complete".to_owned(),
    }
}
