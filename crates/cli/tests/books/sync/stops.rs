//! A signal is heard within two seconds, whatever GRIN and the store do, and nothing is lost by it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use testkit::archives::{ArchiveFault, ArchiveGrin};
use testkit::kill::signal;
use testkit::stores::StoreFault;

use crate::support::{code, said};
use crate::sync::{Home, shelf, sync_args};

/// What is promised from a signal to the exit.
const PROMISED: Duration = Duration::from_secs(2);

/// Longer than the test lasts.
const SILENCE: Duration = Duration::from_mins(2);

fn stops(home: &Home, what: &str, is_waiting: impl Fn() -> bool) {
    let mut command = home.command(&sync_args("--queue converted"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    let begun = Instant::now();
    while !is_waiting() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < PROMISED, "{what}: {:?}", asked.elapsed());
    assert_eq!(code(&output), 143, "{what}: {}", said(&output));
}

#[test]
fn a_sync_stops_while_grin_does_not_answer_and_goes_on_later() {
    let Some(books) = shelf(3, 20_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let is_archive = |target: &str| target.ends_with(".tar.gz.gpg");
    home.grin
        .fail(move |call| is_archive(&call.target).then_some(ArchiveFault::Stalled(SILENCE)));
    stops(&home, "no answer", || {
        home.grin
            .calls()
            .iter()
            .any(|call| is_archive(&call.target))
    });
    home.grin.recover();
    let later = home.sync("--queue converted");
    assert_eq!(code(&later), 0, "{}", said(&later));
    assert_eq!(home.completed().len(), 3);
}

/// Before it has a list of books, it has nothing to lose either.
#[test]
fn a_sync_stops_while_a_list_is_waited_for() {
    let Some(books) = shelf(1, 20_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let is_list = |target: &str| target.contains("_converted");
    home.grin
        .fail(move |call| is_list(&call.target).then_some(ArchiveFault::Stalled(SILENCE)));
    stops(&home, "no list", || {
        home.grin.calls().iter().any(|call| is_list(&call.target))
    });
    home.grin.recover();
    let later = home.sync("--queue converted");
    assert_eq!(code(&later), 0, "{}", said(&later));
}

#[test]
fn a_sync_stops_while_the_store_does_not_answer_and_goes_on_later() {
    let Some(books) = shelf(3, 20_000) else {
        return;
    };
    let grin = ArchiveGrin::start(books).unwrap();
    let home = Home::of(grin, Some(Home::bucket_store()));
    let store = home.store.as_ref().unwrap();
    let before = store.calls().len();
    store.fail(|call| {
        let is_archive = call.target.contains(".tar.gz");
        is_archive.then_some(StoreFault::Stalled(SILENCE))
    });
    stops(&home, "a silent store", || {
        let calls = store.calls();
        calls[before..]
            .iter()
            .any(|call| call.target.contains(".tar.gz"))
    });
    store.recover();
    let later = home.sync("--queue converted");
    assert_eq!(code(&later), 0, "{}", said(&later));
    assert_eq!(home.completed().len(), 3);
}
