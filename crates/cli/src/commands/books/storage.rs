//! `books storage`.

use anyhow::Result;
use books::shelf;
use run::ExitStatus;

use crate::args::books::Storage;
use crate::commands::books::{open, open_to_read};
use crate::printer::{Printer, Volume};

/// Lists, copies out, or removes.
pub(crate) fn storage(command: &Storage, printer: Printer) -> Result<ExitStatus> {
    match command {
        Storage::Ls { place, room } => {
            let (run, catalogue) = open_to_read(place)?;
            shelf::list(&catalogue, run.config(), *room, |entry| {
                printer.result(&format!("{:>14}  {}", entry.size, entry.key));
            })?;
        }
        Storage::Cp {
            place,
            room,
            name,
            target,
        } => {
            let run = open(place)?;
            let bytes = shelf::copy_out(&run, *room, name, target)?;
            let done = format!("{bytes} bytes written to `{}`", target.display());
            printer.note(Volume::Normal, &done);
        }
        Storage::Rm { place, room, yes } => {
            let run = open(place)?;
            let _lock = run.lock()?;
            let catalogue = books::Catalogue::of_run(&run)?;
            let (mut keys, mut bytes) = (Vec::new(), 0);
            shelf::list(&catalogue, run.config(), *room, |entry| {
                bytes += entry.size;
                keys.push(entry.key.clone());
            })?;
            let plan = format!("{} objects of {bytes} bytes", keys.len());
            if *yes {
                shelf::remove(&catalogue, run.config(), *room, &keys)?;
                printer.result(&format!("removed {plan}"));
            } else {
                printer.result(&format!("would remove {plan}"));
                printer.hint(Volume::Brief, "--yes does it");
            }
            catalogue.close()?;
        }
    }
    Ok(ExitStatus::Done)
}
