//! How commands end: killed, stopped, failed, or well.

use std::time::Duration;

use rusqlite::Connection;
use testkit::grin::{Fault, On, listed};
use testkit::json_events;
use testkit::kill::{self, kill_after};

use crate::support::{COLLECT, World, code, said};

#[test]
fn killed_at_random_moments_it_ends_in_the_same_catalogue_and_asks_for_few_pages_again() {
    // Large pages take transactions of their own; small ones wait for each other.
    for (books, page, latency) in [(24_000, 2_000, 15), (30_000, 5_000, 15), (12_000, 200, 2)] {
        survives_kills(books, page, Duration::from_millis(latency));
    }
}

fn survives_kills(books: u64, page: u64, latency: Duration) {
    const KILLS: usize = 20;
    let world = World::new(books);
    world.grin.set_latency(latency);
    let size = page.to_string();
    let args = [&COLLECT[..], &["--page-size", &size]].concat();
    // Delays that grow, so that every run gets further than where the one before it died, or nearly.
    let mut killed = 0;
    for round in 0..KILLS {
        let delay = Duration::from_millis(30 + (round as u64 * 37) % 90);
        killed += usize::from(kill_after(world.command(&args), delay).unwrap());
    }
    assert!(
        killed >= KILLS / 4,
        "{killed} were killed before they ended"
    );
    let last = world.run(&args);
    assert_eq!(code(&last), 0, "{}", said(&last));
    let expected: Vec<_> = (0..books).map(|number| listed(number, 0)).collect();
    assert!(world.stored() == expected, "the catalogue differs");
    let pages = (books / page) as usize;
    let asked = world.grin.page_requests();
    assert!(
        asked <= pages + 1 + 2 * killed,
        "{asked} requests for {pages} pages and {killed} kills"
    );
    let check = world.run(&["check", "--run-name", "R"]);
    assert_eq!(code(&check), 0, "{}", said(&check));
}

#[test]
fn pages_are_fetched_while_others_are_recorded_and_not_again_after_a_kill() {
    let world = World::new(8_000);
    let args = [&COLLECT[..], &["--page-size", "2000"]].concat();
    assert_eq!(
        code(&world.collect(&["--page-size", "2000", "--limit", "1"])),
        0
    );
    // While somebody else writes, no page gets into the database.
    let other = Connection::open(world.directory().join("books.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut command = world.command(&args);
    let (out, errors) = (std::process::Stdio::null(), std::process::Stdio::null());
    let mut child = command.stdout(out).stderr(errors).spawn().unwrap();
    let journal = world.directory().join("books.db-fetched");
    let fetched = || {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        text.matches('\n').count()
    };
    while fetched() < 3 {
        assert_eq!(child.try_wait().unwrap(), None, "it waits for the database");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(world.stored().len(), 1);
    assert_eq!(world.grin.page_requests(), 4);
    drop(other);
    let last = world.run(&args);
    assert_eq!(code(&last), 0, "{}", said(&last));
    assert_eq!(
        world.grin.page_requests(),
        6,
        "only the last page was asked for, and what is beyond it"
    );
    let expected: Vec<_> = (0..8_000).map(|number| listed(number, 0)).collect();
    assert!(world.stored() == expected, "the catalogue differs");
    assert!(!journal.exists());
}

#[test]
fn exit_codes_events_and_lines_tell_how_it_went() {
    let world = World::new(3_000);
    world
        .grin
        .fail(On::Page(2_000), Fault::Status(404, None), 1);
    let failed = world.collect(&["--page-size", "1000", "--format", "json"]);
    assert_eq!(code(&failed), 1);
    let events = json_events(&failed.stdout);
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(
        names,
        [
            "collect_started",
            "page_recorded",
            "page_recorded",
            "page_failed",
            "collect_completed"
        ]
    );
    assert!(
        events[4]["missing"]
            .as_str()
            .unwrap_or_default()
            .contains("page 3")
    );
    let status = said(&world.run(&["status", "--run-name", "R"]));
    assert!(
        status.contains("goes on with `_all_books?result_count=1000&first=2000`"),
        "{status}"
    );
    assert_eq!(code(&world.run(&["check", "--run-name", "R"])), 1);
    let unfinished =
        "the catalogue is not complete; `accession books collect --run-name R` goes on";
    let commands = [
        &["export", "--run-name", "R"][..],
        &["export", "--run-name", "R", "-o", "-"],
        &["enrich", "--run-name", "R", "--limit", "1"],
    ];
    for args in commands {
        let output = world.run(args);
        assert_eq!(code(&output), 0, "{args:?}: {}", said(&output));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains(&format!("warning: {unfinished}")),
            "{args:?}: {text}"
        );
    }
    let enriched = world.run(&[commands[2], &["--format", "json"]].concat());
    let events = json_events(&enriched.stdout);
    let warned =
        |event: &serde_json::Value| event["event"] == "warning" && event["message"] == unfinished;
    assert!(events.iter().any(warned), "{events:?}");
    assert_eq!(code(&world.collect(&["--page-size", "1000"])), 0);
    for args in commands {
        let output = world.run(args);
        assert!(
            !said(&output).contains("not complete"),
            "{args:?}: {}",
            said(&output)
        );
    }
    assert_eq!(code(&world.run(&["status", "--run-name", "Nobody"])), 2);
    assert_eq!(code(&world.run(&["collect", "--run-name", "New"])), 2);
    let log =
        std::fs::read_to_string(world.folder.path().join("logs/grin_pipeline_R.log")).unwrap();
    assert!(log.contains(" - ERROR - failed: page 3"), "{log}");
    assert!(log.contains("collection completed"), "{log}");
}

#[test]
fn signals_stop_after_the_page_in_hand_and_sessions_exclude_each_other() {
    for (signal, expected) in [("INT", 130), ("TERM", 143)] {
        let world = World::new(6_000);
        world.grin.set_latency(Duration::from_millis(300));
        let args = [&COLLECT[..], &["--page-size", "500"]].concat();
        let child = world
            .command(&args)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        while world.grin.page_requests() < 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let busy = world.run(&["enrich", "--run-name", "R"]);
        assert_eq!(code(&busy), 2);
        assert!(
            said(&busy).contains("another session is running for `R`"),
            "{}",
            said(&busy)
        );
        kill::signal(&child, &format!("-{signal}"));
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), expected, "{}", said(&output));
        let asked = world.grin.page_requests();
        assert_eq!(
            world.stored().len(),
            asked * 500,
            "the page in hand was recorded"
        );
        world.grin.set_latency(Duration::ZERO);
        assert_eq!(code(&world.run(&args)), 0);
        assert_eq!(world.stored().len(), 6_000);
    }
}

#[test]
fn the_rate_limit_holds_in_any_second() {
    let world = World::new(900);
    let args: Vec<&str> = COLLECT
        .iter()
        .copied()
        .filter(|arg| !matches!(*arg, "--rate-limit" | "0"))
        .collect();
    let output = world.run(&[&args[..], &["--page-size", "100"]].concat());
    assert_eq!(code(&output), 0, "{}", said(&output));
    let requests = world.grin.requests();
    // Nine pages, and a look beyond the last, which is full.
    assert_eq!(requests.len(), 10);
    for window in requests.windows(6) {
        // The clock of the other side sees a request a little later or earlier than it was sent.
        assert!(window[5].at - window[0].at >= Duration::from_millis(950));
    }
}

#[test]
fn slow_answers_keep_no_request_from_being_sent() {
    let world = World::new(1_240);
    assert_eq!(code(&world.collect(&[])), 0);
    world.grin.set_latency(Duration::from_millis(1_500));
    let before = world.grin.requests().len();
    let output = world.run(&["enrich", "--run-name", "R", "--batch-size", "40"]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let requests = world.grin.requests();
    let asked = &requests[before..before + 31];
    // At 5 a second 31 requests take 6 s; with 5 under way at once they would take 9 s.
    let taken = asked[30].at - asked[0].at;
    assert!(taken < Duration::from_millis(7_500), "{taken:?}");
}

#[test]
fn collects_that_begin_at_one_instant_end_in_one_catalogue() {
    const BOOKS: u64 = 3_000;
    for _ in 0..4 {
        let world = World::new(BOOKS);
        let children: Vec<_> = (0..4)
            .map(|_| {
                let mut command = world.command(&COLLECT);
                let piped = std::process::Stdio::piped;
                command.stdout(piped()).stderr(piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = said(&output);
            // Another one may be told to wait for its turn, in words that help.
            let turned_away = code(&output) == 2 && said.contains("another session is running");
            assert!(
                code(&output) == 0 || turned_away,
                "{} {said}",
                code(&output)
            );
        }
        assert_eq!(code(&world.collect(&[])), 0);
        assert_eq!(world.stored().len() as u64, BOOKS);
        assert_eq!(code(&world.run(&["check", "--run-name", "R"])), 0);
    }
}
