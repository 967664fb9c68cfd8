//! The driver kills whole process groups, and lets the last run end.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::kill::{kill_after, kill_at_random_moments};

fn shell(script: &str, file: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(file);
    command
}

#[test]
fn the_last_run_ends_and_is_heard() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    // Each run appends a line at its start; the first to live for half a second says so and fails on purpose.
    let script = "echo run >> \"$1\"; sleep 0.5; echo finished; exit 3";
    let survived =
        kill_at_random_moments(|| shell(script, &log), 5, 11, Duration::from_millis(200)).unwrap();
    assert_eq!((survived.kills.len(), survived.ended_early), (5, 0));
    assert_eq!(survived.last.status.code(), Some(3));
    assert_eq!(survived.last.stdout, b"finished\n");
    assert!(
        survived
            .kills
            .iter()
            .all(|delay| *delay < Duration::from_millis(200))
    );
    assert!(std::fs::read_to_string(&log).unwrap().lines().count() >= 2);
}

#[test]
fn grandchildren_die_too() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("alive");
    let script = "(sleep 0.6; echo alive > \"$1\") & wait";
    assert!(kill_after(shell(script, &file), Duration::from_millis(200)).unwrap());
    std::thread::sleep(Duration::from_millis(800));
    assert!(!file.exists());
}

#[test]
fn a_run_that_ends_first_is_not_a_kill() {
    let start = Instant::now();
    let survived =
        kill_at_random_moments(|| Command::new("true"), 3, 1, Duration::from_mins(1)).unwrap();
    assert_eq!((survived.kills.len(), survived.ended_early), (0, 3));
    assert!(survived.last.status.success());
    assert!(start.elapsed() < Duration::from_secs(5));
}
