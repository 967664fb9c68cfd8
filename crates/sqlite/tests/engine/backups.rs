//! Copies of a living database, and care for it.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlite::{Error, Options};

use crate::support::{NOTES, Place, count};

#[test]
fn a_backup_under_steady_writing_is_one_consistent_state() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    db.write("fill", |tx| {
        tx.insert_rows(
            "note",
            &["big"],
            "",
            (0..2_000).map(|_| [vec![1_u8; 8_000]]),
        )
    })
    .unwrap();
    let over = AtomicBool::new(false);
    let target = place.dir().join("backup.db");
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // Always in twos, so that a state in between would be odd.
                db.write("pair", |tx| {
                    tx.execute("INSERT INTO note (unit) VALUES ('pair')", [])?;
                    tx.execute("INSERT INTO note (unit) VALUES ('pair')", [])
                })
                .unwrap();
            }
        });
        while !db.report().labels.contains_key("pair") {}
        let before = db.report().labels["pair"].units;
        db.backup(&target).unwrap();
        let during = db.report().labels["pair"].units - before;
        over.store(true, Ordering::Relaxed);
        assert!(during > 0, "writing went on");
    });
    let copy = Options::new(&target)
        .schema(NOTES)
        .create(false)
        .open()
        .unwrap();
    assert!(count(&copy) >= 2_000 && count(&copy).is_multiple_of(2));
    assert!(copy.check().unwrap().is_sound());
    assert!(!copy.report().labels.contains_key("upgrade schema"));
    copy.close().unwrap();
    assert!(!place.names().iter().any(|name| name.contains("building")));
}

#[test]
fn a_backup_replaces_nothing() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let target = place.dir().join("backup.db");
    std::fs::write(&target, "dear").unwrap();
    let refused = db.backup(&target).unwrap_err();
    assert!(matches!(refused, Error::Exists { .. }), "{refused:?}");
    assert_eq!(std::fs::read(&target).unwrap(), b"dear");
    assert!(matches!(db.backup(place.path()), Err(Error::Exists { .. })));
}

#[test]
fn a_check_finds_rows_without_parents() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    assert!(db.check().unwrap().is_sound());
    db.write("table", |tx| {
        tx.execute(
            "CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES note (id))",
            [],
        )
    })
    .unwrap();
    // Another program, which does not enforce them.
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other
        .execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO child VALUES (5, 77)")
        .unwrap();
    let report = db.check().unwrap();
    assert!(!report.is_sound());
    assert_eq!(report.damage, Vec::<String>::new());
    assert_eq!(
        (report.orphans[0].table.as_str(), report.orphans[0].rowid),
        ("child", Some(5))
    );
    let refused = db
        .write("child", |tx| {
            tx.execute("INSERT INTO child VALUES (6, 78)", [])
        })
        .unwrap_err();
    assert!(matches!(refused, Error::Constraint { .. }), "{refused:?}");
}
