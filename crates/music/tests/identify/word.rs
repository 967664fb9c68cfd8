//! What a person says of a passage, and what becomes of the others.

use music::identify::{OutagePolicy, decide};
use music::library::due::Scope;
use music::{DATABASE, Library};
use rusqlite::Connection;
use serde_json::json;
use testkit::services::{MadeFile, Recording, Release, Tagging, Track, World, mbid};

use super::Place;

#[test]
fn a_persons_word_is_kept() {
    let place = Place::new(9, 4);
    place.identify();
    let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
    let mut ids = connection
        .prepare("SELECT passage_id FROM accession_identifications WHERE state = 'identified' ORDER BY 1 LIMIT 2")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(|id: rusqlite::Result<String>| id.unwrap())
        .collect::<Vec<_>>();
    drop(connection);
    let (second, first) = (ids.pop().unwrap(), ids.pop().unwrap());
    let library = place.library();
    let passage = |id: &str| match music::library::query::show(&library, id).unwrap() {
        music::library::query::Shown::Passage(passage) => passage.id,
        music::library::query::Shown::File(file) => panic!("{file:?}"),
    };
    let chosen = place.fake.world().recordings[0].mbid.clone();
    let set = |mbid: &str| {
        place.ask(&library, |asker| {
            decide::set(&library, asker, &passage(&first), mbid)
        })
    };
    set(&chosen).unwrap();
    decide::reject(&library, &passage(&second)).unwrap();
    assert!(set("no-such-id").is_err());
    library.close().unwrap();
    let scope = Scope {
        passages: Vec::new(),
        retry: true,
        ..Scope::default()
    };
    place.identify_with(|_| {}, &scope, OutagePolicy::Thorough);
    let of = |id: &str| {
        place.number(&format!(
            "SELECT count(*) FROM passages WHERE guid = '{id}' AND recording_mbid = '{chosen}' AND mbid_source = 'user'"
        ))
    };
    assert_eq!((of(&first), of(&second)), (1, 0));
    assert_eq!(
        place.number(&format!(
            "SELECT count(*) FROM passage_songs WHERE passage_id = '{second}'"
        )),
        0
    );
    // An analysis that sets the title back to that of the tags changes nothing for long.
    let connection = Connection::open(place.folder.path().join(DATABASE)).unwrap();
    connection
        .execute(
            "UPDATE passages SET title = 'from the tags', title_source = 'tags'",
            [],
        )
        .unwrap();
    drop(connection);
    place.identify();
    let title = format!(
        "SELECT count(*) FROM passages p JOIN songs s ON s.guid = p.song_id WHERE p.guid = '{first}' AND p.title = s.title"
    );
    assert_eq!((of(&first), place.number(&title)), (1, 1));
    assert_eq!(
        place.number("SELECT count(*) FROM accession_identifications WHERE state = 'chosen'"),
        1
    );
}

/// `Red` of 1981, and `Red` of 2011 with the same songs recorded again, each `apart` ms longer; files midway between them.
fn red(apart: u64) -> Place {
    let mut world = World::default();
    let mut files = Vec::new();
    for (album, year) in ["1981", "2011"].into_iter().enumerate() {
        let mut release = Release {
            mbid: mbid("red", album as u64),
            title: "Red".to_owned(),
            artist: "Jade Quarry".to_owned(),
            artist_mbid: mbid("Jade Quarry", 0),
            date: year.to_owned(),
            ..Release::default()
        };
        for (at, title) in ["Ember", "Furnace", "Gravel", "Hollow"]
            .into_iter()
            .enumerate()
        {
            let length_ms = 150_000 + 19_000 * at as u64 + apart * album as u64;
            let recording = world.recordings.len();
            world.recordings.push(Recording {
                mbid: mbid("red", 10 + recording as u64),
                title: title.to_owned(),
                remark: if album == 1 { "2011 re-recording" } else { "" }.to_owned(),
                artist: "Jade Quarry".to_owned(),
                artist_mbid: mbid("Jade Quarry", 0),
                work_mbid: mbid("red", 100 + at as u64),
                length_ms,
                ..Recording::default()
            });
            release.tracks.push(Track {
                disc: 1,
                number: at as u32 + 1,
                title: title.to_owned(),
                length_ms,
                recording,
                ..Track::default()
            });
            if album == 1 {
                files.push(MadeFile {
                    path: format!("Red/{:02}.mp3", at + 1),
                    length_ms: length_ms - apart / 2,
                    fingerprint: format!("AQred{at}"),
                    tags: json!({"title": title, "artist": "Jade Quarry", "album": "Red", "track": at + 1}),
                    tagging: Tagging::Good,
                    truth: Some(world.recordings[recording].mbid.clone()),
                    identifiable: true,
                });
            }
        }
        world.releases.push(release);
    }
    Place::of(world, files)
}

/// What a person says of one file of an album is evidence about the others, and so is that they take it back.
#[test]
fn a_persons_word_about_one_file_has_its_album_looked_at_again() {
    let place = red(3_000);
    place.identify();
    let first = place.files[0].path.clone();
    let of_2011: Vec<String> = place
        .files
        .iter()
        .filter_map(|file| file.truth.clone())
        .collect();
    let passage = |library: &Library| match music::library::query::show(library, &first).unwrap() {
        music::library::query::Shown::File(file) => file.passages[0].id.clone(),
        music::library::query::Shown::Passage(passage) => passage.id,
    };
    let library = place.library();
    place.ask(&library, |asker| {
        decide::set(&library, asker, &passage(&library), &of_2011[0]).unwrap()
    });
    library.close().unwrap();
    let due = "SELECT count(*) FROM accession_identifications WHERE state = 'retry_later'";
    assert_eq!(place.number(due), 3);
    let report = place.identify();
    assert_eq!(report.passages, 3, "{report:?}");
    let found = place.answers();
    for (file, own) in place.files.iter().zip(&of_2011).skip(1) {
        let (level, linked, likeliest) = &found[&file.path];
        let is_open = linked.is_none() && likeliest.as_ref() == Some(own);
        assert!(
            linked.as_ref() == Some(own) || is_open,
            "{} {level} {linked:?} {likeliest:?}",
            file.path
        );
    }
    let library = place.library();
    decide::reject(&library, &passage(&library)).unwrap();
    library.close().unwrap();
    assert_eq!(place.number(due), 3);
}
