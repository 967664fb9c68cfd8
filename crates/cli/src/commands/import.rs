//! `music import`.

use anyhow::{Context, Result};
use music::Group;
use music::job::{self, JobEvent, Online};
use music::{Completed, Event, Import, Library};
use run::{Cancel, ExitStatus, Progress};

use crate::args;
use crate::commands::{identify, located};
use crate::printer::{Printer, Volume};
use crate::progress::{Display, duration};
use crate::settings::{absolute, default_jobs};
use crate::signals::stop_on_signals;

/// Takes a folder in.
pub(crate) fn import(args: &args::Import, printer: Printer) -> Result<ExitStatus> {
    let place = args.place.clone().or_folder(args.folder.clone());
    let located = located(&place, printer)?;
    if located.assumed || args.folder.is_none() {
        std::fs::create_dir_all(&located.root)
            .with_context(|| format!("cannot make the root folder `{}`", located.root.display()))?;
    }
    let folder = match &args.folder {
        Some(folder) => absolute(folder)?,
        None => located.root.clone(),
    };
    // A typing error must not leave an empty library behind.
    std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    let library = if args.dry_run && !located.database.exists() {
        Library::scratch(&located.root)?
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
        folder,
        jobs,
        prune: args.prune,
        dry_run: args.dry_run,
        force: args.force,
    };
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let online = if args.dry_run {
        None
    } else {
        identify::online(&library, args.offline, &cancel, printer)?
    };
    let completed = run(&library, &import, &cancel, online.as_ref(), printer)?;
    library.close()?;
    Ok(match (cancel.signal(), completed.files.all_taken_in()) {
        (Some(signal), _) => ExitStatus::Stopped(signal),
        (None, true) => ExitStatus::Done,
        (None, false) => ExitStatus::SomeFailed,
    })
}

fn run(
    library: &Library,
    import: &Import,
    cancel: &Cancel,
    online: Option<&Online>,
    printer: Printer,
) -> Result<Completed> {
    let progress = Progress::new(import.jobs);
    let snapshots = |snapshot| printer.json(&Event::Progress(snapshot));
    std::thread::scope(|scope| {
        let display = Display::start(scope, printer, &progress, &snapshots);
        let notes = display.notes(printer);
        let tell = |event: JobEvent<'_>| match event {
            JobEvent::Identify(told) => identify::tell(told, &notes),
            JobEvent::Import(event) if printer.is_json() => printer.json(event),
            JobEvent::Import(event) => {
                if let Some((volume, line)) = line(event) {
                    notes.note(volume, &line);
                }
            }
        };
        let ended = job::run(library, import, online, cancel, &progress, &tell);
        // The last events come after the bars are gone, so that nothing follows them.
        drop(display);
        let ended = ended?;
        if let Some(identified) = ended.identified.filter(|report| report.passages > 0) {
            identify::finish(&identified, printer);
        }
        let completed = ended.imported;
        let last = Event::ImportCompleted(Box::new(completed.clone()));
        if printer.is_json() {
            printer.json(&last);
        } else {
            for line in report(&completed, printer) {
                printer.result(&line);
            }
        }
        Ok(completed)
    })
}

/// What an event says to a person, and how loud.
fn line(event: &Event) -> Option<(Volume, String)> {
    Some(match event {
        Event::ImportStarted {
            root,
            database,
            jobs,
        } => (
            Volume::Verbose,
            format!("importing `{root}` into `{database}`, {jobs} files at once"),
        ),
        Event::Planned {
            found,
            to_analyse,
            unchanged,
            ..
        } => (
            Volume::Normal,
            format!("{found} files found: {to_analyse} to analyse, {unchanged} unchanged"),
        ),
        Event::Warning {
            path: None,
            message,
        } => (Volume::Brief, format!("warning: {message}")),
        Event::Warning {
            path: Some(path),
            message,
        } => (Volume::Brief, format!("warning: `{path}`: {message}")),
        Event::FileRecorded {
            path,
            passages,
            audio_seconds,
            ..
        } => (
            Volume::Verbose,
            format!(
                "recorded `{path}`: {passages} passages, {}",
                duration(*audio_seconds)
            ),
        ),
        other => return line_of_file(other),
    })
}

/// The same, of what is not as it should be, or not where it was.
fn line_of_file(event: &Event) -> Option<(Volume, String)> {
    Some(match event {
        Event::FileDamaged { path, reason } => {
            (Volume::Brief, format!("damaged: `{path}`: {reason}"))
        }
        Event::FileDuplicate { path, original } => (
            Volume::Verbose,
            format!("duplicate: `{path}` is the same as `{original}`"),
        ),
        Event::FileNoAudio { path, reason } => {
            (Volume::Brief, format!("no audio: `{path}`: {reason}"))
        }
        Event::FileFailed {
            path,
            stage,
            reason,
            ..
        } => (
            Volume::Brief,
            format!("failed: `{path}`: {stage}: {reason}"),
        ),
        Event::FileMisnamed { path, reason } => (
            Volume::Brief,
            format!("misnamed, and taken: `{path}`: {reason}"),
        ),
        Event::LeftOut { group, reason } => (
            Volume::Brief,
            format!("left out: {} {reason}: {}", group.count, examples(group)),
        ),
        Event::FileMisleading { path, reason } => {
            (Volume::Brief, format!("misleading: `{path}`: {reason}"))
        }
        Event::FileRetagged { path, .. } => (
            Volume::Normal,
            format!("new tags: `{path}`, whose sound is known"),
        ),
        Event::FileMoved { from, to } => (Volume::Normal, format!("moved: `{from}` is now `{to}`")),
        Event::FileMissing { path, pruned: true } => {
            (Volume::Normal, format!("pruned: `{path}` is gone"))
        }
        Event::FileMissing {
            path,
            pruned: false,
        } => (
            Volume::Normal,
            format!(
                "missing: `{path}` is gone from the disk (--prune removes it from the library)"
            ),
        ),
        _ => return None,
    })
}

/// The first few of a group, and whether there are more.
fn examples(group: &Group) -> String {
    let named: Vec<String> = group
        .examples
        .iter()
        .map(|path| format!("`{path}`"))
        .collect();
    let more = if group.count > named.len() {
        ", .."
    } else {
        ""
    };
    format!("{}{more}", named.join(", "))
}

/// How the import went, for people.
fn report(completed: &Completed, printer: Printer) -> Vec<String> {
    let files = &completed.files;
    let parts = [
        (files.recorded, "recorded"),
        (files.unchanged, "unchanged"),
        (files.moved, "of them moved"),
        (files.retagged, "of them with new tags"),
        (files.duplicate, "duplicate"),
        (files.no_audio, "without audio"),
        (files.failed, "failed"),
        (files.misleading, "misleading"),
        (files.not_reached, "not reached"),
        (files.cut_off, "cut off"),
        (files.misnamed, "misnamed"),
        (files.missing, "missing"),
    ];
    let counts: Vec<_> = parts
        .iter()
        .filter(|(count, what)| *count > 0 || *what == "recorded")
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let usage = &completed.usage;
    let mut lines = vec![
        format!("{} files: {}", files.found, counts.join(", ")),
        format!(
            "{} passages, {} of audio in {} ({:.0}x real time)",
            completed.passages,
            duration(completed.audio_seconds),
            duration(usage.elapsed_seconds),
            completed.audio_seconds / usage.elapsed_seconds.max(0.001),
        ),
    ];
    if printer.says(Volume::Verbose) {
        let writes = &completed.writes;
        lines.push(format!(
            "{:.1} s of CPU, {} MB at most, {} transactions, {} rows, {} retries",
            usage.cpu_seconds,
            usage.peak_rss_bytes / 1_000_000,
            writes.transactions,
            writes.rows,
            writes.retries,
        ));
    }
    match completed.state {
        "stopped" => lines.push("stopped as asked; run the same command again to go on".to_owned()),
        "planned" => lines.push("nothing was done: this was a dry run".to_owned()),
        _ => {}
    }
    lines
}
