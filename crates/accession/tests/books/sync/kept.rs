//! What is stored is looked at, put right, listed and removed.

use testkit::archives::ArchiveGrin;

use crate::support::{code, said};
use crate::sync::{Home, barcode, shelf};

fn with_three(in_buckets: bool) -> Option<Home> {
    let store = in_buckets.then(Home::bucket_store);
    let home = Home::of(ArchiveGrin::start(shelf(3, 20_000)?).unwrap(), store);
    let output = home.sync("--queue converted");
    assert_eq!(code(&output), 0, "{}", said(&output));
    Some(home)
}

#[test]
fn what_is_missing_or_changed_is_found_and_comes_again() {
    for in_buckets in [false, true] {
        let Some(home) = with_three(in_buckets) else {
            return;
        };
        let verify = ["verify", "--run-name", "g", "--read"];
        let sound = home.run(&verify);
        assert_eq!(code(&sound), 0, "{}", said(&sound));
        let file = |number| match &home.store {
            None => home.path(&format!("store/raw/{0}/{0}.tar.gz", barcode(number))),
            Some(store) => store.file("g-raw", &format!("g/{}.tar.gz", barcode(number))),
        };
        std::fs::remove_file(file(0)).unwrap();
        let mut bytes = std::fs::read(file(1)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(file(1), bytes).unwrap();
        let looked = home.run(&verify[..3]);
        assert_eq!(code(&looked), 1, "{}", said(&looked));
        assert!(
            said(&looked).contains(&format!("wrong: {}", barcode(0))),
            "{}",
            said(&looked)
        );
        assert!(
            !said(&looked).contains(&barcode(1)),
            "a look does not read: {}",
            said(&looked)
        );
        let repaired = home.run(&["repair", "--run-name", "g", "--read"]);
        assert_eq!(code(&repaired), 0, "{}", said(&repaired));
        assert_eq!(home.completed(), [barcode(2)]);
        let again = home.sync("--queue converted");
        assert_eq!(code(&again), 0, "{}", said(&again));
        assert_eq!(home.completed().len(), 3, "{}", said(&again));
        let sound = home.run(&verify);
        assert_eq!(code(&sound), 0, "{}", said(&sound));
    }
}

#[test]
fn only_the_runs_own_objects_are_listed_and_removed() {
    let Some(home) = with_three(true) else { return };
    let store = home.store.as_ref().unwrap();
    let theirs = store.file("g-raw", "other/precious.tar.gz");
    std::fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    std::fs::write(&theirs, "theirs").unwrap();
    let listed = home.run(&["storage", "ls", "--run-name", "g", "raw"]);
    assert_eq!(said(&listed).lines().count(), 3, "{}", said(&listed));
    let planned = home.run(&["storage", "rm", "--run-name", "g", "raw"]);
    assert!(
        said(&planned).contains("would remove 3 objects"),
        "{}",
        said(&planned)
    );
    assert_eq!(home.completed().len(), 3);
    let removed = home.run(&["storage", "rm", "--run-name", "g", "raw", "--yes"]);
    assert_eq!(code(&removed), 0, "{}", said(&removed));
    assert_eq!(store.keys("g-raw"), ["other/precious.tar.gz"]);
    assert!(
        home.completed().is_empty(),
        "what is removed is not called completed"
    );
}

#[test]
fn an_object_is_copied_out_extracted_and_reported() {
    let Some(home) = with_three(true) else { return };
    let name = format!("{}.tar.gz", barcode(0));
    let copied = home.run(&[
        "storage",
        "cp",
        "--run-name",
        "g",
        "raw",
        &name,
        "out.tar.gz",
    ]);
    assert_eq!(code(&copied), 0, "{}", said(&copied));
    assert_eq!(
        std::fs::read(home.path("out.tar.gz")).ok(),
        home.stored(&barcode(0))
    );
    let extracted = home.run(&["extract", "out.tar.gz", "--output-dir", "texts"]);
    assert_eq!(code(&extracted), 0, "{}", said(&extracted));
    assert_eq!(
        std::fs::read_to_string(home.path("texts/out.jsonl")).ok(),
        home.text(&barcode(0))
    );
    let report = home.run(&["report", "--run-name", "g", "--html", "report.html"]);
    assert!(
        said(&report).contains("stored      3 of 3 books"),
        "{}",
        said(&report)
    );
    let page = std::fs::read_to_string(home.path("report.html")).unwrap();
    assert!(page.contains("sync/completed"), "{page}");
}

#[test]
fn a_text_that_is_gone_is_missed_without_reading_any() {
    let Some(home) = with_three(false) else {
        return;
    };
    let text = home.path(&format!("store/full/g/{}_ocr.jsonl.gz", barcode(0)));
    std::fs::remove_file(text).unwrap();
    let looked = home.run(&["verify", "--run-name", "g"]);
    assert_eq!(code(&looked), 1, "{}", said(&looked));
    assert_eq!(code(&home.run(&["repair", "--run-name", "g"])), 0);
    let again = home.sync("--queue converted");
    assert_eq!(code(&again), 0, "{}", said(&again));
    assert_eq!(code(&home.run(&["verify", "--run-name", "g", "--read"])), 0);
}

#[test]
fn what_a_run_works_with_is_never_written_over() {
    let Some(home) = with_three(false) else {
        return;
    };
    let text = format!("{}_ocr.jsonl.gz", barcode(0));
    let stored = format!("store/full/g/{text}");
    let cp = |target: &str| home.run(&["storage", "cp", "--run-name", "g", "full", &text, target]);
    let report = |target: &str| home.run(&["report", "--run-name", "g", "--html", target]);
    let own = ["output/g/books.db", "output/g/run_config.json", &stored];
    for target in own {
        let before = std::fs::read(home.path(target)).unwrap();
        for refused in [cp(target), report(target)] {
            assert_ne!(code(&refused), 0, "{target}: {}", said(&refused));
        }
        assert!(
            std::fs::read(home.path(target)).unwrap() == before,
            "{target}"
        );
    }
    // What a link leads to is written, and the link stays.
    #[cfg(unix)]
    {
        std::fs::write(home.path("real.gz"), "before").unwrap();
        std::os::unix::fs::symlink("real.gz", home.path("link.gz")).unwrap();
        let copied = cp("link.gz");
        assert_eq!(code(&copied), 0, "{}", said(&copied));
        assert!(
            std::fs::symlink_metadata(home.path("link.gz"))
                .unwrap()
                .is_symlink()
        );
        let same = std::fs::read(home.path("real.gz")).unwrap();
        assert!(same == std::fs::read(home.path(&stored)).unwrap());
    }
}

#[test]
fn texts_of_two_archives_of_one_name_are_not_written_over_each_other() {
    let Some(home) = with_three(false) else {
        return;
    };
    for (folder, number) in [("a", 0), ("b", 1)] {
        std::fs::create_dir(home.path(folder)).unwrap();
        let archive = home.path(&format!("store/raw/{0}/{0}.tar.gz", barcode(number)));
        std::fs::copy(archive, home.path(&format!("{folder}/same.tar.gz"))).unwrap();
    }
    let extracted = home.run(&[
        "extract",
        "a/same.tar.gz",
        "b/same.tar.gz",
        "--output-dir",
        "texts",
    ]);
    assert_eq!(code(&extracted), 1, "{}", said(&extracted));
    let text = std::fs::read_to_string(home.path("texts/same.jsonl")).ok();
    assert_eq!(text, home.text(&barcode(0)));
}
