//! One unit: all or nothing, whatever happens in it, before it and around it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

use sqlite::{Db, Error, Newer, Options, Schema};

use crate::support::{NOTES, Place, Stopper, add, bodies, wait};

/// A database that commits whatever waits in one transaction.
fn grouping(place: &Place) -> Db {
    place
        .options()
        .group_limit(Duration::from_mins(1))
        .open()
        .unwrap()
}

#[derive(Debug, PartialEq)]
enum Own {
    Mine,
    Engine(String),
}

impl From<Error> for Own {
    fn from(error: Error) -> Self {
        Own::Engine(error.to_string())
    }
}

#[test]
fn an_error_undoes_the_unit_and_comes_back_as_it_is() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let failed = db.try_write("note", |tx| {
        add(tx, "undone")?;
        Err::<(), _>(Own::Mine)
    });
    assert_eq!(failed, Err(Own::Mine));
    db.write("note", |tx| add(tx, "kept")).unwrap();
    assert_eq!(bodies(&db), ["kept"]);
    let report = db.report();
    assert_eq!(
        (
            report.transactions,
            report.rolled_back,
            report.failed,
            report.rows
        ),
        (2, 1, 1, 1)
    );
}

#[test]
fn a_panic_undoes_the_unit_and_continues_in_the_caller() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let unit = |tx: &sqlite::Tx<'_>| -> Result<(), Error> {
        add(tx, "undone")?;
        panic!("of the unit");
    };
    let panic = catch_unwind(AssertUnwindSafe(|| db.write("note", unit))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"of the unit"));
    let panic = catch_unwind(AssertUnwindSafe(|| wait(db.write_async("note", unit)))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"of the unit"));
    db.write("note", |tx| add(tx, "kept")).unwrap();
    assert_eq!(bodies(&db), ["kept"]);
}

#[test]
fn a_failing_unit_spoils_no_other_of_its_transaction() {
    let place = Place::new();
    let db = grouping(&place);
    let stopper = Stopper::new(&db);
    let first = db.write_async("group", |tx| add(tx, "first"));
    let failing = db.write_async("group", |tx| {
        add(tx, "undone")?;
        add(tx, "first")
    });
    let panicking = db.write_async("group", |tx| -> Result<(), Error> {
        add(tx, "undone")?;
        panic!("of the unit");
    });
    let last = db.write_async("group", |tx| add(tx, "last"));
    stopper.release();
    assert_eq!(wait(first).unwrap(), 1);
    assert!(wait(failing).unwrap_err().is_unique_violation());
    assert!(catch_unwind(AssertUnwindSafe(|| wait(panicking))).is_err());
    assert_eq!(wait(last).unwrap(), 1);
    assert_eq!(bodies(&db), ["first", "last"]);
    let report = db.report();
    assert_eq!(
        (report.transactions, report.rolled_back),
        (1, 0),
        "it was one transaction: {report:?}"
    );
    let group = &report.labels["group"];
    assert_eq!((group.units, group.failed, group.rows), (4, 2, 2));
}

#[test]
fn a_future_dropped_before_its_unit_starts_never_runs() {
    let place = Place::new();
    let db = grouping(&place);
    let stopper = Stopper::new(&db);
    drop(db.write_async("dropped", |tx| add(tx, "dropped")));
    let kept = db.write_async("kept", |tx| add(tx, "kept"));
    stopper.release();
    wait(kept).unwrap();
    assert_eq!(bodies(&db), ["kept"]);
    assert!(!db.report().labels.contains_key("dropped"));
}

#[test]
fn a_future_dropped_inside_its_unit_commits_in_full() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let ((start, started), (release, released)) = (channel(), channel::<()>());
    let pending = db.write_async("dropped", move |tx| {
        add(tx, "one")?;
        start.send(()).unwrap();
        released.recv().unwrap();
        add(tx, "two")
    });
    started.recv().unwrap();
    drop(pending);
    release.send(()).unwrap();
    db.write("after", |tx| add(tx, "three")).unwrap();
    assert_eq!(bodies(&db), ["one", "two", "three"]);
}

#[test]
fn a_future_dropped_after_its_unit_changes_nothing() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let pending = db.write_async("note", |tx| add(tx, "one"));
    db.write("after", |tx| add(tx, "two")).unwrap();
    drop(pending);
    assert_eq!(bodies(&db), ["one", "two"]);
}

#[test]
fn a_value_that_panics_when_dropped_does_not_end_the_writer() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(
                std::thread::current().name() != Some("sqlite-writer"),
                "dropped in the writer"
            );
        }
    }
    let place = Place::new();
    let db = grouping(&place);
    let stopper = Stopper::new(&db);
    let bomb = Bomb;
    drop(db.write_async("dropped", move |_| {
        let _bomb = bomb;
        Ok::<(), Error>(())
    }));
    stopper.release();
    db.write("after", |tx| add(tx, "kept")).unwrap();
    assert_eq!(bodies(&db), ["kept"]);
}

#[test]
fn only_changes_are_allowed_inside() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    for sql in [
        "SELECT * FROM note",
        "WITH one AS (SELECT 1) SELECT * FROM one",
    ] {
        let refused = db.write("read", |tx| tx.execute(sql, [])).unwrap_err();
        assert!(
            matches!(refused, Error::ReadInsideWrite { .. }),
            "{sql}: {refused:?}"
        );
        let refused = db
            .write("read", |tx| tx.returning(sql, [], |_| Ok(())))
            .unwrap_err();
        assert!(
            matches!(refused, Error::ReadInsideWrite { .. }),
            "{sql}: {refused:?}"
        );
    }
    for sql in [
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
        "SAVEPOINT x",
        "RELEASE unit",
        "END",
        "PRAGMA synchronous = OFF",
    ] {
        let refused = db.write("steer", |tx| tx.execute(sql, [])).unwrap_err();
        assert!(
            matches!(refused, Error::Forbidden { .. }),
            "{sql}: {refused:?}"
        );
    }
    let made = db.write("create", |tx| {
        add(tx, "one")?;
        tx.execute("CREATE TABLE extra (x)", [])?;
        Ok(())
    });
    made.unwrap();
    assert_eq!(db.report().rows, 1, "creating a table changes no row");
}

#[test]
fn a_snapshot_cannot_write() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let written =
        db.read(|snapshot| snapshot.query_all("DELETE FROM note RETURNING id", [], |_| Ok(())));
    assert!(
        matches!(written, Err(Error::ReadOnly { .. })),
        "{written:?}"
    );
}

#[test]
fn calls_that_would_wait_for_themselves_are_refused() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let inner = db.clone();
    let refused = db
        .write("outer", move |_| inner.write("inner", |tx| add(tx, "x")))
        .unwrap_err();
    assert!(
        matches!(refused, Error::Nested { label: "inner" }),
        "{refused:?}"
    );
    let inner = db.clone();
    let refused = db
        .write("outer", move |_| inner.read(|_| Ok::<_, Error>(())))
        .unwrap_err();
    assert!(
        matches!(refused, Error::Nested { label: "read" }),
        "{refused:?}"
    );
    let inner = db.clone();
    let refused = db.write("outer", move |_| inner.close()).unwrap_err();
    assert!(
        matches!(refused, Error::Nested { label: "close" }),
        "{refused:?}"
    );
    let refused = db.read(|_| db.read(|_| Ok::<_, Error>(()))).unwrap_err();
    assert!(
        matches!(refused, Error::Nested { label: "read" }),
        "{refused:?}"
    );
    // Another database is another matter.
    let (other_place, inner) = (Place::new(), db.clone());
    let other = other_place.options().open().unwrap();
    other.read(|_| inner.read(|_| Ok::<_, Error>(()))).unwrap();
}

#[test]
fn the_last_handle_can_be_dropped_by_a_unit() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let ((send, gone), inner) = (channel(), db.clone());
    let stopper = Stopper::new(&db);
    let pending = db.write_async("last", move |tx| {
        let added = add(tx, "one")?;
        drop(inner);
        send.send(()).unwrap();
        Ok::<_, Error>(added)
    });
    stopper.release();
    drop(db);
    gone.recv().unwrap();
    assert_eq!(wait(pending).unwrap(), 1);
}

#[test]
fn a_closed_database_finishes_what_is_queued_and_refuses_the_rest() {
    let place = Place::new();
    let db = grouping(&place);
    let stopper = Stopper::new(&db);
    let queued: Vec<_> = (0..10)
        .map(|n| db.write_async("queued", move |tx| add(tx, &n.to_string())))
        .collect();
    let closing = std::thread::spawn({
        let db = db.clone();
        move || db.close()
    });
    while !matches!(wait_refused(&db), Some(Error::Closed { .. })) {}
    stopper.release();
    for pending in queued {
        assert_eq!(wait(pending).unwrap(), 1);
    }
    assert_eq!(closing.join().unwrap().unwrap().labels["queued"].rows, 10);
    let refused = db.read(|_| Ok::<_, Error>(())).unwrap_err();
    assert!(matches!(refused, Error::Closed { .. }), "{refused:?}");
    assert_eq!(place.names(), ["a.db"]);
    db.close().unwrap();
}

/// What a write says that is not waited for unless it is refused.
fn wait_refused(db: &Db) -> Option<Error> {
    struct Never;
    impl std::task::Wake for Never {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    let waker = std::sync::Arc::new(Never).into();
    let mut pending = std::pin::pin!(db.write_async("probe", |_| Ok::<_, Error>(())));
    match pending
        .as_mut()
        .poll(&mut std::task::Context::from_waker(&waker))
    {
        std::task::Poll::Ready(Err(error)) => Some(error),
        _ => None,
    }
}

#[test]
fn a_schema_that_lets_units_spoil_each_other_commits_them_one_by_one() {
    const DEFERRED: Schema = Schema {
        component: "deferred",
        version: 1,
        ddl: "CREATE TABLE IF NOT EXISTS child (parent INTEGER REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED)",
        columns: &[],
        migrations: &[],
        newer: Newer::Refuse,
    };
    let place = Place::new();
    let limit = Duration::from_mins(1);
    let options = Options::new(place.path())
        .schema(NOTES)
        .schema(DEFERRED)
        .group_limit(limit);
    let db = options.open().unwrap();
    let stopper = Stopper::new(&db);
    let good = db.write_async("good", |tx| add(tx, "good"));
    let bad = db.write_async("bad", |tx| tx.execute("INSERT INTO child VALUES (77)", []));
    stopper.release();
    wait(good).unwrap();
    let failed = wait(bad).unwrap_err();
    assert!(matches!(failed, Error::Constraint { .. }), "{failed:?}");
    assert_eq!(bodies(&db), ["good"]);
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    let free = other.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
    assert_eq!(free, Ok(()), "a failed commit gives the lock back");
    db.write("after", |tx| add(tx, "after")).unwrap();
    assert_eq!(bodies(&db), ["good", "after"]);
}
