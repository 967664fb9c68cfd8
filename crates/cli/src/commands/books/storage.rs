//! `books storage`.

use anyhow::Result;
use books::shelf;
use run::ExitStatus;

use crate::args::books::Storage;
use crate::commands::books::{open, open_to_read};
use crate::printer::{Printer, Volume};
use crate::words::counted;

/// Lists, copies out, or removes.
pub(crate) fn storage(command: &Storage, printer: Printer) -> Result<ExitStatus> {
    match command {
        Storage::Ls { place, room } => {
            let (run, catalogue) = open_to_read(place, printer)?;
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
            let run = open(place, printer)?;
            let bytes = shelf::copy_out(&run, *room, name, target)?;
            let done = format!("{bytes} bytes written to `{}`", target.display());
            printer.note(Volume::Normal, &done);
        }
        Storage::Rm { place, room, yes } => {
            let run = open(place, printer)?;
            let _lock = run.lock()?;
            let catalogue = books::Catalogue::of_run(&run)?;
            let removal = shelf::plan_removal(&run, &catalogue, *room)?;
            for (other, archives) in &removal.kept {
                let stay = format!(
                    "{} stay: the run `{other}` has them as well",
                    counted(*archives, "archive")
                );
                printer.note(Volume::Brief, &stay);
            }
            let plan = format!("{} objects of {} bytes", removal.objects(), removal.bytes);
            if *yes {
                shelf::remove(&catalogue, run.config(), &removal)?;
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
