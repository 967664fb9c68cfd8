//! What files are told apart by: their folders, their names, what others of their folder are, an answer that never comes.

use music::DATABASE;
use rusqlite::Connection;
use serde_json::{Value, json};
use testkit::services::{
    Fault, Linked, MadeFile, Recording, Release, Service, Tagging, Track, World, mbid,
};

use super::{Place, loose};

pub(super) fn recording(at: usize, title: &str, artist: &str, length_ms: u64) -> Recording {
    Recording {
        mbid: mbid("told recording", at as u64),
        title: title.to_owned(),
        artist: artist.to_owned(),
        artist_mbid: mbid(artist, 0),
        work_mbid: mbid("told work", at as u64),
        length_ms,
        ..Recording::default()
    }
}

pub(super) fn file(path: &str, length_ms: u64, tags: Value, truth: Option<&Recording>) -> MadeFile {
    MadeFile {
        path: path.to_owned(),
        length_ms,
        fingerprint: format!("AQ{path}"),
        tags,
        tagging: Tagging::Good,
        truth: truth.map(|truth| truth.mbid.clone()),
        identifiable: truth.is_some(),
    }
}

/// Every file is linked with what it is, or with nothing where it is nothing.
pub(super) fn assert_right(place: &Place) {
    let found = place.answers();
    for file in &place.files {
        let (level, recording, first) = &found[&file.path];
        assert_eq!(*recording, file.truth, "{} {level} {first:?}", file.path);
    }
}

#[test]
fn a_question_that_is_left_open_keeps_nobody_else_waiting() {
    // What a service says of an outage is asked twice here, and what is no answer once.
    for (fault, times) in [(Fault::Portal, 1), (Fault::Status(503), 2)] {
        let place = loose(40, 0);
        place
            .fake
            .fail_after(2, Service::MusicBrainz, fault.clone(), times);
        let report = place.identify();
        assert_eq!(
            (report.high + report.medium, report.retry_later),
            (40, 0),
            "{fault:?} {report:?}"
        );
        // A service that never answers is left alone all the same.
        let place = loose(40, 0);
        place.fake.fail(Service::MusicBrainz, fault.clone(), 1_000);
        let report = place.identify();
        assert_eq!(report.retry_later, 40, "{fault:?} {report:?}");
        let asked = place.fake.requests();
        let asked = asked
            .iter()
            .filter(|one| one.service == Service::MusicBrainz);
        assert!(asked.count() as u32 <= 4 * times, "{fault:?} {report:?}");
        place.fake.mend();
        assert_eq!(place.identify().high, 40);
    }
}

/// Two discs with tracks of the same titles, in folders whose names say which; the tags do not.
#[test]
fn discs_are_told_by_their_folders_and_albums() {
    let titles = ["Overture", "Bells", "Theme", "Finale"];
    for (folders, albums) in [
        (["Two Towers/CD1", "Two Towers/CD2"], ["Two Towers"; 2]),
        (["a", "b"], ["Two Towers (Disc 1)", "Two Towers (Disc 2)"]),
        (
            ["Two Towers [Disc 1]", "Two Towers [Disc 2]"],
            ["Two Towers"; 2],
        ),
    ] {
        let mut world = World::default();
        let mut release = Release {
            mbid: mbid("told release", 1),
            title: "Two Towers".to_owned(),
            artist: "Rower".to_owned(),
            artist_mbid: mbid("Rower", 0),
            date: "1999".to_owned(),
            ..Release::default()
        };
        let mut files = Vec::new();
        for (disc, (folder, album)) in folders.iter().zip(albums).enumerate() {
            for (at, title) in titles.iter().enumerate() {
                let number = world.recordings.len();
                let length_ms = 150_000 + 17_000 * at as u64 + 700 * disc as u64;
                let own = recording(number, title, "Rower", length_ms);
                release.tracks.push(Track {
                    disc: disc as u32 + 1,
                    number: at as u32 + 1,
                    title: (*title).to_owned(),
                    length_ms,
                    recording: number,
                    ..Track::default()
                });
                let tags =
                    json!({"title": title, "artist": "Rower", "album": album, "track": at + 1});
                files.push(file(
                    &format!("{folder}/{at}.mp3"),
                    length_ms + 100,
                    tags,
                    Some(&own),
                ));
                world.recordings.push(own);
            }
        }
        world.releases.push(release);
        let place = Place::of(world, files);
        place.identify();
        assert_right(&place);
    }
}

#[test]
fn untagged_files_are_known_by_their_names_and_codes_say_nothing() {
    let mut world = World::default();
    let songs = [
        ("Harbor Light", 181_000),
        ("Tin Roof", 243_000),
        ("Pale Engine", 305_000),
    ];
    for (at, (title, length)) in songs.iter().enumerate() {
        world
            .recordings
            .push(recording(at, title, "Gale Ostrander", *length));
    }
    let known = |at: usize, path: &str| {
        let own = &world.recordings[at];
        file(path, own.length_ms + 300, json!({}), Some(own))
    };
    let files = vec![
        known(0, "in/Gale Ostrander/Saltworks/01 Harbor Light.wav"),
        known(1, "in/Gale Ostrander/Saltworks/02 - Tin_Roof.wav"),
        known(2, "Downloads/Gale Ostrander - Pale Engine.mp3"),
        file("tapes/R3.wav", 243_000, json!({}), None),
        file("tapes/03 cassette.wav", 243_000, json!({}), None),
        // What a file is called does not speak against what its tags say.
        file(
            "x/Take That.wav",
            181_200,
            json!({"artist": "Gale Ostrander", "title": "Harbor Light"}),
            Some(&world.recordings[0]),
        ),
    ];
    let place = Place::of(world, files);
    place.identify();
    assert_right(&place);
}

/// A fingerprint of what many recordings begin with is linked with one of them.
#[test]
fn a_fingerprint_of_many_files_is_that_of_the_one_that_is_called_so() {
    let mut world = World::default();
    world
        .recordings
        .push(recording(0, "Jingle", "Station", 37_000));
    let truth = world.recordings[0].clone();
    let mut files = Vec::new();
    for (at, (title, artist)) in [("Jingle", "Station"), ("Oak", "Grove"), ("Ash", "Wood")]
        .iter()
        .enumerate()
    {
        let tags = json!({"title": title, "artist": artist});
        let own = (at == 0).then_some(&truth);
        let made = file(
            &format!("radio/{at}.mp3"),
            37_000 + 700 * at as u64,
            tags,
            own,
        );
        let linked = Linked {
            recording: 0,
            sources: 12,
            former: None,
            nameless: false,
        };
        world.know(&made.fingerprint, 0.97, vec![linked]);
        files.push(made);
    }
    let place = Place::of(world, files);
    place.identify();
    assert_right(&place);
}

/// One album of one disc is all that the catalogue has; every file is as long as a track of it.
fn saltworks() -> (World, Vec<Recording>) {
    let mut world = World::default();
    let mut release = Release {
        mbid: mbid("told saltworks", 1),
        title: "Saltworks".to_owned(),
        artist: "Gale Ostrander".to_owned(),
        artist_mbid: mbid("Gale Ostrander", 0),
        date: "2004".to_owned(),
        ..Release::default()
    };
    for (at, title) in ["Ember", "Furnace", "Gravel", "Hollow"].iter().enumerate() {
        let length_ms = 140_000 + 21_000 * at as u64;
        world
            .recordings
            .push(recording(at, title, "Gale Ostrander", length_ms));
        release.tracks.push(Track {
            disc: 1,
            number: at as u32 + 1,
            title: (*title).to_owned(),
            length_ms,
            recording: at,
            ..Track::default()
        });
    }
    world.releases.push(release);
    let recordings = world.recordings.clone();
    (world, recordings)
}

/// A folder of the album: `path` with `NN` and `TITLE`, and what `more` says beside title, artist and album.
fn folder(path: &str, more: Option<&Value>, is_right: bool) -> Place {
    let (world, recordings) = saltworks();
    let files = recordings.iter().enumerate().map(|(at, own)| {
        let title = &own.title;
        let path = path.replace("NN", &format!("{:02}", at + 1));
        let path = path.replace("TITLE", title);
        let mut tags = json!({});
        if let Some(more) = more {
            tags = json!({"title": title, "artist": "Gale Ostrander", "album": "Saltworks"});
            for (name, value) in more.as_object().into_iter().flatten() {
                tags[name] = match value.as_str() {
                    Some(text) => json!(text.replace("TITLE", title)),
                    None => value.clone(),
                };
            }
        }
        let truth = is_right.then_some(own);
        file(&format!("{path}.mp3"), own.length_ms + 400, tags, truth)
    });
    let place = Place::of(world, files.collect());
    place.identify();
    place
}

#[test]
fn folders_of_files_without_tags_tell_their_albums() {
    for (path, more) in [
        ("Gale Ostrander/Saltworks/NN TITLE", None),
        ("Gale Ostrander - Saltworks (2004) [FLAC]/Track NN", None),
        ("in/NN", Some(json!({}))),
        ("Live/NN", Some(json!({"album": "Live"}))),
        (
            "Gale Ostrander - Saltworks/NN",
            Some(json!({"album": null})),
        ),
        ("Gale Ostrander/Singles/NN", Some(json!({"album": null}))),
        ("Gale Ostrander - TITLE/NN", Some(json!({"album": null}))),
        ("Gale Ostrander/S/NN TITLE", None),
        ("Chiptune/NN", Some(json!({}))),
    ] {
        let is_right = path != "Live/NN";
        let place = folder(path, more.as_ref(), is_right);
        assert_right(&place);
    }
}

/// Whatever contradicts a candidate leaves it open, however well its album fits, or `review` shows it at least.
#[test]
fn what_contradicts_is_not_outvoted() {
    for (path, more) in [
        ("Mira Lund - Saltworks/NN TITLE", None),
        ("Karaoke/Saltworks/NN TITLE", None),
        ("Gale Ostrander - Saltworks (Live)/NN TITLE", None),
        (
            "Gale Ostrander - Budokan/NN TITLE",
            Some(json!({"album": null})),
        ),
        ("in/TITLE (Karaoke Version)", Some(json!({}))),
        ("in/TITLE - instrumental", Some(json!({"album": null}))),
        ("in/NN TITLE rehearsal tape", Some(json!({}))),
        ("Saltworks - sans paroles/NN", Some(json!({}))),
        ("in/Saltworks Demos/NN", Some(json!({}))),
        ("in/NN", Some(json!({"disc": 2}))),
        ("Disc 2/NN", Some(json!({}))),
        ("in/NN", Some(json!({"album": "Saltworks (Bonus Disc)"}))),
        ("in/NN", Some(json!({"genre": "Karaoke"}))),
        ("in/NN", Some(json!({"subtitle": "Live"}))),
        ("in/NN", Some(json!({"album_artist": "The Covers Band"}))),
        (
            "in/NN",
            Some(json!({"title": "TITLE (Live in Lisbon 1984)"})),
        ),
        (
            "in/NN",
            Some(json!({"title": "Gale Ostrander - TITLE", "artist": "Mira Lund"})),
        ),
    ] {
        let place = folder(path, more.as_ref(), false);
        let found = place.answers();
        let doubts = music::library::review::doubtful_matches(&place.library()).unwrap();
        for file in &place.files {
            let (level, recording, _) = &found[&file.path];
            assert_ne!(level, "high", "{} {}", file.path, file.tags);
            let is_shown = doubts.iter().any(|doubt| doubt.path == file.path);
            assert!(recording.is_none() || is_shown, "{} {level}", file.path);
        }
    }
}

/// A release of one disc with these tracks, each a recording of its own, beside which nothing is known.
fn world_of(artist: &str, album: &str, tracks: &[(&str, u64)]) -> World {
    let mut world = World::default();
    let mut release = Release {
        mbid: mbid(album, 1),
        title: album.to_owned(),
        artist: artist.to_owned(),
        artist_mbid: mbid(artist, 0),
        date: "1974".to_owned(),
        ..Release::default()
    };
    for (at, (title, length_ms)) in tracks.iter().enumerate() {
        world
            .recordings
            .push(recording(at, title, artist, *length_ms));
        release.tracks.push(Track {
            disc: 1,
            number: at as u32 + 1,
            title: (*title).to_owned(),
            length_ms: *length_ms,
            recording: at,
            ..Track::default()
        });
    }
    world.releases.push(release);
    world
}

/// What the passages of a library are, file by file and in their order, and what all recordings of the world are.
fn found_and_known(place: &Place) -> (Vec<String>, Vec<String>) {
    let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
    let found = connection
        .prepare("SELECT recording_mbid FROM passages ORDER BY file_id, start_time_ticks")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let world = place.fake.world();
    let known = world.recordings.iter().map(|one| one.mbid.clone());
    (found, known.collect())
}

/// A record, each side in a file of its own that is called so; silence has told its songs apart.
#[test]
fn sides_of_a_record_are_known_by_its_release() {
    let titles = ["Ember", "Furnace", "Gravel", "Hollow", "Iron", "Jetty"];
    let lengths = [142_000, 164_000, 133_000, 155_000, 171_000, 126_000];
    let tracks: Vec<_> = titles.into_iter().zip(lengths).collect();
    let place = Place::of(world_of("Amber Quill", "Vellum", &tracks), Vec::new());
    for (side, songs) in [("A", &lengths[..3]), ("B", &lengths[3..])] {
        let path = format!("Amber Quill - Vellum [LP]/Side {side}.flac");
        super::seed_passages(&place, (side, &path), songs);
    }
    let report = place.identify();
    assert_eq!(report.high + report.medium, 6, "{report:?}");
    let (found, known) = found_and_known(&place);
    assert_eq!(found, known);
}

/// Four sides of two records that the catalogue has as one disc; the last is a medley, which is one track there, and has
/// pauses between its songs.
#[test]
fn sides_and_a_medley_are_known_by_a_release_on_one_disc() {
    let tracks = [
        ("Ember", 142_000),
        ("Furnace", 164_000),
        ("Gravel", 133_000),
        ("Hollow", 155_000),
        ("Iron", 171_000),
        ("Jetty", 126_000),
        ("Kestrel", 181_000),
        ("Lantern", 149_000),
        ("Marrow", 137_000),
        ("Ash / Bone / Cinder", 402_000),
    ];
    let place = Place::of(world_of("Amber Quill", "Vellum", &tracks), Vec::new());
    let lengths: Vec<_> = tracks.iter().map(|(_, length)| *length).collect();
    let medley = [130_000, 138_000, 130_000];
    for (side, songs) in [
        ("A", &lengths[..3]),
        ("B", &lengths[3..6]),
        ("C", &lengths[6..9]),
        ("D", &medley),
    ] {
        let path = format!("Amber Quill - Vellum [LP]/Side {side}.flac");
        super::seed_passages(&place, (side, &path), songs);
    }
    Connection::open(place.folder.path().join(DATABASE))
        .unwrap()
        .execute_batch(
            r#"UPDATE accession_files SET tags = '{"title": "Medley: Ash/Bone/Cinder", "artist": "Amber Quill",
               "album": "Vellum"}' WHERE file_id = 'D'"#,
        )
        .unwrap();
    let report = place.identify();
    assert_eq!(
        (report.high + report.medium, report.cut_anew),
        (10, 1),
        "{report:?}"
    );
    let (found, known) = found_and_known(&place);
    assert_eq!(found, known);
}

/// Numbers that are titles, and an album that is called after the version which its titles say they are.
#[test]
fn titles_that_are_numbers_and_albums_of_a_version_are_known() {
    let mut world = World::default();
    let mut files = Vec::new();
    for (at, (title, artist, length)) in [
        ("1979", "Nine Bells", 266_000),
        ("22", "Tessa Moss", 232_000),
        ("Ember", "Tessa Wren", 232_000),
        ("Ember (Tessa’s version)", "Tessa Wren", 233_300),
    ]
    .into_iter()
    .enumerate()
    {
        let own = recording(at, title, artist, length);
        let album = ["Counting", "Amber", "Fearful", "Fearful (Tessa’s version)"][at];
        world.releases.push(Release {
            mbid: mbid("told numbers", at as u64),
            title: album.to_owned(),
            artist: artist.to_owned(),
            artist_mbid: mbid(artist, 0),
            date: "2010".to_owned(),
            tracks: vec![Track {
                disc: 1,
                number: 5,
                title: title.to_owned(),
                length_ms: length,
                recording: at,
                ..Track::default()
            }],
            ..Release::default()
        });
        world.recordings.push(own);
    }
    for (path, at, tags) in [
        (
            "a/x.mp3",
            0,
            json!({"title": "1979", "artist": "Nine Bells"}),
        ),
        ("b/Nine Bells - 1979.mp3", 0, json!({})),
        (
            "c/x.mp3",
            1,
            json!({"title": "22", "artist": "Tessa Moss", "track": 5}),
        ),
        (
            "d/x.mp3",
            3,
            json!({"title": "Ember (Tessa's Version)", "artist": "Tessa Wren", "album": "Fearful"}),
        ),
    ] {
        let own = &world.recordings[at];
        files.push(file(path, own.length_ms + 100, tags, Some(own)));
    }
    let place = Place::of(world, files);
    place.identify();
    assert_right(&place);
}
