//! Counts and times are what they say.

use std::time::{Duration, Instant};

use sqlite::{Error, Tuning};

use crate::support::{Peer, Place, Stopper, add, count, wait};

fn commits(place: &Place) -> u64 {
    let mut peer = Peer::start("count commits", &place.path());
    let commits = peer.line().unwrap().parse().unwrap();
    peer.finish();
    commits
}

#[test]
fn the_lock_is_taken_once_per_transaction() {
    let place = Place::new();
    let tuning = Tuning {
        checkpoint_pages: 10,
        ..Tuning::default()
    };
    let db = place.options().tuning(tuning).open().unwrap();
    db.write("first", |tx| add(tx, "first")).unwrap();
    let before = commits(&place);
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let db = &db;
            threads.spawn(move || {
                for unit in 0..50 {
                    let body = format!("{thread}/{unit}");
                    db.write("note", move |tx| add(tx, &body)).unwrap();
                }
            });
        }
    });
    let report = db.report();
    assert!(
        report.checkpoints > 0,
        "checkpoints are part of what must not count"
    );
    assert_eq!(commits(&place) - before, report.transactions - 1);
}

#[test]
fn units_that_wait_together_are_one_transaction() {
    let place = Place::new();
    let db = place
        .options()
        .group_limit(Duration::from_mins(1))
        .open()
        .unwrap();
    let stopper = Stopper::new(&db);
    let waiting: Vec<_> = (0..20)
        .map(|n| db.write_async("note", move |tx| add(tx, &n.to_string())))
        .collect();
    stopper.release();
    for pending in waiting {
        wait(pending).unwrap();
    }
    assert_eq!(db.report().transactions, 1);
}

#[test]
fn hold_excludes_the_checkpoint() {
    let place = Place::new();
    let tuning = Tuning {
        checkpoint_pages: 1,
        ..Tuning::default()
    };
    let options = place.options().tuning(tuning);
    let db = options.group_limit(Duration::ZERO).open().unwrap();
    let started = Instant::now();
    let stopper = Stopper::new(&db);
    let big = db.write_async("big", |tx| {
        tx.execute("INSERT INTO note (big) VALUES (randomblob(40000000))", [])
    });
    // The writer takes it up when the checkpoint after the big one is done.
    let small = db.write_async("small", |tx| add(tx, "small"));
    stopper.release();
    wait(big).unwrap();
    wait(small).unwrap();
    let elapsed = started.elapsed().as_secs_f64() * 1000.0;
    let report = db.report();
    assert!(report.checkpoints >= 1);
    let (hold, checkpoint) = (report.labels["big"].hold.max, report.checkpoint.max);
    // If the lock was held during the checkpoint, its time would be in the sum twice.
    assert!(
        hold + checkpoint <= elapsed * 1.002,
        "of {elapsed} ms: {report:?}"
    );
    let wait = report.labels["small"].wait.max;
    assert!(
        wait >= (hold + checkpoint) * 0.998,
        "it was waited for at the gate: {report:?}"
    );
}

#[test]
fn a_wal_that_another_thread_copies_starts_over_too() {
    let place = Place::new();
    let tuning = Tuning {
        checkpoint_pages: 10,
        ..Tuning::default()
    };
    let options = place.options().tuning(tuning).copies_aside(true);
    let db = options.group_limit(Duration::ZERO).open().unwrap();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..100 {
                    db.write("big", |tx| {
                        tx.execute("INSERT INTO note (big) VALUES (zeroblob(20000))", [])
                    })
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(count(&db), 400);
    assert!(db.report().checkpoints >= 8, "{:?}", db.report());
    let wal = place.dir().join("a.db-wal");
    let bytes = std::fs::metadata(&wal).unwrap().len();
    assert!(bytes < 2_000_000, "of eight megabytes: {bytes}");
    db.close().unwrap();
    assert!(!wal.exists());
}

#[test]
fn checkpoints_keep_up_with_transactions_larger_than_their_interval() {
    let place = Place::new();
    let tuning = Tuning {
        checkpoint_pages: 10,
        ..Tuning::default()
    };
    let db = place.options().tuning(tuning).open().unwrap();
    for _ in 0..20 {
        db.write("big", |tx| {
            tx.execute("INSERT INTO note (big) VALUES (zeroblob(200000))", [])
        })
        .unwrap();
    }
    assert!(db.report().checkpoints >= 8, "{:?}", db.report());
    let wal = std::fs::metadata(place.dir().join("a.db-wal"))
        .unwrap()
        .len();
    assert!(wal < 1_000_000, "the WAL starts over: {wal} bytes");
}

#[test]
fn a_hundred_thousand_rows_go_in_at_once() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let inserted = db.write("bulk", |tx| {
        let rows = (0..100_000).map(|n: i64| (n, format!("body {n}")));
        tx.insert_rows("note", &["id", "body"], "", rows)
    });
    assert_eq!(inserted.unwrap(), 100_000);
    let again = db.write("bulk", |tx| {
        let rows = (99_990..100_010).map(|n: i64| (n, format!("body {n}")));
        tx.insert_rows("note", &["id", "body"], "ON CONFLICT (id) DO NOTHING", rows)
    });
    assert_eq!(
        again.unwrap(),
        10,
        "rows that are there already do not count"
    );

    assert_eq!(count(&db), 100_010);
    assert_eq!(db.report().rows, 100_010);
}

#[test]
fn rows_are_streamed_and_an_error_ends_the_stream() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    db.write("note", |tx| {
        tx.insert_rows("note", &["body"], "", (0..10).map(|n| [n.to_string()]))
    })
    .unwrap();
    let mut seen = 0;
    let failed = db.read(|snapshot| {
        snapshot.query_each("SELECT id FROM note", [], |_| {
            seen += 1;
            if seen == 3 {
                Err(Error::from(rusqlite::Error::InvalidQuery))
            } else {
                Ok(())
            }
        })
    });
    assert!(failed.is_err());
    assert_eq!(seen, 3);
}

#[test]
fn a_report_is_what_a_program_prints() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    db.write("record file", |tx| add(tx, "one")).unwrap();
    let report = serde_json::to_value(db.close().unwrap()).unwrap();
    let label = &report["labels"]["record file"];
    assert_eq!((&label["units"], &label["rows"]), (&1.into(), &1.into()));
    for times in [
        &report["hold"],
        &label["wait"],
        &label["busy"],
        &label["hold"],
    ] {
        assert_eq!(times["count"], 1);
        assert!(times["p50"].as_f64() <= times["max"].as_f64());
        assert!(times["p99"].is_f64());
    }
    assert!(label["hold"]["max"].as_f64() > Some(0.0));
}
