//! Files that are not there, or seem not to be.

use crate::support::{Root, too_deep};

#[test]
fn what_is_gone_is_told_and_kept_until_it_is_pruned() {
    let root = Root::with(&["a.wav", "b.wav"]);
    let ids = root.ids();
    root.remove("a.wav");
    for _ in 0..2 {
        let done = root.import();
        assert_eq!(done.counts(), "unchanged 1, missing 1");
        let missing = done.told("file_missing");
        assert_eq!(
            (&missing[0]["path"], &missing[0]["pruned"]),
            (&"a.wav".into(), &false.into())
        );
        assert_eq!(root.ids(), ids);
    }
    assert_eq!(
        root.import_with(|import| import.prune = true).counts(),
        "unchanged 1, missing 1, pruned 1"
    );
    assert_eq!(root.ids().len(), 1);
    assert_eq!(root.passages().len(), 1);
    assert_eq!(
        root.import_with(|import| import.prune = true).counts(),
        "unchanged 1"
    );
}

#[test]
fn what_comes_back_has_its_ids_still() {
    let root = Root::with(&["a.wav", "b.wav"]);
    let (ids, passages) = (root.ids(), root.passages());
    root.rename("a.wav", "a.txt");
    assert_eq!(root.import().counts(), "unchanged 1, missing 1");
    root.rename("a.txt", "a.wav");
    assert_eq!(root.import().counts(), "unchanged 2");
    assert_eq!((root.ids(), root.passages()), (ids, passages));
}

#[test]
fn an_empty_root_is_rather_a_disk_that_is_not_mounted() {
    let root = Root::with(&["a.wav", "sub/b.wav"]);
    let ids = root.ids();
    root.remove("a.wav");
    std::fs::remove_dir_all(root.join("sub")).unwrap();
    let refused = root.try_import(|import| import.prune = true).err().unwrap();
    assert!(
        refused.to_string().contains("nothing was pruned"),
        "{refused}"
    );
    assert_eq!(root.ids(), ids);
    assert_eq!(root.import().counts(), "missing 2");
    let forced = root.import_with(|import| {
        import.prune = true;
        import.force = true;
    });
    assert_eq!(forced.counts(), "missing 2, pruned 2");
    assert_eq!(root.ids().len(), 0);
}

#[test]
fn an_import_of_one_folder_calls_nothing_else_missing() {
    let root = Root::with(&["one/a.wav", "one/gone.wav", "two/b.wav", "two.wav"]);
    root.remove("one/gone.wav");
    root.remove("two.wav");
    let folder = root.join("two");
    let done = root.import_with(|import| {
        import.folder = folder;
        import.prune = true;
    });
    assert_eq!(done.counts(), "unchanged 1");
    assert_eq!(root.ids().len(), 4);
    let folder = root.join("one");
    let done = root.import_with(|import| {
        import.folder = folder;
        import.prune = true;
    });
    assert_eq!(done.counts(), "unchanged 1, missing 1, pruned 1");
    assert_eq!(root.ids().len(), 3);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_listed_makes_nothing_missing() {
    use std::os::unix::fs::PermissionsExt;
    let root = Root::with(&["open/a.wav", "shut/b.wav"]);
    let mode = |bits| {
        let permissions = std::fs::Permissions::from_mode(bits);
        std::fs::set_permissions(root.join("shut"), permissions).unwrap();
    };
    mode(0o000);
    if std::fs::read_dir(root.join("shut")).is_ok() {
        mode(0o755);
        eprintln!("skipped: this user, such as root, can list any folder");
        return;
    }
    let done = root.import_with(|import| import.prune = true);
    mode(0o755);
    assert_eq!(done.counts(), "unchanged 1, failed 1");
    assert_eq!(root.ids().len(), 2);
}

/// The same for everybody, root too: a folder that is too deep for the system.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_too_deep_to_list_is_told_and_makes_nothing_missing() {
    let root = Root::with(&["upper/a.wav", "b.wav"]);
    too_deep(&root.path());
    let done = root.import_with(|import| import.prune = true);
    assert_eq!(done.counts(), "unchanged 2, failed 1");
    let failed = done.told("file_failed");
    assert!(
        failed[0]["reason"].as_str().unwrap().contains("too long"),
        "{failed:?}"
    );
}

#[test]
fn a_dry_run_changes_no_row() {
    let root = Root::with(&["a.wav", "b.wav", "c.wav"]);
    root.remove("a.wav");
    root.rename("b.wav", "x.wav");
    root.song("c.wav", 33);
    let before = testkit::library::dump(&root.join(music::DATABASE)).unwrap();
    let done = root.import_with(|import| {
        import.dry_run = true;
        import.prune = true;
    });
    assert_eq!(done.completed.state, "planned");
    let after = testkit::library::dump(&root.join(music::DATABASE)).unwrap();
    assert_eq!(testkit::library::differences(&before, &after), [""; 0]);
}
