//! The interface of WKMP's ingest service, held against a transcript of the real one.
//!
//! Compared are status, type, and the form of every body: all fields that WKMP's answer has, each of its kind. Texts for
//! people, numbers and ids differ.

use serde_json::{Value, json};
use testkit::services::{FakeServices, KEY, World};

use super::client::{Events, Served, files_to_hear};
use crate::identify::with_services;
use crate::support::Root;

/// What WKMP's documents name and its program lacked when it was recorded.
const DOCUMENTED: [&str; 6] = [
    "/api/settings",
    "/import/cancel",
    "/import/skip-acoustid",
    "/api/folders/tree",
    "/file-report",
    "/api/import/file-classification",
];

fn transcript() -> Value {
    serde_json::from_str(include_str!("transcript.json")).unwrap()
}

/// What is wrong with the form of `ours`, if anything.
fn difference(place: &str, theirs: &Value, ours: &Value) -> Option<String> {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => theirs.iter().find_map(|(key, value)| {
            let place = format!("{place}.{key}");
            match ours.get(key) {
                Some(own) => difference(&place, value, own),
                None => Some(format!("{place} is missing")),
            }
        }),
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
                return difference(&format!("{place}[]"), theirs, ours);
            }
            None
        }
        // What may be null is null now and then.
        (Value::Null, _)
        | (_, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => None,
        _ => Some(format!("{place} is {ours}, expected the like of {theirs}")),
    }
}

#[test]
fn every_recorded_request_is_answered_as_wkmp_answers_it() {
    let root = Root::empty();
    files_to_hear(&root, 12);
    let served = Served::start(&root, &["--jobs", "1"]);
    served.post(
        "/api/settings/acoustid_api_key",
        &json!({ "api_key": "abc" }),
    );
    let recorded = transcript();
    let their_id = recorded["calls"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|call| call["answer"]["session_id"].as_str())
        .unwrap()
        .to_owned();
    let mut our_id = String::new();
    for call in recorded["calls"].as_array().unwrap() {
        let path = call["request"]["path"].as_str().unwrap();
        if DOCUMENTED.contains(&path.split('?').next().unwrap()) {
            continue;
        }
        let root_folder = root.path().to_string_lossy().into_owned();
        let path = path.replace(&their_id, &our_id);
        let body = match &call["request"]["body"] {
            Value::Null => String::new(),
            body => body
                .to_string()
                .replace(
                    "ROOT/Airship, but this time, it sounds good.ogg",
                    "ROOT/0/Mix.wav",
                )
                .replace("ROOT", &root_folder)
                .replace(&their_id, &our_id),
        };
        if call["answer"]["state"] == "COMPLETED" {
            served.until_ended(&our_id);
        }
        let answer = if call["request"]["method"] == "GET" {
            served.get(&path)
        } else {
            served.post_text(&path, &body)
        };
        let place = format!("{} {path} {body}", call["request"]["method"]);
        assert_eq!(json!(answer.status), call["status"], "{place}: {answer:?}");
        let kind = call["content_type"].as_str().unwrap_or("");
        assert_eq!(answer.header("content-type"), kind, "{place}");
        if kind == "application/json" {
            let ours = answer.json();
            assert_eq!(call["answer"].is_null(), ours.is_null(), "{place}");
            assert_eq!(difference("", &call["answer"], &ours), None, "{place}");
            if let Some(code) = call["answer"]["error"]["code"].as_str() {
                assert_eq!(ours["error"]["code"], code, "{place}");
            }
            if answer.status == 200 && path == "/import/start" {
                ours["session_id"].as_str().unwrap().clone_into(&mut our_id);
            }
        }
    }
    served.stop();
}

#[test]
fn events_have_the_names_and_fields_that_wkmps_pages_read() {
    let root = Root::empty();
    files_to_hear(&root, 2);
    let served = Served::start(&root, &[]);
    let mut lamp = served.events("/events");
    let first = lamp.next().unwrap();
    assert_eq!(
        first,
        ("ConnectionStatus".to_owned(), "connected".to_owned())
    );

    let mut events = served.events("/import/events");
    served.post("/import/start", &json!({ "root_folder": root.path() }));
    let recorded = transcript();
    for frame in recorded["events"]["/import/events"].as_array().unwrap() {
        let name = frame[0].as_str().unwrap().strip_prefix("event: ").unwrap();
        let theirs = frame[1].as_str().unwrap().strip_prefix("data: ").unwrap();
        let theirs: Value = serde_json::from_str(theirs).unwrap();
        let ours = events.until(name);
        assert_eq!(ours["type"], name);
        assert_eq!(difference(name, &theirs, &ours), None);
        let names = |event: &Value| -> Vec<Value> {
            let statistics = event["phase_statistics"].as_array().cloned();
            let statistics = statistics.unwrap_or_default().into_iter();
            statistics.map(|one| one["phase_name"].clone()).collect()
        };
        assert_eq!(names(&ours), names(&theirs));
    }
    served.stop();
}

#[test]
fn the_files_of_the_latest_import_are_told_by_kind() {
    let root = Root::empty();
    files_to_hear(&root, 3);
    std::fs::write(root.join("0/cover.JPG"), "x").unwrap();
    std::fs::write(root.join("0/.hidden.png"), "x").unwrap();
    let served = Served::start(&root, &[]);
    let path = "/api/import/file-classification";
    assert_eq!(served.get(path).status, 404);
    let started = served.post("/import/start", &json!({ "root_folder": root.join("0") }));
    served.until_ended(started.json()["session_id"].as_str().unwrap());
    let all = served.get(path).json();
    assert_eq!(all["audio_files"]["count"], 1);
    assert_eq!(all["image_files"]["count"], 1);
    assert_eq!(all["image_files"]["total_size_bytes"], 1);
    assert_eq!(all["other_files"]["files"], json!([]));
    let image = &all["image_files"]["files"][0];
    assert_eq!(image["path"], root.join("0/cover.JPG").to_str().unwrap());

    let part = served
        .get(&format!("{path}?category=audio&offset=0&limit=2"))
        .json();
    assert_eq!(
        part["pagination"],
        json!({ "offset": 0, "limit": 2, "total_count": 1, "has_more": false })
    );
    assert_eq!(part["files"].as_array().unwrap().len(), 1);
    assert_eq!(served.get(&format!("{path}?category=x")).status, 400);
    served.stop();
}

#[test]
fn what_only_wkmps_documents_name_is_served_too() {
    let root = Root::empty();
    std::fs::create_dir_all(root.join("Albums/Tides")).unwrap();
    let served = Served::start(&root, &[]);
    let id = "00000000-0000-0000-0000-000000000000";
    let skipped = served.post("/import/skip-acoustid", &json!({ "session_id": id }));
    assert_eq!(skipped.json()["session_id"], id);
    assert_eq!(served.post_text("/import/cancel", "").status, 404);

    let tree = served.get("/api/folders/tree?root=").json();
    assert_eq!(tree["folders"][0]["name"], "Albums");
    let albums = tree["folders"][0]["path"].as_str().unwrap();
    let below = served
        .get(&format!("/api/folders/tree?root={albums}"))
        .json();
    assert_eq!(below["folders"][0]["name"], "Tides");
    assert_eq!(served.get("/api/folders/tree?root=/etc").status, 400);
    assert_eq!(served.get("/api/folders/tree?root=..").status, 400);
    let valid = |path: &str| {
        served
            .post("/api/folders/validate", &json!({ "path": path }))
            .json()["valid"]
            .clone()
    };
    assert_eq!((valid(albums), valid("/etc")), (json!(true), json!(false)));

    let set = json!({ "lead_in_threshold_dB": "40", "acoustid_api_key": "a-secret-key" });
    assert_eq!(served.post("/api/settings", &set).status, 200);
    let settings = served.get("/api/settings");
    assert_eq!(settings.json()["lead_in_threshold_dB"], "40");
    assert!(!settings.body.contains("a-secret-key"), "{}", settings.body);
    for refused in [
        json!({ "lead_in_threshold_dB": "loud" }),
        json!({ "nothing": "1" }),
        json!({ "ffmpeg_path": "/tmp/x" }),
    ] {
        assert_eq!(
            served.post("/api/settings", &refused).status,
            400,
            "{refused}"
        );
    }
    served.stop();
}

/// Until an import is told as WKMP's page looks for it when `AcoustID` does not know the key.
fn until_paused(events: &mut Events) -> String {
    loop {
        let told = events.until("ImportProgressUpdate");
        if told["state"] == "PAUSED" {
            let operation = told["current_operation"].as_str().unwrap();
            assert!(operation.contains("AcoustID API key invalid"), "{told}");
            return told["session_id"].as_str().unwrap().to_owned();
        }
        assert_ne!(told["state"], "Completed", "it was never told: {told}");
    }
}

#[test]
fn an_import_whose_key_is_refused_asks_for_another_and_goes_on_with_it() {
    let fake = FakeServices::start(World::generate(1, 4)).unwrap();
    let later = "SELECT count(*) FROM accession_identifications WHERE state = 'retry_later'";
    for is_given in [true, false] {
        let root = with_services(&fake);
        files_to_hear(&root, 16);
        let served = Served::online(&root, &["--jobs", "1"]);
        let key = json!({ "api_key": "no-key-of-theirs" });
        served.post("/api/settings/acoustid_api_key", &key);
        let mut events = served.events("/import/events");
        served.post("/import/start", &json!({ "root_folder": root.path() }));
        let id = until_paused(&mut events);
        let status = served.get(&format!("/import/status/{id}")).json();
        assert_eq!(status["state"], "PAUSED", "{status}");
        assert_eq!(served.get("/import/active").json()["state"], "PAUSED");
        if is_given {
            let typed = json!({ "session_id": id, "api_key": "another-wrong-one" });
            let refused = served.post("/import/acoustid-key", &typed).json();
            assert_eq!(refused["success"], false, "{refused}");
            assert_eq!(served.get("/import/active").json()["state"], "PAUSED");
            let typed = json!({ "session_id": id, "api_key": KEY });
            let accepted = served.post("/import/acoustid-key", &typed).json();
            assert_eq!(accepted["success"], true, "{accepted}");
        } else {
            served.post("/import/skip-acoustid", &json!({ "session_id": id }));
        }
        assert_eq!(served.get("/import/active").json()["state"], "PROCESSING");
        let ended = served.until_ended(&id);
        assert_eq!(ended["state"], "COMPLETED", "{ended}");
        // What was refused is asked again in the same import, or another time.
        assert_eq!(root.count(later) == 0, is_given);
        served.stop();
    }
}
