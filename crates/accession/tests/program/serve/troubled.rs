//! A library that cannot be used now: the answer says why, and what may be done.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::{imported, passages};
use super::client::{Answer, Served};
use crate::support::Root;

const JSON: &str = "Content-Type: application/json\r\n";

fn message(answer: &Answer) -> String {
    let message = answer.json()["error"]["message"].clone();
    message.as_str().unwrap_or_default().to_owned()
}

/// What a person may ask for that writes.
fn writes(served: &Served) -> [Box<dyn Fn() -> Answer + Send + '_>; 3] {
    let id = passages(served, "0.wav")[0]["id"].clone();
    let path = format!("/api/v1/passages/{}/edits", id.as_str().unwrap());
    let shown = served.get(path.trim_end_matches("/edits"));
    let headers = format!("{JSON}If-Match: {}\r\n", shown.header("etag"));
    [
        Box::new(move || served.ask("PUT", &path, &headers, r#"{"title":"Tide"}"#)),
        Box::new(|| served.post("/api/v1/jobs", &json!({ "folder": "" }))),
        Box::new(|| {
            served.ask(
                "PATCH",
                "/api/v1/settings",
                JSON,
                r#"{"lead_in_threshold_dB":40}"#,
            )
        }),
    ]
}

#[test]
fn a_lock_that_another_program_holds_is_told_and_is_to_be_tried_again() {
    let root = imported(1);
    let served = Served::start(&root, &["--offline"]);
    let other = root.open();
    let mut began = Instant::now();
    // Its words are to be read anew, unless the service has read them before the lock is held.
    let is_unread = (0..20).any(|_| {
        assert_eq!(writes(&served)[0]().status, 200);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        began = Instant::now();
        let found = served.get("/api/v1/files?q=0.wav");
        assert_eq!(found.status, 200, "{}", found.body);
        let is_unread = found.json()["unread"] == 1;
        if !is_unread {
            other.execute_batch("ROLLBACK").unwrap();
        }
        is_unread
    });
    assert!(is_unread, "nothing is told to be unread");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    std::thread::scope(|scope| {
        let asked = writes(&served).map(|write| scope.spawn(write));
        for answer in asked.map(|asked| asked.join().unwrap()) {
            assert_eq!(answer.status, 503, "{}", answer.body);
            assert!(
                message(&answer).contains("holds its lock"),
                "{}",
                answer.body
            );
            let seconds: u32 = answer.header("retry-after").parse().unwrap();
            assert!(seconds > 0);
        }
    });
    assert!(
        began.elapsed() < Duration::from_secs(25),
        "{:?}",
        began.elapsed()
    );
    let health = served.get("/health");
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &json!("ok"))
    );
    let last = health.json()["last_error"].clone();
    assert!(last.as_str().unwrap().contains("holds its lock"), "{last}");
    other.execute_batch("ROLLBACK").unwrap();
    let later = writes(&served)[0]();
    assert_eq!(later.status, 200, "{}", later.body);
    assert_eq!(served.get("/health").json()["last_error"], Value::Null);
    served.stop();
    root.assert_sound();
}

#[cfg(unix)]
#[test]
fn a_database_that_is_gone_is_told_to_those_who_write_and_to_those_who_watch() {
    for is_replaced in [false, true] {
        let root = imported(1);
        let served = Served::start(&root, &["--offline"]);
        let writes = writes(&served);
        assert_eq!(served.get("/health").status, 200);
        if is_replaced {
            let copy = root.join("copy.db");
            std::fs::copy(root.database(), &copy).unwrap();
            std::fs::rename(copy, root.database()).unwrap();
        } else {
            std::fs::remove_file(root.database()).unwrap();
        }
        for write in writes {
            let answer = write();
            assert_eq!(answer.status, 503, "{}", answer.body);
            let words = "moved, deleted or replaced";
            assert!(message(&answer).contains(words), "{}", answer.body);
        }
        let health = served.get("/health");
        assert_eq!(health.status, 503, "{}", health.body);
        assert_eq!(health.json()["status"], "unhealthy");
        assert_eq!(health.json()["module"], "wkmp-ai");
        let last = health.json()["last_error"].clone();
        assert!(last.as_str().unwrap().contains("deleted"), "{last}");
        served.kill();
    }
}

/// A server whose database lies on a disk of its own, nearly full, in a mount namespace of its own; `None` where that is
/// not allowed.
fn on_a_small_disk(root: &Root) -> Option<Served> {
    if !crate::support::may_mount() {
        return None;
    }
    std::fs::create_dir(root.home().join("small")).unwrap();
    let script = "mount -t tmpfs -o size=4m none \"$2/small\" && cp \"$1/wkmp.db\" \"$2/small\" && \
                  head -c $(( ($(df -P -k \"$2/small\" | tail -1 | awk '{print $4}') - 600) * 1024 )) /dev/zero \
                  > \"$2/small/ballast\" && exec \"$3\" serve --format json --listen 127.0.0.1:0 --offline \
                  --database \"$2/small/wkmp.db\" \"$1\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "sh"]);
    command.arg(root.path()).arg(root.home());
    command
        .arg(testkit::accession_bin())
        .env("HOME", root.home());
    Some(Served::of(command))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_to_those_who_write_and_those_who_read_do_not_notice() {
    let root = imported(1);
    let Some(served) = on_a_small_disk(&root) else {
        return;
    };
    let id = passages(&served, "0.wav")[0]["id"].clone();
    let path = format!("/api/v1/passages/{}", id.as_str().unwrap());
    let mut kept = String::new();
    let full = (0..500).find_map(|number| {
        let headers = format!("{JSON}If-Match: {}\r\n", served.get(&path).header("etag"));
        let title = format!("{number} {}", "tide ".repeat(200));
        let said = json!({ "title": title }).to_string();
        let answer = served.ask("PUT", &format!("{path}/edits"), &headers, &said);
        if answer.status == 200 {
            kept = title;
            return None;
        }
        Some(answer)
    });
    let full = full.expect("the disk was never full");
    assert_eq!(full.status, 507, "{}", full.body);
    assert!(message(&full).contains("no space left"), "{}", full.body);
    assert_eq!(served.get("/health").status, 503);
    let shown = served.get(&path);
    assert_eq!((shown.status, &shown.json()["title"]), (200, &json!(kept)));
    served.kill();
}
