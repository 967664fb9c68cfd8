//! Names of any length, in addresses and pages of a bounded one.

use serde_json::{Value, json};

use super::api::{imported, passages, say};
use super::client::Served;
use crate::support::{Root, album};

/// A page is to be there at once on a phone.
const LARGEST_PAGE: usize = 64_000;

/// Letters of which each takes six bytes in a page and three in an address.
fn long(start: &str, letters: usize) -> String {
    format!("{start}{}", "\"".repeat(letters))
}

fn percent(text: &str) -> String {
    let byte = |byte: &u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.as_bytes().iter().map(byte).collect()
}

/// Two files of two passages: two artists with names of 16 kB that differ at their ends only, and two with usual ones.
fn with_long_names() -> Root {
    let root = imported(2);
    let names = [
        long("A", 16_000) + "1",
        long("A", 16_000) + "2",
        "Before".to_owned(),
        "Zenith".to_owned(),
    ];
    let db = root.open();
    let ids = root.column("SELECT guid FROM passages ORDER BY guid");
    for (id, name) in ids.iter().zip(&names) {
        let sql = "UPDATE passages SET artist = ?2, album = ?2, title = ?2 WHERE guid = ?1";
        db.execute(sql, [id, name]).unwrap();
    }
    root
}

#[test]
fn every_artist_and_album_is_listed_and_found_again_however_long_its_name_is() {
    let root = with_long_names();
    let served = Served::start(&root, &[]);
    for (list, by) in [("artists", "artist"), ("albums", "album")] {
        let (mut keys, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/{list}?limit=1&after={}", percent(&after));
            assert!(path.len() < 4000, "{}", path.len());
            let page = served.get(&path).json();
            let row = &page["rows"][0];
            assert!(row.to_string().len() < 4000, "{row}");
            keys.push(row["key"].as_str().unwrap().to_owned());
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        assert_eq!(keys.len(), 4, "{keys:?}");
        assert_eq!(&keys[2..], ["Before", "Zenith"]);
        let mut found = Vec::new();
        for key in keys {
            let page = served.get(&format!("/api/v1/passages?{by}={}", percent(&key)));
            let rows = page.json()["rows"].as_array().unwrap().clone();
            assert_eq!(rows.len(), 1, "{key}: {}", page.body.len());
            let id = rows[0]["id"].as_str().unwrap().to_owned();
            let shown = served.get(&format!("/{by}?name={}", percent(&key)));
            assert_eq!(shown.status, 200, "{key}");
            assert!(shown.body.len() < LARGEST_PAGE, "{}", shown.body.len());
            found.push(id);
        }
        found.sort();
        assert_eq!(
            found,
            root.column("SELECT guid FROM passages ORDER BY guid")
        );
    }
    // The whole name has an address of its own.
    let id = root
        .column("SELECT guid FROM passages ORDER BY guid")
        .remove(0);
    let whole = served.get(&format!("/api/v1/passages/{id}")).json();
    assert_eq!(whole["artist"].as_str().unwrap().len(), 16_002);
    for gone in [
        "artists?after=passage:gone",
        "passages?artist=passage:gone",
        "passages?artist=Zenith&after=gone",
    ] {
        assert_eq!(served.get(&format!("/api/v1/{gone}")).status, 404, "{gone}");
    }
    for none in [
        "/artist?name=none",
        "/album?name=none",
        "/similar?passage=none",
    ] {
        assert_eq!(served.get(none).status, 404, "{none}");
    }
    served.stop();
}

#[test]
fn pages_stay_small_whatever_the_names_in_a_library_hold() {
    let root = Root::empty();
    let folder = "\"".repeat(120);
    for number in 0..3 {
        album(
            &root.join(format!("{folder}/{number} {folder}.wav")),
            1,
            2,
            20.0,
        );
    }
    root.import(&["--force"]);
    let db = root.open();
    // As many more as a list has, with names that are as long as can be.
    let rows = db
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) \
             INSERT INTO files (guid, path, hash, modification_time, status) \
                SELECT printf('%08x-0000-4000-8000-000000000000', i), printf('%s/%04d %s.mp3', hex(zeroblob(1000)), i, \
                    replace(hex(zeroblob(900)), '00', '\"&')), printf('%064x', i), '2026-01-01 00:00:00', \
                    'INGEST COMPLETE' FROM n; \
             INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, title, artist, album) \
                SELECT printf('%08x-0000-4000-9000-000000000000', rowid), guid, 0, 28224000, \
                    path, printf('%04d', rowid) || path || path, printf('%04d', rowid) || path FROM files; \
             INSERT INTO accession_problems (path, kind, stage, reason, retry, file_size_bytes, modified_ns, \
                    analysis_version) \
                SELECT path || '.x', 'failed', 'decode', path, 0, 1, 1, 1 FROM files",
        );
    rows.unwrap();
    let served = Served::start(&root, &[]);
    for (path, list) in [
        ("/library", "/api/v1/files"),
        ("/artists", "/api/v1/artists"),
        ("/albums", "/api/v1/albums"),
        ("/report", "/api/v1/problems"),
        ("/review", "/api/v1/review"),
        ("/similar", "/api/v1/files"),
    ] {
        let page = served.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.body.len() < LARGEST_PAGE,
            "{path}: {}",
            page.body.len()
        );
        let list = served.get(&format!("{list}?limit=500"));
        assert_eq!(list.status, 200, "{path}");
        assert!(list.body.len() <= 200_000, "{path}: {}", list.body.len());
    }
    // A list that was cut short goes on where it was cut.
    let (mut seen, mut address) = (0, "/artists".to_owned());
    loop {
        let page = served.get(&address);
        assert!(address.len() < 8000, "{}", address.len());
        assert!(page.body.len() < LARGEST_PAGE, "{}", page.body.len());
        seen += page.body.matches("href=\"/artist?").count();
        let Some((_, next)) = page.body.rsplit_once("href=\"/artists?") else {
            break;
        };
        address = format!(
            "/artists?{}",
            next.split('"').next().unwrap().replace("&amp;", "&")
        );
    }
    assert_eq!(seen, 153);
    served.stop();
}

#[test]
fn a_file_of_many_passages_is_shown_part_by_part() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let id = passages(&served, "0.wav")[0]["id"].clone();
    let db = root.open();
    db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) \
         INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, title) \
         SELECT printf('%08x-0000-4000-9000-000000000000', i), file_id, end_time_ticks + i, end_time_ticks + i + 1, \
            printf('Track %02d', i) FROM n, passages WHERE guid = ?1",
        [id.as_str().unwrap()],
    )
    .unwrap();
    let (mut titles, mut address) = (Vec::new(), "/file?name=0.wav".to_owned());
    loop {
        let page = served.get(&address);
        assert!(page.body.len() < LARGEST_PAGE, "{}", page.body.len());
        let rows = page.body.split("<th scope=\"row\">").skip(1);
        titles.extend(rows.map(|row| row.split('<').next().unwrap().to_owned()));
        let Some((before, _)) = page.body.split_once(">Later passages<") else {
            break;
        };
        let href = before
            .rsplit("href=\"")
            .next()
            .unwrap()
            .trim_end_matches('"');
        address = href.replace("&amp;", "&");
    }
    assert_eq!(titles.len(), 62, "{titles:?}");
    titles.retain(|title| title.starts_with("Track"));
    titles.dedup();
    assert_eq!(titles.len(), 60, "{titles:?}");
    served.stop();
}

#[test]
fn what_cannot_be_a_name_is_refused_with_the_reason() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let id = passages(&served, "0.wav")[0]["id"].clone();
    let id = id.as_str().unwrap();
    for (said, words) in [
        (json!({ "title": "x".repeat(4097) }), "at most 4096 bytes"),
        (json!({ "artist": "a\u{0}b" }), "control characters"),
        (json!({ "album": "a\nb" }), "control characters"),
        (json!([1.0, 2.0]), "an object"),
        (json!([]), "an object"),
    ] {
        let answer = say(&served, id, "*", &said);
        assert_eq!(answer.status, 422, "{said}: {}", answer.body);
        assert!(answer.body.contains(words), "{said}: {}", answer.body);
    }
    let fits = "\u{e9}".repeat(2048);
    let said = say(&served, id, "*", &json!({ "title": fits }));
    assert_eq!(
        (said.status, said.json()["title"].as_str()),
        (200, Some(&*fits))
    );
    let told = root.music(&["edit", id, "--artist", "a\u{7}b"]).ended(2);
    assert!(told.err.contains("control characters"), "{}", told.err);
    let key = served.post(
        "/api/settings/acoustid_api_key",
        &json!({ "api_key": "abc\ndef" }),
    );
    assert_eq!(key.status, 400, "{}", key.body);
    let list = served.post("/import/start", &json!([root.path()]));
    assert_eq!(list.status, 422, "{}", list.body);
    assert_eq!(served.get("/import/active").json(), Value::Null);
    served.stop();
}
