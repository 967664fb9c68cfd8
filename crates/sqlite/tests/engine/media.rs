//! Disks that are full, and disks that cannot be written.

use sqlite::{Error, Tuning};

use crate::support::{Place, add, bodies, count, in_own_mounts, wait};

#[test]
fn a_real_full_disk() {
    let place = Place::new();
    let script =
        "mount -t tmpfs -o size=3m tmpfs \"$1\"; head -c 1000000 /dev/zero > \"$1/ballast\"";
    in_own_mounts(script, place.dir(), "fill the disk");
}

#[test]
fn real_read_only_media() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    db.write("kept", |tx| add(tx, "kept")).unwrap();
    db.close().unwrap();
    let script = "mount --bind \"$1\" \"$1\"; mount -o remount,ro,bind \"$1\"";
    in_own_mounts(script, place.dir(), "read only media");
}

#[test]
fn a_limit_of_pages_is_a_full_disk_and_spoils_nothing() {
    let place = Place::new();
    let tuning = Tuning {
        max_pages: 64,
        ..Tuning::default()
    };
    let db = place
        .options()
        .tuning(tuning)
        .group_limit(std::time::Duration::from_mins(1))
        .open()
        .unwrap();
    db.write("before", |tx| add(tx, "before")).unwrap();
    let stopper = crate::support::Stopper::new(&db);
    let small = db.write_async("small", |tx| add(tx, "small"));
    let big = db.write_async("big", |tx| {
        add(tx, "half")?;
        for _ in 0..100 {
            tx.execute("INSERT INTO note (big) VALUES (zeroblob(10000))", [])?;
        }
        Ok::<_, Error>(())
    });
    let stopped = stopper.release_with_outcome();
    let full = wait(big).unwrap_err();
    assert!(matches!(full, Error::DiskFull { .. }), "{full:?}");
    // SQLite may give up all of the transaction at once, and then it says so to everyone in it.
    match wait(small) {
        Ok(_) => assert_eq!(bodies(&db), ["before", "small"]),
        Err(error) => {
            assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
            assert!(
                matches!(stopped, Err(Error::DiskFull { .. })),
                "{stopped:?}"
            );
            assert_eq!(bodies(&db), ["before"]);
        }
    }
    let before = count(&db);
    db.write("after", |tx| add(tx, "after")).unwrap();
    assert_eq!(count(&db), before + 1, "what fits is written");
    assert!(db.check().unwrap().is_sound());
}
