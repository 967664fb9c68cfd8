//! `books export`.

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Result;
use books::{Error, export};
use run::ExitStatus;

use crate::args::books as args;
use crate::commands::books::{open_to_read, unfinished};
use crate::printer::Printer;

/// Writes all books out.
pub(crate) fn export(args: &args::Export, printer: Printer) -> Result<ExitStatus> {
    let (run, catalogue) = open_to_read(&args.place, printer)?;
    if let Some(message) = unfinished(&args.place, &catalogue)? {
        printer.warning(message);
    }
    let form = args.form.or_else(|| by_ending(args.output.as_deref()?));
    let (form, name) = match form.unwrap_or(args::Form::Csv) {
        args::Form::Csv => (export::Form::Csv, "books_export.csv"),
        args::Form::Jsonl => (export::Form::JsonLines, "books_export.jsonl"),
        args::Form::Parquet => (export::Form::Parquet, "books_export.parquet"),
    };
    if args.output.as_deref() == Some(Path::new("-")) {
        let mut out = Printer::stdout();
        match export::export(&catalogue, form, &mut out)
            .and_then(|_| out.flush().map_err(Error::Output))
        {
            Ok(()) => {}
            Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) => return Err(error.into()),
        }
        return Ok(ExitStatus::Done);
    }
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| run.directory().join(name));
    let count = export::to_file(&catalogue, run.directory(), form, &path)?;
    printer.wrote(count, "book", &path);
    Ok(ExitStatus::Done)
}

/// The form that a file's ending names.
fn by_ending(path: &Path) -> Option<args::Form> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(args::Form::Csv),
        "jsonl" | "ndjson" => Some(args::Form::Jsonl),
        "parquet" => Some(args::Form::Parquet),
        _ => None,
    }
}
