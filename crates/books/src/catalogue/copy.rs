//! A run's tables from one place to another: from a file to a server, or back.
//!
//! The file is what other tools know, so a run on a server can become one at any time. Rows are read from one consistent
//! state, in the order in which they came, and written some thousands at a time into a database that holds nothing yet.

use crate::catalogue::Catalogue;
use crate::catalogue::columns::COLUMNS;
use crate::catalogue::pass::PAGE;
use crate::catalogue::query;
use crate::catalogue::rows::real;
use crate::catalogue::store::Reader;
use crate::catalogue::value::{Cell, Row, Value};
use crate::error::Error;

/// Rows written in one transaction.
const STEP: usize = 5_000;

/// A table whose rows are copied.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    /// What tells the order in which they came, or at least one that is always the same.
    order: &'static str,
}

const fn table(name: &'static str, columns: &'static [&'static str], order: &'static str) -> Table {
    Table {
        name,
        columns,
        order,
    }
}

/// All tables but `books`, whose columns have a list of their own.
const OTHERS: [Table; 10] = [
    table(
        "processed",
        &["barcode", "timestamp", "session_id"],
        "barcode",
    ),
    table(
        "failed",
        &["barcode", "timestamp", "session_id", "error_message"],
        "barcode",
    ),
    // Without their numbers, which the other database gives anew in the same order.
    table(
        "book_status_history",
        &[
            "barcode",
            "status_type",
            "status_value",
            "timestamp",
            "session_id",
            "metadata",
        ],
        "id",
    ),
    table(
        "accession_collection",
        &[
            "id",
            "refresh",
            "session_id",
            "started_at",
            "updated_at",
            "completed_at",
            "next_page",
            "pages",
            "books",
            "books_before",
            "part",
        ],
        "id",
    ),
    table("accession_page", &PAGE, "collection_id, number"),
    table("accession_vanished", &["barcode", "noticed_at"], "barcode"),
    table("accession_not_found", &["barcode", "asked_at"], "barcode"),
    table(
        "accession_problem",
        &["command", "item", "reason", "happened_at"],
        "command, item",
    ),
    table(
        "accession_archive",
        &[
            "barcode",
            "storage_path",
            "bytes",
            "sha256",
            "md5",
            "crc64",
            "encrypted_etag",
            "pages",
            "stored_at",
        ],
        "barcode",
    ),
    table(
        "accession_sync_failure",
        &[
            "barcode",
            "stage",
            "reason",
            "tries",
            "later",
            "encrypted_etag",
            "happened_at",
        ],
        "barcode",
    ),
];

/// A value on its way.
enum Carried {
    Null,
    Text(String),
    Number(i64),
    Truth(bool),
}

impl Carried {
    fn of(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Text(bytes) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            Cell::Number(number) => Self::Number(number),
            Cell::Real(number) => Self::Text(real(number)),
            Cell::Truth(truth) => Self::Truth(truth),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(text),
            Self::Number(number) => Value::Number(*number),
            Self::Truth(truth) => Value::Truth(*truth),
        }
    }
}

/// Copies everything; how many books.
///
/// # Errors
///
/// [`Error::NotEmpty`] if the other database holds something; what either database brings. Then the copy is not whole.
pub fn copy(from: &Catalogue, to: &Catalogue) -> Result<u64, Error> {
    let is_begun = to.read(|reader| {
        reader.one(
            "SELECT EXISTS (SELECT 1 FROM books) OR EXISTS (SELECT 1 FROM processed)
                 OR EXISTS (SELECT 1 FROM book_status_history) OR EXISTS (SELECT 1 FROM accession_collection)",
            &[],
            |row| row.get::<bool>(0),
        )
    })?;
    if is_begun {
        return Err(Error::NotEmpty {
            database: to.shown(),
        });
    }
    from.read_once(|reader| {
        let books = table("books", &NAMES, "rowid");
        for table in std::iter::once(&books).chain(&OTHERS) {
            carry(reader, to, table)?;
        }
        Ok(())
    })?;
    query::count_books(to)
}

/// The columns of `books`.
const NAMES: [&str; COLUMNS.len()] = names();

const fn names() -> [&'static str; COLUMNS.len()] {
    let mut names = [""; COLUMNS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = COLUMNS[index].name;
        index += 1;
    }
    names
}

fn carry(reader: &Reader<'_>, to: &Catalogue, table: &Table) -> Result<(), Error> {
    let sql = format!(
        "SELECT {} FROM {} ORDER BY {}",
        table.columns.join(", "),
        table.name,
        table.order
    );
    let mut waiting: Vec<Vec<Carried>> = Vec::new();
    reader.each(&sql, &[], |row: &Row<'_>| {
        let cells = 0..table.columns.len();
        waiting.push(cells.map(|index| Carried::of(row.cell(index))).collect());
        if waiting.len() >= STEP {
            put(to, table, std::mem::take(&mut waiting))?;
        }
        Ok(())
    })?;
    put(to, table, waiting)
}

fn put(to: &Catalogue, table: &Table, rows: Vec<Vec<Carried>>) -> Result<(), Error> {
    let (name, columns) = (table.name, table.columns);
    to.write_now("copy", move |tx| {
        let rows = rows
            .iter()
            .map(|row| row.iter().map(Carried::value).collect::<Vec<_>>());
        tx.insert_rows(name, columns, None, rows)?;
        Ok(())
    })
}
