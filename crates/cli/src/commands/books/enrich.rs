//! `books enrich`.

use anyhow::Result;
use books::enrich::Enrich;
use books::{EnrichCompleted, Event};
use run::ExitStatus;

use crate::args::books as args;
use crate::commands::books::open;
use crate::commands::books::session::Session;
use crate::printer::{Printer, Volume};
use crate::progress::duration;

/// Asks GRIN for more about each book.
pub(crate) fn enrich(args: &args::Enrich, printer: Printer) -> Result<ExitStatus> {
    let options = Enrich {
        concurrent: usize::from(args.max_concurrent),
        batch: args.batch_size,
        limit: args.limit,
        reset: args.reset,
    };
    let session = Session::begin(
        open(&args.place)?,
        args.library_directory.as_deref(),
        args.secrets_dir.as_deref(),
        &args.asking,
        printer,
    )?;
    let (mut completed, ended) = session.work(|work| books::enrich::enrich(work, &options))?;
    completed.writes = ended.writes.clone();
    let lines = report(&completed, printer);
    let state = completed.state;
    let event = Event::EnrichCompleted(Box::new(completed));
    Ok(ended.tell(state, &event, &lines))
}

/// How it went, for people.
fn report(end: &EnrichCompleted, printer: Printer) -> Vec<String> {
    let asked = end.found + end.not_found;
    let seconds = end.usage.elapsed_seconds;
    let mut lines = vec![format!(
        "{asked} books in {} ({:.0} a second): {} found, {} not known to GRIN, {} failed",
        duration(seconds),
        asked as f64 / seconds.max(0.001),
        end.found,
        end.not_found,
        end.failed,
    )];
    if end.failed > 0 {
        lines.push("run the same command again for the books that failed".to_owned());
    }
    if end.state == "stopped" {
        lines.push("stopped as asked; run the same command again to go on".to_owned());
    }
    if printer.says(Volume::Verbose) {
        lines.push(format!(
            "{} requests, {} transactions, {} rows",
            end.batches, end.writes.transactions, end.writes.rows
        ));
    }
    lines
}
