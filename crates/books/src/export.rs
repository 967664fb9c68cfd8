//! Writes all books out, row by row, in memory that does not grow with their number.
//!
//! The table of comma-separated values is an interface, byte for byte; Parquet and JSON lines carry the same for those
//! who take the data further.

mod csv;
mod json_lines;
mod parquet;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::catalogue::COLUMNS;
use crate::catalogue::Catalogue;
use crate::catalogue::rows::{self, Value};
use crate::error::Error;

/// A form to write books in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values: 54 columns with headers, CRLF, quotes where needed.
    Csv,
    /// One JSON object a line, keys as the columns of the database.
    JsonLines,
    /// A Parquet file, compressed with Snappy.
    Parquet,
}

/// Takes rows and writes them.
trait Sink {
    fn row(&mut self, row: &[Value<'_>; COLUMNS.len()]) -> Result<(), Error>;
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Bytes that wait to be written.
const BUFFER: usize = 1 << 18;

/// Writes all books to `path`, in the order in which they came; how many.
///
/// A file appears when it is whole, and replaces an older one then; a device, a pipe or the target of a link is written
/// through. The files of the run itself, in the directory `run`, are refused.
///
/// # Errors
///
/// [`Error::Output`], [`Error::File`], [`Error::Database`]; then no file has changed at `path`.
pub fn to_file(catalogue: &Catalogue, run: &Path, form: Form, path: &Path) -> Result<u64, Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
    let mut options = crate::run::outputs(run);
    if let Some(database) = catalogue.path() {
        options = options.protect_database(database);
    }
    let mut output = options.open(path)?;
    let count = export(catalogue, form, &mut output)?;
    output.finish()?;
    Ok(count)
}

/// Writes all books to `out`; how many.
///
/// # Errors
///
/// [`Error::Output`], [`Error::Database`].
pub fn export(catalogue: &Catalogue, form: Form, out: impl Write + Send) -> Result<u64, Error> {
    let out = BufWriter::with_capacity(BUFFER, out);
    let mut sink: Box<dyn Sink + '_> = match form {
        Form::Csv => Box::new(csv::Csv::begin(out)?),
        Form::JsonLines => Box::new(json_lines::JsonLines::begin(out)),
        Form::Parquet => Box::new(parquet::Parquet::begin(out)?),
    };
    let count = rows::each(catalogue, |row| sink.row(row))?;
    sink.finish()?;
    Ok(count)
}

#[cfg(test)]
mod tests;
