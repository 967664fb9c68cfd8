//! Databases that are deleted, replaced or locked for ever while a command works on them, and those of other programs.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use testkit::kill::signal;

use crate::support::{Ran, Root, song};

/// Files enough for an import to be in the middle when the first is recorded.
const FILES: u64 = 60;

fn many(root: &Root) {
    for number in 0..FILES {
        song(&root.join(format!("{number}.wav")), number);
    }
}

/// Waits until some files are recorded, as another program sees it.
fn until_some_are_recorded(root: &Root, child: &mut Child) {
    let began = Instant::now();
    loop {
        let recorded = rusqlite::Connection::open_with_flags(
            root.database(),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .and_then(|db| db.query_row("SELECT count(*) FROM files", [], |row| row.get::<_, u64>(0)));
        if recorded.is_ok_and(|count| count >= 3) {
            return;
        }
        assert!(child.try_wait().unwrap().is_none(), "it is over already");
        assert!(began.elapsed() < Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn import_while(change: impl Fn(&Path, &Path)) -> Ran {
    let root = Root::empty();
    many(&root);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = root.import_command(&["--jobs", "1"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    until_some_are_recorded(&root, &mut child);
    change(&root.database(), elsewhere.path());
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
#[cfg(unix)]
fn a_library_that_goes_in_mid_import_is_an_error_and_no_success() {
    for (change, found, is_music_left) in [
        (
            (|database: &Path, _: &Path| std::fs::remove_file(database).unwrap())
                as fn(&Path, &Path),
            "it is gone",
            true,
        ),
        (
            |database, elsewhere| {
                std::fs::write(elsewhere.join("other.db"), "").unwrap();
                let other = database.with_extension("new");
                std::fs::write(&other, "").unwrap();
                std::fs::rename(other, database).unwrap();
            },
            "another file has its place",
            true,
        ),
        (
            |database, _| std::fs::remove_dir_all(database.parent().unwrap()).unwrap(),
            "it is gone",
            false,
        ),
    ] {
        let ran = import_while(change).ended(2);
        assert!(ran.err.contains(found), "{}", ran.err);
        assert!(ran.told("import_completed").is_empty());
        let failed = ran.told("file_failed").len() as u64;
        assert!(
            failed < FILES / 2 || !is_music_left,
            "{failed} files were heard for nothing"
        );
    }
}

#[test]
fn a_lock_that_is_never_given_back_ends_an_import_and_ctrl_c_ends_it_soon() {
    let root = Root::empty();
    many(&root);
    root.import(&[]).ended(0);
    let holder = root.open();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut command = root.import_command(&["--force", "--jobs", "1"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let asked = Instant::now();
    signal(&child, "-INT");
    let ran = Ran::of(child.wait_with_output().unwrap()).ended(130);
    assert!(asked.elapsed() < Duration::from_secs(12), "{}", ran.err);
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    let other = rusqlite::Connection::open(root.database()).unwrap();
    let tables = "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT);
                  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);";
    other.execute_batch(tables).unwrap();
    drop(other);
    for ran in [
        root.import(&[]),
        root.music(&["status"]),
        root.music(&["check"]),
    ] {
        let ran = ran.ended(2);
        assert!(ran.err.contains("another program"), "{}", ran.err);
    }
    let tables = root.column("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1");
    assert_eq!(tables, ["moz_places", "settings"]);
}

#[test]
fn commands_that_read_leave_nothing_beside_the_library() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let before = std::fs::read(root.database()).unwrap();
    for words in [
        &["status"][..],
        &["check"],
        &["show", "a.wav"],
        &["export"],
        &["review"],
        &["settings", "list"],
        &["similar", "a.wav"],
    ] {
        root.music(words);
        for end in ["-wal", "-shm", "-journal"] {
            let left = root.join(format!("wkmp.db{end}"));
            assert!(!left.exists(), "{words:?} leaves {}", left.display());
        }
        assert_eq!(std::fs::read(root.database()).unwrap(), before, "{words:?}");
    }
}

/// What lies behind a link that was put in place of a folder is not heard in the name of what was there.
#[cfg(target_os = "linux")]
#[test]
fn a_link_in_place_of_a_folder_leads_nowhere() {
    let (root, elsewhere) = (Root::empty(), Root::empty());
    std::fs::create_dir(root.join("album")).unwrap();
    crate::support::album(&root.join("album/rip.wav"), 3, 2, 30.0);
    crate::support::album(&elsewhere.join("rip.wav"), 9, 2, 30.0);
    root.import(&["--offline"]).ended(0);
    let known =
        "SELECT f.hash || a.audio_md5 FROM files f JOIN accession_files a ON a.file_id = f.guid";
    let before = root.column(known);
    std::fs::rename(root.join("album"), root.join(".was")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), root.join("album")).unwrap();
    let first = root.column("SELECT guid FROM passages ORDER BY start_time")[0].clone();
    let ran = root.music(&["edit", &first, "--split-at", "5"]).ended(1);
    assert!(ran.err.contains("is a symbolic link"), "{}", ran.err);
    assert_eq!(root.column(known), before);
    std::fs::remove_file(root.join("album")).unwrap();
    std::fs::rename(root.join(".was"), root.join("album")).unwrap();
    root.import(&["--offline"]).ended(0);
    assert_eq!(root.count("SELECT count(*) FROM passages"), 3);
    assert_eq!(root.column(known), before);
}
