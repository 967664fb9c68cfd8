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
