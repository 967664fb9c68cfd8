//! `music backup` and `music restore`.

use std::path::Path;

use anyhow::{Result, bail};
use music::library::backup;
use music::views::export::is_music;
use run::ExitStatus;

use crate::args::Place;
use crate::commands::located;
use crate::printer::Printer;
use crate::words::counted;

/// Copies the library to a file.
pub(crate) fn backup(
    place: &Place,
    file: &Path,
    replace: bool,
    printer: Printer,
) -> Result<ExitStatus> {
    let located = located(place, printer)?;
    if is_music(file) {
        bail!(
            "`{}` is a file of music: expected another name for the copy",
            file.display()
        );
    }
    let held = backup::backup(&located.database, file, replace)?;
    let shown = serde_json::json!({ "path": file, "files": held.files, "passages": held.passages });
    printer.show(&shown, || {
        vec![format!(
            "`{}` holds {} and {}",
            file.display(),
            counted(held.files, "file"),
            counted(held.passages, "passage")
        )]
    });
    Ok(ExitStatus::Done)
}

/// Puts a copy in the library's place.
pub(crate) fn restore(
    place: &Place,
    file: &Path,
    replace: bool,
    printer: Printer,
) -> Result<ExitStatus> {
    let located = located(place, printer)?;
    let restored = backup::restore(file, &located.database, replace)?;
    printer.show(&restored, || {
        let mut lines = vec![format!(
            "`{}` holds {} and {}",
            located.database.display(),
            counted(restored.held.files, "file"),
            counted(restored.held.passages, "passage")
        )];
        if let Some(moved_to) = &restored.moved_to {
            let kind = if restored.was_damaged {
                "the damaged library"
            } else {
                "the library that was there"
            };
            lines.push(format!("{kind} is now `{}`", moved_to.display()));
        }
        lines
    });
    Ok(ExitStatus::Done)
}
