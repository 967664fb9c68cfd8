//! Tokens that others renew, and endpoints that answer in odd ways.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::Duration;

use testkit::grin::{CLIENT_SECRET, FIRST_TOKEN, Fault, On, RENEWED_ELSEWHERE};

use crate::support::{COLLECT, World, code, said};

#[test]
fn a_new_token_that_cannot_be_kept_is_used_all_the_same() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    /// The user `nobody` of most systems.
    const NOBODY: u32 = 65_534;
    let world = World::new(3_000);
    world.grin.revoke_token();
    let (folder, secret) = (world.folder.path(), world.folder.path().join("secret"));
    let mut command = world.command(&COLLECT);
    // Root may write anywhere, so the program runs as somebody who may not.
    if std::fs::metadata(folder).unwrap().uid() == 0 {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        std::fs::set_permissions(
            secret.join("credentials.json"),
            PermissionsExt::from_mode(0o644),
        )
        .unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o555)).unwrap();
    let output = command.output().unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(
        said(&output).contains("cannot be kept"),
        "{}",
        said(&output)
    );
    let kept = std::fs::read_to_string(secret.join("credentials.json")).unwrap();
    assert!(kept.contains(FIRST_TOKEN));
    assert_eq!(world.stored().len(), 3_000);
}

#[test]
fn an_endpoint_that_asks_to_wait_has_not_refused() {
    for fault in [Fault::Status(429, Some(1)), Fault::Status(503, None)] {
        let world = World::new(1_000);
        world.grin.revoke_token();
        world.grin.fail(On::Token, fault.clone(), 2);
        let output = world.collect(&[]);
        assert_eq!(code(&output), 0, "{fault:?}: {}", said(&output));
        assert_eq!(world.grin.refreshes(), 1);
    }
}

#[test]
fn a_life_of_any_form_is_understood_and_a_short_one_renews_no_token_for_every_request() {
    for life in [
        "3600",
        "\"3600\"",
        "3599.5",
        "1e300",
        "9223372036854775807",
        "-1",
        "1",
        "null",
        "\"soon\"",
    ] {
        let world = World::new(5_000);
        world.grin.revoke_token();
        let token = format!(r#"{{"access_token": "{RENEWED_ELSEWHERE}", "expires_in": {life}}}"#);
        world.grin.fail(On::Token, Fault::Body(token), 1);
        let output = world.collect(&["--page-size", "500"]);
        assert_eq!(code(&output), 0, "{life}: {}", said(&output));
        assert_eq!(world.grin.refreshes(), 0, "{life}");
        let kept = std::fs::read_to_string(world.folder.path().join("secret/credentials.json"));
        assert!(kept.unwrap().contains(RENEWED_ELSEWHERE), "{life}");
    }
}

#[test]
fn a_token_that_another_process_has_renewed_is_used_and_not_overwritten() {
    for refusal in [false, true] {
        let world = World::new(3_000);
        world.grin.revoke_token();
        world.grin.set_latency(Duration::from_millis(700));
        if refusal {
            // The other process was first, which made the old way of renewing void.
            world
                .grin
                .fail(On::Token, Fault::Status(400, None), u32::MAX);
        }
        let path = world.folder.path().join("secret/credentials.json");
        let child = world
            .command(&COLLECT)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while world.grin.page_requests() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let renewed = text.replace(FIRST_TOKEN, RENEWED_ELSEWHERE);
        std::fs::write(&path, &renewed).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        assert_eq!(world.grin.refreshes(), 0);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), renewed);
    }
}

/// Asks the program that waits for the browser; the status line.
fn visit(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn only_the_browser_of_this_sign_in_is_heard_and_strangers_do_not_end_it() {
    let world = World::new(10);
    let secret = world.folder.path().join("secret");
    let client = format!(
        r#"{{"installed": {{"client_id": "id", "client_secret": "{CLIENT_SECRET}", "auth_uri": "https://accounts.example/auth",
            "token_uri": "{}/token"}}}}"#,
        world.grin.url()
    );
    std::fs::write(secret.join("client_secret.json"), client).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut child = world
        .command(&["auth", "setup", "--force"])
        .env("GRIN_OAUTH_PORT", port.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("state=") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0);
    }
    let state = line.split("state=").nth(1).unwrap();
    let state = state.split('&').next().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    for stray in [
        "/favicon.ico",
        "/?code=stolen",
        "/?code=stolen&state=other",
        "/?error=denied",
        "*",
    ] {
        let line = visit(port, stray);
        assert!(line.contains("404"), "{stray}: {line}");
    }
    // One that says nothing and goes away.
    drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    assert!(visit(port, &format!("/?code=4%2Fabc&state={state}")).contains("200"));
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}");
    let kept = std::fs::read_to_string(secret.join("credentials.json")).unwrap();
    assert!(kept.contains("ya29.token-number-1"), "{kept}");
}
