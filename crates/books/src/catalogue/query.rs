//! Everything that is read from the database, besides whole exports.

use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::catalogue::pass::{self, Pass};
use crate::catalogue::stored::{self, Archives};
use crate::error::Error;

/// How many of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The command that met it.
    pub command: String,
    /// The page or barcodes concerned.
    pub item: String,
    /// Why.
    pub reason: String,
    /// When.
    pub happened_at: String,
}

/// Where a run stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The database: a file, or a server's address and the schema.
    pub database: String,
    /// Books known.
    pub books: u64,
    /// Books that GRIN was asked about, successfully.
    pub enriched: u64,
    /// Of these, books that it does not know.
    pub not_found: u64,
    /// Books that the last complete pass did not name.
    pub vanished: u64,
    /// Books by their state in GRIN.
    pub states: Vec<Count>,
    /// The last pass, if there was one.
    pub collection: Option<Pass>,
    /// When a pass last came to its end; what is known since then is the whole catalogue, whatever a later pass does.
    pub complete_since: Option<String>,
    /// Books a second during the last pass, from its first to its last page.
    pub books_per_second: Option<f64>,
    /// Where the archives stand.
    pub archives: Archives,
    /// What failed last.
    pub problems: Vec<Problem>,
}

/// Books known.
pub(crate) fn count_books(catalogue: &Catalogue) -> Result<u64, Error> {
    catalogue.read(|reader| reader.one("SELECT count(*) FROM books", &[], |row| row.get(0)))
}

/// Books that remain to be enriched.
pub(crate) fn count_unenriched(catalogue: &Catalogue) -> Result<u64, Error> {
    catalogue.read(|reader| {
        reader.one(
            "SELECT count(*) FROM books WHERE coalesce(enrichment_timestamp, '') = ''",
            &[],
            |row| row.get(0),
        )
    })
}

/// Whether books that remain to be enriched are said not to be known to GRIN.
pub(crate) fn has_doubtful(catalogue: &Catalogue) -> Result<bool, Error> {
    catalogue.read(|reader| {
        reader.one(
            "SELECT EXISTS (SELECT 1 FROM accession_not_found JOIN books USING (barcode)
                 WHERE coalesce(enrichment_timestamp, '') = '')",
            &[],
            |row| row.get(0),
        )
    })
}

/// Some books that remain to be enriched, after the row `above`: barcodes, and the last row.
pub(crate) fn unenriched(
    catalogue: &Catalogue,
    above: i64,
    most: u32,
) -> Result<(Vec<String>, i64), Error> {
    catalogue.read(|reader| {
        let rows: Vec<(i64, String)> = reader.all(
            "SELECT rowid, barcode FROM books
             WHERE rowid > ?1 AND coalesce(enrichment_timestamp, '') = '' ORDER BY rowid LIMIT ?2",
            &[above.into(), most.into()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let last = rows.last().map_or(above, |(rowid, _)| *rowid);
        Ok((rows.into_iter().map(|(_, barcode)| barcode).collect(), last))
    })
}

/// The last row of `books`.
pub(crate) fn last_row(catalogue: &Catalogue) -> Result<i64, Error> {
    catalogue.read(|reader| {
        let sql = "SELECT coalesce(max(rowid), 0) FROM books";
        reader.one(sql, &[], |row| row.get(0))
    })
}

/// Whether a collection was begun and none ever came to its end. Of books that another program collected nothing is
/// known.
///
/// # Errors
///
/// [`Error::Database`].
pub fn is_unfinished(catalogue: &Catalogue) -> Result<bool, Error> {
    catalogue.read(|reader| {
        reader.one(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM accession_collection) \
                THEN NOT EXISTS (SELECT 1 FROM accession_collection WHERE completed_at IS NOT NULL) \
                ELSE NOT EXISTS (SELECT 1 FROM books) END",
            &[],
            |row| row.get(0),
        )
    })
}

/// Where a run stands.
///
/// # Errors
///
/// [`Error::Database`].
pub fn status(catalogue: &Catalogue) -> Result<Status, Error> {
    catalogue.read(|reader| {
        let count = |sql: &str| reader.one(sql, &[], |row| row.get::<u64>(0));
        let collection = pass::read(reader)?;
        let books = count("SELECT count(*) FROM books")?;
        Ok(Status {
            database: catalogue.shown(),
            books,
            archives: stored::archives(reader, books)?,
            enriched: count("SELECT count(*) FROM books WHERE coalesce(enrichment_timestamp, '') <> ''")?,
            not_found: count("SELECT count(*) FROM accession_not_found")?,
            vanished: count("SELECT count(*) FROM accession_vanished")?,
            states: reader.all(
                "SELECT coalesce(nullif(grin_state, ''), 'unknown') AS state, count(*) FROM books
                 GROUP BY state ORDER BY 2 DESC, 1",
                &[],
                |row| {
                    Ok(Count {
                        name: row.get(0)?,
                        count: row.get(1)?,
                    })
                },
            )?,
            books_per_second: collection.as_ref().and_then(rate),
            collection,
            complete_since: reader.one(
                "SELECT max(completed_at) FROM accession_collection",
                &[],
                |row| row.get(0),
            )?,
            problems: reader.all(
                "SELECT command, item, reason, happened_at FROM accession_problem ORDER BY happened_at DESC, item LIMIT 1000",
                &[],
                |row| {
                    Ok(Problem {
                        command: row.get(0)?,
                        item: row.get(1)?,
                        reason: row.get(2)?,
                        happened_at: row.get(3)?,
                    })
                },
            )?,
        })
    })
}

fn rate(pass: &Pass) -> Option<f64> {
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let taken = time(&pass.updated_at)?.duration_since(time(&pass.started_at)?);
    let seconds = taken.as_secs_f64();
    (seconds > 0.0).then(|| pass.books as f64 / seconds)
}
