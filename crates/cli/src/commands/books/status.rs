//! `books status`.

use anyhow::Result;
use books::catalogue::query::{self, Status};
use run::ExitStatus;

use crate::args::books::RunPlace;
use crate::commands::books::open_to_read;
use crate::printer::Printer;

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
            status.books, status.vanished
        ),
        format!("collection  {}", collection(status)),
        format!(
            "enriched    {}, of which GRIN does not know {}; {} to go",
            status.enriched,
            status.not_found,
            status.books - status.enriched
        ),
    ];
    let states = status
        .states
        .iter()
        .map(|state| format!("{} {}", state.count, state.name));
    let states: Vec<_> = states.collect();
    if !states.is_empty() {
        lines.push(format!("states      {}", states.join(", ")));
    }
    if !status.problems.is_empty() {
        lines.push(String::new());
        lines.push(format!("{} failed last:", status.problems.len()));
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

fn collection(status: &Status) -> String {
    let Some(pass) = &status.collection else {
        return "not begun".to_owned();
    };
    let rate = status
        .books_per_second
        .map_or_else(String::new, |rate| format!(", {rate:.0} a second"));
    match (&pass.completed_at, &pass.next_page) {
        (Some(at), _) => format!(
            "complete since {at}: {} books on {} pages{rate}",
            pass.books, pass.pages
        ),
        (None, Some(page)) => format!(
            "not complete: {} books on {} pages, goes on with `{page}`{rate}",
            pass.books, pass.pages
        ),
        (None, None) => "begun, no page is complete".to_owned(),
    }
}
