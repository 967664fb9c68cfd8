//! Files of equal content.

use crate::support::Root;

#[test]
fn copies_found_in_one_run_have_the_smallest_path_for_original_however_many_work() {
    for round in 0..3 {
        let root = Root::empty();
        for number in 1..=4 {
            root.song(&format!("z/{number}.wav"), number + 10 * round);
            root.copy(&format!("z/{number}.wav"), &format!("a/{number}.wav"));
        }
        root.copy("z/1.wav", "m/third.wav");
        let done = root.import_with(|import| import.jobs = 8);
        assert_eq!(done.counts(), "recorded 4, duplicate 5");
        assert_eq!(
            root.families(),
            [
                "a/1.wav INGEST COMPLETE: m/third.wav,z/1.wav",
                "a/2.wav INGEST COMPLETE: z/2.wav",
                "a/3.wav INGEST COMPLETE: z/3.wav",
                "a/4.wav INGEST COMPLETE: z/4.wav",
                "m/third.wav DUPLICATE HASH: a/1.wav,z/1.wav",
                "z/1.wav DUPLICATE HASH: a/1.wav,m/third.wav",
                "z/2.wav DUPLICATE HASH: a/2.wav",
                "z/3.wav DUPLICATE HASH: a/3.wav",
                "z/4.wav DUPLICATE HASH: a/4.wav",
            ]
        );
        assert_eq!(root.passages().len(), 4);
        assert_eq!(root.import().counts(), "unchanged 9");
        let told = done.told("file_duplicate");
        assert!(
            told.iter()
                .all(|event| event["original"].as_str().unwrap().starts_with("a/"))
        );
    }
}

#[test]
fn a_copy_added_later_follows_the_known_one_even_with_a_smaller_path() {
    let root = Root::with(&["m.wav"]);
    let ids = root.ids();
    root.copy("m.wav", "a.wav");
    assert_eq!(root.import().counts(), "unchanged 1, duplicate 1");
    root.copy("m.wav", "0.wav");
    root.copy("m.wav", "z.wav");
    assert_eq!(root.import().counts(), "unchanged 2, duplicate 2");
    assert_eq!(
        root.families(),
        [
            "0.wav DUPLICATE HASH: a.wav,m.wav,z.wav",
            "a.wav DUPLICATE HASH: 0.wav,m.wav,z.wav",
            "m.wav INGEST COMPLETE: 0.wav,a.wav,z.wav",
            "z.wav DUPLICATE HASH: 0.wav,a.wav,m.wav",
        ]
    );
    assert_eq!(root.ids()["m.wav"], ids["m.wav"]);
}

#[test]
fn a_copy_takes_over_row_and_passages_of_an_original_that_is_gone() {
    let root = Root::with(&["a.wav"]);
    root.copy("a.wav", "b.wav");
    root.copy("a.wav", "c.wav");
    root.import();
    let (ids, passages) = (root.ids(), root.passages());
    root.remove("a.wav");
    let done = root.import();
    assert_eq!(done.counts(), "unchanged 2, moved 1");
    assert_eq!(
        root.families(),
        [
            "b.wav INGEST COMPLETE: c.wav",
            "c.wav DUPLICATE HASH: b.wav"
        ]
    );
    assert_eq!(root.ids()["b.wav"], ids["a.wav"]);
    assert_eq!(root.passages()["b.wav"], passages["a.wav"]);
    root.remove("b.wav");
    root.import();
    assert_eq!(root.families(), ["c.wav INGEST COMPLETE:"]);
    assert_eq!(root.ids()["c.wav"], ids["a.wav"]);
    assert_eq!(root.import().counts(), "unchanged 1");
}

#[test]
fn a_copy_that_is_gone_leaves_the_original_alone() {
    let root = Root::with(&["a.wav"]);
    root.copy("a.wav", "b.wav");
    root.import();
    root.remove("b.wav");
    assert_eq!(root.import().counts(), "unchanged 1, missing 1");
    assert_eq!(
        root.families(),
        [
            "a.wav INGEST COMPLETE: b.wav",
            "b.wav DUPLICATE HASH: a.wav"
        ]
    );
    assert_eq!(
        root.import_with(|import| import.prune = true).counts(),
        "unchanged 1, missing 1, pruned 1"
    );
    assert_eq!(root.families(), ["a.wav INGEST COMPLETE:"]);
}

#[test]
fn an_original_that_changes_leaves_its_content_to_the_copy() {
    for seconds in [3.0, 4.0] {
        let root = Root::with(&["a.wav"]);
        root.copy("a.wav", "b.wav");
        root.import();
        let (ids, passages) = (root.ids(), root.passages());
        root.sound("a.wav", 9, 1, seconds);
        assert_eq!(root.import().counts(), "recorded 1, unchanged 1, moved 1");
        assert_eq!(
            root.families(),
            ["a.wav INGEST COMPLETE:", "b.wav INGEST COMPLETE:"]
        );
        assert_eq!(
            root.ids()["b.wav"],
            ids["a.wav"],
            "the id stays with the content"
        );
        assert_eq!(root.passages()["b.wav"], passages["a.wav"]);
        assert_eq!(root.import().counts(), "unchanged 2");
    }
}

#[test]
fn a_copy_that_changes_becomes_a_file_of_its_own() {
    for seconds in [3.0, 4.0] {
        let root = Root::with(&["a.wav"]);
        root.copy("a.wav", "b.wav");
        root.copy("a.wav", "c.wav");
        root.import();
        let ids = root.ids();
        root.sound("b.wav", 9, 1, seconds);
        assert_eq!(root.import().counts(), "recorded 1, unchanged 2");
        assert_eq!(
            root.families(),
            [
                "a.wav INGEST COMPLETE: c.wav",
                "b.wav INGEST COMPLETE:",
                "c.wav DUPLICATE HASH: a.wav"
            ]
        );
        assert_eq!(root.ids(), ids);
        assert_eq!(root.passages().len(), 2);
    }
}

#[test]
fn a_file_that_becomes_a_copy_loses_its_passages_and_joins() {
    let root = Root::with(&["a.wav", "b.wav"]);
    let ids = root.ids();
    root.copy("a.wav", "b.wav");
    assert_eq!(root.import().counts(), "unchanged 1, duplicate 1");
    assert_eq!(
        root.families(),
        [
            "a.wav INGEST COMPLETE: b.wav",
            "b.wav DUPLICATE HASH: a.wav"
        ]
    );
    assert_eq!(root.ids(), ids);
    assert_eq!(root.passages().len(), 1);
}

#[test]
fn a_whole_family_that_moves_stays_one() {
    let root = Root::with(&["a.wav"]);
    root.copy("a.wav", "b.wav");
    root.import();
    let (id, passages) = (
        root.ids()["a.wav"].clone(),
        root.passages()["a.wav"].clone(),
    );
    root.rename("a.wav", "x/a.wav");
    root.rename("b.wav", "x/b.wav");
    root.import_with(|import| import.prune = true);
    assert_eq!(
        root.families(),
        [
            "x/a.wav INGEST COMPLETE: x/b.wav",
            "x/b.wav DUPLICATE HASH: x/a.wav"
        ]
    );
    assert_eq!(root.ids()["x/a.wav"], id);
    assert_eq!(root.passages()["x/a.wav"], passages);
}

#[test]
fn copies_of_what_fails_or_is_silent_are_told_too() {
    let root = Root::empty();
    std::fs::write(root.join("a.wav"), b"RIFF\x24\0\0\0WAVEjunk".repeat(9)).unwrap();
    root.copy("a.wav", "b.wav");
    let silence = testkit::synth::silence(3.0, 8_000, 1);
    testkit::synth::wav::write(
        &root.join("q.wav"),
        &silence,
        testkit::synth::wav::Depth::Int16,
    )
    .unwrap();
    root.copy("q.wav", "r.wav");
    let done = root.import();
    assert_eq!(done.counts(), "duplicate 1, no_audio 1, failed 2");
    let failed = done.told("file_failed");
    assert!(
        failed[1]["reason"]
            .as_str()
            .unwrap()
            .contains("as in `a.wav`"),
        "{failed:?}"
    );
    assert_eq!(
        root.families(),
        ["q.wav NO AUDIO: r.wav", "r.wav DUPLICATE HASH: q.wav"]
    );
    assert_eq!(root.import().counts(), "unchanged 2, failed 2");
}

#[test]
fn force_keeps_ids_families_and_originals() {
    let root = Root::with(&["m.wav", "n.wav"]);
    root.copy("m.wav", "a.wav");
    root.import();
    let (ids, passages, families) = (root.ids(), root.passages(), root.families());
    let done = root.import_with(|import| import.force = true);
    assert_eq!(done.counts(), "recorded 2, duplicate 1");
    assert_eq!(
        (root.ids(), root.passages(), root.families()),
        (ids, passages, families)
    );
}

#[test]
fn a_copy_outside_the_folder_that_is_imported_is_known() {
    let root = Root::with(&["a/1.wav"]);
    let ids = root.ids();
    root.copy("a/1.wav", "b/2.wav");
    let folder = root.join("b");
    let done = root.import_with(|import| import.folder = folder);
    assert_eq!(done.counts(), "duplicate 1");
    assert_eq!(
        root.families(),
        [
            "a/1.wav INGEST COMPLETE: b/2.wav",
            "b/2.wav DUPLICATE HASH: a/1.wav"
        ]
    );
    assert_eq!(root.ids()["a/1.wav"], ids["a/1.wav"]);
}
