//! What the commands that ask GRIN have in common: alone on a run, stopped by signals, with a log, and told how it ended.

use std::path::Path;

use anyhow::Result;
use books::grin::Grin;
use books::run_directory::SessionLock;
use books::{Error, Event, Run, Tracker, Work};
use run::{Cancel, ExitStatus, Progress};
use sqlite::WriteReport;

use crate::args::books::Asking;
use crate::commands::books::log::RunLog;
use crate::commands::books::progress::shown;
use crate::commands::books::settings;
use crate::printer::Printer;
use crate::signals::stop_on_signals;

/// A command at work on a run.
pub(crate) struct Session {
    run: Run,
    _lock: SessionLock,
    grin: Grin,
    tracker: Tracker,
    cancel: Cancel,
    log: RunLog,
    printer: Printer,
}

/// A command whose work is done.
pub(crate) struct Ended {
    /// What writing took.
    pub(crate) writes: WriteReport,
    cancel: Cancel,
    log: RunLog,
    printer: Printer,
}

impl Session {
    /// Locks the run and opens everything. A library or secrets that are given win over the run's own.
    pub(crate) fn begin(
        run: Run,
        library: Option<&str>,
        secrets: Option<&Path>,
        asking: &Asking,
        printer: Printer,
    ) -> Result<Self> {
        let lock = run.lock()?;
        let library = library.unwrap_or(&run.config().library_directory);
        let places = settings::credentials(Some(run.config()), secrets);
        let grin = Grin::open(library, &settings::grin(asking)?, &places)?;
        let tracker = Tracker::open(&run.database())?;
        let cancel = Cancel::new();
        stop_on_signals(&cancel)?;
        let log = RunLog::open(run.config(), printer);
        Ok(Self {
            run,
            _lock: lock,
            grin,
            tracker,
            cancel,
            log,
            printer,
        })
    }

    /// Does the work and closes the database.
    pub(crate) fn work<T>(
        self,
        work: impl FnOnce(&Work<'_>) -> Result<T, Error>,
    ) -> Result<(T, Ended)> {
        let (log, printer) = (self.log, self.printer);
        let progress = Progress::new(0);
        let done = shown(printer, &log, &progress, |tell| {
            work(&Work {
                run: &self.run,
                tracker: &self.tracker,
                grin: &self.grin,
                cancel: &self.cancel,
                progress: &progress,
                tell,
            })
        })
        .inspect_err(|error| log.line("ERROR", &error.to_string()))?;
        let writes = self.tracker.close()?;
        let cancel = self.cancel;
        Ok((
            done,
            Ended {
                writes,
                cancel,
                log,
                printer,
            },
        ))
    }
}

impl Ended {
    /// Tells how it went, to machines by the event and to people by `lines`; the exit status for `state`.
    pub(crate) fn tell(self, state: &str, event: &Event, lines: &[String]) -> ExitStatus {
        self.log.event(event);
        if self.printer.is_json() {
            self.printer.json(event);
        } else {
            for line in lines {
                self.printer.result(line);
            }
        }
        match (state, self.cancel.signal()) {
            ("failed", _) => ExitStatus::SomeFailed,
            ("stopped", Some(signal)) => ExitStatus::Stopped(signal),
            _ => ExitStatus::Done,
        }
    }
}
