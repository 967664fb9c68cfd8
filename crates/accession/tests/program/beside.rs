//! Identification beside an import: it begins before the import ends, takes one write lock a file, and
//! a service that is slow, silent or refuses the key holds nobody up.

use std::time::{Duration, Instant};

use testkit::locks::{CommitCounter, strace};
use testkit::services::{FakeServices, Fault, KEY, Service, World};
use testkit::synth::Random;

use crate::identify::{online, run, with_services};
use crate::support::{Ran, Root};

const LATER: &str = "SELECT count(*) FROM accession_identifications WHERE state = 'retry_later'";
const PASSAGES: &str = "SELECT count(*) FROM passages";

/// Songs long enough to be asked about, twelve to a folder.
fn songs(root: &Root, count: usize) {
    testkit::corpus::many(&root.path(), count, 12.0).unwrap();
}

/// Services that know `count` songs by their fingerprints: each folder is a release.
pub(crate) fn services_that_know(count: usize) -> FakeServices {
    let deaf = Root::empty();
    songs(&deaf, count);
    deaf.import(&[]).ended(0);
    let prints = deaf.column(
        "SELECT fp.fingerprint FROM accession_fingerprints fp JOIN passages p ON p.guid = fp.passage_id \
         JOIN files f ON f.guid = p.file_id ORDER BY f.path",
    );
    assert_eq!(prints.len(), count);
    let mut world = World::generate(3, 8);
    let mut random = Random::new(3);
    for (at, print) in prints.iter().enumerate() {
        let release = &mut world.releases[at / 12];
        let number = at % 12 % release.tracks.len();
        let track = &mut release.tracks[number];
        let recording = track.recording;
        track.length_ms = 12_000;
        world.recordings[recording].length_ms = 12_000;
        world.link(print, recording, &mut random);
    }
    FakeServices::start(world).unwrap()
}

fn asked(fake: &FakeServices, service: Service) -> usize {
    let of = |request: &&testkit::services::Request| request.service == service;
    fake.requests().iter().filter(of).count()
}

#[test]
fn a_folder_is_identified_while_others_are_still_heard() {
    let fake = services_that_know(60);
    let root = with_services(&fake);
    songs(&root, 60);
    let ran = run(
        &root,
        &["import", "--format", "json", "--jobs", "1"],
        Some(KEY),
    )
    .ended(0);
    assert_eq!(ran.files("recorded"), 60);
    let events = ran.events();
    let first = |name: &str| events.iter().position(|event| event["event"] == name);
    let last = events
        .iter()
        .rposition(|event| event["event"] == "file_recorded");
    assert!(
        first("passage_identified") < last,
        "{:?} {last:?}",
        first("passage_identified")
    );
    assert_eq!(ran.told("folder_taken_in").len(), 5);
    // Every passage is told about once, and counted once.
    let told = ran.told("passage_identified");
    assert_eq!(told.len(), 60);
    let report = &ran.told("identify_completed")[0];
    assert_eq!(
        (report["passages"].as_u64(), report["retry_later"].as_u64()),
        (Some(60), Some(0))
    );
    assert_eq!(
        root.count("SELECT count(*) FROM accession_identifications"),
        60
    );
    assert!(asked(&fake, Service::MusicBrainz) > 0);
    let before = fake.requests().len();
    run(&root, &["identify"], Some(KEY)).ended(0);
    assert_eq!(fake.requests().len(), before, "the second run asks nobody");
    root.assert_sound();
}

#[test]
fn import_and_identification_take_two_locks_a_file_together() {
    let fake = services_that_know(24);
    let root = with_services(&fake);
    songs(&root, 24);
    let counter = CommitCounter::attach(&root.database()).unwrap();
    let ran = run(&root, &["import", "--format", "json"], Some(KEY)).ended(0);
    let commits = counter.commits().unwrap();
    assert_eq!(ran.files("recorded"), 24);
    assert_eq!(
        root.count("SELECT count(*) FROM accession_identifications"),
        24
    );
    assert!(root.count("SELECT count(*) FROM accession_answers") > 0);
    // One more keeps the key that only the environment knew.
    assert!(commits <= 2 * 24 + 1, "{commits} commits for 24 files");
    drop(counter);

    if !strace::available() {
        eprintln!("not counted in the kernel: strace is not to be had");
        return;
    }
    let root = with_services(&fake);
    songs(&root, 24);
    let command = online(&root, &["import", "--format", "json"], Some(KEY));
    let (output, calls) = strace::count(&command, &root.database()).unwrap();
    assert_eq!(Ran::of(output).ended(0).files("recorded"), 24);
    // Opening takes the lock, too.
    assert!(calls.acquired <= 2 * 24 + 3, "{calls:?}");
}

#[test]
fn a_service_that_answers_too_late_or_never_holds_no_import_up() {
    let fake = FakeServices::start(World::generate(1, 4)).unwrap();
    let calm = with_services(&fake);
    songs(&calm, 100);
    let began = Instant::now();
    calm.import(&[]).ended(0);
    let offline = began.elapsed();
    for fault in [Fault::Slow(Duration::from_secs(17)), Fault::Silent] {
        let root = with_services(&fake);
        songs(&root, 100);
        fake.fail(Service::AcoustId, fault.clone(), 10_000);
        let began = Instant::now();
        let ran = run(&root, &["import", "--format", "json"], Some(KEY)).ended(0);
        let took = began.elapsed();
        assert_eq!(ran.files("recorded"), 100);
        assert_eq!(root.count(LATER), root.count(PASSAGES), "{fault:?}");
        // To wait for each of the nine folders' questions, twice five seconds, would take 90 s. The exact
        // part is for `bench outage`; a machine that tests runs other things beside, so half is room enough.
        assert!(
            took < offline + Duration::from_secs(45),
            "{took:?} instead of {offline:?}"
        );
        fake.mend();
        run(&root, &["identify"], Some(KEY)).ended(0);
        assert_eq!(root.count(LATER), 0, "{fault:?}");
    }
}

#[test]
fn a_key_that_is_refused_in_mid_run_is_told_once_and_fails_no_file() {
    let fake = services_that_know(36);
    let root = with_services(&fake);
    songs(&root, 36);
    fake.fail_after(1, Service::AcoustId, Fault::BadKey, 1_000);
    let ran = run(&root, &["import", "--jobs", "1"], Some(KEY)).ended(0);
    assert_eq!(
        ran.err.matches("AcoustID refuses").count(),
        1,
        "{}",
        ran.err
    );
    assert!(!ran.err.contains(KEY) && !ran.out.contains(KEY));
    assert_eq!(
        root.count("SELECT count(*) FROM files WHERE status = 'INGEST COMPLETE'"),
        36
    );
    assert_eq!(
        asked(&fake, Service::AcoustId),
        2,
        "nobody asks with a refused key"
    );
    assert!(root.count(LATER) > 0);
    // What the first answer said is kept.
    let kept = "SELECT count(*) FROM accession_answers WHERE service = 'acoustid'";
    assert_eq!(root.count(kept), 10);
    fake.mend();
    run(&root, &["identify"], Some(KEY)).ended(0);
    assert_eq!(root.count(LATER), 0);
}

#[test]
fn a_portals_page_and_a_missing_key_are_told_once() {
    let fake = FakeServices::start(World::generate(1, 4)).unwrap();
    let root = with_services(&fake);
    songs(&root, 24);
    for service in [Service::AcoustId, Service::MusicBrainz] {
        fake.fail(service, Fault::Portal, 1_000);
    }
    let ran = run(&root, &["import"], Some(KEY)).ended(0);
    assert_eq!(
        ran.err.matches("does the network want a sign-in?").count(),
        1,
        "{}",
        ran.err
    );
    assert_eq!(root.count(LATER), root.count(PASSAGES));

    let root = with_services(&fake);
    fake.mend();
    songs(&root, 24);
    let ran = run(&root, &["import"], None).ended(0);
    assert_eq!(
        ran.err
            .matches("https://acoustid.org/new-application")
            .count(),
        1,
        "{}",
        ran.err
    );
    assert_eq!(root.count(LATER), 0);
}
