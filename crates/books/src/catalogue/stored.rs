//! How many archives of a run are stored, failed, and waited for, and how long its queues are.

use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::catalogue::store::Reader;
use crate::catalogue::sync::{MOST_TRIES, REFUSED, SYNCED, Wanted, condition, expired};
use crate::error::Error;

/// Where the archives of a run stand, in numbers of books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Archives {
    /// Those whose archive is stored.
    pub stored: u64,
    /// Bytes that are stored, as far as it is known.
    pub stored_bytes: u64,
    /// Those that failed last.
    pub failed: u64,
    /// Of these, those that are left alone until GRIN has another version or somebody asks for them.
    pub given_up: u64,
    /// Those that GRIN was asked to convert and that have not come yet.
    pub waiting: u64,
    /// Those that GRIN cannot or will not convert.
    pub refused: u64,
    /// All others.
    pub to_come: u64,
}

/// Where the archives stand of a run that knows so many books.
pub(super) fn archives(reader: &Reader<'_>, books: u64) -> Result<Archives, Error> {
    let count = |sql: &str| reader.one(sql, &[], |row| row.get::<u64>(0));
    let stored = format!(
        "SELECT count(*) FROM (SELECT DISTINCT barcode FROM book_status_history
             WHERE status_type = 'sync' AND status_value = 'completed') AS b WHERE {SYNCED}"
    );
    let failed_too =
        "EXISTS (SELECT 1 FROM accession_sync_failure AS f WHERE f.barcode = b.barcode)";
    let refused = format!(
        "SELECT count(*) FROM (SELECT DISTINCT barcode FROM book_status_history AS b
             WHERE status_type = 'conversion') AS b
         WHERE {REFUSED} AND NOT {failed_too} AND NOT ({SYNCED})"
    );
    let waiting = format!(
        "SELECT count(*) FROM books AS b WHERE b.processing_request_timestamp >= ?1
             AND NOT {REFUSED} AND NOT {failed_too} AND NOT ({SYNCED})"
    );
    let given_up = format!(
        "SELECT count(*) FROM accession_sync_failure WHERE later = 0 OR tries >= {MOST_TRIES}"
    );
    let mut archives = Archives {
        stored: count(&stored)?,
        stored_bytes: count(
            "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM accession_archive",
        )?,
        failed: count("SELECT count(*) FROM accession_sync_failure")?,
        given_up: count(&given_up)?,
        waiting: reader.one(&waiting, &[(&expired()).into()], |row| row.get(0))?,
        refused: count(&refused)?,
        to_come: 0,
    };
    let told = archives.stored + archives.failed + archives.waiting + archives.refused;
    // A stored book of which another version failed is both.
    archives.to_come = books.saturating_sub(told);
    Ok(archives)
}

/// Books in a queue.
pub(crate) fn count_wanted(catalogue: &Catalogue, queue: Wanted) -> Result<u64, Error> {
    let sql = format!(
        "SELECT count(*) FROM books AS b WHERE {}",
        condition(queue, "?1")
    );
    catalogue.read(|reader| reader.one(&sql, &[(&expired()).into()], |row| row.get(0)))
}

/// Books that are stored.
pub(crate) fn count_stored(catalogue: &Catalogue) -> Result<u64, Error> {
    let sql = format!("SELECT count(*) FROM books AS b WHERE {SYNCED}");
    catalogue.read(|reader| reader.one(&sql, &[], |row| row.get(0)))
}

/// Whether any archive is said to be stored, and whether the text of any is.
pub(crate) fn any_stored(catalogue: &Catalogue) -> Result<(bool, bool), Error> {
    let archive = format!(
        "SELECT b.barcode FROM book_status_history AS b
         WHERE b.status_type = 'sync' AND b.status_value = 'completed' AND ({SYNCED}) LIMIT 1"
    );
    let text = format!(
        "SELECT b.barcode FROM accession_archive AS b WHERE b.pages IS NOT NULL AND ({SYNCED}) LIMIT 1"
    );
    catalogue.read(|reader| {
        let any = |sql: &str| -> Result<bool, Error> {
            let found: Vec<String> = reader.all(sql, &[], |row| row.get(0))?;
            Ok(!found.is_empty())
        };
        Ok((any(&archive)?, any(&text)?))
    })
}

/// Of these barcodes, those of which an archive is stored, complete or not.
pub(crate) fn held(catalogue: &Catalogue, barcodes: &[String]) -> Result<Vec<String>, Error> {
    let list = serde_json::to_string(barcodes).unwrap_or_default();
    catalogue.read(|reader| {
        let list_of_barcodes = reader.list(1);
        let sql = format!(
            "SELECT b.barcode FROM (SELECT value AS barcode FROM {list_of_barcodes}) AS b
             WHERE EXISTS (SELECT 1 FROM accession_archive AS a WHERE a.barcode = b.barcode) OR ({SYNCED})"
        );
        reader.all(&sql, &[(&list).into()], |row| row.get(0))
    })
}
