//! `music flavor`.

use anyhow::Result;
use music::Library;
use music::library::shown_flavor::{self, Counts};
use music::services::dump::{self, FromDump};
use run::{Cancel, ExitStatus};

use crate::args::identify::Flavor;
use crate::commands::located;
use crate::printer::{Printer, Volume};
use crate::signals::stop_on_signals;
use crate::words::counted;

/// Reads dumps, makes the choice, and tells how many flavors there are.
pub(crate) fn flavor(args: &Flavor, printer: Printer) -> Result<ExitStatus> {
    let located = located(&args.place.clone().or_folder(args.folder.clone()), printer)?;
    // A typing error must not leave an empty library behind.
    Library::open_read_only(&located.database, &located.root)?;
    let library = Library::open(&located.database, &located.root)?;
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    for path in &args.from_dump {
        if cancel.is_requested() {
            break;
        }
        let tell = |now: &FromDump| {
            if printer.is_json() {
                printer.json(&serde_json::json!({ "event": "dump_read", "dump": now }));
            } else {
                printer.note(Volume::Verbose, &line(now));
            }
        };
        let read = dump::read(&library, path, &cancel, &tell)?;
        printer.show(&read, || vec![line(&read)]);
    }
    if let Some(source) = args.show {
        music::library::settings::set(library.db(), shown_flavor::SETTING, Some(source.word()))?;
    }
    shown_flavor::settle(&library)?;
    let counts = shown_flavor::counts(&library)?;
    library.close()?;
    printer.show(&counts, || lines(&counts));
    Ok(match cancel.signal() {
        Some(signal) => ExitStatus::Stopped(signal),
        None => ExitStatus::Done,
    })
}

fn line(read: &FromDump) -> String {
    if read.was_read {
        return format!(
            "`{}` was read before, and there is no new recording",
            read.path
        );
    }
    let odd = if read.odd == 0 {
        String::new()
    } else {
        format!(", {} that say nothing", read.odd)
    };
    format!(
        "`{}`: {}, {} and {} of {}{odd}",
        read.path,
        counted(read.documents, "document"),
        counted(read.flavors, "flavor"),
        counted(read.low_levels, "low-level description"),
        counted(read.recordings, "recording")
    )
}

fn lines(counts: &Counts) -> Vec<String> {
    vec![format!(
        "{}: {} show what was heard, {} what AcousticBrainz says, {} nothing yet; \
         AcousticBrainz knows {} of {} recordings (low level: {})",
        counted(counts.passages, "passage"),
        counts.local,
        counts.acousticbrainz,
        counts.passages - counts.local - counts.acousticbrainz,
        counts.known,
        counts.recordings,
        counts.low_levels,
    )]
}
