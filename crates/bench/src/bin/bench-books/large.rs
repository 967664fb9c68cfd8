//! Each setting of the predecessor's plan on a large file: what it gives.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use rusqlite::Connection;
use sqlite::{Db, Error, Options, Tuning};
use testkit::grin::barcode;

/// The tables and indexes of a run.
const SCHEMA: &str = include_str!("../../../../books/sql/schema.sql");

const UPDATE: &str = "UPDATE books SET grin_state = ?2, scanned_date = coalesce(?3, scanned_date),
    enrichment_timestamp = ?4, updated_at = ?4 WHERE barcode = ?1";

const LOOKUP: &str = "SELECT title, grin_state, enrichment_timestamp FROM books WHERE barcode = ?1";

/// One way to open the file.
#[derive(Clone, Copy)]
struct Setting {
    name: &'static str,
    cache_mib: u32,
    mmap_mib: u64,
    page_size: u32,
    checkpoint_pages: u32,
    wal_mib: u64,
}

/// Measurements of each setting, after one that does not count.
const ROUNDS: u64 = 3;

const USUAL: Setting = Setting {
    name: "16 MB cache, 4 KiB pages, no map, checkpoint per 1,000 pages",
    cache_mib: 16,
    mmap_mib: 0,
    page_size: 4096,
    checkpoint_pages: 1_000,
    wal_mib: 64,
};

const SETTINGS: [Setting; 9] = [
    USUAL,
    Setting {
        name: "cache 4 MB",
        cache_mib: 4,
        ..USUAL
    },
    Setting {
        name: "cache 64 MB",
        cache_mib: 64,
        ..USUAL
    },
    Setting {
        name: "cache 200 MB",
        cache_mib: 200,
        ..USUAL
    },
    Setting {
        name: "map of 256 MB",
        mmap_mib: 256,
        ..USUAL
    },
    Setting {
        name: "checkpoint per 8,000 pages",
        checkpoint_pages: 8_000,
        ..USUAL
    },
    Setting {
        name: "cache 64 MB, checkpoint per 8,000 pages",
        cache_mib: 64,
        checkpoint_pages: 8_000,
        ..USUAL
    },
    Setting {
        name: "WAL cut back to 256 MB, checkpoint per 8,000 pages",
        wal_mib: 256,
        checkpoint_pages: 8_000,
        ..USUAL
    },
    Setting {
        name: "8 KiB pages",
        page_size: 8192,
        ..USUAL
    },
];

/// Measures and prints a table.
pub(crate) fn run(books: u64, changed: u64, narrow: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let small = folder.path().join("4096.db");
    build(&small, 4096, books)?;
    let wide = folder.path().join("8192.db");
    println!(
        "{books} books, {} MB with pages of 4 KiB; {changed} books in random order\n",
        std::fs::metadata(&small)?.len() >> 20,
    );
    let settings: Vec<Setting> = SETTINGS
        .into_iter()
        .filter(|setting| !narrow || setting.page_size == USUAL.page_size)
        .collect();
    if !narrow {
        build(&wide, 8192, books)?;
    }
    println!("| setting | updates/s | look-ups/s | whole table s |");
    println!("|---|---:|---:|---:|");
    let file = |setting: &Setting| {
        if setting.page_size == 8192 {
            &wide
        } else {
            &small
        }
    };
    // The first to touch a file pays for everybody, and the machine has moods: all settings take turns.
    let mut measured = vec![Vec::new(); settings.len()];
    for round in 0..=ROUNDS {
        for (index, (setting, measured)) in settings.iter().zip(&mut measured).enumerate() {
            // Other books each time: changing a book to what it is already is cheap.
            let seed = round * 100 + index as u64;
            let values = measure(file(setting), *setting, books, changed, seed)?;
            if round > 0 {
                measured.push(values);
            }
        }
    }
    for (setting, measured) in settings.iter().zip(&measured) {
        let [updates, lookups, scan] = [0, 1, 2].map(|index| middle(measured, index));
        println!(
            "| {} | {updates:.0} | {lookups:.0} | {scan:.2} |",
            setting.name
        );
    }
    for (name, connections) in [("one connection", 0), ("17 connections for 10 books", 17)] {
        let rate = connecting(&small, books, changed / 10, connections)?;
        println!("| {name}: look-ups of 10 books | | {rate:.0} | |");
    }
    Ok(())
}

/// The middle of the rounds.
fn middle(measured: &[[f64; 3]], index: usize) -> f64 {
    let mut values: Vec<f64> = measured.iter().map(|values| values[index]).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A file as years of work leave it: all of a book's fields filled.
fn build(path: &Path, page_size: u32, books: u64) -> Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size = {page_size}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN"
    ))?;
    connection.execute_batch(SCHEMA)?;
    let mut insert = connection.prepare(
        "INSERT INTO books (barcode, title, scanned_date, converted_date, google_books_link, grin_state, grin_viewability,
             grin_check_in_date, grin_source_library_bibkey, enrichment_timestamp, marc_title, marc_author_personal,
             marc_subjects, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?3, ?4, 'CONVERTED', 'VIEW_FULL', ?3, ?5, ?6, ?2, 'Author, Anna, 1850-1910', ?7, ?6, ?6)",
    )?;
    for number in 0..books {
        let title = format!("The annals of the society, part the {number}th");
        insert.execute((
            barcode(number),
            title,
            "2016-05-24T03:07:00",
            format!("https://books.google.com/books?id=x{number}&hl=en"),
            format!("bib{number}"),
            "2026-11-21T07:08:50.704946+00:00",
            "History -- Societies, etc. -- Periodicals",
        ))?;
    }
    drop(insert);
    connection.execute_batch("COMMIT; PRAGMA journal_mode = WAL")?;
    Ok(())
}

fn measure(path: &Path, setting: Setting, books: u64, changed: u64, seed: u64) -> Result<[f64; 3]> {
    let tuning = Tuning {
        cache_kib: setting.cache_mib * 1024,
        mmap_bytes: setting.mmap_mib << 20,
        page_size: setting.page_size,
        checkpoint_pages: setting.checkpoint_pages,
        wal_limit_bytes: setting.wal_mib << 20,
        ..Tuning::default()
    };
    let db = Options::new(path).tuning(tuning).open()?;
    let updates = update(&db, books, changed, seed)?;
    let mut random = fastrand::Rng::with_seed(10_000 + seed);
    let started = Instant::now();
    db.read(|snapshot| -> Result<(), Error> {
        for _ in 0..changed {
            snapshot.query_row(LOOKUP, [barcode(random.u64(..books))], |row| {
                row.get::<_, String>(0)
            })?;
        }
        Ok(())
    })?;
    let lookups = changed as f64 / started.elapsed().as_secs_f64();
    let started = Instant::now();
    let sum: u64 = db.read(|snapshot| {
        snapshot.query_row("SELECT sum(length(updated_at)) FROM books", [], |row| {
            row.get(0)
        })
    })?;
    anyhow::ensure!(sum > 0, "the table is empty");
    let scan = started.elapsed().as_secs_f64();
    db.close()?;
    Ok([updates, lookups, scan])
}

/// Books in random order, 4,000 a transaction, as enriching does; with the checkpoints that it causes.
fn update(db: &Db, books: u64, changed: u64, seed: u64) -> Result<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let started = Instant::now();
    let mut left = changed;
    while left > 0 {
        let count = left.min(4_000);
        left -= count;
        let barcodes: Vec<_> = (0..count).map(|_| barcode(random.u64(..books))).collect();
        let state = if random.bool() { "NEW" } else { "CHECKED_IN" };
        db.write("update", move |tx| -> Result<(), Error> {
            for barcode in &barcodes {
                tx.execute(
                    UPDATE,
                    (
                        barcode,
                        state,
                        None::<&str>,
                        "2026-11-21T07:08:51.704946+00:00",
                    ),
                )?;
            }
            Ok(())
        })?;
    }
    Ok(changed as f64 / started.elapsed().as_secs_f64())
}

/// Look-ups of ten books at a time, each time on so many fresh connections; 0 keeps one open.
fn connecting(path: &Path, books: u64, cycles: u64, connections: u64) -> Result<f64> {
    let mut random = fastrand::Rng::with_seed(3);
    let open = || -> Result<Connection> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = 1000; PRAGMA temp_store = memory",
        )?;
        Ok(connection)
    };
    let kept = open()?;
    let cycles = cycles.min(2_000);
    let started = Instant::now();
    for _ in 0..cycles {
        let fresh: Vec<_> = (0..connections).map(|_| open()).collect::<Result<_>>()?;
        for number in 0..10 {
            let connection = fresh.get(number).unwrap_or(&kept);
            connection
                .prepare_cached(LOOKUP)?
                .query_row([barcode(random.u64(..books))], |row| {
                    row.get::<_, String>(0)
                })?;
        }
    }
    Ok((cycles * 10) as f64 / started.elapsed().as_secs_f64())
}
