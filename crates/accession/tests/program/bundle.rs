//! A bundle for Vaino, read by the receiver's rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::Root;

fn payload(bundle: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(bundle.join("payload.json")).unwrap()).unwrap()
}

fn all<'v>(of: &'v Value, name: &str) -> &'v [Value] {
    of[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What the receiver requires of every payload: fields that must be there, no two entries for one key, sound numbers,
/// and no span or reference that its tables would refuse.
fn assert_acceptable(payload: &Value) {
    let has = |of: &Value, names: &[&str]| {
        for name in names {
            assert!(!of[name].is_null(), "no `{name}` in {of}");
        }
    };
    let mut recordings = BTreeSet::new();
    for recording in all(payload, "recordings") {
        has(recording, &["mbid", "title", "source"]);
        assert!(recordings.insert(recording["mbid"].as_str().unwrap()));
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for row in all(recording, "flavor") {
            has(row, &["characteristic", "class", "value", "source"]);
            let key = (
                row["characteristic"].as_str().unwrap(),
                row["class"].as_str().unwrap(),
            );
            assert!(seen.insert(key), "{key:?}");
            let value = row["value"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&value));
            *sums.entry(key.0).or_default() += value;
        }
        for (characteristic, sum) in sums {
            assert!((sum - 1.0).abs() <= 1e-4, "{characteristic}: {sum}");
        }
    }
    let mut sounds = BTreeSet::new();
    assert!(!all(payload, "encodings").is_empty());
    for encoding in all(payload, "encodings") {
        has(
            encoding,
            &["audio_md5", "bundle_path", "format", "duration_ms"],
        );
        assert!(sounds.insert(encoding["audio_md5"].as_str().unwrap()));
        let duration = encoding["duration_ms"].as_i64().unwrap();
        assert!(duration > 0);
        assert!(!all(encoding, "passages").is_empty());
        let mut spans = BTreeSet::new();
        for passage in all(encoding, "passages") {
            has(passage, &["kind", "start_ms", "end_ms", "boundary_src"]);
            let kind = passage["kind"].as_str().unwrap();
            assert!(["album", "radio"].contains(&kind));
            let (start, end) = (
                passage["start_ms"].as_i64().unwrap(),
                passage["end_ms"].as_i64().unwrap(),
            );
            assert!(start < end && end <= duration, "{passage}");
            assert!(spans.insert((kind, start, end)), "{passage}");
            for name in ["lead_in_ms", "lead_out_ms"] {
                let lead = passage[name].as_i64().unwrap_or(0);
                assert!((0..=end - start).contains(&lead), "{passage}");
            }
            for credit in all(passage, "recordings") {
                has(credit, &["mbid", "weight", "source"]);
                assert!(recordings.contains(credit["mbid"].as_str().unwrap()));
            }
        }
    }
}

/// What ffmpeg, which the receiver asks, says of a file's audio.
fn by_ffmpeg(path: &Path) -> Option<String> {
    let ran = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-vn", "-c:a", "copy", "-f", "md5", "-"])
        .output()
        .ok()?;
    let said = String::from_utf8(ran.stdout).unwrap();
    said.trim().strip_prefix("MD5=").map(str::to_owned)
}

fn export(root: &Root, bundle: &Path, options: &[&str], code: i32) -> String {
    let mut words = vec![
        "export",
        "--as",
        "vaino",
        "--output",
        bundle.to_str().unwrap(),
    ];
    words.extend(options);
    let ran = root.music(&words).ended(code);
    format!("{}{}", ran.out, ran.err)
}

#[test]
fn a_bundle_holds_what_the_receiver_requires_and_the_same_sound() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let song = root
        .column(
            "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id \
         WHERE p.title IS NOT NULL AND p.start_time_ticks < 28224000 ORDER BY f.path",
        )
        .remove(0);
    root.music(&["edit", &song, "--end", "2"]).ended(0);
    let bundle = root.home().join("bundle");
    export(&root, &bundle, &[], 0);
    let payload = payload(&bundle);
    assert_acceptable(&payload);

    let complete = "SELECT count(DISTINCT a.audio_md5) FROM files f JOIN accession_files a ON a.file_id = f.guid \
                    WHERE f.status = 'INGEST COMPLETE'";
    let encodings = all(&payload, "encodings");
    assert_eq!(encodings.len() as i64, root.count(complete));
    let mut sources = BTreeSet::new();
    for encoding in encodings {
        let path = encoding["bundle_path"].as_str().unwrap();
        let passages = all(encoding, "passages");
        let of_kind = |kind: &str| {
            passages
                .iter()
                .filter(|one| one["kind"] == kind)
                .collect::<Vec<_>>()
        };
        let (albums, radios) = (of_kind("album"), of_kind("radio"));
        let rows = root.column(&format!(
            "SELECT json_array(round(start_time_ticks / 28224.0), round(end_time_ticks / 28224.0), \
                    round(-18 - s.integrated_lufs, 2)) FROM passages p JOIN files f ON f.guid = p.file_id \
             LEFT JOIN accession_sounds s ON s.passage_id = p.guid WHERE f.path = '{}' ORDER BY start_time_ticks",
            path.replace('\'', "''")
        ));
        assert_eq!(
            (albums.len(), radios.len()),
            (rows.len(), rows.len()),
            "{path}"
        );
        for ((album, radio), row) in albums.iter().zip(radios).zip(rows) {
            let row: Value = serde_json::from_str(&row).unwrap();
            assert_eq!(album["start_ms"].as_f64(), row[0].as_f64(), "{path}");
            assert_eq!(album["end_ms"].as_f64(), row[1].as_f64(), "{path}");
            assert_eq!(radio["gain_db"].as_f64(), row[2].as_f64(), "{path}");
            assert!(album["gain_db"].is_null());
            assert!(radio["start_ms"].as_i64() >= album["start_ms"].as_i64());
            assert!(radio["end_ms"].as_i64() <= album["end_ms"].as_i64());
            let mbid = radio["recordings"][0]["mbid"].as_str().unwrap();
            assert!(mbid.starts_with("local:audio:"));
            sources.insert(album["boundary_src"].as_str().unwrap().to_owned());
        }
        let written = bundle.join("audio").join(path);
        assert_eq!(
            std::fs::read(&written).unwrap(),
            std::fs::read(root.join(path)).unwrap()
        );
        match by_ffmpeg(&written) {
            Some(found) => assert_eq!(encoding["audio_md5"], Value::String(found), "{path}"),
            None => eprintln!("left out: no ffmpeg to hash `{path}` with"),
        }
    }
    assert!(sources.contains("manual"), "{sources:?}");
    assert!(
        sources
            .iter()
            .any(|source| source.starts_with("computed:accession-"))
    );
    let measured = all(&payload, "recordings")
        .iter()
        .flat_map(|one| all(one, "flavor"));
    assert!(
        measured
            .into_iter()
            .all(|row| row["source"] == "accession-flavor 3")
    );
}

#[test]
fn a_bundle_leaves_out_what_the_receiver_has_and_what_it_would_refuse() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let first = root.home().join("first");
    export(&root, &first, &["--link"], 0);
    let payload = payload(&first);
    let sounds: Vec<_> = all(&payload, "encodings")
        .iter()
        .map(|one| one["audio_md5"].as_str().unwrap().to_owned())
        .collect();
    let one = all(&payload, "encodings")[0]["bundle_path"]
        .as_str()
        .unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let inode = |path: &Path| std::fs::metadata(path).unwrap().ino();
        assert_eq!(
            inode(&first.join("audio").join(one)),
            inode(&root.join(one))
        );
    }

    let taken = export(&root, &first, &[], 2);
    assert!(taken.contains("is there already"), "{taken}");

    let inventory = root.home().join("inventory");
    std::fs::write(&inventory, sounds.join("\n")).unwrap();
    let have = ["--have", inventory.to_str().unwrap()];
    let second = root.home().join("second");
    let said = export(&root, &second, &have, 0);
    assert!(said.contains("nothing to send"), "{said}");
    assert!(!second.exists());
    // As Windows writes it.
    let windows = format!("\u{feff}{}\r\n", sounds[1..].join("\r\n"));
    std::fs::write(&inventory, windows).unwrap();
    export(&root, &second, &have, 0);
    let sent = self::payload(&second);
    assert_acceptable(&sent);
    assert_eq!(all(&sent, "encodings").len(), 1);
    assert_eq!(
        sent["encodings"][0]["audio_md5"],
        Value::String(sounds[0].clone())
    );

    // Other audio than the library knows: the receiver would call it corrupt.
    let other = all(&payload, "encodings")
        .iter()
        .map(|one| one["bundle_path"].as_str().unwrap())
        .find(|path| *path != one && path.rsplit('.').next() == one.rsplit('.').next())
        .unwrap();
    std::fs::remove_file(root.join(one)).unwrap();
    std::fs::copy(root.join(other), root.join(one)).unwrap();
    let third = root.home().join("third");
    let said = export(&root, &third, &[], 1);
    assert!(
        said.contains(one) && said.contains("as at the last import"),
        "{said}"
    );
    let sent = self::payload(&third);
    assert_acceptable(&sent);
    assert_eq!(all(&sent, "encodings").len(), sounds.len() - 1);

    std::fs::write(&inventory, "no digest").unwrap();
    let said = export(&root, &root.home().join("fourth"), &have, 2);
    assert!(said.contains("line 1 of the inventory"), "{said}");
    let said = root.music(&["export", "--as", "vaino"]).ended(2).err;
    assert!(said.contains("--output DIR"), "{said}");
    let left: Vec<_> = std::fs::read_dir(root.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("bundle"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn of_two_files_of_one_sound_the_one_that_a_person_spoke_about_is_sent() {
    let collection = Root::collection();
    let song = std::fs::read(collection.join("Harbour Lights/Tides/01 Slow Water.mp3")).unwrap();
    let root = Root::empty();
    // An ID3v1 tag behind the frames is another file and the same sound.
    let tag = [b"TAG".as_slice(), &[b'x'; 125]].concat();
    for (path, tail) in [("a.mp3", &[][..]), ("b.mp3", &tag)] {
        std::fs::write(root.join(path), [&song, tail].concat()).unwrap();
    }
    root.import(&["--offline"]).ended(0);
    root.music(&["edit", "b.mp3", "--title", "Mine"]).ended(0);
    let sent = |name: &str, code| {
        let bundle = root.home().join(name);
        let said = export(&root, &bundle, &[], code);
        let path = payload(&bundle)["encodings"][0]["bundle_path"].clone();
        (path, said)
    };
    let (path, said) = sent("first", 0);
    assert_eq!(path, "b.mp3", "{said}");
    // Of two the first is sent, and the other one is named.
    root.music(&["edit", "a.mp3", "--title", "Yours"]).ended(0);
    let (path, said) = sent("second", 1);
    assert_eq!(path, "a.mp3", "{said}");
    assert!(
        said.contains("left out: `b.mp3`: it has the audio of `a.mp3`"),
        "{said}"
    );
}

#[test]
fn what_a_person_said_a_passage_is_goes_out_before_anything_else_is_known_of_it() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let recording = "5b11f4ce-a62d-471e-81fc-a69a8278c7da";
    root.open()
        .execute(
            "INSERT INTO accession_identifications (passage_id, state, recording_mbid, confidence, level, reasoning, \
                start_time_ticks, end_time_ticks) \
             SELECT guid, 'chosen', ?1, 1, 'high', '{}', start_time_ticks, end_time_ticks FROM passages LIMIT 1",
            [recording],
        )
        .unwrap();
    let bundle = root.home().join("bundle");
    export(&root, &bundle, &[], 0);
    let payload = payload(&bundle);
    assert_acceptable(&payload);
    assert!(payload.to_string().contains(recording));
}

#[test]
fn a_bundle_is_not_written_into_the_library_which_would_take_it_in() {
    let root = Root::collection();
    root.import(&["--offline"]).ended(0);
    let said = export(&root, &root.join("for/Vaino"), &[], 2);
    assert!(said.contains("lies in the library's own folder"), "{said}");
    assert!(!root.join("for").exists());
}
