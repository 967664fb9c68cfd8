//! `books extract`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use books::archive::{self, Limits};
use run::{ExitStatus, OutputOptions};

use crate::printer::{Printer, Volume};

/// Writes the text of each archive beside the others.
pub(crate) fn extract(archives: &[PathBuf], folder: &Path, printer: Printer) -> Result<ExitStatus> {
    let cannot = || format!("cannot make `{}`", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    let mut status = ExitStatus::Done;
    let mut written = HashSet::new();
    for path in archives {
        match one(path, folder, &mut written) {
            Ok(line) => printer.note(Volume::Normal, &line),
            Err(error) => {
                let line = format!("failed: {}: {error:#}", path.display());
                printer.note(Volume::Brief, &line);
                status = ExitStatus::SomeFailed;
            }
        }
    }
    Ok(status)
}

/// `written` are the texts of this call, none of which is written over by another.
fn one(path: &Path, folder: &Path, written: &mut HashSet<PathBuf>) -> Result<String> {
    let contents = archive::read(path, &Limits::default())?;
    let mut text = contents.text.map_err(anyhow::Error::msg)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".tar.gz").unwrap_or(&name);
    let target = folder.join(format!("{name}.jsonl"));
    if !written.insert(target.clone()) {
        bail!(
            "`{}` holds the text of another archive of this name; --output-dir names another folder",
            target.display()
        );
    }
    let mut file = OutputOptions::new().open(&target)?;
    text.write(&mut file)
        .with_context(|| format!("cannot write `{}`", target.display()))?;
    file.finish()?;
    Ok(format!(
        "{} pages written to `{}`",
        text.pages,
        target.display()
    ))
}
