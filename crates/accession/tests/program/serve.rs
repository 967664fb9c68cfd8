//! `accession serve`, from outside: as WKMP's pages and programs ask it, as strangers do, and when it is killed.

mod api;
mod bounded;
mod browser;
mod client;
mod heard;
mod promised;
mod states;
mod strangers;
mod taken_back;
mod terms;
mod troubled;
mod wkmp;

use serde_json::json;

use crate::support::{Root, album};
use client::{Served, files_to_hear};

#[test]
fn an_import_is_told_from_its_beginning_to_its_end_and_the_pages_show_what_is_in() {
    let root = Root::empty();
    album(&root.join("Tides/Mix <b>.wav"), 1, 3, 20.0);
    std::fs::write(root.join("broken.mp3"), "this is no music").unwrap();
    let served = Served::start(&root, &[]);
    let mut events = served.events("/import/events");
    let started = served.post("/import/start", &json!({ "root_folder": root.path() }));
    assert_eq!(started.status, 200, "{}", started.body);
    let id = started.json()["session_id"].as_str().unwrap().to_owned();

    let last = events.until("ImportSessionCompleted");
    assert_eq!(last["session_id"], id);
    assert_eq!(last["passages_created"], 3);
    assert_eq!(last["files_failed"], 1);
    let status = served.get(&format!("/import/status/{id}")).json();
    assert_eq!(status["state"], "COMPLETED");
    assert_eq!(status["errors"][0]["file_path"], "broken.mp3");

    let library = served.get("/library");
    assert!(
        library.body.contains("Mix &lt;b&gt;.wav"),
        "{}",
        library.body
    );
    let found = served.get("/library?q=mix").body;
    assert!(found.contains("Mix &lt;b&gt;.wav") && !found.contains("broken"));
    let report = served.get("/report").body;
    assert!(report.contains("broken.mp3"), "{report}");
    let picture = served.get("/picture?name=Tides%2FMix+%3Cb%3E.wav");
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert!(picture.body.starts_with("<svg"), "{}", picture.body);
    served.stop();
    root.assert_sound();
}

#[test]
fn every_page_is_small_and_runs_nothing_but_its_own_files() {
    let root = Root::collection();
    root.import(&[]);
    let served = Served::start(&root, &[]);
    let pages = [
        "/",
        "/library",
        "/review",
        "/report",
        "/settings",
        "/import-progress",
        "/import-complete",
        "/file-report",
    ];
    for path in pages {
        let page = served.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.body.len() < 64_000,
            "{path}: {} bytes",
            page.body.len()
        );
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
        for piece in page.body.split("<script").skip(1) {
            assert!(piece.contains("src=\"/static/"), "{path}: {piece}");
        }
        for forbidden in ["style=", "onclick=", "=\"http", "=\"//"] {
            assert!(!page.body.contains(forbidden), "{path}: {forbidden}");
        }
        for link in page.body.split("/static/").skip(1) {
            let name = link.split('"').next().unwrap();
            assert_eq!(served.get(&format!("/static/{name}")).status, 200, "{name}");
        }
    }
    served.stop();
}

#[test]
fn an_import_whose_server_was_killed_goes_on_in_the_next_one() {
    let root = Root::empty();
    files_to_hear(&root, 12);
    let served = Served::start(&root, &["--jobs", "1"]);
    let started = served.post("/import/start", &json!({ "root_folder": root.path() }));
    assert_eq!(started.status, 200, "{}", started.body);
    let id = started.json()["session_id"].as_str().unwrap().to_owned();
    served.kill();

    let served = Served::start(&root, &[]);
    let status = served.until_ended(&id);
    assert_eq!(status["state"], "COMPLETED");
    served.stop();
    assert_eq!(
        root.count("SELECT count(*) FROM files WHERE status = 'INGEST COMPLETE'"),
        12
    );
    assert_eq!(
        root.column("SELECT state FROM accession_jobs"),
        ["completed"]
    );
    root.assert_sound();

    // What has ended is not begun again, and is still told.
    std::fs::write(root.join("broken.flac"), b"fLaC and nothing else").unwrap();
    let served = Served::start(&root, &[]);
    assert_eq!(served.get("/import/active").body, "null");
    let before = served.get(&format!("/import/status/{id}")).json();
    assert_eq!(before["state"], "COMPLETED");
    assert_eq!(before["progress"]["percentage"], 100.0, "{before}");
    let second = served.post("/import/start", &json!({ "root_folder": root.path() }));
    let second = second.json()["session_id"].as_str().unwrap().to_owned();
    let ended = served.until_ended(&second);
    served.stop();
    assert_eq!(
        root.count(&format!(
            "SELECT count(*) FROM import_sessions WHERE session_id = '{second}'"
        )),
        1
    );
    let served = Served::start(&root, &[]);
    let status = served.get(&format!("/import/status/{second}")).json();
    for name in ["state", "errors"] {
        let (mut then, mut now) = (ended[name].clone(), status[name].clone());
        for errors in [&mut then, &mut now] {
            for error in errors.as_array_mut().into_iter().flatten() {
                error.as_object_mut().unwrap().remove("occurred_at");
            }
        }
        assert_eq!(now, then, "{name}");
    }
    assert_eq!(status["errors"].as_array().unwrap().len(), 1, "{status}");
    let classified = served.get("/api/import/file-classification");
    assert_eq!(
        classified.json()["session_id"],
        second.as_str(),
        "{}",
        classified.body
    );
    served.stop();
}

#[test]
fn a_server_that_is_stopped_ends_its_streams_and_its_import_goes_on_in_the_next_one() {
    let root = Root::empty();
    files_to_hear(&root, 12);
    let served = Served::start(&root, &["--jobs", "1"]);
    let events = served.events("/import/events");
    let lamp = served.events("/events");
    served.post("/import/start", &json!({ "root_folder": root.path() }));
    let ran = served.stop();
    assert!(!ran.err.contains("error"), "{}", ran.err);
    events.read_to_end();
    lamp.read_to_end();
    assert_eq!(root.column("SELECT state FROM accession_jobs"), ["running"]);

    let served = Served::start(&root, &[]);
    let id = root.column("SELECT job_id FROM accession_jobs").remove(0);
    assert_eq!(served.until_ended(&id)["state"], "COMPLETED");
    served.stop();
}

#[test]
fn a_second_server_is_told_that_there_is_one_and_the_port_is_written_where_others_look() {
    let root = Root::empty();
    let served = Served::start(&root, &[]);
    let other = Root::empty();
    let mut command = other.command(&["serve", "--create", "--listen", &served.address]);
    command.arg(other.path());
    let refused = crate::support::Ran::of(command.output().unwrap()).ended(2);
    assert!(refused.err.contains("already answers"), "{}", refused.err);
    let mut command = root.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.arg(root.path());
    let refused = crate::support::Ran::of(command.output().unwrap()).ended(2);
    let url = format!("open `http://{}`", served.address);
    assert!(
        refused.err.contains("another server serves"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains(&url), "{}", refused.err);
    let port = served.address.rsplit(':').next().unwrap();
    let told = root.column("SELECT port FROM module_config WHERE module_name = 'audio_ingest'");
    assert_eq!(told, [port]);
    served.stop();
}
