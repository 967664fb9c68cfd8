//! `music identify`, and what an import does of it.

use std::path::Path;

use anyhow::{Context, Result};
use music::identify::ask::CachedServices;
use music::identify::covers;
use music::identify::flavor::Fetched;
use music::identify::{Identified, IdentifyEvent, OutagePolicy, decide};
use music::job::Online;
use music::library::answers::Answers;
use music::library::due;
use music::library::query::Shown;
use music::services::{Endpoints, Patience, Services};
use music::{Library, PassageId};
use run::{Cancel, ExitStatus};

use crate::api_key::{self, HOW_TO_GET_ONE};
use crate::args;
use crate::commands::located;
use crate::env;
use crate::printer::{Printer, Volume};
use crate::progress::Notes;
use crate::settings::absolute;
use crate::signals::stop_on_signals;

/// Finds out which recordings the passages are, or takes a person's word for it.
pub(crate) fn identify(args: &args::identify::Identify, printer: Printer) -> Result<ExitStatus> {
    let place = args.place.clone().or_folder(args.folder.clone());
    let located = located(&place, printer)?;
    // A typing error must not leave an empty library behind.
    Library::open_read_only(&located.database, &located.root)?;
    let library = Library::open(&located.database, &located.root)?;
    if let Some(passage) = &args.reject {
        let passage = passage_called(&library, passage)?;
        decide::reject(&library, &passage)?;
        printer.show(&serde_json::json!({ "rejected": passage }), || {
            vec![format!("rejected: {passage}")]
        });
        library.close()?;
        return Ok(ExitStatus::Done);
    }
    let found = api_key::find(library.db())?;
    for warning in &found.warnings {
        printer.note(Volume::Brief, &format!("warning: {warning}"));
    }
    let has_key = found.key.is_some();
    let endpoints = Endpoints::load(library.db(), found.key)?;
    let services = Services::new(&endpoints)?;
    let answers = Answers::new(library.db().clone(), args.retry);
    let cancel = Cancel::new();
    stop_on_signals(&cancel)?;
    let patience = Patience::new(cancel.clone());
    let asker = CachedServices {
        services: &services,
        answers: &answers,
        patience: &patience,
    };
    let chosen = chosen(args, &library)?;
    if let Some((passage, mbid)) = chosen {
        let recording = decide::set(&library, &asker, &passage, &mbid)?;
        printer.show(
            &serde_json::json!({ "passage_id": passage, "recording": recording }),
            || {
                vec![format!(
                    "{passage} is {} - {}",
                    recording.artist, recording.title
                )]
            },
        );
        library.close()?;
        return Ok(ExitStatus::Done);
    }
    if !has_key {
        printer.note(
            Volume::Normal,
            &format!("no key for AcoustID: fingerprints are not looked up\n{HOW_TO_GET_ONE}"),
        );
    }
    let scope = scope(args, &library)?;
    let report = music::identify::identify(
        &library,
        &services,
        &answers,
        &patience,
        (&scope, OutagePolicy::Thorough),
        &|told| tell(told, &Notes::without_bars(printer)),
    )?;
    if args.flavor && !cancel.is_requested() {
        let fetched = music::identify::flavor::fetch(&library, &asker)?;
        printer.show(&fetched, || vec![flavors(&fetched)]);
    }
    if args.covers && !cancel.is_requested() {
        let fetched = covers::fetch(&library, &asker)?;
        printer.show(&fetched, || vec![covers(&fetched)]);
    }
    library.close()?;
    finish(&report, printer);
    Ok(match cancel.signal() {
        Some(signal) => ExitStatus::Stopped(signal),
        None if report.retry_later > 0 => ExitStatus::SomeFailed,
        None => ExitStatus::Done,
    })
}

/// The passage that a person decides about, and what it is.
fn chosen(
    args: &args::identify::Identify,
    library: &Library,
) -> Result<Option<(PassageId, String)>> {
    Ok(match (args.set.as_slice(), &args.accept) {
        ([passage, mbid], _) => Some((passage_called(library, passage)?, mbid.clone())),
        (_, Some(passage)) => {
            let passage = passage_called(library, passage)?;
            let mbid = decide::likeliest(library, &passage)?;
            Some((passage, mbid))
        }
        _ => None,
    })
}

fn flavors(fetched: &Fetched) -> String {
    let Fetched {
        recordings,
        found,
        unknown,
        trouble,
    } = fetched;
    let later = later(trouble.as_deref());
    format!("flavors of {found} of {recordings} recordings, {unknown} not known{later}")
}

fn covers(fetched: &covers::Fetched) -> String {
    let covers::Fetched {
        albums,
        found,
        unknown,
        trouble,
    } = fetched;
    let later = later(trouble.as_deref());
    format!("covers of {found} of {albums} albums, {unknown} have none{later}")
}

fn later(trouble: Option<&str>) -> String {
    trouble.map_or_else(String::new, |trouble| {
        format!("; the others later: {trouble}")
    })
}

fn scope(args: &args::identify::Identify, library: &Library) -> Result<due::Scope> {
    let folder = match &args.folder {
        Some(folder) => inside(library.root(), folder)?,
        None => String::new(),
    };
    let passages: Result<Vec<_>> = args
        .passages
        .iter()
        .map(|name| passage_called(library, name))
        .collect();
    Ok(due::Scope {
        folder,
        passages: passages?,
        retry: args.retry,
    })
}

fn inside(root: &Path, folder: &Path) -> Result<String> {
    let folder = absolute(folder)?;
    let inside = folder.strip_prefix(root).with_context(|| {
        format!(
            "`{}` is not inside the root folder `{}`",
            folder.display(),
            root.display()
        )
    })?;
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    Ok(parts.join("/"))
}

/// The passage of an id, the beginning of one, or the name of a file that is one passage.
pub(crate) fn passage_called(library: &Library, name: &str) -> Result<PassageId> {
    match music::library::query::show(library, name)? {
        Shown::Passage(passage) => Ok(passage.id),
        Shown::File(file) => match file.passages.as_slice() {
            [only] => Ok(only.id.clone()),
            several => anyhow::bail!(
                "`{name}` has {} passages\nhint: `accession music show` lists their ids",
                several.len()
            ),
        },
    }
}

/// What an event says.
pub(crate) fn tell(told: &IdentifyEvent, notes: &Notes) {
    if notes.printer.is_json() {
        notes.printer.json(told);
        return;
    }
    match told {
        IdentifyEvent::PassageIdentified {
            path,
            state,
            level,
            name,
            ..
        } => {
            let what = name.as_deref().unwrap_or(match state.word() {
                "none" => "known to nobody",
                "retry_later" => "to be tried again",
                _ => "in doubt",
            });
            let level = level.word();
            notes.note(Volume::Verbose, &format!("{level:<6} `{path}`: {what}"));
        }
        IdentifyEvent::ServiceFailed { message } => {
            notes.note(Volume::Brief, &format!("warning: {message}"));
        }
        IdentifyEvent::IdentifyCompleted(_) => {}
    }
}

pub(crate) fn finish(report: &Identified, printer: Printer) {
    if printer.is_json() {
        printer.json(&IdentifyEvent::IdentifyCompleted(Box::new(report.clone())));
        return;
    }
    for line in lines(report) {
        printer.result(&line);
    }
}

fn lines(report: &Identified) -> Vec<String> {
    let parts = [
        (report.high, "surely identified"),
        (report.medium, "probably"),
        (report.doubtful, "in doubt"),
        (report.none, "known to nobody"),
        (report.retry_later, "to be tried again"),
        (report.not_reached, "not reached"),
    ];
    let counts: Vec<_> = parts
        .iter()
        .filter(|(count, what)| *count > 0 || *what == "surely identified")
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let mut lines = vec![format!(
        "{} passages: {} ({} requests)",
        report.passages,
        counts.join(", "),
        report.requests
    )];
    if report.cut_anew > 0 {
        lines.push(format!(
            "{} files cut anew where their releases say; `accession music import` hears them again",
            report.cut_anew
        ));
    }
    if report.retry_later > 0 {
        lines.push("`accession music identify` goes on".to_owned());
    }
    lines
}

/// Who is asked during an import, as far as a key is known; `None` if no service is to be asked.
pub(crate) fn online(
    library: &Library,
    offline: bool,
    cancel: &Cancel,
    printer: Printer,
) -> Result<Option<Online>> {
    let told = std::env::var_os(env::OFFLINE).is_some_and(|v| !v.is_empty() && v != "0");
    if offline || told {
        return Ok(None);
    }
    let found = api_key::find(library.db())?;
    for warning in &found.warnings {
        printer.note(Volume::Brief, &format!("warning: {warning}"));
    }
    if found.key.is_none() {
        printer.note(
            Volume::Normal,
            &format!("no key for AcoustID: fingerprints are not looked up\n{HOW_TO_GET_ONE}"),
        );
    }
    Ok(Some(Online::new(library, found.key, cancel)?))
}
