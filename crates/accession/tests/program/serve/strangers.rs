//! Those who should not get in, and those who hold the door.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::json;

use super::client::{Answer, Served};
use crate::support::{Root, album};

const JSON: &str = "Content-Type: application/json\r\n";

fn head(method: &str, path: &str, host: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n")
}

#[test]
fn names_and_sites_from_elsewhere_are_refused() {
    let root = Root::empty();
    let served = Served::start(&root, &["--name", "music.lan"]);
    let asked = |request: &str| Answer::parse(&served.raw(request.as_bytes())).status;
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.7",
        "evil.example:5723",
    ] {
        assert_eq!(asked(&head("GET", "/health", host, "")), 421, "{host}");
    }
    for host in [
        "localhost",
        "127.0.0.1",
        "[::1]:1",
        "music.lan",
        "MUSIC.LAN:80",
    ] {
        assert_eq!(asked(&head("GET", "/health", host, "")), 200, "{host}");
    }
    let two = "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(asked(two), 421);
    assert_eq!(
        asked("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n"),
        421
    );
    assert_eq!(
        asked(&head("GET", "http://evil.example/health", "localhost", "")),
        421
    );

    let body = json!({ "root_folder": root.path() }).to_string();
    for headers in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        let headers = format!("{JSON}{headers}");
        let answer = served.ask("POST", "/import/start", &headers, &body);
        assert_eq!(answer.status, 403, "{headers}");
    }
    // A form can send these types to another site without asking.
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let answer = served.ask(
            "POST",
            "/import/start",
            &format!("Content-Type: {kind}\r\n"),
            &body,
        );
        assert_eq!(answer.status, 415, "{kind}");
    }
    let allowed = served.ask(
        "OPTIONS",
        "/import/start",
        "Origin: http://evil.example\r\n",
        "",
    );
    assert_eq!(allowed.header("access-control-allow-origin"), "");
    assert_eq!(served.get("/import/active").body, "null");
    served.stop();
}

#[test]
fn too_much_is_refused_and_those_who_are_slow_hold_up_nobody() {
    let root = Root::empty();
    album(&root.join("Mix.wav"), 1, 2, 30.0);
    let served = Served::start(&root, &[]);
    let large = "x".repeat((1 << 20) + 1);
    assert_eq!(served.post_text("/import/start", &large).status, 413);
    let flood = (0..200).fold(String::new(), |mut all, number| {
        let _ = write!(all, "X-{number}: y\r\n");
        all
    });
    let answer = Answer::parse(&served.raw(head("GET", "/health", "localhost", &flood).as_bytes()));
    assert_eq!(answer.status, 431);
    let long = format!("X-Long: {}\r\n", "y".repeat(64 << 10));
    let answer = Answer::parse(&served.raw(head("GET", "/health", "localhost", &long).as_bytes()));
    assert_eq!(answer.status, 431);

    // Streams that nobody reads, heads and bodies that do not end: the import does not mind.
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut stream = served.connect();
        stream
            .write_all(head("GET", "/import/events", "localhost", "").as_bytes())
            .unwrap();
        idle.push(stream);
        let mut stream = served.connect();
        stream.write_all(b"GET /health HTTP/1.1\r\nHo").unwrap();
        idle.push(stream);
        let mut stream = served.connect();
        let half = head(
            "POST",
            "/import/start",
            "localhost",
            &format!("{JSON}Content-Length: 100\r\n"),
        );
        stream.write_all(half.as_bytes()).unwrap();
        idle.push(stream);
    }
    let started = served.post("/import/start", &json!({ "root_folder": root.path() }));
    let id = started.json()["session_id"].as_str().unwrap().to_owned();
    assert_eq!(served.until_ended(&id)["state"], "COMPLETED");
    assert_eq!(served.get("/health").status, 200);
    served.stop();
}

#[test]
fn nothing_outside_the_root_folder_is_read_or_imported() {
    let root = Root::empty();
    let elsewhere = Root::empty();
    album(&elsewhere.join("Secret.wav"), 1, 1, 5.0);
    std::os::unix::fs::symlink(elsewhere.path(), root.join("link")).unwrap();
    let served = Served::start(&root, &[]);
    for path in [
        elsewhere.path(),
        root.join("link"),
        root.join("../"),
        "/etc".into(),
    ] {
        let answer = served.post("/import/start", &json!({ "root_folder": path }));
        assert_eq!(answer.status, 400, "{}", path.display());
    }
    for path in [
        elsewhere.join("Secret.wav"),
        root.join("link/Secret.wav"),
        "/etc/passwd".into(),
    ] {
        let asked = json!({ "file_path": path, "start_time": 0.0, "end_time": null });
        let answer = served.post("/analyze/amplitude", &asked);
        assert_eq!(answer.status, 400, "{}", path.display());
        assert!(!answer.body.contains("rms_profile"));
    }
    let tree = served.get("/api/folders/tree").json();
    assert_eq!(tree["folders"], json!([]), "a link is no folder to choose");
    for path in [
        "/static/../../etc/passwd",
        "/static/..%2f..%2fetc%2fpasswd",
        "/picture?name=/etc/passwd",
        "/file?name=..%2f..%2fetc%2fpasswd",
    ] {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
    served.stop();
}

#[test]
fn beyond_this_machine_only_those_with_the_token_come_in() {
    let root = Root::empty();
    let served = Served::listening(&root, "0.0.0.0:0", &[]);
    let token = served.url.split_once("token=").unwrap().1.to_owned();
    let kept = root.home().join(".config/accession/serve-token");
    assert_eq!(std::fs::read_to_string(&kept).unwrap().trim(), token);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&kept).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    for headers in [
        "",
        "Authorization: Bearer wrong\r\n",
        "Cookie: accession_token=\r\n",
    ] {
        for path in [
            "/",
            "/health",
            "/static/import.js",
            "/import/events",
            "/?token=wrong",
        ] {
            assert_eq!(
                served.ask("GET", path, headers, "").status,
                401,
                "{path} {headers}"
            );
        }
    }
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(served.ask("GET", "/health", &bearer, "").status, 200);
    let first = served.get(&format!("/?token={token}"));
    assert_eq!((first.status, first.header("location")), (303, "/"));
    let cookie = first.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert_eq!(served.ask("GET", "/", &cookie, "").status, 200);
    let elsewhere =
        format!("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{cookie}\r\n");
    assert_eq!(Answer::parse(&served.raw(elsewhere.as_bytes())).status, 421);
    let ran = served.stop();
    assert!(!ran.err.contains(&token), "{}", ran.err);

    // It is the same the next time, so that bookmarks and programs go on.
    let served = Served::listening(&root, "0.0.0.0:0", &[]);
    assert!(served.url.ends_with(&token));
    served.stop();
}
