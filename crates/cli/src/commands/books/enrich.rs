//! `books enrich`.

use anyhow::Result;
use books::enrich::Enrich;
use books::{EnrichCompleted, Outcome};
use run::ExitStatus;

use crate::args::books as args;
use crate::commands::books::progress::shown;
use crate::commands::books::{open, session, unfinished};
use crate::printer::{Printer, Volume};
use crate::words::{count, counted, duration};

/// Asks GRIN for more about each book.
pub(crate) fn enrich(args: &args::Enrich, printer: Printer) -> Result<ExitStatus> {
    let options = Enrich {
        concurrent: usize::from(args.max_concurrent),
        batch: args.batch_size,
        limit: args.limit,
        reset: args.reset,
    };
    let run = open(&args.place, printer)?;
    // Where nothing was collected, nothing is made.
    let unfinished = unfinished(&args.place, &books::Catalogue::of_run_to_read(&run)?)?;
    let (session, cancel) = session::open(
        run,
        args.library_directory.as_deref(),
        args.secrets_dir.as_deref(),
        &args.asking,
        false,
    )?;
    let progress = session.progress();
    let work = |tell: &(dyn Fn(&books::Event) + Sync)| {
        if let Some(message) = unfinished {
            tell(&books::Event::Warning { message });
        }
        session.enrich(&options, tell)
    };
    let completed = match shown(printer, &progress, &cancel, work) {
        Ok(completed) => completed,
        Err(error) => return session::stopped_early(error, &cancel, printer),
    };
    let lines = report(&completed, printer);
    Ok(session::end(completed.state, &cancel, &lines, printer))
}

/// How it went, for people.
fn report(end: &EnrichCompleted, printer: Printer) -> Vec<String> {
    let asked = end.found + end.not_found;
    let seconds = end.usage.elapsed_seconds;
    let mut lines = vec![format!(
        "{} in {} ({} a second): {} found, {} not known to GRIN, {} failed",
        counted(asked, "book"),
        duration(seconds),
        count((asked as f64 / seconds.max(0.001)).round() as u64),
        count(end.found),
        count(end.not_found),
        count(end.failed),
    )];
    if end.failed > 0 {
        lines.push("run the same command again for the books that failed".to_owned());
    }
    if end.state == Outcome::Stopped {
        lines.push("stopped as asked; run the same command again to go on".to_owned());
    }
    if printer.says(Volume::Verbose) {
        lines.push(format!(
            "{}, {}, {}",
            counted(end.batches, "request"),
            counted(end.writes.transactions, "transaction"),
            counted(end.writes.rows, "row")
        ));
    }
    lines
}
