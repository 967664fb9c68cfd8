//! Older files become what a fresh file is; newer ones are refused.

use std::sync::Barrier;
use std::time::Duration;

use rusqlite::Connection;
use sqlite::{Column, Error, Migration, Newer, Options, Schema, Warning};

use crate::support::{NOTES, Place, add};

/// The third version of a component. The first had no `isbn`, no `pages` and neither index, view nor trigger.
const BOOKS: Schema = Schema {
    component: "books",
    version: 3,
    ddl: DDL,
    columns: COLUMNS,
    migrations: MIGRATIONS,
    newer: Newer::Refuse,
};

const DDL: &str = "CREATE TABLE IF NOT EXISTS shelf (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    CREATE TABLE IF NOT EXISTS book (id INTEGER PRIMARY KEY, title TEXT, length TEXT,
        shelf INTEGER REFERENCES shelf (id) ON DELETE CASCADE,
        isbn TEXT, pages REAL GENERATED ALWAYS AS (CAST(length AS REAL)) VIRTUAL);
    CREATE INDEX IF NOT EXISTS book_isbn ON book (isbn);
    CREATE VIEW IF NOT EXISTS titles AS SELECT title FROM book;
    CREATE TRIGGER IF NOT EXISTS book_gone AFTER DELETE ON book BEGIN DELETE FROM shelf WHERE id = -1; END;
    INSERT OR IGNORE INTO shelf (id, name) VALUES (1, 'all');";

const COLUMNS: &[Column] = &[
    Column {
        table: "book",
        name: "isbn",
        definition: "TEXT",
    },
    Column {
        table: "book",
        name: "pages",
        definition: "REAL GENERATED ALWAYS AS (CAST(length AS REAL)) VIRTUAL",
    },
];

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2,
        sql: "UPDATE book SET title = trim(title)",
    },
    // Rebuilding a table loses its index and its trigger, and must not cascade.
    Migration {
        version: 3,
        sql: "CREATE TABLE shelf_new (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
              INSERT INTO shelf_new SELECT id, upper(name) FROM shelf;
              DROP TABLE shelf;
              ALTER TABLE shelf_new RENAME TO shelf;
              DROP INDEX book_isbn;",
    },
];

/// What the first version wrote.
fn write_version_1(place: &Place, recorded: bool) {
    let old = Connection::open(place.path()).unwrap();
    old.execute_batch(
        "CREATE TABLE shelf (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
         CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, length TEXT,
             shelf INTEGER REFERENCES shelf (id) ON DELETE CASCADE);
         INSERT INTO shelf VALUES (7, 'old');
         INSERT INTO book VALUES (1, '  Emma ', '500', 7);",
    )
    .unwrap();
    if recorded {
        old.execute_batch(
            "CREATE TABLE schema_components (component TEXT PRIMARY KEY, version INTEGER NOT NULL, applied_at TEXT);
             INSERT INTO schema_components VALUES ('books', 1, '2020');",
        )
        .unwrap();
    }
}

/// Everything in the file, and the columns of its tables, in an order that does not matter.
fn shape(place: &Place) -> Vec<String> {
    let file = Connection::open(place.path()).unwrap();
    let list = |sql: &str| -> Vec<String> {
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let objects =
        "SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1";
    let columns = "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.hidden || ' ' || c.pk
        FROM sqlite_schema AS t JOIN pragma_table_xinfo(t.name) AS c WHERE t.type = 'table' ORDER BY 1";
    [list(objects), list(columns)].concat()
}

#[test]
fn an_old_file_becomes_what_a_fresh_one_is() {
    let fresh = Place::new();
    Options::new(fresh.path())
        .schema(BOOKS)
        .open()
        .unwrap()
        .close()
        .unwrap();
    for recorded in [true, false] {
        let old = Place::new();
        write_version_1(&old, recorded);
        let db = Options::new(old.path()).schema(BOOKS).open().unwrap();
        let report = db.report();
        assert_eq!(
            (report.transactions, report.labels["upgrade schema"].units),
            (1, 1)
        );
        let sql = "SELECT b.title, b.pages, b.isbn, s.name FROM book AS b JOIN shelf AS s ON s.id = b.shelf";
        let row: (String, f64, Option<String>, String) = db
            .read(|s| {
                s.query_row(sql, [], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
            })
            .unwrap();
        assert_eq!(row, ("Emma".into(), 500.0, None, "OLD".into()));
        // Enforced again after the upgrade.
        assert!(
            db.write("orphan", |tx| tx
                .execute("INSERT INTO book (shelf) VALUES (99)", []))
                .is_err()
        );
        db.close().unwrap();
        assert_eq!(shape(&old), shape(&fresh));
        let again = Options::new(old.path()).schema(BOOKS).open().unwrap();
        assert_eq!(
            again.report().transactions,
            0,
            "nothing is missing any more"
        );
    }
}

#[test]
fn a_fresh_file_runs_no_migration_and_records_its_version() {
    const BROKEN: Schema = Schema {
        migrations: &[Migration {
            version: 1,
            sql: "nonsense",
        }],
        ..NOTES
    };
    let place = Place::new();
    let db = Options::new(place.path())
        .schema(BROKEN)
        .schema(BOOKS)
        .open()
        .unwrap();
    let versions: Vec<(String, u32)> = db
        .read(|s| {
            s.query_all(
                "SELECT component, version FROM schema_components ORDER BY 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
        .unwrap();
    assert_eq!(versions, [("books".into(), 3), ("notes".into(), 1)]);
}

#[test]
fn a_component_is_added_to_a_file_of_another() {
    let place = Place::new();
    let notes = place.options().open().unwrap();
    notes.write("note", |tx| add(tx, "kept")).unwrap();
    notes.close().unwrap();
    let both = place.options().schema(BOOKS).open().unwrap();
    assert_eq!(crate::support::bodies(&both), ["kept"]);
    let shelves: i64 = both
        .read(|s| s.query_row("SELECT count(*) FROM shelf", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(shelves, 1);
    // Whoever knows only one of them is not disturbed by the other.
    assert_eq!(place.options().open().unwrap().report().transactions, 0);
}

#[test]
fn a_failing_upgrade_leaves_the_file_as_it_was() {
    const FAILING: &[Migration] = &[
        Migration {
            version: 2,
            sql: "DELETE FROM book",
        },
        Migration {
            version: 3,
            sql: "UPDATE no_such_table SET x = 1",
        },
    ];
    const ORPHANING: &[Migration] = &[Migration {
        version: 3,
        sql: "DELETE FROM shelf",
    }];
    const LEAVING: &[Migration] = &[Migration {
        version: 3,
        sql: "COMMIT",
    }];
    for (migrations, why) in [
        (FAILING, "no such table"),
        (ORPHANING, "rows that do not exist"),
        (LEAVING, "ended the"),
    ] {
        let place = Place::new();
        write_version_1(&place, true);
        let before = shape(&place);
        let schema = Schema {
            migrations,
            ..BOOKS
        };
        let error = Options::new(place.path())
            .schema(schema)
            .open()
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Schema {
                    component: "books",
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains(why), "{error}");
        if migrations.as_ptr() != LEAVING.as_ptr() {
            assert_eq!(shape(&place), before);
        }
    }
}

#[test]
fn a_column_that_nothing_adds_is_reported() {
    let place = Place::new();
    write_version_1(&place, true);
    let schema = Schema {
        columns: &COLUMNS[..1],
        ..BOOKS
    };
    let error = Options::new(place.path())
        .schema(schema)
        .open()
        .unwrap_err();
    assert!(error.to_string().contains("column `book.pages`"), "{error}");
}

fn newer_file(place: &Place) {
    let newer = Schema {
        version: 9,
        ..BOOKS
    };
    Options::new(place.path())
        .schema(newer)
        .open()
        .unwrap()
        .close()
        .unwrap();
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let place = Place::new();
    newer_file(&place);
    let options = || Options::new(place.path()).schema(BOOKS);
    for error in [
        options().open().unwrap_err(),
        options().open_read_only().unwrap_err(),
    ] {
        let Error::NewerSchema {
            component: "books",
            found: 9,
            supported: 3,
            ..
        } = error
        else {
            panic!("{error:?}")
        };
    }
}

#[test]
fn a_newer_file_is_used_with_a_warning_if_so_wanted() {
    let place = Place::new();
    newer_file(&place);
    let schema = Schema {
        newer: Newer::Warn,
        ..BOOKS
    };
    for db in [
        Options::new(place.path()).schema(schema).open(),
        Options::new(place.path()).schema(schema).open_read_only(),
    ] {
        let db = db.unwrap();
        let expected = Warning::NewerSchema {
            component: "books",
            found: 9,
            supported: 3,
        };
        assert_eq!(db.warnings(), [expected]);
        assert_eq!(db.report().transactions, 0);
    }
}

#[test]
fn an_older_file_opened_read_only_is_used_with_a_warning() {
    let place = Place::new();
    write_version_1(&place, true);
    let before = std::fs::read(place.path()).unwrap();
    let db = Options::new(place.path())
        .schema(BOOKS)
        .open_read_only()
        .unwrap();
    insta::assert_snapshot!(db.warnings()[0], @"`books` was written by an older version: schema 1, this program knows 3 and needs index `book_isbn`, trigger `book_gone`, view `titles`, column `book.isbn`, column `book.pages`");
    drop(db);
    assert!(std::fs::read(place.path()).unwrap() == before);
}

#[test]
fn an_upgrade_waits_for_other_writers_and_happens_once() {
    let place = Place::new();
    write_version_1(&place, true);
    Connection::open(place.path())
        .unwrap()
        .execute_batch("PRAGMA journal_mode = WAL")
        .unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked = Options::new(place.path())
        .schema(BOOKS)
        .max_lock_wait(Duration::from_millis(50))
        .open()
        .unwrap_err();
    assert!(
        matches!(
            locked,
            Error::Locked {
                label: "upgrade schema",
                ..
            }
        ),
        "{locked:?}"
    );
    let barrier = Barrier::new(4);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                barrier.wait();
                Options::new(place.path()).schema(BOOKS).open().unwrap();
            });
        }
        std::thread::sleep(Duration::from_millis(100));
        other.execute_batch("COMMIT").unwrap();
    });
    let file = Connection::open(place.path()).unwrap();
    let name: String = file
        .query_row("SELECT name FROM shelf WHERE id = 7", [], |row| row.get(0))
        .unwrap();
    assert_eq!(name, "OLD");
}
