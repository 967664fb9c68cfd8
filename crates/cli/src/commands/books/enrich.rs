//! `books enrich`.

use anyhow::Result;
use books::enrich::Enrich;
use books::grin::Grin;
use books::{EnrichCompleted, Event, Tracker};
use run::{Cancel, ExitStatus, Progress};

use crate::args::books as args;
use crate::commands::books::log::RunLog;
use crate::commands::books::progress::shown;
use crate::commands::books::{open, settings};
use crate::printer::{Printer, Volume};
use crate::progress::duration;
use crate::signals::stop_on_signals;

/// Asks GRIN for more about each book.
pub(crate) fn enrich(args: &args::Enrich, printer: Printer) -> Result<ExitStatus> {
    let run = open(&args.place)?;
    let _lock = run.lock()?;
    let library = args.library_directory.as_ref();
    let library = library.unwrap_or(&run.config().library_directory);
    let places = settings::credentials(Some(run.config()), args.secrets_dir.as_deref());
    let grin = Grin::open(library, &settings::grin(&args.asking)?, &places)?;
    let tracker = Tracker::open(&run.database())?;
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let options = Enrich {
        concurrent: usize::from(args.max_concurrent),
        batch: args.batch_size,
        limit: args.limit,
        reset: args.reset,
    };
    let (log, progress) = (RunLog::open(run.config(), printer), Progress::new(0));
    let mut completed = shown(printer, &log, &progress, |tell| {
        books::enrich::enrich(&run, &tracker, &grin, &options, &cancel, &progress, tell)
    })
    .inspect_err(|error| log.line("ERROR", &error.to_string()))?;
    completed.writes = tracker.close()?;
    end(&completed, &log, printer);
    Ok(match (completed.state, cancel.signal()) {
        ("failed", _) => ExitStatus::SomeFailed,
        ("stopped", Some(signal)) => ExitStatus::Stopped(signal),
        _ => ExitStatus::Done,
    })
}

fn end(completed: &EnrichCompleted, log: &RunLog, printer: Printer) {
    let event = Event::EnrichCompleted(Box::new(completed.clone()));
    log.event(&event);
    if printer.is_json() {
        printer.json(&event);
        return;
    }
    let asked = completed.found + completed.not_found;
    let seconds = completed.usage.elapsed_seconds;
    printer.result(&format!(
        "{asked} books in {} ({:.0} a second): {} found, {} not known to GRIN, {} failed",
        duration(seconds),
        asked as f64 / seconds.max(0.001),
        completed.found,
        completed.not_found,
        completed.failed,
    ));
    if completed.failed > 0 {
        printer.result("run the same command again for the books that failed");
    }
    if completed.state == "stopped" {
        printer.result("stopped as asked; run the same command again to go on");
    }
    if printer.says(Volume::Verbose) {
        let writes = &completed.writes;
        printer.result(&format!(
            "{} requests, {} transactions, {} rows",
            completed.batches, writes.transactions, writes.rows
        ));
    }
}
