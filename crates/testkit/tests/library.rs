//! Libraries are equal when they say the same, and only then.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ToSql, params};
use tempfile::TempDir;
use testkit::library::{Rules, assert_same, differences, dump, dump_by};
use testkit::synth::Random;

const SCHEMA: &str = "
    CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, matching_hashes TEXT,
        duration_ticks INTEGER, duration REAL GENERATED ALWAYS AS (duration_ticks / 28224000.0) VIRTUAL,
        modification_time TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE passages (guid TEXT PRIMARY KEY, file_id TEXT NOT NULL REFERENCES files(guid),
        start_time_ticks INTEGER NOT NULL, song_id TEXT, import_metadata TEXT, import_session_id TEXT);
    CREATE TABLE songs (guid TEXT PRIMARY KEY, recording_mbid TEXT NOT NULL UNIQUE, related_songs TEXT);
    CREATE TABLE passage_songs (passage_id TEXT, song_id TEXT, weight REAL, PRIMARY KEY (passage_id, song_id));
    CREATE TABLE facts (file_id TEXT PRIMARY KEY REFERENCES files(guid), loudness REAL, cover BLOB);
    CREATE TABLE later (id INTEGER PRIMARY KEY, name TEXT, owner_guid TEXT);
    CREATE TABLE later_parts (later_id INTEGER, part TEXT);
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
    CREATE TABLE import_sessions (session_id TEXT PRIMARY KEY, state TEXT, started_at TEXT);";

fn uuid(random: &mut Random) -> String {
    let (left, right) = (random.bits(), random.bits());
    let (a, b, c) = (left >> 32, left >> 16 & 0xffff, left & 0xfff);
    format!(
        "{a:08x}-{b:04x}-4{c:03x}-8{:03x}-{:012x}",
        right >> 52,
        right & 0xffff_ffff_ffff
    )
}

/// Fills a library whose ids and order come from `seed`, and whose content is always the same.
fn library(folder: &TempDir, seed: u64) -> PathBuf {
    let path = folder.path().join(format!("{seed}.db"));
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
        .unwrap();
    db.execute_batch(SCHEMA).unwrap();
    let mut random = Random::new(seed);
    let ids: Vec<[String; 3]> = (0..6)
        .map(|_| [(); 3].map(|()| uuid(&mut random)))
        .collect();
    let mut order: Vec<usize> = (0..6).collect();
    if seed % 2 == 1 {
        order.reverse();
    }
    for number in order {
        fill(&db, number, seed, &ids);
    }
    db.execute_batch("INSERT INTO settings VALUES ('volume', '0.5'), ('order', '[3,1,2]')")
        .unwrap();
    let session = params![uuid(&mut random), seed.to_string()];
    db.execute(
        "INSERT INTO import_sessions VALUES (?1, 'COMPLETED', ?2)",
        session,
    )
    .unwrap();
    path
}

/// Adds the file of this number with all that hangs on it.
fn fill(db: &Connection, number: usize, seed: u64, ids: &[[String; 3]]) {
    let add = |sql: &str, values: &[&dyn ToSql]| db.execute(sql, values).unwrap();
    let [file, passage, song] = &ids[number];
    let next = [(number + 1) % 6, (number + 2) % 6];
    let mut twins = next.map(|other| &ids[other][0]);
    twins.sort();
    let related = next.map(|other| &ids[other][2]);
    let metadata =
        format!("{{\"analyzed_at\":\"{seed}\",\"song\":\"{song}\",\"peak\":0.{number}}}");
    let (path, time) = (format!("A/{number}.mp3"), seed.to_string());
    let (twins, related) = (format!("{twins:?}"), format!("{related:?}"));
    let mbid = format!("{number}0000000-0000-4000-8000-000000000000");
    let start = number as i64;
    add(
        "INSERT INTO files VALUES (?1, ?2, ?3, 28224000, ?4, ?4)",
        &[file, &path, &twins, &time],
    );
    add(
        "INSERT INTO passages VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[passage, file, &start, song, &metadata, &time],
    );
    add(
        "INSERT INTO songs VALUES (?1, ?2, ?3)",
        &[song, &mbid, &related],
    );
    add(
        "INSERT INTO passage_songs VALUES (?1, ?2, 1.0)",
        &[passage, song],
    );
    add("INSERT INTO facts VALUES (?1, -7.5, x'0102')", &[file]);
    add(
        "INSERT INTO later (name, owner_guid) VALUES (?1, ?2)",
        &[&format!("n{number}"), file],
    );
    add(
        "INSERT INTO later_parts VALUES (?1, 'p')",
        &[&db.last_insert_rowid()],
    );
}

fn change(database: &Path, sql: &str) {
    let db = Connection::open(database).unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    db.execute_batch(sql).unwrap();
}

#[test]
fn ids_order_and_times_do_not_matter() {
    let folder = TempDir::new().unwrap();
    let (left, right) = (library(&folder, 1), library(&folder, 2));
    assert_same(&left, &right, &Rules::default());
    let found = dump(&left).unwrap();
    assert_eq!(found.len(), 9);
    assert_eq!(
        found["files"][0],
        r#"path="A/0.mp3" | matching_hashes=["<files \"A/1.mp3\">","<files \"A/2.mp3\">"] | duration_ticks=28224000"#
    );
    assert_eq!(
        found["passage_songs"][2],
        r#"passage_id=<passages <files "A/2.mp3"> @ 2> | song_id=<songs "20000000-0000-4000-8000-000000000000"> | weight=1.0"#
    );
    assert_eq!(
        found["later_parts"][3],
        r#"later_id=<later name="n3" | owner_guid=<files "A/3.mp3">> | part="p""#
    );
    assert_eq!(found["import_sessions"], [r#"state="COMPLETED""#]);
    assert!(found["facts"][0].contains("cover=[01, 02]"));
    assert!(!found["passages"][0].contains("analyzed_at"));
}

#[test]
fn every_real_difference_is_seen() {
    for sql in [
        "UPDATE files SET duration_ticks = 1 WHERE path = 'A/3.mp3'",
        "UPDATE files SET matching_hashes = '[]' WHERE path = 'A/3.mp3'",
        "UPDATE passages SET song_id = NULL WHERE start_time_ticks = 3",
        "UPDATE passages SET song_id = (SELECT guid FROM songs LIMIT 1) WHERE start_time_ticks = 3",
        "UPDATE passages SET song_id = '00000000-1111-4222-8333-444444444444' WHERE start_time_ticks = 3",
        "UPDATE passages SET import_metadata = replace(import_metadata, '0.3', '0.31')",
        "UPDATE songs SET recording_mbid = '90000000-0000-4000-8000-000000000000' WHERE recording_mbid LIKE '3%'",
        "UPDATE songs SET related_songs = '[]' WHERE recording_mbid LIKE '3%'",
        "DELETE FROM passage_songs WHERE rowid = 1",
        "DELETE FROM files WHERE path = 'A/3.mp3'",
        "INSERT INTO facts SELECT guid, 1.0, NULL FROM songs LIMIT 1",
        "UPDATE later_parts SET later_id = 1 WHERE later_id = 2",
        "UPDATE later SET owner_guid = NULL WHERE id = 1",
        "UPDATE settings SET value = '[1,2,3]' WHERE key = 'order'",
        "DROP TABLE settings",
        "ALTER TABLE songs ADD COLUMN new TEXT DEFAULT 'x'",
        "INSERT INTO import_sessions VALUES ('x', 'FAILED', '')",
    ] {
        let folder = TempDir::new().unwrap();
        let (left, right) = (library(&folder, 1), library(&folder, 2));
        change(&right, sql);
        let found = differences(&dump(&left).unwrap(), &dump(&right).unwrap());
        assert!(!found.is_empty(), "not seen: {sql}");
    }
}

#[test]
fn the_order_of_related_songs_matters() {
    let folder = TempDir::new().unwrap();
    let (left, right) = (library(&folder, 1), library(&folder, 2));
    let pair = "(SELECT json_group_array(value) FROM (SELECT value FROM json_each(related_songs) ORDER BY key DESC))";
    change(
        &right,
        &format!("UPDATE songs SET related_songs = {pair} WHERE recording_mbid LIKE '3%'"),
    );
    assert_eq!(
        differences(&dump(&left).unwrap(), &dump(&right).unwrap()).len(),
        2
    );
}

#[test]
fn rules_leave_out_and_bring_back() {
    let folder = TempDir::new().unwrap();
    let (left, right) = (library(&folder, 1), library(&folder, 2));
    change(
        &right,
        "INSERT INTO import_sessions VALUES ('x', 'FAILED', ''); UPDATE facts SET loudness = 0",
    );
    let rules = Rules::default()
        .without_table("import_sessions")
        .without_column("loudness");
    assert_same(&left, &right, &rules);
    let strict = rules.with_column("modification_time");
    let found = differences(
        &dump_by(&left, &strict).unwrap(),
        &dump_by(&right, &strict).unwrap(),
    );
    assert_eq!(found.len(), 12, "six files on each side");
}

#[test]
#[should_panic(expected = "- settings: key=\"volume\"")]
fn the_difference_is_shown() {
    let folder = TempDir::new().unwrap();
    let (left, right) = (library(&folder, 1), library(&folder, 2));
    change(&right, "DELETE FROM settings WHERE key = 'volume'");
    assert_same(&left, &right, &Rules::default());
}
