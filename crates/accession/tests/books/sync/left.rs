//! What is left undone, and what is left behind: told, and cleared.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use testkit::archives::{ArchiveFault, ArchiveGrin, Shelved, archive, encrypt_with};
use testkit::kill::kill_after;
use testkit::stores::ObjectStore;

use crate::support::{code, files, said};
use crate::sync::{Home, barcode, shelf, sync_args};

fn with_books(count: u32, picture: usize, store: Option<ObjectStore>) -> Option<Home> {
    let books = shelf(count, picture)?;
    Some(Home::of(ArchiveGrin::start(books).unwrap(), store))
}

fn of_run(home: &Home, run: &str, args: &[String]) -> std::process::Output {
    let mut args = args.to_vec();
    let at = args.iter().position(|arg| arg == "--run-name").unwrap();
    run.clone_into(&mut args[at + 1]);
    home.run(&args)
}

#[test]
fn archives_that_another_run_has_as_well_stay() {
    let Some(home) = with_books(3, 20_000, None) else {
        return;
    };
    assert_eq!(code(&home.sync("--queue converted")), 0);
    assert_eq!(code(&of_run(&home, "other", &home.collect())), 0);
    let two = format!("--barcodes {},{}", barcode(0), barcode(1));
    let synced = of_run(&home, "other", &sync_args(&two));
    assert_eq!(code(&synced), 0, "{}", said(&synced));
    let rm = ["storage", "rm", "--run-name", "g", "raw", "--yes"];
    // A run that is not where its books could be asked may have any of them.
    std::fs::rename(home.path("output/other"), home.path("away")).unwrap();
    let refused = home.run(&rm);
    assert_eq!(code(&refused), 2, "{}", said(&refused));
    assert!(
        said(&refused).contains("may be those of the run `other`"),
        "{}",
        said(&refused)
    );
    std::fs::rename(home.path("away"), home.path("output/other")).unwrap();
    let removed = home.run(&rm);
    assert_eq!(code(&removed), 0, "{}", said(&removed));
    assert!(
        said(&removed).contains("2 archives stay: the run `other` has them as well")
            && said(&removed).contains("removed 1 objects"),
        "{}",
        said(&removed)
    );
    let verify = ["verify", "--run-name", "other", "--read"];
    let sound = home.run(&verify);
    assert_eq!(code(&sound), 0, "{}", said(&sound));
    assert_eq!(home.completed(), [barcode(0), barcode(1)]);
}

#[test]
fn what_a_killed_sync_of_stored_books_leaves_is_cleared_by_the_next() {
    for in_buckets in [false, true] {
        let store = in_buckets.then(Home::bucket_store);
        let Some(home) = with_books(4, 400_000, store) else {
            return;
        };
        assert_eq!(code(&home.sync("--queue converted")), 0);
        let staging = home.path(if in_buckets {
            "output/g/staging"
        } else {
            "store/staging"
        });
        assert!(!staging.exists());
        let force = sync_args("--queue converted --force --bwlimit 1M");
        let begun = (0..20).any(|round| {
            let delay = Duration::from_millis(300 + 50 * round);
            kill_after(home.command(&force), delay).unwrap();
            staging.exists() && !files(&staging).is_empty()
        });
        assert!(begun, "nothing was begun");
        let next = home.sync("--queue converted");
        assert_eq!(code(&next), 0, "{}", said(&next));
        assert!(!staging.exists(), "{:?}", files(&staging));
        if let Some(store) = &home.store {
            assert_eq!(store.unfinished(), Vec::<String>::new());
        }
        let sound = home.run(&["verify", "--run-name", "g", "--read"]);
        assert_eq!(code(&sound), 0, "{}", said(&sound));
    }
}

#[test]
fn a_status_tells_how_many_archives_are_stored_and_failed() {
    let Some(mut books) = shelf(3, 20_000) else {
        return;
    };
    books[1].archive = Some(Arc::new(b"no archive at all".to_vec()));
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let status = || said(&home.run(&["status", "--run-name", "g"]));
    assert!(
        status().contains("archives    0 stored (0 bytes); 3 to come"),
        "{}",
        status()
    );
    assert_eq!(code(&home.sync("--queue converted")), 1);
    let line = status();
    assert!(line.contains("archives    2 stored (4"), "{line}");
    assert!(line.contains("; 1 failed\n"), "{line}");
}

#[test]
fn a_queue_or_a_sample_without_a_book_says_why() {
    let Some(home) = with_books(3, 20_000, None) else {
        return;
    };
    let says = |output: &std::process::Output, what: &str| {
        assert!(said(output).contains(what), "{what}: {}", said(output));
    };
    let verify = ["verify", "--run-name", "g", "--sample", "1%"];
    let none = home.run(&verify);
    assert_eq!(code(&none), 1, "{}", said(&none));
    says(&none, "nothing was looked at");
    let changed = home.sync("--queue changed");
    says(
        &changed,
        "nothing in `changed`: none of the 3 books known is stored",
    );
    says(&changed, "nothing was done");
    assert_eq!(code(&home.sync("--queue converted")), 0);
    let again = home.sync("--queue converted");
    says(
        &again,
        "all 3 books that GRIN lists as converted are stored",
    );
    let changed = home.sync("--queue changed");
    says(&changed, "changed: 3 books");
    says(&changed, "3 need nothing");
    let few = home.run(&verify);
    assert_eq!(code(&few), 0, "{}", said(&few));
    says(&few, "1 of 3 books looked at");
    home.database()
        .execute(
            "UPDATE books SET encrypted_etag = NULL WHERE barcode = ?1",
            [barcode(0)],
        )
        .unwrap();
    let changed = home.sync("--queue changed");
    says(&changed, "1 of 3 stored books are not compared");
}

#[test]
fn an_archive_packed_by_bzip2_is_read() {
    let Some(mut books) = shelf(1, 20_000) else {
        return;
    };
    let options = ["--s2k-count", "65536", "--compress-algo", "bzip2"];
    let plain = archive("volume 0", 4, 20_000);
    books[0].archive = encrypt_with(&plain, &options).map(Arc::new);
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let synced = home.sync("--queue converted");
    assert_eq!(code(&synced), 0, "{}", said(&synced));
    assert!(home.stored(&barcode(0)) == Some(plain));
}

/// The folder of a mount whose disk is gone is there, and empty.
#[test]
fn a_store_whose_disk_is_gone_is_waited_for_and_nothing_is_written_in_its_place() {
    let Some(home) = with_books(3, 20_000, None) else {
        return;
    };
    let (store, away) = (home.path("store"), home.path("away"));
    let unmount = || {
        std::fs::rename(&store, &away).unwrap();
        std::fs::create_dir(&store).unwrap();
    };
    let mount = || {
        assert_eq!(files(&store), Vec::<std::path::PathBuf>::new());
        assert_eq!(std::fs::read_dir(&store).unwrap().count(), 0);
        std::fs::remove_dir(&store).unwrap();
        std::fs::rename(&away, &store).unwrap();
    };
    let is_archive = |target: &str| target.ends_with(".tar.gz.gpg");
    home.grin.fail(move |call| {
        is_archive(&call.target).then_some(ArchiveFault::Stalled(Duration::from_secs(2)))
    });
    let mut syncing = home
        .command(&sync_args("--queue converted"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !home
        .grin
        .calls()
        .iter()
        .any(|call| is_archive(&call.target))
    {
        std::thread::sleep(Duration::from_millis(10));
    }
    unmount();
    home.grin.recover();
    let mut lines = BufReader::new(syncing.stderr.take().unwrap()).lines();
    let told = lines.find(|line| {
        let line = line.as_ref().unwrap();
        line.contains("waiting for") && line.contains("is its disk mounted?")
    });
    assert!(told.is_some(), "nothing was said");
    std::thread::sleep(Duration::from_secs(1));
    mount();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(syncing.wait().unwrap().success(), "{rest:?}");
    assert_eq!(home.completed().len(), 3);

    // An empty folder says nothing about the books that were stored.
    unmount();
    let refused = home.sync("--queue converted");
    assert_eq!(code(&refused), 2, "{}", said(&refused));
    assert!(
        said(&refused).contains("is its disk mounted?"),
        "{}",
        said(&refused)
    );
    let repaired = home.run(&["repair", "--run-name", "g"]);
    assert_eq!(code(&repaired), 1, "{}", said(&repaired));
    let collected = home.run(&home.collect());
    assert_eq!(code(&collected), 0, "{}", said(&collected));
    mount();
    assert_eq!(home.completed().len(), 3);
}

#[test]
fn a_full_queue_of_conversions_is_told_and_asked_again_by_the_next_sync() {
    let books = (0..60).map(|number| Shelved {
        barcode: barcode(number),
        title: format!("volume {number}"),
        state: "NOT_CONVERTED".into(),
        ..Shelved::default()
    });
    let home = Home::of(ArchiveGrin::start(books.collect()).unwrap(), None);
    home.grin.fail(|call| {
        call.target
            .starts_with("_process")
            .then_some(ArchiveFault::Status(429))
    });
    let synced = home.sync("--queue unconverted --in-the-air 4");
    assert_eq!(code(&synced), 0, "{}", said(&synced));
    assert!(
        said(&synced).contains("GRIN's queue of conversions is full (it answered 429)"),
        "{}",
        said(&synced)
    );
    home.grin.recover();
    let later = home.sync("--queue unconverted");
    assert!(
        said(&later).contains("60 are to be converted now"),
        "{}",
        said(&later)
    );
}

/// Each of the folders of a store may be a disk of its own.
#[test]
fn an_empty_folder_in_which_books_are_said_to_be_is_a_disk_that_is_not_mounted() {
    for room in ["store/raw", "store/full"] {
        let Some(home) = with_books(3, 20_000, None) else {
            return;
        };
        assert_eq!(code(&home.sync("--queue converted")), 0);
        let (room, away) = (home.path(room), home.path("away"));
        std::fs::rename(&room, &away).unwrap();
        std::fs::create_dir(&room).unwrap();
        let looks = [
            home.sync("--queue converted"),
            home.sync("--queue converted --force"),
            home.run(&["verify", "--run-name", "g"]),
            home.run(&["repair", "--run-name", "g"]),
        ];
        for refused in looks {
            assert_eq!(code(&refused), 2, "{}", said(&refused));
            let told = said(&refused);
            assert!(
                told.contains("is empty") && told.contains("is its disk mounted?"),
                "{told}"
            );
        }
        assert_eq!(std::fs::read_dir(&room).unwrap().count(), 0);
        assert_eq!(home.completed().len(), 3);
        std::fs::remove_dir(&room).unwrap();
        std::fs::rename(&away, &room).unwrap();
        let sound = home.run(&["verify", "--run-name", "g", "--read"]);
        assert_eq!(code(&sound), 0, "{}", said(&sound));

        // What is gone for good comes again once somebody says that it is.
        std::fs::remove_dir_all(&room).unwrap();
        std::fs::create_dir(&room).unwrap();
        let lost = home.run(&["repair", "--run-name", "g", "--allow-empty"]);
        assert_eq!(code(&lost), 0, "{}", said(&lost));
        assert_eq!(home.completed().len(), 0);
        let again = home.sync("--queue converted");
        assert_eq!(code(&again), 0, "{}", said(&again));
        let sound = home.run(&["verify", "--run-name", "g", "--read"]);
        assert_eq!(code(&sound), 0, "{}", said(&sound));
    }
}

#[test]
fn two_runs_of_one_name_do_not_store_in_one_folder() {
    let Some(home) = with_books(3, 20_000, None) else {
        return;
    };
    let of = |output: &str, args: &[String]| {
        let mut args = args.to_vec();
        args.extend(["--output-dir".to_owned(), output.to_owned()]);
        home.run(&args)
    };
    let sync = sync_args("--queue converted");
    let rm: Vec<String> = ["storage", "rm", "--run-name", "g", "raw", "--yes"]
        .map(str::to_owned)
        .to_vec();
    let refused = |output: &std::process::Output| {
        assert_eq!(code(output), 2, "{}", said(output));
        assert!(
            said(output).contains("under the same name"),
            "{}",
            said(output)
        );
    };
    assert_eq!(code(&of("output", &sync)), 0);
    assert_eq!(code(&of("second", &home.collect())), 0);
    refused(&of("second", &sync));
    refused(&of("second", &rm));
    let verify = ["verify", "--run-name", "g", "--read"].map(str::to_owned);
    let sound = of("output", &verify);
    assert_eq!(code(&sound), 0, "{}", said(&sound));
    // A run may be moved; once it is no more, another one may have its name.
    std::fs::rename(home.path("output"), home.path("moved")).unwrap();
    let moved = of("moved", &sync);
    assert_eq!(code(&moved), 0, "{}", said(&moved));
    refused(&of("second", &sync));
    std::fs::remove_dir_all(home.path("moved")).unwrap();
    let alone = of("second", &sync);
    assert_eq!(code(&alone), 0, "{}", said(&alone));
}
