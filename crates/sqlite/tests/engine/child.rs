//! The roles that this program plays when a test starts it as another process.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sqlite::{Db, Error, Options, Tuning};

use crate::support::{NOTES, Stopper, add, bodies, count};

/// Says a line to the test that started this process.
fn say(line: impl std::fmt::Display) {
    println!("\npeer: {line}");
}

#[test]
#[ignore = "plays a role in other tests, alone it does nothing"]
fn child() {
    let Ok(role) = std::env::var("SQLITE_TEST_ROLE") else {
        return;
    };
    let path = std::env::var_os("SQLITE_TEST_PATH").unwrap();
    let path = Path::new(&path);
    match role.as_str() {
        "hold in bursts" => hold_in_bursts(path),
        "stop inside a unit" => stop_inside_a_unit(path),
        "stop inside a group" => stop_inside_a_group(path),
        "write and tell" => write_and_tell(path),
        "write a hundred" => write_a_hundred(path),
        "open fresh" => open_fresh(path),
        "count commits" => count_commits(path),
        "fill the disk" => fill_the_disk(path),
        "read only media" => read_only_media(path),
        _ => panic!("no such role: {role}"),
    }
}

/// Another program, without this crate: holds the lock 300 ms of each second, and once for 4 s.
fn hold_in_bursts(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    for hold in [300, 4_000, 300, 300] {
        connection
            .execute_batch("BEGIN IMMEDIATE; INSERT INTO note (unit) VALUES ('peer')")
            .unwrap();
        say("holding");
        std::thread::sleep(Duration::from_millis(hold));
        connection.execute_batch("COMMIT").unwrap();
        std::thread::sleep(Duration::from_millis(700));
    }
    say("done");
}

fn open(path: &Path) -> Db {
    Options::new(path)
        .schema(NOTES)
        .group_limit(Duration::from_mins(1))
        .open()
        .unwrap()
}

fn sleep_until_killed() -> ! {
    loop {
        std::thread::sleep(Duration::from_mins(1));
    }
}

fn stop_inside_a_unit(path: &Path) {
    let db = open(path);
    db.write("before", |tx| add(tx, "before")).unwrap();
    let _ = db.write("half", |tx| {
        add(tx, "half")?;
        say("between statements");
        sleep_until_killed();
        #[expect(unreachable_code, reason = "gives the closure its type")]
        Ok::<(), Error>(())
    });
}

fn stop_inside_a_group(path: &Path) {
    let db = open(path);
    db.write("before", |tx| add(tx, "before")).unwrap();
    let stopper = Stopper::new(&db);
    let first = db.write_async("first", |tx| add(tx, "first member"));
    let second = db.write_async("second", |tx| {
        add(tx, "second member")?;
        say("between members");
        sleep_until_killed();
        #[expect(unreachable_code, reason = "gives the closure its type")]
        Ok::<(), Error>(())
    });
    std::thread::spawn(|| stopper.release());
    crate::support::wait(second).unwrap();
    drop(first);
}

/// Units of ten rows from four threads, each told when it is acknowledged.
fn write_and_tell(path: &Path) {
    let db = Options::new(path).schema(NOTES).open().unwrap();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let db = &db;
            threads.spawn(move || {
                for number in 0.. {
                    let unit = format!("{thread}/{number}");
                    let name = unit.clone();
                    let rows = move |tx: &sqlite::Tx<'_>| {
                        tx.insert_rows("note", &["unit"], "", (0..10).map(|_| [&name]))
                    };
                    db.write("ten rows", rows).unwrap();
                    say(unit);
                }
            });
        }
    });
}

fn write_a_hundred(path: &Path) {
    let db = Options::new(path).schema(NOTES).open().unwrap();
    for _ in 0..100 {
        db.write("peer", |tx| {
            tx.execute("INSERT INTO note (unit) VALUES ('peer')", [])
        })
        .unwrap();
    }
    db.close().unwrap();
}

/// Opens a file that several processes want to create, at the moment that all of them agreed on.
fn open_fresh(path: &Path) {
    let start = path.with_extension("start");
    say("ready");
    while !start.exists() {
        std::thread::yield_now();
    }
    let db = Options::new(path).schema(NOTES).open().unwrap();
    db.write("mine", |tx| {
        tx.execute("INSERT INTO note (unit) VALUES ('peer')", [])
    })
    .unwrap();
    say(format!(
        "upgrades {}",
        db.report().labels.contains_key("upgrade schema")
    ));
}

/// The counter of commits in the shared memory of the WAL. Only another process can read that file safely: closing it
/// would drop this process's locks on it.
fn count_commits(path: &Path) {
    let mut shared = path.as_os_str().to_owned();
    shared.push("-shm");
    let bytes = std::fs::read(shared).unwrap();
    let changes = <[u8; 4]>::try_from(&bytes[8..12]).unwrap();
    say(u32::from_ne_bytes(changes));
}

fn fill_the_disk(path: &Path) {
    let tuning = Tuning {
        checkpoint_pages: 16,
        ..Tuning::default()
    };
    let db = Options::new(path)
        .schema(NOTES)
        .tuning(tuning)
        .open()
        .unwrap();
    let add_big = |number: i64| {
        db.write("big", move |tx| {
            tx.execute(
                "INSERT INTO note (body) VALUES (?1)",
                [format!("begin {number}")],
            )?;
            tx.execute("INSERT INTO note (big) VALUES (zeroblob(100000))", [])?;
            tx.execute(
                "INSERT INTO note (body) VALUES (?1)",
                [format!("end {number}")],
            )
        })
    };
    let mut committed = 0;
    let error = loop {
        match add_big(committed) {
            Ok(_) => committed += 1,
            Err(error) => break error,
        }
        assert!(committed < 1000, "the disk is too large to be filled");
    };
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert!(committed > 0, "something fitted");
    assert_eq!(
        count(&db),
        3 * committed as usize,
        "each unit is there as a whole or not at all"
    );
    // Space that comes back is used.
    std::fs::remove_file(path.with_file_name("ballast")).unwrap();
    add_big(committed).unwrap();
    assert!(db.check().unwrap().is_sound());
    db.close().unwrap();

    // A file that cannot be created leaves nothing behind.
    let started = Instant::now();
    let mut filler = std::fs::File::create(path.with_file_name("filler")).unwrap();
    while std::io::Write::write_all(&mut filler, &[0; 4096]).is_ok() {
        assert!(started.elapsed() < Duration::from_secs(30));
    }
    // Reading needs no space, whatever the reader before has left.
    for _ in 0..3 {
        let db = Options::new(path).schema(NOTES).open_read_only().unwrap();
        assert!(count(&db) > 0);
    }
    let fresh = path.with_file_name("fresh.db");
    let error = Options::new(&fresh).schema(NOTES).open().unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert!(!fresh.exists());
    let names = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(
        names
            .filter(|name| name.to_string_lossy().contains("building"))
            .count(),
        0
    );
}

fn read_only_media(path: &Path) {
    let options = || Options::new(path).schema(NOTES);
    let db = options().open_read_only().unwrap();
    assert_eq!(bodies(&db), ["kept"]);
    assert!(db.warnings().is_empty());
    let refused = db.write("no", |tx| add(tx, "no")).unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused:?}");
    assert!(db.check().unwrap().is_sound());
    db.close().unwrap();

    let refused = options().open().unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused:?}");
    let fresh = path.with_file_name("fresh.db");
    let refused = Options::new(fresh).schema(NOTES).open().unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused:?}");
}
