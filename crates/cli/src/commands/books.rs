//! One file a command of `books`, and what they share: which run, where GRIN is, what is told.

mod auth;
mod check;
mod collect;
mod db;
mod enrich;
mod export;
mod extract;
mod progress;
mod report;
mod session;
pub(crate) mod settings;
mod status;
mod storage;
mod sync;
mod verify;

use anyhow::Result;
use books::catalogue::query;
use run::ExitStatus;

use crate::args::books::{Auth, Books, RunPlace};
use crate::printer::Printer;
use crate::words::command;

/// Runs a command.
pub(crate) fn run(command: Books, printer: Printer) -> Result<ExitStatus> {
    match command {
        Books::Auth(Auth::Setup {
            remote,
            force,
            secrets_dir,
        }) => auth::setup(remote, force, secrets_dir.as_deref(), printer),
        Books::Collect(args) => collect::collect(&args, printer),
        Books::Enrich(args) => enrich::enrich(&args, printer),
        Books::Verify(args) => verify::verify(&args, printer),
        Books::Repair(args) => verify::repair(&args, printer),
        Books::Report { place, html } => report::report(&place, html.as_deref(), printer),
        Books::Storage(command) => storage::storage(&command, printer),
        Books::Extract {
            archives,
            output_dir,
        } => extract::extract(&archives, &output_dir, printer),
        Books::Sync(args) => sync::sync(&args, printer),
        Books::Export(args) => export::export(&args, printer),
        Books::Status { place } => status::status(&place, printer),
        Books::Drain { place } => status::drain(&place, printer),
        Books::Db(command) => db::db(&command, printer),
        Books::Check { place } => check::check(&place, printer),
    }
}

/// Opens a run that exists.
fn open(place: &RunPlace, printer: Printer) -> Result<books::Run> {
    let output = settings::output(&place.output);
    let access = settings::access(place.database.as_ref())?;
    let run = books::Run::open(&output, &place.run_name)?.with_access(&access);
    tell_name(&run, &place.run_name, printer);
    Ok(run)
}

/// Tells that a run has another name than the one it was called by.
fn tell_name(run: &books::Run, asked: &str, printer: Printer) {
    let is_called_so = run
        .directory()
        .file_name()
        .is_some_and(|name| name == asked);
    if !is_called_so {
        printer.warning(format_args!(
            "no run is called `{asked}`; this is the one at `{}`",
            run.directory().display()
        ));
    }
}

/// What to tell before a list of books is used that may lack some: that the run's collection never came to its end.
fn unfinished(place: &RunPlace, catalogue: &books::Catalogue) -> Result<Option<String>> {
    if !query::is_unfinished(catalogue)? {
        return Ok(None);
    }
    let mut words = vec!["books", "collect", "--run-name", &place.run_name];
    let output = place.output.output_dir.as_ref();
    let output = output.map(|folder| folder.display().to_string());
    words.extend(output.iter().flat_map(|folder| ["--output-dir", folder]));
    Ok(Some(format!(
        "the catalogue is not complete; `{}` goes on",
        command(words)
    )))
}

/// Opens a run and its database for a command that only reads.
pub(crate) fn open_to_read(
    place: &RunPlace,
    printer: Printer,
) -> Result<(books::Run, books::Catalogue)> {
    let run = open(place, printer)?;
    let catalogue = books::Catalogue::of_run_to_read(&run)?;
    Ok((run, catalogue))
}
