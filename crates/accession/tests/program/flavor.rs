//! Flavors of `AcousticBrainz`: from dumps, beside our own, and which one players see.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::dump::{self, Packing, Submission};
use testkit::kill::kill_after;
use testkit::services::{FakeServices, KEY, World, mbid};
use testkit::synth::Random;

use crate::beside::services_that_know;
use crate::identify::{run, with_services};
use crate::support::Root;

fn high(danceable: f64) -> Value {
    json!({"highlevel": {"danceability": {"all": {"danceable": danceable, "not_danceable": 1.0 - danceable},
           "probability": 0.9, "value": "danceable", "version": {}}}, "metadata": {"tags": {"title": ["x"]}}})
}

fn low(bpm: f64) -> Value {
    json!({"lowlevel": {"average_loudness": 0.9, "mfcc": {"mean": [1.0, 2.0]}, "spectral_centroid": {"mean": 900.0}},
           "rhythm": {"bpm": bpm}, "tonal": {"key_key": "A", "key_scale": "minor"}, "metadata": {}})
}

/// A library of `count` recordings and nothing else.
fn library(count: u64) -> Root {
    let root = Root::empty();
    root.music(&["settings", "set", "flavor_source", "local"])
        .ended(0);
    let mut db = root.open();
    let writes = db.transaction().unwrap();
    for number in 0..count {
        writes
            .execute_batch(&format!(
                "INSERT INTO files (guid, path, hash, modification_time, status) \
                 VALUES ('f{number}', '{number}.mp3', 'x', '2025-01-01 00:00:00', 'INGEST COMPLETE'); \
                 INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, recording_mbid) \
                 VALUES ('p{number}', 'f{number}', 0, 28224000, '{}');",
                mbid("recording", number)
            ))
            .unwrap();
    }
    writes.commit().unwrap();
    root
}

/// Documents of recordings of the library and of as many others.
fn documents(count: u64) -> Vec<Submission> {
    (0..count)
        .flat_map(|number| {
            [
                (mbid("other", number), 0, high(0.5)),
                // Later submissions count for nothing, wherever they lie.
                (mbid("recording", number), 1, high(0.9)),
                (mbid("recording", number), 0, high(0.2)),
            ]
        })
        .collect()
}

const SHOWN: &str = "SELECT count(*) FROM passages WHERE flavor_source_blend = '[\"AcousticBrainz\"]' \
     AND json_extract(musical_flavor_vector, '$.danceability.danceable') = 0.2";

#[test]
fn a_dump_tells_how_the_librarys_recordings_sound_however_it_is_packed() {
    for (packing, name) in [
        (Packing::Zstandard, "high.tar.zst"),
        (Packing::Gzip, "high.tar.gz"),
        (Packing::None, "high.tar"),
    ] {
        let root = library(30);
        let path = root.join(name);
        dump::write(&path, "highlevel", documents(300), packing).unwrap();
        let path = path.to_str().unwrap().to_owned();
        let ran = root.music(&["flavor", "--from-dump", &path]).ended(0);
        assert!(ran.out.contains("900 documents, 30 flavors"), "{}", ran.out);
        assert_eq!(root.count(SHOWN), 30, "{packing:?}");
        assert_eq!(root.count("SELECT count(*) FROM accession_flavors"), 30);
        let ran = root.music(&["flavor", "--from-dump", &path]).ended(0);
        assert!(ran.out.contains("was read before"), "{}", ran.out);

        let path = root.join("low.tar.zst");
        let lows = (0..30).map(|number| (mbid("recording", number), 0, low(120.0)));
        dump::write(&path, "lowlevel", lows, packing).unwrap();
        root.music(&["flavor", "--from-dump", path.to_str().unwrap()])
            .ended(0);
        let described = "SELECT count(*) FROM accession_low_levels WHERE description ->> '$.bpm' = 120.0 \
                         AND description ->> '$.key' = 'A'";
        assert_eq!(root.count(described), 30);
        assert_eq!(root.column("PRAGMA integrity_check"), ["ok"]);
    }
}

#[test]
fn a_new_recording_makes_a_dump_worth_reading_again() {
    let root = library(3);
    let path = root.join("high.tar");
    dump::write(&path, "highlevel", documents(20), Packing::None).unwrap();
    let path = path.to_str().unwrap().to_owned();
    root.music(&["flavor", "--from-dump", &path]).ended(0);
    root.open()
        .execute(
            "UPDATE passages SET recording_mbid = ?1 WHERE guid = 'p0'",
            [mbid("recording", 9)],
        )
        .unwrap();
    root.music(&["flavor", "--from-dump", &path]).ended(0);
    assert_eq!(root.count(SHOWN), 3);
}

#[test]
fn killed_while_reading_a_dump_it_goes_on_where_it_was() {
    let root = library(4_000);
    let path = root.join("high.tar.zst");
    dump::write(&path, "highlevel", documents(4_000), Packing::Zstandard).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let words = [
        "music",
        "flavor",
        "--format",
        "json",
        "--from-dump",
        &path,
        "--root-folder",
    ];
    let command = || {
        let mut command = root.command(&words);
        command.arg(root.path());
        command
    };
    let position = "SELECT coalesce(max(position), 0) FROM accession_dumps";
    let mut random = Random::new(11);
    let (mut before, mut killed) = (0, 0);
    // Sooner at first: a fast machine reads all of it in a tenth of a second.
    for attempt in 1..=12 {
        let wait = Duration::from_millis(10 + random.below(15 * attempt));
        killed += usize::from(kill_after(command(), wait).unwrap());
        let now = root.count(position);
        assert!(now >= before, "{now} after {before}");
        before = now;
    }
    assert!(killed > 2, "{killed} of 12 came before the end");
    let ran = crate::support::Ran::of(command().output().unwrap()).ended(0);
    let read: Vec<Value> = ran.events();
    let last = read
        .iter()
        .rev()
        .find(|event| event["documents"].is_u64())
        .unwrap();
    assert_eq!(last["from"].as_i64(), Some(before));
    assert_eq!(root.count(SHOWN), 4_000);
    assert_eq!(root.column("PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn what_is_no_dump_is_said_so_and_a_broken_one_gives_what_it_has() {
    let root = library(10);
    for (name, bytes) in [
        ("a.zip", &b"PK\x03\x04 nothing"[..]),
        ("b.tar.bz2", b"BZh91AY"),
        ("empty", b""),
    ] {
        let path = root.join(name);
        std::fs::write(&path, bytes).unwrap();
        let ran = root
            .music(&["flavor", "--from-dump", path.to_str().unwrap()])
            .ended(2);
        assert!(ran.err.contains("cannot read the dump"), "{}", ran.err);
    }
    for packing in [Packing::Zstandard, Packing::Gzip, Packing::None] {
        let path = root.join("half");
        let noise = |number: u64| {
            let mut random = Random::new(number);
            let text: String = (0..200)
                .map(|_| char::from(b'a' + random.below(26) as u8))
                .collect();
            let mut document = high(0.2);
            document["metadata"] = json!(text);
            (mbid("recording", number), 0, document)
        };
        dump::write(&path, "highlevel", (0..10_000).map(noise), packing).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap();
        let ran = root
            .music(&["flavor", "--from-dump", path.to_str().unwrap()])
            .ended(2);
        assert!(
            ran.err.contains("cannot read the dump"),
            "{packing:?} {}",
            ran.err
        );
        assert_eq!(
            root.count("SELECT count(*) FROM accession_flavors"),
            10,
            "{packing:?}"
        );
        root.open()
            .execute("DELETE FROM accession_flavors", [])
            .unwrap();
        // Any byte may be wrong; nothing but a message may come of it.
        let mut random = Random::new(7);
        for _ in 0..3 {
            let mut wrong = whole.clone();
            for _ in 0..20 {
                let at = random.below(wrong.len() as u64) as usize;
                wrong[at] ^= 1 << random.below(8);
            }
            std::fs::write(&path, wrong).unwrap();
            let ran = root.music(&["flavor", "--from-dump", path.to_str().unwrap()]);
            assert!(matches!(ran.code, Some(0 | 2)), "{ran:?}");
        }
    }
}

#[test]
fn the_flavor_that_was_chosen_stays_whatever_is_analysed_again() {
    let fake = services_that_know(3);
    let root = with_services(&fake);
    testkit::corpus::many(&root.path(), 3, 12.0).unwrap();
    run(&root, &["import"], Some(KEY)).ended(0);
    run(&root, &["identify", "--flavor"], Some(KEY)).ended(0);
    let vectors = "SELECT musical_flavor_vector FROM passages ORDER BY guid";
    let blend = "SELECT DISTINCT flavor_source_blend FROM passages";
    let heard = root.column(vectors);
    assert_eq!(root.column(blend), ["[\"Accession\"]"]);
    assert!(root.count("SELECT count(*) FROM accession_low_levels") > 0);

    root.music(&["flavor", "--show", "acousticbrainz"]).ended(0);
    let theirs = "SELECT count(*) FROM passages WHERE flavor_source_blend = '[\"AcousticBrainz\"]'";
    let shown = root.count(theirs);
    assert!(shown > 0);
    root.import(&["--force"]).ended(0);
    assert_eq!(root.count(theirs), shown);
    run(&root, &["identify"], Some(KEY)).ended(0);
    assert_eq!(root.count(theirs), shown);

    let one = root.column(
        "SELECT guid FROM passages WHERE flavor_source_blend = '[\"AcousticBrainz\"]' LIMIT 1",
    );
    run(&root, &["identify", "--reject", &one[0]], Some(KEY)).ended(0);
    assert_eq!(
        root.count(theirs),
        shown - 1,
        "what it is not says nothing of it"
    );

    root.music(&["settings", "set", "flavor_source", "local"])
        .ended(0);
    assert_eq!(root.column(blend), ["[\"Accession\"]"]);
    assert_eq!(
        root.column(vectors),
        heard,
        "what was heard comes back as it was"
    );
    let wrong = root
        .music(&["settings", "set", "flavor_source", "mine"])
        .ended(2);
    assert!(wrong.err.contains("acousticbrainz"), "{}", wrong.err);
}

#[test]
fn a_file_that_its_release_cut_is_heard_again_in_that_cut() {
    let fake = FakeServices::start(World::generate(1, 2)).unwrap();
    let root = with_services(&fake);
    crate::support::album(&root.join("Mix.wav"), 5, 4, 30.0);
    root.import(&[]).ended(0);
    let places = "SELECT guid || ' ' || start_time_ticks || ' ' || end_time_ticks FROM passages ORDER BY start_time_ticks";
    assert_eq!(root.column(places).len(), 4);
    // As identification leaves it: two passages are one, and nothing is known of that one's sound.
    root.open()
        .execute_batch(
            "CREATE TEMP TABLE inner AS SELECT guid, start_time_ticks, end_time_ticks FROM passages \
                ORDER BY start_time_ticks LIMIT 2 OFFSET 1; \
             DELETE FROM passages WHERE guid = (SELECT guid FROM inner ORDER BY start_time_ticks DESC LIMIT 1); \
             UPDATE passages SET end_time_ticks = (SELECT max(end_time_ticks) FROM inner), \
                import_strategy = 'release', musical_flavor_vector = NULL, lead_in_start_ticks = NULL, \
                lead_out_start_ticks = NULL, fade_in_start_ticks = NULL, fade_out_start_ticks = NULL \
                WHERE guid IN (SELECT guid FROM inner); \
             DELETE FROM accession_fingerprints; DELETE FROM accession_sounds; \
             UPDATE accession_files SET analysis_version = 0;",
        )
        .unwrap();
    let cut = root.column(places);
    assert_eq!(cut.len(), 3);
    let ran = root.import(&[]).ended(0);
    assert_eq!(ran.files("recorded"), 1);
    assert_eq!(root.column(places), cut);
    for table in ["accession_fingerprints", "accession_sounds"] {
        assert_eq!(
            root.count(&format!("SELECT count(*) FROM {table}")),
            3,
            "{table}"
        );
    }
    assert_eq!(
        root.count("SELECT count(*) FROM passages WHERE musical_flavor_vector IS NULL"),
        0
    );
    // Heard once more for whatever reason, it stays so; another content is another matter.
    root.import(&["--force"]).ended(0);
    assert_eq!(root.column(places), cut);
    assert_eq!(root.import(&[]).ended(0).files("unchanged"), 1);
    crate::support::album(&root.join("Mix.wav"), 6, 5, 30.0);
    root.import(&["--force"]).ended(0);
    assert_eq!(root.column(places).len(), 5);
}

#[test]
fn front_covers_are_kept_beside_the_database_and_shown() {
    let fake = services_that_know(12);
    let root = with_services(&fake);
    testkit::corpus::many(&root.path(), 12, 12.0).unwrap();
    run(&root, &["import"], Some(KEY)).ended(0);
    let ran = run(&root, &["identify", "--covers"], Some(KEY)).ended(0);
    let albums = root.count("SELECT count(DISTINCT album_id) FROM passage_albums");
    assert!(albums > 0);
    let said = format!("covers of {albums} of {albums} album");
    assert!(ran.out.contains(&said), "{}", ran.out);
    let path = root
        .column("SELECT file_path FROM images ORDER BY rowid")
        .remove(0);
    assert!(
        std::path::Path::new(&path).starts_with(root.join("covers")),
        "{path}"
    );
    let passage = root
        .column("SELECT passage_id FROM passage_albums JOIN images ON entity_id = album_id ORDER BY images.rowid LIMIT 1")
        .remove(0);
    let shown = root.music(&["show", &passage]).ended(0);
    assert!(
        shown.out.contains(&format!("{path} (100 x 80)")),
        "{}",
        shown.out
    );
    // Once is enough, unless the file is gone.
    let before = fake.requests().len();
    run(&root, &["identify", "--covers"], Some(KEY)).ended(0);
    assert_eq!(fake.requests().len(), before);
    std::fs::remove_file(&path).unwrap();
    run(&root, &["identify", "--covers"], Some(KEY)).ended(0);
    assert!(std::path::Path::new(&path).exists());
    assert_eq!(root.count("SELECT count(*) FROM images"), albums);
}
