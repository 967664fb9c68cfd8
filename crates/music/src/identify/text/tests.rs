use super::*;

fn relation(a: &str, b: &str) -> Relation {
    Title::parse(a).relation(&Title::parse(b))
}

fn is_same(a: &str, b: &str) -> bool {
    let relation = relation(a, b);
    relation.name == Likeness::Same
        && relation.only_first.is_empty()
        && relation.only_second.is_empty()
}

#[test]
fn versions_at_the_end_and_first_parts_are_read() {
    for (ours, theirs) in [
        ("Ferry Song Reprise", "Ferry Song (reprise)"),
        ("Slow Water en vivo", "Slow Water (en vivo)"),
        ("Slow Water Radio Edit", "Slow Water (radio edit)"),
        ("Suite, Part I", "Suite, Part 1"),
        ("4th of July", "Fourth of July"),
        ("1,000 Miles", "1000 Miles"),
        ("Slow Water (Extended Version)", "Slow Water (extended mix)"),
        ("Slow Water (Inst.)", "Slow Water (instrumental)"),
    ] {
        assert!(is_same(ours, theirs), "{ours} | {theirs}");
    }
    assert!(!is_same("What Am I", "What Am 1"));
    let are_apart = |ours: &str, theirs: &str| relation(ours, theirs).is_told_apart;
    for ours in [
        "Moss Dub",
        "Hugo Moss Remix",
        "Fern Remix",
        "Moss Remix 2",
        "Club Mix",
    ] {
        assert!(
            are_apart(&format!("Oven ({ours})"), "Oven (Moss remix)"),
            "{ours}"
        );
    }
    for (ours, theirs) in [
        ("Live in Paris 2003", "live in Paris 1999"),
        ("Orchestral Version", "piano version"),
        ("Take 5", "take 3"),
        ("Alternate Version 2", "alternate version"),
        ("BBC Session", "Peel session"),
    ] {
        assert!(
            are_apart(&format!("Oven ({ours})"), &format!("Oven ({theirs})")),
            "{ours}"
        );
    }
    for (ours, theirs) in [
        (
            "Live in Lisbon",
            "live, 1984-05-02: Teatro, Lisbon, Portugal",
        ),
        (
            "Live in Rome '84",
            "live, 1984-05-02: Teatro Roma, Rome, Italy",
        ),
        ("Live", "live in Lisbon"),
        ("In Concert", "live"),
        ("Acoustic Version", "acoustic"),
    ] {
        let (ours, theirs) = (
            Title::parse(&format!("Oven ({ours})")),
            Title::parse("Oven").with_remark(theirs),
        );
        assert!(!ours.relation(&theirs).is_told_apart, "{ours:?}");
    }
    for ours in ["Moss Remix", "Remix", "Moss Mix"] {
        assert!(
            !are_apart(&format!("Oven ({ours})"), "Oven (Moss remix)"),
            "{ours}"
        );
    }
}

#[test]
fn spelling_is_nothing() {
    assert_eq!(normalise("The Sígur-Rós"), "sigur ros");
    assert_eq!(normalise("  Don’t Stop!  "), "dont stop");
    assert_eq!(normalise("Simon & Garfunkel"), "simon and garfunkel");
    assert_eq!(normalise("!!!"), "!!!");
    assert_eq!(normalise("A"), "a");
    assert!(is_same("Chapter Four", "Chapter 4"));
    assert!(is_same("Symphony IV", "Symphony 4"));
    assert!(is_same("Roxanne (Album Version)", "Roxanne"));
    assert!(is_same("Roxanne (feat. X)", "Roxanne"));
    assert_eq!(
        relation("Another Brik in the Wall", "Another Brick in the Wall").name,
        Likeness::Misspelt
    );
}

#[test]
fn names_a_word_apart_are_other_names() {
    for (a, b) in [
        ("My Side", "Your Side"),
        ("Will You Stay", "Won't You Stay"),
        ("Prelude XII", "Prelude XIII"),
        ("Here Comes the Sun", "Here Comes the Son"),
        ("Never Again", "Ever Again"),
        ("Etude in A major", "Etude in A minor"),
        ("Help!", "Helpless"),
        (
            "Another Brick in the Wall, Part 1",
            "Another Brick in the Wall, Part 2",
        ),
        ("Sonata: I. Allegro", "Sonata: II. Allegro"),
    ] {
        assert_eq!(relation(a, b).name, Likeness::Different, "{a} {b}");
    }
}

#[test]
fn versions_are_told_apart() {
    let only = |a: &str, b: &str| {
        let relation = relation(a, b);
        assert_eq!(relation.name, Likeness::Same, "{a} {b}");
        (
            relation.only_first.into_iter().collect::<Vec<_>>(),
            relation.only_second.into_iter().collect::<Vec<_>>(),
        )
    };
    let live = || vec!["live".to_owned()];
    assert_eq!(
        only("Roxanne", "Roxanne (live at Hammersmith)"),
        (vec![], live())
    );
    assert_eq!(only("Roxanne Live", "Roxanne"), (live(), vec![]));
    assert_eq!(only("Roxanne en vivo", "Roxanne"), (live(), vec![]));
    assert!(is_same("Roxanne - Live", "Roxanne [Live]"));
    assert!(is_same("Roxanne en vivo", "Roxanne (Live)"));
    assert!(is_same("Live and Let Die", "Live and Let Die"));
    assert_eq!(
        only("Roxanne (2003 Remaster)", "Roxanne"),
        (vec!["remaster".to_owned()], vec![])
    );
    let unknown = relation("Roxanne (Harbour Dream)", "Roxanne");
    assert!(unknown.is_unknown && !unknown.only_first.is_empty());
    assert!(is_same(
        "(I Can't Get No) Satisfaction",
        "I Can't Get No Satisfaction"
    ));
    assert_eq!(Title::parse("Demo").name, "demo");
}

#[test]
fn artists_are_people_however_they_are_joined() {
    let of = |a: &str, b: &str| artists(a, std::iter::once(b));
    assert_eq!(of("Beatles", "The Beatles"), Artists::Same);
    assert_eq!(of("Marchetti, Edda", "Edda Marchetti"), Artists::Same);
    assert_eq!(
        of("Queen; David Bowie", "Queen & David Bowie"),
        Artists::Same
    );
    assert_eq!(of("Queen", "Queen feat. David Bowie"), Artists::Shared);
    assert_eq!(of("Genesis", "The Smiths"), Artists::Different);
    assert_eq!(of("Genesis Tribute Band", "Genesis"), Artists::Different);
    assert!(
        is_nobody("V.A.") && is_nobody("Varios Artistas") && !is_nobody("Nobody In Particular")
    );
    assert!(
        is_placeholder("Track 01") && is_placeholder("07") && !is_placeholder("Track of My Tears")
    );
    let own = [("1979", None), ("22", Some(3)), ("1979", Some(79 - 70))];
    assert!(
        own.iter()
            .all(|(title, track)| is_number_of_its_own(title, *track))
    );
    let of_track = [
        ("07", None),
        ("07", Some(7)),
        ("102", Some(2)),
        ("Track 7", Some(3)),
    ];
    assert!(
        of_track
            .iter()
            .all(|(title, track)| !is_number_of_its_own(title, *track))
    );
}

#[test]
fn albums_are_other_versions_by_what_is_added() {
    let of = |a: &str, b: &str| AlbumName::parse(a, "").relation(&AlbumName::parse(b, ""));
    assert_eq!(of("Tides", "Tides (Deluxe Edition)"), Albums::Same);
    assert_eq!(of("Tides (Instrumentals)", "Tides"), Albums::OtherVersion);
    assert_eq!(
        of("Tides Live in Lisbon 1984", "Tides"),
        Albums::OtherVersion
    );
    assert_eq!(of("Tides (8-Bit Tribute)", "Tides"), Albums::OtherVersion);
    assert_eq!(of("Tides", "Ebb"), Albums::Different);
    assert!(
        AlbumName::parse("Symphonies (1977)", "")
            .years
            .contains(&1977)
    );
}

#[test]
fn what_people_write_in_two_ways_is_one_name() {
    for (a, b) in [
        ("Twenty Four Hours from Leeds", "24 Hours from Leeds"),
        ("Requiem Pt. Two", "Requiem, Part 2"),
        ("Rock And Roll Sailor", "Rock ’n’ Roll Sailor"),
        ("Nothing But Rain", "Nothin’ but Rain"),
        ("Mr. Lonely Bones", "Mister Lonely Bones"),
        ("Through The Keyhole", "Thru the Keyhole"),
        ("Oh Night", "O Night"),
        ("Color Of The Harbor", "Colour of the Harbour"),
        ("ＭＯＯＮ　ＬＩＧＨＴ", "Moon Light"),
    ] {
        assert!(is_same(a, b), "{a} | {b}");
    }
    assert!(!is_same("Twenty, Four Hours Ago", "Twenty Five Hours Ago"));
    for nobody in [
        "AA.VV.",
        "Diverse Interpreten",
        "Разные исполнители",
        "群星",
    ] {
        assert!(is_nobody(nobody), "{nobody} is {}", normalise(nobody));
    }
    for placeholder in ["トラック 02", "Piste 7", "Дорожка 3"] {
        assert!(
            is_placeholder(placeholder),
            "{placeholder} is {}",
            normalise(placeholder)
        );
    }
}

#[test]
fn takes_and_mixes_are_told_apart_by_their_words() {
    let of = |title: &str, remark: &str| {
        let relation = Title::parse(title).relation(&Title::parse("Roxanne").with_remark(remark));
        (relation.is_word_by_word, relation.is_told_apart)
    };
    assert_eq!(of("Roxanne (Take 3)", "take 3"), (true, false));
    assert_eq!(of("Roxanne (Take 3)", "take 5"), (false, true));
    assert_eq!(of("Roxanne (US Mix)", "UK mix"), (false, true));
    assert_eq!(of("Roxanne (Live)", "live, 1984: Lisbon"), (false, false));
    assert_eq!(
        of("Roxanne (Live in Lisbon)", "live, 1984: Lisbon"),
        (false, false)
    );
    assert_eq!(of("Roxanne", ""), (false, false));
}

#[test]
fn a_label_before_an_album_and_a_disc_behind_it_change_nothing() {
    let of = |a: &str, b: &str| AlbumName::parse(a, "").relation(&AlbumName::parse(b, ""));
    assert_eq!(of("24 Preludes", "Chopin: 24 Preludes"), Albums::Similar);
    for (ours, theirs) in [
        ("Blade OST", "Blade (Original Soundtrack)"),
        ("Shortplay EP", "Shortplay"),
        ("Kiln (Half-Speed Master)", "Kiln"),
        ("Kiln WEB", "Kiln"),
        ("Anthology I", "Anthology 1"),
    ] {
        assert_eq!(of(ours, theirs), Albums::Same, "{ours} | {theirs}");
    }
    assert_eq!(of("Kiln", "Kiln: A Dark Journey"), Albums::Similar);
    for (ours, theirs) in [
        ("Blade OST 2", "Blade OST 1"),
        ("Blade OST 2", "Blade OST"),
        ("Anthology II", "Anthology I"),
        ("Kiln (2018 Mix)", "Kiln (2003 remix)"),
        ("Kiln (Live in Paris 2003)", "Kiln (live, 1999: Paris)"),
    ] {
        assert!(of(ours, theirs) < Albums::Similar, "{ours} | {theirs}");
    }
    assert_eq!(
        of("The Falls - Quiet Harbour", "Quiet Harbour"),
        Albums::Similar
    );
    assert_eq!(
        of("Harbour", "Harbour: Music from the Motion Picture"),
        Albums::Same
    );
    for disc in [
        "Harbour CD2",
        "Harbour (Disc 2)",
        "Harbour - Disk 1",
        "Harbour [CD 1]",
    ] {
        assert_eq!(of(disc, "Harbour"), Albums::Same, "{disc}");
    }
    assert_eq!(of("Harbour [Édition limitée]", "Harbour"), Albums::Same);
    for edition in [
        "Harbour - 25th Anniversary Edition",
        "Harbour Deluxe Edition",
        "Harbour + Bonus Tracks",
        "Harbour Remastered",
    ] {
        assert_eq!(of(edition, "Harbour"), Albums::Same, "{edition}");
    }
    assert_eq!(of("7 Deluxe", "7"), Albums::Same);
    assert_eq!(of("Harbour Tour", "Harbour"), Albums::OtherVersion);
    assert_eq!(of("Harbour: Live", "Harbour"), Albums::OtherVersion);
    assert_eq!(of("Harbour", "Harbour (mono)"), Albums::Same);
    assert_eq!(
        of("Harbour (Stereo)", "Harbour (mono)"),
        Albums::OtherVersion
    );
    assert_eq!(of("Harbour - The Remixes", "Harbour"), Albums::OtherVersion);
    assert_eq!(of("The Falls: Gold", "The Ravens: Gold"), Albums::Different);
    assert_eq!(of("Abcd2", "Abcd"), Albums::Different);
}

#[test]
fn names_in_other_letters_cannot_be_compared() {
    assert!(are_other_scripts("Kalinka", "Калинка"));
    assert!(are_other_scripts("夜の海", "Yoru no umi"));
    assert!(!are_other_scripts("Калинка", "Катюша"));
    assert!(!are_other_scripts("Agaetis", "Ágætis") && !are_other_scripts("24", "Калинка"));
    assert!(!are_other_scripts("ＡＲＩＡ", "ARIA"));
}

#[test]
fn words_around_a_title_are_a_version_or_nothing() {
    for same in [
        "Harbour (Official Music Video)",
        "Harbour (Japanese Bonus Track)",
        "Harbour - From \"The Falls\"",
        "Harbour - From The Falls / Soundtrack Version",
        "Harbour (prod. by Somebody)",
        "Harbour (avec Somebody)",
        "Harbour – Album Version",
        "Harbour [HD]",
        "Harbour (1967)",
        "Harbour (128 kbps)",
    ] {
        assert!(is_same(same, "Harbour"), "{same}");
    }
    for other in [
        "Harbour – Live",
        "Harbour — Acoustic",
        "Harbour （ライブ）",
        "Harbour ～Acoustic Ver.～",
        "Harbour 【Instrumental】",
        "Harbour (Off Vocal)",
        "Harbour (TV Size)",
        "Harbour (Music Box)",
        "Harbour (Neuaufnahme 2015)",
        "Harbour (From the Vault)",
        "Harbour (Her Version)",
        "Harbour [Instr.]",
        "Harbour (2nd Version)",
    ] {
        let relation = relation(other, "Harbour");
        assert_eq!(relation.name, Likeness::Same, "{other}");
        assert!(!relation.only_first.is_empty(), "{other}");
    }
    assert!(is_nobody("Unbekannter Künstler") && is_nobody("The Falls OST"));
    let of = |a: &str, b: &str| artists(a, std::iter::once(b));
    assert_eq!(of("Ravens (2)", "Ravens"), Artists::Same);
    assert_eq!(of("Blink 182", "Blink"), Artists::Different);
    let album = |text: &str| AlbumName::parse(text, "").relation(&AlbumName::parse("Harbour", ""));
    assert_eq!(album("Harbour [FLAC 24bit]"), Albums::Same);
    assert_eq!(album("1973 - Harbour"), Albums::Similar);
}

#[test]
fn discs_are_read_from_names() {
    for (name, disc) in [
        ("Two Towers CD2", Some(2)),
        ("Two Towers (Disc 2)", Some(2)),
        ("Disc Two", Some(2)),
        ("CD 03 - Live", Some(3)),
        ("disk1", Some(1)),
        ("Two Towers [CD 1]", Some(1)),
        ("Two Towers (Bonus Disc)", Some(2)),
        ("Two Towers", None),
        ("2 Many DJs", None),
        ("Discovery", None),
        ("CD 2001", None),
    ] {
        assert_eq!(disc_of(name), disc, "{name}");
    }
}

#[test]
fn signs_and_what_is_asked_for_tell_titles_apart() {
    for (one, other) in [
        ("Etude in C minor", "Etude in C# minor"),
        ("The C Song", "The C++ Song"),
        ("Crush", "#1 Crush"),
    ] {
        assert_ne!(relation(one, other).name, Likeness::Same, "{one} {other}");
    }
    assert!(is_same("Tik Tok by Ke$ha", "Tik Tok by Kesha"));
    assert!(is_same(
        "Florence + the Machine",
        "Florence and the Machine"
    ));
    assert!(is_same("#1 Crush", "No. 1 Crush"));
    // Who asks for the version of the single means the one that the catalogue calls so, and would take the other.
    let of_single = Title::parse("Wire").with_remark("single version");
    let asked = Title::parse("Wire (Single Version)").relation(&of_single);
    assert!(
        asked.only_second.is_empty() && asked.shared.contains("edit"),
        "{asked:?}"
    );
    assert!(is_same("Wire (Single Version)", "Wire"));
    assert!(
        !Title::parse("Wire")
            .relation(&of_single)
            .only_second
            .is_empty()
    );
    let guests = |title: &str| Title::parse(title).guests.into_iter().collect::<Vec<_>>();
    assert_eq!(
        guests("Night Bus (feat. Lil Fern & Old Oak)"),
        ["lil fern", "old oak"]
    );
    assert_eq!(guests("Night Bus ft. Lil Fern"), ["lil fern"]);
    assert!(guests("Night Bus (prod. by Old Oak)").is_empty());
}

#[test]
fn a_medley_is_called_after_its_songs() {
    let plain = Title::parse("Ash / Bone / Cinder");
    for title in [
        "Medley: Ash/Bone/Cinder",
        "Ash / Bone / Cinder (Medley)",
        "MEDLEY - Ash / Bone / Cinder",
    ] {
        assert_eq!(
            plain.relation(&Title::parse(title)).name,
            Likeness::Same,
            "{title}"
        );
    }
    // A song of a medley is none of it.
    let one = Title::parse("Ash");
    assert_ne!(one.relation(&plain).name, Likeness::Same);
    assert_ne!(
        one.relation(&Title::parse("Ash (Medley)"))
            .only_second
            .len(),
        0
    );
}

#[test]
fn a_tribute_is_called_after_whom_it_is_for_and_is_none_of_their_albums() {
    let album = |text: &str| AlbumName::parse(text, "");
    let tribute = album("Bright Arcade: A Tribute to Solvei");
    assert!(tribute.relation(&album("A Tribute To Solvei")) >= Albums::Similar);
    assert!(tribute.relation(&album("Bright Arcade")) < Albums::Similar);
    let sessions = AlbumName::parse("Blue Parlor", "complete sessions");
    assert_eq!(sessions.relation(&album("Blue Parlor")), Albums::Same);
}

#[test]
fn a_take_is_told_by_its_number() {
    let one = Title::parse("Blue Parlor (alt. take 1)");
    let same = one.relation(&Title::parse("Blue Parlor (take 1)"));
    assert!(!same.is_told_apart && same.only_first.is_empty() && same.only_second.is_empty());
    for other in ["Blue Parlor (take 3)", "Blue Parlor (alternate take)"] {
        assert!(one.relation(&Title::parse(other)).is_told_apart, "{other}");
    }
}
