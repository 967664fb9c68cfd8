//! Settings: today's defaults, a person's choices, and nonsense.

use crate::support::{Ran, Root, album, song};

fn made() -> Root {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    root
}

fn get(root: &Root, key: &str) -> String {
    root.music(&["settings", "get", key])
        .ended(0)
        .out
        .trim()
        .to_owned()
}

fn store(root: &Root, key: &str, value: &str) {
    let sql = "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
    root.open().execute(sql, [key, value]).unwrap();
}

const WAIT: &str = "ai_database_max_lock_wait_ms";

#[test]
fn a_former_default_does_not_freeze_and_a_choice_holds() {
    let root = made();
    assert_eq!(root.count("SELECT count(*) FROM settings"), 0);
    assert_eq!(get(&root, WAIT), "30000");
    for former in ["5000", "12000"] {
        store(&root, WAIT, former);
        assert_eq!(get(&root, WAIT), "30000");
    }
    store(&root, WAIT, "7777");
    assert_eq!(get(&root, WAIT), "7777");

    root.music(&["settings", "set", WAIT, "5000"]).ended(0);
    assert_eq!(get(&root, WAIT), "5000");
    root.import(&[]).ended(0);
    root.import(&["--force"]).ended(0);
    assert_eq!(get(&root, WAIT), "5000");
    // A service that writes its default over it is not the person who chose.
    store(&root, WAIT, "12000");
    assert_eq!(get(&root, WAIT), "30000");
    root.music(&["settings", "set", WAIT, "5000"]).ended(0);
    root.music(&["settings", "set", WAIT]).ended(0);
    assert_eq!(get(&root, WAIT), "30000");
    assert_eq!(root.count("SELECT count(*) FROM accession_choices"), 0);
}

#[test]
fn a_bad_value_is_refused_and_a_stored_one_only_warned_of() {
    let root = made();
    for (key, value, expected) in [
        (WAIT, "soon", "expected a whole number from 1 to 86400000"),
        (WAIT, "0", "expected a whole number"),
        (WAIT, "-5", "expected a whole number"),
        (WAIT, "1e3", "expected a whole number"),
        (WAIT, "", "expected a whole number"),
        (
            "silence_threshold_dB",
            "NaN",
            "expected a number from 0 to 120",
        ),
        ("silence_threshold_dB", "inf", "expected a number"),
        (
            "silence_min_duration_ticks",
            "99999999999999999999",
            "expected a whole number from 0",
        ),
        // A secret does not belong on a command line.
        ("acoustid_api_key", "abc", "reads it from standard input"),
    ] {
        let ran = root.music(&["settings", "set", key, value]).ended(2);
        assert!(
            ran.err.contains(expected) && ran.err.contains(key),
            "{key} {value}: {}",
            ran.err
        );
    }
    let unknown = root.music(&["settings", "get", "volume"]).ended(2);
    assert!(
        unknown.err.contains("there is no setting `volume`\nhint: "),
        "{}",
        unknown.err
    );

    for (key, nonsense) in [
        (WAIT, "soon"),
        ("silence_threshold_dB", "-35"),
        ("ai_processing_thread_count", "0"),
    ] {
        store(&root, key, nonsense);
    }
    let ran = root.import(&["--force"]).ended(0);
    let warned = ran.told("warning");
    for key in [WAIT, "silence_threshold_dB", "ai_processing_thread_count"] {
        let told = warned
            .iter()
            .filter(|event| event["message"].as_str().unwrap().contains(key));
        assert_eq!(told.count(), 1, "{key}: {warned:?}");
    }
    assert_eq!(get(&root, "silence_threshold_dB"), "35.0");
}

#[test]
fn secrets_are_masked_wherever_they_are_shown() {
    let root = made();
    let secret = "s3cr3t-key-42";
    let said = [
        root.music_with(&["settings", "set", "acoustid_api_key", "-"], secret),
        root.music(&["settings", "get", "acoustid_api_key"]),
        root.music(&["settings", "list"]),
        root.music(&["settings", "list", "--format", "json"]),
        root.import(&["-vv"]),
    ];
    for Ran { out, err, .. } in said {
        assert!(!out.contains(secret) && !err.contains(secret), "{out}{err}");
        assert!(!out.contains("s3cr3t"), "{out}");
    }
    assert_eq!(
        root.column("SELECT value FROM settings WHERE key = 'acoustid_api_key'"),
        [secret]
    );
}

#[test]
fn settings_of_silence_change_where_files_are_cut() {
    let root = Root::empty();
    album(&root.join("Mix.wav"), 1, 4, 30.0);
    root.import(&[]).ended(0);
    assert_eq!(root.count("SELECT count(*) FROM passages"), 4);
    let ids = root.column("SELECT guid FROM files");
    // Three seconds: the pauses of two are none.
    root.music(&["settings", "set", "silence_min_duration_ticks", "84672000"])
        .ended(0);
    root.import(&[]).ended(0);
    assert_eq!(
        root.count("SELECT count(*) FROM passages"),
        4,
        "not before --force"
    );
    root.import(&["--force"]).ended(0);
    assert_eq!(root.count("SELECT count(*) FROM passages"), 1);
    root.music(&["settings", "set", "silence_min_duration_ticks"])
        .ended(0);
    root.music(&[
        "settings",
        "set",
        "minimum_passage_audio_duration_ticks",
        "2822400000",
    ])
    .ended(0);
    root.import(&["--force"]);
    assert_eq!(root.column("SELECT status FROM files"), ["NO AUDIO"]);
    assert_eq!(root.count("SELECT count(*) FROM passages"), 0);
    root.music(&["settings", "set", "minimum_passage_audio_duration_ticks"])
        .ended(0);
    root.import(&["--force"]).ended(0);
    assert_eq!(root.count("SELECT count(*) FROM passages"), 4);
    assert_eq!(root.column("SELECT guid FROM files"), ids);
}

#[test]
fn the_number_of_jobs_is_the_arguments_before_the_settings() {
    let root = made();
    root.music(&["settings", "set", "ai_processing_thread_count", "3"])
        .ended(0);
    assert_eq!(root.import(&[]).told("import_started")[0]["jobs"], 3);
    assert_eq!(
        root.import(&["--jobs", "2"]).told("import_started")[0]["jobs"],
        2
    );
    // One was WKMP's default of the day, and is no wish for one.
    root.music(&["settings", "set", "ai_processing_thread_count"])
        .ended(0);
    store(&root, "ai_processing_thread_count", "1");
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(root.import(&[]).told("import_started")[0]["jobs"], cores);
}

/// How WKMP's services read a number: the row's text, and a row without a value as an empty one.
fn as_wkmp_reads(root: &Root) -> Vec<(String, Result<f64, std::num::ParseFloatError>)> {
    let db = root.open();
    let mut rows = db
        .prepare("SELECT key, coalesce(value, '') FROM settings")
        .unwrap();
    let read = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
    let numbers = read.unwrap().map(|row| {
        let (key, text) = row.unwrap();
        (key, text.parse())
    });
    numbers.collect()
}

#[test]
fn a_setting_without_a_value_has_no_row() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let key = "ai_database_max_lock_wait_ms";
    root.music(&["settings", "set", key, "4000"]).ended(0);
    assert_eq!(as_wkmp_reads(&root), [(key.to_owned(), Ok(4000.0))]);
    root.music(&["settings", "set", key]).ended(0);
    assert_eq!(as_wkmp_reads(&root), []);
    // As versions before left them.
    let old = "UPDATE schema_components SET version = 3 WHERE component = 'accession_music';
               INSERT INTO settings (key, value) VALUES ('silence_threshold_dB', NULL), ('theirs', NULL)";
    root.open().execute_batch(old).unwrap();
    root.import(&[]).ended(0);
    let left = root.column("SELECT key FROM settings WHERE value IS NULL");
    assert_eq!(left, ["theirs"]);
}

#[test]
#[cfg(unix)]
fn a_new_library_is_its_owners_and_one_with_a_key_that_others_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let mode = std::fs::metadata(root.database()).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn a_stored_value_of_any_type_stops_no_command() {
    let root = made();
    let keys = root
        .music(&["settings", "list", "--format", "json"])
        .ended(0);
    let keys: serde_json::Value = serde_json::from_str(&keys.out).unwrap();
    let keys: Vec<&str> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["key"].as_str().unwrap())
        .collect();
    assert!(keys.len() > 10, "{keys:?}");
    for value in [
        "x'fffe00'",
        "CAST(x'ff' AS TEXT)",
        "NULL",
        "''",
        "-1",
        "1e999",
        "'nonsense'",
    ] {
        for key in &keys {
            let sql =
                format!("INSERT OR REPLACE INTO settings (key, value) VALUES ('{key}', {value})");
            root.open().execute_batch(&sql).unwrap();
        }
        for words in [&["settings", "list"][..], &["status"], &["check"]] {
            root.music(words).ended(0);
        }
        root.import(&["--force"]).ended(0);
    }
}

#[test]
fn what_would_be_bent_before_it_is_used_is_not_chosen() {
    let root = made();
    for (key, value, expected) in [
        (
            "import_parameters",
            r#"{"rms_window_ms":0}"#,
            "20 to 1000 ms",
        ),
        (
            "import_parameters",
            r#"{"max_lead_in_duration_s":-1}"#,
            "0 to 600 seconds",
        ),
        ("ffmpeg_path", "/dev/zero", "the path of a program"),
        ("ffmpeg_path", "/", "the path of a program"),
    ] {
        let ran = root.music(&["settings", "set", key, value]).ended(2);
        assert!(ran.err.contains(expected), "{}", ran.err);
    }
    // Another program's are used as far as they can be.
    store(&root, "import_parameters", r#"{"rms_window_ms":5}"#);
    assert_eq!(get(&root, "import_parameters"), r#"{"rms_window_ms":5}"#);
}
