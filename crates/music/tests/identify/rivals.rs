//! Two that the services know of one passage: what the tags, the album and the length say decides, or nothing does.

use serde_json::{Value, json};
use testkit::services::{Linked, MadeFile, Recording, Release, Tagging, Track, World, mbid};

use super::Place;

/// A world of releases, each with one track of a title by an artist, with a remark and of a length.
fn world_of(releases: &[(&str, &str, &str, &str, u64)]) -> World {
    let mut world = World::default();
    for (at, (album, artist, title, remark, length_ms)) in releases.iter().enumerate() {
        world.recordings.push(Recording {
            mbid: mbid("rival", at as u64),
            title: (*title).to_owned(),
            remark: (*remark).to_owned(),
            artist: (*artist).to_owned(),
            artist_mbid: mbid(artist, 0),
            work_mbid: mbid(title, 0),
            length_ms: *length_ms,
            ..Recording::default()
        });
        world.releases.push(Release {
            mbid: mbid("rival release", at as u64),
            title: (*album).to_owned(),
            artist: (*artist).to_owned(),
            artist_mbid: mbid(artist, 0),
            date: "1999".to_owned(),
            tracks: vec![Track {
                disc: 1,
                number: 1,
                title: (*title).to_owned(),
                length_ms: *length_ms,
                recording: at,
                ..Track::default()
            }],
            ..Release::default()
        });
    }
    world
}

/// One file, whose fingerprint so many people say is each recording; its level, and the recording that it is linked with.
fn answer(
    mut world: World,
    length_ms: u64,
    tags: Value,
    people: &[(usize, u64)],
) -> (String, Option<usize>) {
    let file = MadeFile {
        path: "x/x.mp3".to_owned(),
        length_ms,
        fingerprint: "AQrival".to_owned(),
        tags,
        tagging: Tagging::Good,
        truth: None,
        identifiable: false,
    };
    let linked = people.iter().map(|(recording, sources)| Linked {
        recording: *recording,
        sources: *sources,
        former: None,
        nameless: false,
    });
    let linked: Vec<_> = linked.collect();
    if !linked.is_empty() {
        world.know(&file.fingerprint, 0.96, linked);
    }
    let path = file.path.clone();
    let place = Place::of(world, vec![file]);
    place.identify();
    let (level, linked, _) = place.answers().remove(&path).unwrap();
    let recordings = &place.fake.world().recordings;
    let linked = linked.and_then(|mbid| recordings.iter().position(|one| one.mbid == mbid));
    (level, linked)
}

/// A fingerprint says quite another song, and the catalogue has just what the tags say, just as long.
#[test]
fn what_the_tags_claim_is_asked_about_however_sure_a_fingerprint_is() {
    for people in [1, 4, 5_000] {
        let world = world_of(&[
            ("Numb", "Iron Tide", "Glass", "", 173_300),
            ("Blue", "Copper Line", "First Date", "", 173_000),
        ]);
        let tags = json!({"title": "First Date", "artist": "Copper Line"});
        let (level, linked) = answer(world, 173_000, tags, &[(0, people)]);
        assert!(
            linked != Some(0) && level != "high",
            "{people}: {level} {linked:?}"
        );
    }
}

/// A concert sounds as the studio to a fingerprint that both are linked with, and the tags name the concert's album.
#[test]
fn the_album_decides_between_recordings_of_one_fingerprint() {
    let world = world_of(&[
        ("Salt", "Copper Line", "Wire", "", 172_600),
        (
            "Hamburg 2011",
            "Copper Line",
            "Wire",
            "live, 2011: Hamburg",
            173_000,
        ),
    ]);
    let tags =
        json!({"title": "Wire", "artist": "Copper Line", "album": "Hamburg 2011", "track": 1});
    let (level, linked) = answer(world, 173_000, tags, &[(0, 200), (1, 3)]);
    assert!(linked.is_none_or(|at| at == 1), "{level} {linked:?}");
    // So it is with an id in the tags, and with a version that the title does not name.
    let albums = [
        ("Again", "2019 re-recording"),
        ("Hamburg 2011", "live, 2011: Hamburg"),
    ];
    for (album, remark) in albums {
        let world = world_of(&[
            ("Salt", "Copper Line", "Wire", "", 172_600),
            (album, "Copper Line", "Wire", remark, 173_000),
        ]);
        let tags = json!({"title": "Wire", "artist": "Copper Line", "album": album, "track": 1,
                          "recording_mbid": world.recordings[0].mbid.clone()});
        let (level, linked) = answer(world, 173_000, tags, &[]);
        assert!(
            linked.is_none_or(|at| at == 1),
            "{album}: {level} {linked:?}"
        );
    }
}

/// Versions of one kind are another's, another year's or another instrument's; a sound may still say so, for review.
#[test]
fn versions_of_one_kind_are_not_one_another() {
    for (theirs, ours, is_it) in [
        ("Oven (Moss remix)", "Oven (Fern Remix)", false),
        ("Oven (Moss remix)", "Oven (Moss Dub)", false),
        ("Oven (piano version)", "Oven (Orchestral Version)", false),
        (
            "Oven (live in Paris 1999)",
            "Oven (Live in Paris 2003)",
            false,
        ),
        ("Oven (Moss remix)", "Oven (Moss Mix)", true),
        ("Oven (extended mix)", "Oven (Extended Version)", true),
        ("Oven (reprise)", "Oven Reprise", true),
    ] {
        let world = world_of(&[("Kitchen", "Copper Line", theirs, "", 173_000)]);
        let tags = json!({"title": ours, "artist": "Copper Line"});
        let (level, linked) = answer(world, 173_600, tags, &[]);
        assert_eq!(linked.is_some(), is_it, "{ours} for {theirs}: {level}");
    }
}

/// `The Pines` and `Pines` are two bands where the catalogue has both, and one where it has one.
#[test]
fn an_article_tells_two_bands_apart_where_there_are_two() {
    for (at, artist) in ["The Pines", "Pines"].into_iter().enumerate() {
        let both = world_of(&[
            ("One", "The Pines", "Tideway", "", 201_000),
            ("Two", "Pines", "Tideway", "", 202_200),
        ]);
        let tags = json!({"title": "Tideway", "artist": artist});
        let length_ms = [201_200, 202_000][at];
        let (level, linked) = answer(both, length_ms, tags.clone(), &[]);
        assert_eq!(linked, Some(at), "{artist}: {level}");
        let one = world_of(&[("One", "The Pines", "Tideway", "", 201_000)]);
        let (level, linked) = answer(one, 201_200, tags, &[]);
        assert_eq!(linked, Some(0), "{artist}: {level}");
    }
}
