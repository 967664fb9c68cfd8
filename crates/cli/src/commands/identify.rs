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

use crate::api_key;
use crate::args::{self, Place};
use crate::commands::located;
use crate::env;
use crate::hints::{self, advised};
use crate::printer::{Printer, Volume};
use crate::progress::Notes;
use crate::settings::absolute;
use crate::signals::stop_on_signals;
use crate::words::{count, counted};

/// Finds out which recordings the passages are, or takes a person's word for it.
pub(crate) fn identify(args: &args::identify::Identify, printer: Printer) -> Result<ExitStatus> {
    let place = args.place.clone().or_folder(args.folder.clone());
    if args.offline {
        return Err(advised(
            "identifying asks services on the network, so there is nothing to do offline",
            "`accession music import --offline` takes files in without them",
        ));
    }
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
        printer.warning(warning);
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
        api_key::tell_how_to_get_one(&place, printer);
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
    finish(&report, &place, printer);
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
        ([passage, mbid], _) => {
            // A service would only say that it knows nothing of the kind.
            if uuid::Uuid::try_parse(mbid).is_err() {
                return Err(advised(
                    format!(
                        "`{mbid}` is no MBID, expected an id such as a1b2c3d4-0000-4000-8000-000000000000"
                    ),
                    "it is the end of the address of a recording's page at https://musicbrainz.org",
                ));
            }
            Some((passage_called(library, passage)?, mbid.clone()))
        }
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
    format!(
        "flavors of {found} of {}, {unknown} not known{later}",
        counted(*recordings, "recording")
    )
}

fn covers(fetched: &covers::Fetched) -> String {
    let covers::Fetched {
        albums,
        found,
        unknown,
        trouble,
    } = fetched;
    let later = later(trouble.as_deref());
    format!(
        "covers of {found} of {}, {unknown} have none{later}",
        counted(*albums, "album")
    )
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
    let name = &*music::library::names::meant(library, name)?;
    match music::library::query::show(library, name)? {
        Shown::Passage(passage) => Ok(passage.id),
        Shown::File(file) => match file.passages.as_slice() {
            [only] => Ok(only.id.clone()),
            several => Err(music::Error::NotOnePassage {
                name: name.to_owned(),
                passages: several.len(),
            }
            .into()),
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
        IdentifyEvent::ServiceFailed { message, .. } => {
            notes.note(Volume::Brief, &format!("warning: {message}"));
        }
        IdentifyEvent::IdentifyCompleted(_) => {}
    }
}

pub(crate) fn finish(report: &Identified, place: &Place, printer: Printer) {
    if printer.is_json() {
        printer.json(&IdentifyEvent::IdentifyCompleted(Box::new(report.clone())));
        return;
    }
    for line in lines(report, place) {
        printer.result(&line);
    }
}

fn lines(report: &Identified, place: &Place) -> Vec<String> {
    let parts = [
        (report.high, "identified"),
        (report.medium, "identified probably"),
        (report.doubtful, "in doubt"),
        (report.none, "known to nobody"),
        (report.retry_later, "to be tried again"),
        (report.not_reached, "not reached"),
    ];
    let counts: Vec<_> = parts
        .iter()
        .filter(|(count, what)| *count > 0 || *what == "identified")
        .map(|(number, what)| format!("{} {what}", count(*number)))
        .collect();
    let mut lines = vec![format!(
        "{}: {}",
        counted(report.passages, "passage"),
        counts.join(", "),
    )];
    if report.cut_anew > 0 {
        lines.push(format!(
            "{} cut anew where their releases say; `{}` hears them again",
            counted(report.cut_anew, "file"),
            hints::music(place, &["import"])
        ));
    }
    if report.retry_later > 0 {
        lines.push(format!(
            "next: `{}` tries those again that no service answered for",
            hints::music(place, &["identify"])
        ));
    }
    lines
}

/// Whether the environment says that no service is to be asked.
pub(crate) fn is_offline() -> bool {
    let said = std::env::var_os(env::OFFLINE).unwrap_or_default();
    let said = said.to_string_lossy().trim().to_lowercase();
    !env::NO.contains(&said.as_str())
}

/// Who is asked during an import, as far as a key is known; `None` if no service is to be asked.
pub(crate) fn online(
    library: &Library,
    offline: bool,
    cancel: &Cancel,
    place: &Place,
    printer: Printer,
) -> Result<Option<Online>> {
    if offline || is_offline() {
        printer.note(
            Volume::Normal,
            "offline: no service on the network is asked",
        );
        return Ok(None);
    }
    let found = api_key::find(library.db())?;
    for warning in &found.warnings {
        printer.warning(warning);
    }
    let has_key = found.key.is_some();
    let online = match Online::new(library, found.key, cancel) {
        // Hearing needs no network.
        Err(error @ music::Error::Unprepared(_)) => {
            printer.warning(&error);
            if let Some(hint) = hints::hint(&error.into(), place) {
                printer.hint(Volume::Brief, &hint);
            }
            return Ok(None);
        }
        online => online?,
    };
    printer.note(
        Volume::Normal,
        "online: names from tags go to MusicBrainz, fingerprints to AcoustID; --offline asks nobody",
    );
    if !has_key {
        api_key::tell_how_to_get_one(place, printer);
    }
    Ok(Some(online))
}
