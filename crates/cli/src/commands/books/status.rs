//! `books status`.

use anyhow::Result;
use books::catalogue::claims::{self, Crew, Worker};
use books::catalogue::query::{self, Status};
use books::catalogue::stored::Archives;
use run::ExitStatus;
use serde::Serialize;

use crate::args::books::RunPlace;
use crate::commands::books::open_to_read;
use crate::printer::{Printer, Volume};
use crate::words::{count, counted, duration, moment, size};

/// Problems that are listed.
const FIRST: usize = 20;

/// Tells how far a run is.
pub(crate) fn status(place: &RunPlace, printer: Printer) -> Result<ExitStatus> {
    let (_, catalogue) = open_to_read(place, printer)?;
    let report = Report {
        status: query::status(&catalogue)?,
        crew: claims::crew(&catalogue)?,
    };
    printer.show(&report, || {
        let mut lines = text(&report.status);
        lines.extend(report.crew.iter().flat_map(crew));
        lines
    });
    Ok(ExitStatus::Done)
}

/// Asks everybody who syncs a run to come to an end.
pub(crate) fn drain(place: &RunPlace, printer: Printer) -> Result<ExitStatus> {
    let (_, catalogue) = open_to_read(place, printer)?;
    let workers = claims::drain(&catalogue)?;
    let told = format!(
        "{} finish what they have, and begin nothing more",
        counted(workers, "process")
    );
    printer.note(Volume::Brief, &told);
    Ok(ExitStatus::Done)
}

/// Where a run stands, and who works on it.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    status: Status,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    crew: Option<Crew>,
}

/// Who works on the run, a line each, and the sum of all.
fn crew(crew: &Crew) -> Vec<String> {
    let mut lines = crew
        .warnings
        .iter()
        .map(|warning| format!("warning: {warning}"))
        .collect::<Vec<_>>();
    if crew.workers.is_empty() && crew.waiting == 0 {
        return lines;
    }
    let total = &crew.total;
    lines.push(format!(
        "workers     {}, {} books stored ({}; {:.1} a minute now), {} failed, {} under way, {} waiting",
        count(crew.workers.len()),
        count(total.stored),
        size(total.bytes),
        total.stored_a_minute,
        count(total.failed),
        count(total.holds),
        count(crew.waiting),
    ));
    lines.extend(crew.workers.iter().map(worker));
    lines
}

fn worker(worker: &Worker) -> String {
    let state = if worker.is_lost {
        format!(
            "silent for {}, given up",
            duration(worker.silent_seconds as f64)
        )
    } else if worker.is_draining {
        "comes to an end".to_owned()
    } else {
        "works".to_owned()
    };
    let oldest = worker
        .oldest_book
        .as_ref()
        .map_or_else(String::new, |book| {
            let seconds = worker.oldest_seconds.unwrap_or_default() as f64;
            format!(", {book} for {}", duration(seconds))
        });
    format!(
        "  {}, process {}: {state} since {}, {} stored ({:.1} a minute), {} under way{oldest}",
        worker.host,
        worker.process,
        duration(worker.since_seconds as f64),
        count(worker.stored),
        worker.stored_a_minute,
        count(worker.holds),
    )
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
    lines.push(format!("archives    {}", archives(&status.archives)));
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

/// How many archives are stored, failed and waited for, in words.
fn archives(archives: &Archives) -> String {
    let mut parts = vec![format!(
        "{} stored ({})",
        count(archives.stored),
        size(archives.stored_bytes)
    )];
    if archives.failed > 0 {
        let alone = match archives.given_up {
            0 => String::new(),
            some => format!(", of which {} are left alone", count(some)),
        };
        parts.push(format!("{} failed{alone}", count(archives.failed)));
    }
    for (number, what) in [
        (archives.waiting, "wait for GRIN to convert them"),
        (archives.refused, "cannot be had from GRIN"),
        (archives.to_come, "to come"),
    ] {
        if number > 0 {
            parts.push(format!("{} {what}", count(number)));
        }
    }
    parts.join("; ")
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
