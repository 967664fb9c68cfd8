//! A file that moves away under the program, files of other programs, and readers that leave nothing behind.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use sqlite::{Error, Options};

use crate::support::{NOTES, Place, add, bodies, count};

#[test]
#[cfg(unix)]
fn a_file_that_is_gone_or_replaced_is_an_error_of_every_write_and_of_the_end() {
    for replaced in [false, true] {
        let place = Place::new();
        let db = place.options().open().unwrap();
        db.write("note", |tx| add(tx, "kept")).unwrap();
        std::fs::rename(place.path(), place.dir().join("elsewhere.db")).unwrap();
        if replaced {
            std::fs::write(place.path(), "").unwrap();
        }
        for _ in 0..2 {
            let lost = db.write("note", |tx| add(tx, "lost")).unwrap_err();
            assert!(matches!(lost, Error::Moved { .. }), "{lost:?}");
            assert!(lost.is_final());
        }
        let lost = db.close().unwrap_err();
        assert!(matches!(lost, Error::Moved { .. }), "{lost:?}");
    }
}

#[test]
#[cfg(unix)]
fn what_happens_after_the_last_write_is_told_at_the_end() {
    let place = Place::new();
    let folder = place.dir().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let db = Options::new(folder.join("a.db"))
        .schema(NOTES)
        .open()
        .unwrap();
    db.write("note", |tx| add(tx, "one")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let lost = db.close().unwrap_err();
    assert!(matches!(lost, Error::Moved { .. }), "{lost:?}");
}

#[test]
fn a_lock_that_is_never_given_back_costs_a_job_no_more_than_its_limit() {
    let place = Place::new();
    let db = place
        .options()
        .busy_timeout(Duration::from_millis(10))
        .max_lock_wait(Duration::from_millis(200))
        .max_blocked(Duration::from_millis(500))
        .open()
        .unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    let failures: Vec<_> = (0..50)
        .map(|_| db.write("note", |tx| add(tx, "one")).unwrap_err())
        .collect();
    assert!(started.elapsed() < Duration::from_secs(10), "not 50 waits");
    assert!(matches!(failures[0], Error::Locked { .. }), "{failures:?}");
    let last = failures.last().unwrap();
    assert!(matches!(last, Error::Blocked { .. }) && last.is_final());
    other.execute_batch("COMMIT").unwrap();
    db.write("note", |tx| add(tx, "one")).unwrap();
    assert_eq!(count(&db), 1);
}

#[test]
fn whoever_is_in_a_hurry_waits_two_seconds() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    db.hurry_when(move || started.elapsed() > Duration::from_millis(300));
    let refused = db.write("note", |tx| add(tx, "one")).unwrap_err();
    assert!(matches!(refused, Error::Locked { .. }), "{refused:?}");
    let waited = started.elapsed();
    assert!(waited < Duration::from_secs(15), "{waited:?} of 30 s");
}

#[test]
fn another_programs_file_gets_no_tables() {
    let place = Place::new();
    let mine = |place: &Place| place.options().application_id(0x1234);
    for (number, sql) in [
        "PRAGMA application_id = 99; CREATE TABLE note (id, unit, body, big)",
        "CREATE TABLE bookmark (url); CREATE TABLE note (color, shape, size)",
        "CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE note (id, body)",
    ]
    .into_iter()
    .enumerate()
    {
        let path = place.dir().join(format!("{number}.db"));
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = std::fs::read(&path).unwrap();
        let options = Options::new(&path).schema(NOTES).application_id(0x1234);
        for refused in [
            options.clone().open().unwrap_err(),
            options.open_read_only().unwrap_err(),
        ] {
            assert!(matches!(refused, Error::Foreign { .. }), "{refused:?}");
        }
        let without_wal = |bytes: &[u8]| [&bytes[..18], &bytes[28..96]].concat();
        let after = std::fs::read(&path).unwrap();
        assert_eq!(without_wal(&before), without_wal(&after), "{sql}");
    }
    // Ours, with the mark and from before there was one.
    place.options().open().unwrap().close().unwrap();
    mine(&place).open().unwrap().close().unwrap();
    let marked = Place::new();
    mine(&marked).open().unwrap().close().unwrap();
    let id: i32 = Connection::open(marked.path())
        .unwrap()
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .unwrap();
    assert_eq!(id, 0x1234);
    mine(&marked).open_read_only().unwrap();
}

#[test]
fn a_reader_leaves_nothing_behind() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    db.write("note", |tx| add(tx, "one")).unwrap();
    db.close().unwrap();
    let before = std::fs::read(place.path()).unwrap();
    for _ in 0..2 {
        let reader = place.options().open_read_only().unwrap();
        assert_eq!(bodies(&reader), ["one"]);
        drop(reader);
        assert_eq!(place.names(), ["a.db"]);
    }
    assert_eq!(std::fs::read(place.path()).unwrap(), before);
}
