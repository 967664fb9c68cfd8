//! Two other ways to store a catalogue: the slow one that was, and the fastest there can be.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use run::Usage;
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

/// How fast a design is and what it costs, in a process of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) books_per_second: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_rss_bytes: u64,
}

/// A way to store a catalogue; no network, no page to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Design {
    /// Two commits a book on one connection, as the predecessor does
    TwoCommits,
    /// The same rows by prepared statements in transactions of 10,000, nothing else
    Floor,
}

/// Measures a design by a child of this process.
pub(crate) fn measure(design: Design, folder: &Path, books: u64) -> Result<Cost> {
    let name = design.to_possible_value().context("a design has a name")?;
    let output = Command::new(std::env::current_exe()?)
        .args([
            "design",
            name.get_name(),
            "--books",
            &books.to_string(),
            "--folder",
        ])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(
        output.status.success(),
        "{design:?} ended with {}",
        output.status
    );
    let text = String::from_utf8(output.stdout)?;
    let mut words = text.split_whitespace();
    let mut next = || words.next().context("three numbers are missing");
    Ok(Cost {
        books_per_second: next()?.parse()?,
        cpu_seconds: next()?.parse()?,
        peak_rss_bytes: next()?.parse()?,
    })
}

/// Stores a catalogue in one way, measures that, and leaves nothing behind.
pub(crate) fn store(design: Design, folder: &Path, books: u64) -> Result<Cost> {
    let path = folder.join("design.db");
    let connection = open(&path)?;
    let (mut book, mut seen) = (connection.prepare(BOOK)?, connection.prepare(SEEN)?);
    let (mut seconds, mut cpu) = (0.0, 0.0);
    let mut add = |started: Instant, before: Usage| {
        let now = Usage::since(started);
        seconds += now.elapsed_seconds;
        cpu += now.cpu_seconds - before.cpu_seconds;
    };
    let mut first = 0;
    while first < books {
        let end = (first + 10_000).min(books);
        let rows: Vec<_> = (first..end).map(|number| listed(number, 0)).collect();
        let started = Instant::now();
        let before = Usage::since(started);
        // Without BEGIN every statement is a transaction of its own.
        if design == Design::Floor {
            connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        for row in &rows {
            insert(&mut book, &mut seen, row)?;
        }
        if design == Design::Floor {
            connection.execute_batch("COMMIT")?;
        }
        add(started, before);
        first = end;
    }
    drop((book, seen));
    let started = Instant::now();
    let before = Usage::since(started);
    // Closing copies what is left in the WAL, as every way to store the rows has to.
    connection.close().map_err(|(_, error)| error)?;
    add(started, before);
    std::fs::remove_file(path)?;
    Ok(Cost {
        books_per_second: books as f64 / seconds,
        cpu_seconds: cpu,
        peak_rss_bytes: Usage::since(started).peak_rss_bytes,
    })
}
