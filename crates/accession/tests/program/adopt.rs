//! A person's work comes over from another program's database, which stays as it is.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde_json::json;
use testkit::services::{FakeServices, KEY, MadeFile, Tagging, World, seed};

use crate::identify::{run, with_services};
use crate::support::{Ran, Root};

const SONG: &str = "Harbour Lights/Tides/01 Slow Water.mp3";
const RIP: &str = "Kassettenkinder/Seite A/Seite A.ogg";
const MBID: &str = "11111111-2222-4333-8444-555555555555";
const OTHER: &str = "aaaaaaaa-2222-4333-8444-555555555555";

/// A folder of another program with its database in it, and everything that lies there.
struct Theirs {
    folder: tempfile::TempDir,
    database: PathBuf,
}

impl Theirs {
    fn new(sql: &str) -> (Self, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("their ?.db");
        let db = Connection::open(&database).unwrap();
        db.execute_batch(sql).unwrap();
        (Self { folder, database }, db)
    }

    fn bytes(&self) -> Vec<(String, Vec<u8>)> {
        let mut found: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                (path.display().to_string(), std::fs::read(path).unwrap())
            })
            .collect();
        found.sort();
        found
    }

    fn adopt(&self, root: &Root, options: &[&str]) -> Ran {
        let before = self.bytes();
        let mut words = vec!["adopt", self.database.to_str().unwrap()];
        words.extend(options);
        let ran = root.music(&words);
        assert!(self.bytes() == before, "their folder was changed");
        ran
    }
}

fn sound(root: &Root, path: &str) -> String {
    root.column(&format!(
        "SELECT audio_md5 FROM accession_files a JOIN files f ON f.guid = a.file_id WHERE f.path = '{path}'"
    ))[0]
        .clone()
}

fn length_ms(root: &Root, path: &str) -> i64 {
    root.count(&format!(
        "SELECT duration_ticks / 28224 FROM files WHERE path = '{path}'"
    ))
}

fn edits(root: &Root) -> Vec<String> {
    root.column(
        "SELECT field || ' ' || value || ' ' || source FROM accession_edits WHERE undone_at IS NULL ORDER BY field, value",
    )
}

const VAINO: &str = "PRAGMA journal_mode = WAL;
    CREATE TABLE files (file_id INTEGER PRIMARY KEY, audio_md5 TEXT NOT NULL UNIQUE, path TEXT NOT NULL,
        duration_ms INTEGER NOT NULL);
    CREATE TABLE passages (passage_id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL, kind TEXT NOT NULL,
        start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, lead_in_ms INTEGER, lead_out_ms INTEGER, gain_db REAL,
        boundary_src TEXT NOT NULL);
    CREATE TABLE passage_recordings (passage_id INTEGER NOT NULL, mbid TEXT NOT NULL, weight REAL NOT NULL,
        source TEXT NOT NULL);";

/// A database of Vaino about two files of `root`: one cut by hand, one identified. Its writer has it open.
fn vaino(root: &Root) -> (Theirs, Connection) {
    let (theirs, db) = Theirs::new(VAINO);
    let end = length_ms(root, RIP);
    let file = |id: i64, path: &str| {
        db.execute(
            "INSERT INTO files VALUES (?1, ?2, ?3, ?4)",
            params![
                id,
                // Some write digests in capitals.
                match id {
                    1 => sound(root, path),
                    _ => sound(root, path).to_uppercase(),
                },
                format!("D:\\Music\\{id}"),
                length_ms(root, path)
            ],
        )
        .unwrap();
    };
    let passage = |file: i64,
                   kind: &str,
                   span: (i64, i64),
                   leads: (Option<i64>, Option<i64>),
                   source: &str| {
        db.execute(
            "INSERT INTO passages (file_id, kind, start_ms, end_ms, lead_in_ms, lead_out_ms, boundary_src) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![file, kind, span.0, span.1, leads.0, leads.1, source],
        )
        .unwrap();
        db.last_insert_rowid()
    };
    let recording = |passage: i64, mbid: &str, source: &str| {
        db.execute(
            "INSERT INTO passage_recordings VALUES (?1, ?2, 1.0, ?3)",
            params![passage, mbid, source],
        )
        .unwrap();
    };
    file(1, RIP);
    file(2, SONG);
    let none = (None, None);
    let first = passage(1, "album", (0, 3000), none, "manual");
    let second = passage(1, "album", (3000, end), none, "computed:x@1");
    passage(1, "radio", (100, 2900), (Some(50), Some(400)), "manual");
    passage(1, "radio", (3100, end), (Some(70), None), "computed:x@1");
    recording(first, MBID, "manual");
    recording(second, "local:audio:1:2", "local:ingest");
    let whole = passage(2, "album", (0, length_ms(root, SONG)), none, "computed:x@1");
    recording(whole, OTHER, "acoustid");
    (theirs, db)
}

#[test]
fn what_was_set_by_hand_in_vaino_becomes_edits() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let (theirs, _db) = vaino(&root);
    // The writer has not brought its WAL into the file: what is in it counts all the same.
    assert!(theirs.bytes().len() > 1, "a WAL");

    let before = root.column("SELECT guid FROM passages ORDER BY guid");
    for options in [&["--dry-run"][..], &[]] {
        let ran = theirs.adopt(&root, options).ended(0);
        assert!(ran.out.contains("2 known by their sound"), "{}", ran.out);
        assert!(ran.err.contains("--yes"), "{}", ran.err);
        assert_eq!(edits(&root), Vec::<String>::new());
    }
    theirs.adopt(&root, &["--yes"]).ended(0);
    let ms = |ms: i64| ms * 28_224;
    // Theirs ends at the last whole millisecond, and the file where it ends.
    let file_end = root.count(&format!(
        "SELECT duration_ticks FROM files WHERE path = '{RIP}'"
    ));
    let expected = [
        format!("cut [[0,{}],[{},{}]] vaino", ms(3000), ms(3000), file_end),
        format!("lead_in {} vaino", ms(150)),
        format!("lead_out {} vaino", ms(2500)),
        format!("match {MBID} vaino:manual"),
        format!("match {OTHER} vaino:acoustid"),
    ];
    assert_eq!(edits(&root), expected);
    root.import(&["--offline"]).ended(0);
    let bounds = |column: &str| {
        root.column(&format!(
            "SELECT {column} FROM passages p JOIN files f ON f.guid = p.file_id \
             LEFT JOIN accession_identifications i ON i.passage_id = p.guid \
             WHERE f.path = '{RIP}' ORDER BY p.start_time_ticks"
        ))
    };
    assert_eq!(
        bounds("p.start_time_ticks || '-' || p.end_time_ticks"),
        [
            format!("0-{}", ms(3000)),
            format!("{}-{file_end}", ms(3000))
        ]
    );
    assert_eq!(bounds("lead_in_start_ticks")[0], ms(150).to_string());
    assert_eq!(bounds("lead_out_start_ticks")[0], ms(2500).to_string());
    assert_eq!(
        bounds("i.state || ' ' || i.recording_mbid")[0],
        format!("chosen {MBID}")
    );
    assert_ne!(
        root.column("SELECT guid FROM passages ORDER BY guid"),
        before
    );
    root.assert_sound();

    let again = theirs.adopt(&root, &["--yes"]).ended(0);
    assert!(again.out.contains("taken over: 0 edits"), "{}", again.out);
    assert_eq!(edits(&root), expected);

    // What came from there goes back, each id with its source.
    let bundle = root.home().join("bundle");
    let to = bundle.to_str().unwrap();
    root.music(&["export", "--as", "vaino", "--output", to])
        .ended(0);
    let payload = std::fs::read(bundle.join("payload.json")).unwrap();
    let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    let credits = payload["encodings"].as_array().unwrap().iter();
    let credits: Vec<_> = credits
        .flat_map(|encoding| encoding["passages"].as_array().unwrap())
        .flat_map(|passage| passage["recordings"].as_array().unwrap())
        .collect();
    for (mbid, source) in [(MBID, "manual"), (OTHER, "acoustid")] {
        let mut own = credits.iter().filter(|credit| credit["mbid"] == mbid);
        assert!(own.clone().count() == 2 && own.all(|credit| credit["source"] == source));
    }
}

#[test]
fn beets_tells_ids_by_path_and_length_and_contradicts_nobody() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let (theirs, db) = Theirs::new(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, path BLOB, length REAL, mb_trackid TEXT, title TEXT)",
    );
    let seconds = length_ms(&root, SONG) as f64 / 1000.0;
    let item = |path: &str, length: f64, mbid: &str| {
        db.execute(
            "INSERT INTO items (path, length, mb_trackid) VALUES (?1, ?2, ?3)",
            params![path.as_bytes(), length, mbid],
        )
        .unwrap();
    };
    item(&format!("/old disk/{SONG}"), seconds + 0.3, MBID);
    item(&format!("/old disk/{RIP}"), 4000.0, OTHER);
    item("/old disk/unknown.mp3", 3.0, OTHER);
    drop(db);
    let ran = theirs.adopt(&root, &["--yes"]).ended(0);
    assert!(
        ran.out.contains("1 by path and length, 2 unknown"),
        "{}",
        ran.out
    );
    assert_eq!(edits(&root), [format!("match {MBID} beets:mb_trackid")]);
    let decided = "SELECT count(*) FROM accession_identifications WHERE state = 'chosen'";
    assert_eq!(root.count(decided), 0);

    let db = Connection::open(&theirs.database).unwrap();
    db.execute("UPDATE items SET mb_trackid = ?1", [OTHER])
        .unwrap();
    drop(db);
    root.open()
        .execute("UPDATE passages SET recording_mbid = ?1", [MBID])
        .unwrap();
    let ran = theirs.adopt(&root, &["--yes"]).ended(0);
    assert!(ran.out.contains("stays: "), "{}", ran.out);
    // What they say now is what counts of theirs.
    assert!(ran.out.contains("taken over: 1 edit"), "{}", ran.out);
    let song = root.column(&format!(
        "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = '{SONG}'"
    ));
    let shown = root.music(&["show", &song[0], "--format", "json"]).ended(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(
        shown["found_ids"],
        json!([{ "recording_mbid": OTHER, "source": "beets:mb_trackid" }])
    );
    assert_eq!(shown["recording_mbid"], MBID);
}

/// A library of files that nobody has heard, and a library of beets that has an id for each.
fn found_by_beets(root: &Root, files: &[MadeFile], ids: &[String]) -> Theirs {
    seed(&root.database(), files).unwrap();
    let (theirs, db) = Theirs::new(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, path BLOB, length REAL, mb_trackid TEXT)",
    );
    for (file, mbid) in files.iter().zip(ids) {
        db.execute(
            "INSERT INTO items (path, length, mb_trackid) VALUES (?1, ?2, ?3)",
            params![
                format!("/music/{}", file.path).into_bytes(),
                file.length_ms as f64 / 1000.0,
                mbid
            ],
        )
        .unwrap();
    }
    theirs
}

#[test]
fn an_id_that_another_program_found_is_weighed_with_all_else_and_told() {
    let fake = FakeServices::start(World::generate(31, 6)).unwrap();
    let recording = |at: usize| fake.world().recordings[at].clone();
    let file = |name: &str, tags: serde_json::Value, length_ms: u64| MadeFile {
        path: format!("Loose/{name}.flac"),
        length_ms,
        fingerprint: format!("NOBODY-{name}"),
        tags,
        tagging: Tagging::Poor,
        truth: None,
        identifiable: true,
    };
    let (one, other) = (recording(0), recording(9));
    let files = [
        // Nothing but beets tells whose it is.
        file("a", json!({ "title": one.title }), one.length_ms),
        // Everything but beets agrees that it is another one.
        file(
            "b",
            json!({ "title": other.title, "artist": other.artist }),
            other.length_ms,
        ),
    ];
    let states = |root: &Root| {
        root.column(
            "SELECT i.state || ' ' || coalesce(p.recording_mbid, '-') FROM passages p JOIN files f ON f.guid = p.file_id \
             JOIN accession_identifications i ON i.passage_id = p.guid ORDER BY f.path",
        )
    };
    let root = with_services(&fake);
    let ids = [one.mbid.clone(), one.mbid.clone()];
    let theirs = found_by_beets(&root, &files, &ids);
    run(&root, &["identify"], Some(KEY)).ended(0);
    let before = states(&root);
    assert!(before[0].ends_with(" -"), "{before:?}");

    let ran = theirs.adopt(&root, &["--yes"]).ended(0);
    assert!(
        ran.out.contains("beets:mb_trackid, evidence"),
        "{}",
        ran.out
    );
    // No person said anything: what has no song yet is asked about again, and nothing is decided.
    assert_eq!(states(&root)[0], "retry_later -");
    run(&root, &["identify"], Some(KEY)).ended(0);
    let after = states(&root);
    assert_eq!(after[0], format!("identified {}", one.mbid));
    assert_eq!(after[1], before[1], "what all else says stands");
    let of_passage = root.column(
        "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = 'Loose/a.flac'",
    );
    let shown = root.music(&["show", &of_passage[0]]).ended(0);
    let told = format!("{} (beets:mb_trackid, evidence)", one.mbid);
    assert!(shown.out.contains(&told), "{}", shown.out);
    let sources = format!(
        "SELECT source_type FROM import_provenance WHERE passage_id = '{}'",
        of_passage[0]
    );
    let sources = root.column(&sources);
    assert!(
        sources.contains(&"identify adopted_id".to_owned()),
        "{sources:?}"
    );

    // Taken back, it says nothing any more.
    let number = root.column("SELECT min(edit_id) FROM accession_edits WHERE undone_at IS NULL");
    root.music(&["edits", "--undo", &number[0]]).ended(0);
    run(&root, &["identify"], Some(KEY)).ended(0);
    assert!(states(&root)[0].ends_with(" -"), "{:?}", states(&root));
    let shown = root.music(&["show", &of_passage[0]]).ended(0);
    assert!(!shown.out.contains("beets"), "{}", shown.out);
}

#[test]
fn a_database_with_two_words_about_one_song_has_its_first_and_an_id_of_a_whole_rip_is_of_no_passage()
 {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let (theirs, db) = Theirs::new(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, path BLOB, length REAL, mb_trackid TEXT)",
    );
    for (path, mbid) in [(SONG, MBID), (SONG, OTHER), (RIP, OTHER)] {
        db.execute(
            "INSERT INTO items (path, length, mb_trackid) VALUES (?1, ?2, ?3)",
            params![
                path.as_bytes(),
                length_ms(&root, path) as f64 / 1000.0,
                mbid
            ],
        )
        .unwrap();
    }
    drop(db);
    for taken in [1, 0, 0] {
        let ran = theirs.adopt(&root, &["--yes"]).ended(0);
        let told = format!("taken over: {taken} edit");
        assert!(ran.out.contains(&told), "{}", ran.out);
        assert!(ran.out.contains("said by the same database"), "{}", ran.out);
        assert!(ran.out.contains(RIP), "{}", ran.out);
        assert_eq!(edits(&root), [format!("match {MBID} beets:mb_trackid")]);
    }
}

#[test]
fn titles_come_from_a_library_of_wkmp_and_not_over_ones_own() {
    let root = Root::collection();
    let source = Root::collection();
    for root in [&root, &source] {
        root.import(&["--offline"]).ended(0);
    }
    source
        .open()
        .execute_batch(&format!(
            "UPDATE passages SET user_title = 'By Hand ' || rowid; UPDATE passages SET recording_mbid = '{MBID}' \
             WHERE guid = (SELECT min(guid) FROM passages)"
        ))
        .unwrap();
    let song = root.column(&format!(
        "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = '{SONG}'"
    ))[0]
        .clone();
    root.music(&["edit", &song, "--title", "My Own"]).ended(0);
    let adopt = |words: &[&str]| {
        let database = source.database();
        let mut all = vec!["adopt", database.to_str().unwrap()];
        all.extend(words);
        root.music(&all)
    };
    adopt(&["--yes"]).ended(0);
    let titles = "SELECT p.title FROM passages p JOIN files f ON f.guid = p.file_id ORDER BY f.path, start_time_ticks";
    let theirs = source.column(&titles.replace("p.title", "p.user_title || '|' || f.path"));
    let expected: Vec<_> = theirs
        .iter()
        .map(|line| match line.split_once('|').unwrap() {
            (_, SONG) => "My Own".to_owned(),
            (title, _) => title.to_owned(),
        })
        .collect();
    assert_eq!(root.column(titles), expected);
    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(root.column(titles), expected);
    let chosen =
        "SELECT count(*) FROM accession_edits WHERE field = 'match' AND source LIKE 'wkmp:%'";
    assert_eq!(root.count(chosen), 1);
    root.assert_sound();
}

#[test]
fn what_is_no_database_of_theirs_is_refused() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let (other, _db) = Theirs::new("CREATE TABLE note (id)");
    let refused = other.adopt(&root, &["--yes"]).ended(2);
    assert!(
        refused.err.contains("WKMP, of Vaino or of beets"),
        "{}",
        refused.err
    );
    let text = root.home().join("text.db");
    std::fs::write(&text, "no database at all").unwrap();
    for (path, part) in [
        (&*text, "not a SQLite database"),
        (Path::new("/missing.db"), "no such file"),
    ] {
        let ran = root.music(&["adopt", path.to_str().unwrap()]).ended(2);
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}
