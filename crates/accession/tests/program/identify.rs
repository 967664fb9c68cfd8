//! Identification through the program: keys, outages, kills.

use std::collections::HashSet;
use std::process::Command;
use std::time::Duration;

use testkit::kill::kill_after;
use testkit::services::{
    FakeServices, Fault, KEY, Recording, Service, World, files_of, hard, mbid, seed,
};
use testkit::synth::Random;

use crate::support::{Ran, Root};

/// A root with a library that finds the services.
pub(crate) fn with_services(fake: &FakeServices) -> Root {
    let root = Root::empty();
    for (key, value) in fake.settings() {
        root.music(&["settings", "set", key, &value]).ended(0);
    }
    root.music(&["settings", "set", "musicbrainz_requests_per_second", "900"])
        .ended(0);
    root
}

/// The program, with the network and the key.
pub(crate) fn online(root: &Root, words: &[&str], key: Option<&str>) -> Command {
    let mut command = root.command(&["music"]);
    command
        .args(words)
        .arg("--root-folder")
        .arg(root.path())
        .env_remove("ACCESSION_OFFLINE");
    if let Some(key) = key {
        command.env("WKMP_ACOUSTID_API_KEY", key);
    }
    command
}

pub(crate) fn run(root: &Root, words: &[&str], key: Option<&str>) -> Ran {
    Ran::of(online(root, words, key).output().unwrap())
}

fn songs(root: &Root, count: usize) {
    testkit::corpus::many(&root.path(), count, 16.0).unwrap();
}

#[test]
fn an_import_with_dead_services_records_everything_and_marks_it_for_later() {
    let fake = FakeServices::start(World::generate(1, 4)).unwrap();
    for fault in [Fault::BadKey, Fault::Silent, Fault::Portal, Fault::Dead] {
        let root = with_services(&fake);
        songs(&root, 4);
        fake.fail(Service::AcoustId, fault.clone(), 1_000);
        fake.fail(Service::MusicBrainz, fault.clone(), 1_000);
        let ran = run(&root, &["import", "--format", "json"], Some(KEY)).ended(0);
        assert_eq!(ran.files("recorded"), 4);
        let marked = "SELECT count(*) FROM accession_identifications WHERE state = 'retry_later'";
        let states = root.column("SELECT state || reasoning FROM accession_identifications");
        assert_eq!(
            root.count(marked),
            root.count("SELECT count(*) FROM passages"),
            "{fault:?} {} {} {states:?}",
            ran.out,
            ran.err
        );
        assert!(!ran.out.contains(KEY) && !ran.err.contains(KEY));
        fake.mend();
        // Later, whoever does not know the audio says so.
        run(&root, &["identify"], None).ended(0);
        assert_eq!(root.count(marked), 0, "{fault:?}");
        root.assert_sound();
    }
}

#[test]
fn without_a_key_it_is_told_where_to_get_one_and_the_rest_works() {
    let fake = FakeServices::start(World::generate(1, 4)).unwrap();
    let root = with_services(&fake);
    songs(&root, 2);
    let ran = run(&root, &["import"], None).ended(0);
    assert!(
        ran.err.contains("https://acoustid.org/new-application"),
        "{}",
        ran.err
    );
    let asked = fake.requests();
    assert!(
        asked
            .iter()
            .all(|request| request.service != Service::AcoustId)
    );
}

#[test]
fn a_key_of_the_environment_is_kept_in_the_library_and_in_a_file() {
    let fake = FakeServices::start(World::generate(1, 4)).unwrap();
    let root = with_services(&fake);
    songs(&root, 1);
    run(&root, &["import"], Some(KEY)).ended(0);
    let stored = "SELECT value FROM settings WHERE key = 'acoustid_api_key'";
    assert_eq!(root.column(stored), [KEY]);
    let file = root.home().join(".config/accession/accession.toml");
    assert!(std::fs::read_to_string(&file).unwrap().contains(KEY));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn killed_at_random_moments_it_goes_on_and_asks_nothing_again() {
    let mut world = World::generate(21, 10);
    let files = files_of(&mut world, 21, 8);
    let fake = FakeServices::start(world).unwrap();
    let calm = with_services(&fake);
    seed(&calm.database(), &files).unwrap();
    run(&calm, &["identify"], Some(KEY)).ended(0);

    let root = with_services(&fake);
    seed(&root.database(), &files).unwrap();
    let mut random = Random::new(5);
    let mut killed = 0;
    for _ in 0..20 {
        let known: HashSet<String> = root
            .column("SELECT question FROM accession_answers WHERE service = 'musicbrainz' AND question GLOB 're*/*-*-*-*-*'")
            .into_iter()
            .collect();
        let before = fake.requests().len();
        let delay = Duration::from_millis(150 + random.below(700));
        killed += usize::from(kill_after(online(&root, &["identify"], Some(KEY)), delay).unwrap());
        for request in &fake.requests()[before..] {
            let path = request.target.split('?').next().unwrap();
            let question = path.rsplit('/').take(2).collect::<Vec<_>>();
            let question = format!("{}/{}", question[1], question[0]);
            assert!(!known.contains(&question), "{question} was asked again");
        }
    }
    assert!(killed > 3, "{killed} of 20 came before the end");
    run(&root, &["identify"], Some(KEY)).ended(0);
    for sql in [
        "SELECT passage_id || state || level || coalesce(recording_mbid, '') || reasoning FROM accession_identifications ORDER BY 1",
        "SELECT recording_mbid || title FROM songs ORDER BY 1",
        "SELECT passage_id || s.recording_mbid FROM passage_songs JOIN songs s ON s.guid = song_id ORDER BY 1",
        "SELECT s.recording_mbid || a.artist_mbid || weight FROM song_artists JOIN songs s ON s.guid = song_id \
             JOIN artists a ON a.guid = artist_id ORDER BY 1",
        "SELECT passage_id || a.album_mbid FROM passage_albums JOIN albums a ON a.guid = album_id ORDER BY 1",
    ] {
        assert_eq!(root.column(sql), calm.column(sql), "{sql}");
    }
    assert_eq!(
        root.count("SELECT count(*) FROM pragma_foreign_key_check"),
        0
    );
    assert_eq!(root.column("PRAGMA integrity_check"), ["ok"]);
    let asked = fake.requests().len();
    run(&root, &["identify"], None).ended(0);
    assert_eq!(fake.requests().len(), asked);
}

/// What a person accepts becomes the passage's song, and what a person rejects has none, whatever is found later.
#[test]
fn a_person_accepts_the_likeliest_candidate_or_rejects_it() {
    let (world, hard) = hard::generate(21, 1);
    let files: Vec<_> = hard.into_iter().map(|one| one.file).collect();
    let fake = FakeServices::start(world).unwrap();
    let root = with_services(&fake);
    seed(&root.database(), &files).unwrap();
    run(&root, &["identify"], Some(KEY)).ended(0);
    let doubtful = root.column(
        "SELECT passage_id || '|' || json_extract(reasoning, '$.candidates[0].recording_mbid') \
         FROM accession_identifications WHERE state = 'doubtful' \
         AND json_extract(reasoning, '$.candidates[0].recording_mbid') IS NOT NULL ORDER BY 1 LIMIT 2",
    );
    let [accepted, rejected] = &doubtful[..] else {
        panic!("too few doubts: {doubtful:?}");
    };
    let (accepted, candidate) = accepted.split_once('|').unwrap();
    let (rejected, _) = rejected.split_once('|').unwrap();
    root.music(&["identify", "--accept", accepted]).ended(0);
    root.music(&["identify", "--reject", rejected]).ended(0);
    let songs = |passage: &str| {
        root.column(&format!(
            "SELECT s.recording_mbid FROM passage_songs JOIN songs s ON s.guid = song_id WHERE passage_id = '{passage}'"
        ))
    };
    let seen = || {
        assert_eq!(songs(accepted), [candidate]);
        assert!(songs(rejected).is_empty());
        for (passage, state) in [(accepted, "chosen"), (rejected, "rejected")] {
            let sql = format!(
                "SELECT state FROM accession_identifications WHERE passage_id = '{passage}'"
            );
            assert_eq!(root.column(&sql), [state]);
        }
    };
    seen();
    run(&root, &["identify", "--retry"], Some(KEY)).ended(0);
    seen();
    let undecided = "SELECT passage_id FROM accession_identifications WHERE state = 'none' \
                     AND json_extract(reasoning, '$.candidates[0]') IS NULL LIMIT 1";
    let [unknown] = &root.column(undecided)[..] else {
        panic!("every passage has a candidate");
    };
    let refused = root.music(&["identify", "--accept", unknown]).ended(2);
    assert!(refused.err.contains(unknown.as_str()), "{}", refused.err);
}

/// Everything about what a passage is, with its reasons, but for when it was written.
fn identity(root: &Root, passage: &str) -> Vec<String> {
    root.column(&format!(
        "SELECT i.state || ' ' || i.level || ' ' || i.confidence || ' ' || i.recording_mbid || ' ' || i.reasoning || ' ' \
            || i.start_time_ticks || ' ' || i.end_time_ticks FROM accession_identifications i WHERE passage_id = '{passage}' \
         UNION ALL SELECT song_id || ' ' || recording_mbid || ' ' || mbid_source || ' ' || mbid_confidence || ' ' \
            || title || ' ' || title_source || ' ' || artist || ' ' || coalesce(album, '') || ' ' \
            || coalesce(album_source, '') || ' ' || identity_confidence FROM passages WHERE guid = '{passage}' \
         UNION ALL SELECT song_id || ' ' || start_time_ticks || ' ' || end_time_ticks FROM passage_songs \
            WHERE passage_id = '{passage}' \
         UNION ALL SELECT album_id FROM passage_albums WHERE passage_id = '{passage}' \
         UNION ALL SELECT * FROM (SELECT source_type || ' ' || confidence FROM import_provenance \
            WHERE passage_id = '{passage}' ORDER BY 1)"
    ))
}

#[test]
fn a_decision_that_is_taken_back_leaves_what_was_known_before_without_asking_anybody() {
    let mut world = World::generate(33, 6);
    let files = files_of(&mut world, 33, 3);
    let fake = FakeServices::start(world).unwrap();
    let root = with_services(&fake);
    seed(&root.database(), &files).unwrap();
    run(&root, &["identify"], Some(KEY)).ended(0);
    let songs = "SELECT guid FROM passages WHERE song_id IS NOT NULL ORDER BY guid";
    let song = root.column(songs).remove(0);
    let other = &fake.world().recordings.last().unwrap().mbid;
    let before = identity(&root, &song);
    assert!(before[0].starts_with("identified"), "{before:?}");
    let asked = fake.requests().len();
    let decide: [&[&str]; 3] = [
        &["edit", &song, "--no-song"],
        &["identify", "--set", &song, other],
        &["edit", &song, "--no-song"],
    ];
    for words in decide {
        // Only what a person sets may have to be looked up.
        run(&root, words, None).ended(0);
        assert_ne!(identity(&root, &song), before, "{words:?}");
        let last = root.column("SELECT max(edit_id) FROM accession_edits");
        root.music(&["edits", "--undo", &last[0]]).ended(0);
        assert_eq!(identity(&root, &song), before, "{words:?}");
    }
    assert!(fake.requests().len() <= asked + 1);
}

/// What was found by tags that say something else now is looked at again, and stays where nothing else is found.
#[test]
fn new_tags_are_new_evidence() {
    let mut world = World::default();
    for (at, title) in ["Harbor Light", "Tin Roof"].iter().enumerate() {
        world.recordings.push(Recording {
            mbid: mbid("new evidence", at as u64),
            title: (*title).to_owned(),
            artist: "Gale Ostrander".to_owned(),
            artist_mbid: mbid("Gale Ostrander", 0),
            length_ms: 16_000,
            ..Recording::default()
        });
    }
    let ids: Vec<_> = world
        .recordings
        .iter()
        .map(|one| one.mbid.clone())
        .collect();
    let fake = FakeServices::start(world).unwrap();
    let root = with_services(&fake);
    let file = testkit::corpus::many(&root.path(), 1, 16.0)
        .unwrap()
        .remove(0);
    let called = |title: &str| {
        testkit::synth::wav::retag(&file, &[("INAM", title), ("IART", "Gale Ostrander")]).unwrap();
        run(&root, &["import"], None).ended(0);
        run(&root, &["identify"], None).ended(0);
        root.column("SELECT coalesce(recording_mbid, '') FROM passages")
    };
    assert_eq!(called("Harbor Light"), [ids[0].as_str()]);
    let passages = root.column("SELECT guid FROM passages");
    assert_eq!(called("Tin Roof"), [ids[1].as_str()]);
    // The same by another spelling costs nothing and changes nothing.
    assert_eq!(called("tin roof"), [ids[1].as_str()]);
    assert_eq!(root.column("SELECT guid FROM passages"), passages);
    // A person's word is not asked about.
    let passage = &passages[0];
    run(&root, &["identify", "--set", passage, &ids[0]], None).ended(0);
    assert_eq!(called("Tin Roof"), [ids[0].as_str()]);
}
