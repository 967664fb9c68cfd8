//! The parameters of an import, and the folders that can be chosen for one.

use serde_json::{Value, json};

use super::client::Served;
use crate::support::{Root, album};

fn with_parts() -> Root {
    let root = Root::empty();
    let names = [
        "a.wav",
        "b/c.wav",
        "b/.d.wav",
        ".e/f.wav",
        "..x/g.wav",
        ".git/h.wav",
    ];
    for (seed, name) in (1..).zip(names) {
        album(&root.join(name), seed, 1, 8.0);
    }
    root
}

fn start(served: &Served, folder: &std::path::Path, parameters: &Value) -> Value {
    let body = json!({ "root_folder": folder, "parameters": parameters });
    let started = served.post("/import/start", &body);
    assert_eq!(started.status, 200, "{}", started.body);
    let id = started.json()["session_id"].as_str().unwrap().to_owned();
    served.until_ended(&id)
}

#[test]
fn every_parameter_of_an_import_is_honoured_or_refused() {
    let root = with_parts();
    let served = Served::start(&root, &["--offline"]);
    let heard = || root.column("SELECT path FROM files ORDER BY path");
    for (parameters, expected) in [
        (json!({ "file_extensions": [".mp3"] }), &[][..]),
        (
            json!({ "scan_subdirectories": false, "file_extensions": [".WAV"] }),
            &["a.wav"],
        ),
        (
            json!({ "skip_hidden_files": true, "parallelism": 4 }),
            &["a.wav", "b/c.wav"],
        ),
        (
            json!({}),
            &["..x/g.wav", ".e/f.wav", "a.wav", "b/.d.wav", "b/c.wav"],
        ),
        // What is not looked at is not gone.
        (
            json!({ "file_extensions": ["mp3"] }),
            &["..x/g.wav", ".e/f.wav", "a.wav", "b/.d.wav", "b/c.wav"],
        ),
    ] {
        let ended = start(&served, &root.path(), &parameters);
        assert_eq!(ended["state"], "COMPLETED", "{ended}");
        assert_eq!(heard(), expected, "{parameters}");
    }
    for parameters in [
        json!({ "parallelism": -1 }),
        json!({ "file_extensions": "x" }),
        json!({ "scan_subdirectories": "no" }),
        json!({ "amplitude": { "rms_window_ms": 77 } }),
    ] {
        let body = json!({ "root_folder": root.path(), "parameters": parameters });
        let refused = served.post("/import/start", &body);
        assert_eq!(refused.status, 400, "{parameters}: {}", refused.body);
        assert_eq!(refused.json()["error"]["code"], "BAD_REQUEST");
    }
    served.stop();
    root.assert_sound();
}

#[test]
fn an_import_of_a_part_stays_one_when_its_server_is_killed() {
    let root = Root::empty();
    super::client::files_to_hear(&root, 8);
    album(&root.join("0/Other.flac.wav"), 9, 1, 8.0);
    std::fs::rename(root.join("0/Other.flac.wav"), root.join("0/Other.aiff")).unwrap();
    let served = Served::start(&root, &["--offline", "--jobs", "1"]);
    let body = json!({ "root_folder": root.path(), "parameters": { "file_extensions": ["wav"] } });
    let started = served.post("/import/start", &body);
    assert_eq!(started.status, 200, "{}", started.body);
    let id = started.json()["session_id"].as_str().unwrap().to_owned();
    served.kill();
    let served = Served::start(&root, &["--offline"]);
    assert_eq!(served.until_ended(&id)["state"], "COMPLETED");
    served.stop();
    assert_eq!(
        root.count("SELECT count(*) FROM files WHERE path LIKE '%.wav'"),
        8
    );
    assert_eq!(
        root.count("SELECT count(*) FROM files WHERE path LIKE '%.aiff'"),
        0
    );
    root.assert_sound();
}

#[test]
fn the_folders_that_can_be_chosen_are_those_that_an_import_goes_into() {
    let root = with_parts();
    let served = Served::start(&root, &["--offline"]);
    let tree = served.get("/api/folders/tree").json();
    let folders = tree["folders"].as_array().unwrap();
    let names: Vec<_> = folders
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["..x", ".e", "b"]);
    served.stop();
}
