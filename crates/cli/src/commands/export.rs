//! `music export`.

mod vaino;

use std::collections::HashSet;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};
use clap::ValueEnum;
use music::views::export::{self, Exported};
use music::views::parquet;
use music::{Error, Library};
use run::{ExitStatus, LibraryPath, Output, OutputError, OutputOptions};

use crate::args;
use crate::commands::{open_to_read, output};
use crate::printer::{Printer, Volume};
use crate::words::counted;

/// Writes the passages out.
pub(crate) fn export(args: &args::Export, printer: Printer) -> Result<ExitStatus> {
    let library = open_to_read(&args.place.clone().or_folder(args.folder.clone()), printer)?;
    let form = match form(args, printer) {
        args::Form::Cue => {
            return match &args.output {
                Some(folder) => write_cue_sheets(&library, folder, args.replace, printer),
                None => print_cue_sheets(&library, printer),
            };
        }
        args::Form::Vaino => return vaino::bundle(&library, args, printer),
        args::Form::Parquet => return to_parquet(&library, args, printer),
        args::Form::Csv => export::Form::Csv,
        args::Form::Jsonl => export::Form::JsonLines,
        args::Form::M3u8 => export::Form::M3u8,
    };
    match &args.output {
        Some(path) => {
            let exported = to_file(&library, path, |library, file| {
                export::export(library, form, file)
            })?;
            Ok(written(exported, path, printer))
        }
        None => printed(
            export::export(&library, form, &mut Printer::stdout()),
            printer,
        ),
    }
}

/// How an export to standard output ended; a reader that has seen enough is no failure.
fn printed(exported: music::Result<Exported>, printer: Printer) -> Result<ExitStatus> {
    match exported {
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitStatus::Done),
        other => Ok(ended(other?, printer)),
    }
}

/// Names what could not be exported.
fn ended(exported: Exported, printer: Printer) -> ExitStatus {
    if exported.unreadable == 0 {
        return ExitStatus::Done;
    }
    let line = format!(
        "failed: {} with a path or a position that cannot be read (`music check` names them)",
        counted(exported.unreadable, "passage")
    );
    printer.note(Volume::Brief, &line);
    ExitStatus::SomeFailed
}

/// Writes a cue sheet for every album rip to standard output.
fn print_cue_sheets(library: &Library, printer: Printer) -> Result<ExitStatus> {
    let mut out = Printer::stdout();
    let mut failed = 0;
    let written = export::cue_sheets(library, |sheet| {
        if let Some(text) = sheet.naming(sheet.name()) {
            writeln!(out, "{text}")?;
        } else {
            failed += 1;
            printer.note(Volume::Brief, &format!("failed: {}", unnameable(sheet)));
        }
        Ok(())
    })
    .and_then(|exported| Ok(out.flush().map(|()| exported)?));
    Ok(match printed(written, printer)? {
        ExitStatus::Done if failed > 0 => ExitStatus::SomeFailed,
        status => status,
    })
}

fn unnameable(sheet: &export::CueSheet<'_>) -> String {
    format!(
        "`{}`: no cue sheet can name a file with a quotation mark or a line break in its path",
        sheet.path()
    )
}

/// The way from a folder to a file, both absolute: what a sheet in that folder has to call it.
fn way(from: &Path, to: &Path) -> PathBuf {
    let common = from.iter().zip(to).take_while(|(one, other)| one == other);
    let common = common.count();
    if common == 0 {
        return to.to_owned();
    }
    let up = from.iter().skip(common).map(|_| "..".as_ref());
    up.chain(to.iter().skip(common)).collect()
}

/// Writes the cue sheets into a folder, where each is named for its file.
struct Sheets<'a> {
    root: &'a Path,
    folder: &'a Path,
    options: OutputOptions,
    printer: Printer,
    written: HashSet<PathBuf>,
    skipped: usize,
    failed: usize,
}

impl Sheets<'_> {
    fn write(&mut self, sheet: &export::CueSheet<'_>) {
        match self.try_write(sheet) {
            Ok(place) => {
                self.written.insert(place);
            }
            Err(error) if matches!(error.downcast_ref(), Some(OutputError::Exists { .. })) => {
                self.skipped += 1;
                self.printer
                    .note(Volume::Brief, &format!("skipped: {error}"));
            }
            Err(error) => {
                self.failed += 1;
                self.printer
                    .note(Volume::Brief, &format!("failed: {error:#}"));
            }
        }
    }

    fn try_write(&self, sheet: &export::CueSheet<'_>) -> Result<PathBuf> {
        let path = LibraryPath::from_str(sheet.path())?;
        let audio = path.below(self.folder);
        let mut place = audio.with_extension("cue");
        if self.written.contains(&place) {
            // `a.flac` has taken `a.cue`, so that of `a.mp3` is `a.mp3.cue`.
            let mut name = audio.into_os_string();
            name.push(".cue");
            place = name.into();
        }
        let folder = place.parent().unwrap_or(self.folder);
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        let name = way(&run::canonical_path(folder)?, &path.below(self.root));
        let text = sheet
            .naming(&name.to_string_lossy())
            .with_context(|| unnameable(sheet))?;
        self.options.write(&place, text.as_bytes())?;
        Ok(place)
    }
}

fn write_cue_sheets(
    library: &Library,
    folder: &Path,
    replace: bool,
    printer: Printer,
) -> Result<ExitStatus> {
    let options = output(library, folder);
    let mut sheets = Sheets {
        root: library.root(),
        folder,
        options: if replace {
            options
        } else {
            options.create_new()
        },
        printer,
        written: HashSet::new(),
        skipped: 0,
        failed: 0,
    };
    let exported = export::cue_sheets(library, |sheet| {
        sheets.write(sheet);
        Ok(())
    })?;
    printer.wrote(sheets.written.len(), "cue sheet", folder);
    if sheets.skipped > 0 {
        printer.hint(Volume::Brief, "--replace writes over existing files");
    }
    Ok(match sheets.skipped + sheets.failed {
        0 => ended(exported, printer),
        _ => ExitStatus::SomeFailed,
    })
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

/// Parquet has its table of contents at its end, which is of no use to a pipe that is cut.
fn to_parquet(library: &Library, args: &args::Export, printer: Printer) -> Result<ExitStatus> {
    let path = args
        .output
        .as_deref()
        .context("a Parquet file cannot be printed: name it with -o FILE")?;
    let exported = to_file(library, path, |library, file| {
        parquet::export(library, file)
    })?;
    Ok(written(exported, path, printer))
}

fn written(exported: Exported, path: &Path, printer: Printer) -> ExitStatus {
    printer.wrote(exported.written, "passage", path);
    ended(exported, printer)
}

fn to_file(
    library: &Library,
    path: &Path,
    export: impl FnOnce(&Library, &mut Output) -> music::Result<Exported>,
) -> Result<Exported> {
    let mut file = output(library, path).open(path)?;
    let exported =
        export(library, &mut file).with_context(|| format!("cannot write `{}`", path.display()))?;
    file.finish()?;
    Ok(exported)
}
