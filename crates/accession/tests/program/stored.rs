//! Libraries as earlier versions left them, stored as files, and used by this one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::support::{Root, album};

/// Two files as the stored libraries know them.
fn fill(root: &Root) {
    album(&root.join("Tides/Side A.wav"), 7, 3, 20.0);
    album(&root.join("Single.wav"), 8, 1, 20.0);
}

/// Lays a stored library into the root folder.
fn lay(root: &Root, name: &str) {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/stored");
    let packed = File::open(stored.join(name)).unwrap();
    let mut library = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut library)
        .unwrap();
    std::fs::write(root.database(), library).unwrap();
}

/// Tables with their columns, indexes and triggers.
fn form(root: &Root) -> BTreeSet<String> {
    let objects = "SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'";
    let columns = "SELECT t.name || '.' || c.name || ' ' || c.type FROM sqlite_schema t, pragma_table_xinfo(t.name) c \
                   WHERE t.type = 'table'";
    let versions = "SELECT component || ' ' || version FROM schema_components";
    [objects, columns, versions]
        .into_iter()
        .flat_map(|sql| root.column(sql))
        .collect()
}

#[test]
fn a_library_of_the_first_version_takes_todays_form_and_keeps_what_a_person_said() {
    // The first version took the two files in; then, with a MusicBrainz on the loopback, `identify --set` named the
    // second passage of the longer one and `--reject` the third, and a setting was set and cleared.
    let root = Root::empty();
    fill(&root);
    lay(&root, "library-1.db.gz");
    let version = "SELECT version FROM schema_components WHERE component = 'accession_music'";
    assert_eq!(root.column(version), ["1"]);
    let rows = "SELECT p.guid || ' ' || f.path || ' ' || p.start_time_ticks || ' ' || p.end_time_ticks \
                FROM passages p JOIN files f ON f.guid = p.file_id ORDER BY 1";
    let before = root.column(rows);
    assert_eq!(before.len(), 4);

    // To look at it changes nothing, and works.
    let bytes = std::fs::read(root.database()).unwrap();
    for words in [&["status"][..], &["show", "Side A.wav"], &["check"]] {
        root.music(words).ended(0);
    }
    assert!(bytes == std::fs::read(root.database()).unwrap());

    root.import(&[]).ended(0);
    let fresh = Root::empty();
    fill(&fresh);
    fresh.import(&[]).ended(0);
    let (ours, theirs) = (form(&root), form(&fresh));
    let differing: Vec<_> = ours.symmetric_difference(&theirs).collect();
    assert!(differing.is_empty(), "{differing:?}");

    let said = "SELECT coalesce(p.title, '') || '|' || (p.song_id IS NOT NULL) FROM passages p JOIN files f \
                ON f.guid = p.file_id WHERE f.path LIKE '%Side A.wav' ORDER BY p.start_time_ticks";
    for _ in 0..2 {
        assert_eq!(
            root.column(rows),
            before,
            "files and passages keep their ids and places"
        );
        assert_eq!(root.column(said), ["|0", "Set by Hand|1", "|0"]);
        let edits =
            root.column("SELECT field || ' ' || value FROM accession_edits ORDER BY start_ticks");
        assert_eq!(
            edits,
            ["match 11111111-2222-4333-8444-555555555555", "match "]
        );
        assert_eq!(
            root.count("SELECT count(*) FROM settings WHERE value IS NULL"),
            0
        );
        root.assert_sound();
        root.import(&["--force"]).ended(0);
    }
}
