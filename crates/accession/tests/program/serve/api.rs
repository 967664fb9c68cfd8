//! Our own interface: lists by key, a boundary that stays, two people at one passage, sound by ranges.

use serde_json::{Value, json};

use super::client::{Answer, Served, files_to_hear};
use crate::support::{Root, album};

pub(super) fn imported(files: u64) -> Root {
    let root = Root::empty();
    for number in 0..files {
        album(&root.join(format!("{number}.wav")), number, 2, 30.0);
    }
    root.import(&[]);
    root
}

pub(super) fn passages(served: &Served, file: &str) -> Vec<Value> {
    let file = served.get(&format!("/api/v1/file?name={file}")).json();
    file["passages"].as_array().unwrap().clone()
}

pub(super) fn say(served: &Served, id: &str, etag: &str, said: &Value) -> Answer {
    let headers = format!("Content-Type: application/json\r\nIf-Match: {etag}\r\n");
    served.ask(
        "PUT",
        &format!("/api/v1/passages/{id}/edits"),
        &headers,
        &said.to_string(),
    )
}

#[test]
fn files_come_page_by_page_and_each_comes_once() {
    let root = imported(5);
    let served = Served::start(&root, &[]);
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = served
            .get(&format!("/api/v1/files?limit=2&after={after}"))
            .json();
        for file in page["files"].as_array().unwrap() {
            assert!(file["passages"].as_u64().unwrap() > 0, "{file}");
            seen.push(file["path"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(seen, ["0.wav", "1.wav", "2.wav", "3.wav", "4.wav"]);
    let found = served.get("/api/v1/files?q=3.W").json();
    assert_eq!(found["files"].as_array().unwrap().len(), 1);
    let id = passages(&served, "3.wav")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let near = served.get(&format!("/api/v1/similar/{id}?count=3")).json();
    assert_eq!(near.as_array().unwrap().len(), 3);
    served.stop();
}

#[test]
fn a_moved_boundary_stays_through_a_new_import_and_is_taken_back() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let first = &passages(&served, "0.wav")[0];
    let (id, end) = (
        first["id"].as_str().unwrap(),
        first["end_seconds"].as_f64().unwrap(),
    );
    let shown = served.get(&format!("/api/v1/passages/{id}"));
    let etag = shown.header("etag").to_owned();
    let moved = say(
        &served,
        id,
        &etag,
        &json!({ "end": 8.5, "title": "Slow <i>Water" }),
    );
    assert_eq!(moved.status, 200, "{}", moved.body);
    assert_eq!(moved.json()["end_seconds"], 8.5);
    assert_ne!(moved.header("etag"), etag);
    let page = served.get("/file?name=0.wav").body;
    assert!(
        page.contains("Slow &lt;i&gt;Water") && !page.contains("<i>Water"),
        "{page}"
    );

    root.import(&["--force"]);
    assert_eq!(passages(&served, "0.wav")[0]["end_seconds"], 8.5);

    let edits = served.get("/api/v1/edits").json();
    for edit in edits.as_array().unwrap() {
        let undone = served.post(&format!("/api/v1/edits/{}/undo", edit["id"]), &json!({}));
        assert_eq!(undone.status, 200, "{}", undone.body);
    }
    assert_eq!(passages(&served, "0.wav")[0]["end_seconds"], end);
    assert_eq!(
        served.post("/api/v1/edits/999/undo", &json!({})).status,
        404
    );
    served.stop();
    root.assert_sound();
}

#[test]
fn the_second_of_two_people_is_told_that_the_passage_has_changed() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let id = passages(&served, "0.wav")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let etag = served
        .get(&format!("/api/v1/passages/{id}"))
        .header("etag")
        .to_owned();
    assert_eq!(
        say(&served, &id, &etag, &json!({ "artist": "One" })).status,
        200
    );
    assert_eq!(
        say(&served, &id, &etag, &json!({ "artist": "Two" })).status,
        412
    );
    let unsaid = served.ask(
        "PUT",
        &format!("/api/v1/passages/{id}/edits"),
        "Content-Type: application/json\r\n",
        "{\"artist\":\"Three\"}",
    );
    assert_eq!(unsaid.status, 428);
    let now = served.get(&format!("/api/v1/passages/{id}"));
    assert_eq!(now.json()["artist"], "One");
    let etag = now.header("etag").to_owned();
    for refused in [
        json!({ "end": 1e6 }),
        json!({ "start": -1.0 }),
        json!({ "split_at": 9999.0 }),
    ] {
        assert_eq!(say(&served, &id, &etag, &refused).status, 400, "{refused}");
    }
    assert_eq!(say(&served, &id, &etag, &json!({ "gain": 1 })).status, 422);
    assert_eq!(
        say(&served, "0000-0000-0000", &etag, &json!({})).status,
        404
    );
    served.stop();
}

#[test]
fn a_decision_is_recorded_and_one_that_cannot_be_made_stops_no_other() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let passages = passages(&served, "0.wav");
    let ids: Vec<_> = passages.iter().map(|one| one["id"].clone()).collect();
    let told = served
        .post(
            "/api/v1/review",
            &json!({ "verb": "use_match", "passages": ids }),
        )
        .json();
    assert_eq!(
        told["passages"][0]["decided"], false,
        "there is no candidate: {told}"
    );
    let told = served
        .post(
            "/api/v1/review",
            &json!({ "verb": "not_a_song", "passages": ["nothing-here", ids[1]] }),
        )
        .json();
    let decided: Vec<_> = [0, 1]
        .map(|at| told["passages"][at]["decided"].clone())
        .into();
    assert_eq!(decided, [json!(false), json!(true)], "{told}");
    let edits = served.get("/api/v1/edits").json();
    assert_eq!(edits[0]["field"], "match");
    assert_eq!(served.get("/api/v1/review").json()["matches"]["total"], 0);
    served.stop();
}

/// However sure it is of these, a person is to be asked.
fn doubt_everything(root: &Root) {
    let db = root.open();
    db.execute("UPDATE accession_boundaries SET confidence = 0.5", [])
        .unwrap();
    db.execute(
        "INSERT OR IGNORE INTO accession_identifications (passage_id, state, confidence, level, reasoning, \
            start_time_ticks, end_time_ticks) \
         SELECT guid, 'doubtful', 0.4, 'low', '{\"candidates\": []}', start_time_ticks, end_time_ticks FROM passages",
        [],
    )
    .unwrap();
}

fn review(served: &Served, query: &str) -> Value {
    served.get(&format!("/api/v1/review{query}")).json()
}

fn decide(served: &Served, verb: &str, about: &Value) -> Value {
    let mut body = about.clone();
    body["verb"] = json!(verb);
    let told = served.post("/api/v1/review", &body).json();
    let kinds = ["passages", "boundaries"];
    let mut all = kinds
        .iter()
        .flat_map(|kind| told[kind].as_array().unwrap().clone());
    all.next().unwrap()
}

#[test]
fn a_doubt_that_is_put_off_is_out_of_the_way_until_it_is_asked_for() {
    let root = imported(1);
    doubt_everything(&root);
    let served = Served::start(&root, &[]);
    let first = review(&served, "?limit=1");
    assert_eq!(first["matches"]["total"], 2);
    assert_eq!(first["matches"]["rows"].as_array().unwrap().len(), 1);
    let next = first["matches"]["next"].as_str().unwrap();
    let second = review(&served, &format!("?limit=1&after_match={next}"));
    let id = |page: &Value| page["matches"]["rows"][0]["passage_id"].clone();
    assert_ne!(id(&first), id(&second));
    assert_eq!(second["matches"]["next"], Value::Null);
    assert_eq!(
        served.get("/api/v1/review?after_match=nonsense").status,
        404
    );

    let passage = json!({ "passages": [id(&first)] });
    let put_off = decide(&served, "later", &passage);
    assert_eq!(put_off["decided"], true, "{put_off}");
    let left = review(&served, "");
    let counts = ["total", "put_off"].map(|count| left["matches"][count].clone());
    assert_eq!(counts, [json!(1), json!(1)]);
    assert_eq!(id(&left), id(&second));
    assert_eq!(id(&review(&served, "?put_off=true")), id(&first));
    // Then decided: no recording is linked, so ours are the names alone.
    let kept = decide(&served, "keep_ours", &passage);
    assert_eq!(kept["decided"], true, "{kept}");
    assert_eq!(review(&served, "?put_off=true")["matches"]["total"], 0);
    let states = "SELECT state FROM accession_identifications ORDER BY state";
    assert_eq!(root.column(states), ["doubtful", "rejected"]);
    served.stop();
}

#[test]
fn what_is_said_about_a_boundary_stays_through_a_new_import_until_it_is_taken_back() {
    let root = imported(1);
    doubt_everything(&root);
    let served = Served::start(&root, &[]);
    let row = &review(&served, "")["boundaries"]["rows"][0];
    let place = json!({ "boundaries": [{ "path": row["path"], "at_seconds": row["at_seconds"] }] });
    assert_eq!(decide(&served, "use_match", &place)["decided"], false);
    let joined = decide(&served, "not_a_boundary", &place);
    assert_eq!(joined["decided"], true, "{joined}");
    assert_eq!(passages(&served, "0.wav").len(), 1);
    root.import(&["--force"]);
    doubt_everything(&root);
    assert_eq!(passages(&served, "0.wav").len(), 1);
    assert_eq!(review(&served, "")["boundaries"]["total"], 0);
    let undo = format!("/api/v1/review/{}/undo", joined["decision"]);
    assert_eq!(served.post(&undo, &json!({})).status, 200);
    assert_eq!(served.post(&undo, &json!({})).status, 404);
    assert_eq!(passages(&served, "0.wav").len(), 2);
    let confirmed = decide(&served, "boundary", &place);
    assert_eq!(confirmed["decided"], true, "{confirmed}");
    let cut_by = root.column("SELECT cut_by FROM accession_files");
    assert_eq!(cut_by, ["person"]);
    served.stop();
    root.assert_sound();
}

#[test]
fn what_an_import_would_do_is_told_before_and_a_second_one_waits_for_the_first() {
    let root = Root::empty();
    files_to_hear(&root, 6);
    std::fs::write(root.join("0/broken.mp3"), "this is no music").unwrap();
    std::fs::write(root.join("0/track.mp3.part"), "half").unwrap();
    let served = Served::start(&root, &["--jobs", "1"]);
    let plan = |folder: &str| {
        served
            .post("/api/v1/plans", &json!({ "folder": folder }))
            .json()
    };
    let before = plan("0");
    assert_eq!(
        (&before["new"], &before["changed"]),
        (&json!(1), &json!(0)),
        "{before}"
    );
    for left_out in ["track.mp3.part", "broken.mp3"] {
        let told = before["left_out"].to_string();
        assert!(told.contains(left_out), "{before}");
    }
    assert_eq!(
        root.count("SELECT count(*) FROM import_sessions"),
        0,
        "a plan writes nothing"
    );
    let ask = |folder: &str| served.post("/api/v1/jobs", &json!({ "folder": folder }));
    assert_eq!(ask("../").status, 400);
    let ids: Vec<String> = ["0", "1", "2", "3"]
        .map(|folder| {
            let answer = ask(folder);
            assert_eq!(answer.status, 202, "{}", answer.body);
            answer.json()["id"].as_str().unwrap().to_owned()
        })
        .into();
    // WKMP's interface knows no queue.
    let refused = served.post("/import/start", &json!({ "root_folder": root.path() }));
    assert_eq!(refused.status, 409);
    let stopped = served.post(&format!("/api/v1/jobs/{}/stop", ids[2]), &json!({}));
    assert_eq!(stopped.json()["state"], "cancelled", "{}", stopped.body);
    served.kill();

    // What waited goes on in the next server, in the order in which it was asked for.
    let served = Served::start(&root, &[]);
    for id in [&ids[0], &ids[1], &ids[3]] {
        assert_eq!(served.until_ended(id)["state"], "COMPLETED");
    }
    served.stop();
    let heard =
        root.column("SELECT path FROM files WHERE status = 'INGEST COMPLETE' ORDER BY path");
    assert_eq!(heard, ["0/Mix.wav", "1/Mix.wav", "3/Mix.wav"]);
    let states = root.column("SELECT state FROM accession_jobs ORDER BY started_at");
    assert_eq!(states, ["completed", "completed", "cancelled", "completed"]);
    root.assert_sound();
}

#[test]
fn sound_is_served_whole_or_in_parts_and_from_the_library_only() {
    let root = imported(1);
    std::fs::write(root.join("secret.txt"), "secret").unwrap();
    let served = Served::start(&root, &[]);
    let bytes = std::fs::read(root.join("0.wav")).unwrap();
    let asked = |range: &str| {
        let address = &served.address;
        let head = format!(
            "GET /api/v1/audio?name=0.wav HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nRange: {range}\r\n\r\n"
        );
        Answer::parse(&served.raw(head.as_bytes()))
    };
    let whole = served.get("/api/v1/audio?name=0.wav");
    assert_eq!(whole.header("content-length"), bytes.len().to_string());
    assert_eq!(whole.header("content-type"), "audio/wav");
    let part = asked("bytes=0-3");
    assert_eq!((part.status, part.body.as_str()), (206, "RIFF"));
    assert_eq!(
        part.header("content-range"),
        format!("bytes 0-3/{}", bytes.len())
    );
    assert_eq!(asked("bytes=99999999-").status, 416);
    assert_eq!(asked("bytes=0-1,5-6").status, 200);
    assert_eq!(served.get("/api/v1/audio?name=secret.txt").status, 404);
    assert_eq!(served.get("/api/v1/audio?name=../0.wav").status, 404);
    std::fs::remove_file(root.join("0.wav")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("0.wav")).unwrap();
    assert_eq!(served.get("/api/v1/audio?name=0.wav").status, 404);

    let peaks = |every: u32| {
        let answer = served.get(&format!("/api/v1/peaks?name=0.wav&every={every}"));
        assert_eq!(answer.status, 200);
        let points: usize = answer.header("content-length").parse().unwrap();
        (points, answer.header("x-points-in-ten-seconds").to_owned())
    };
    // Two stretches of 10 s with 2 s between.
    assert_eq!(peaks(1), (1240, "100".to_owned()));
    assert_eq!(peaks(10), (124, "10".to_owned()));

    let metrics = served.get("/metrics");
    assert!(
        metrics.body.contains("\naccession_import_running 0\n"),
        "{}",
        metrics.body
    );
    served.stop();
}
