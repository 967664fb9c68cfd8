//! `books db`.

use std::path::Path;

use anyhow::Result;
use books::catalogue::copy::copy;
use books::{Catalogue, DatabaseUrl, Place};
use run::ExitStatus;

use crate::args::books::{Db, RunPlace};
use crate::commands::books::{open_to_read, settings};
use crate::hints::advised;
use crate::printer::{Printer, Volume};
use crate::words::counted;

/// Copies a run's database.
pub(crate) fn db(command: &Db, printer: Printer) -> Result<ExitStatus> {
    let Db::Copy { place, to, is_move } = command;
    copy_run(place, to, *is_move, printer)
}

fn copy_run(place: &RunPlace, to: &Place, is_move: bool, printer: Printer) -> Result<ExitStatus> {
    let (mut run, from) = open_to_read(place, printer)?;
    let _lock = run.lock()?;
    let server = match to {
        Place::File(path) => {
            anyhow::ensure!(
                !path.exists(),
                "`{}` exists already, expected a new file",
                path.display()
            );
            if is_move && !is_same(path, &run.database()) {
                return Err(advised(
                    "a run keeps its file in its own directory",
                    format!("`--to {}` is that file", run.database().display()),
                ));
            }
            None
        }
        Place::Server(url) => {
            // Refuses a password that others can see.
            settings::access(Some(url))?;
            Some(url)
        }
    };
    // A file appears when it is whole.
    let beside = match to {
        Place::File(path) => Some((path.with_added_extension("part"), path)),
        Place::Server(_) => None,
    };
    let target = match &beside {
        Some((part, _)) => {
            let _ = std::fs::remove_file(part);
            Catalogue::elsewhere(&run, &Place::File(part.clone()))?
        }
        None => Catalogue::elsewhere(&run, to)?,
    };
    let books = copy(&from, &target)?;
    let mut shown = target.shown();
    target.close()?;
    from.close()?;
    if let Some((part, path)) = beside {
        std::fs::rename(&part, path)?;
        shown = path.display().to_string();
    }
    if is_move {
        run.move_to(server)?;
    }
    let said = format!("{} copied to `{shown}`", counted(books, "book"));
    printer.note(Volume::Brief, &said);
    if !is_move {
        tell_of_move(server, printer);
    }
    Ok(ExitStatus::Done)
}

fn tell_of_move(server: Option<&DatabaseUrl>, printer: Printer) {
    if server.is_some() {
        printer.hint(
            Volume::Normal,
            "the run still uses what it was copied from; --database, or --move with another copy, changes that",
        );
    }
}

/// Whether two paths name the same file, which is not there yet.
fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = std::fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        Some(folder.join(path.file_name()?))
    };
    whole(one).is_some() && whole(one) == whole(other)
}
