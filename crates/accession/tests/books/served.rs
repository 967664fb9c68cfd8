//! A run of books, looked at in a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::kill::signal;
use testkit::postgres::Postgres;

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
    let (server, address) = serve(&world);
    let (_, body) = get(&address, "/api/v1/run", "localhost");
    let run: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&run["run"], &run["books"]), (&"R".into(), &300.into()));
    assert_eq!(run["failures"], Value::Array(Vec::new()));
    assert_eq!(run["crew"], Value::Null, "a file has one process at a time");
    let (_, metrics) = get(&address, "/metrics", "localhost");
    assert!(metrics.contains("\naccession_run_books 300\n"), "{metrics}");
    assert!(!metrics.contains("workers"), "{metrics}");
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
    end(server);
}

/// Starts the service; its process and its address.
fn serve(world: &World) -> (Child, String) {
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
    (server, address)
}

#[test]
fn everybody_who_works_on_a_run_is_shown_with_their_sum_and_what_will_hurt() {
    let Some(database) = Postgres::shared() else {
        return;
    };
    let url = database.database();
    let world = World::new(20);
    let collected = world.collect(&["--database", &url]);
    assert_eq!(code(&collected), 0, "{}", said(&collected));
    // Two processes, as they tell of themselves, one of which died ten minutes ago; and sixty thousand rows that came and went.
    database.rows(
        &url,
        "SET search_path TO \"accession_R\"; ALTER TABLE accession_work SET (autovacuum_enabled = off);
         INSERT INTO accession_worker (worker, host, process, started_at, seen_at, lease, stored, failed, bytes) VALUES
             ('a', 'one', 11, now() - interval '10 minutes', now(), 60, 40, 1, 4000),
             ('b', 'two', 12, now() - interval '20 minutes', now() - interval '10 minutes', 60, 30, 0, 3000);
         INSERT INTO accession_work (queue, barcode) SELECT 'converted', i::text FROM generate_series(1, 60000) i;
         DELETE FROM accession_work WHERE barcode NOT IN ('1', '2', '3');
         UPDATE accession_work SET owner = 'a', claimed_at = now() - interval '90 seconds',
             lease_until = now() + interval '1 minute' WHERE barcode < '3'",
    );
    let (server, address) = serve(&world);
    let begun = Instant::now();
    // The server counts dead rows a moment later.
    let run = loop {
        let (_, body) = get(&address, "/api/v1/run", "localhost");
        let run: Value = serde_json::from_str(&body).unwrap();
        let is_counted = run["crew"]["dead_rows"].as_u64() >= Some(59_000);
        if is_counted || begun.elapsed() > Duration::from_secs(30) {
            break run;
        }
        sleep(Duration::from_millis(200));
    };
    let crew = &run["crew"];
    let total = &crew["total"];
    assert_eq!(
        (&total["stored"], &total["failed"]),
        (&70.into(), &1.into())
    );
    assert_eq!((&total["holds"], &crew["waiting"]), (&2.into(), &1.into()));
    // Whoever is gone stores nothing any more.
    let rate = total["stored_a_minute"].as_f64().unwrap();
    assert!((3.5..=4.0).contains(&rate), "{crew}");
    assert_eq!(crew["workers"][0]["host"], "two", "{crew}");
    assert_eq!(crew["workers"][0]["is_lost"], true, "{crew}");
    assert_eq!(crew["workers"][1]["oldest_book"], "1", "{crew}");
    let warnings = crew["warnings"].as_array().unwrap();
    let has_dead_rows = |one: &Value| one.as_str().unwrap().contains("dead rows slow");
    assert!(warnings.iter().any(has_dead_rows), "{crew}");
    let (_, metrics) = get(&address, "/metrics", "localhost");
    for line in ["workers 1", "workers_lost 1", "under_way 2", "waiting 1"] {
        let line = format!("\naccession_run_{line}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    let (_, page) = get(&address, "/", "localhost");
    assert!(page.contains("id=\"workers\""), "{page}");
    end(server);
    let status = said(&world.run(&["status", "--run-name", "R"]));
    assert!(status.contains("70 books stored"), "{status}");
    assert!(status.contains("dead rows slow"), "{status}");
}

fn end(mut server: Child) {
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
