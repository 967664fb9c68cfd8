//! Recordings of one title: what place, year and words tell of which of them a file is.

use serde_json::json;
use testkit::services::{Linked, Recording, Release, Track, World, mbid};

use super::Place;
use super::told::{self, file};

fn recording(at: usize, (title, remark): (&str, &str), artist: &str, length_ms: u64) -> Recording {
    Recording {
        remark: remark.to_owned(),
        ..told::recording(at, title, artist, length_ms)
    }
}

fn release(title: &str, artist: &str, tracks: &[(u32, u32, usize)], all: &[Recording]) -> Release {
    let track = |(disc, number, recording): &(u32, u32, usize)| Track {
        disc: *disc,
        number: *number,
        title: all[*recording].title.clone(),
        length_ms: all[*recording].length_ms,
        recording: *recording,
        ..Track::default()
    };
    Release {
        mbid: mbid(title, tracks.len() as u64),
        title: title.to_owned(),
        artist: artist.to_owned(),
        artist_mbid: mbid(artist, 0),
        date: "2004".to_owned(),
        tracks: tracks.iter().map(track).collect(),
        ..Release::default()
    }
}

/// Identified, each file is linked with what it is, or with nothing where it is nothing.
fn assert_right(place: &Place) {
    place.identify();
    told::assert_right(place);
}

const OTHERS: [&str; 6] = ["Brasa", "Horno", "Grava y sal", "Hueco", "Hierro", "Muelle"];

const TITLES: [&str; 6] = ["Ember", "Furnace", "Gravel", "Hollow", "Iron", "Jetty"];

/// The second disc of an edition has all songs once more, as demos or without words; its files are called as the songs are.
#[test]
fn the_place_on_an_album_tells_twins_apart() {
    for (named, remark, folder, album) in [
        ("demo", "", "Vellum/CD2", "Vellum (Deluxe Edition)"),
        ("", "demo", "Vellum/CD2", "Vellum (Deluxe Edition)"),
        ("", "instrumental", "Vellum/CD 2 - Instrumental", "Vellum"),
    ] {
        let mut world = World::default();
        for (at, title) in TITLES.into_iter().enumerate() {
            let length = 150_000 + 13_000 * at as u64;
            let own = recording(at, (title, ""), "Amber Quill", length);
            world.recordings.push(own);
        }
        for (at, title) in TITLES.into_iter().enumerate() {
            let title = match named {
                "" => title.to_owned(),
                named => format!("{title} ({named})"),
            };
            let length = 149_000 + 13_400 * at as u64;
            let own = recording(at + 6, (&title, remark), "Amber Quill", length);
            world.recordings.push(own);
        }
        let first = (0..6).map(|at| (1, at + 1, at as usize));
        let second = (0..6).map(|at| (2, at + 1, at as usize + 6));
        let (plain, both): (Vec<_>, Vec<_>) =
            (first.clone().collect(), first.chain(second).collect());
        let all = &world.recordings;
        let releases = [
            release("Vellum", "Amber Quill", &plain, all),
            release("Vellum (Deluxe Edition)", "Amber Quill", &both, all),
        ];
        let files = TITLES.iter().enumerate().map(|(at, title)| {
            let own = &all[at + 6];
            let tags = json!({"title": title, "artist": "Amber Quill", "album": album, "track": at + 1, "disc": 2});
            file(&format!("{folder}/{at}.mp3"), own.length_ms + 200, tags, Some(own))
        });
        let files = files.collect();
        world.releases.extend(releases);
        assert_right(&Place::of(world, files));
    }
}

/// A year in the title's brackets, numbers of takes, words in other languages, songs of a medley.
#[test]
fn words_behind_a_title_tell_twins_apart() {
    let songs = [
        ("Paper Sun", "", 183_000),
        ("Paper Sun (2019)", "", 183_900),
        ("Blue Parlor (take 1)", "", 228_300),
        ("Blue Parlor (take 3)", "", 227_300),
        ("Nobody Calls", "", 189_200),
        ("Nobody Calls (instrumental)", "", 188_900),
        ("Medley: Copper / Lantern / Half the Tide", "", 301_000),
        ("Toll Road", "", 192_000),
        ("The Garden", "", 208_300),
    ];
    let mut world = World::default();
    for (at, (title, remark, length)) in songs.into_iter().enumerate() {
        let own = recording(at, (title, remark), "Bruno Castell", length);
        world.recordings.push(own);
    }
    let all = &world.recordings;
    let releases = (0..all.len()).map(|at| {
        let album = format!("Castell, volume {at}");
        release(&album, "Bruno Castell", &[(1, 1, at)], all)
    });
    let releases: Vec<_> = releases.collect();
    let files = [
        ("loose/1", "Paper Sun (2019)", "Bruno Castell", None, 1),
        ("loose/2", "Paper Sun", "Bruno Castell", None, 0),
        ("a/1", "Blue Parlor (alt. take 1)", "Bruno Castell", None, 2),
        (
            "b/1",
            "Blue Parlor (alternate take 3)",
            "Bruno Castell",
            None,
            3,
        ),
        (
            "c/1",
            "Nobody Calls (Instr. Version)",
            "Bruno Castell",
            None,
            5,
        ),
        (
            "d/1",
            "Copper/Lantern/Half the Tide",
            "Bruno Castell",
            None,
            6,
        ),
        (
            "e/1",
            "Bruno Castell ~ Toll Road 1080p",
            "Bruno Castell",
            None,
            7,
        ),
        ("f/1", "The Garden", "Bruno Castell", Some("Singles"), 8),
    ]
    .map(
        |(path, title, artist, album, at): (_, _, _, Option<&str>, usize)| {
            let tags = json!({"title": title, "artist": artist, "album": album});
            file(
                &format!("{path}.mp3"),
                all[at].length_ms + 150,
                tags,
                Some(&all[at]),
            )
        },
    );
    world.releases.extend(releases);
    assert_right(&Place::of(world, files.into()));
}

/// A musical's tags have its composer for the artist, and the catalogue its cast.
#[test]
fn the_cast_of_a_musical_is_no_other_artist() {
    let cast = "“Ticket Home” original London cast";
    let mut world = World::default();
    for (at, title) in TITLES.into_iter().enumerate() {
        let length = 120_000 + 17_000 * at as u64;
        world
            .recordings
            .push(recording(at, (title, ""), cast, length));
    }
    let all = &world.recordings;
    let tracks: Vec<_> = (0..6).map(|at| (1, at + 1, at as usize)).collect();
    let album = "Ticket Home (Original London Cast)";
    let own = release(album, cast, &tracks, all);
    let files = all.iter().enumerate().map(|(at, one)| {
        let tags = json!({"title": one.title, "artist": "Stephen Larkmoor", "album": album, "track": at + 1});
        file(&format!("Ticket Home/{at}.mp3"), one.length_ms + 200, tags, Some(one))
    });
    let files = files.collect();
    world.releases.push(own);
    assert_right(&Place::of(world, files));
}

/// What a fingerprint cannot tell: the mono edition that the album's name means, and the song in the album's language.
#[test]
fn the_album_is_asked_about_where_a_sound_cannot_tell() {
    for (edition, named) in [("Winter Coats (mono)", ""), ("Servicio", "s")] {
        let mut world = World::default();
        for (at, title) in TITLES.into_iter().enumerate() {
            let length = 150_000 + 13_000 * at as u64;
            let plain = recording(at, (title, ""), "Brick Lane", length);
            world.recordings.push(plain);
        }
        for (at, title) in TITLES.into_iter().enumerate() {
            let (title, remark) = match named {
                "" => (title.to_owned(), "mono"),
                _ => (OTHERS[at].to_owned(), ""),
            };
            let length = 150_600 + 13_000 * at as u64;
            let own = recording(at + 6, (&title, remark), "Brick Lane", length);
            world.recordings.push(own);
        }
        let all = &world.recordings;
        let tracks = |from: usize| {
            (0..6)
                .map(move |at| (1, at + 1, from + at as usize))
                .collect::<Vec<_>>()
        };
        let releases = [
            release("Winter Coats", "Brick Lane", &tracks(0), all),
            release(edition, "Brick Lane", &tracks(6), all),
        ];
        let files = (0..6).map(|at| {
            let own = &all[at + 6];
            let tags = json!({"title": own.title, "artist": "Brick Lane", "album": edition, "track": at + 1});
            file(&format!("Brick Lane/{edition}/{at}.mp3"), own.length_ms + 100, tags, Some(own))
        });
        let files: Vec<_> = files.collect();
        for (at, file) in files.iter().enumerate() {
            let linked = Linked {
                recording: at,
                sources: 40,
                former: None,
                nameless: false,
            };
            world.know(&file.fingerprint, 0.98, vec![linked]);
        }
        world.releases.extend(releases);
        let place = Place::of(world, files);
        if named.is_empty() {
            assert_right(&place);
            continue;
        }
        // The sound is the song's in either language: what forty people say and what the tags say is left to a person.
        place.identify();
        let found = place.answers();
        for file in &place.files {
            let (level, recording, _) = &found[&file.path];
            assert_eq!((level.as_str(), recording), ("low", &None), "{}", file.path);
        }
    }
}

/// Nothing in the tags but what everybody calls the songs; the folder tells where the concert was.
#[test]
fn a_folder_that_is_called_after_a_concert_is_that_concert() {
    let mut world = World::default();
    for (at, title) in TITLES.into_iter().enumerate() {
        let length = 150_000 + 13_000 * at as u64;
        let own = recording(at, (title, "live, 2003-07-11: Roskilde"), "Corvids", length);
        world.recordings.push(own);
    }
    let all = &world.recordings;
    let tracks: Vec<_> = (0..6).map(|at| (1, at + 1, at as usize)).collect();
    let own = release("Festival, disc one", "Corvids", &tracks, all);
    let files = all.iter().enumerate().map(|(at, one)| {
        let tags = json!({"title": one.title, "artist": "Corvids"});
        let path = format!("Corvids/Live in Roskilde 2003-07-11/{at}.mp3");
        file(&path, one.length_ms + 200, tags, Some(one))
    });
    let files = files.collect();
    world.releases.push(own);
    assert_right(&Place::of(world, files));
}

/// Two orchestras play the same work on albums of one name; the tags have its composer, and the folder who plays.
#[test]
fn a_folder_tells_who_plays() {
    let orchestras = ["Collegium Nord", "Akademie für Töne"];
    let mut world = World::default();
    for (which, orchestra) in orchestras.into_iter().enumerate() {
        for (at, title) in TITLES.into_iter().enumerate() {
            let title = format!("Concerto grosso in F: {title}");
            let length = 150_000 + 13_000 * at as u64 + 400 * which as u64;
            let own = recording(at + 6 * which, (&title, ""), orchestra, length);
            world.recordings.push(own);
        }
    }
    let all = &world.recordings;
    let releases = orchestras
        .into_iter()
        .enumerate()
        .map(|(which, orchestra)| {
            let tracks: Vec<_> = (0..6)
                .map(|at| (1, at + 1, at as usize + 6 * which))
                .collect();
            Release {
                mbid: mbid(orchestra, 1),
                ..release("Concerti grossi", orchestra, &tracks, all)
            }
        });
    let releases: Vec<_> = releases.collect();
    let files = (0..6).map(|at| {
        let own = &all[at + 6];
        let tags = json!({"title": own.title, "artist": "Johann Pachler", "album": "Concerti grossi", "track": at + 1});
        let path = format!("Pachler/Concerti grossi - Akademie fur Tone/{at}.mp3");
        file(&path, own.length_ms, tags, Some(own))
    });
    let files = files.collect();
    world.releases.extend(releases);
    assert_right(&Place::of(world, files));
}
