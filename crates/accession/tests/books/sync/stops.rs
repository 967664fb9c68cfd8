//! A signal is heard within two seconds, whatever GRIN and the store do, and nothing is lost by it.

use std::time::Duration;

use testkit::archives::{ArchiveFault, ArchiveGrin};
use testkit::stores::StoreFault;

use crate::stops::stopped;
use crate::support::{code, said};
use crate::sync::{Home, shelf, sync_args};

/// Longer than the test lasts.
const SILENCE: Duration = Duration::from_mins(2);

fn stops(home: &Home, what: &str, is_waiting: impl Fn() -> bool) {
    let mut command = home.command(&sync_args("--queue converted"));
    stopped(&mut command, what, is_waiting);
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
