//! Known files with another time or another content.

use std::collections::BTreeSet;

use crate::support::Root;

#[test]
fn a_touched_file_is_not_heard_again() {
    let root = Root::with(&["a.wav", "b.wav"]);
    let (ids, passages) = (root.ids(), root.passages());
    root.touch("a.wav");
    let done = root.import();
    assert_eq!(done.counts(), "unchanged 2");
    assert!(done.completed.audio_seconds.abs() < f64::EPSILON);
    assert_eq!((root.ids(), root.passages()), (ids, passages));
    let times = root.pairs("SELECT path, modification_time FROM files");
    assert_eq!(times["a.wav"], "2009-02-13 23:31:30");
    // The new time is known now, so that the next run does not even read the file.
    assert_eq!(root.import().told("planned")[0]["to_analyse"], 0);
}

#[test]
fn changed_content_replaces_passages_and_keeps_ids_where_they_overlap() {
    let root = Root::empty();
    root.sound("Mix.wav", 1, 4, 30.0);
    root.import();
    let (ids, before) = (root.ids(), root.passages()["Mix.wav"].clone());
    assert_eq!(before.split(',').count(), 4);
    // One more song at the end: the first four are where they were.
    root.sound("Mix.wav", 2, 5, 30.0);
    assert_eq!(root.import().counts(), "recorded 1");
    let after = root.passages()["Mix.wav"].clone();
    let (old, new): (BTreeSet<_>, BTreeSet<_>) =
        (before.split(',').collect(), after.split(',').collect());
    assert_eq!((new.len(), new.intersection(&old).count()), (5, 4));
    assert_eq!(root.ids(), ids);
    // Something else altogether.
    root.sound("Mix.wav", 3, 1, 40.0);
    root.import();
    assert_eq!(root.passages()["Mix.wav"].split(',').count(), 1);
    let left =
        root.pairs("SELECT 'fingerprints', CAST(count(*) AS TEXT) FROM accession_fingerprints");
    assert_eq!(left["fingerprints"], "1");
}

#[test]
fn what_a_person_wrote_to_a_passage_survives() {
    let root = Root::with(&["a.wav"]);
    let db = root.open();
    db.execute_batch(
        "UPDATE passages SET user_title = 'Mine', additional_metadata = '{\"energy_level\":1}'",
    )
    .unwrap();
    drop(db);
    root.sound("a.wav", 5, 1, 3.5);
    root.import();
    root.import_with(|import| import.force = true);
    let kept = root.pairs("SELECT user_title, additional_metadata FROM passages");
    assert_eq!(kept["Mine"], "{\"energy_level\":1}");
}

#[test]
fn force_hears_everything_again_and_keeps_ids() {
    let root = Root::with(&["a.wav", "b.wav"]);
    let (ids, passages) = (root.ids(), root.passages());
    let done = root.import_with(|import| import.force = true);
    assert_eq!(done.counts(), "recorded 2");
    assert!(done.completed.audio_seconds > 5.0);
    assert_eq!((root.ids(), root.passages()), (ids, passages));
}

#[test]
fn force_on_a_folder_leaves_the_rest_alone() {
    let root = Root::with(&["one/a.wav", "two/b.wav"]);
    let folder = root.join("two");
    let done = root.import_with(|import| {
        import.folder = folder;
        import.force = true;
    });
    assert_eq!(done.counts(), "recorded 1");
    assert_eq!(root.ids().len(), 2);
}

#[test]
fn what_becomes_silent_loses_its_passages_and_gets_them_back() {
    let root = Root::with(&["a.wav"]);
    let ids = root.ids();
    let silence = testkit::synth::silence(3.0, 8_000, 1);
    testkit::synth::wav::write(
        &root.join("a.wav"),
        &silence,
        testkit::synth::wav::Depth::Int16,
    )
    .unwrap();
    assert_eq!(root.import().counts(), "no_audio 1");
    assert_eq!(root.families(), ["a.wav NO AUDIO:"]);
    assert_eq!(root.passages().len(), 0);
    root.song("a.wav", 1);
    assert_eq!(root.import().counts(), "recorded 1");
    assert_eq!(root.ids(), ids);
    assert_eq!(root.passages().len(), 1);
}

#[test]
fn where_only_descriptions_are_old_only_they_are_made_anew() {
    let root = Root::empty();
    root.sound("Mix.wav", 1, 3, 30.0);
    root.import();
    let described = || {
        root.pairs(
            "SELECT guid, lead_in_start_ticks || ' ' || lead_out_start_ticks || musical_flavor_vector FROM passages",
        )
    };
    let before = described();
    root.open()
        .execute_batch(
            "UPDATE accession_files SET description_version = 0; \
             UPDATE passages SET lead_in_start_ticks = NULL, musical_flavor_vector = '{}', title = 'kept'; \
             UPDATE accession_sounds SET extractor = 'old'; \
             UPDATE accession_fingerprints SET fingerprint = 'kept'",
        )
        .unwrap();
    let done = root.import();
    assert_eq!(done.counts(), "recorded 1");
    assert_eq!(done.told("planned")[0]["to_analyse"], 1);
    assert_eq!(described(), before);
    let kept = root.pairs("SELECT title, count(*) || '' FROM passages GROUP BY 1");
    assert_eq!(kept["kept"], "3");
    let kept =
        root.pairs("SELECT fingerprint, count(*) || '' FROM accession_fingerprints GROUP BY 1");
    assert_eq!(kept["kept"], "3");
    let old = root.pairs("SELECT 'old', sum(extractor = 'old') || '' FROM accession_sounds");
    assert_eq!(old["old"], "0");
    assert_eq!(root.import().counts(), "unchanged 1");
}
