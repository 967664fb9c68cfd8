//! What is heard, drawn and listed by the server, and how it describes itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::Served;
use crate::support::{Root, album};

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn a_passage_comes_as_wav_whole_and_in_parts() {
    let root = Root::empty();
    album(&root.join("a.wav"), 3, 2, 30.0);
    root.import(&[]);
    let served = Served::start(&root, &[]);
    let (head, whole) = served.bytes("/api/v1/wav?name=a.wav", "");
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), whole.len().to_string());
    assert_eq!(
        (&whole[..4], &whole[8..16]),
        (&b"RIFF"[..], &b"WAVEfmt "[..])
    );
    assert_eq!(number(&whole, 40) as usize, whole.len() - 44);
    // The file is WAV of 16 bits itself: what is decoded is what it has.
    let file = std::fs::read(root.join("a.wav")).unwrap();
    let samples = file.windows(4).position(|four| four == b"data").unwrap() + 8;
    assert!(
        whole[44..] == file[samples..],
        "other samples than the file has"
    );

    let passage = served.get("/api/v1/file?name=a.wav").json()["passages"][1].clone();
    let address = format!("/api/v1/wav?name={}", passage["id"].as_str().unwrap());
    let (_, part) = served.bytes(&address, "");
    let (rate, block) = (f64::from(number(&whole, 24)), usize::from(whole[32]));
    let frame = |key: &str| (passage[key].as_f64().unwrap() * rate).round() as usize;
    let (start, end) = (frame("start_seconds"), frame("end_seconds"));
    assert!(part[44..] == whole[44 + start * block..44 + end * block]);
    // In pieces that fit neither header nor samples.
    let mut pieces = Vec::new();
    for (first, last) in [(0, 9), (10, 46), (47, 100_000), (100_001, part.len() - 1)] {
        let (head, piece) = served.bytes(&address, &format!("Range: bytes={first}-{last}\r\n"));
        assert_eq!((head.status, piece.len()), (206, last + 1 - first));
        pieces.extend(piece);
    }
    assert!(pieces == part, "parts do not make the whole");
    let beyond = format!("Range: bytes={}-\r\n", part.len());
    assert_eq!(served.bytes(&address, &beyond).0.status, 416);
    assert_eq!(served.get("/api/v1/wav?name=b.wav").status, 404);
    std::fs::remove_file(root.join("a.wav")).unwrap();
    assert_eq!(served.get("/api/v1/wav?name=a.wav").status, 404);
    served.stop();
}

#[test]
fn a_short_stretch_is_drawn_from_its_samples() {
    let root = Root::empty();
    album(&root.join("a.wav"), 3, 1, 20.0);
    root.import(&[]);
    let served = Served::start(&root, &[]);
    let drawn = |from: f64, to: f64, points: usize| {
        let address = format!("/api/v1/detail?name=a.wav&from={from}&to={to}&points={points}");
        let (head, bytes) = served.bytes(&address, "");
        (head.status, bytes)
    };
    let (status, fine) = drawn(8.0, 8.01, 100);
    assert_eq!((status, fine.len()), (200, 200));
    let signed = |bytes: &[u8]| -> Vec<i8> { bytes.iter().map(|b| b.cast_signed()).collect() };
    let points = signed(&fine);
    assert!(points.chunks(2).all(|point| point[0] <= point[1]));
    assert!(points.iter().any(|sample| sample.abs() > 3), "{points:?}");
    let (_, coarse) = drawn(8.0, 8.01, 1);
    let extremes = (points.iter().min(), points.iter().max());
    let coarse = signed(&coarse);
    assert_eq!((Some(&coarse[0]), Some(&coarse[1])), extremes);
    for (from, to, points) in [
        (-1.0, 1.0, 9),
        (2.0, 1.0, 9),
        (0.0, 61.0, 9),
        (0.0, 1.0, 0),
        (0.0, 1.0, 9000),
    ] {
        assert_eq!(drawn(from, to, points).0, 400, "{from} {to} {points}");
    }
    served.stop();
}

#[test]
fn artists_albums_covers_and_the_map_are_told() {
    let root = Root::empty();
    for number in 0..4 {
        album(&root.join(format!("{number}.wav")), number, 1, 30.0);
    }
    root.import(&[]);
    let png = b"\x89PNG\r\n\x1a\nrest";
    std::fs::write(root.path().join("front.png"), png).unwrap();
    root.open()
        .execute_batch(&format!(
            "UPDATE passages SET artist = 'Öl & <b>Sand</b>', album = 'One';
             INSERT INTO albums (guid, album_mbid, title) VALUES ('x', 'y', 'One');
             INSERT INTO passage_albums (passage_id, album_id) SELECT guid, 'x' FROM passages;
             INSERT INTO images (guid, file_path, image_type, entity_id)
                 VALUES ('i', '{}/front.png', 'album_front', 'x')",
            root.path().display()
        ))
        .unwrap();
    let served = Served::start(&root, &[]);
    let artists = served.get("/api/v1/artists").json();
    assert_eq!(artists["rows"][0]["name"], "Öl & <b>Sand</b>");
    assert_eq!(artists["rows"][0]["passages"], 4);
    let albums = served.get("/api/v1/albums").json();
    assert_eq!(albums["rows"][0]["title"], "One");
    let named = "%C3%96l%20%26%20%3Cb%3ESand%3C/b%3E";
    let first = served
        .get(&format!("/api/v1/passages?artist={named}&limit=3"))
        .json();
    assert_eq!(first["rows"].as_array().unwrap().len(), 3);
    let id = first["rows"][0]["id"].clone();
    let after = first["next"].as_str().unwrap();
    let rest = served
        .get(&format!("/api/v1/passages?artist={named}&after={after}"))
        .json();
    assert_eq!(
        (rest["rows"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );
    assert_eq!(served.get("/api/v1/passages").status, 400);
    for page in [
        "artists",
        "albums",
        &format!("artist?name={named}"),
        "album?name=one",
    ] {
        let shown = served.get(&format!("/{page}"));
        assert_eq!(shown.status, 200, "{page}");
        assert!(!shown.body.contains("<b>Sand"), "{page}");
        assert!(
            shown.body.contains("One") || shown.body.contains("&lt;b&gt;Sand"),
            "{page}"
        );
    }
    problems_come_page_by_page(&root, &served);
    let (head, cover) = served.bytes("/api/v1/cover?name=0.wav", "");
    assert_eq!(
        (head.header("content-type"), cover.as_slice()),
        ("image/png", &png[..])
    );
    // A row that points elsewhere, as another program may have written it, hands out nothing.
    for path in ["/etc/passwd", "../x.png", "", "0.wav"] {
        root.open()
            .execute("UPDATE images SET file_path = ?1", [path])
            .unwrap();
        assert_eq!(served.get("/api/v1/cover?name=0.wav").status, 404, "{path}");
    }
    let id = id.as_str().unwrap();
    for query in [String::new(), format!("?passage={id}")] {
        let map = served.get(&format!("/api/v1/map{query}")).json();
        let passages = map["passages"].as_array().unwrap();
        assert_eq!(passages.len(), 4, "{map}");
        let places: BTreeSet<_> = passages.iter().map(|one| one["x"].to_string()).collect();
        assert_eq!(places.len(), 4, "{map}");
    }
    assert_eq!(served.get("/api/v1/map?passage=nothing").status, 404);
    served.stop();
}

fn problems_come_page_by_page(root: &Root, served: &Served) {
    for number in 0..3 {
        std::fs::write(root.join(format!("{number}.mp3")), "this is no music").unwrap();
    }
    root.import(&[]);
    let first = served.get("/api/v1/problems?limit=2").json();
    let after = first["next"].as_str().unwrap().replace(' ', "%20");
    let rest = served
        .get(&format!("/api/v1/problems?after={after}"))
        .json();
    let paths = |page: &Value| -> Vec<String> {
        let rows = page["rows"].as_array().unwrap();
        rows.iter().map(|one| one["path"].to_string()).collect()
    };
    assert_eq!(
        [paths(&first), paths(&rest)].concat(),
        ["\"0.mp3\"", "\"1.mp3\"", "\"2.mp3\""]
    );
}

#[test]
fn settings_are_changed_all_together_or_not_at_all_and_none_that_runs_something() {
    let root = Root::empty();
    let served = Served::start(&root, &[]);
    let patch = |body: &str| {
        let headers = "Content-Type: application/json\r\n";
        served.ask("PATCH", "/api/v1/settings", headers, body)
    };
    let value = |all: &Value, key: &str| {
        let mut settings = all["settings"].as_array().unwrap().iter();
        settings.find(|one| one["key"] == key).unwrap().clone()
    };
    let now = patch(r#"{"silence_threshold_dB": 50, "lead_in_threshold_dB": "44"}"#).json();
    assert_eq!(value(&now, "silence_threshold_dB")["value"], "50");
    assert_eq!(value(&now, "silence_threshold_dB")["class"], "hearing");
    assert_eq!(value(&now, "acoustid_api_key")["class"], "secret");
    for refused in [
        r#"{"silence_threshold_dB": 40, "lead_in_threshold_dB": "loud"}"#,
        r#"{"silence_threshold_dB": 40, "ffmpeg_path": "/bin/sh"}"#,
        r#"{"silence_threshold_dB": 40, "musicbrainz_base_url": "http://elsewhere"}"#,
        r#"{"silence_threshold_dB": 40, "no_such_key": 1}"#,
    ] {
        assert_eq!(patch(refused).status, 400, "{refused}");
    }
    let now = served.get("/api/v1/settings").json();
    assert_eq!(value(&now, "silence_threshold_dB")["value"], "50");
    let now = patch(r#"{"silence_threshold_dB": null}"#).json();
    assert_eq!(value(&now, "silence_threshold_dB")["origin"], "default");
    served.stop();
}

#[test]
fn the_interface_describes_itself_and_each_description_leads_somewhere() {
    let root = Root::empty();
    album(&root.join("a.wav"), 3, 1, 20.0);
    root.import(&[]);
    let served = Served::start(&root, &[]);
    let told = served.get("/api/v1/openapi.json").json();
    assert!(
        told["openapi"].as_str().unwrap().starts_with("3.1."),
        "{told}"
    );
    let paths = told["paths"].as_object().unwrap();
    assert!(paths.len() > 20, "{:?}", paths.keys());
    for (path, ways) in paths {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, way) in ways.as_object().unwrap() {
            assert!(
                way["summary"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.')),
                "{path}: {way}"
            );
            let path = path.replace("{id}", "0");
            let headers = "Content-Type: application/json\r\n";
            let answer = served.ask(&method.to_uppercase(), &path, headers, "{}");
            let is_there =
                answer.status != 405 && (answer.status != 404 || answer.body.contains("NOT_FOUND"));
            assert!(
                is_there,
                "{method} {path}: {} {}",
                answer.status, answer.body
            );
        }
    }
    let mut references = BTreeSet::new();
    collect(&told, &mut references);
    assert!(references.len() > 15, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            told.pointer(pointer).is_some(),
            "{reference} is not described"
        );
    }
    served.stop();
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(to) = members.get("$ref").and_then(Value::as_str) {
                references.insert(to.to_owned());
            }
            members.values().for_each(|one| collect(one, references));
        }
        Value::Array(items) => items.iter().for_each(|one| collect(one, references)),
        _ => {}
    }
}
