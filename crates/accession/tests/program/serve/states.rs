//! States as HTTP names them, and what can be known before an answer begins.

use serde_json::{Value, json};

use super::api::{imported, passages, say};
use super::client::{Answer, Served};
use crate::support::{Root, album};

#[test]
fn a_word_about_no_song_is_shown_and_changes_the_state() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let id = passages(&served, "0.wav")[0]["id"].clone();
    let path = format!("/api/v1/passages/{}", id.as_str().unwrap());
    let before = served.get(&path);
    assert_eq!(before.json()["is_no_song"], Value::Null);
    let etag = before.header("etag").to_owned();
    let said = say(
        &served,
        id.as_str().unwrap(),
        &etag,
        &json!({ "no_song": true }),
    );
    assert_eq!(said.status, 200, "{}", said.body);
    assert_eq!(said.json()["is_no_song"], true);
    assert_ne!(said.header("etag"), etag);
    assert_eq!(passages(&served, "0.wav")[0]["is_no_song"], true);
    let late = say(
        &served,
        id.as_str().unwrap(),
        &etag,
        &json!({ "title": "Late" }),
    );
    assert_eq!(late.status, 412, "{}", late.body);
    // The page's form has the state that the passage has now.
    let page = served.get("/file?name=0.wav").body;
    assert!(
        page.contains(said.header("etag").trim_matches('"')),
        "{page}"
    );
    assert!(page.contains("Not a song"), "{page}");
    served.stop();
}

#[test]
fn any_state_or_one_of_a_list_may_be_named() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let id = passages(&served, "0.wav")[0]["id"].clone();
    let id = id.as_str().unwrap();
    let etag = || {
        served
            .get(&format!("/api/v1/passages/{id}"))
            .header("etag")
            .to_owned()
    };
    for (named, status) in [
        ("*".to_owned(), 200),
        (format!("\"other\", {}", etag()), 412),
        (format!("\"other\", {}", etag()), 412),
        ("\"other\"".to_owned(), 412),
        (format!("W/{}", etag()), 412),
    ] {
        let said = say(&served, id, &named, &json!({ "title": named.as_str() }));
        assert_eq!(said.status, status, "{named}: {}", said.body);
    }
    let list = format!("\"other\", {}", etag());
    assert_eq!(
        say(&served, id, &list, &json!({ "title": "Listed" })).status,
        200
    );
    served.stop();
}

#[test]
fn what_a_player_has_is_not_sent_again_and_another_state_is_told() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    for path in ["/api/v1/audio?name=0.wav", "/api/v1/wav?name=0.wav"] {
        let asked = |method: &str, headers: &str| served.ask(method, path, headers, "");
        let etag = asked("HEAD", "").header("etag").to_owned();
        assert!(!etag.is_empty(), "{path}");
        for (headers, status) in [
            (format!("If-None-Match: {etag}\r\n"), 304),
            (format!("If-None-Match: W/{etag}, \"x\"\r\n"), 304),
            ("If-None-Match: *\r\n".to_owned(), 304),
            (
                "If-None-Match: \"x\"\r\nRange: bytes=0-3\r\n".to_owned(),
                206,
            ),
            (format!("If-Match: {etag}\r\nRange: bytes=0-3\r\n"), 206),
            ("If-Match: *\r\nRange: bytes=0-3\r\n".to_owned(), 206),
            ("If-Match: \"x\"\r\nRange: bytes=0-3\r\n".to_owned(), 412),
        ] {
            let answer = asked("GET", &headers);
            assert_eq!(answer.status, status, "{path} {headers}");
            if status == 412 {
                assert_eq!(answer.json()["error"]["code"], "PRECONDITION_FAILED");
                continue;
            }
            let body = if status == 206 { "RIFF" } else { "" };
            assert_eq!(answer.body, body, "{path} {headers}");
        }
        let head = asked("HEAD", "Range: bytes=0-3\r\n");
        assert_eq!(head.status, 200, "{path}");
        assert!(head.header("content-length").len() > 5, "{path}: {head:?}");
    }
    served.stop();
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_decoded_any_more_is_told_before_the_answer_begins() {
    let root = Root::empty();
    for (seed, name) in (1..).zip(["cut.wav", "folder.wav", "fifo.wav", "other.wav"]) {
        album(&root.join(name), seed, 1, 20.0);
    }
    root.import(&["--force"]);
    let served = Served::start(&root, &[]);
    std::fs::write(root.join("cut.wav"), b"RIFF").unwrap();
    for name in ["folder.wav", "fifo.wav"] {
        std::fs::remove_file(root.join(name)).unwrap();
    }
    std::fs::create_dir(root.join("folder.wav")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(root.join("fifo.wav"))
        .status();
    assert!(made.unwrap().success());
    std::fs::write(
        root.join("other.wav"),
        "this is no music at all".repeat(100),
    )
    .unwrap();
    let get = |name: &str, range: &str| -> Answer {
        served.ask("GET", &format!("/api/v1/wav?name={name}"), range, "")
    };
    for range in ["", "Range: bytes=100000-\r\n"] {
        for (name, status) in [
            ("cut.wav", 409),
            ("folder.wav", 404),
            ("fifo.wav", 404),
            ("other.wav", 409),
        ] {
            let answer = get(name, range);
            assert_eq!(answer.status, status, "{name} {range}: {}", answer.body);
            assert!(answer.json()["error"]["message"].is_string());
        }
    }
    served.stop();
}
