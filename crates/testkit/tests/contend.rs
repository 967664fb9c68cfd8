//! The second process really holds the lock, and lets go when told.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;
use testkit::contend::{Contender, Pattern, run_if_child};

#[test]
fn contender() {
    run_if_child();
}

fn database(folder: &TempDir) -> (std::path::PathBuf, Connection) {
    let path = folder.path().join("a.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)")
        .unwrap();
    connection.busy_timeout(Duration::ZERO).unwrap();
    (path, connection)
}

fn pattern(hold: u64, every: u64, long_hold: u64) -> Pattern {
    let [hold, every, long_hold] = [hold, every, long_hold].map(Duration::from_millis);
    Pattern {
        hold,
        every,
        long_hold,
    }
}

#[test]
fn the_lock_is_held_in_bursts_and_once_for_long() {
    let folder = TempDir::new().unwrap();
    let (path, connection) = database(&folder);
    let contender = Contender::spawn(&path, "contender", pattern(100, 300, 700)).unwrap();
    assert!(
        connection.execute("INSERT INTO t VALUES (1)", []).is_err(),
        "the lock is held at once"
    );
    let start = Instant::now();
    let (mut written, mut refused, mut longest, mut since) = (0, 0, Duration::ZERO, start);
    while start.elapsed() < Duration::from_millis(1_600) {
        if connection.execute("INSERT INTO t VALUES (1)", []).is_ok() {
            written += 1;
            since = Instant::now();
        } else {
            refused += 1;
            longest = longest.max(since.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let bursts = contender.stop().unwrap();
    assert!(
        written > 5 && refused > 5,
        "{written} written, {refused} refused"
    );
    assert!(longest > Duration::from_millis(500), "{longest:?}");
    assert!(
        bursts.count >= 2 && bursts.held >= Duration::from_millis(100 * bursts.count + 600),
        "{bursts:?}"
    );
    assert!(connection.execute("INSERT INTO t VALUES (1)", []).is_ok());
}

#[test]
fn a_dropped_contender_lets_go() {
    let folder = TempDir::new().unwrap();
    let (path, connection) = database(&folder);
    drop(Contender::spawn(&path, "contender", pattern(60_000, 60_000, 0)).unwrap());
    assert!(connection.execute("INSERT INTO t VALUES (1)", []).is_ok());
}

#[test]
fn a_wrong_name_is_an_error() {
    let folder = TempDir::new().unwrap();
    let (path, _connection) = database(&folder);
    let error = Contender::spawn(&path, "no_such_test", Pattern::default()).unwrap_err();
    assert!(error.to_string().contains("no_such_test"), "{error}");
}
