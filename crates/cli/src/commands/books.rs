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
use run::ExitStatus;

use crate::args::books::{Auth, Books, RunPlace};
use crate::printer::Printer;

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
fn open(place: &RunPlace) -> Result<books::Run> {
    let output = settings::output(&place.output);
    let access = settings::access(place.database.as_ref())?;
    Ok(books::Run::open(&output, &place.run_name)?.with_access(&access))
}

/// Opens a run and its database for a command that only reads.
pub(crate) fn open_to_read(place: &RunPlace) -> Result<(books::Run, books::Catalogue)> {
    let run = open(place)?;
    let catalogue = books::Catalogue::of_run_to_read(&run)?;
    Ok((run, catalogue))
}
