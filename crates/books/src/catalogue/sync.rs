//! What is known of books' archives: which are stored, which are wanted, and what happened to each.

use serde::Serialize;

use crate::archive::{MARC_COLUMNS, Marc};
use crate::catalogue::Catalogue;
use crate::catalogue::claims::Claims;
use crate::catalogue::store::{Reader, Recorded, Tx};
use crate::catalogue::value::{Row, Value};
use crate::error::Error;

/// Days after which a conversion that was asked for and brought no archive is asked for again. A guess: libraries report
/// that GRIN converts within days and keeps what is converted for some weeks.
const EXPIRED_DAYS: i64 = 30;

/// Tries after which a book is left alone.
pub(crate) const MOST_TRIES: u64 = 5;

/// A line of a book's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) kind: &'static str,
    pub(crate) value: &'static str,
    /// JSON.
    pub(crate) metadata: Option<String>,
    pub(crate) at: String,
}

/// What changes in a book's row; `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) storage_path: Option<String>,
    pub(crate) last_etag_check: Option<String>,
    pub(crate) encrypted_etag: Option<String>,
    pub(crate) is_decrypted: Option<bool>,
    pub(crate) sync_timestamp: Option<String>,
    pub(crate) requested_at: Option<String>,
}

/// What is stored of a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredArchive {
    /// The book.
    pub barcode: String,
    /// Where it is: `bucket/key`, or a path.
    pub storage_path: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// MD5 in hexadecimal digits.
    pub md5: String,
    /// CRC-64/NVME in hexadecimal digits.
    pub crc64: String,
    /// Which version of GRIN's archive it was made from.
    pub encrypted_etag: String,
    /// Lines of its text, if any was extracted.
    pub pages: Option<u64>,
    /// When the store confirmed it.
    pub stored_at: String,
}

/// Why a book failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The book.
    pub barcode: String,
    /// The stage that gave up.
    pub stage: String,
    /// What was wrong.
    pub reason: String,
    /// Times it failed.
    pub tries: u64,
    /// Whether another try may help although GRIN's archive stays the same.
    pub later: bool,
    /// Which version of GRIN's archive it was.
    pub encrypted_etag: Option<String>,
    /// When.
    pub happened_at: String,
}

/// What one book's work leaves behind, recorded in one transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct BookRecord {
    pub(crate) barcode: String,
    pub(crate) statuses: Vec<Status>,
    pub(crate) fields: Fields,
    pub(crate) marc: Option<Marc>,
    pub(crate) archive: Option<StoredArchive>,
    pub(crate) failure: Option<Failure>,
    /// Whether failures of before are forgotten.
    pub(crate) recovered: bool,
}

/// What is known of a book before it is worked on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KnownBook {
    pub(crate) encrypted_etag: Option<String>,
    /// Whether somebody recorded that its archive was stored.
    pub(crate) is_uploaded: bool,
    pub(crate) is_completed: bool,
    /// Whether what is stored of it was found to be wrong, and nothing was stored since.
    pub(crate) is_doubted: bool,
    pub(crate) archive: Option<StoredArchive>,
    pub(crate) failure: Option<Failure>,
}

/// Stored, and not only said to be: the other tool writes `completed` after uploads that failed, too.
pub(super) const SYNCED: &str = "EXISTS (SELECT 1 FROM book_status_history AS h
        WHERE h.status_type = 'sync' AND h.status_value = 'completed' AND h.barcode = b.barcode)
    AND NOT (
        EXISTS (SELECT 1 FROM book_status_history AS h WHERE h.barcode = b.barcode
            AND h.status_type = 'sync' AND h.status_value IN ('upload_failed', 'unpack_failed', 'decrypt_failed'))
        AND NOT EXISTS (SELECT 1 FROM accession_archive AS a WHERE a.barcode = b.barcode)
        AND (NOT EXISTS (SELECT 1 FROM book_status_history AS h WHERE h.barcode = b.barcode
                AND h.status_type = 'sync' AND h.status_value = 'uploaded')
            OR (SELECT max(h.id) FROM book_status_history AS h WHERE h.barcode = b.barcode
                    AND h.status_type = 'sync' AND h.status_value IN ('unpack_failed', 'decrypt_failed'))
                > (SELECT max(h.id) FROM book_status_history AS h WHERE h.barcode = b.barcode
                    AND h.status_type = 'sync' AND h.status_value IN ('downloaded', 'unpacked'))))";

/// GRIN will not convert it. What the other tool took for that because it did not know the words is left out.
pub(super) const REFUSED: &str = "EXISTS (SELECT 1 FROM book_status_history AS h WHERE h.barcode = b.barcode
        AND h.status_type = 'conversion' AND h.status_value IN ('unavailable', 'conversion_failed')
        AND NOT (h.status_value = 'unavailable' AND lower(coalesce(h.metadata, '')) LIKE '%already%'))";

/// Of these barcodes, those that are not stored yet, in the same order.
pub(crate) fn unsynced(catalogue: &Catalogue, barcodes: &[String]) -> Result<Vec<String>, Error> {
    let list = serde_json::to_string(barcodes).unwrap_or_default();
    catalogue.read(|reader| {
        let list_of_barcodes = reader.list(1);
        let sql = format!(
            "SELECT b.barcode FROM (SELECT value AS barcode, key FROM {list_of_barcodes}) AS b
             WHERE NOT ({SYNCED}) ORDER BY b.key"
        );
        reader.all(&sql, &[(&list).into()], |row| row.get(0))
    })
}

/// Of these barcodes, those that have no row.
pub(crate) fn unknown(catalogue: &Catalogue, barcodes: &[String]) -> Result<Vec<String>, Error> {
    let list = serde_json::to_string(barcodes).unwrap_or_default();
    catalogue.read(|reader| {
        let list_of_barcodes = reader.list(1);
        let sql = format!(
            "SELECT value FROM {list_of_barcodes} WHERE NOT EXISTS (SELECT 1 FROM books WHERE barcode = value)
             ORDER BY key"
        );
        reader.all(&sql, &[(&list).into()], |row| row.get(0))
    })
}

/// A queue that the database knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// GRIN had them converted once.
    Previous,
    /// They were never converted.
    Unconverted,
    /// They are stored, and GRIN may have another version.
    Stored,
}

/// What is true of the books of a queue, named `b`; `expired` stands for the time before which a conversion that was asked
/// for is asked for again.
pub(super) fn condition(queue: Wanted, expired: &str) -> String {
    let requested = format!(
        "(coalesce(b.processing_request_timestamp, '') = '' OR b.processing_request_timestamp < {expired})"
    );
    match queue {
        Wanted::Previous => {
            format!(
                "b.grin_state = 'PREVIOUSLY_DOWNLOADED' AND {requested} AND NOT {REFUSED} AND NOT ({SYNCED})"
            )
        }
        Wanted::Unconverted => format!(
            "coalesce(b.converted_date, '') = '' AND coalesce(b.grin_check_in_date, '') = ''
             AND coalesce(b.grin_state, '') NOT IN ('CHECKED_IN', 'NOT_AVAILABLE_FOR_DOWNLOAD')
             AND {requested} AND NOT {REFUSED} AND NOT ({SYNCED})"
        ),
        Wanted::Stored => {
            format!("coalesce(b.encrypted_etag, '') <> '' AND {expired} <> '' AND {SYNCED}")
        }
    }
}

/// The time before which a conversion that was asked for is asked for again.
pub(super) fn expired() -> String {
    crate::date::stamp(jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * EXPIRED_DAYS))
}

/// Some barcodes of a queue, after the row `above`, and the last row.
pub(crate) fn wanted(
    catalogue: &Catalogue,
    queue: Wanted,
    above: i64,
    most: u32,
) -> Result<(Vec<String>, i64), Error> {
    let sql = format!(
        "SELECT b.rowid, b.barcode FROM books AS b WHERE b.rowid > ?1 AND {} ORDER BY b.rowid LIMIT ?2",
        condition(queue, "?3")
    );
    catalogue.read(|reader| {
        let rows: Vec<(i64, String)> = reader.all(
            &sql,
            &[above.into(), most.into(), (&expired()).into()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let last = rows.last().map_or(above, |(rowid, _)| *rowid);
        Ok((rows.into_iter().map(|(_, barcode)| barcode).collect(), last))
    })
}

/// What is known of a book.
pub(crate) fn book(catalogue: &Catalogue, barcode: &str) -> Result<KnownBook, Error> {
    catalogue.read(|reader| {
        let etag = reader.first(
            "SELECT nullif(encrypted_etag, '') FROM books WHERE barcode = ?1",
            &[barcode.into()],
            |row| row.get::<Option<String>>(0),
        )?;
        let sql = format!(
            "SELECT {SYNCED}, EXISTS (SELECT 1 FROM book_status_history AS h WHERE h.status_type = 'sync'
                 AND h.status_value = 'uploaded' AND h.barcode = b.barcode),
               coalesce((SELECT h.status_value = 'verify_failed' FROM book_status_history AS h
                 WHERE h.barcode = b.barcode AND h.status_type = 'sync'
                   AND h.status_value IN ('verify_failed', 'uploaded', 'completed') ORDER BY h.id DESC LIMIT 1), FALSE)
             FROM (SELECT ?1 AS barcode) AS b"
        );
        let (is_completed, is_uploaded, is_doubted) =
            reader.one(&sql, &[barcode.into()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        Ok(KnownBook {
            encrypted_etag: etag.flatten(),
            is_uploaded,
            is_completed,
            is_doubted,
            archive: recorded_archive(reader, barcode)?,
            failure: reader.first(
                &format!("{FAILURE} WHERE barcode = ?1"),
                &[barcode.into()],
                failure,
            )?,
        })
    })
}

fn recorded_archive(reader: &Reader<'_>, barcode: &str) -> Result<Option<StoredArchive>, Error> {
    let sql = format!("{ARCHIVE} WHERE barcode = ?1");
    reader.first(&sql, &[barcode.into()], archive)
}

const ARCHIVE: &str =
    "SELECT barcode, storage_path, bytes, sha256, md5, crc64, encrypted_etag, pages, stored_at
    FROM accession_archive";

fn archive(row: &Row<'_>) -> Result<StoredArchive, Error> {
    Ok(StoredArchive {
        barcode: row.get(0)?,
        storage_path: row.get(1)?,
        bytes: row.get(2)?,
        sha256: row.get(3)?,
        md5: row.get(4)?,
        crc64: row.get(5)?,
        encrypted_etag: row.get(6)?,
        pages: row.get(7)?,
        stored_at: row.get(8)?,
    })
}

const FAILURE: &str = "SELECT barcode, stage, reason, tries, later, encrypted_etag, happened_at FROM accession_sync_failure";

fn failure(row: &Row<'_>) -> Result<Failure, Error> {
    Ok(Failure {
        barcode: row.get(0)?,
        stage: row.get(1)?,
        reason: row.get(2)?,
        tries: row.get(3)?,
        later: row.get(4)?,
        encrypted_etag: row.get(5)?,
        happened_at: row.get(6)?,
    })
}

/// A book that is said to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SaidStored {
    pub(crate) barcode: String,
    /// What is recorded of its archive; nothing if another tool stored it.
    pub(crate) archive: Option<StoredArchive>,
    /// What its own history says against it.
    pub(crate) contradiction: Option<String>,
}

/// Books that are said to be stored, after the barcode `above`, in the order of barcodes.
pub(crate) fn said_stored(
    catalogue: &Catalogue,
    above: &str,
    most: u32,
) -> Result<Vec<SaidStored>, Error> {
    let of_history = format!(
        "SELECT DISTINCT b.barcode, {SYNCED} FROM book_status_history AS b
         WHERE b.status_type = 'sync' AND b.status_value = 'completed' AND b.barcode > ?1 ORDER BY b.barcode LIMIT ?2"
    );
    catalogue.read(|reader| {
        let said: Vec<(String, bool)> =
            reader.all(&of_history, &[above.into(), most.into()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut found = Vec::with_capacity(said.len());
        for (barcode, is_synced) in said {
            let contradiction = "it is called completed after a step that failed".to_owned();
            found.push(SaidStored {
                archive: recorded_archive(reader, &barcode)?,
                contradiction: (!is_synced).then_some(contradiction),
                barcode,
            });
        }
        Ok(found)
    })
}

/// Books that failed, those that failed most often first.
///
/// # Errors
///
/// [`Error::Database`].
pub fn failures(catalogue: &Catalogue, most: u32) -> Result<Vec<Failure>, Error> {
    catalogue.read(|reader| {
        let sql = format!("{FAILURE} ORDER BY tries DESC, barcode LIMIT ?1");
        reader.all(&sql, &[most.into()], failure)
    })
}

/// How many of something there are, and how many bytes they have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// What it is.
    pub name: String,
    /// How many books.
    pub books: u64,
}

/// Where the archives of a run stand.
#[derive(Clone, Debug, Serialize)]
pub struct SyncReport {
    /// Books known.
    pub books: u64,
    /// Books whose archive is stored.
    pub stored: u64,
    /// Bytes that are stored, as far as it is known.
    pub stored_bytes: u64,
    /// Books by the last line of their history.
    pub last_steps: Vec<Stage>,
    /// Books that failed, by stage and reason.
    pub failures: Vec<Stage>,
    /// Books stored on each of the last 31 days on which any was.
    pub days: Vec<Stage>,
}

/// Where the archives of a run stand.
///
/// # Errors
///
/// [`Error::Database`].
pub fn report(catalogue: &Catalogue) -> Result<SyncReport, Error> {
    catalogue.read(|reader| {
        let count = |sql: &str| reader.one(sql, &[], |row| row.get::<u64>(0));
        let stages = |sql: &str| {
            reader.all(sql, &[], |row| {
                Ok(Stage {
                    name: row.get(0)?,
                    books: row.get(1)?,
                })
            })
        };
        let stored = format!("SELECT count(*) FROM books AS b WHERE {SYNCED}");
        Ok(SyncReport {
            books: count("SELECT count(*) FROM books")?,
            stored: count(&stored)?,
            stored_bytes: count("SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM accession_archive")?,
            last_steps: stages(
                "SELECT status_type || '/' || status_value, count(*) FROM book_status_history
                 WHERE id IN (SELECT max(id) FROM book_status_history GROUP BY barcode) GROUP BY 1 ORDER BY 2 DESC, 1",
            )?,
            failures: stages(
                "SELECT stage || ': ' || reason, count(*) FROM accession_sync_failure GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100",
            )?,
            days: stages(
                "SELECT substr(stored_at, 1, 10), count(*) FROM accession_archive GROUP BY 1 ORDER BY 1 DESC LIMIT 31",
            )?,
        })
    })
}

/// Columns of a line of history.
const HISTORY: [&str; 5] = [
    "barcode",
    "status_type",
    "status_value",
    "timestamp",
    "metadata",
];

/// A claim under which a book was worked on: whose, and in which queue.
pub(crate) type Claim = (Claims, &'static str);

/// Records what one book's work left behind: all of it, or nothing. Whether it was recorded: not if somebody else has
/// taken the book over.
pub(crate) fn record(
    catalogue: &Catalogue,
    record: BookRecord,
    claim: Option<Claim>,
    now: String,
) -> Recorded<bool> {
    catalogue.write("record archive", move |tx| {
        if let Some((claims, queue)) = &claim
            && !claims.held(tx, queue, &record.barcode)?
        {
            return Ok(false);
        }
        tx.execute(
            "INSERT INTO books (barcode, created_at, updated_at) VALUES (?1, ?2, ?2) ON CONFLICT (barcode) DO NOTHING",
            &[(&record.barcode).into(), (&now).into()],
        )?;
        let statuses = record.statuses.iter().map(|status| {
            [
                (&record.barcode).into(),
                status.kind.into(),
                status.value.into(),
                (&status.at).into(),
                status.metadata.as_deref().into(),
            ]
        });
        tx.insert_rows("book_status_history", &HISTORY, None, statuses)?;
        fields(tx, &record, &now)?;
        if let Some(marc) = &record.marc {
            describe(tx, &record.barcode, marc, &now)?;
        }
        if let Some(archive) = &record.archive {
            store(tx, archive)?;
        }
        if record.recovered {
            tx.execute("DELETE FROM accession_sync_failure WHERE barcode = ?1", &[(&record.barcode).into()])?;
        }
        if let Some(failure) = &record.failure {
            fail(tx, failure)?;
        }
        Ok(true)
    })
}

fn fields(tx: &Tx<'_>, record: &BookRecord, now: &str) -> Result<(), Error> {
    let fields = &record.fields;
    tx.execute(
        "UPDATE books SET storage_path = coalesce(?2, storage_path), last_etag_check = coalesce(?3, last_etag_check),
             encrypted_etag = coalesce(?4, encrypted_etag), is_decrypted = coalesce(?5, is_decrypted),
             sync_timestamp = coalesce(?6, sync_timestamp),
             processing_request_timestamp = coalesce(?7, processing_request_timestamp), updated_at = ?8
         WHERE barcode = ?1",
        &[
            (&record.barcode).into(),
            fields.storage_path.as_deref().into(),
            fields.last_etag_check.as_deref().into(),
            fields.encrypted_etag.as_deref().into(),
            fields.is_decrypted.into(),
            fields.sync_timestamp.as_deref().into(),
            fields.requested_at.as_deref().into(),
            now.into(),
        ],
    )?;
    Ok(())
}

/// What a record says replaces what was known; where it says nothing, that stays.
fn describe(tx: &Tx<'_>, barcode: &str, marc: &Marc, now: &str) -> Result<(), Error> {
    let sets: Vec<String> = MARC_COLUMNS
        .iter()
        .enumerate()
        .map(|(index, column)| format!("{column} = coalesce(?{}, {column})", index + 3))
        .collect();
    let sql = format!(
        "UPDATE books SET marc_extraction_timestamp = ?2, {} WHERE barcode = ?1",
        sets.join(", ")
    );
    let mut values: Vec<Value<'_>> = vec![barcode.into(), now.into()];
    values.extend(
        marc.values
            .iter()
            .map(|value| Value::from(value.as_deref())),
    );
    tx.execute(&sql, &values)?;
    Ok(())
}

fn store(tx: &Tx<'_>, archive: &StoredArchive) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO accession_archive
             (barcode, storage_path, bytes, sha256, md5, crc64, encrypted_etag, pages, stored_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (barcode) DO UPDATE SET storage_path = excluded.storage_path, bytes = excluded.bytes,
             sha256 = excluded.sha256, md5 = excluded.md5, crc64 = excluded.crc64,
             encrypted_etag = excluded.encrypted_etag, pages = excluded.pages, stored_at = excluded.stored_at",
        &[
            (&archive.barcode).into(),
            (&archive.storage_path).into(),
            archive.bytes.into(),
            (&archive.sha256).into(),
            (&archive.md5).into(),
            (&archive.crc64).into(),
            (&archive.encrypted_etag).into(),
            archive.pages.into(),
            (&archive.stored_at).into(),
        ],
    )?;
    Ok(())
}

pub(super) fn fail(tx: &Tx<'_>, failure: &Failure) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO accession_sync_failure (barcode, stage, reason, tries, later, encrypted_etag, happened_at)
         VALUES (?1, ?2, ?3, ?7, ?4, ?5, ?6)
         ON CONFLICT (barcode) DO UPDATE SET stage = excluded.stage, reason = excluded.reason,
             tries = accession_sync_failure.tries + excluded.tries,
             later = excluded.later, encrypted_etag = excluded.encrypted_etag, happened_at = excluded.happened_at",
        &[
            (&failure.barcode).into(),
            (&failure.stage).into(),
            (&failure.reason).into(),
            failure.later.into(),
            failure.encrypted_etag.as_deref().into(),
            (&failure.happened_at).into(),
            failure.tries.into(),
        ],
    )?;
    Ok(())
}

/// Puts books back into the queue: what is said to be stored of them is not, or is wrong. Their history keeps what was
/// said, and gets a line that says otherwise.
pub(crate) fn doubt(
    catalogue: &Catalogue,
    books: Vec<(String, String)>,
    now: String,
) -> Recorded<()> {
    catalogue.write("doubt archives", move |tx| {
        for (barcode, reason) in &books {
            tx.execute(
                "UPDATE book_status_history SET status_value = 'completed_doubted'
                 WHERE barcode = ?1 AND status_type = 'sync' AND status_value = 'completed'",
                &[barcode.into()],
            )?;
            let metadata = serde_json::json!({ "error": reason }).to_string();
            tx.execute(
                "INSERT INTO book_status_history (barcode, status_type, status_value, timestamp, metadata)
                 VALUES (?1, 'sync', 'verify_failed', ?2, ?3)",
                &[barcode.into(), (&now).into(), (&metadata).into()],
            )?;
            tx.execute(
                "UPDATE books SET encrypted_etag = NULL, sync_timestamp = NULL, updated_at = ?2 WHERE barcode = ?1",
                &[barcode.into(), (&now).into()],
            )?;
            for table in ["accession_archive", "accession_sync_failure"] {
                let sql = format!("DELETE FROM {table} WHERE barcode = ?1");
                tx.execute(&sql, &[barcode.into()])?;
            }
        }
        Ok(())
    })
}
