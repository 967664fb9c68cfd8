//! What the server promised holds, whatever happens after it; found by somebody who tried to break it.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::{imported, passages, say};
use super::client::{Answer, Served, files_to_hear};
use crate::support::Root;

fn etag(served: &Served, id: &str) -> String {
    let shown = served.get(&format!("/api/v1/passages/{id}"));
    shown.header("etag").to_owned()
}

#[cfg(unix)]
#[test]
fn an_import_that_was_cancelled_does_not_come_back() {
    let root = Root::empty();
    files_to_hear(&root, 12);
    for path in ["/import/cancel/", "/api/v1/jobs/"] {
        let served = Served::start(&root, &["--offline"]);
        let started = served.post("/import/start", &json!({ "root_folder": root.path() }));
        let id = started.json()["session_id"].as_str().unwrap().to_owned();
        let end = if path.ends_with("jobs/") { "/stop" } else { "" };
        let answer = served.post(&format!("{path}{id}{end}"), &json!({}));
        assert_eq!(answer.status, 200, "{}", answer.body);
        // At once, while the file in hand is still heard.
        served.kill();
        let served = Served::start(&root, &["--offline"]);
        assert_eq!(served.get("/import/active").json(), Value::Null);
        let jobs = served.get("/api/v1/jobs").json();
        let job = jobs["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|job| job["id"] == id.as_str());
        assert_eq!(job.unwrap()["state"], "cancelled", "{jobs}");
        served.stop();
    }
    root.assert_sound();
}

/// A split and its undo leave the passage under the id that it had, with what players remember of it.
#[test]
fn a_split_that_is_taken_back_leaves_the_first_id_and_what_hangs_on_it() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let first = passages(&served, "0.wav").remove(0);
    let id = first["id"].as_str().unwrap().to_owned();
    let middle =
        (first["start_seconds"].as_f64().unwrap() + first["end_seconds"].as_f64().unwrap()) / 3.0;
    for reset in [false, true] {
        let said = say(
            &served,
            &id,
            &etag(&served, &id),
            &json!({ "split_at": middle }),
        );
        assert_eq!(said.status, 200, "{}", said.body);
        let parts = passages(&served, "0.wav");
        assert_eq!(parts[0]["id"], id.as_str());
        if reset {
            // Said about the part that goes: there is no such passage any more, which is no failure.
            let second = parts[1]["id"].as_str().unwrap();
            let said = say(
                &served,
                second,
                &etag(&served, second),
                &json!({ "reset": true }),
            );
            assert_eq!((said.status, said.json()), (200, Value::Null));
        } else {
            let edit = &served.get("/api/v1/edits").json()[0]["id"];
            let undone = served.post(&format!("/api/v1/edits/{edit}/undo"), &json!({}));
            assert_eq!(undone.status, 200, "{}", undone.body);
        }
        assert_eq!(passages(&served, "0.wav")[0], first);
    }
    for (split, close) in [(0.000_000_1, true), (middle, false)] {
        let at = first["start_seconds"].as_f64().unwrap() + split;
        let said = say(
            &served,
            &id,
            &etag(&served, &id),
            &json!({ "split_at": at }),
        );
        assert_eq!(said.status, if close { 400 } else { 200 }, "{}", said.body);
    }
    served.stop();
}

#[test]
fn parts_of_two_contents_are_not_mixed() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    for path in ["/api/v1/audio?name=0.wav", "/api/v1/wav?name=0.wav"] {
        let (whole, _) = served.bytes(path, "");
        let state = whole.header("etag").to_owned();
        let part = |if_range: &str| {
            let headers = format!("Range: bytes=0-99\r\nIf-Range: {if_range}\r\n");
            served.bytes(path, &headers).0.status
        };
        assert_eq!(part(&state), 206, "{path}");
        assert_eq!(part("\"abc\""), 200, "{path}");
        let text = std::fs::read(root.join("0.wav")).unwrap();
        std::fs::write(root.join("0.wav"), [&text[..], b"more"].concat()).unwrap();
        assert_eq!(part(&state), 200, "{path}");
    }
    std::fs::remove_file(root.join("0.wav")).unwrap();
    assert_eq!(served.bytes("/api/v1/wav?name=0.wav", "").0.status, 404);
    served.stop();
}

#[test]
fn refusals_have_one_form_and_secrets_that_are_sent_back_masked_stay() {
    let root = Root::empty();
    let served = Served::start(&root, &[]);
    for (method, path, headers, body) in [
        (
            "POST",
            "/api/v1/jobs",
            "Content-Type: application/json\r\n",
            "{",
        ),
        ("POST", "/api/v1/jobs", "Content-Type: text/plain\r\n", "{}"),
        ("DELETE", "/api/v1/jobs", "", ""),
        ("GET", "/api/v1/files?limit=x", "", ""),
        ("GET", "/api/v1/nothing", "", ""),
        (
            "POST",
            "/api/v1/jobs",
            "Origin: https://evil.example\r\n",
            "{}",
        ),
    ] {
        let answer = served.ask(method, path, headers, body);
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let error = &answer.json()["error"];
        assert!(
            error["code"].is_string() && error["message"].is_string(),
            "{answer:?}"
        );
    }
    let key = "/api/settings/acoustid_api_key";
    let typed = json!({ "api_key": "a-secret-key" });
    assert_eq!(served.post(key, &typed).status, 200);
    let shown = served.get("/api/settings").json()["acoustid_api_key"].clone();
    assert_ne!(shown, "a-secret-key");
    let sent_back = json!({ "acoustid_api_key": shown, "silence_threshold_dB": "40" });
    assert_eq!(served.post("/api/settings", &sent_back).status, 200);
    assert_eq!(served.get(key).json()["api_key"], "a-secret-key");
    served.stop();
}

#[test]
fn those_who_follow_events_leave_room_for_others() {
    let root = Root::empty();
    let served = Served::start(&root, &[]);
    let address = &served.address;
    let request = format!("GET /import/events HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let streams: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = served.connect();
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    while served.get("/import/events").status != 503 {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(served.get("/health").status, 200);
    drop(streams);
    served.stop();
}

#[test]
fn a_body_that_does_not_end_is_given_up_by_every_route() {
    let root = Root::empty();
    let served = Served::start(&root, &[]);
    let open = |path: &str| {
        let mut stream = served.connect();
        let address = &served.address;
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let began = Instant::now();
    let streams = ["/api/v1/plans", "/api/v1/review", "/api/v1/jobs"].map(open);
    for mut stream in streams {
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert_eq!(Answer::parse(&answer).status, 408, "{answer}");
    }
    assert!(began.elapsed() < Duration::from_secs(40));
    served.stop();
}

/// Whoever closes a file loses all locks that the process has on it, and a database without locks loses what is written.
#[cfg(target_os = "linux")]
#[test]
fn nothing_that_is_looked_at_takes_the_locks_of_the_database() {
    use std::os::unix::fs::MetadataExt;
    let root = imported(1);
    for link in ["twin.mp3", "twin"] {
        std::fs::hard_link(root.database(), root.join(link)).unwrap();
    }
    let served = Served::start(&root, &[]);
    let inode = root.database().metadata().unwrap().ino();
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        all.lines()
            .filter(|line| line.contains(&format!(":{inode} ")))
            .count()
    };
    assert!(locks() > 0, "an open database is locked");
    for name in ["wkmp.db", "wkmp.db-wal", "wkmp.db-shm", "twin.mp3"] {
        let asked = json!({ "file_path": root.join(name), "start_time": 0.0, "end_time": null });
        let answer = served.post("/analyze/amplitude", &asked);
        assert!(answer.status >= 400, "{name}: {}", answer.body);
        assert!(locks() > 0, "{name}");
    }
    let job = served.post("/api/v1/jobs", &json!({ "folder": "" })).json();
    served.until_ended(job["id"].as_str().unwrap());
    assert!(locks() > 0, "after an import");
    served.stop();
}
