//! Files broken in every known way: each one named with its reason, none a stumbling block for the others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::broken::{self, Broken, Expect};

use crate::support::{Ran, Root};

fn zoo() -> (Root, Vec<Broken>) {
    let root = Root::collection();
    let made = broken::all(&root.join("zoo")).unwrap();
    (root, made)
}

/// The path in the library, as events tell it.
fn library_path(root: &Root, broken: &Broken) -> String {
    let path = broken.path.strip_prefix(root.path()).unwrap();
    path.to_string_lossy().into_owned()
}

/// How often each file is said not to be taken in whole, or at all.
fn named(ran: &Ran) -> BTreeMap<String, Vec<Value>> {
    let mut named: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in ran.events() {
        let kind = event["event"].as_str().unwrap();
        if matches!(
            kind,
            "file_failed" | "file_misleading" | "file_no_audio" | "file_misnamed"
        ) {
            let path = event["path"].as_str().unwrap().to_owned();
            assert!(!event["reason"].as_str().unwrap().is_empty(), "{event}");
            named.entry(path).or_default().push(event);
        }
    }
    named
}

#[test]
fn each_broken_file_is_named_once_with_its_reason_and_every_good_one_recorded() {
    let (root, made) = zoo();
    let ran = root.import(&["--jobs", "4"]).ended(1);
    let named = named(&ran);
    let again: Vec<_> = named
        .iter()
        .filter(|(_, events)| events.len() != 1)
        .collect();
    assert!(again.is_empty(), "named more than once: {again:#?}");
    let recorded: BTreeSet<String> = root
        .column("SELECT path FROM files WHERE status IN ('INGEST COMPLETE', 'DUPLICATE HASH')")
        .into_iter()
        .collect();
    for path in testkit::corpus::collection_into(&root.path()).unwrap() {
        let path = path
            .strip_prefix(root.path())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert!(recorded.contains(&path), "good, but not recorded: {path}");
    }
    let mut wrong = Vec::new();
    for one in &made {
        let path = library_path(&root, one);
        // What has another format's name is told, and taken all the same.
        let lies = one.why.contains("under the extension of");
        let fits = match one.expect {
            Expect::Sound if lies => {
                named
                    .get(&path)
                    .is_some_and(|told| told[0]["event"] == "file_misnamed")
                    && recorded.contains(&path)
            }
            Expect::Sound => recorded.contains(&path),
            Expect::Silence => named[&path][0]["event"] == "file_no_audio",
            Expect::Nothing => named.contains_key(&path) && !recorded.contains(&path),
            Expect::Either => true,
            Expect::NoFile => !recorded.contains(&path),
        };
        if !fits {
            wrong.push(format!(
                "{path} {}: {:?}, told {:?}",
                one.why,
                one.expect,
                named.get(&path)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    root.assert_sound();

    let status = root.music(&["status", "--all"]).ended(0);
    for path in named
        .iter()
        .filter(|(_, events)| events[0]["event"] != "file_no_audio")
        .map(|(path, _)| path)
    {
        let lines = status
            .out
            .lines()
            .filter(|line| line.trim() == path)
            .count();
        assert_eq!(lines, 1, "{path} in\n{}", status.out);
    }
}

#[test]
fn the_second_run_tells_the_same_without_reading_and_force_tries_again() {
    let (root, made) = zoo();
    let first = root.import(&["--jobs", "4"]).ended(1);
    let problems = |ran: &Ran| -> BTreeMap<String, Value> {
        let events = named(ran).into_iter();
        events
            // What was taken in is not told again: `status` lists it.
            .filter(|(_, events)| {
                events[0]["event"] != "file_no_audio" && events[0]["event"] != "file_misnamed"
            })
            .map(|(path, events)| (path, events[0].clone()))
            .collect()
    };
    let told = problems(&first);
    assert!(told.len() > 30, "{}", told.len());
    let second = root.import(&["--jobs", "4"]).ended(1);
    assert_eq!(problems(&second), told);
    assert_eq!(second.told("planned")[0]["to_analyse"], 0);
    assert_eq!(second.files("recorded"), 0);
    let count = |ran: &Ran| ran.files("failed") + ran.files("misleading");
    assert_eq!(count(&second), count(&first));

    let third = root.import(&["--jobs", "4", "--force"]).ended(1);
    assert_eq!(problems(&third), told);
    assert_eq!(third.files("recorded"), first.files("recorded"));

    // Mended, a file is taken in; gone, it is forgotten.
    let empty = made
        .iter()
        .find(|one| one.path.ends_with("empty.wav"))
        .unwrap();
    crate::support::song(&empty.path, 5);
    let gone = made
        .iter()
        .find(|one| one.path.ends_with("empty.flac"))
        .unwrap();
    std::fs::remove_file(&gone.path).unwrap();
    let fourth = root.import(&[]).ended(1);
    assert_eq!(fourth.files("recorded"), 1);
    let status = root.music(&["status", "--all"]).ended(0);
    for mended in [empty, gone] {
        let path = library_path(&root, mended);
        assert!(!status.out.contains(&path), "{path} in\n{}", status.out);
    }
}

#[test]
fn a_good_file_that_breaks_is_told_and_mended_keeps_its_id() {
    let root = Root::empty();
    let path = root.join("a.wav");
    crate::support::song(&path, 1);
    root.import(&[]).ended(0);
    let ids = root.column("SELECT guid FROM files UNION ALL SELECT guid FROM passages");
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"").unwrap();
    root.import(&[]).ended(1);
    root.import(&[]).ended(1);
    root.assert_sound();
    std::fs::write(&path, good).unwrap();
    root.import(&[]).ended(0);
    assert_eq!(
        root.column("SELECT guid FROM files UNION ALL SELECT guid FROM passages"),
        ids
    );
    assert_eq!(root.column("SELECT status FROM files"), ["INGEST COMPLETE"]);
    assert_eq!(root.count("SELECT count(*) FROM accession_problems"), 0);
}
