//! `music export`.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use music::views::export;
use music::{Error, Library};
use run::ExitStatus;

use crate::args;
use crate::commands::open_to_read;
use crate::printer::{Printer, Volume};

/// Writes the passages out.
pub(crate) fn export(args: &args::Export, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(&args.place, printer)?;
    let form = match form(args, printer) {
        args::Form::Cue => return cue_sheets(&library, args.output.as_deref(), printer),
        args::Form::Csv => export::Form::Csv,
        args::Form::Jsonl => export::Form::JsonLines,
        args::Form::M3u8 => export::Form::M3u8,
    };
    match &args.output {
        Some(path) => {
            let count = to_file(&library, form, path)?;
            printer.note(
                Volume::Normal,
                &format!("{count} passages written to `{}`", path.display()),
            );
        }
        None => match export::export(&library, form, &mut Printer::stdout()) {
            Ok(_) => {}
            Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) => return Err(error.into()),
        },
    }
    Ok(ExitStatus::Done)
}

/// Writes a cue sheet for every album rip: to standard output, or into a folder, where each is named for its file.
fn cue_sheets(library: &Library, folder: Option<&Path>, printer: Printer) -> Result<ExitStatus> {
    let mut out = Printer::stdout();
    let written = export::cue_sheets(library, |path, sheet| {
        match folder {
            Some(folder) => {
                let place = folder.join(path).with_extension("cue");
                fs::create_dir_all(place.parent().unwrap_or(folder))?;
                fs::write(place, sheet)?;
            }
            None => writeln!(out, "{sheet}")?,
        }
        Ok(())
    });
    match (written, folder) {
        (Ok(count), Some(folder)) => printer.note(
            Volume::Normal,
            &format!("{count} cue sheets written to `{}`", folder.display()),
        ),
        (Ok(_), None) => out.flush()?,
        (Err(Error::Output(error)), None) if error.kind() == ErrorKind::BrokenPipe => {}
        (Err(error), _) => return Err(error.into()),
    }
    Ok(ExitStatus::Done)
}

/// The form asked for, or the one that fits where it goes.
fn form(args: &args::Export, printer: Printer) -> args::Form {
    let extension = args
        .output
        .as_ref()
        .and_then(|path| path.extension()?.to_str());
    let by_name = extension.and_then(|extension| args::Form::from_str(extension, true).ok());
    let otherwise = if printer.is_json() {
        args::Form::Jsonl
    } else {
        args::Form::Csv
    };
    let cue = args.cue.then_some(args::Form::Cue);
    args.form.or(cue).or(by_name).unwrap_or(otherwise)
}

/// Writes beside the file and renames, so that a reader never sees half of it.
fn to_file(library: &Library, form: export::Form, path: &Path) -> Result<u64> {
    let cannot = || format!("cannot write `{}`", path.display());
    let mut name = path.file_name().with_context(cannot)?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = BufWriter::new(File::create(&part).with_context(cannot)?);
    let written = export::export(library, form, &mut file);
    drop(file);
    if written.is_err() {
        // What is half written is of no use; that it cannot be removed either is no news.
        let _ = fs::remove_file(&part);
    }
    let count = written.with_context(cannot)?;
    fs::rename(&part, path).with_context(cannot)?;
    Ok(count)
}
