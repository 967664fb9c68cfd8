//! `books collect`.

use anyhow::Result;
use books::collect::Collect;
use books::run::{CONFIG, default_name};
use books::{CollectCompleted, Outcome, Run};
use run::ExitStatus;

use crate::args::books as args;
use crate::commands::books::progress::shown;
use crate::commands::books::{session, settings};
use crate::printer::{Printer, Volume};
use crate::progress::duration;

/// Collects the catalogue.
pub(crate) fn collect(args: &args::Collect, printer: Printer) -> Result<ExitStatus> {
    let output = settings::output(&args.output);
    let name = args.run_name.clone().unwrap_or_else(default_name);
    let run = Run::begin(&output, &name, &settings::run_options(args)?)?;
    if run.is_new() || args.write_config {
        let path = run.directory().join(CONFIG);
        let note = format!("settings of the run: `{}`", path.display());
        printer.note(Volume::Normal, &note);
    }
    if args.write_config {
        return Ok(ExitStatus::Done);
    }
    let options = Collect {
        refresh: args.refresh,
        limit: args.limit,
        books_per_page: args.page_size,
        from_start: args.from_start,
        allow_vanish: args.allow_vanish,
    };
    let (session, cancel) = session::open(run, None, None, &args.asking)?;
    let progress = session.progress();
    let work = |tell: &(dyn Fn(&books::Event) + Sync)| session.collect(&options, tell);
    let completed = shown(printer, &progress, work)?;
    let lines = report(&completed, printer);
    Ok(session::end(completed.state, &cancel, &lines, printer))
}

/// How the collection went, for people.
fn report(end: &CollectCompleted, printer: Printer) -> Vec<String> {
    let usage = &end.usage;
    let mut lines = vec![format!(
        "{} books on {} pages in {} ({:.0} a second)",
        end.books,
        end.pages,
        duration(usage.elapsed_seconds),
        end.books as f64 / usage.elapsed_seconds.max(0.001),
    )];
    match end.state {
        Outcome::Completed => {
            lines.push(format!(
                "the catalogue is complete: {} books, {} new, {} vanished",
                end.total, end.new_books, end.vanished
            ));
        }
        Outcome::CompleteBefore => {
            lines = vec![
                format!("the catalogue is complete: {} books", end.total),
                "hint: --refresh asks again, to update known books and find new ones".to_owned(),
            ];
        }
        Outcome::Stopped => {
            lines.push("stopped as asked; run the same command again to go on".to_owned());
        }
        Outcome::Limited => {
            lines.push("the limit is reached; run the command again to go on".to_owned());
        }
        Outcome::Failed => {}
    }
    if end.repeated > 0 {
        lines.push(format!(
            "{} books were listed more than once: the catalogue changed while it was read",
            end.repeated
        ));
    }
    match &end.missing {
        Some(doubt) if end.vanishing > 0 => {
            lines.push(format!("the catalogue is not complete: {doubt}"));
            lines.push(
                "hint: if they are gone indeed, run the command again with --allow-vanish"
                    .to_owned(),
            );
        }
        Some(missing) => {
            lines.push(format!("the catalogue is not complete, missing: {missing}"));
            lines.push("run the same command again to go on there".to_owned());
        }
        None => {}
    }
    if printer.says(Volume::Verbose) {
        lines.push(format!(
            "{:.1} s of CPU, {} MB at most, {} transactions, {} rows, {} retries",
            usage.cpu_seconds,
            usage.peak_rss_bytes / 1_000_000,
            end.writes.transactions,
            end.writes.rows,
            end.writes.retries,
        ));
    }
    lines
}
