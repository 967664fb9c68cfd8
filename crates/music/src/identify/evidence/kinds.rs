//! Kinds of files that outsiders broke identification with.

use super::*;

fn recording(mbid: &str, title: &str, artist: &str) -> Recording {
    Recording {
        mbid: mbid.to_owned(),
        title: title.to_owned(),
        artist: artist.to_owned(),
        length_ms: Some(200_000),
        ..Recording::default()
    }
}

/// A candidate that is a track of an album on which so many other files are.
fn on_album(recording: Recording, album: &str, others: usize) -> Candidate {
    let release = ReleaseName {
        title: album.to_owned(),
        ..ReleaseName::default()
    };
    Candidate {
        contexts: vec![Context {
            release,
            artist: recording.artist.clone(),
            title: recording.title.clone(),
            length_ms: recording.length_ms,
            others,
            siblings: others,
            in_place: Some(true),
            ..Context::default()
        }],
        recording,
        ..Candidate::default()
    }
}

fn heard(title: &str, artist: &str, album: Option<&str>) -> Heard {
    Heard {
        title: Some(title.to_owned()),
        artist: Some(artist.to_owned()),
        album: album.map(str::to_owned),
        track: Some(1),
        length_ms: 200_400,
        ..Heard::default()
    }
}

fn level(heard: &Heard, candidate: &Candidate) -> Level {
    decide(heard, std::slice::from_ref(candidate)).level
}

#[test]
fn a_part_of_the_work_that_the_album_is_needs_not_name_the_work() {
    let candidate = on_album(
        recording("a", "The Iron Widow: Prelude", "Opera House"),
        "The Iron Widow",
        3,
    );
    let of = |album: &str| level(&heard("Prelude", "Opera House", Some(album)), &candidate);
    assert_eq!(of("The Iron Widow"), Level::High);
    assert!(of("The Golden Bride") < Level::Medium);
}

#[test]
fn a_song_on_a_sampler_that_no_catalogue_has_is_the_song() {
    let candidate = on_album(recording("a", "Stranger", "Dagny Kelnik"), "Morning", 0);
    let of = |album: &str, is_album_of_many: bool| {
        let heard = Heard {
            is_album_of_many,
            ..heard("Stranger", "Dagny Kelnik", Some(album))
        };
        level(&heard, &candidate)
    };
    assert_eq!(of("Summer 2007", true), Level::Medium);
    assert_eq!(of("The Very Best of Dagny Kelnik", false), Level::Medium);
    assert!(of("Summer 2007", false) < Level::Medium);
}

#[test]
fn songs_of_one_name_on_a_record_of_another_are_others_unless_all_are_just_as_long() {
    let of = |others: usize, loose: usize| {
        let mut candidate = on_album(recording("a", "Dawn", "Nils Oder"), "Hours", others);
        candidate.contexts[0].loose = loose;
        level(&heard("Dawn", "Nils Oder", Some("House Rooms")), &candidate)
    };
    assert!(of(5, 2) < Level::Medium);
    assert!(of(5, 0) < Level::Medium);
    assert_eq!(of(9, 0), Level::Medium);
}

#[test]
fn what_it_is_sung_in_is_a_version_and_where_it_came_out_is_none() {
    let candidate = on_album(recording("a", "Wish Tree", "Girl Parade"), "Parade", 5);
    let of = |title: &str| level(&heard(title, "Girl Parade", None), &candidate);
    assert!(of("Wish Tree (Japanese Version)") < Level::Medium);
    assert!(of("Wish Tree -Rei Solo Ver.-") < Level::Medium);
    assert!(of("Wish Tree (With Dialogue)") < Level::Medium);
    assert_eq!(of("Wish Tree (Japanese Bonus Track)"), Level::High);
    assert_eq!(of("Wish Tree (Mastered for iTunes)"), Level::High);
}

#[test]
fn an_aside_that_nobody_knows_is_none_at_its_place_on_the_album() {
    let candidate = |others| on_album(recording("a", "Rain", "Cold Corsen"), "Street Days", others);
    let of = |others| {
        let heard = heard("Rain (Harlow-Prewitt)", "Cold Corsen", Some("Street Days"));
        level(&heard, &candidate(others))
    };
    assert!(of(3) >= Level::Medium);
    assert!(of(0) < Level::Medium);
}

#[test]
fn of_two_of_one_name_that_on_the_folders_album_is_meant() {
    let heard = Heard {
        is_album_by_folder: true,
        ..heard("Intro", "Kilo Saint", Some("Saints Two"))
    };
    let on = |mbid: &str, album: &str| on_album(recording(mbid, "Intro", "Kilo Saint"), album, 1);
    let both = [on("one", "Saints One"), on("two", "Saints Two")];
    let verdict = decide(&heard, &both);
    assert_eq!(verdict.candidates[0].recording_mbid, "two");
    assert!(verdict.level >= Level::Medium);
}

#[test]
fn names_that_a_field_has_cut_are_those_names() {
    let candidate = on_album(
        recording(
            "a",
            "The Man Who Walked Along the Railway to the Sea",
            "The Extraordinary Brandhurst Brothers",
        ),
        "Stories From the Other Side of the Valley",
        0,
    );
    let heard = heard(
        "The Man Who Walked Along the R",
        "The Extraordinary Brandhurst B",
        Some("Stories From the Other Side of"),
    );
    assert!(level(&heard, &candidate) >= Level::Medium);
}

#[test]
fn another_song_over_the_same_backing_is_not_taken_for_it() {
    let print = Print {
        score: 0.97,
        sources: 30,
        sources_of_all: 30,
    };
    let mut candidate = on_album(recording("a", "Forza Blauberg", "Die Kurve"), "Blauberg", 0);
    candidate.print = Some(print);
    candidate.contexts[0].misnamed = 1;
    let of = |title: &str, album: &str| {
        let heard = Heard {
            best_print: Some(print),
            ..heard(title, "Die Kurve", Some(album))
        };
        level(&heard, &candidate)
    };
    assert!(of("Forza Gruenwald", "Gruenwald, die Hymnen") < Level::Medium);
    assert_eq!(of("Forza Blauberg", "Blauberg"), Level::High);
}

#[test]
fn a_group_is_called_after_its_leader_and_a_half_of_a_name_in_two_scripts_is_that_name() {
    use crate::identify::text::{Artists, artists};
    let relation = |ours: &str, theirs: &str| artists(ours, std::iter::once(theirs));
    assert_eq!(
        relation("Lou Farrant", "Lou Farrant Quintet"),
        Artists::Shared
    );
    assert_eq!(
        relation("Lou Farrant", "Lou Farrant and His Orchestra"),
        Artists::Shared
    );
    assert_eq!(
        relation("Lou Farrant", "Lou Farrant Junior"),
        Artists::Different
    );
    assert_eq!(relation("Prince", "Prince Project"), Artists::Different);
    assert_eq!(relation("HARAM 하람", "하람"), Artists::Same);
    assert_eq!(
        relation("Quillon Brothers, The", "The Quillon Brothers"),
        Artists::Same
    );
    assert_eq!(relation("A feat.B", "A feat. B"), Artists::Same);
}

#[test]
fn titles_are_the_same_however_they_are_numbered_spelt_and_ordered() {
    use crate::identify::text::{Likeness, Title};
    let relation = |a: &str, b: &str| Title::parse(a).relation(&Title::parse(b)).name;
    for (one, other) in [
        ("Untitled 2", "Untitled #2"),
        (
            "Etude, Op.25 No.1 in B minor",
            "Étude op. 25 no. 1 in B minor",
        ),
        ("Sinfonie Nr. 5", "Sinfonie 5"),
        ("Ballad of Lucy Gray, The", "The Ballad of Lucy Gray"),
        ("Caminos, Los", "Los Caminos"),
        ("Gruesse aus Koeln", "Grüße aus Köln"),
        ("2nite", "Tonight"),
        ("Street prod. Mirko", "Street"),
    ] {
        assert_eq!(relation(one, other), Likeness::Same, "{one} | {other}");
    }
    assert_ne!(relation("No. 1", "1"), Likeness::Same);
    assert_ne!(relation("Symphony No. 5", "Symphony No. 6"), Likeness::Same);
}
