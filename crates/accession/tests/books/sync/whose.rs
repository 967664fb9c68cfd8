//! Whose fault it is when a book fails, its own or something that it shares with every other; and whose a bucket is.

use testkit::archives::{ArchiveCall, ArchiveFault, ArchiveGrin};

use testkit::stores::StoreFault;

use crate::support::{code, said};
use crate::sync::{Home, barcode, shelf, sync_args};

fn is_archive(call: &ArchiveCall) -> bool {
    call.target.ends_with(".tar.gz.gpg")
}

/// With nothing else to do, a sync would wait for GRIN, which answers everything but this.
#[test]
fn a_book_that_grin_cannot_serve_fails_while_grin_is_well() {
    let Some(books) = shelf(2, 20_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let poison = barcode(0);
    home.grin.fail(move |call| {
        let is_poison = is_archive(call) && call.target.contains(&poison);
        is_poison.then_some(ArchiveFault::Status(500))
    });
    let synced = home.sync("--queue converted");
    assert_eq!(code(&synced), 1, "{}", said(&synced));
    assert!(said(&synced).contains(&barcode(0)), "{}", said(&synced));
    assert_eq!(home.completed(), [barcode(1)]);
}

#[test]
fn what_fails_for_every_book_costs_none_of_them_a_try() {
    for fault in [ArchiveFault::Status(403), ArchiveFault::Page] {
        let Some(books) = shelf(2, 20_000) else {
            return;
        };
        let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
        home.grin
            .fail(move |call| is_archive(call).then_some(fault));
        for _ in 0..6 {
            let synced = home.sync("--queue converted");
            assert_eq!(code(&synced), 1, "{}", said(&synced));
            assert!(
                !said(&synced).contains("not to be had"),
                "{}",
                said(&synced)
            );
        }
        home.grin.recover();
        let later = home.sync("--queue converted");
        assert_eq!(code(&later), 0, "{}", said(&later));
        assert_eq!(home.completed().len(), 2, "{}", said(&later));
    }
}

/// One archive may be damaged; that a second one does not open either, and none does, tells of the passphrase.
#[test]
fn a_wrong_passphrase_gives_up_one_book_at_most() {
    let Some(books) = shelf(4, 20_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    home.sync_with_another_passphrase(6);
    let later = home.sync("--queue converted");
    assert!(home.completed().len() >= 3, "{}", said(&later));
}

/// The other run may be on a machine that nobody here sees.
#[test]
fn two_runs_of_one_name_do_not_store_in_one_bucket() {
    let Some(books) = shelf(3, 20_000) else {
        return;
    };
    let grin = ArchiveGrin::start(books).unwrap();
    let home = Home::of(grin, Some(Home::bucket_store()));
    let of = |output: &str, args: &[String]| {
        let mut args = args.to_vec();
        args.extend(["--output-dir".to_owned(), output.to_owned()]);
        home.run(&args)
    };
    let refused = |output: &std::process::Output| {
        assert_eq!(code(output), 2, "{}", said(output));
        let told = said(output);
        assert!(
            told.contains("another run `g` stores in `g-meta/g`"),
            "{told}"
        );
        assert!(told.contains("--take-over"), "{told}");
    };
    let sync = sync_args("--queue converted");
    let rm = ["storage", "rm", "--run-name", "g", "raw", "--yes"].map(str::to_owned);
    assert_eq!(code(&of("output", &sync)), 0);
    assert_eq!(code(&of("second", &home.collect())), 0);
    refused(&of("second", &sync));
    refused(&of("second", &sync_args("--queue converted --dry-run")));
    refused(&of("second", &rm));
    let verify = ["verify", "--run-name", "g", "--read"].map(str::to_owned);
    let sound = of("output", &verify);
    assert_eq!(code(&sound), 0, "{}", said(&sound));
    // A run may be moved.
    std::fs::rename(home.path("output"), home.path("moved")).unwrap();
    let moved = of("moved", &sync);
    assert_eq!(code(&moved), 0, "{}", said(&moved));
    // Of one that is no more, somebody has to say so.
    std::fs::remove_dir_all(home.path("moved")).unwrap();
    refused(&of("second", &sync));
    let taken = of("second", &sync_args("--queue converted --take-over"));
    assert_eq!(code(&taken), 0, "{}", said(&taken));
    let own = of("second", &sync);
    assert_eq!(code(&own), 0, "{}", said(&own));
}

/// At another address there may be a bucket of the same name.
#[test]
fn a_bucket_without_anything_of_the_run_is_taken_for_another_one() {
    let Some(books) = shelf(3, 20_000) else {
        return;
    };
    let grin = ArchiveGrin::start(books).unwrap();
    let home = Home::of(grin, Some(Home::bucket_store()));
    let store = home.store.as_ref().unwrap();
    assert_eq!(code(&home.sync("--queue converted")), 0);
    for room in ["g-raw", "g-full"] {
        let (folder, away) = (store.file(room, "g"), home.path("away"));
        std::fs::rename(&folder, &away).unwrap();
        for refused in [
            home.sync("--queue converted"),
            home.run(&["verify", "--run-name", "g"]),
            home.run(&["repair", "--run-name", "g"]),
        ] {
            assert_eq!(code(&refused), 2, "{}", said(&refused));
            let told = said(&refused);
            assert!(
                told.contains(&format!("`{room}/g` is empty"))
                    && told.contains("is it the bucket that they are in?"),
                "{told}"
            );
        }
        // One that may not be listed is not empty, as far as anybody knows.
        store.fail(|call| {
            let is_list = call.method == "GET" && call.target.contains("list-type");
            is_list.then_some(StoreFault::Status(403))
        });
        let unknown = home.sync("--queue converted");
        assert_eq!(code(&unknown), 0, "{}", said(&unknown));
        store.recover();
        std::fs::rename(&away, &folder).unwrap();
        let sound = home.run(&["verify", "--run-name", "g", "--read"]);
        assert_eq!(code(&sound), 0, "{}", said(&sound));
    }
    std::fs::remove_dir_all(store.file("g-raw", "g")).unwrap();
    let lost = home.run(&["repair", "--run-name", "g", "--allow-empty"]);
    assert_eq!(code(&lost), 0, "{}", said(&lost));
    let again = home.sync("--queue converted");
    assert_eq!(code(&again), 0, "{}", said(&again));
    assert_eq!(home.completed().len(), 3);
}
