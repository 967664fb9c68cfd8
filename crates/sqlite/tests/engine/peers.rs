//! Other processes that hold the lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sqlite::Error;

use crate::support::{Peer, Place, add, bodies, wait};

#[test]
fn bursts_of_another_process_reach_no_caller() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let mut peer = Peer::start("hold in bursts", &place.path());
    peer.wait_for("holding");
    let over = AtomicBool::new(false);
    let written = std::thread::scope(|threads| {
        let writers: Vec<_> = (0..4)
            .map(|thread| {
                let (db, over) = (&db, &over);
                threads.spawn(move || {
                    let mut written = 0_usize;
                    while !over.load(Ordering::Relaxed) {
                        let body = format!("{thread}/{written}");
                        db.write("note", move |tx| add(tx, &body)).unwrap();
                        written += 1;
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    written
                })
            })
            .collect();
        peer.wait_for("done");
        over.store(true, Ordering::Relaxed);
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .sum::<usize>()
    });
    peer.finish();
    assert_eq!(crate::support::count(&db), written + 4);
    let note = db.report().labels["note"].clone();
    assert_eq!((note.units as usize, note.failed), (written, 0));
    assert!(note.retries > 0, "{note:?}");
    assert!(
        note.busy.max >= 2_000.0,
        "one wait was for the hold of four seconds: {note:?}"
    );
    assert!(note.hold.max < 2_000.0, "waiting is not holding: {note:?}");
}

#[test]
fn a_lock_that_is_not_given_back_is_an_error_with_the_label() {
    let place = Place::new();
    let limit = Duration::from_millis(400);
    let db = place
        .options()
        .max_lock_wait(limit)
        .busy_timeout(Duration::from_millis(20))
        .open()
        .unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    let error = db.write("record file", |tx| add(tx, "never")).unwrap_err();
    let Error::Locked {
        label,
        attempts,
        waited,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(label, "record file");
    assert!(attempts >= 3, "{attempts}");
    assert!(waited >= limit && waited <= started.elapsed());
    let report = db.report();
    assert_eq!(
        (report.transactions, report.units, report.failed),
        (0, 1, 1)
    );
    assert_eq!(u64::from(attempts), report.retries);
    other.execute_batch("ROLLBACK").unwrap();
    db.write("record file", |tx| add(tx, "later")).unwrap();
    assert_eq!(bodies(&db), ["later"]);
}

#[test]
fn who_is_less_patient_gives_up_alone_even_behind_others() {
    let place = Place::new();
    let db = place
        .options()
        .max_lock_wait(Duration::from_secs(30))
        .busy_timeout(Duration::ZERO)
        .open()
        .unwrap();
    let hurried = db.with_patience(Duration::from_millis(300));
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let front = db.write_async("front", |tx| add(tx, "front"));
    let error = hurried.write("behind", |tx| add(tx, "behind")).unwrap_err();
    let Error::Locked { label, waited, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(label, "behind");
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    other.execute_batch("ROLLBACK").unwrap();
    wait(front).unwrap();
    assert_eq!(bodies(&db), ["front"]);
}

#[test]
fn a_unit_behind_has_an_allowance_of_its_own() {
    let place = Place::new();
    let limit = Duration::from_millis(600);
    let db = place
        .options()
        .max_lock_wait(limit)
        .busy_timeout(Duration::ZERO)
        .open()
        .unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    let front = db.write_async("front", |tx| add(tx, "front"));
    std::thread::sleep(limit / 2);
    let behind = db.write_async("behind", |tx| add(tx, "behind"));
    assert!(matches!(
        wait(front),
        Err(Error::Locked { label: "front", .. })
    ));
    let front_gave_up = started.elapsed();
    let Err(Error::Locked {
        label: "behind",
        waited,
        ..
    }) = wait(behind)
    else {
        panic!("not locked")
    };
    assert!(waited >= limit, "{waited:?}");
    assert!(
        started.elapsed() >= front_gave_up + limit / 4,
        "it went on waiting after the front gave up"
    );
}

#[test]
fn a_unit_abandoned_while_the_lock_is_taken_never_runs() {
    let place = Place::new();
    let db = place.options().busy_timeout(Duration::ZERO).open().unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let dropped = db.write_async("dropped", |tx| add(tx, "dropped"));
    while db.report().retries == 0 {
        std::thread::yield_now();
    }
    drop(dropped);
    other.execute_batch("ROLLBACK").unwrap();
    db.write("kept", |tx| add(tx, "kept")).unwrap();
    assert_eq!(bodies(&db), ["kept"]);
}

#[test]
fn two_processes_write_and_nothing_is_lost() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    let peer = Peer::start("write a hundred", &place.path());
    for unit in 0..100 {
        db.write("mine", move |tx| add(tx, &unit.to_string()))
            .unwrap();
    }
    peer.finish();
    assert_eq!(crate::support::count(&db), 200);
    assert!(db.check().unwrap().is_sound());
}

#[test]
fn a_checkpoint_does_not_ask_for_the_write_lock() {
    let place = Place::new();
    let patience = Duration::from_secs(10);
    let db = place.options().busy_timeout(patience).open().unwrap();
    db.write("note", |tx| add(tx, "kept")).unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    let report = db.close().unwrap();
    assert_eq!(report.checkpoints, 1);
    assert!(
        started.elapsed() < patience / 2,
        "it waited for the other process"
    );
    let copied = std::fs::read(place.path()).unwrap();
    assert!(
        copied.windows(4).any(|bytes| bytes == b"kept"),
        "it was copied all the same"
    );
}
