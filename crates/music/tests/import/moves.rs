//! Known files under other names.

use crate::support::Root;

#[test]
fn a_file_keeps_its_ids_wherever_it_goes_and_is_not_heard_again() {
    let root = Root::with(&["a.wav", "b.wav"]);
    let (ids, passages) = (root.ids(), root.passages());
    root.rename("a.wav", "far/away/renamed.wav");
    let done = root.import();
    assert_eq!(done.counts(), "unchanged 2, moved 1");
    assert!(
        done.completed.audio_seconds.abs() < f64::EPSILON,
        "nothing was decoded"
    );
    let moved = done.told("file_moved");
    assert_eq!(
        (&moved[0]["from"], &moved[0]["to"]),
        (&"a.wav".into(), &"far/away/renamed.wav".into())
    );
    assert_eq!(root.ids()["far/away/renamed.wav"], ids["a.wav"]);
    assert_eq!(root.passages()["far/away/renamed.wav"], passages["a.wav"]);
    assert_eq!(root.ids().len(), 2);
    assert_eq!(root.import().counts(), "unchanged 2");
}

#[test]
fn files_that_change_places_keep_their_ids() {
    // Of one length and of different ones: the second may be told apart without reading.
    for seconds in [3.0, 4.0] {
        let root = Root::empty();
        root.song("a.wav", 1);
        root.sound("b.wav", 2, 1, seconds);
        root.song("c.wav", 3);
        root.import();
        root.touch("a.wav");
        root.import();
        let (ids, passages) = (root.ids(), root.passages());
        root.rename("a.wav", "t.wav");
        root.rename("b.wav", "a.wav");
        root.rename("t.wav", "b.wav");
        let done = root.import();
        assert_eq!(done.counts(), "unchanged 3, moved 2");
        assert_eq!(
            (&root.ids()["a.wav"], &root.ids()["b.wav"]),
            (&ids["b.wav"], &ids["a.wav"])
        );
        assert_eq!(root.passages()["a.wav"], passages["b.wav"]);
        assert!(done.completed.audio_seconds.abs() < f64::EPSILON);
    }
}

#[test]
fn three_files_may_go_round() {
    let root = Root::with(&["1.wav", "2.wav", "3.wav"]);
    for (name, time) in [("1.wav", 1), ("2.wav", 2), ("3.wav", 3)] {
        let file = std::fs::File::options()
            .write(true)
            .open(root.join(name))
            .unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(time))
            .unwrap();
    }
    root.import();
    let ids = root.ids();
    root.rename("1.wav", "t.wav");
    root.rename("3.wav", "1.wav");
    root.rename("2.wav", "3.wav");
    root.rename("t.wav", "2.wav");
    assert_eq!(root.import().counts(), "unchanged 3, moved 3");
    let now = root.ids();
    assert_eq!(
        [&now["1.wav"], &now["2.wav"], &now["3.wav"]],
        [&ids["3.wav"], &ids["1.wav"], &ids["2.wav"]]
    );
}

#[test]
fn a_new_file_may_take_the_name_of_one_that_moved() {
    for seconds in [3.0, 4.0] {
        let root = Root::with(&["a.wav"]);
        let (ids, passages) = (root.ids(), root.passages());
        root.rename("a.wav", "old/a.wav");
        root.sound("a.wav", 7, 1, seconds);
        let done = root.import();
        assert_eq!(done.counts(), "recorded 1, unchanged 1, moved 1");
        assert_eq!(root.ids()["old/a.wav"], ids["a.wav"]);
        assert_eq!(root.passages()["old/a.wav"], passages["a.wav"]);
        assert_ne!(root.ids()["a.wav"], ids["a.wav"]);
        assert_eq!(root.import().counts(), "unchanged 2");
    }
}

#[test]
fn a_known_file_may_take_the_name_of_another_that_is_gone() {
    let root = Root::with(&["a.wav", "b.wav"]);
    let ids = root.ids();
    root.rename("b.wav", "a.wav");
    root.touch("a.wav");
    let done = root.import();
    assert_eq!(done.counts(), "unchanged 1, moved 1");
    assert_eq!(root.ids().get("a.wav"), Some(&ids["b.wav"]));
    assert_eq!(
        root.ids().len(),
        1,
        "the content of the old `a.wav` is nowhere any more"
    );
}

#[test]
fn moved_within_and_into_a_folder_that_alone_is_imported() {
    let root = Root::with(&["one/a.wav", "two/b.wav"]);
    let ids = root.ids();
    root.rename("one/a.wav", "two/a.wav");
    let folder = root.join("two");
    let done = root.import_with(|import| import.folder = folder);
    assert_eq!(done.counts(), "unchanged 2, moved 1");
    assert_eq!(root.ids()["two/a.wav"], ids["one/a.wav"]);
    assert_eq!(root.import().counts(), "unchanged 2");
}

#[test]
fn a_whole_folder_may_be_renamed() {
    let names: Vec<String> = (0..30).map(|number| format!("old/{number}.wav")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let root = Root::with(&names);
    let before: Vec<String> = root.ids().into_values().collect();
    root.rename("old", "new");
    let done = root.import_with(|import| import.prune = true);
    assert_eq!(done.counts(), "unchanged 30, moved 30");
    assert_eq!(root.ids().into_values().collect::<Vec<_>>(), before);
}

/// A folder in which nothing changed is told by its own rows; what moved into it, or has its original elsewhere, is not.
#[test]
fn a_folder_of_the_library_is_imported_by_itself() {
    let root = Root::with(&["a/1.wav", "a/2.wav", "b/3.wav"]);
    let below = |folder: &str| root.import_with(|import| import.folder = root.join(folder));
    assert_eq!(below("a").counts(), "unchanged 2");
    let ids = root.ids();
    root.rename("b/3.wav", "a/3.wav");
    root.copy("a/1.wav", "b/1.wav");
    assert_eq!(below("a").counts(), "unchanged 3, moved 1");
    assert_eq!(root.ids()["a/3.wav"], ids["b/3.wav"]);
    assert_eq!(below("b").counts(), "duplicate 1");
    assert_eq!(below("b").counts(), "unchanged 1");
    root.remove("b/1.wav");
    assert_eq!(below("b").counts(), "missing 1");
    root.remove("a/2.wav");
    assert_eq!(below("a").counts(), "unchanged 2, missing 1");
    // A folder whose name begins like another one's.
    root.song("a0/4.wav", 4);
    assert_eq!(below("a0").counts(), "recorded 1");
    assert_eq!(below("a").counts(), "unchanged 2, missing 1");
}

/// What was identified by names of files and folders, or not at all, is identified again under new ones; what the tags told
/// and a person's word are not.
#[test]
fn new_names_are_new_evidence_where_names_were_any() {
    let names = ["1", "2", "3", "4", "5"].map(|name| format!("old/{name}.wav"));
    let root = Root::with(&names.each_ref().map(String::as_str));
    for (name, state, heard) in [
        ("1", "identified", r#"{"is_by_path":true}"#),
        ("2", "identified", r#"{"title":"Ember"}"#),
        ("3", "none", "{}"),
        ("4", "chosen", r#"{"is_by_path":true}"#),
        ("5", "identified", r#"{"said_versions":["live"]}"#),
    ] {
        root.open()
            .execute(
                "INSERT INTO accession_identifications (passage_id, state, confidence, level, reasoning, \
                                                        start_time_ticks, end_time_ticks) \
                 SELECT p.guid, ?2, 0.9, 'high', '{\"heard\":' || ?3 || '}', p.start_time_ticks, p.end_time_ticks \
                 FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = 'old/' || ?1 || '.wav'",
                [name, state, heard],
            )
            .unwrap();
    }
    for name in &names {
        root.rename(name, &name.replace("old", "new"));
    }
    assert_eq!(root.import().counts(), "unchanged 5, moved 5");
    let states = root.pairs(
        "SELECT f.path, i.state FROM accession_identifications i JOIN passages p ON p.guid = i.passage_id \
         JOIN files f ON f.guid = p.file_id",
    );
    let states: Vec<_> = states.into_values().collect();
    assert_eq!(
        states,
        [
            "retry_later",
            "identified",
            "retry_later",
            "chosen",
            "retry_later"
        ]
    );
}
