//! `music edit` and `music edits`: a person's word about passages.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use anyhow::{Context, Result};
use music::edit::{self, Changes, Edit as Edited, PortableEdit};
use music::{Error, Library};
use run::ExitStatus;

use crate::args::Place;
use crate::args::edit::{Carry, Edit, Edits};
use crate::commands::identify::passage_called;
use crate::commands::{located, open_to_read, open_to_tell};
use crate::hints::{self, advised};
use crate::printer::{Printer, Volume};
use crate::words::{count, counted, moment};

/// Opens an existing library to change it.
pub(crate) fn open(place: &Place, printer: Printer) -> Result<Library> {
    let located = located(place, printer)?;
    // A typing error must not leave an empty library behind.
    Library::open_read_only(&located.database, &located.root)?;
    Ok(Library::open(&located.database, &located.root)?)
}

/// Takes a person's word about a passage.
pub(crate) fn edit(args: &Edit, printer: Printer) -> Result<ExitStatus> {
    let library = open(&args.place, printer)?;
    let passage = passage_called(&library, &args.name)?;
    let changes = Changes {
        start: args.start,
        end: args.end,
        split_at: args.split_at,
        join: args.join,
        lead_in: args.lead_in,
        lead_out: args.lead_out,
        fade_in: args.fade_in,
        fade_out: args.fade_out,
        title: args.title.clone(),
        artist: args.artist.clone(),
        album: args.album.clone(),
        no_song: args.no_song,
        reset: args.reset,
    };
    if changes == Changes::default() {
        return Err(advised(
            format!("nothing to say about `{}`", args.name),
            "--help lists what can be said",
        ));
    }
    let status = heard(edit::edit(&library, &passage, &changes), printer)?;
    printer.show(&serde_json::json!({ "passage_id": passage }), || {
        vec![format!("edited: {passage}")]
    });
    library.close()?;
    Ok(status)
}

/// What was said or taken back is kept, whether its file could be heard then or not.
fn heard(result: music::Result<()>, printer: Printer) -> Result<ExitStatus> {
    match result {
        Ok(()) => Ok(ExitStatus::Done),
        Err(error @ Error::Unheard { .. }) => {
            printer.note(
                Volume::Brief,
                &format!("warning: {error}; the next import describes it anew"),
            );
            Ok(ExitStatus::SomeFailed)
        }
        Err(error) => Err(error.into()),
    }
}

/// Lists edits, takes them back, or carries them from library to library.
pub(crate) fn edits(args: &Edits, printer: Printer) -> Result<ExitStatus> {
    match &args.carry {
        Some(Carry::Export { place, output }) => export(place, output.as_deref(), printer),
        Some(Carry::Import { place, file }) => import(place, file, printer),
        None if args.undo.is_empty() => list(&args.place, printer),
        None => {
            let library = open(&args.place, printer)?;
            let mut ended = Vec::new();
            let taken = edit::undo(&library, &args.undo).map(|undone| ended = undone.ended);
            let status = heard(taken, printer)?;
            library.close()?;
            let told = serde_json::json!({ "undone": args.undo, "ended": ended });
            printer.show(&told, || {
                let undone = args.undo.iter().map(|id| format!("undone: {id}"));
                let gone = |edit: &Edited| {
                    format!("no passage any more for what was said: {}", line(edit))
                };
                undone.chain(ended.iter().map(gone)).collect()
            });
            Ok(status)
        }
    }
}

fn list(place: &Place, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let edits = edit::list(library.db())?;
    printer.show(&edits, || {
        edits
            .iter()
            .map(|edit| format!("{:>4}  {}", edit.id, line(edit)))
            .collect()
    });
    Ok(ExitStatus::Done)
}

/// What was said, by whom and when.
fn line(edit: &Edited) -> String {
    let said = &edit.said;
    let path = edit.path.as_deref().unwrap_or("a sound that is not here");
    let seconds = |ticks| edit::Ticks(ticks).seconds();
    format!(
        "{path}  {:.3} s to {:.3} s  {} `{}`  ({}{}, {})",
        seconds(said.start_ticks),
        seconds(said.end_ticks),
        said.field.word(),
        said.value,
        said.source,
        as_evidence(said),
        moment(said.made_at.as_deref().unwrap_or_default())
    )
}

/// Behind the source of an id that another program found by itself.
pub(crate) fn as_evidence(said: &PortableEdit) -> &'static str {
    if said.is_evidence() { ", evidence" } else { "" }
}

fn export(place: &Place, output: Option<&Path>, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let Some(path) = output else {
        match edit::export(&library, &mut Printer::stdout()) {
            Ok(_) => {}
            Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) => return Err(error.into()),
        }
        return Ok(ExitStatus::Done);
    };
    let mut file = crate::commands::output(&library, path).open(path)?;
    let written = edit::export(&library, &mut file)?;
    file.finish()?;
    printer.wrote(written, "edit", path);
    Ok(ExitStatus::Done)
}

fn import(place: &Place, file: &Path, printer: Printer) -> Result<ExitStatus> {
    let lines = File::open(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let library = open_to_tell(place, printer)?;
    let imported = edit::import(&library, &mut BufReader::new(lines))
        .with_context(|| format!("cannot take edits from `{}`", file.display()))?;
    library.close()?;
    printer.show(&imported, || {
        let mut lines = vec![format!(
            "{}, {} of them new",
            counted(imported.read, "edit"),
            count(imported.new)
        )];
        if imported.waiting > 0 {
            lines.push(format!(
                "{} for sounds or passages that the library does not have",
                counted(imported.waiting, "edit")
            ));
        }
        if imported.to_cut > 0 {
            lines.push(format!(
                "next: `{}` cuts {} anew",
                hints::music(place, &["import"]),
                counted(imported.to_cut, "file")
            ));
        }
        lines
    });
    Ok(ExitStatus::Done)
}
