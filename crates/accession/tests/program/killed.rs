//! Killed at any moment, an import goes on where it was, and ends as if nothing had happened.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::kill::{kill_after, kill_at_random_moments};
use testkit::library::{Rules, assert_same};
use testkit::synth::Random;

use crate::stopped::begun;
use crate::support::{Ran, Root, album, song};

/// How often to kill; more by hand.
const KILLS: &str = "ACCESSION_TEST_KILLS";

fn kills() -> usize {
    std::env::var(KILLS).map_or(12, |text| text.parse().unwrap())
}

/// Samples, an album, copies, a silent and two broken files: something of everything.
pub(crate) fn fill(root: &Path) {
    testkit::corpus::collection_into(root).unwrap();
    testkit::corpus::many(root, 60, 1.5).unwrap();
    album(&root.join("Mixes/Mix.wav"), 1, 8, 5.5);
    for copy in ["Copies/a.wav", "Copies/b.wav", "a copy.wav"] {
        let copy = root.join(copy);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(root.join("Mixes/Mix.wav"), copy).unwrap();
    }
    std::fs::write(root.join("empty.flac"), b"").unwrap();
    std::fs::write(root.join("words.ogg"), "no sound ".repeat(500)).unwrap();
    let silence = testkit::synth::silence(4.0, 8_000, 1);
    let depth = testkit::synth::wav::Depth::Int16;
    testkit::synth::wav::write(&root.join("silence.wav"), &silence, depth).unwrap();
}

fn rules() -> Rules {
    // A resumed run leaves a row of its own, and how many runs there were is no part of a library.
    Rules::default().without_table("import_sessions")
}

#[test]
fn killed_at_random_moments_it_ends_as_if_undisturbed() {
    let calm = Root::empty();
    fill(&calm.path());
    calm.import(&["--jobs", "4"]).ended(1);
    // Again, to know how long it takes, with whatever else this machine does now.
    let timed = Root::empty();
    fill(&timed.path());
    let started = Instant::now();
    timed.import(&["--jobs", "4"]).ended(1);
    let whole = started.elapsed();
    assert_same(&calm.database(), &timed.database(), &rules());

    // Every third kill begins from nothing, for else most would find the work done.
    let (mut left, mut round, mut early) = (kills(), 0, 0);
    while left > 0 {
        let root = Root::empty();
        fill(&root.path());
        let times = left.min(3);
        let build = || root.import_command(&["--jobs", "4"]);
        let survived = kill_at_random_moments(build, times, round, whole.mul_f64(0.6)).unwrap();
        early += survived.ended_early;
        let last = Ran::of(survived.last).ended(1);
        assert_eq!(last.completed()["state"], "completed");
        assert_same(&calm.database(), &root.database(), &rules());
        root.assert_sound();
        // A database that is killed while it is being made leaves what there was of it, hidden; nothing else is left.
        let litter = root.litter();
        let half_made = |name: &String| name.starts_with(".wkmp.db.") && name.contains(".building");
        assert!(litter.iter().all(half_made), "{litter:?}");
        left -= times;
        round += 1;
    }
    eprintln!(
        "{} kills, {early} of them too late, whole run {whole:?}",
        kills()
    );
    assert!(early * 3 < kills() * 2, "{early} kills came too late");
}

#[test]
fn killed_while_it_moves_and_relinks_it_ends_as_if_undisturbed() {
    let change = |root: &Root| {
        fill(&root.path());
        root.import(&["--jobs", "4"]).ended(1);
        std::fs::rename(root.join("Copies"), root.join("Zweitstücke")).unwrap();
        std::fs::rename(root.join("Mixes/Mix.wav"), root.join("Mixes/Remix.wav")).unwrap();
        std::fs::remove_file(root.join("a copy.wav")).unwrap();
        song(&root.join("silence.wav"), 77);
        std::fs::remove_file(root.join("empty.flac")).unwrap();
    };
    let calm = Root::empty();
    change(&calm);
    let started = Instant::now();
    calm.import(&["--force", "--prune", "--jobs", "4"]).ended(1);
    let whole = started.elapsed();
    let root = Root::empty();
    change(&root);
    let build = || root.import_command(&["--force", "--prune", "--jobs", "4"]);
    let survived = kill_at_random_moments(build, 4, 99, whole.mul_f64(0.8)).unwrap();
    assert!(survived.kills.len() >= 2, "{survived:?}");
    Ran::of(survived.last).ended(1);
    // Which of two copies is the original may depend on when the kill came; what there is may not.
    for sql in [
        "SELECT path || ' ' || hash FROM files ORDER BY 1",
        "SELECT f.hash || ' ' || p.start_time_ticks || ' ' || p.end_time_ticks FROM passages p \
         JOIN files f ON f.guid = p.file_id ORDER BY 1",
        "SELECT path || ' ' || reason FROM accession_problems ORDER BY 1",
        "SELECT f.path || ' ' || (SELECT group_concat(o.path) FROM (SELECT o.path FROM files o, \
         json_each(f.matching_hashes) j WHERE o.guid = j.value ORDER BY 1) o) FROM files f \
         WHERE f.matching_hashes IS NOT NULL ORDER BY 1",
    ] {
        assert_eq!(root.column(sql), calm.column(sql));
    }
    root.assert_sound();
}

/// Kills a program that takes `whole` again and again, at random moments, and looks at what each kill left.
fn killed_each_time(seed: u64, whole: Duration, build: impl Fn() -> Command, look: impl Fn()) {
    let mut random = Random::new(seed);
    let mut killed = 0;
    for _ in 0..kills() {
        killed += usize::from(kill_after(build(), whole.mul_f64(random.unit())).unwrap());
        look();
    }
    assert!(killed * 3 > kills(), "{killed} of {} came in time", kills());
}

/// Three songs in a file, and the sheet that says so.
fn three(root: &Root) {
    album(&root.join("mix.wav"), 5, 3, 8.0);
    let mut sheet = "FILE \"mix.wav\" WAVE\n".to_owned();
    for (number, start) in [0, 10, 20].into_iter().enumerate() {
        let number = number + 1;
        write!(
            sheet,
            "TRACK {number:02} AUDIO\nTITLE Song {number}\nINDEX 01 00:{start:02}:00\n"
        )
        .unwrap();
    }
    std::fs::write(root.join("mix.cue"), sheet).unwrap();
}

#[test]
fn an_edit_that_is_killed_is_there_or_not_and_nothing_said_before_is_lost() {
    let root = Root::empty();
    three(&root);
    root.import(&[]).ended(0);
    let ids = root.column("SELECT guid FROM passages ORDER BY start_time_ticks");
    root.music(&["edit", &ids[0], "--title", "Said Before"])
        .ended(0);
    let told = || {
        root.column("SELECT guid || ' ' || start_time_ticks || '-' || end_time_ticks || ' ' || coalesce(title, '') \
                     FROM passages ORDER BY start_time_ticks")
    };
    let before = told();
    let edit = || {
        let mut command = root.command(&[
            "music", "edit", &ids[1], "--start", "0:11.5", "--title", "Said Now",
        ]);
        command.arg("--root-folder").arg(root.path());
        command
    };
    // How long an edit takes, with whatever else this machine does now, on a library of its own.
    let timed = Root::empty();
    three(&timed);
    timed.import(&[]).ended(0);
    let other = timed.column("SELECT guid FROM passages ORDER BY start_time_ticks");
    // The least of three: what something else has made slow would have the kills come too late.
    let whole = (0..3).map(|_| {
        let started = Instant::now();
        timed
            .music(&[
                "edit", &other[1], "--start", "0:11.5", "--title", "Said Now",
            ])
            .ended(0);
        let took = started.elapsed();
        timed.music(&["edit", &other[1], "--reset"]).ended(0);
        took
    });
    let whole = whole.min().unwrap();
    killed_each_time(7, whole, edit, || {
        let now = told();
        assert_eq!((now.len(), &now[0], &now[2]), (3, &before[0], &before[2]));
        root.assert_sound();
        // Gone on from here, or begun anew: nothing is half said.
        let said = [now[1].contains("Said Now"), now[1].contains(" 324576000-")];
        assert!(said == [true; 2] || now == before, "{now:?}");
        root.music(&["edit", &ids[1], "--reset"]).ended(0);
        assert_eq!(told(), before);
    });
    Ran::of(edit().output().unwrap()).ended(0);
    assert!(told()[1].contains("Said Now") && told()[0].contains("Said Before"));
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_library_or_the_new_one_whole() {
    let root = Root::empty();
    testkit::corpus::many(&root.path(), 100, 1.0).unwrap();
    root.import(&[]).ended(0);
    let copy = root.home().join("copy.db");
    root.music(&["backup", copy.to_str().unwrap()]).ended(0);
    let titles = "SELECT group_concat(title) FROM (SELECT title FROM passages ORDER BY title)";
    let new = root.column(titles);
    let change = || {
        root.open()
            .execute("UPDATE passages SET title = 'old'", [])
            .unwrap()
    };
    change();
    let old = root.column(titles);
    let restore = || {
        let mut command = root.command(&["music", "restore", "--replace"]);
        command.arg(&copy).arg("--root-folder").arg(root.path());
        command
    };
    let started = Instant::now();
    Ran::of(restore().output().unwrap()).ended(0);
    let whole = started.elapsed();
    assert_eq!(root.column(titles), new);
    let changed = || {
        change();
        restore()
    };
    killed_each_time(8, whole, changed, || {
        // Between the two, where the old one is aside and the new one not in place yet, the next restore goes on.
        if root.database().exists() {
            let now = root.column(titles);
            assert!(now == old || now == new, "{now:?}");
        }
        Ran::of(restore().output().unwrap()).ended(0);
        assert_eq!(root.column(titles), new);
        root.assert_sound();
    });
}

#[test]
fn a_stopped_force_leaves_copies_linked_both_ways() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    for name in ["b.wav", "c.wav"] {
        std::fs::copy(root.join("a.wav"), root.join(name)).unwrap();
    }
    for number in 0..40 {
        album(
            &root.join(format!("more/{number}.wav")),
            100 + number,
            2,
            6.0,
        );
    }
    root.import(&[]).ended(0);
    let links = "SELECT path || json_array_length(matching_hashes) FROM files WHERE path LIKE '%.wav' \
                 AND path NOT LIKE 'more/%' ORDER BY path";
    assert_eq!(root.column(links), ["a.wav2", "b.wav2", "c.wav2"]);
    let (mut child, _, out) = begun(root.import_command(&["--force", "--jobs", "1"]));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it had ended");
    drop(out);
    assert_eq!(root.column(links), ["a.wav2", "b.wav2", "c.wav2"]);
    let last = "SELECT state FROM import_sessions ORDER BY rowid DESC LIMIT 1";
    assert_ne!(root.column(last), ["COMPLETE"]);
}
