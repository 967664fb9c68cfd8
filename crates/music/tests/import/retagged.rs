//! Files that get new tags while others have the same content or the same sound.

use crate::support::Root;

fn retag(root: &Root, name: &str, title: &str) {
    testkit::synth::wav::retag(&root.join(name), &[("INAM", title)]).unwrap();
}

fn titles(root: &Root) -> Vec<String> {
    let titles = root.pairs(
        "SELECT f.path, coalesce(p.title, '') FROM files f JOIN passages p ON p.file_id = f.guid",
    );
    titles
        .into_iter()
        .map(|(path, title)| format!("{path} {title}"))
        .collect()
}

#[test]
fn an_original_that_is_retagged_keeps_its_row_and_its_copy_becomes_a_file_of_its_own() {
    let root = Root::with(&["a.wav"]);
    root.copy("a.wav", "b.wav");
    root.copy("a.wav", "c.wav");
    root.import();
    let (ids, passages) = (root.ids(), root.passages());
    retag(&root, "a.wav", "Mine");
    let done = root.import();
    assert_eq!(done.counts(), "recorded 1, unchanged 2");
    assert_eq!(root.ids(), ids);
    assert_eq!(root.passages()["a.wav"], passages["a.wav"]);
    assert_eq!(
        root.families(),
        [
            "a.wav INGEST COMPLETE:",
            "b.wav INGEST COMPLETE: c.wav",
            "c.wav DUPLICATE HASH: b.wav"
        ]
    );
    assert_eq!(titles(&root), ["a.wav Mine", "b.wav "]);
    assert_eq!(root.import().counts(), "unchanged 3");
}

#[test]
fn an_equal_content_goes_before_an_equal_sound() {
    // The name of the one that keeps its tags comes first, or last.
    for (kept, retagged) in [("x/1.wav", "x/2.wav"), ("x/2.wav", "x/1.wav")] {
        let root = Root::with(&["a.wav"]);
        root.copy("a.wav", "b.wav");
        retag(&root, "b.wav", "Before");
        root.import();
        let (ids, passages) = (root.ids(), root.passages());
        assert_eq!(passages.len(), 2);
        root.rename("a.wav", kept);
        root.rename("b.wav", retagged);
        retag(&root, retagged, "After");
        let done = root.import();
        assert_eq!(done.counts(), "unchanged 2, moved 1");
        assert_eq!(root.ids()[kept], ids["a.wav"]);
        assert_eq!(root.ids()[retagged], ids["b.wav"]);
        assert_eq!(root.passages()[retagged], passages["b.wav"]);
        assert!(titles(&root).contains(&format!("{retagged} After")));
        assert!(done.completed.audio_seconds.abs() < f64::EPSILON);
    }
}

#[test]
fn files_of_one_sound_that_change_places_keep_their_rows() {
    let root = Root::with(&["a.wav"]);
    root.copy("a.wav", "b.wav");
    retag(&root, "a.wav", "One");
    retag(&root, "b.wav", "Another");
    root.import();
    let ids = root.ids();
    assert_eq!(titles(&root), ["a.wav One", "b.wav Another"]);
    root.rename("a.wav", "t.wav");
    root.rename("b.wav", "a.wav");
    root.rename("t.wav", "b.wav");
    assert_eq!(root.import().counts(), "unchanged 2, moved 2");
    assert_eq!(root.ids()["b.wav"], ids["a.wav"]);
    assert_eq!(root.ids()["a.wav"], ids["b.wav"]);
    assert_eq!(titles(&root), ["a.wav Another", "b.wav One"]);
}

#[test]
fn of_several_of_one_sound_that_move_and_are_retagged_each_goes_to_the_one_called_like_it() {
    let names = ["a/1 Song.wav", "b/2 Song.wav", "c/3 Song.wav"];
    let root = Root::with(&names[..1]);
    for name in &names[1..] {
        root.copy(names[0], name);
        retag(&root, name, name);
    }
    root.import();
    let ids = root.ids();
    // The first one by its new path is called as the last one was, and so on; one name is new.
    let moves = [("x/3 Song.wav", 2), ("y/other.wav", 0), ("z/2 Song.wav", 1)];
    for (to, from) in moves {
        root.rename(names[from], to);
        retag(&root, to, &format!("New {to}"));
    }
    let done = root.import();
    assert_eq!(done.counts(), "unchanged 3");
    assert_eq!(root.ids().len(), 3);
    for (to, from) in moves {
        assert_eq!(root.ids()[to], ids[names[from]], "{to}");
    }
}

#[test]
fn files_that_change_places_may_be_retagged_on_the_way() {
    for retagged in [&["a.wav"][..], &["b.wav"], &["a.wav", "b.wav"]] {
        let root = Root::with(&["a.wav", "b.wav"]);
        let ids = root.ids();
        root.rename("a.wav", "t.wav");
        root.rename("b.wav", "a.wav");
        root.rename("t.wav", "b.wav");
        for name in retagged {
            retag(&root, name, "New");
        }
        let done = root.import();
        assert!(done.completed.audio_seconds.abs() < f64::EPSILON);
        assert_eq!(root.ids()["b.wav"], ids["a.wav"], "{retagged:?}");
        assert_eq!(root.ids()["a.wav"], ids["b.wav"], "{retagged:?}");
        assert_eq!(root.import().counts(), "unchanged 2");
    }
}

#[test]
fn a_file_that_is_moved_and_retagged_is_known_where_everything_is_analysed_again() {
    let root = Root::with(&["a.wav", "b.wav"]);
    let (ids, passages) = (root.ids(), root.passages());
    root.rename("a.wav", "x/c.wav");
    retag(&root, "x/c.wav", "New");
    let done = root.import_with(|import| import.force = true);
    assert_eq!(done.counts(), "recorded 2");
    assert_eq!(root.ids()["x/c.wav"], ids["a.wav"]);
    assert_eq!(root.passages()["x/c.wav"], passages["a.wav"]);
    assert_eq!(titles(&root), ["b.wav ", "x/c.wav New"]);
}
