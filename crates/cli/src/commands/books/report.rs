//! `books report`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use books::catalogue::sync::{Failure, Stage, SyncReport, failures, report as read};
use run::ExitStatus;
use serde::Serialize;

use crate::args::books::RunPlace;
use crate::commands::books::open_to_read;
use crate::printer::Printer;
use crate::words::{count, counted, size};

/// Failed books that are listed by name.
const MOST_NAMED: u32 = 1000;

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    sync: SyncReport,
    failed_books: Vec<Failure>,
}

/// Tells where the archives stand.
pub(crate) fn report(
    place: &RunPlace,
    html: Option<&Path>,
    printer: Printer,
) -> Result<ExitStatus> {
    let (run, catalogue) = open_to_read(place, printer)?;
    let report = Report {
        sync: read(&catalogue)?,
        failed_books: failures(&catalogue, MOST_NAMED)?,
    };
    if let Some(path) = html {
        let page = page(&run.config().run_name, &report);
        books::shelf::outputs(&run)?.write(path, page.as_bytes())?;
    }
    printer.show(&report, || lines(&report));
    Ok(ExitStatus::Done)
}

fn lines(report: &Report) -> Vec<String> {
    let sync = &report.sync;
    let mut lines = vec![format!(
        "stored      {} of {}, {}",
        count(sync.stored),
        counted(sync.books, "book"),
        size(sync.stored_bytes)
    )];
    let part = |title: &str, stages: &[Stage]| {
        let rows = stages
            .iter()
            .map(|stage| format!("  {:>9}  {}", count(stage.books), stage.name));
        let title = (!stages.is_empty()).then(|| title.to_owned());
        title.into_iter().chain(rows).collect::<Vec<_>>()
    };
    lines.extend(part("last steps", &sync.last_steps));
    lines.extend(part("failures", &sync.failures));
    lines.extend(part("stored by day", &sync.days));
    lines
}

/// A page without scripts: tables, and bars drawn to scale.
fn page(run: &str, report: &Report) -> String {
    let mut page = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Archives of {0}</title>\
         <style>body{{font-family:sans-serif;margin:2em}}td{{padding:.1em .8em}}svg{{vertical-align:middle}}</style>\
         <h1>Archives of {0}</h1><p>{1} of {2} books stored, {3:.1} MB</p>",
        escaped(run),
        report.sync.stored,
        report.sync.books,
        report.sync.stored_bytes as f64 / 1e6
    );
    plot(&mut page, "Last steps", &report.sync.last_steps);
    plot(&mut page, "Failures", &report.sync.failures);
    plot(&mut page, "Stored by day", &report.sync.days);
    page.push_str("<h2>Failed books</h2><table>");
    for failure in &report.failed_books {
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{} times",
            escaped(&failure.barcode),
            escaped(&failure.stage),
            escaped(&failure.reason),
            failure.tries
        );
    }
    page.push_str("</table></html>\n");
    page
}

fn plot(page: &mut String, title: &str, stages: &[Stage]) {
    let most = stages
        .iter()
        .map(|stage| stage.books)
        .max()
        .unwrap_or(1)
        .max(1);
    let _ = write!(page, "<h2>{title}</h2><table>");
    for stage in stages {
        let width = stage.books * 300 / most;
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td><svg width=\"300\" height=\"12\"><rect width=\"{width}\" height=\"12\" fill=\"#37a\"/></svg>",
            escaped(&stage.name),
            stage.books
        );
    }
    page.push_str("</table>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
