//! A run of books, looked at in a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::kill::signal;

use crate::support::{World, code, said};

fn get(address: &str, path: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn a_run_is_shown_with_its_counts_while_others_may_work_on_it() {
    let world = World::new(300);
    let collected = world.collect(&[]);
    assert_eq!(code(&collected), 0, "{}", said(&collected));
    let mut server = Command::new(env!("CARGO_BIN_EXE_accession"))
        .args(["serve", "--run", "R", "--listen", "127.0.0.1:0"])
        .args(["--format", "json"])
        .current_dir(world.folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(server.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let address = told["address"].as_str().unwrap().to_owned();

    let (_, body) = get(&address, "/api/v1/run", "localhost");
    let run: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&run["run"], &run["books"]), (&"R".into(), &300.into()));
    assert_eq!(run["failures"], Value::Array(Vec::new()));
    let (_, metrics) = get(&address, "/metrics", "localhost");
    assert!(metrics.contains("\naccession_run_books 300\n"), "{metrics}");
    let (head, page) = get(&address, "/", "localhost");
    assert!(head.contains("script-src 'self'"), "{head}");
    assert!(page.contains("/static/run.js"), "{page}");
    assert!(
        get(&address, "/static/run.js", "localhost")
            .0
            .contains(" 200 ")
    );
    assert!(get(&address, "/", "evil.example").0.contains(" 421 "));
    assert!(get(&address, "/library", "localhost").0.contains(" 404 "));

    // What is served is only read: another command takes the run.
    let again = world.collect(&[]);
    assert_eq!(code(&again), 0, "{}", said(&again));
    signal(&server, "-TERM");
    assert_eq!(server.wait().unwrap().code(), Some(143));
}

#[test]
fn a_run_that_is_not_there_is_an_error_and_serves_nothing() {
    let world = World::new(1);
    let refused = Command::new(env!("CARGO_BIN_EXE_accession"))
        .args(["serve", "--run", "nowhere", "--listen", "127.0.0.1:0"])
        .current_dir(world.folder.path())
        .output()
        .unwrap();
    assert_eq!(code(&refused), 2, "{}", said(&refused));
}
