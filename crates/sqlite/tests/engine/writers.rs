//! Many threads of one process.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlite::Error;

use crate::support::{Place, add, count, wait};

#[test]
fn thirty_two_writers_lose_nothing() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    std::thread::scope(|threads| {
        for thread in 0..32 {
            let db = db.clone();
            threads.spawn(move || {
                for unit in 0..50 {
                    let (one, two) = (format!("{thread}/{unit}/1"), format!("{thread}/{unit}/2"));
                    db.write("pair", move |tx| {
                        Ok::<_, Error>(add(tx, &one)? + add(tx, &two)?)
                    })
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(count(&db), 32 * 50 * 2);
    let report = db.close().unwrap();
    let pair = &report.labels["pair"];
    assert_eq!(
        (pair.units, pair.rows, pair.failed, pair.retries),
        (1600, 3200, 0, 0)
    );
    assert_eq!(
        (pair.wait.count, pair.busy.count, pair.hold.count),
        (1600, 1600, 1600)
    );
    assert!(
        report.transactions < 1600,
        "units that wait together are committed together"
    );
    assert_eq!(report.hold.count, report.transactions);
}

#[test]
fn units_run_in_the_order_in_which_they_came() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    // The number is drawn and the unit queued under one lock, so that the order of arrival is known.
    let arrivals = Mutex::new(0);
    let ran = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| {
                for _ in 0..50 {
                    let pending = {
                        let mut next = arrivals.lock().unwrap();
                        *next += 1;
                        let (number, ran) = (*next, Arc::clone(&ran));
                        db.write_async("number", move |tx| {
                            ran.lock().unwrap().push(number);
                            add(tx, &number.to_string())
                        })
                    };
                    wait(pending).unwrap();
                }
            });
        }
    });
    assert_eq!(*ran.lock().unwrap(), (1..=800).collect::<Vec<i32>>());
}

#[test]
fn nobody_starves() {
    let place = Place::new();
    let db = place.options().group_limit(Duration::ZERO).open().unwrap();
    std::thread::scope(|threads| {
        for thread in 0..32 {
            let db = &db;
            threads.spawn(move || {
                for unit in 0..20 {
                    let body = format!("{thread}/{unit}");
                    let work = move |tx: &sqlite::Tx<'_>| {
                        std::thread::sleep(Duration::from_millis(1));
                        add(tx, &body)
                    };
                    db.write("work", work).unwrap();
                }
            });
        }
    });
    let wait = db.report().labels["work"].wait;
    // In turn, everyone waits for about as long as the 31 others work. By polling, some wait a hundred times as long.
    assert!(wait.max <= 10.0 * wait.p50, "{wait:?}");
}

#[test]
fn a_file_opened_twice_by_one_process_is_shared() {
    let place = Place::new();
    let first = place.options().open().unwrap();
    let second = place.options().open().unwrap();
    std::thread::scope(|threads| {
        for (name, db) in [("first", &first), ("second", &second)] {
            threads.spawn(move || {
                for unit in 0..200 {
                    let body = format!("{name} {unit}");
                    db.write("note", move |tx| add(tx, &body)).unwrap();
                }
            });
        }
    });
    // Closing one must not drop the locks that the process holds for the other.
    first.close().unwrap();
    second.write("note", |tx| add(tx, "last")).unwrap();
    assert_eq!(count(&second), 401);
    assert!(second.check().unwrap().is_sound());
    second.close().unwrap();
    assert_eq!(
        place.names(),
        ["a.db"],
        "the last one to close removes the WAL"
    );
}

#[test]
fn a_snapshot_does_not_move() {
    let place = Place::new();
    let db = place.options().readers(2).open().unwrap();
    let (written, proceed) = channel();
    let sum = |snapshot: &sqlite::Snapshot<'_>| -> Result<i64, Error> {
        snapshot.query_row("SELECT count(*) FROM note", [], |row| row.get(0))
    };
    std::thread::scope(|threads| {
        let reading = threads.spawn(|| {
            db.read(|snapshot| {
                let before = sum(snapshot)?;
                written.send(()).unwrap();
                // A read may write: it waits for nobody that waits for it.
                db.write("inside a read", |tx| add(tx, "new"))?;
                Ok::<_, Error>((before, sum(snapshot)?))
            })
        });
        proceed.recv().unwrap();
        assert_eq!(reading.join().unwrap().unwrap(), (0, 0));
    });
    assert_eq!(count(&db), 1);
}

#[test]
fn more_threads_than_readers_take_turns() {
    let place = Place::new();
    let db = place.options().readers(2).open().unwrap();
    db.write("note", |tx| add(tx, "one")).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(count(&db), 1);
                }
            });
        }
    });
}

#[test]
fn a_panic_in_a_read_gives_the_reader_back() {
    let place = Place::new();
    let db = place.options().readers(1).open().unwrap();
    for _ in 0..3 {
        let read = std::panic::AssertUnwindSafe(|| {
            db.read(|_| -> Result<(), Error> { panic!("of the reader") })
        });
        assert!(std::panic::catch_unwind(read).is_err());
    }
    assert_eq!(count(&db), 0);
}
