//! `books collect`.

use anyhow::Result;
use books::collect::Collect;
use books::grin::Grin;
use books::run_directory::default_name;
use books::{CollectCompleted, Event, Run, Tracker};
use run::{Cancel, ExitStatus, Progress};

use crate::args::books as args;
use crate::commands::books::log::RunLog;
use crate::commands::books::progress::shown;
use crate::commands::books::settings;
use crate::printer::{Printer, Volume};
use crate::progress::duration;
use crate::signals::stop_on_signals;

/// Collects the catalogue.
pub(crate) fn collect(args: &args::Collect, printer: Printer) -> Result<ExitStatus> {
    let output = settings::output(&args.output);
    let name = args.run_name.clone().unwrap_or_else(default_name);
    let run = Run::begin(&output, &name, &settings::run_options(args)?)?;
    if run.is_new() || args.write_config {
        let path = run.directory().join(books::run_directory::CONFIG);
        let note = format!("settings of the run: `{}`", path.display());
        printer.note(Volume::Normal, &note);
    }
    if args.write_config {
        return Ok(ExitStatus::Done);
    }
    let _lock = run.lock()?;
    let places = settings::credentials(Some(run.config()), None);
    let library = &run.config().library_directory;
    let grin = Grin::open(library, &settings::grin(&args.asking)?, &places)?;
    let tracker = Tracker::open(&run.database())?;
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let options = Collect {
        refresh: args.refresh,
        limit: args.limit,
        books_per_page: args.page_size,
    };
    let (log, progress) = (RunLog::open(run.config(), printer), Progress::new(0));
    let mut completed = shown(printer, &log, &progress, |tell| {
        books::collect::collect(&run, &tracker, &grin, &options, &cancel, &progress, tell)
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

fn end(completed: &CollectCompleted, log: &RunLog, printer: Printer) {
    let event = Event::CollectCompleted(Box::new(completed.clone()));
    log.event(&event);
    if printer.is_json() {
        printer.json(&event);
        return;
    }
    for line in report(completed, printer) {
        printer.result(&line);
    }
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
        "completed" => {
            lines.push(format!(
                "the catalogue is complete: {} books, {} new, {} vanished",
                end.total, end.new_books, end.vanished
            ));
        }
        "complete_before" => {
            lines = vec![
                format!("the catalogue is complete: {} books", end.total),
                "hint: --refresh asks again, to update known books and find new ones".to_owned(),
            ];
        }
        "stopped" => {
            lines.push("stopped as asked; run the same command again to go on".to_owned());
        }
        "limited" => {
            lines.push("the limit is reached; run the command again to go on".to_owned());
        }
        _ => {}
    }
    if let Some(missing) = &end.missing {
        lines.push(format!("the catalogue is not complete, missing: {missing}"));
        lines.push("run the same command again to go on there".to_owned());
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
