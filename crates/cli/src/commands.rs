//! One file a command: plain values in, exit status out.

pub(crate) mod adopt;
pub(crate) mod backup;
pub(crate) mod books;
pub(crate) mod check;
pub(crate) mod collect;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod flavor;
pub(crate) mod generate;
pub(crate) mod hear;
pub(crate) mod identify;
pub(crate) mod import;
pub(crate) mod review;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod show;
pub(crate) mod similar;
pub(crate) mod status;

use std::path::Path;

use anyhow::Result;
use music::Library;
use music::views::export::is_music;
use run::OutputOptions;

use crate::args::Place;
use crate::printer::Printer;
use crate::settings::{Located, locate};

/// Opens the library for a command that only reads.
fn open_to_read(place: &Place, printer: Printer) -> Result<Library> {
    let located = located(place, printer)?;
    let library = Library::open_read_only(&located.database, &located.root)?;
    for warning in library.db().warnings() {
        printer.warning(warning);
    }
    Ok(library)
}

/// Opens a library to write down what a person says, which may come before the first import: where its folder or its database is
/// named, it is made.
fn open_to_tell(place: &Place, printer: Printer) -> Result<Library> {
    let located = located(place, printer)?;
    if located.assumed() {
        // Nobody said that a library belongs there.
        Library::open_read_only(&located.database, &located.root)?;
    }
    Ok(Library::open(&located.database, &located.root)?)
}

fn located(place: &Place, printer: Printer) -> Result<Located> {
    let located = locate(place)?;
    for warning in &located.warnings {
        printer.warning(warning);
    }
    Ok(located)
}

/// How a command on a library writes what it was asked for to `path`: over anything but the library itself, and music.
fn output(library: &Library, path: &Path) -> OutputOptions {
    let options = OutputOptions::new().protect_database(library.path());
    if is_music(path) {
        options.protect(path)
    } else {
        options
    }
}
