//! One write lock for each recorded file, counted from outside, and patience with others who take it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::contend::{Contender, Pattern};
use testkit::locks::{CommitCounter, strace};

use crate::support::{Ran, Root, album, set_time, song};

/// One file each of 1, 2, 3, 5, 10 and 25 passages.
fn albums(root: &Root) -> [usize; 6] {
    let sizes = [1, 2, 3, 5, 10, 25];
    for passages in sizes {
        let path = root.join(format!("of {passages}/Mix.wav"));
        // Pieces of a few seconds would be taken for parts of one.
        album(&path, passages as u64, passages, 30.0);
    }
    sizes
}

#[test]
fn a_file_takes_one_lock_whatever_its_passages_and_the_first_run_one_more() {
    let root = Root::empty();
    let sizes = albums(&root);
    let child = root
        .import_command(&["--jobs", "2"])
        .stdout(std::process::Stdio::piped())
        .spawn();
    let counter =
        CommitCounter::attach_when_made(&root.database(), Duration::from_secs(20)).unwrap();
    let ran = Ran::of(child.unwrap().wait_with_output().unwrap()).ended(0);
    assert_eq!(ran.files("recorded"), 6);
    let commits = counter.commits().unwrap();
    assert!(
        commits <= 7,
        "{commits} commits for 6 files and the making of the tables"
    );
    let passages = root.column(
        "SELECT count(*) FROM passages p JOIN files f ON f.guid = p.file_id GROUP BY f.guid ORDER BY 1",
    );
    assert_eq!(passages, sizes.map(|n| n.to_string()));
    drop(counter);

    // Again by force: every passage is written anew, and keeps its id.
    let before = root.column("SELECT guid FROM passages ORDER BY 1");
    let counter = CommitCounter::attach(&root.database()).unwrap();
    root.import(&["--force", "--jobs", "2"]).ended(0);
    let commits = counter.commits().unwrap();
    assert!(commits <= 6, "{commits} commits for 6 files");
    assert_eq!(root.column("SELECT guid FROM passages ORDER BY 1"), before);
}

#[test]
fn locks_seen_by_the_kernel_are_as_few() {
    if !strace::available() {
        eprintln!("skipped: strace is not to be had");
        return;
    }
    let root = Root::empty();
    albums(&root);
    let (output, calls) =
        strace::count(&root.import_command(&["--jobs", "2"]), &root.database()).unwrap();
    assert_eq!(Ran::of(output).ended(0).files("recorded"), 6);
    // Opening takes the lock to build the index, anew and for WAL mode; then the tables, then the files.
    assert!(calls.acquired <= 6 + 3, "{calls:?}");
    let (output, calls) = strace::count(&root.import_command(&[]), &root.database()).unwrap();
    assert_eq!(Ran::of(output).ended(0).files("unchanged"), 6);
    assert!(calls.acquired <= 2, "{calls:?}");
}

#[test]
fn what_is_unchanged_is_not_opened_and_costs_one_commit() {
    let root = Root::empty();
    testkit::corpus::many(&root.path(), 2_000, 1.0).unwrap();
    let first = Instant::now();
    let ran = root.import(&[]).ended(0);
    let first = first.elapsed();
    assert_eq!(ran.files("recorded"), 2_000);
    let counter = CommitCounter::attach(&root.database()).unwrap();
    let again = Instant::now();
    let ran = root.import(&[]).ended(0);
    let again = again.elapsed();
    assert_eq!(ran.files("unchanged"), 2_000);
    assert!(counter.commits().unwrap() <= 1);
    // A scan is name and time only, so even a slow disk reads names much faster than sounds are heard.
    assert!(again * 4 < first, "{again:?} against {first:?}");
    assert!(again < Duration::from_secs(4), "{again:?} for 2,000 files");
    drop(counter);

    if strace::available() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("calls");
        let command = root.import_command(&[]);
        let mut traced = Command::new("strace");
        traced
            .args(["-f", "-qq", "-e", "trace=open,openat,openat2", "-o"])
            .arg(&log)
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => traced.env(name, value),
                None => traced.env_remove(name),
            };
        }
        Ran::of(traced.output().unwrap()).ended(0);
        let calls = std::fs::read_to_string(log).unwrap();
        assert!(calls.contains("wkmp.db"), "{calls}");
        assert!(!calls.contains(".wav"), "an audio file was opened");
    } else {
        eprintln!("not looked at which files are opened: strace is not to be had");
    }
}

#[test]
fn changes_of_names_and_times_alone_cost_one_commit() {
    let root = Root::empty();
    for number in 0..5 {
        song(&root.join(format!("{number}.wav")), number);
    }
    root.import(&[]).ended(0);
    let ids = root.column("SELECT guid FROM files ORDER BY guid");
    std::fs::rename(root.join("0.wav"), root.join("9.wav")).unwrap();
    set_time(&root.join("1.wav"), 1_000_000_000);
    let counter = CommitCounter::attach(&root.database()).unwrap();
    let ran = root.import(&[]).ended(0);
    assert_eq!((ran.files("unchanged"), ran.files("moved")), (5, 1));
    assert!(counter.commits().unwrap() <= 1);
    assert_eq!(root.column("SELECT guid FROM files ORDER BY guid"), ids);
}

#[test]
fn contender() {
    testkit::contend::run_if_child();
}

#[test]
fn sixteen_jobs_are_patient_with_another_process() {
    let root = Root::empty();
    testkit::corpus::many(&root.path(), 12, 1.0).unwrap();
    root.import(&[]).ended(0);
    testkit::corpus::many(&root.path(), 160, 1.0).unwrap();
    let contender =
        Contender::spawn(&root.database(), "locked::contender", Pattern::default()).unwrap();
    // The second burst is the long one; the files must meet it.
    std::thread::sleep(Duration::from_millis(900));
    let ran = root.import(&["--jobs", "16"]).ended(0);
    let bursts = contender.stop().unwrap();
    assert!(bursts.held >= Duration::from_secs(4), "{bursts:?}");
    assert_eq!((ran.files("failed"), ran.files("recorded")), (0, 148));
    for text in [&ran.out, &ran.err] {
        assert!(!text.contains("locked"), "{text}");
    }
    root.assert_sound();
}

#[test]
fn a_lock_that_is_never_given_back_fails_files_that_the_next_run_takes_in() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    song(&root.join("b.wav"), 2);
    root.music(&["settings", "set", "ai_database_max_lock_wait_ms", "300"])
        .ended(0);
    let pattern = Pattern {
        hold: Duration::from_mins(1),
        every: Duration::from_mins(1),
        long_hold: Duration::ZERO,
    };
    let contender = Contender::spawn(&root.database(), "locked::contender", pattern).unwrap();
    let ran = root.import(&[]);
    drop(contender);
    assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
    assert!(!ran.err.contains("database is locked"), "{}", ran.err);
    assert_eq!(root.import(&[]).ended(0).files("recorded"), 1);
}

/// Each file, and who it is linked with.
const LINKS: &str = "SELECT f.path || ': ' || (SELECT group_concat(o.path, ' ') FROM (SELECT o.path FROM files o, \
                     json_each(f.matching_hashes) j WHERE o.guid = j.value ORDER BY 1) o) FROM files f ORDER BY 1";

#[test]
fn copies_are_linked_with_rows_that_are_there_whoever_of_two_imports_records_them() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    let copies: Vec<_> = (0..12)
        .map(|number| format!("copy{number:02}.wav"))
        .collect();
    for name in &copies {
        std::fs::copy(root.join("a.wav"), root.join(name)).unwrap();
    }
    let begun = [(); 2].map(|()| {
        let mut command = root.import_command(&["--offline", "--jobs", "1"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    });
    for child in begun {
        Ran::of(child.wait_with_output().unwrap()).ended(0);
    }
    root.assert_sound();
    let all: Vec<_> = std::iter::once("a.wav".to_owned()).chain(copies).collect();
    let whole: Vec<_> = all
        .iter()
        .map(|one| {
            let others: Vec<_> = all.iter().filter(|other| *other != one).cloned().collect();
            format!("{one}: {}", others.join(" "))
        })
        .collect();
    assert_eq!(root.column(LINKS), whole);
    // What an earlier version left: ids that the other import had chosen.
    let torn = "UPDATE files SET matching_hashes = json_insert(matching_hashes, '$[#]', 'nobody')";
    root.open().execute(torn, []).unwrap();
    let checked = root.music(&["check"]).ended(1);
    assert!(
        checked
            .out
            .contains("linked with a file that is not there: a.wav"),
        "{}",
        checked.out
    );
    assert!(checked.out.contains("links copies anew"), "{}", checked.out);
    root.import(&["--offline"]).ended(0);
    root.assert_sound();
    assert_eq!(root.column(LINKS), whole);
}
