//! Signals: the first one ends the run politely, the second at once.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::kill::signal;
use testkit::library::{Rules, assert_same};

use crate::support::{Ran, Root, album};

/// Files that take about a tenth of a second each.
fn fill(root: &Root) {
    for number in 0..24 {
        album(&root.join(format!("{number}/Mix.wav")), number, 4, 20.0);
    }
}

/// Starts an import and waits until the first file is in.
fn under_way(root: &Root) -> (Child, String, BufReader<std::process::ChildStdout>) {
    begun(root.import_command(&["--jobs", "2"]))
}

/// Starts an import that tells its events, and waits until the first file is in.
pub(crate) fn begun(mut command: Command) -> (Child, String, BufReader<std::process::ChildStdout>) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("file_recorded") {
        assert!(out.read_line(&mut said).unwrap() > 0, "{said}");
    }
    (child, said, out)
}

fn ended(mut child: Child, mut said: String, mut out: BufReader<std::process::ChildStdout>) -> Ran {
    out.read_to_string(&mut said).unwrap();
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    Ran {
        code: child.wait().unwrap().code(),
        out: said,
        err,
    }
}

#[test]
fn the_first_signal_finishes_the_files_in_hand_and_the_next_run_the_rest() {
    let calm = Root::empty();
    fill(&calm);
    calm.import(&[]).ended(0);
    for (name, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let root = Root::empty();
        fill(&root);
        let (child, said, out) = under_way(&root);
        signal(&child, name);
        let ran = ended(child, said, out).ended(code);
        let last = ran.completed();
        assert_eq!(last["state"], "stopped");
        assert!(last["files"]["not_reached"].as_u64().unwrap() > 0, "{last}");
        assert_eq!(
            ran.told("file_recorded").len() as u64,
            ran.files("recorded")
        );
        assert_eq!(
            root.count("SELECT count(*) FROM files") as u64,
            ran.files("recorded")
        );
        assert_eq!(
            root.column("SELECT json_extract(state, '$') FROM import_sessions"),
            ["CANCELLED"]
        );
        root.assert_sound();
        let rest = root.import(&[]).ended(0);
        assert_eq!(rest.files("unchanged"), ran.files("recorded"));
        assert_same(
            &calm.database(),
            &root.database(),
            &Rules::default().without_table("import_sessions"),
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_was_ignored_from_the_beginning_stays_ignored() {
    let root = Root::empty();
    fill(&root);
    let import = root.import_command(&["--jobs", "2"]);
    // As `nohup` does, without its redirections.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(import.get_program())
        .args(import.get_args())
        .envs(
            import
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
    let (child, said, out) = begun(command);
    signal(&child, "-HUP");
    let ran = ended(child, said, out).ended(0);
    assert_eq!(ran.completed()["state"], "completed");
}

#[test]
fn the_second_signal_ends_at_once_be_it_the_same_or_not() {
    for (first, second, code) in [
        ("-INT", "-INT", 130),
        ("-TERM", "-TERM", 143),
        ("-INT", "-TERM", 143),
        ("-HUP", "-HUP", 129),
    ] {
        let root = Root::empty();
        // One file that takes long, behind a short one that shows when the work has begun.
        album(&root.join("a/Mix.wav"), 1, 1, 2.0);
        testkit::corpus::long_wav(&root.join("long.wav"), 1, 3.0, 22_050).unwrap();
        let (child, said, out) = under_way(&root);
        signal(&child, first);
        std::thread::sleep(Duration::from_millis(150));
        let asked = Instant::now();
        signal(&child, second);
        let ran = ended(child, said, out).ended(code);
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{:?}",
            asked.elapsed()
        );
        assert!(
            ran.told("import_completed").is_empty(),
            "{first} {second}: {}",
            ran.out
        );
        root.assert_sound();
    }
}

#[test]
fn stopped_while_scanning_it_calls_nothing_missing() {
    use run::{Cancel, Progress, Signal};
    let root = Root::empty();
    for number in 0..3 {
        album(&root.join(format!("{number}.wav")), number, 1, 1.0);
    }
    root.import(&[]).ended(0);
    let library = music::Library::open(&root.database(), &root.path()).unwrap();
    let cancel = Cancel::new();
    cancel.request(Signal::Interrupt);
    let import = music::Import {
        only: None,
        session: None,
        folder: root.path(),
        jobs: 1,
        prune: true,
        dry_run: false,
        force: false,
    };
    let events = std::sync::Mutex::new(Vec::new());
    let tell = |event: &music::Event| events.lock().unwrap().push(format!("{event:?}"));
    let completed = music::import(&library, &import, &cancel, &Progress::new(1), &tell).unwrap();
    assert_eq!((completed.state, completed.files.missing), ("stopped", 0));
    let events = events.into_inner().unwrap();
    assert!(
        !events.iter().any(|event| event.contains("FileMissing")),
        "{events:?}"
    );
    library.close().unwrap();
    assert_eq!(root.count("SELECT count(*) FROM files"), 3);
}
