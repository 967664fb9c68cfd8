//! `music export --as vaino`.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use music::Library;
use music::views::vaino::{Bundle, Transfer, inventory};
use run::ExitStatus;

use crate::args;
use crate::hints::advised;
use crate::printer::{Printer, Volume};

/// Bytes of an inventory that are read: 33 a file, so that two million files fit in.
const LARGEST_INVENTORY: u64 = 64 << 20;

/// Whether a folder, which may have still to be made, is below the library's root.
fn lies_in_library(library: &Library, folder: &Path) -> bool {
    let Ok(folder) = std::path::absolute(folder) else {
        return false;
    };
    let nearest = folder
        .ancestors()
        .find_map(|folder| run::canonical_path(folder).ok());
    nearest.is_some_and(|folder| folder.starts_with(library.root()))
}

/// Writes a bundle; fails in part when files were left out of it.
pub(super) fn bundle(
    library: &Library,
    args: &args::Export,
    printer: Printer,
) -> Result<ExitStatus> {
    let Some(folder) = &args.output else {
        return Err(advised(
            "a bundle is a folder, and none is named",
            "--output DIR names it",
        ));
    };
    if lies_in_library(library, folder) {
        return Err(advised(
            format!(
                "`{}` lies in the library's own folder, and the next import would take its files in as music",
                folder.display()
            ),
            "--output DIR names a folder elsewhere",
        ));
    }
    let had = match &args.have {
        Some(path) => {
            let cannot = || format!("cannot read `{}`", path.display());
            let mut text = String::new();
            run::named_file(path)
                .and_then(|file| file.take(LARGEST_INVENTORY).read_to_string(&mut text))
                .with_context(cannot)?;
            inventory(&text)?
        }
        None => BTreeSet::new(),
    };
    let bundle = Bundle::plan(library, &had)?;
    let told = bundle.told();
    for left_out in &told.left_out {
        printer.note(
            Volume::Brief,
            &format!("left out: `{}`: {}", left_out.path, left_out.reason),
        );
    }
    if told.files > 0 {
        let transfer = if args.link {
            Transfer::Link
        } else {
            Transfer::Copy
        };
        bundle.write(folder, transfer)?;
    }
    printer.show(told, || {
        let mut lines = vec![match told.files {
            0 => "nothing to send, no bundle was written".to_owned(),
            files => format!(
                "{files} files, {} passages, {} recordings in `{}`",
                told.passages,
                told.recordings,
                folder.display()
            ),
        }];
        for (count, what) in [
            (told.had, "files that the receiver has"),
            (told.copies, "files with the audio of another"),
        ] {
            if count > 0 {
                lines.push(format!("left out: {count} {what}"));
            }
        }
        lines
    });
    Ok(if told.left_out.is_empty() {
        ExitStatus::Done
    } else {
        ExitStatus::SomeFailed
    })
}
