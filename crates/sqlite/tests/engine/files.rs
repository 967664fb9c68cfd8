//! Files that are missing, new, foreign or damaged.

use std::time::Duration;

use rusqlite::Connection;
use sqlite::{Error, Options};

use crate::support::{NOTES, Peer, Place, add, bodies, count};

#[test]
fn a_new_file_appears_alone_and_complete() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    assert_eq!(
        db.report().transactions,
        0,
        "the lock of the real file was not taken"
    );
    assert!(
        !place.names().iter().any(|name| name.contains("building")),
        "{:?}",
        place.names()
    );
    let mode: String = db
        .read(|s| s.query_row("PRAGMA journal_mode", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(db.path(), place.path());
    db.close().unwrap();
    assert_eq!(place.names(), ["a.db"]);
}

#[test]
fn page_size_is_that_of_the_options() {
    let place = Place::new();
    let tuning = sqlite::Tuning {
        page_size: 16_384,
        ..sqlite::Tuning::default()
    };
    let size = |db: &sqlite::Db| -> i64 {
        db.read(|s| s.query_row("PRAGMA page_size", [], |row| row.get(0)))
            .unwrap()
    };
    assert_eq!(
        size(&place.options().tuning(tuning).open().unwrap()),
        16_384
    );
    // A file that is there and empty, such as one made by `mktemp`.
    let empty = place.dir().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    let db = Options::new(&empty)
        .schema(NOTES)
        .tuning(tuning)
        .open()
        .unwrap();
    assert_eq!(size(&db), 16_384);
    db.write("note", |tx| add(tx, "one")).unwrap();
}

#[test]
fn processes_that_create_the_same_file_at_once_all_use_one() {
    for _ in 0..5 {
        let place = Place::new();
        let mut peers: Vec<_> = (0..4)
            .map(|_| Peer::start("open fresh", &place.path()))
            .collect();
        for peer in &mut peers {
            peer.wait_for("ready");
        }
        std::fs::write(place.path().with_extension("start"), "").unwrap();
        for peer in &mut peers {
            assert_eq!(peer.line().as_deref(), Some("upgrades false"));
        }
        peers.into_iter().for_each(Peer::finish);
        std::fs::remove_file(place.path().with_extension("start")).unwrap();
        let db = place.options().open().unwrap();
        assert_eq!(count(&db), 4, "no row went to a file that was replaced");
        db.close().unwrap();
        assert_eq!(place.names(), ["a.db"]);
    }
}

#[test]
fn a_file_that_needs_nothing_is_opened_while_another_process_writes() {
    let place = Place::new();
    place.options().open().unwrap().close().unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let db = place
        .options()
        .max_lock_wait(Duration::from_millis(100))
        .open()
        .unwrap();
    assert_eq!(bodies(&db), Vec::<String>::new());
    assert_eq!(db.report().transactions, 0);
}

#[test]
fn a_missing_file_or_directory_cannot_be_opened() {
    let place = Place::new();
    for options in [
        Options::new(place.dir().join("no/such/a.db")),
        place.options().create(false),
        Options::new(place.dir()),
        Options::new("/"),
    ] {
        let error = options.clone().open().unwrap_err();
        assert!(
            matches!(error, Error::CannotOpen { .. }),
            "{options:?}: {error:?}"
        );
        let error = options.clone().open_read_only().unwrap_err();
        assert!(
            matches!(error, Error::CannotOpen { .. }),
            "{options:?}: {error:?}"
        );
    }
    assert!(place.names().is_empty());
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let place = Place::new();
    let text = "a shopping list\n".repeat(100);
    std::fs::write(place.path(), &text).unwrap();
    for options in [place.options(), Options::new(place.path())] {
        for error in [
            options.clone().open().unwrap_err(),
            options.open_read_only().unwrap_err(),
        ] {
            assert!(matches!(error, Error::NotADatabase { .. }), "{error:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(place.path()).unwrap(), text);
    assert_eq!(place.names(), ["a.db"]);
}

/// A closed database of some hundred pages.
fn filled(place: &Place) -> Vec<u8> {
    let db = place.options().open().unwrap();
    let rows = || (0..2_000).map(|n| [format!("{n} {}", "x".repeat(200))]);
    db.write("fill", move |tx| {
        tx.insert_rows("note", &["body"], "", rows())
    })
    .unwrap();
    db.close().unwrap();
    std::fs::read(place.path()).unwrap()
}

/// Whatever the first error is that using the file brings.
fn first_error(place: &Place) -> Error {
    let read_all = |db: &sqlite::Db| {
        db.read(|s| s.query_all("SELECT body FROM note NOT INDEXED", [], |_| Ok(())))
    };
    let outcome = place.options().open().and_then(|db| read_all(&db));
    outcome.expect_err("the damage was not noticed")
}

#[test]
fn a_truncated_file_is_corrupt() {
    let place = Place::new();
    let bytes = filled(&place);
    std::fs::write(place.path(), &bytes[..bytes.len() / 2]).unwrap();
    let error = first_error(&place);
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
}

#[test]
fn overwritten_pages_are_corrupt() {
    let place = Place::new();
    let mut bytes = filled(&place);
    for page in bytes.chunks_mut(4096).skip(4) {
        page[..64].fill(0xA5);
    }
    std::fs::write(place.path(), &bytes).unwrap();
    let error = first_error(&place);
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    if let Ok(db) = place.options().open() {
        // A check names the damage or fails by it; it never says that all is well.
        assert!(!db.check().is_ok_and(|report| report.is_sound()));
    }
}

#[test]
fn read_only_follows_what_a_writer_commits() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let reader = place.options().open_read_only().unwrap();
    assert_eq!(count(&reader), 0);
    db.write("note", |tx| add(tx, "one")).unwrap();
    assert_eq!(bodies(&reader), ["one"]);
    let refused = reader.write("note", |tx| add(tx, "two")).unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused:?}");
}

#[test]
fn names_with_unusual_characters_are_names() {
    let place = Place::new();
    let everywhere = ["50% #1.db", "ä'ö.db"];
    // Windows has no such names.
    let elsewhere = ["a b?mode=memory.db", "a\"b.db"];
    let elsewhere = elsewhere.iter().filter(|_| !cfg!(windows));
    for name in everywhere.iter().chain(elsewhere) {
        let path = place.dir().join(name);
        let db = Options::new(&path).schema(NOTES).open().unwrap();
        db.write("note", |tx| add(tx, "one")).unwrap();
        db.close().unwrap();
        assert!(path.exists());
        assert_eq!(
            bodies(&Options::new(&path).open_read_only().unwrap()),
            ["one"]
        );
    }
}
