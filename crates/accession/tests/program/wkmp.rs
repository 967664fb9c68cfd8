//! The database is WKMP's: by name, to its readers, and when it was WKMP who made it.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::support::{Root, album, column, set_time, song};

/// Tables and columns by the names that WKMP's services use.
const SCHEMA: &[(&str, &str)] = &[
    ("schema_version", "version applied_at"),
    (
        "users",
        "guid username password_hash password_salt config_interface_access created_at updated_at",
    ),
    ("settings", "key value updated_at"),
    ("module_config", "module_name host port enabled updated_at"),
    (
        "files",
        "guid path hash duration_ticks format sample_rate channels file_size_bytes modification_time created_at \
         updated_at artist title album track_number year status matching_hashes",
    ),
    (
        "passages",
        "guid file_id start_time_ticks fade_in_start_ticks lead_in_start_ticks lead_out_start_ticks \
         fade_out_start_ticks end_time_ticks fade_in_curve fade_out_curve title user_title artist album \
         recording_mbid musical_flavor_vector import_metadata additional_metadata decode_status \
         flavor_source_blend flavor_confidence_map flavor_completeness title_source artist_source album_source \
         mbid_source title_confidence artist_confidence album_confidence mbid_confidence identity_confidence \
         identity_posterior_probability identity_conflicts overall_quality_score metadata_completeness \
         validation_status validation_report validation_issues import_session_id import_timestamp \
         import_strategy import_duration_ms import_version created_at updated_at song_id status start_ticks \
         end_ticks",
    ),
    (
        "import_provenance",
        "id passage_id source_type data_extracted confidence timestamp",
    ),
    (
        "queue",
        "guid file_path passage_guid play_order start_time_ms end_time_ms lead_in_point_ms lead_out_point_ms \
         fade_in_point_ms fade_out_point_ms fade_in_curve fade_out_curve created_at",
    ),
    (
        "songs",
        "guid recording_mbid work_id related_songs lyrics base_probability min_cooldown ramping_cooldown \
         last_played_at created_at updated_at title artist_name flavor_vector flavor_source_blend status",
    ),
    (
        "artists",
        "guid artist_mbid name base_probability min_cooldown ramping_cooldown last_played_at created_at updated_at",
    ),
    (
        "works",
        "guid work_mbid title base_probability min_cooldown ramping_cooldown last_played_at created_at updated_at",
    ),
    (
        "albums",
        "guid album_mbid title release_date created_at updated_at",
    ),
    (
        "images",
        "guid file_path image_type entity_id priority width height created_at updated_at",
    ),
    (
        "passage_songs",
        "passage_id song_id start_time_ticks end_time_ticks created_at",
    ),
    ("song_artists", "song_id artist_id weight created_at"),
    ("passage_albums", "passage_id album_id created_at"),
    ("song_works", "song_id work_id created_at"),
    (
        "import_sessions",
        "session_id state root_folder parameters progress_current progress_total progress_percentage \
         current_operation errors started_at ended_at file_classification_data",
    ),
    ("temp_file_songs", "file_id song_id created_at"),
    ("temp_file_albums", "file_id album_id created_at"),
    ("acoustid_cache", "fingerprint_hash mbid cached_at"),
    ("musicbrainz_cache", "mbid entity_type metadata cached_at"),
    (
        "acousticbrainz_cache",
        "recording_mbid lowlevel_json has_tonal has_rhythm fetched_at essentia_version",
    ),
    (
        "release_search_cache",
        "id artist_normalized album_normalized release_ids_json cached_at expires_at",
    ),
    (
        "release_details_cache",
        "mbid details_json cached_at expires_at",
    ),
    (
        "recording_cache",
        "id artist_normalized title_normalized mbid confidence cached_at expires_at",
    ),
];

const INDEXES: &[&str] = &[
    "idx_files_path",
    "idx_files_hash",
    "idx_passages_file_id",
    "idx_passages_title",
    "idx_passages_decode_status",
    "idx_songs_recording_mbid",
    "idx_songs_last_played",
    "idx_artists_mbid",
    "idx_artists_last_played",
    "idx_works_mbid",
    "idx_works_last_played",
    "idx_albums_mbid",
    "idx_images_entity",
    "idx_images_type",
    "idx_queue_order",
    "idx_passage_songs_passage",
    "idx_passage_songs_song",
    "idx_passage_songs_timing",
];

fn assert_wkmp(db: &Connection) {
    for (table, columns) in SCHEMA {
        let found: BTreeSet<String> = column(
            db,
            &format!("SELECT name FROM pragma_table_info('{table}')"),
        )
        .into_iter()
        .collect();
        for name in columns.split_whitespace() {
            assert!(
                found.contains(name),
                "no column `{name}` in `{table}`: {found:?}"
            );
        }
        let hidden = column(
            db,
            &format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden <> 0"),
        );
        assert!(
            hidden.iter().all(|name| !found.contains(name)),
            "`{table}`: {hidden:?}"
        );
    }
    let indexes = column(db, "SELECT name FROM sqlite_schema WHERE type = 'index'");
    for name in INDEXES {
        assert!(
            indexes.iter().any(|index| index == name),
            "no index `{name}`"
        );
    }
}

#[test]
fn a_fresh_library_has_wkmps_schema_and_nothing_generated_shows() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let db = root.open();
    assert_wkmp(&db);
    let exact = |table: &str| -> BTreeSet<String> {
        column(
            &db,
            &format!("SELECT name FROM pragma_table_info('{table}')"),
        )
        .into_iter()
        .collect()
    };
    for (table, columns) in SCHEMA {
        let expected: BTreeSet<String> = columns.split_whitespace().map(str::to_owned).collect();
        assert_eq!(exact(table), expected, "{table}");
    }
    assert_eq!(
        column(&db, "SELECT guid || ' ' || username FROM users"),
        ["00000000-0000-0000-0000-000000000001 Anonymous"]
    );
    assert_eq!(column(&db, "PRAGMA foreign_key_check").len(), 0);
    // WKMP's own statements name their columns, and go through.
    db.execute_batch(
        "INSERT INTO files (guid, path, hash, modification_time) VALUES ('g', 'x.mp3', '', '2025-01-01 00:00:00'); \
         INSERT INTO passages (guid, file_id, end_time_ticks) VALUES ('p', 'g', 282240000); \
         INSERT INTO songs (guid, recording_mbid) VALUES ('s', 'm'); \
         INSERT INTO passage_songs (passage_id, song_id, start_time_ticks, end_time_ticks) VALUES ('p', 's', 28224, 56448);",
    )
    .unwrap();
    assert!(
        db.execute(
            "UPDATE passages SET fade_in_curve = 'zigzag' WHERE guid = 'p'",
            []
        )
        .is_err()
    );
    assert!(
        db.execute(
            "UPDATE passages SET end_time_ticks = 0 WHERE guid = 'p'",
            []
        )
        .is_err()
    );
}

const PLAYER: &str = "SELECT p.guid, f.path, p.start_time, p.end_time, p.lead_in_point, p.lead_out_point, \
                      p.fade_in_point, p.fade_out_point, p.fade_in_curve, p.fade_out_curve, f.duration \
                      FROM passages p JOIN files f ON p.file_id=f.guid WHERE p.guid=?";

#[test]
fn the_players_old_queries_return_seconds_and_milliseconds() {
    let root = Root::empty();
    album(&root.join("Mix.wav"), 1, 2, 30.0);
    root.import(&[]).ended(0);
    let db = root.open();
    let passages = column(&db, "SELECT guid FROM passages ORDER BY start_time_ticks");
    let seconds: Vec<(f64, f64, Option<f64>, f64)> = passages
        .iter()
        .map(|guid| {
            let read =
                |row: &rusqlite::Row<'_>| Ok((row.get(2)?, row.get(3)?, row.get(4)?, row.get(10)?));
            db.query_row(PLAYER, [guid], read).unwrap()
        })
        .collect();
    for ((start, end, lead, duration), (from, to)) in
        seconds.into_iter().zip([(0.0, 30.0), (32.0, 62.0)])
    {
        assert!(
            (start - from).abs() < 0.1 && (end - to).abs() < 0.1,
            "{start} {end}"
        );
        // It starts at once: the passage before must have ended by then.
        assert_eq!((lead, duration), (Some(start), 62.0));
    }
    db.execute_batch(
        "INSERT INTO songs (guid, recording_mbid) VALUES ('s', 'm'); \
         INSERT INTO passage_songs (passage_id, song_id, start_time_ticks, end_time_ticks) \
         SELECT guid, 's', 28224000, 56448000 FROM passages ORDER BY start_time_ticks LIMIT 1",
    )
    .unwrap();
    let timeline = "SELECT song_guid, start_time_ms, end_time_ms FROM passage_songs WHERE passage_guid=? \
                    ORDER BY start_time_ms";
    let row: (String, i64, i64) = db
        .query_row(timeline, [&passages[0]], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(row, ("s".to_owned(), 1_000, 2_000));
}

/// What an older WKMP made: some of its tables, fewer columns, one of its own, and rows in several states.
const OLD: &str = "
    CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO schema_version (version) VALUES (1), (2), (3);
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT, updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO settings (key, value) VALUES ('ai_database_max_lock_wait_ms', '5000'), ('volume_level', '0.75');
    CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, duration_ticks INTEGER,
        format TEXT, file_size_bytes INTEGER, modification_time TIMESTAMP NOT NULL,
        created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, status TEXT DEFAULT 'PENDING', their_own TEXT);
    CREATE TABLE passages (guid TEXT PRIMARY KEY, file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
        start_time_ticks INTEGER NOT NULL DEFAULT 0, end_time_ticks INTEGER NOT NULL, title TEXT, user_title TEXT,
        created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE their_table (words TEXT);
    INSERT INTO their_table VALUES ('kept');";

fn old(root: &Root) {
    for (number, name) in ["bulk.wav", "begun.wav", "done.wav", "stale.wav", "new.wav"]
        .into_iter()
        .enumerate()
    {
        song(&root.join(name), number as u64);
    }
    set_time(&root.join("done.wav"), 1_700_000_000);
    let size = std::fs::metadata(root.join("done.wav")).unwrap().len();
    let db = Connection::open(root.database()).unwrap();
    db.execute_batch(OLD).unwrap();
    let row = "INSERT INTO files (guid, path, hash, file_size_bytes, modification_time, status, their_own) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'theirs')";
    let (sha, none) = ("ab".repeat(32), None::<u64>);
    let then = "2025-01-01 00:00:00";
    db.execute(row, ("bulk", "bulk.wav", "", none, then, "PENDING"))
        .unwrap();
    db.execute(
        row,
        ("begun", "begun.wav", "PENDING", none, then, "PROCESSING"),
    )
    .unwrap();
    db.execute(
        row,
        (
            "done",
            "done.wav",
            &sha,
            Some(size),
            "2023-11-14 22:13:20",
            "INGEST COMPLETE",
        ),
    )
    .unwrap();
    db.execute(
        row,
        (
            "stale",
            "stale.wav",
            &sha,
            Some(17),
            then,
            "INGEST COMPLETE",
        ),
    )
    .unwrap();
    db.execute(row, ("gone", "gone.wav", "", none, then, "PENDING"))
        .unwrap();
    db.execute_batch(
        "INSERT INTO passages (guid, file_id, end_time_ticks, title, user_title) VALUES \
            ('p done', 'done', 84672000, 'Done', NULL), ('p stale', 'stale', 84000000, 'Old', 'Mine')",
    )
    .unwrap();
}

#[test]
fn a_database_that_wkmp_made_is_taken_over() {
    let root = Root::empty();
    old(&root);
    let before = std::fs::read(root.database()).unwrap();
    let dry = root.import(&["--dry-run"]).ended(0);
    assert_eq!((dry.files("found"), dry.files("unchanged")), (5, 1));
    for words in [
        &["status"][..],
        &["show", "done.wav"],
        &["export"],
        &["settings", "list"],
    ] {
        let ran = root.music(words).ended(0);
        assert!(ran.err.len() < 300, "{words:?}: {}", ran.err);
    }
    assert_eq!(
        std::fs::read(root.database()).unwrap(),
        before,
        "reading changed it"
    );

    let ran = root.import(&[]).ended(0);
    assert_eq!(
        (
            ran.files("recorded"),
            ran.files("unchanged"),
            ran.files("missing")
        ),
        (4, 1, 1)
    );
    let db = root.open();
    assert_wkmp(&db);
    assert_eq!(
        column(
            &db,
            "SELECT guid || ' ' || status || ' ' || their_own FROM files WHERE their_own IS NOT NULL ORDER BY 1"
        ),
        [
            "begun INGEST COMPLETE theirs",
            "bulk INGEST COMPLETE theirs",
            "done INGEST COMPLETE theirs",
            "gone PENDING theirs",
            "stale INGEST COMPLETE theirs",
        ]
    );
    assert_eq!(column(&db, "SELECT count(*) FROM files"), ["6"]);
    assert_eq!(
        column(
            &db,
            "SELECT count(*) FROM files WHERE hash IN ('', 'PENDING')"
        ),
        ["1"]
    );
    assert_eq!(
        column(
            &db,
            "SELECT guid || ' ' || coalesce(user_title, '-') FROM passages WHERE file_id IN ('done', 'stale')"
        ),
        ["p done -", "p stale Mine"]
    );
    assert_eq!(column(&db, "SELECT words FROM their_table"), ["kept"]);
    assert_eq!(
        column(&db, "SELECT value FROM settings WHERE key = 'volume_level'"),
        ["0.75"]
    );
    assert!(
        column(&db, "SELECT version FROM schema_version")
            .iter()
            .any(|version| version == "3")
    );
    assert_eq!(
        root.music(&["settings", "get", "ai_database_max_lock_wait_ms"])
            .out
            .trim(),
        "30000"
    );
    assert_eq!(root.import(&[]).ended(0).files("unchanged"), 5);
    assert_eq!(root.import(&["--force"]).ended(0).files("recorded"), 5);
    assert_eq!(column(&db, "SELECT count(*) FROM files"), ["6"]);
}

#[test]
fn a_library_of_a_newer_accession_is_refused_and_of_a_newer_wkmp_warned_of() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    root.open()
        .execute("INSERT INTO schema_version (version) VALUES (99)", [])
        .unwrap();
    root.import(&[]).ended(0);
    let tables = root
        .column("SELECT name FROM sqlite_schema WHERE sql LIKE '%component%' AND type = 'table'");
    let sql = format!(
        "UPDATE {} SET version = 99 WHERE component = 'accession_music'",
        tables[0]
    );
    assert_eq!(root.open().execute(&sql, []).unwrap(), 1);
    let before = std::fs::read(root.database()).unwrap();
    for ran in [root.import(&[]), root.music(&["status"])] {
        let ran = ran.ended(2);
        assert!(ran.err.contains("newer"), "{}", ran.err);
    }
    assert_eq!(std::fs::read(root.database()).unwrap(), before);
}
