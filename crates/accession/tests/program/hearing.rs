//! What can be asked about how the music sounds: neighbours, doubts, pictures and cue sheets.

use std::collections::HashMap;
use std::process::Command;

use parquet::record::Field;
use serde_json::Value;

use crate::real::has_ffmpeg;
use crate::support::{Root, album, song};
use testkit::synth::wav::{Depth, write};
use testkit::synth::{concatenate, noise};

#[test]
fn similar_passages_are_named_nearest_first_and_never_the_passage_itself() {
    let root = Root::collection();
    root.import(&[]).ended(0);
    let id = root
        .column("SELECT guid FROM passages ORDER BY guid LIMIT 1")
        .remove(0);
    let ran = root
        .music(&["similar", &id, "-n", "4", "--format", "json"])
        .ended(0);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 4);
    let distances: Vec<f64> = found
        .iter()
        .map(|one| one["distance"].as_f64().unwrap())
        .collect();
    assert!(distances.is_sorted(), "{distances:?}");
    assert!(found.iter().all(|one| one["id"] != id.as_str()));
    assert!(
        found
            .iter()
            .all(|one| (0.0..=1.0).contains(&one["spec003"].as_f64().unwrap()))
    );
    root.music(&["similar", "nobody"]).ended(2);
}

/// Copies of one passage and its sound, under ids of their own.
fn multiply(root: &Root, passage: &str, count: u32) {
    let db = root.open();
    db.execute_batch(&format!(
        "CREATE TEMP TABLE ids AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) \
         SELECT n, lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) \
         || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))) AS id FROM n"
    ))
    .unwrap();
    for (table, key) in [("passages", "guid"), ("accession_sounds", "passage_id")] {
        let columns = root.column(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let values: Vec<String> = columns
            .iter()
            .map(|name| match name.as_str() {
                name if name == key => "ids.id".to_owned(),
                name => format!("one.{name}"),
            })
            .collect();
        db.execute_batch(&format!(
            "INSERT INTO {table} ({}) SELECT {} FROM ids, {table} one WHERE one.{key} = '{passage}'",
            columns.join(", "),
            values.join(", ")
        ))
        .unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_large_library_is_searched_in_little_memory() {
    let root = Root::empty();
    crate::support::song(&root.join("a.wav"), 1);
    crate::support::song(&root.join("b.wav"), 2);
    root.import(&[]).ended(0);
    let ids = root.column("SELECT guid FROM passages ORDER BY guid");
    multiply(&root, &ids[0], 50_000);
    // Whoever holds every row in memory holds 2 kB a passage, 100 MB here. bash's limit, in kB, is on what is mapped
    // privately, the program's own 30 MB included.
    let script =
        "ulimit -d 80000; exec \"$0\" music similar \"$1\" -n 3 --format json --root-folder \"$2\"";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).arg(testkit::accession_bin());
    bash.arg(&ids[1]).arg(root.path()).env("HOME", root.home());
    let ran = crate::support::Ran::of(bash.output().unwrap()).ended(0);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 3, "{}", ran.out);
}

/// The sounds most like a piece are the same piece, encoded anew by another encoder at another rate.
#[test]
fn the_most_similar_passage_is_the_same_piece_encoded_anew() {
    if !has_ffmpeg() {
        return;
    }
    let root = Root::collection();
    let originals = root.import(&[]).ended(0);
    assert_eq!(originals.files("recorded"), 11);
    let first = "SELECT f.path || '|' || p.guid FROM files f JOIN passages p ON p.file_id = f.guid \
                 GROUP BY f.path HAVING count(*) = 1 ORDER BY f.path";
    let singles = root.column(first);
    assert!(singles.len() >= 8, "{singles:?}");
    for (number, single) in singles.iter().enumerate() {
        let (path, _) = single.rsplit_once('|').unwrap();
        let twin = root.join(format!("twins/{number}.mp3"));
        std::fs::create_dir_all(twin.parent().unwrap()).unwrap();
        let made = Command::new("ffmpeg")
            .args(["-loglevel", "error", "-i"])
            .arg(root.join(path))
            .args(["-ar", "32000", "-b:a", "80k", "-map_metadata", "-1"])
            .arg(&twin)
            .status();
        assert!(made.unwrap().success(), "{path}");
    }
    root.import(&[]).ended(0);
    for (number, single) in singles.iter().enumerate() {
        let (path, id) = single.rsplit_once('|').unwrap();
        let ran = root
            .music(&["similar", id, "-n", "1", "--format", "json"])
            .ended(0);
        let found: Value = serde_json::from_str(&ran.out).unwrap();
        let twin = format!(
            "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = 'twins/{number}.mp3'"
        );
        assert_eq!(
            root.column(&twin),
            [found[0]["id"].as_str().unwrap()],
            "{path}"
        );
    }
}

#[test]
fn every_passage_has_a_flavor_whose_classes_sum_to_one() {
    let root = Root::collection();
    root.import(&[]).ended(0);
    let passages = root.count("SELECT count(*) FROM passages");
    let flavors = root.column("SELECT musical_flavor_vector FROM passages");
    assert_eq!(flavors.len() as i64, passages);
    for flavor in flavors {
        let flavor: Value = serde_json::from_str(&flavor).unwrap();
        for (name, classes) in flavor.as_object().unwrap() {
            let sum: f64 = classes
                .as_object()
                .unwrap()
                .values()
                .map(|share| share.as_f64().unwrap())
                .sum();
            assert!((sum - 1.0).abs() <= 1e-4, "{name}: {sum}");
        }
    }
}

#[test]
fn a_picture_shows_each_passage_and_loads_nothing() {
    let root = Root::empty();
    album(&root.join("Mix & <Match>.wav"), 1, 3, 30.0);
    root.import(&[]).ended(0);
    let svg = root.home().join("mix.svg");
    root.music(&["show", "Mix & <Match>.wav", "--svg", svg.to_str().unwrap()])
        .ended(0);
    let drawn = std::fs::read_to_string(svg).unwrap();
    assert!(drawn.starts_with("<svg ") && drawn.trim_end().ends_with("</svg>"));
    assert_eq!(drawn.matches("class=\"passage\"").count(), 3);
    assert_eq!(drawn.matches("class=\"silence\"").count(), 2);
    assert!(drawn.contains("Mix &amp; &lt;Match&gt;.wav"));
    assert!(!drawn.contains("<script") && !drawn.contains("href"));
}

#[test]
fn a_cue_sheet_that_was_written_is_read_back_to_the_same_passages() {
    let root = Root::empty();
    album(&root.join("rip/Mix.wav"), 2, 3, 30.0);
    root.import(&[]).ended(0);
    let starts = "SELECT round(start_time, 1) FROM passages ORDER BY start_time";
    let heard = root.column(starts);
    root.music(&["export", "--cue", "--output", root.path().to_str().unwrap()])
        .ended(0);
    let sheet = std::fs::read_to_string(root.join("rip/Mix.cue")).unwrap();
    let titled = sheet.replace("\"Track 2\"", "\"Second\"");
    std::fs::write(root.join("rip/Mix.cue"), titled).unwrap();
    root.import(&["--force"]).ended(0);
    assert_eq!(root.column(starts), heard);
    let titles = root.column("SELECT title FROM passages ORDER BY start_time");
    assert_eq!(titles, ["Track 1", "Second", "Track 3"]);
    let kinds = root.column("SELECT DISTINCT kind FROM accession_boundaries");
    assert_eq!(kinds, ["cue_sheet"]);
}

#[test]
fn a_cue_sheet_that_was_written_here_is_no_word_of_anybody_until_it_is_changed() {
    let root = Root::empty();
    album(&root.join("rip/Mix.wav"), 2, 3, 30.0);
    root.import(&[]).ended(0);
    let heard = "SELECT guid || start_time_ticks || end_time_ticks || title || (SELECT max(cut_by) FROM accession_files) \
                 FROM passages ORDER BY start_time";
    let before = root.column(heard);
    let folder = root.path();
    let words = ["export", "--as", "cue", "-o", folder.to_str().unwrap()];
    root.music(&words).ended(0);
    let again = root.import(&[]).ended(0);
    assert_eq!(again.files("unchanged"), 1, "{}", again.out);
    for options in [&[][..], &["--force"]] {
        root.import(options).ended(0);
        assert_eq!(root.column(heard), before);
    }
    assert_eq!(root.count("SELECT count(*) FROM accession_marks"), 0);
    // In another library, too, it is what this program found out, and nobody's word.
    std::fs::remove_file(root.database()).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(root.count("SELECT count(*) FROM accession_marks"), 0);
    let sheet = std::fs::read_to_string(root.join("rip/Mix.cue")).unwrap();
    let titled = sheet.replace("\"Track 3\"", "\"Third\"");
    std::fs::write(root.join("rip/Mix.cue"), titled).unwrap();
    root.import(&[]).ended(0);
    let titles = root.column("SELECT title FROM passages ORDER BY start_time");
    assert_eq!(titles, ["Track 1", "Track 2", "Third"]);
    // What is cut as that sheet says goes out unsigned: it may take the sheet's place.
    root.music(&[&words[..], &["--replace"]].concat()).ended(0);
    root.import(&["--force"]).ended(0);
    assert_eq!(
        root.column("SELECT title FROM passages ORDER BY start_time"),
        titles
    );
}

#[test]
fn doubtful_boundaries_are_listed_with_their_reasons() {
    let root = Root::empty();
    album(&root.join("Mix.wav"), 3, 3, 30.0);
    let folder = root.path();
    let words = ["music", "import", folder.to_str().unwrap()];
    let ran = root.run(&words).ended(0);
    assert!(
        ran.err.contains("tells what is in the library") && !ran.err.contains("in doubt"),
        "{}",
        ran.err
    );
    let sure = root.music(&["review", "--format", "json"]).ended(0);
    let sure: Value = serde_json::from_str(&sure.out).unwrap();
    assert_eq!(sure["boundaries"], Value::Array(Vec::new()));
    assert_eq!(sure["matches"], Value::Array(Vec::new()));
    let db = root.open();
    db.execute_batch("UPDATE accession_boundaries SET confidence = 0.5")
        .unwrap();
    drop(db);
    let told = root.music(&["review"]).ended(0);
    assert_eq!(told.out.matches("50 % sure").count(), 2, "{}", told.out);
    song(&root.join("New.wav"), 4);
    let ran = root.run(&words).ended(0);
    let next = "lists 2 boundaries in doubt\n";
    assert!(ran.err.ends_with(next), "{}", ran.err);
}

#[test]
fn measured_loudness_stands_beside_what_the_tags_say() {
    let root = Root::collection();
    root.import(&[]).ended(0);
    let compared = |file: &str, field: &str| {
        root.column(&format!(
            "SELECT json_extract(import_metadata, '$.replaygain_tags.{field}') FROM passages p \
             JOIN files f ON f.guid = p.file_id WHERE f.path LIKE '%{file}'"
        ))
    };
    // Opus counts in steps of 1/256 dB towards -23 LUFS: -512 is -2 dB, and 5 dB more for ReplayGain.
    for (file, tagged) in [("01 Slow Water.mp3", "-4.2"), ("02 %.opus", "3")] {
        assert_eq!(compared(file, "track_gain_db"), [tagged]);
        let off: f64 = compared(file, "measured_less_tagged_db")[0]
            .parse()
            .unwrap();
        assert!(off.is_finite());
    }
    let shown = root.music(&[
        "show",
        "Harbour Lights/Tides/01 Slow Water.mp3",
        "--format",
        "json",
    ]);
    let file: Value = serde_json::from_str(&shown.ended(0).out).unwrap();
    let id = file["passages"][0]["id"].as_str().unwrap();
    let shown = root.music(&["show", id]).ended(0);
    assert!(shown.out.contains("(its tags: -4.20 dB)"), "{}", shown.out);
}

/// WKMP's rule and radio's are both measured; a setting says which of them counts.
#[test]
fn leads_go_by_the_peak_or_by_the_loudness() {
    let root = Root::empty();
    let parts = [(3.0, -40.0), (30.0, -12.0), (4.0, -22.0)];
    let parts = parts.map(|(seconds, level)| noise(7, level, seconds, 8_000, 1));
    write(&root.join("a.wav"), &concatenate(&parts, 0.0), Depth::Int16).unwrap();
    root.import(&[]).ended(0);
    let leads = || {
        let seconds = "SELECT round((lead_in_start_ticks - start_time_ticks) / 28224000.0, 1) || ' ' || \
                              round((end_time_ticks - lead_out_start_ticks) / 28224000.0, 1) FROM passages";
        root.column(seconds).remove(0)
    };
    assert_eq!(leads(), "3.0 0.0");
    let shown = root.music(&["show", "a.wav", "--format", "json"]).ended(0);
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    let id = shown["passages"][0]["id"].as_str().unwrap().to_owned();
    let shown = root.music(&["show", &id, "--format", "json"]).ended(0);
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    let near = |name: &str, seconds: f64| {
        let found = shown["autocue"][name].as_f64().unwrap();
        assert!((found - seconds).abs() < 0.15, "{name}: {found}");
    };
    near("lead_in_seconds", 3.0);
    near("lead_out_seconds", 33.0);
    assert_eq!(shown["overlap_may_clip"], false);
    root.music(&["settings", "set", "lead_rule", "loudness"])
        .ended(0);
    root.import(&["--force"]).ended(0);
    assert_eq!(leads(), "3.0 4.0");
    root.music(&["settings", "set", "lead_rule", "silence"])
        .ended(2);
}

/// A reader that is not ours finds every passage, with the numbers that `show` tells.
#[test]
fn everything_that_was_measured_can_be_had_as_parquet() {
    let root = Root::empty();
    album(&root.join("Mix.wav"), 4, 3, 30.0);
    crate::support::song(&root.join("b/short.wav"), 9);
    root.import(&[]).ended(0);
    let file = root.home().join("all.parquet");
    root.music(&["export", "-o", file.to_str().unwrap()])
        .ended(0);
    let rows = parquet::file::reader::SerializedFileReader::try_from(file.as_path()).unwrap();
    let cell = |field: &Field| match field {
        Field::Str(text) => Value::from(text.as_str()),
        Field::Double(number) => Value::from(*number),
        Field::Null => Value::Null,
        other => panic!("{other:?}"),
    };
    let rows: Vec<HashMap<String, Value>> = rows
        .into_iter()
        .map(|row| {
            let row = row.unwrap();
            let columns = row.get_column_iter();
            columns
                .map(|(name, field)| (name.clone(), cell(field)))
                .collect()
        })
        .collect();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let id = row["passage_id"].as_str().unwrap();
        let shown = root.music(&["show", id, "--format", "json"]).ended(0);
        let shown: Value = serde_json::from_str(&shown.out).unwrap();
        for (column, place) in [
            ("path", &shown["path"]),
            ("end_s", &shown["end_seconds"]),
            ("loudness_lufs", &shown["integrated_lufs"]),
            ("title", &shown["title"]),
            ("tempo_bpm", &shown["flavor"]["tempo_bpm"]),
            ("centroid_hz", &shown["flavor"]["centroid_hz"]),
            ("pitch_12", &shown["flavor"]["pitch_classes"][11]),
            ("timbre_spread_13", &shown["flavor"]["timbre_spread"][12]),
            ("autocue_lead_out_s", &shown["autocue"]["lead_out_seconds"]),
        ] {
            assert_eq!(&row[column], place, "{column}");
        }
    }
    let printed = root.music(&["export", "--as", "parquet"]).ended(2);
    assert!(printed.err.contains("-o"), "{}", printed.err);
}

/// The checksum of a page of Ogg whose own is 0 (RFC 3533, section 6).
fn ogg_checksum(page: &[u8]) -> u32 {
    page.iter().fold(0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

/// Programs that even out loudness write a gain into the head of Opus, and others mend what MP4 says of its ends: no packet
/// changes, and the sound does.
#[test]
fn the_same_packets_to_be_played_in_another_way_are_heard_again() {
    let root = Root::empty();
    let music = testkit::corpus::audio().join("music");
    let (opus, mp4) = (root.join("a.opus"), root.join("b.m4a"));
    let of = |name: &str| std::fs::read(music.join(name)).unwrap();
    let mut head = of("Ночной Трамвай/Кольцо/02 Снег на рельсах.opus");
    let mut atoms = of("雨の駅/Ästhetik & Übermut/1-01 夜明け前.m4a");
    std::fs::write(&opus, &head).unwrap();
    std::fs::write(&mp4, &atoms).unwrap();
    root.import(&[]).ended(0);
    let heard = "SELECT round(s.integrated_lufs, 1) || ' ' || f.duration_ticks FROM files f \
                 JOIN passages p ON p.file_id = f.guid JOIN accession_sounds s ON s.passage_id = p.guid ORDER BY f.path";
    let parts = |line: &String| -> (f64, f64) {
        let (level, ticks) = line.split_once(' ').unwrap();
        (level.parse().unwrap(), ticks.parse().unwrap())
    };
    let before: Vec<_> = root.column(heard).iter().map(parts).collect();

    // -6 dB in the head, which is alone on the first page: 27 bytes, one of lacing, and the packet.
    let page = 28 + usize::from(head[27]);
    head[28 + 16..28 + 18].copy_from_slice(&(-6 * 256_i16).to_le_bytes());
    head[22..26].fill(0);
    let checksum = ogg_checksum(&head[..page]);
    head[22..26].copy_from_slice(&checksum.to_le_bytes());
    std::fs::write(&opus, &head).unwrap();
    // A second more to be left out at the front: behind name, version, count and length stands where to begin.
    let edit = atoms.windows(4).position(|four| four == b"elst").unwrap() + 16;
    let begin = u32::from_be_bytes(atoms[edit..edit + 4].try_into().unwrap());
    atoms[edit..edit + 4].copy_from_slice(&(begin + 44_100).to_be_bytes());
    std::fs::write(&mp4, &atoms).unwrap();
    let ran = root.import(&[]).ended(0);
    assert_eq!(
        (ran.files("recorded"), ran.files("retagged")),
        (2, 0),
        "{}",
        ran.out
    );
    let after: Vec<_> = root.column(heard).iter().map(parts).collect();
    assert!(
        (before[0].0 - 6.0 - after[0].0).abs() < 0.11,
        "{before:?} {after:?}"
    );
    assert!(after[1].1 < before[1].1, "{before:?} {after:?}");
    assert_eq!(root.import(&[]).ended(0).files("unchanged"), 2);
}
