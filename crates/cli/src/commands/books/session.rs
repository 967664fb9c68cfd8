//! What the commands that ask GRIN have in common: stopped by signals, shown while they work, and an exit status.

use std::path::Path;

use anyhow::Result;
use books::{Outcome, Run, Session, SessionOptions};
use run::{Cancel, ExitStatus};

use crate::args::books::Asking;
use crate::commands::books::settings;
use crate::printer::Printer;
use crate::signals::stop_on_signals;

/// Opens a session on a run that the signals of this process stop. A library or secrets that are given win over the
/// run's own. Where the run is on a server, `with_others` lets several processes do the same.
pub(crate) fn open(
    run: Run,
    library: Option<&str>,
    secrets: Option<&Path>,
    asking: &Asking,
    with_others: bool,
) -> Result<(Session, Cancel)> {
    let options = SessionOptions {
        library: library.map(str::to_owned),
        credentials: settings::credentials(Some(run.config()), secrets),
        grin: settings::grin(asking)?,
        with_others,
    };
    let cancel = Cancel::new();
    let session = Session::open(run, &options, &cancel)?;
    stop_on_signals(&cancel)?;
    Ok((session, cancel))
}

/// How a command ends that was asked to stop while it waited for what it begins with, such as a list or a token: that is no
/// error, and nothing is lost.
///
/// # Errors
///
/// Whatever else it could not run for.
pub(crate) fn stopped_early(
    error: books::Error,
    cancel: &Cancel,
    printer: Printer,
) -> Result<ExitStatus> {
    if matches!(error, books::Error::Stopped) && cancel.signal().is_some() {
        let lines = ["stopped as asked; run the same command again to go on".to_owned()];
        return Ok(end(Outcome::Stopped, cancel, &lines, printer));
    }
    Err(error.into())
}

/// Tells people by `lines` how it ended; the exit status.
pub(crate) fn end(
    outcome: Outcome,
    cancel: &Cancel,
    lines: &[String],
    printer: Printer,
) -> ExitStatus {
    if !printer.is_json() {
        for line in lines {
            printer.result(line);
        }
    }
    match (outcome, cancel.signal()) {
        (Outcome::Failed, _) => ExitStatus::SomeFailed,
        (Outcome::Stopped, Some(signal)) => ExitStatus::Stopped(signal),
        _ => ExitStatus::Done,
    }
}
