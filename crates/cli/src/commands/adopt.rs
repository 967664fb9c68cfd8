//! `music adopt`.

use std::path::Path;

use anyhow::Result;
use music::adopt::{self, Proposal};
use run::ExitStatus;

use crate::args::Place;
use crate::commands::edit::{as_evidence, open};
use crate::commands::open_to_read;
use crate::printer::{Printer, Volume};
use crate::words::{count, counted};

/// Proposes what could be taken over from another program's database; takes it over if told to.
pub(crate) fn adopt(
    place: &Place,
    database: &Path,
    yes: bool,
    printer: Printer,
) -> Result<ExitStatus> {
    if !yes {
        let library = open_to_read(place, printer)?;
        let proposal = adopt::propose(&library, database)?;
        printer.show(&proposal, || lines(&proposal));
        if !proposal.edits.is_empty() {
            printer.note(
                Volume::Normal,
                "nothing was taken over yet; `--yes` does it",
            );
        }
        return Ok(ExitStatus::Done);
    }
    let library = open(place, printer)?;
    let proposal = adopt::propose(&library, database)?;
    let told = lines(&proposal);
    let adopted = adopt::adopt(&library, proposal)?;
    library.close()?;
    printer.show(&adopted, || {
        let mut told = told;
        told.push(format!(
            "taken over: {}; the next import cuts {} anew",
            counted(adopted.new, "edit"),
            counted(adopted.to_cut, "file")
        ));
        told
    });
    Ok(ExitStatus::Done)
}

fn lines(proposal: &Proposal) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} known by their sound, {} by path and length, {} unknown",
        counted(proposal.files, "file"),
        count(proposal.by_sound),
        count(proposal.by_path),
        count(proposal.unknown)
    )];
    for edit in &proposal.edits {
        lines.push(format!(
            "`{}` {}: {} ({}{})",
            edit.path,
            edit.said.field.word(),
            edit.said.value,
            edit.said.source,
            as_evidence(&edit.said)
        ));
    }
    for difference in &proposal.differences {
        lines.push(format!(
            "stays: `{}` {}: {} here, {} there",
            difference.path,
            difference.field.word(),
            difference.here,
            difference.there
        ));
    }
    lines
}
