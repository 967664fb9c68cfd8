//! Two other ways to store a catalogue: the slow one that was, and the fastest there can be.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use rusqlite::{Connection, Statement};
use testkit::grin::listed;

/// The tables and indexes of a run.
const SCHEMA: &str = include_str!("../../../../books/sql/schema.sql");

const BOOK: &str = "INSERT INTO books (barcode, title, scanned_date, converted_date, downloaded_date, processed_date,
    analyzed_date, ocr_date, google_books_link, grin_state, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11) ON CONFLICT (barcode) DO NOTHING";

const SEEN: &str =
    "INSERT OR REPLACE INTO processed (barcode, timestamp, session_id) VALUES (?1, ?2, 1750000000)";

const NOW: &str = "2026-11-21T07:08:50.704946+00:00";

fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = 50000;
         PRAGMA temp_store = memory; PRAGMA mmap_size = 268435456",
    )?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

fn insert(book: &mut Statement<'_>, seen: &mut Statement<'_>, row: &[String; 10]) -> Result<()> {
    let date = |index: usize| Some(row[index].as_str()).filter(|text| !text.is_empty());
    book.execute((
        &row[0],
        &row[1],
        date(2),
        date(3),
        date(4),
        date(5),
        date(6),
        date(7),
        &row[8],
        &row[9],
        NOW,
    ))?;
    seen.execute((&row[0], NOW))?;
    Ok(())
}

fn rows(books: u64) -> Vec<[String; 10]> {
    (0..books).map(|number| listed(number, 0)).collect()
}

/// Two commits a book on one connection, as the predecessor does; no network, no page to read. Books a second.
pub(crate) fn two_commits_a_book(folder: &Path, books: u64) -> Result<f64> {
    let connection = open(&folder.join("two.db"))?;
    let (mut book, mut seen) = (connection.prepare(BOOK)?, connection.prepare(SEEN)?);
    let rows = rows(books);
    let started = Instant::now();
    for row in &rows {
        // Without BEGIN every statement is a transaction of its own.
        insert(&mut book, &mut seen, row)?;
    }
    Ok(books as f64 / started.elapsed().as_secs_f64())
}

/// The same rows by prepared statements in transactions of 10,000, nothing else. Books a second.
pub(crate) fn floor(folder: &Path, books: u64) -> Result<f64> {
    let path = folder.join("floor.db");
    let connection = open(&path)?;
    let (mut book, mut seen) = (connection.prepare(BOOK)?, connection.prepare(SEEN)?);
    let mut seconds = 0.0;
    let mut first = 0;
    while first < books {
        let end = (first + 10_000).min(books);
        let rows: Vec<_> = (first..end).map(|number| listed(number, 0)).collect();
        let started = Instant::now();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for row in &rows {
            insert(&mut book, &mut seen, row)?;
        }
        connection.execute_batch("COMMIT")?;
        seconds += started.elapsed().as_secs_f64();
        first = end;
    }
    let started = Instant::now();
    drop((book, seen));
    // Closing copies what is left in the WAL, as every way to store the rows has to.
    connection.close().map_err(|(_, error)| error)?;
    Ok(books as f64 / (seconds + started.elapsed().as_secs_f64()))
}
