//! The lock counters give known numbers for a real writer.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use testkit::locks::strace::{self, LockCalls};
use testkit::locks::{CommitCounter, wal};

fn create(database: &Path) -> Connection {
    let connection = Connection::open(database).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)")
        .unwrap();
    connection
}

/// Commits `count` transactions, one of every ten over many pages.
fn write(connection: &Connection, count: usize) {
    for number in 0..count {
        let bytes = if number % 10 == 0 { 50_000 } else { 10 };
        connection
            .execute("INSERT INTO t VALUES (zeroblob(?1))", [bytes])
            .unwrap();
    }
}

#[test]
fn every_commit_counts_across_restarts_of_the_log() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("a.db");
    let writer = create(&database);
    writer
        .execute_batch("PRAGMA wal_autocheckpoint = 5; PRAGMA synchronous = OFF")
        .unwrap();
    let counter = CommitCounter::attach(&database).unwrap();
    let salt = wal::read(&database).unwrap().salts.0;
    write(&writer, 1_000);
    assert_eq!(counter.commits().unwrap(), 1_000);
    let restarts = wal::read(&database).unwrap().salts.0.wrapping_sub(salt);
    assert!(
        restarts > 50,
        "only {restarts} restarts: nothing was tested"
    );
    writer
        .execute_batch(
            "BEGIN IMMEDIATE; COMMIT; BEGIN IMMEDIATE; INSERT INTO t VALUES (1); ROLLBACK",
        )
        .unwrap();
    assert_eq!(
        counter.commits().unwrap(),
        1_000,
        "a transaction that changes nothing commits nothing"
    );
    writer.execute_batch("BEGIN; INSERT INTO t VALUES (1); SAVEPOINT a; INSERT INTO t VALUES (2); RELEASE a; COMMIT").unwrap();
    writer
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); CREATE INDEX i ON t (x)")
        .unwrap();
    assert_eq!(counter.commits().unwrap(), 1_002);
}

#[test]
fn a_writer_that_comes_and_goes_is_counted() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("a.db");
    drop(create(&database));
    let counter = CommitCounter::attach(&database).unwrap();
    for _ in 0..20 {
        write(&Connection::open(&database).unwrap(), 3);
    }
    assert_eq!(counter.commits().unwrap(), 60);
}

#[test]
fn writers_side_by_side_are_counted_while_they_write() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("a.db");
    drop(create(&database));
    let counter = CommitCounter::attach(&database).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let connection = Connection::open(&database).unwrap();
                    connection
                        .execute_batch("PRAGMA busy_timeout = 30000; PRAGMA synchronous = OFF")
                        .unwrap();
                    write(&connection, 100);
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let now = counter.commits().unwrap();
                assert!((last..=400).contains(&now));
                last = now;
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(counter.commits().unwrap(), 400);
}

#[test]
fn a_database_that_is_yet_to_come_is_counted_from_its_start() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("a.db");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            let connection = create(&database);
            write(&connection, 20);
            std::thread::sleep(Duration::from_millis(300));
            write(&connection, 20);
        });
        let counter = CommitCounter::attach_when_made(&database, Duration::from_secs(10)).unwrap();
        writer.join().unwrap();
        assert_eq!(counter.commits().unwrap(), 41, "CREATE TABLE is the one");
    });
}

#[test]
fn a_database_without_wal_is_refused() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("a.db");
    Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert!(
        CommitCounter::attach(&database)
            .unwrap_err()
            .to_string()
            .contains("journal mode")
    );
    let missing = folder.path().join("b.db");
    assert!(CommitCounter::attach_when_made(&missing, Duration::from_millis(20)).is_err());
    assert!(!missing.exists());
}

#[test]
fn the_log_holds_the_commits_since_its_restart() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("a.db");
    assert_eq!(wal::read(&database).unwrap(), wal::Wal::default());
    let writer = create(&database);
    writer
        .execute_batch("PRAGMA wal_autocheckpoint = 0")
        .unwrap();
    let before = wal::read(&database).unwrap();
    write(&writer, 25);
    assert_eq!(wal::read(&database).unwrap().commits, before.commits + 25);
    writer
        .execute_batch("PRAGMA wal_checkpoint(RESTART)")
        .unwrap();
    write(&writer, 2);
    let after = wal::read(&database).unwrap();
    assert_eq!(
        (after.commits, after.salts.0),
        (2, before.salts.0.wrapping_add(1))
    );
}

const CHILD: &str = "TESTKIT_TEST_WRITER";

/// Does nothing, except in a second process started by the test below.
#[test]
fn writer() {
    if let Some(database) = std::env::var_os(CHILD) {
        let connection = Connection::open(database).unwrap();
        connection
            .execute_batch("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20")
            .unwrap();
        write(&connection, 37);
        connection
            .execute_batch("BEGIN IMMEDIATE; ROLLBACK; BEGIN IMMEDIATE; COMMIT")
            .unwrap();
    }
}

#[test]
fn strace_and_the_counter_agree() {
    if !strace::available() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("naïve.db");
    drop(create(&database));
    let counter = CommitCounter::attach(&database).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "writer"]).env(CHILD, &database);
    let (output, calls) = strace::count(&command, &database).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(counter.commits().unwrap(), 37);
    assert_eq!((calls.acquired, calls.refused), (37 + 2, 0));
    assert_eq!(calls.released, calls.acquired);
}

const TIRELESS: &str = "TESTKIT_TEST_TIRELESS";

/// Does nothing, except in a second process started by the test below: then writes until it is killed.
#[test]
fn tireless_writer() {
    if let Some(database) = std::env::var_os(TIRELESS) {
        let connection = Connection::open(database).unwrap();
        connection
            .execute_batch("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20")
            .unwrap();
        write(&connection, usize::MAX);
    }
}

#[cfg(unix)]
#[test]
fn commits_of_killed_writers_count() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("a.db");
    drop(create(&database));
    let counter = CommitCounter::attach(&database).unwrap();
    for delay in [150, 90, 200, 120] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "tireless_writer"])
            .env(TIRELESS, &database);
        assert!(testkit::kill::kill_after(command, Duration::from_millis(delay)).unwrap());
    }
    let connection = Connection::open(&database).unwrap();
    let rows: u64 = connection
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap();
    assert!(rows > 100, "{rows}");
    assert_eq!(counter.commits().unwrap(), rows);
}

#[test]
fn calls_are_told_apart() {
    let text = "\
fcntl(4</tmp/x/a.db-shm>, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=120, l_len=1}) = 0
fcntl(4</tmp/x/a.db-shm>, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=120, l_len=1}) = -1 EAGAIN (Resource temporarily unavailable)
fcntl(4</tmp/x/a.db-shm>, F_SETLK, {l_type=F_UNLCK, l_whence=SEEK_SET, l_start=120, l_len=1}) = 0
fcntl(4</tmp/x/a.db-shm>, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=121, l_len=1}) = 0
fcntl(4</tmp/x/a.db-shm>, F_SETLK, {l_type=F_RDLCK, l_whence=SEEK_SET, l_start=124, l_len=1}) = 0
fcntl(4</tmp/x/b.db-shm>, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=120, l_len=1}) = 0
";
    let mut calls = LockCalls::default();
    calls.add(text, Path::new("/tmp/x/a.db"));
    assert_eq!(
        calls,
        LockCalls {
            acquired: 1,
            refused: 1,
            released: 1
        }
    );
}
