//! What has come of an archive is never asked for again, whichever stage its book is killed in.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use testkit::archives::{ArchiveCall, ArchiveFault, ArchiveGrin, archive, encrypt_with};
use testkit::stores::{ObjectStore, StoreFault};

use crate::support::{code, files, said};
use crate::sync::{Home, barcode, shelf, sync_args};

/// Longer than any test lasts.
const SILENCE: Duration = Duration::from_mins(2);

fn is_archive(call: &ArchiveCall) -> bool {
    call.method == "GET" && call.target.ends_with(".tar.gz.gpg")
}

/// Where each request for an archive began.
fn asked(home: &Home) -> Vec<u64> {
    let calls = home.grin.calls();
    let archives = calls.iter().filter(|call| is_archive(call));
    archives.map(|call| call.from).collect()
}

fn begin(home: &Home, more: &str) -> Child {
    home.command(&sync_args(&format!("--queue converted {more}")))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills a sync as soon as `is_there` says so.
fn kill_once(home: &Home, what: &str, is_there: impl Fn() -> bool) {
    let mut child = begin(home, "");
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}: never");
        assert!(child.try_wait().unwrap().is_none(), "{what}: it has ended");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Whether a file of the folder has a name that ends so.
fn has(folder: &Path, end: &str) -> bool {
    let named = |path: &PathBuf| path.to_string_lossy().ends_with(end);
    folder.is_dir() && files(folder).iter().any(named)
}

#[test]
fn a_download_that_is_killed_early_goes_on_where_it_was() {
    let Some(books) = shelf(1, 400_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let silence = ArchiveFault::SilentAfter(100_000, SILENCE);
    home.grin
        .fail(move |call| is_archive(call).then_some(silence));
    // A limit of bandwidth does not keep what has come from the disk.
    for (more, sent) in [("", 100_000), ("--bwlimit 200k", 200_000)] {
        let mut child = begin(&home, more);
        let begun = Instant::now();
        while home.grin.sent().values().sum::<u64>() < sent {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing is sent");
            std::thread::sleep(Duration::from_millis(10));
        }
        // Time for what is on its way.
        std::thread::sleep(Duration::from_secs(1));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    home.grin.recover();
    let last = home.sync("--queue converted");
    assert_eq!(code(&last), 0, "{}", said(&last));
    assert_eq!(asked(&home), [0, 100_000, 200_000]);
}

/// One after the other, a kill in each stage that comes after the download.
#[test]
fn a_finished_download_outlives_a_kill_in_every_later_stage() {
    for in_buckets in [false, true] {
        let Some(mut books) = shelf(1, 24 << 20) else {
            return;
        };
        // A key that takes its time, as those of `gpg` do.
        let plain = archive("volume 0", 4, 24 << 20);
        let options = ["--s2k-count", "65011712", "--compress-algo", "none"];
        books[0].archive = encrypt_with(&plain, &options).map(Arc::new);
        let store = in_buckets.then(Home::bucket_store);
        let home = Home::of(ArchiveGrin::start(books).unwrap(), store);
        let staging = home.path(if in_buckets {
            "output/g/staging"
        } else {
            "store/staging"
        });
        for (what, end) in [("decrypt", ".tar.decrypting"), ("read", ".tar.gz")] {
            kill_once(&home, what, || has(&staging, end));
        }
        if let Some(store) = &home.store {
            killed_while_storing(&home, store);
        }
        let last = home.sync("--queue converted");
        assert_eq!(code(&last), 0, "{}", said(&last));
        assert_eq!(asked(&home), [0], "in buckets: {in_buckets}");
        assert!(home.stored(&barcode(0)) == Some(plain));
        assert!(!staging.exists(), "{:?}", files(&staging));
    }
}

/// In the middle of an upload, and after its last part.
fn killed_while_storing(home: &Home, store: &ObjectStore) {
    for what in ["partNumber=3", "POST", ".jsonl.gz"] {
        let is_meant = move |method: &str, target: &str| match what {
            "POST" => method == "POST" && target.contains("uploadId="),
            part => target.contains(part),
        };
        let before = store.calls().len();
        store.fail(move |call| {
            is_meant(&call.method, &call.target).then_some(StoreFault::Stalled(SILENCE))
        });
        kill_once(home, what, || {
            let calls = store.calls();
            let since = &calls[before..];
            since
                .iter()
                .any(|call| is_meant(&call.method, &call.target))
        });
        store.recover();
    }
}

/// Without its length, only its end tells that an archive is whole.
#[test]
fn a_download_of_unknown_length_is_whole_once_it_has_ended() {
    let Some(books) = shelf(1, 400_000) else {
        return;
    };
    let home = Home::of(
        ArchiveGrin::start(books).unwrap(),
        Some(Home::bucket_store()),
    );
    home.grin
        .fail(|call| is_archive(call).then_some(ArchiveFault::NoLength));
    let store = home.store.as_ref().unwrap();
    let is_stored = |target: &str| target.contains(".tar.gz");
    store.fail(move |call| {
        (call.method == "PUT" && is_stored(&call.target)).then_some(StoreFault::Stalled(SILENCE))
    });
    kill_once(&home, "store", || {
        let calls = store.calls();
        calls
            .iter()
            .any(|call| call.method == "PUT" && is_stored(&call.target))
    });
    store.recover();
    let last = home.sync("--queue converted");
    assert_eq!(code(&last), 0, "{}", said(&last));
    assert_eq!(asked(&home), [0]);
    assert_eq!(home.completed(), [barcode(0)]);
}

/// A wrong passphrase says nothing about what has come.
#[test]
fn what_a_wrong_passphrase_did_not_open_is_kept() {
    let Some(books) = shelf(4, 20_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    home.sync_with_another_passphrase(2);
    let later = home.sync("--queue converted");
    assert_eq!(code(&later), 0, "{}", said(&later));
    // In each run, the first that does not open may be damaged, and comes again.
    let whole = asked(&home).iter().filter(|from| **from == 0).count();
    assert!(whole <= 4 + 3, "{whole}");
}
