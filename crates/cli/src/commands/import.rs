//! `music import`.

pub(crate) mod told;

use std::collections::BTreeSet;

use anyhow::Result;
use music::intake::founding::{Meant, may_found};
use music::job::{self, JobEvent, Online};
use music::library::review::{self, Part};
use music::library::settings::heard::changed_since;
use music::{Completed, Event, Import, Library};
use run::{Cancel, ExitStatus, Progress};

use crate::args::{self, Place};
use crate::commands::{identify, located};
use crate::hints::advised;
use crate::printer::{Printer, Volume};
use crate::progress::Display;
use crate::settings::{Located, Origin, absolute, default_jobs};
use crate::signals::stop_on_signals;
use told::Told;

/// Takes a folder in.
pub(crate) fn import(args: &args::Import, printer: Printer) -> Result<ExitStatus> {
    let place = args.place.clone().or_folder(args.folder.clone());
    let located = located(&place, printer)?;
    let folder = match &args.folder {
        Some(folder) => absolute(folder)?,
        None => located.root.clone(),
    };
    check_folder(&folder, &located, "accession music import FOLDER")?;
    if !folder.starts_with(&located.root) {
        let root = located.root;
        return Err(music::Error::OutsideRoot { folder, root }.into());
    }
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let said_as_root = args.place.root_folder.is_some() || args.place.database.is_some();
    let meant = if (args.folder.is_some() && !said_as_root) || located.assumed() {
        Meant::AsFolder
    } else {
        Meant::AsRoot
    };
    // A typing error must not leave an empty library behind.
    may_found(&located.root, &located.database, meant, &cancel)?;
    if located.origin == Origin::Default {
        let root = located.root.display();
        let note = format!("no folder was named, and none is configured: taking `{root}`");
        printer.note(Volume::Normal, &note);
    }
    if args.dry_run {
        check_writable(&located, printer)?;
    }
    let library = if args.dry_run && !located.database.exists() {
        Library::scratch(&located.database, &located.root)?
    } else if args.dry_run {
        Library::open_read_only(&located.database, &located.root)?
    } else {
        Library::open(&located.database, &located.root)?
    };
    let jobs = args
        .jobs
        .map(usize::from)
        .or(library.settings().jobs)
        .unwrap_or_else(default_jobs);
    let import = Import {
        only: None,
        session: None,
        folder,
        jobs,
        prune: args.prune,
        dry_run: args.dry_run,
        force: args.force,
    };
    let online = if args.dry_run {
        None
    } else {
        identify::online(&library, args.offline, &cancel, &place, printer)?
    };
    let completed = run(&library, &import, &cancel, online.as_ref(), &place, printer)?;
    library.close()?;
    let complete = completed.files.all_taken_in();
    Ok(match (cancel.signal(), complete) {
        (Some(signal), _) => ExitStatus::Stopped(signal),
        (None, true) => ExitStatus::Done,
        (None, false) => ExitStatus::SomeFailed,
    })
}

/// Tells before a dry run that the library could not be written; where there is none yet, the real run could not begin.
fn check_writable(located: &Located, printer: Printer) -> Result<()> {
    let folder = located.database.parent().unwrap_or(&located.root);
    let Err(error) = tempfile::tempfile_in(folder) else {
        return Ok(());
    };
    if located.database.exists() {
        let shown = folder.display();
        printer.warning(format!(
            "the library cannot be written, since nothing can be in `{shown}`: {error}"
        ));
        return Ok(());
    }
    let path = located.database.clone();
    let reason = error.to_string();
    Err(music::Error::from(sqlite::Error::CannotOpen { path, reason }).into())
}

/// Says in a person's terms what is wrong with a folder that cannot be taken in.
pub(crate) fn check_folder(folder: &std::path::Path, located: &Located, usage: &str) -> Result<()> {
    let shown = folder.display();
    if folder.is_file() {
        let parent = folder.parent().unwrap_or(folder).display().to_string();
        let command = crate::words::command(["music", "import", &parent]);
        return Err(advised(
            format!("`{shown}` is a file, expected a folder"),
            format!("`{command}` takes in the folder that it lies in"),
        ));
    }
    let Err(error) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    let because = match &located.origin {
        Origin::Argument => String::new(),
        Origin::Default => " (the default, since no folder is named)".to_owned(),
        origin => format!(" (from {origin})"),
    };
    Err(advised(
        format!("cannot read the folder `{shown}`{because}: {error}"),
        format!("name the folder that holds the music: `{usage}`"),
    ))
}

fn run(
    library: &Library,
    import: &Import,
    cancel: &Cancel,
    online: Option<&Online>,
    place: &Place,
    printer: Printer,
) -> Result<Completed> {
    let progress = Progress::new(import.jobs);
    let snapshots = |snapshot| printer.json(&Event::Progress(snapshot));
    let told = Told::default();
    // Everything is heard again in any case, or nothing is.
    let unheard = if import.force || import.dry_run {
        BTreeSet::new()
    } else {
        changed_since(library)?
    };
    std::thread::scope(|scope| {
        let display = Display::start(scope, printer, &progress, cancel, &snapshots);
        let notes = display.notes();
        let tell = |event: JobEvent<'_>| match event {
            JobEvent::Identify(told) => identify::tell(told, &notes),
            JobEvent::Import(event) if printer.is_json() => printer.json(event),
            JobEvent::Import(event) => {
                if let Some((volume, line)) = told.line(event) {
                    notes.note(volume, &line);
                }
            }
        };
        let ended = job::run(library, import, online, cancel, &progress, &tell);
        // The last events come after the bars are gone, so that nothing follows them.
        drop(display);
        let ended = ended?;
        let completed = ended.imported;
        let identified = ended.identified.filter(|report| report.passages > 0);
        if printer.is_json() {
            if let Some(identified) = identified {
                identify::finish(&identified, place, printer);
            }
            printer.json(&Event::ImportCompleted(Box::new(completed.clone())));
            return Ok(completed);
        }
        for line in told.report(&completed, printer) {
            printer.result(&line);
        }
        if let Some(identified) = identified {
            identify::finish(&identified, place, printer);
        }
        let in_doubt = in_doubt(library, &completed)?;
        for line in told.next(&completed, &unheard, in_doubt, import.prune, place) {
            printer.note(Volume::Normal, &line);
        }
        Ok(completed)
    })
}

/// How many boundaries and matches are in doubt, where an import took something in.
fn in_doubt(library: &Library, completed: &Completed) -> Result<(u64, u64)> {
    if completed.state != "completed" || completed.files.recorded == 0 {
        return Ok((0, 0));
    }
    let all = Part::default();
    let boundaries = review::page_of_boundaries(library, all, 1)?;
    let matches = review::page_of_matches(library, all, 1)?;
    Ok((boundaries.total, matches.total))
}
