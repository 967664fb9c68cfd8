//! What is taken back is gone, or the answer says what has to go before it.

use serde_json::{Value, json};

use super::api::{imported, passages, say};
use super::client::{Answer, Served};
use crate::support::{Root, album};

fn etag(served: &Served, id: &str) -> String {
    let shown = served.get(&format!("/api/v1/passages/{id}"));
    shown.header("etag").to_owned()
}

/// Says something about the passage of `0.wav` at an index.
fn said_of(served: &Served, index: usize, said: &Value) {
    let id = passages(served, "0.wav")[index]["id"].clone();
    let id = id.as_str().unwrap();
    let answer = say(served, id, &etag(served, id), said);
    assert_eq!(answer.status, 200, "{said}: {}", answer.body);
}

fn starts(served: &Served) -> Vec<i64> {
    let passages = passages(served, "0.wav");
    let start = |one: &Value| one["start_seconds"].as_f64().unwrap().round() as i64;
    passages.iter().map(start).collect()
}

/// The number of the latest edit.
fn latest(served: &Served) -> Value {
    served.get("/api/v1/edits").json()[0]["id"].clone()
}

fn undo(served: &Served, kind: &str, id: &Value) -> Answer {
    served.post(&format!("/api/v1/{kind}/{id}/undo"), &json!({}))
}

fn message(answer: &Answer) -> String {
    let message = answer.json()["error"]["message"].clone();
    message.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_cut_that_a_later_one_holds_is_not_taken_back_before_it() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let uncut = starts(&served);
    let cut_at = |at: f64| {
        let place = json!([{ "path": "0.wav", "at_seconds": at }]);
        let decision = json!({ "verb": "boundary", "boundaries": place });
        let told = served.post("/api/v1/review", &decision).json();
        let decided = told["boundaries"][0]["decision"].clone();
        assert!(decided.is_number(), "{told}");
        decided
    };
    let first = cut_at(20.0);
    said_of(&served, 0, &json!({ "split_at": 5 }));
    let edit = latest(&served);
    let cut = starts(&served);
    assert_eq!(cut.len(), uncut.len() + 2);
    let refused = undo(&served, "review", &first);
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(message(&refused).contains(&format!("take back edit {edit} first")));
    assert_eq!(starts(&served), cut);

    let second = cut_at(12.0);
    let refused = undo(&served, "edits", &edit);
    assert_eq!(refused.status, 409, "{}", refused.body);
    let words = format!("(decision {second}) first");
    assert!(message(&refused).contains(&words), "{}", refused.body);
    // The command line refuses it as well, and takes all of them back at once.
    let number = edit.to_string();
    let told = root.music(&["edits", "--undo", &number]).ended(2);
    assert!(
        told.err
            .contains(&format!("edits --undo {} {number}", latest(&served)))
    );
    for (kind, id) in [("review", second), ("edits", edit), ("review", first)] {
        let undone = undo(&served, kind, &id);
        assert_eq!(undone.status, 200, "{}", undone.body);
    }
    assert_eq!(starts(&served), uncut);
    cut_at(20.0);
    let one = latest(&served).to_string();
    cut_at(12.0);
    let other = latest(&served).to_string();
    root.music(&["edits", "--undo", &one, &other]).ended(0);
    assert_eq!(starts(&served), uncut);
    served.stop();
    root.assert_sound();
}

#[test]
fn of_two_boundaries_that_are_confirmed_each_stands_until_it_is_taken_back() {
    let root = Root::empty();
    album(&root.join("0.wav"), 0, 3, 30.0);
    root.import(&[]);
    let served = Served::start(&root, &[]);
    let all = passages(&served, "0.wav");
    assert_eq!(all.len(), 3);
    let confirmed = [0, 1].map(|at| {
        let at = all[at]["end_seconds"].as_f64().unwrap();
        let place = json!([{ "path": "0.wav", "at_seconds": at }]);
        let decision = json!({ "verb": "boundary", "boundaries": place });
        let told = served.post("/api/v1/review", &decision).json();
        told["boundaries"][0]["decision"].clone()
    });
    let refused = undo(&served, "review", &confirmed[0]);
    assert_eq!(refused.status, 409, "{}", refused.body);
    let words = format!("(decision {}) first", confirmed[1]);
    assert!(message(&refused).contains(&words), "{}", refused.body);
    let cut_by = || root.column("SELECT cut_by FROM accession_files").remove(0);
    for (decision, expected) in [(&confirmed[1], true), (&confirmed[0], false)] {
        let undone = undo(&served, "review", decision);
        assert_eq!(undone.status, 200, "{}", undone.body);
        assert_eq!(cut_by() == "person", expected, "{}", cut_by());
        assert_eq!(passages(&served, "0.wav"), all);
    }
    served.stop();
    root.assert_sound();
}

#[test]
fn words_that_lose_their_passage_are_told_and_come_back_with_it() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    said_of(&served, 0, &json!({ "split_at": 20 }));
    let cut = latest(&served);
    said_of(&served, 1, &json!({ "title": "Coda", "lead_in": 21 }));
    said_of(&served, 0, &json!({ "artist": "Tide" }));
    let undone = undo(&served, "edits", &cut);
    assert_eq!(undone.status, 200, "{}", undone.body);
    let ended = undone.json()["ended"].clone();
    let mut told: Vec<_> = ended
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| edit["field"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    assert_eq!(told, ["lead_in", "title"], "{ended}");
    assert_eq!(passages(&served, "0.wav")[0]["artist"], "Tide");
    said_of(&served, 0, &json!({ "split_at": 20 }));
    assert_eq!(passages(&served, "0.wav")[1]["title"], "Coda");
    let cut = latest(&served).to_string();
    let told = root.music(&["edits", "--undo", &cut]).ended(0);
    let words = "no passage any more for what was said";
    assert!(
        told.out.contains(words) && told.out.contains("Coda"),
        "{}",
        told.out
    );
    served.stop();
    root.assert_sound();
}

#[test]
fn a_reset_takes_back_what_was_said_before_the_passage_was_cut() {
    let root = imported(1);
    let served = Served::start(&root, &[]);
    let before = passages(&served, "0.wav");
    said_of(&served, 0, &json!({ "title": "Whole", "lead_in": 12 }));
    said_of(&served, 1, &json!({ "title": "Neighbour" }));
    said_of(&served, 0, &json!({ "split_at": 5 }));
    said_of(&served, 0, &json!({ "reset": true }));
    let after = passages(&served, "0.wav");
    assert_eq!(after[0], before[0]);
    assert_eq!(after[1]["title"], "Neighbour");
    let left = served.get("/api/v1/edits").json();
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    served.stop();
    root.assert_sound();
}
