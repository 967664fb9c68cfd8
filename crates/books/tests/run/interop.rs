//! Databases of other tools and versions are opened and gone on with; what they say wrongly is found.

use books::Catalogue;
use books::Outcome;
use books::catalogue::check::{self, FindingKind};
use books::collect::Collect;
use books::enrich::Enrich;
use rusqlite::Connection;
use testkit::grin::{FakeCatalogue, listed};

use crate::support::World;

/// A database as an early version of the other tool left it: columns missing, others of its own, more indexes.
fn old_database(world: &World) {
    let path = world.run().database();
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE books (barcode TEXT PRIMARY KEY, title TEXT, scanned_date TEXT, csv_exported TEXT, viewability TEXT,
                 google_books_link TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
             CREATE INDEX idx_books_csv ON books (csv_exported);
             CREATE TABLE processed (barcode TEXT PRIMARY KEY, timestamp TEXT NOT NULL, session_id INTEGER NOT NULL);
             CREATE TABLE failed (barcode TEXT PRIMARY KEY, timestamp TEXT NOT NULL, session_id INTEGER NOT NULL);
             CREATE TABLE book_status_history (id INTEGER PRIMARY KEY AUTOINCREMENT, barcode TEXT NOT NULL,
                 status_type TEXT NOT NULL, status_value TEXT NOT NULL, timestamp TEXT NOT NULL, session_id TEXT,
                 metadata TEXT, FOREIGN KEY (barcode) REFERENCES books (barcode));",
        )
        .unwrap();
    for number in 0..50 {
        let [barcode, title, ..] = listed(number, 0);
        connection
            .execute(
                "INSERT INTO books (barcode, title, csv_exported, created_at, updated_at) VALUES (?1, ?2, 'yes', 'c', 'u')",
                [&barcode, &title],
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO processed VALUES (?1, 't', 1750000000)",
                [&barcode],
            )
            .unwrap();
    }
}

#[test]
fn an_old_database_is_completed_and_gone_on_with() {
    let world = World::new(FakeCatalogue::of(1_500));
    old_database(&world);
    let end = world.collect(&Collect {
        refresh: true,
        books_per_page: 1_000,
        ..Collect::default()
    });
    assert_eq!((end.state, end.new_books), (Outcome::Completed, 1_450));
    assert_eq!(world.count("books WHERE csv_exported = 'yes'"), 50);
    assert_eq!(world.count("books WHERE created_at = 'c'"), 50);
    world.assert_complete(1_500);
    let columns: u64 = world
        .sql()
        .query_row(
            "SELECT count(*) FROM pragma_table_info('books')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(columns, 54 + 2);
}

/// Columns and indexes of the other tool's summer of 2025: names without a prefix, another name for the `ETag`.
const MIDDLE: &str = "CREATE TABLE books (barcode TEXT PRIMARY KEY, title TEXT, scanned_date TEXT, converted_date TEXT,
    downloaded_date TEXT, processed_date TEXT, analyzed_date TEXT, ocr_date TEXT, google_books_link TEXT,
    processing_request_timestamp TEXT, grin_state TEXT, viewability TEXT, opted_out TEXT, conditions TEXT,
    material_error_percent TEXT, enrichment_timestamp TEXT, csv_exported TEXT, csv_updated TEXT, storage_type TEXT,
    storage_path TEXT, storage_decrypted_path TEXT, last_etag_check TEXT, google_etag TEXT,
    is_decrypted BOOLEAN DEFAULT FALSE, sync_timestamp TEXT, sync_error TEXT, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL);
    CREATE TABLE processed (barcode TEXT PRIMARY KEY, timestamp TEXT NOT NULL, session_id INTEGER NOT NULL);
    CREATE TABLE failed (barcode TEXT PRIMARY KEY, timestamp TEXT NOT NULL, session_id INTEGER NOT NULL,
        error_message TEXT);
    CREATE INDEX idx_books_barcode ON books (barcode);
    CREATE INDEX idx_books_enrichment ON books (enrichment_timestamp);
    CREATE INDEX idx_books_storage_type ON books (storage_type);
    CREATE INDEX idx_processed_barcode ON processed (barcode);
    INSERT INTO books (barcode, title, viewability, google_etag, enrichment_timestamp, created_at, updated_at)
        VALUES ('32044000000003', 'T', 'VIEW_FULL', 'abc', '2025-07-01T00:00:00+00:00', 'c', 'u'),
               ('OTHER', 'Other', NULL, NULL, NULL, 'c', 'u');";

#[test]
fn a_database_of_the_middle_years_keeps_what_it_has_and_gets_what_it_lacks() {
    let world = World::new(FakeCatalogue::of(1_200));
    Connection::open(world.run().database())
        .unwrap()
        .execute_batch(MIDDLE)
        .unwrap();
    let end = world.collect_all();
    assert_eq!((end.state, end.new_books), (Outcome::Completed, 1_199));
    let kept =
        "title = 'T' AND viewability = 'VIEW_FULL' AND google_etag = 'abc' AND created_at = 'c'";
    assert_eq!(world.count(&format!("books WHERE {kept}")), 1);
    assert_eq!(world.count("books WHERE barcode = 'OTHER'"), 1);
    assert_eq!(world.count("books"), 1_201);
    assert_eq!(world.enrich(&Enrich::default()).state, Outcome::Completed);
    assert_eq!(world.count("books WHERE grin_viewability IS NULL"), 2 + 171);
    for index in [
        "idx_books_enrichment",
        "idx_books_storage_type",
        "idx_books_grin_state",
        "idx_processed_session",
        "idx_status_history_sync_completed",
    ] {
        let named = format!("sqlite_schema WHERE type = 'index' AND name = '{index}'");
        assert_eq!(world.count(&named), 1, "{index}");
    }
}

#[test]
fn what_the_other_tool_needs_is_there() {
    let world = World::new(FakeCatalogue::of(10));
    world.collect_all();
    let connection = world.sql();
    let text = |sql: &str| {
        connection
            .query_row(sql, [], |row| row.get::<_, String>(0))
            .unwrap()
    };
    assert_eq!(text("PRAGMA journal_mode"), "wal");
    for table in ["books", "processed", "failed", "book_status_history"] {
        assert_eq!(
            world.count(&format!("sqlite_schema WHERE name = '{table}'")),
            1
        );
    }
    // Its libraries may be of before 3.37, which cannot read a file with such a table.
    let strict = "pragma_table_list WHERE strict = 1";
    assert_eq!(world.count(strict), 0);
    // Its statements, as it writes them.
    connection
        .execute_batch(
            "INSERT INTO books (barcode, title, created_at, updated_at) VALUES ('NEW', '', 'c', 'u')
                 ON CONFLICT (barcode) DO UPDATE SET title = coalesce(excluded.title, title);
             INSERT OR REPLACE INTO processed (barcode, timestamp, session_id) VALUES ('NEW', 't', 5);
             INSERT INTO book_status_history (barcode, status_type, status_value, timestamp, session_id, metadata)
                 VALUES ('NEW', 'sync', 'completed', 't', NULL, NULL);",
        )
        .unwrap();
    let created = text("SELECT created_at FROM books LIMIT 1");
    assert!(
        created.ends_with("+00:00") && created.as_bytes()[10] == b'T',
        "{created}"
    );
    let summary =
        std::fs::read_to_string(world.run().directory().join("process_summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["stages"]["collect"]["books_collected"], 10);
    assert_eq!(summary["stages"]["collect"]["is_completed"], true);
}

#[test]
fn contradictions_are_found() {
    let world = World::new(FakeCatalogue::of(20));
    world.collect_all();
    let run = world.run();
    let findings = || {
        let catalogue = Catalogue::open_to_read(&run.database()).unwrap();
        check::check(&catalogue, run.directory()).unwrap().findings
    };
    assert_eq!(findings(), []);
    world
        .sql()
        .execute_batch(
            "INSERT INTO book_status_history (barcode, status_type, status_value, timestamp) VALUES
                 ('32044000000001', 'sync', 'upload_failed', 't'), ('32044000000001', 'sync', 'completed', 't'),
                 ('32044000000002', 'sync', 'upload_failed', 't'), ('32044000000002', 'sync', 'uploaded', 't'),
                 ('32044000000002', 'sync', 'completed', 't'), ('32044000000003', 'sync', 'completed', 't');
             UPDATE books SET enrichment_timestamp = 't' WHERE barcode = '32044000000004';
             UPDATE books SET ocr_date = '2016/05/24 03:07' WHERE barcode = '32044000000005';
             INSERT INTO books (barcode, created_at, updated_at) VALUES ('Barcode', '', '');
             UPDATE accession_collection SET completed_at = NULL",
        )
        .unwrap();
    let found: Vec<_> = findings()
        .into_iter()
        .map(|finding| {
            (
                finding.kind,
                finding.count,
                finding.examples.first().cloned().unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        (FindingKind::NotStored, 1, "32044000000001"),
        (FindingKind::EnrichedWithoutData, 1, "32044000000004"),
        (FindingKind::MixedDates, 1, "32044000000005"),
        (FindingKind::NoBook, 1, "Barcode"),
        (FindingKind::Incomplete, 20, ""),
        (FindingKind::FalseSummary, 1, ""),
    ];
    assert_eq!(
        found,
        expected.map(|(kind, count, first)| (kind, count, first.to_owned()))
    );
}
