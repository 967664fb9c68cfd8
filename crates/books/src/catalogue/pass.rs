//! One pass through the catalogue's list pages: where it stands, and what it recorded.
//!
//! A transaction holds thousands of books: two commits a book were what made our predecessor slow. Where to go on is
//! recorded in the same transaction as the books that lead there.

use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::catalogue::store::{Conflict, Reader, Recorded, Tx};
use crate::catalogue::value::Value;
use crate::error::Error;
use crate::listed::Books;

/// One pass through the catalogue's pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pass {
    /// Its number.
    #[serde(skip)]
    pub id: i64,
    /// Whether known books are updated.
    pub refresh: bool,
    /// What marks its books.
    pub session_id: i64,
    /// When it began.
    pub started_at: String,
    /// When something was last recorded.
    pub updated_at: String,
    /// When it was complete, if it is.
    pub completed_at: Option<String>,
    /// The page to go on with, if it is not.
    pub next_page: Option<String>,
    /// Pages recorded.
    pub pages: u64,
    /// Books that they named.
    pub books: u64,
    /// Books known when it began.
    pub books_before: u64,
    /// Books of the page to go on with that are recorded already.
    #[serde(skip)]
    pub part: u64,
}

impl Pass {
    /// Goes on behind a page.
    pub(crate) fn advance(&mut self, page: &ReadPage) {
        self.pages += 1;
        self.books += page.books;
        self.next_page.clone_from(&page.next);
        self.part = 0;
    }
}

/// A page that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownPage {
    /// Its address, relative to the library's directory.
    pub(crate) address: String,
    /// Books it named.
    pub(crate) books: u64,
    /// The first of them.
    pub(crate) first_barcode: String,
    /// The last of them.
    pub(crate) last_barcode: String,
}

/// Columns that a list page fills.
const LISTED: [&str; 13] = [
    "barcode",
    "title",
    "scanned_date",
    "converted_date",
    "downloaded_date",
    "processed_date",
    "analyzed_date",
    "ocr_date",
    "google_books_link",
    "processing_request_timestamp",
    "grin_state",
    "created_at",
    "updated_at",
];

/// A known book stays as it is, as the predecessor has it.
const KEEP: Conflict = Conflict {
    key: &["barcode"],
    then: "DO NOTHING",
};

/// A known book is updated, and no known value erased by a blank one.
const UPDATE: Conflict = Conflict {
    key: &["barcode"],
    then: "DO UPDATE SET
        title = coalesce(nullif(excluded.title, ''), books.title),
        scanned_date = coalesce(nullif(excluded.scanned_date, ''), books.scanned_date),
        converted_date = coalesce(nullif(excluded.converted_date, ''), books.converted_date),
        downloaded_date = coalesce(nullif(excluded.downloaded_date, ''), books.downloaded_date),
        processed_date = coalesce(nullif(excluded.processed_date, ''), books.processed_date),
        analyzed_date = coalesce(nullif(excluded.analyzed_date, ''), books.analyzed_date),
        ocr_date = coalesce(nullif(excluded.ocr_date, ''), books.ocr_date),
        google_books_link = coalesce(nullif(excluded.google_books_link, ''), books.google_books_link),
        grin_state = coalesce(nullif(excluded.grin_state, ''), books.grin_state),
        updated_at = excluded.updated_at",
};

const SEEN: Conflict = Conflict {
    key: &["barcode"],
    then: "DO UPDATE SET timestamp = excluded.timestamp, session_id = excluded.session_id",
};

/// Columns of a page that is done.
pub(super) const PAGE: [&str; 7] = [
    "collection_id",
    "number",
    "address",
    "books",
    "first_barcode",
    "last_barcode",
    "recorded_at",
];

/// A page that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadPage {
    pub(crate) address: String,
    pub(crate) books: u64,
    pub(crate) first_barcode: String,
    pub(crate) last_barcode: String,
    /// Where to go on; none after the last page.
    pub(crate) next: Option<String>,
}

/// What one transaction records of a catalogue: the ends of some pages, and books up to the middle of the next one.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) books: Books,
    /// With their numbers.
    pub(crate) pages: Vec<(u64, ReadPage)>,
    /// Whether the last of them was proved to be the last.
    pub(crate) is_last: bool,
    /// Books that have vanished, known with the last page.
    pub(crate) vanished: Vec<String>,
}

impl Listing {
    pub(crate) fn is_empty(&self) -> bool {
        self.books.is_empty() && self.pages.is_empty()
    }
}

/// Begins a pass.
pub(crate) fn begin(catalogue: &Catalogue, pass: &Pass) -> Result<(), Error> {
    let pass = pass.clone();
    catalogue.write_now("begin", move |tx| state(tx, &pass, &pass.started_at))
}

/// Records books and pages, together with where to go on.
///
/// After the last page the pass is complete, and the books that have vanished are marked; the number of those.
pub(crate) fn listing(
    catalogue: &Catalogue,
    pass: &Pass,
    listing: Listing,
    now: String,
) -> Recorded<u64> {
    let pass = pass.clone();
    catalogue.write("record books", move |tx| {
        list(tx, &pass, &listing.books, &now)?;
        state(tx, &pass, &now)?;
        if listing.pages.is_empty() {
            return Ok(0);
        }
        let rows = listing.pages.iter().map(|(number, page)| {
            [
                pass.id.into(),
                (*number).into(),
                (&page.address).into(),
                page.books.into(),
                (&page.first_barcode).into(),
                (&page.last_barcode).into(),
                (&now).into(),
            ]
        });
        tx.insert_rows("accession_page", &PAGE, None, rows)?;
        tx.execute(
            "DELETE FROM accession_problem WHERE command = 'collect'",
            &[],
        )?;
        if listing.is_last {
            return finish(tx, &pass, &listing.vanished, &now);
        }
        Ok(0)
    })
}

fn list(tx: &Tx<'_>, pass: &Pass, books: &Books, now: &str) -> Result<(), Error> {
    let rows = books.iter().map(|fields| {
        let [
            barcode,
            title,
            scanned,
            converted,
            downloaded,
            processed,
            analyzed,
            ocr,
            link,
            state,
        ] = fields;
        let (created_at, updated_at, requested) = (now, now, Value::Null);
        [
            barcode.into(),
            title.into(),
            known(scanned),
            known(converted),
            known(downloaded),
            known(processed),
            known(analyzed),
            known(ocr),
            link.into(),
            requested,
            known(state),
            created_at.into(),
            updated_at.into(),
        ]
    });
    let conflict = if pass.refresh { UPDATE } else { KEEP };
    tx.insert_rows("books", &LISTED, Some(conflict), rows)?;
    let seen = books
        .iter()
        .map(|[barcode, ..]| [barcode.into(), now.into(), pass.session_id.into()]);
    let columns = ["barcode", "timestamp", "session_id"];
    tx.insert_rows("processed", &columns, Some(SEEN), seen)?;
    Ok(())
}

/// What a list leaves out is not known.
fn known(field: &str) -> Value<'_> {
    (!field.is_empty()).then_some(field).into()
}

/// Where the pass stands.
fn state(tx: &Tx<'_>, pass: &Pass, now: &str) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO accession_collection
             (id, refresh, session_id, started_at, updated_at, next_page, pages, books, books_before, part)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, next_page = excluded.next_page,
             pages = excluded.pages, books = excluded.books, part = excluded.part",
        &[
            pass.id.into(),
            pass.refresh.into(),
            pass.session_id.into(),
            (&pass.started_at).into(),
            now.into(),
            pass.next_page.as_deref().into(),
            pass.pages.into(),
            pass.books.into(),
            pass.books_before.into(),
            pass.part.into(),
        ],
    )?;
    Ok(())
}

/// The list is at its end. Books marked as vanished that were seen again are marked no longer, whichever tool saw them.
fn finish(tx: &Tx<'_>, pass: &Pass, vanished: &[String], now: &str) -> Result<u64, Error> {
    tx.execute(
        "UPDATE accession_collection SET completed_at = ?2, next_page = NULL WHERE id = ?1",
        &[pass.id.into(), now.into()],
    )?;
    if pass.books_before == 0 {
        return Ok(0);
    }
    tx.execute(
        "DELETE FROM accession_vanished WHERE EXISTS
             (SELECT 1 FROM processed WHERE processed.barcode = accession_vanished.barcode AND session_id >= ?1)",
        &[pass.session_id.into()],
    )?;
    let rows = vanished.iter().map(|barcode| [barcode.into(), now.into()]);
    let columns = ["barcode", "noticed_at"];
    tx.insert_rows("accession_vanished", &columns, Some(KEEP), rows)?;
    Ok(vanished.len() as u64)
}

/// Books that this pass has not named and an earlier one has, except those known to have vanished. If another tool
/// has seen one meanwhile, its session is a later one.
pub(crate) fn unseen(catalogue: &Catalogue, pass: &Pass) -> Result<Vec<String>, Error> {
    catalogue.read(|reader| {
        reader.all(
            "SELECT barcode FROM processed WHERE session_id < ?1 AND NOT EXISTS
                 (SELECT 1 FROM accession_vanished WHERE accession_vanished.barcode = processed.barcode)",
            &[pass.session_id.into()],
            |row| row.get(0),
        )
    })
}

/// Different books that this pass has named so far.
pub(crate) fn count_seen(catalogue: &Catalogue, pass: &Pass) -> Result<u64, Error> {
    catalogue.read(|reader| {
        reader.one(
            "SELECT count(*) FROM processed WHERE session_id = ?1",
            &[pass.session_id.into()],
            |row| row.get(0),
        )
    })
}

/// Some books that this pass has named.
pub(crate) fn some_seen(
    catalogue: &Catalogue,
    pass: &Pass,
    most: u32,
) -> Result<Vec<String>, Error> {
    catalogue.read(|reader| {
        reader.all(
            "SELECT barcode FROM processed WHERE session_id = ?1 LIMIT ?2",
            &[pass.session_id.into(), most.into()],
            |row| row.get(0),
        )
    })
}

/// Whether this pass has named any of these books before.
pub(crate) fn has_seen(catalogue: &Catalogue, pass: &Pass, books: &Books) -> Result<bool, Error> {
    catalogue.read(|reader| {
        for [barcode, ..] in books.iter() {
            let is_seen: bool = reader.one(
                "SELECT EXISTS (SELECT 1 FROM processed WHERE barcode = ?1 AND session_id = ?2)",
                &[barcode.into(), pass.session_id.into()],
                |row| row.get(0),
            )?;
            if is_seen {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// Forgets that page `number` was done, since it led to a wrong one. Its books stay.
pub(crate) fn step_back(
    catalogue: &Catalogue,
    pass: &Pass,
    number: u64,
    now: String,
) -> Recorded<()> {
    let pass = pass.clone();
    catalogue.write("step back", move |tx| {
        tx.execute(
            "DELETE FROM accession_page WHERE collection_id = ?1 AND number = ?2",
            &[pass.id.into(), number.into()],
        )?;
        state(tx, &pass, &now)
    })
}

/// The last pass, if any was begun.
///
/// # Errors
///
/// [`Error::Database`].
pub(crate) fn last_pass(catalogue: &Catalogue) -> Result<Option<Pass>, Error> {
    catalogue.read(read)
}

pub(crate) fn read(reader: &Reader<'_>) -> Result<Option<Pass>, Error> {
    reader.first(
        "SELECT id, refresh, session_id, started_at, updated_at, completed_at, next_page, pages, books, books_before, part
         FROM accession_collection ORDER BY id DESC LIMIT 1",
        &[],
        |row| {
            Ok(Pass {
                id: row.get(0)?,
                refresh: row.get(1)?,
                session_id: row.get(2)?,
                started_at: row.get(3)?,
                updated_at: row.get(4)?,
                completed_at: row.get(5)?,
                next_page: row.get(6)?,
                pages: row.get(7)?,
                books: row.get(8)?,
                books_before: row.get(9)?,
                part: row.get(10)?,
            })
        },
    )
}

/// The pages that a pass has recorded, in order.
pub(crate) fn pages(catalogue: &Catalogue, pass: i64) -> Result<Vec<KnownPage>, Error> {
    catalogue.read(|reader| {
        reader.all(
            "SELECT address, books, first_barcode, last_barcode FROM accession_page
             WHERE collection_id = ?1 ORDER BY number",
            &[pass.into()],
            |row| {
                Ok(KnownPage {
                    address: row.get(0)?,
                    books: row.get(1)?,
                    first_barcode: row.get(2)?,
                    last_barcode: row.get(3)?,
                })
            },
        )
    })
}

/// The latest session that listed books, of any tool.
pub(crate) fn last_session(catalogue: &Catalogue) -> Result<i64, Error> {
    catalogue.read(|reader| {
        reader.one(
            "SELECT coalesce(max(session_id), 0) FROM processed",
            &[],
            |row| row.get(0),
        )
    })
}
