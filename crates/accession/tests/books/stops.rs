//! A signal is heard within two seconds, whatever the other side does.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use testkit::grin::{Fault, On};
use testkit::kill::signal;

use crate::support::{COLLECT, World, code, said};

/// What is promised from a signal to the exit.
const PROMISED: Duration = Duration::from_secs(2);

/// Runs `args`, asks it to stop once `is_waiting`, and checks how long that took.
fn stops(world: &World, args: &[&str], what: &str, is_waiting: impl Fn() -> bool) -> Output {
    stopped(&mut world.command(args), what, is_waiting)
}

/// Runs a command until it waits, and then asks it to stop; what it said.
pub(crate) fn stopped(command: &mut Command, what: &str, is_waiting: impl Fn() -> bool) -> Output {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !is_waiting() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Whatever it waits for, it is well within it.
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < PROMISED, "{what}: {:?}", asked.elapsed());
    assert_eq!(code(&output), 143, "{what}: {}", said(&output));
    assert!(
        said(&output).contains("stopped as asked"),
        "{what}: {}",
        said(&output)
    );
    output
}

const ENRICH: [&str; 5] = ["enrich", "--run-name", "R", "--rate-limit", "0"];

#[test]
fn a_collection_stops_while_the_server_is_silent_drips_or_asks_to_wait() {
    for (what, fault) in [
        ("no head", Fault::Silent),
        (
            "silence in a body",
            Fault::Slow(30_000, Duration::from_mins(5)),
        ),
        ("a slow drip", Fault::Slow(1, Duration::from_millis(200))),
        ("a pause that it asks for", Fault::Status(429, Some(300))),
    ] {
        let world = World::new(3_000);
        world.grin.fail(On::Page(1_000), fault, u32::MAX);
        let args = [&COLLECT[..], &["--page-size", "1000"]].concat();
        stops(&world, &args, what, || world.grin.page_requests() == 2);
        assert!(world.stored().len() >= 1_000, "{what}: what came is kept");
        world.grin.mend();
        assert_eq!(code(&world.run(&args)), 0, "{what}");
        assert_eq!(world.stored().len(), 3_000, "{what}");
    }
}

#[test]
fn enriching_stops_while_the_server_is_silent_drips_or_its_queue_is_full() {
    for (what, fault, args) in [
        ("no head", Fault::Silent, &ENRICH[..]),
        (
            "a slow drip",
            Fault::Slow(1, Duration::from_millis(200)),
            &ENRICH,
        ),
        ("a refusal", Fault::Status(503, None), &ENRICH),
        (
            "a full queue",
            Fault::Silent,
            &["enrich", "--run-name", "R", "--max-concurrent", "64"],
        ),
        (
            "a rate limit",
            Fault::Empty,
            &["enrich", "--run-name", "R", "--rate-limit", "0.01"],
        ),
    ] {
        let world = World::new(3_000);
        assert_eq!(code(&world.collect(&[])), 0);
        let before = world.grin.requests().len();
        world.grin.fail(On::Any, fault, u32::MAX);
        let output = stops(&world, args, what, || world.grin.requests().len() > before);
        // What was not waited for has not failed.
        assert!(
            said(&output).contains(", 0 failed\n"),
            "{what}: {}",
            said(&output)
        );
        let status = said(&world.run(&["status", "--run-name", "R"]));
        assert!(!status.contains("failed"), "{status}");
    }
}

#[test]
fn a_silent_token_endpoint_keeps_nobody() {
    let world = World::new(3_000);
    world.grin.revoke_token();
    world.grin.fail(On::Token, Fault::Silent, u32::MAX);
    stops(&world, &COLLECT, "collect", || {
        world.grin.page_requests() == 1
    });
    world.grin.mend();
    assert_eq!(code(&world.collect(&[])), 0);
    world.grin.revoke_token();
    let before = world.grin.requests().len();
    world.grin.fail(On::Token, Fault::Silent, u32::MAX);
    stops(&world, &ENRICH, "enrich", || {
        world.grin.requests().len() > before
    });
}
