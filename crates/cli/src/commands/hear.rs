//! `music hear` and `music plan`.

use std::io::{BufReader, Cursor};
use std::path::Path;

use anyhow::{Context, Result};
use music::Group;
use music::heard::event::{HearEvent, Heard};
use music::heard::hear::{Hear, hear as hear_files};
use music::heard::list::Paths;
use music::heard::place::Place;
use music::heard::source::Source;
use music::heard::{collect, shards};
use music::library::settings::Settings;
use run::{Cancel, ExitStatus, Progress};

use crate::args;
use crate::hints::advised;
use crate::printer::{Printer, Volume};
use crate::progress::Display;
use crate::settings::{default_jobs, shard};
use crate::signals::stop_on_signals;
use crate::words::{count, counted, duration, size};

/// A list of paths is text; one of a million files has some hundred megabytes and is read as it comes.
type List = Box<dyn Iterator<Item = music::Result<String>>>;

/// Hears files into records.
pub(crate) fn hear(args: &args::hear::Hear, printer: Printer) -> Result<ExitStatus> {
    let endpoint = args.store.address();
    let source = Source::new(Place::open(&args.source, endpoint.as_deref())?);
    let out = Place::open(&args.out, endpoint.as_deref())?;
    let settings = args.settings.as_deref().map(settings).transpose()?;
    let settings = settings.unwrap_or_default();
    for message in &settings.warnings {
        printer.note(Volume::Brief, &format!("warning: {message}"));
    }
    let jobs = args.jobs.map_or_else(default_jobs, usize::from);
    let what = Hear {
        source: &source,
        out: &out,
        jobs,
        settings: &settings,
        reads_records: args.check,
    };
    let mut paths = list(args)?;
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let heard = run(&what, paths.as_mut(), &cancel, printer)?;
    if let Some(signal) = cancel.signal() {
        return Ok(ExitStatus::Stopped(signal));
    }
    if args.finish {
        collect::finish(&out)?;
    }
    Ok(if heard.failed == 0 {
        ExitStatus::Done
    } else {
        ExitStatus::SomeFailed
    })
}

fn list(args: &args::hear::Hear) -> Result<Option<List>> {
    if let Some(list) = &args.list {
        let is_place = list.contains("://") || Path::new(list).is_dir();
        let number = args.shard.or_else(|| shard().filter(|_| is_place));
        if let Some(number) = number {
            let lists = Place::open(list, args.store.address().as_deref())?;
            let paths = Cursor::new(shards::read(&lists, number)?);
            return Ok(Some(Box::new(Paths::new(paths))));
        }
        if is_place {
            return Err(advised(
                format!("`{list}` holds lists, expected the number of one"),
                "--shard says which, counted from 0",
            ));
        }
        let opened = run::named_file(Path::new(list))
            .with_context(|| format!("cannot read the list `{list}`"))?;
        return Ok(Some(Box::new(Paths::new(BufReader::new(opened)))));
    }
    Ok(match args.files.as_slice() {
        [] => None,
        [dash] if dash == "-" => {
            let stdin = BufReader::new(std::io::stdin());
            Some(Box::new(Paths::new(stdin)))
        }
        files => {
            let files = files.to_vec();
            Some(Box::new(files.into_iter().map(Ok)))
        }
    })
}

fn settings(file: &Path) -> Result<Settings> {
    let text = run::read_small_text(file)
        .with_context(|| format!("cannot read the settings `{}`", file.display()))?;
    Settings::from_list(&text).with_context(|| {
        format!(
            "`{}` is no list of settings as `music settings list --format json` prints it",
            file.display()
        )
    })
}

fn run(
    what: &Hear<'_>,
    paths: Option<&mut List>,
    cancel: &Cancel,
    printer: Printer,
) -> Result<Heard> {
    let progress = Progress::new(what.jobs);
    let snapshots = |snapshot| printer.json(&HearEvent::Progress(snapshot));
    std::thread::scope(|scope| {
        let display = Display::start(scope, printer, &progress, cancel, &snapshots);
        let notes = display.notes();
        let tell = |event: &HearEvent| {
            if printer.is_json() {
                printer.json(event);
            } else if let Some((volume, line)) = line(event) {
                notes.note(volume, &line);
            }
        };
        let paths: Option<&mut dyn Iterator<Item = music::Result<String>>> = match paths {
            Some(paths) => Some(paths.as_mut()),
            None => None,
        };
        let heard = hear_files(what, paths, cancel, &progress, &tell);
        drop(display);
        let heard = heard?;
        if printer.is_json() {
            printer.json(&HearEvent::HearCompleted(Box::new(heard.clone())));
        } else {
            for line in report(&heard) {
                printer.result(&line);
            }
        }
        Ok(heard)
    })
}

/// What an event says to a person, and how loud.
fn line(event: &HearEvent) -> Option<(Volume, String)> {
    Some(match event {
        HearEvent::HearStarted { source, out, jobs } => (
            Volume::Verbose,
            format!("hearing `{source}` into `{out}`, {jobs} files at once"),
        ),
        HearEvent::FileHeard {
            path,
            passages,
            audio_seconds,
            ..
        } => (
            Volume::Verbose,
            format!(
                "heard `{path}`: {}, {}",
                counted(*passages, "passage"),
                duration(*audio_seconds)
            ),
        ),
        HearEvent::FileSkipped { path, .. } => (Volume::Verbose, format!("heard before: `{path}`")),
        HearEvent::FileFailed {
            path,
            stage,
            reason,
            misleading,
            ..
        } => {
            let line = if *misleading {
                format!("misleading: `{path}`: {reason}")
            } else {
                format!("failed: `{path}`: {stage}: {reason}")
            };
            (Volume::Brief, line)
        }
        HearEvent::LeftOut { group, reason } => (
            Volume::Brief,
            format!("left out: {} {reason}: {}", group.count, examples(group)),
        ),
        HearEvent::Progress(_) | HearEvent::HearCompleted(_) => return None,
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

/// How it went, for people.
fn report(heard: &Heard) -> Vec<String> {
    let usage = &heard.usage;
    let mut lines = vec![
        format!(
            "{}: {} heard, {} heard before, {} failed",
            counted(heard.found, "file"),
            count(heard.heard),
            count(heard.skipped),
            count(heard.failed)
        ),
        format!(
            "{}, {} of audio in {} ({:.0}x real time)",
            counted(heard.passages, "passage"),
            duration(heard.audio_seconds),
            duration(usage.elapsed_seconds),
            heard.audio_seconds / usage.elapsed_seconds.max(0.001),
        ),
    ];
    if heard.state == "stopped" {
        lines.push("stopped as asked; run the same command again to go on".to_owned());
    }
    lines
}

/// Divides a source into lists.
pub(crate) fn plan(args: &args::hear::Plan, printer: Printer) -> Result<ExitStatus> {
    let endpoint = args.store.address();
    let source = Source::new(Place::open(&args.source, endpoint.as_deref())?);
    let out = Place::open(&args.out, endpoint.as_deref())?;
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let shards = shards::write(&source, &out, args.shards as usize, &cancel)?;
    printer.show(&shards, || {
        vec![format!(
            "{}, {}, in {} in `{out}`",
            counted(shards.files, "file"),
            size(shards.bytes),
            counted(shards.lists.len(), "list")
        )]
    });
    Ok(match cancel.signal() {
        Some(signal) => ExitStatus::Stopped(signal),
        None => ExitStatus::Done,
    })
}
