//! `books verify` and `books repair`.

use anyhow::Result;
use books::verify::{Verified, Verify, Wrong};
use books::{Catalogue, Run};
use run::{Cancel, ExitStatus};

use crate::args::books as args;
use crate::commands::books::{open, open_to_read};
use crate::printer::{Printer, Volume};
use crate::signals::stop_on_signals;

/// Compares what is stored with what is recorded.
pub(crate) fn verify(args: &args::Verify, printer: Printer) -> Result<ExitStatus> {
    let (run, catalogue) = open_to_read(&args.place, printer)?;
    let (verified, status) = look(args, false, &run, &catalogue, printer)?;
    tell(&verified, printer);
    Ok(status)
}

/// Puts back into the queue what is not right.
pub(crate) fn repair(args: &args::Repair, printer: Printer) -> Result<ExitStatus> {
    let run = open(&args.look.place, printer)?;
    let _lock = run.lock()?;
    let catalogue = Catalogue::of_run(&run)?;
    let (verified, _) = look(&args.look, args.allow_empty, &run, &catalogue, printer)?;
    tell(&verified, printer);
    if !args.dry_run && !verified.wrong.is_empty() {
        books::verify::repair(&catalogue, &verified.wrong)?;
        let put = format!("{} books are in the queue again", verified.wrong.len());
        printer.note(Volume::Brief, &put);
    }
    catalogue.close()?;
    Ok(if verified.unknown.is_empty() {
        ExitStatus::Done
    } else {
        ExitStatus::SomeFailed
    })
}

fn look(
    args: &args::Verify,
    allow_empty: bool,
    run: &Run,
    catalogue: &Catalogue,
    printer: Printer,
) -> Result<(Verified, ExitStatus)> {
    let options = Verify {
        share: args.sample,
        seed: args.seed,
        read: args.read,
        allow_empty,
        ..Verify::default()
    };
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let found = |wrong: &Wrong| {
        let line = format!("wrong: {}: {}", wrong.barcode, wrong.reason);
        printer.note(Volume::Normal, &line);
    };
    let verified = books::verify::verify(catalogue, run.config(), &options, &cancel, &found)?;
    let status = match cancel.signal() {
        Some(signal) if verified.stopped => ExitStatus::Stopped(signal),
        // Where nothing is looked at, nothing is found to be right.
        _ if verified.looked_at == 0 => ExitStatus::SomeFailed,
        _ if verified.wrong.is_empty() && verified.unknown.is_empty() => ExitStatus::Done,
        _ => ExitStatus::SomeFailed,
    };
    Ok((verified, status))
}

fn tell(verified: &Verified, printer: Printer) {
    printer.show(verified, || {
        if verified.said == 0 {
            return vec![
                "no book of the run is said to be stored: nothing was looked at".to_owned(),
            ];
        }
        let mut lines = vec![format!(
            "{} of {} books looked at, {} bytes read: {} are wrong",
            verified.looked_at,
            verified.said,
            verified.read_bytes,
            verified.wrong.len()
        )];
        let unknown = verified.unknown.iter();
        lines.extend(unknown.map(|book| format!("unknown: {}: {}", book.barcode, book.reason)));
        lines
    });
}
