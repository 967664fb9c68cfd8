//! Copies of a library, and a copy in the place of a damaged or a lost one.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::support::{Ran, Root, column, open};

/// Everything in the tables that an import fills.
fn content(database: &Path) -> Vec<String> {
    let db = open(database);
    let mut all = Vec::new();
    for table in ["files", "passages", "accession_files", "accession_edits"] {
        let columns = column(
            &db,
            &format!("SELECT name FROM pragma_table_info('{table}')"),
        );
        let row = columns.join(", ");
        all.extend(column(
            &db,
            &format!("SELECT '{table}' || json_array({row}) FROM {table} ORDER BY 1"),
        ));
    }
    all
}

/// Overwrites everything behind the first page.
fn damage(database: &Path) {
    let length = std::fs::metadata(database).unwrap().len();
    let mut file = std::fs::File::options().write(true).open(database).unwrap();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(length).unwrap() - 4096])
        .unwrap();
}

fn names(root: &Root) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(root.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("wkmp.db"))
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

fn music_on(root: &Root, word: &str, file: &Path, options: &[&str]) -> Ran {
    let mut words = vec![word, file.to_str().unwrap()];
    words.extend(options);
    root.music(&words)
}

#[test]
fn a_backup_comes_back_in_place_of_a_damaged_library_which_is_kept() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let copy = root.home().join("copy.db");
    let ran = music_on(&root, "backup", &copy, &[]).ended(0);
    assert!(ran.out.contains("passages"), "{}", ran.out);
    let before = content(&root.database());
    assert_eq!(content(&copy), before);

    let refused = music_on(&root, "backup", &copy, &[]).ended(2);
    assert!(refused.err.contains("is there already"), "{}", refused.err);
    assert!(refused.err.contains("--replace"), "{}", refused.err);
    music_on(&root, "backup", &copy, &["--replace"]).ended(0);
    assert_eq!(content(&copy), before);

    let copied = std::fs::read(&copy).unwrap();
    damage(&root.database());
    let damaged = std::fs::read(root.database()).unwrap();
    music_on(&root, "backup", &copy, &["--replace"]).ended(2);
    assert_eq!(std::fs::read(&copy).unwrap(), copied, "a good copy stays");

    let ran = music_on(&root, "restore", &copy, &[]).ended(0);
    assert!(
        ran.out.contains("the damaged library is now"),
        "{}",
        ran.out
    );
    assert_eq!(content(&root.database()), before);
    root.assert_sound();
    let names = names(&root);
    assert_eq!(names.len(), 2, "{names:?}");
    let aside = names
        .iter()
        .find(|name| name.contains(".damaged-20"))
        .unwrap();
    assert_eq!(std::fs::read(root.join(aside)).unwrap(), damaged);
    assert_eq!(root.import(&["--offline"]).ended(0).files("recorded"), 0);
}

#[test]
fn a_sound_library_is_replaced_only_on_demand_and_a_lost_one_comes_back() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let copy = root.home().join("copy.db");
    music_on(&root, "backup", &copy, &[]).ended(0);
    let before = content(&root.database());
    root.open()
        .execute("UPDATE passages SET title = 'changed'", [])
        .unwrap();
    let changed = content(&root.database());
    music_on(&root, "restore", &copy, &[]).ended(2);
    assert_eq!(content(&root.database()), changed);

    let player = root.open();
    player
        .query_row("SELECT count(*) FROM files", [], |row| row.get::<_, i64>(0))
        .unwrap();
    let refused = music_on(&root, "restore", &copy, &["--replace"]).ended(2);
    assert!(
        refused.err.contains("another process is using"),
        "{}",
        refused.err
    );
    assert_eq!(content(&root.database()), changed);
    drop(player);
    music_on(&root, "restore", &copy, &["--replace"]).ended(0);
    assert_eq!(content(&root.database()), before);
    let aside = names(&root)
        .into_iter()
        .find(|name| name.contains(".replaced-20"))
        .unwrap();
    assert_eq!(content(&root.join(aside)), changed);

    std::fs::remove_file(root.database()).unwrap();
    music_on(&root, "restore", &copy, &[]).ended(0);
    assert_eq!(content(&root.database()), before);
    root.assert_sound();
}

#[test]
fn what_is_no_sound_library_takes_no_place() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let before = content(&root.database());
    let place = |name: &str| root.home().join(name);
    music_on(&root, "backup", &place("damaged.db"), &[]).ended(0);
    damage(&place("damaged.db"));
    std::fs::write(place("text.db"), "no database").unwrap();
    let other = rusqlite::Connection::open(place("other.db")).unwrap();
    other.execute_batch("CREATE TABLE note (id)").unwrap();
    drop(other);
    music_on(&root, "backup", &place("marked.db"), &[]).ended(0);
    open(&place("marked.db"))
        .execute_batch("PRAGMA application_id = 7")
        .unwrap();
    let own = root.database();
    for (file, part) in [
        (place("damaged.db"), "damaged"),
        (place("text.db"), "not a SQLite database"),
        (place("other.db"), "is no library"),
        (place("marked.db"), "application id"),
        (place("missing.db"), "no such file"),
        (own, "the database itself"),
    ] {
        for options in [&[][..], &["--replace"]] {
            let ran = music_on(&root, "restore", &file, options).ended(2);
            assert!(ran.err.contains(part), "{}", ran.err);
        }
        assert_eq!(content(&root.database()), before, "{}", file.display());
    }
    assert_eq!(names(&root), ["wkmp.db"]);
    assert_eq!(root.litter(), Vec::<String>::new());
    music_on(&root, "backup", &root.database(), &["--replace"]).ended(2);
    assert_eq!(content(&root.database()), before);
}

#[test]
fn a_backup_made_during_an_import_is_sound() {
    let root = Root::collection();
    let mut import = root.import_command(&["--offline"]).spawn().unwrap();
    let copy = root.home().join("copy.db");
    let mut copies = 0;
    while import.try_wait().unwrap().is_none() {
        if root.database().exists() {
            music_on(&root, "backup", &copy, &["--replace"]).ended(0);
            copies += 1;
        }
    }
    assert!(copies > 0);
    let other = Root::empty();
    music_on(&other, "restore", &copy, &[]).ended(0);
    assert_eq!(column(&other.open(), "PRAGMA integrity_check"), ["ok"]);
}

/// A library has the person's keys in it, and so has its copy.
#[cfg(unix)]
#[test]
fn a_copy_is_as_private_as_the_library() {
    use std::os::unix::fs::PermissionsExt;

    let root = Root::empty();
    crate::support::song(&root.join("a.wav"), 1);
    root.import(&["--offline"]).ended(0);
    for mode in [0o600, 0o640] {
        std::fs::set_permissions(root.database(), std::fs::Permissions::from_mode(mode)).unwrap();
        let copy = root.home().join(format!("copy {mode}.db"));
        music_on(&root, "backup", &copy, &[]).ended(0);
        let copied = std::fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(copied & 0o777 & !mode, 0, "{copied:o}");
    }
}
