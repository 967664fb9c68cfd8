//! Two files of one sound, as a song on its album and on a compilation: what a person says about one is said about that.

use crate::support::{Ran, Root};

pub(crate) const ALBUM: &str = "album/song.mp3";
pub(crate) const COMPILATION: &str = "compilation/song.mp3";
const THIRD: &str = "third/song.mp3";

/// A library of two files with the same audio.
pub(crate) fn two_of_one_sound() -> Root {
    let collection = Root::collection();
    let song = std::fs::read(collection.join("Harbour Lights/Tides/01 Slow Water.mp3")).unwrap();
    let root = Root::empty();
    // An ID3v1 tag behind the frames is another file and the same sound.
    let tag = [b"TAG".as_slice(), &[b'x'; 125]].concat();
    for (path, tail) in [(ALBUM, &[][..]), (COMPILATION, &tag)] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, [&song, tail].concat()).unwrap();
    }
    root.import(&["--offline"]).ended(0);
    let sounds = "SELECT count(*) FROM accession_files GROUP BY audio_md5";
    assert_eq!(root.column(sounds), ["2"]);
    root
}

/// The same files where no import has been yet.
fn without_a_library(other: &Root) -> Root {
    let root = Root::empty();
    for path in [ALBUM, COMPILATION] {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::copy(other.join(path), root.join(path)).unwrap();
    }
    root
}

pub(crate) fn passages(root: &Root, path: &str) -> Vec<String> {
    root.column(&format!(
        "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = '{path}' \
         ORDER BY start_time_ticks"
    ))
}

/// Bounds, leads and names of the passages of a file.
fn told(root: &Root, path: &str) -> Vec<String> {
    root.column(&format!(
        "SELECT p.start_time_ticks || '-' || p.end_time_ticks || ' ' || coalesce(lead_in_start_ticks, '') || '-' \
            || coalesce(lead_out_start_ticks, '') || ' ' || coalesce(p.title, '') || '|' || coalesce(p.album, '') \
            || '|' || coalesce(p.title_source, '') \
         FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = '{path}' ORDER BY start_time_ticks"
    ))
}

#[test]
fn each_file_of_one_sound_keeps_its_own_words() {
    let root = two_of_one_sound();
    let [album, compilation] = [ALBUM, COMPILATION].map(|path| passages(&root, path)[0].clone());
    let untouched = told(&root, COMPILATION);
    let mine = [
        "edit",
        &album,
        "--album",
        "Tides",
        "--title",
        "Mine",
        "--lead-out",
        "2.5",
    ];
    root.music(&mine).ended(0);
    root.music(&["edit", &album, "--split-at", "1.5"]).ended(0);
    assert_eq!(told(&root, COMPILATION), untouched);
    root.music(&[
        "edit",
        &compilation,
        "--album",
        "Best Of",
        "--title",
        "Theirs",
    ])
    .ended(0);
    let both = |root: &Root| [ALBUM, COMPILATION].map(|path| told(root, path));
    let said = both(&root);
    assert_eq!((said[0].len(), said[1].len()), (2, 1), "{said:#?}");
    assert!(said[0][0].contains(" Mine|Tides|person"), "{said:#?}");
    // The lead-out that was said lies in the second half now.
    assert!(said[0][1].contains("-70560000 "), "{said:#?}");
    assert!(said[1][0].contains(" Theirs|Best Of|person"), "{said:#?}");

    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(both(&root), said);
    root.assert_sound();

    // They know their files in another library, whichever is taken in first.
    let file = root.home().join("edits.jsonl");
    let file = file.to_str().unwrap();
    root.music(&["edits", "export", "--output", file]).ended(0);
    for is_first in [true, false] {
        let new = without_a_library(&root);
        if is_first {
            let ran = new.music(&["edits", "import", file]).ended(0);
            assert!(
                ran.out.contains("edits for sounds or passages"),
                "{}",
                ran.out
            );
            new.import(&["--offline"]).ended(0);
        } else {
            new.import(&["--offline"]).ended(0);
            new.music(&["edits", "import", file]).ended(0);
        }
        new.import(&["--offline"]).ended(0);
        assert_eq!(both(&new), said, "edits first: {is_first}");
    }

    // Taken back on the one, it stays on the other.
    root.music(&["edit", &compilation, "--reset"]).ended(0);
    assert_eq!(told(&root, COMPILATION), untouched);
    assert_eq!(told(&root, ALBUM), said[0]);

    // Where the file is gone, the other one of its sound is its heir.
    std::fs::remove_file(root.join(ALBUM)).unwrap();
    root.import(&["--offline", "--prune"]).ended(0);
    root.import(&["--offline"]).ended(0);
    assert_eq!(told(&root, COMPILATION), said[0]);
    root.assert_sound();
}

#[test]
fn the_later_word_counts_wherever_it_comes_from() {
    let root = Root::empty();
    crate::support::album(&root.join("rip.wav"), 7, 3, 20.0);
    root.import(&["--offline"]).ended(0);
    let first = passages(&root, "rip.wav")[0].clone();
    let titles = || root.column("SELECT title FROM passages ORDER BY start_time");
    root.music(&["edit", &first, "--title", "Early"]).ended(0);
    let old = root.music(&["edits", "export"]).ended(0).out;
    root.music(&["edit", &first, "--title", "Late"]).ended(0);
    let file = root.home().join("edits.jsonl");
    let words = ["edits", "import", file.to_str().unwrap()];
    // Said years ago, on another machine; and in the future, by a clock that is wrong.
    for (made_at, title) in [
        ("2020-01-01 00:00:00", "Late"),
        ("2099-01-01 00:00:00", "Early"),
    ] {
        let mut line: serde_json::Value = serde_json::from_str(old.trim()).unwrap();
        line["made_at"] = made_at.into();
        std::fs::write(&file, line.to_string()).unwrap();
        root.music(&words).ended(0);
        assert_eq!(titles()[0], title, "{made_at}");
    }
    root.music(&["edit", &first, "--title", "Last"]).ended(0);
    assert_eq!(titles()[0], "Last");
    // What another program's user said gives way as well.
    root.open()
        .execute("UPDATE passages SET user_title = 'Theirs'", [])
        .unwrap();
    root.music(&["edit", &first, "--title", "Ours"]).ended(0);
    let shown = "SELECT coalesce(user_title, title) FROM passages ORDER BY start_time";
    assert_eq!(root.column(shown)[..2], ["Ours", "Theirs"]);

    // A cut that does not fit the file gives way to the one before.
    let bounds =
        "SELECT start_time_ticks || '-' || end_time_ticks FROM passages ORDER BY start_time_ticks";
    root.music(&["edit", &first, "--join"]).ended(0);
    let joined = root.column(bounds);
    let mut line: serde_json::Value = serde_json::from_str(old.trim()).unwrap();
    line["field"] = "cut".into();
    line["value"] = "[[0,28224000],[282240000000,282240000001]]".into();
    line.as_object_mut().unwrap().remove("made_at");
    std::fs::write(&file, line.to_string()).unwrap();
    root.music(&words).ended(0);
    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(root.column(bounds), joined);
    line["made_at"] = "yesterday".into();
    std::fs::write(&file, line.to_string()).unwrap();
    assert!(root.music(&words).ended(2).err.contains("is no time"));
}

#[test]
fn joined_passages_go_out_as_the_second_did() {
    let root = Root::empty();
    crate::support::album(&root.join("rip.wav"), 8, 3, 20.0);
    root.import(&["--offline"]).ended(0);
    let ids = passages(&root, "rip.wav");
    let outs =
        || root.column("SELECT lead_out_start_ticks FROM passages ORDER BY start_time_ticks");
    let computed = outs();
    root.music(&["edit", &ids[0], "--lead-in", "1", "--lead-out", "12"])
        .ended(0);
    root.music(&["edit", &ids[1], "--lead-out", "33"]).ended(0);
    let said = [12, 33].map(|seconds| (seconds * 28_224_000_i64).to_string());
    assert_eq!(outs()[..2], said);
    root.music(&["edit", &ids[0], "--join"]).ended(0);
    assert_eq!(outs()[0], said[1]);
    let ins = "SELECT lead_in_start_ticks FROM passages ORDER BY start_time_ticks";
    assert_eq!(root.column(ins)[0], "28224000");
    let cut = root.column("SELECT max(edit_id) FROM accession_edits WHERE field = 'cut'");
    root.music(&["edits", "--undo", &cut[0]]).ended(0);
    assert_eq!(outs()[..2], said);
    // Where only the first one's was said, the end of the second is where it was measured.
    let second = format!(
        "SELECT edit_id FROM accession_edits WHERE field = 'lead_out' AND value = '{}'",
        said[1]
    );
    for id in root.column(&second) {
        root.music(&["edits", "--undo", &id]).ended(0);
    }
    assert_eq!(outs()[1], computed[1]);
    root.music(&["edit", &ids[0], "--join"]).ended(0);
    assert_eq!(outs()[0], computed[1]);
}

/// A file that is named and not taken in yet waits for what was said about it; one that is known by another name has it.
#[test]
fn what_was_said_about_another_file_is_not_taken_for_ones_own() {
    let root = two_of_one_sound();
    let [album, compilation] = [ALBUM, COMPILATION].map(|path| passages(&root, path)[0].clone());
    root.music(&["edit", &compilation, "--no-song"]).ended(0);
    root.music(&["edit", &album, "--title", "Mine"]).ended(0);
    let file = root.home().join("edits.jsonl");
    let file = file.to_str().unwrap();
    root.music(&["edits", "export", "--output", file]).ended(0);
    let rejected = "SELECT f.path FROM accession_identifications i JOIN passages p ON p.guid = i.passage_id \
                    JOIN files f ON f.guid = p.file_id WHERE i.state = 'rejected'";
    let new = without_a_library(&root);
    new.music(&["edits", "import", file]).ended(0);
    new.import(&["--offline", "--jobs", "1"]).ended(0);
    assert_eq!(new.column(rejected), [COMPILATION]);
    assert_eq!(new.count("SELECT count(*) FROM accession_edits"), 2);

    let untouched = told(&root, COMPILATION);
    std::fs::rename(root.join(ALBUM), root.join("album/renamed.mp3")).unwrap();
    root.import(&["--offline"]).ended(0);
    let again = root.music(&["edits", "import", file]).ended(0);
    assert!(again.out.contains("0 of them new"), "{}", again.out);
    assert_eq!(told(&root, COMPILATION), untouched);
    assert_eq!(root.column(rejected), [COMPILATION]);

    // Gone, it has an heir; back, it has its own word again.
    std::fs::rename(root.join("album/renamed.mp3"), root.home().join("away.mp3")).unwrap();
    root.import(&["--offline", "--prune"]).ended(0);
    assert!(told(&root, COMPILATION)[0].contains(" Mine|"));
    std::fs::rename(root.home().join("away.mp3"), root.join(ALBUM)).unwrap();
    root.import(&["--offline"]).ended(0);
    root.import(&["--offline"]).ended(0);
    assert_eq!(told(&root, COMPILATION), untouched);
    assert!(told(&root, ALBUM)[0].contains(" Mine|"));

    // Both moved and retagged at once: each is known by what is left of its name.
    let retagged = |name: &str| {
        let mut bytes = std::fs::read(root.join(name)).unwrap();
        bytes.extend([b"TAG".as_slice(), &[b'y'; 125]].concat());
        bytes
    };
    let (first, second) = (retagged(ALBUM), retagged(COMPILATION));
    for (from, to, bytes) in [
        (ALBUM, "new/album/song.mp3", first),
        (COMPILATION, "new/compilation/song.mp3", second),
    ] {
        std::fs::create_dir_all(root.join(to).parent().unwrap()).unwrap();
        std::fs::write(root.join(to), bytes).unwrap();
        std::fs::remove_file(root.join(from)).unwrap();
    }
    root.import(&["--offline"]).ended(0);
    assert_eq!(root.column(rejected), ["new/compilation/song.mp3"]);
    root.assert_sound();
}

#[test]
fn two_who_cut_one_file_at_once_undo_nothing_of_each_other() {
    let root = Root::empty();
    crate::support::album(&root.join("rip.wav"), 9, 3, 20.0);
    root.import(&["--offline"]).ended(0);
    let ids = passages(&root, "rip.wav");
    let edit = |id: &str, word: &str, at: &str| {
        root.command(&["music", "edit", id, word, at, "--root-folder"])
            .arg(root.path())
            .spawn()
            .unwrap()
    };
    let mut both = [edit(&ids[0], "--start", "1"), edit(&ids[2], "--end", "60")];
    for child in &mut both {
        assert!(child.wait().unwrap().success());
    }
    let bounds = "SELECT (min(start_time_ticks) / 28224000) || '-' || (max(end_time_ticks) / 28224000) FROM passages";
    assert_eq!(root.column(bounds), ["1-60"]);
}

/// Two heirs of a file that is gone: what is taken back on the one stays on the other, and is the file's own when it comes
/// back.
#[test]
fn an_heir_takes_back_only_what_it_has_itself() {
    let root = two_of_one_sound();
    let song = std::fs::read(root.join(ALBUM)).unwrap();
    let tag = [b"TAG".as_slice(), &[b'y'; 125]].concat();
    std::fs::create_dir_all(root.join("third")).unwrap();
    std::fs::write(root.join(THIRD), [&song, tag.as_slice()].concat()).unwrap();
    root.import(&["--offline"]).ended(0);
    let untouched = [COMPILATION, THIRD].map(|path| told(&root, path));
    let album = passages(&root, ALBUM)[0].clone();
    root.music(&["edit", &album, "--title", "Mine", "--lead-out", "2.5"])
        .ended(0);
    root.music(&["edit", &album, "--split-at", "1.5"]).ended(0);
    let said = told(&root, ALBUM);
    std::fs::remove_file(root.join(ALBUM)).unwrap();
    root.import(&["--offline", "--prune"]).ended(0);
    root.import(&["--offline"]).ended(0);
    assert_eq!(
        [COMPILATION, THIRD].map(|path| told(&root, path)),
        [said.clone(), said.clone()]
    );

    // Once for the cut and the first half, and once for what was said about the second, which is the longer one.
    for _ in 0..2 {
        let passage = passages(&root, COMPILATION)[0].clone();
        root.music(&["edit", &passage, "--reset"]).ended(0);
    }
    assert_eq!(told(&root, COMPILATION), untouched[0]);
    assert_eq!(told(&root, THIRD), said);
    root.import(&["--offline", "--force"]).ended(0);
    assert_eq!(told(&root, COMPILATION), untouched[0]);
    assert_eq!(told(&root, THIRD), said);

    std::fs::write(root.join(ALBUM), song).unwrap();
    root.import(&["--offline"]).ended(0);
    assert_eq!(told(&root, ALBUM), said);
    assert_eq!(told(&root, COMPILATION), untouched[0]);
    root.assert_sound();
}

/// Two files of one sound, each with its own word, that are gone and come back somewhere else, or are named by the paths of
/// another person's folders.
#[test]
fn words_find_the_files_that_are_called_like_theirs() {
    let root = two_of_one_sound();
    for (path, title) in [(ALBUM, "Mine"), (COMPILATION, "Theirs")] {
        let passage = passages(&root, path)[0].clone();
        root.music(&["edit", &passage, "--title", title]).ended(0);
    }
    let said = [ALBUM, COMPILATION].map(|path| told(&root, path));
    let lines = root.music(&["edits", "export"]).ended(0).out;
    let moved = ["new/2 compilation/song.mp3", "new/1 album/song.mp3"];
    let aside = [ALBUM, COMPILATION].map(|path| (path, std::fs::read(root.join(path)).unwrap()));
    for (path, _) in &aside {
        std::fs::rename(root.join(path), root.home().join(path.replace('/', " "))).unwrap();
    }
    crate::support::song(&root.join("other.wav"), 1);
    root.import(&["--offline", "--prune"]).ended(0);
    // Back under folders of their own, one level further down.
    for (path, content) in &aside {
        let path = root.join("back").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    root.import(&["--offline"]).ended(0);
    let back = [ALBUM, COMPILATION].map(|path| told(&root, &format!("back/{path}")));
    assert_eq!(back, said);

    let new = Root::empty();
    for ((_, content), path) in aside.iter().zip(moved) {
        let path = new.join(path.replace("new/1 ", "x/").replace("new/2 ", "y/"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    // The names of folders are as they were, the order of paths is not.
    std::fs::rename(new.join("y/compilation"), new.join("x/album.aside")).unwrap();
    std::fs::rename(new.join("x/album"), new.join("y/compilation")).unwrap();
    std::fs::rename(new.join("x/album.aside"), new.join("x/album")).unwrap();
    new.import(&["--offline"]).ended(0);
    let file = new.home().join("edits.jsonl");
    std::fs::write(&file, lines).unwrap();
    new.music(&["edits", "import", file.to_str().unwrap()])
        .ended(0);
    let taken = ["x/album/song.mp3", "y/compilation/song.mp3"].map(|path| told(&new, path));
    assert_eq!(taken, said);
}

/// What a lost file was cut like, its heir is cut like in the same run.
#[test]
fn an_heir_is_cut_when_it_becomes_one() {
    let root = two_of_one_sound();
    let album = passages(&root, ALBUM)[0].clone();
    root.music(&["edit", &album, "--split-at", "1"]).ended(0);
    let second = passages(&root, ALBUM)[1].clone();
    root.music(&["edit", &second, "--title", "Second"]).ended(0);
    let said = told(&root, ALBUM);
    std::fs::remove_file(root.join(ALBUM)).unwrap();
    root.import(&["--offline", "--prune"]).ended(0);
    assert_eq!(told(&root, COMPILATION), said);
    let again = root.import(&["--offline"]).ended(0);
    assert_eq!((again.files("recorded"), again.files("unchanged")), (0, 1));
}

#[test]
fn a_word_that_ends_with_its_file_is_told_whatever_was_put_over_it() {
    let root = Root::empty();
    let warned = |ran: Ran, path: &str| {
        let told = ran.told("warning");
        let about = told.iter().find(|warning| warning["path"] == path);
        let message = about.unwrap_or_else(|| panic!("{told:?}"))["message"].to_string();
        assert!(message.contains("no longer apply"), "{message}");
    };
    for (number, name) in ["a.wav", "b.wav", "c.wav", "d.wav"].iter().enumerate() {
        crate::support::song(&root.join(name), number as u64);
    }
    root.import(&["--offline"]).ended(0);
    for name in ["a.wav", "b.wav", "c.wav"] {
        root.music(&["edit", name, "--title", "Mine"]).ended(0);
    }
    // A copy of another file, and another file that was moved.
    std::fs::copy(root.join("d.wav"), root.join("a.wav")).unwrap();
    warned(root.import(&["--offline"]).ended(0), "a.wav");
    std::fs::rename(root.join("c.wav"), root.join("b.wav")).unwrap();
    let moved = root.import(&["--offline"]).ended(0);
    warned(moved, "b.wav");
    let titles = root.column(
        "SELECT f.path FROM passages p JOIN files f ON f.guid = p.file_id WHERE p.title = 'Mine'",
    );
    assert_eq!(titles, ["b.wav"]);
    root.assert_sound();
}

#[test]
fn a_file_that_may_have_left_the_folder_is_not_pruned_with_it() {
    let root = Root::empty();
    for folder in ["new", "old"] {
        std::fs::create_dir(root.join(folder)).unwrap();
    }
    for (number, name) in ["left.wav", "gone.wav", "stays.wav"].iter().enumerate() {
        let seconds = 12.0 + number as f64;
        let sound = testkit::synth::noise(number as u64, -20.0, seconds, 22_050, 1);
        let path = root.join("old").join(name);
        testkit::synth::wav::write(&path, &sound, testkit::synth::wav::Depth::Int16).unwrap();
    }
    root.import(&["--offline"]).ended(0);
    let known = passages(&root, "old/left.wav");
    std::fs::rename(root.join("old/left.wav"), root.join("new/other name.wav")).unwrap();
    std::fs::remove_file(root.join("old/gone.wav")).unwrap();
    let old = root.join("old");
    let mut command = root.command(&["music", "import", "--format", "json", "--prune"]);
    command.arg(&old).arg("--root-folder").arg(root.path());
    let ran = Ran::of(command.output().unwrap()).ended(0);
    let pruned: Vec<_> = (ran.told("file_missing").iter())
        .map(|event| (event["path"].to_string(), event["pruned"].clone()))
        .collect();
    assert_eq!(
        pruned,
        [
            ("\"old/gone.wav\"".to_owned(), true.into()),
            ("\"old/left.wav\"".to_owned(), false.into())
        ]
    );
    root.import(&["--offline"]).ended(0);
    assert_eq!(passages(&root, "new/other name.wav"), known);
    root.assert_sound();
}

#[test]
fn a_known_sound_is_known_again_by_the_quick_one_of_its_names() {
    let root = Root::empty();
    let files = testkit::corpus::many(&root.path(), 2, 4.0).unwrap();
    root.import(&["--offline"]).ended(0);
    let quick = "SELECT audio_xxh3 FROM accession_files ORDER BY file_id";
    let names = root.column(quick);
    assert!(names.iter().all(|name| name.len() == 32), "{names:?}");
    let (first, second) = (&files[0], &files[1]);
    let of = |path: &std::path::Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        format!("file_id = (SELECT guid FROM files WHERE path LIKE '%{name}')")
    };
    // Were the MD5 made anew, it would not be this one. A former version made no quick names.
    let db = rusqlite::Connection::open(root.database()).unwrap();
    let other = "0".repeat(32);
    db.execute_batch(&format!(
        "UPDATE accession_files SET audio_md5 = '{other}' WHERE {}; \
         UPDATE accession_files SET audio_xxh3 = NULL WHERE {}",
        of(first),
        of(second)
    ))
    .unwrap();
    drop(db);
    for path in &files {
        let mut bytes = std::fs::read(path).unwrap();
        let at = bytes.windows(5).position(|five| five == b"Song ").unwrap();
        bytes[at] = b'J';
        std::fs::write(path, bytes).unwrap();
    }
    let ran = root.import(&["--offline"]).ended(0);
    assert_eq!(ran.files("retagged"), 2, "{}", ran.out);
    let md5 = format!("SELECT audio_md5 FROM accession_files WHERE {}", of(first));
    assert_eq!(root.column(&md5), [other]);
    assert_eq!(root.column(quick), names);
}

#[test]
fn a_file_moved_and_retagged_is_found_again_by_an_import_of_its_new_folder_alone() {
    let root = Root::empty();
    for folder in ["Old", "New"] {
        std::fs::create_dir(root.join(folder)).unwrap();
    }
    let files = testkit::corpus::many(&root.join("Old"), 2, 4.0).unwrap();
    root.import(&["--offline"]).ended(0);
    let named = files[0].strip_prefix(root.path()).unwrap();
    let named = named.to_str().unwrap();
    root.music(&["edit", named, "--artist", "Said"]).ended(0);
    let ids = "SELECT guid FROM passages ORDER BY guid";
    let before = root.column(ids);
    let mut bytes = std::fs::read(&files[0]).unwrap();
    let at = bytes.windows(5).position(|five| five == b"Song ").unwrap();
    bytes[at] = b'J';
    std::fs::write(root.join("New/other.wav"), bytes).unwrap();
    std::fs::remove_file(&files[0]).unwrap();

    let folder = root.join("New");
    let words = ["import", folder.to_str().unwrap(), "--offline"];
    let ran = root.music(&[&words[..], &["--format", "json"]].concat());
    let ran = ran.ended(0);
    assert_eq!(ran.files("retagged"), 1, "{}", ran.out);
    assert_eq!(ran.files("recorded"), 0, "{}", ran.out);
    assert_eq!(root.column(ids), before);
    let of = "SELECT f.path || p.artist FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path LIKE 'New/%'";
    assert_eq!(root.column(of), ["New/other.wavSaid"]);
}

#[test]
fn what_is_said_about_a_file_that_was_replaced_is_refused_until_it_is_heard() {
    let root = Root::empty();
    let files = testkit::corpus::many(&root.path(), 2, 4.0).unwrap();
    root.import(&["--offline"]).ended(0);
    let named = files[0].strip_prefix(root.path()).unwrap();
    let words = ["edit", named.to_str().unwrap(), "--start", "1"];
    // Touched, or with other tags, it is the same sound.
    let bytes = std::fs::read(&files[0]).unwrap();
    std::fs::write(&files[0], &bytes).unwrap();
    root.music(&words).ended(0);
    let other = testkit::corpus::many(&root.join("elsewhere"), 3, 5.0).unwrap();
    std::fs::rename(&other[2], &files[0]).unwrap();
    let refused = root.music(&words).ended(2);
    assert!(
        refused.err.contains("is not what it was"),
        "{}",
        refused.err
    );
    assert_eq!(root.count("SELECT count(*) FROM accession_edits"), 1);
}

#[test]
fn a_sound_that_is_to_be_heard_again_is_found_again_moved_and_retagged() {
    let root = Root::empty();
    let files = testkit::corpus::many(&root.join("Old"), 2, 4.0).unwrap();
    root.import(&["--offline"]).ended(0);
    let named = files[0].strip_prefix(root.path()).unwrap();
    let words = ["edit", named.to_str().unwrap(), "--artist", "Said"];
    root.music(&words).ended(0);
    // As a former version left it.
    root.open()
        .execute("UPDATE accession_files SET analysis_version = 1", [])
        .unwrap();
    let ids = "SELECT guid FROM passages ORDER BY guid";
    let before = root.column(ids);
    std::fs::rename(root.join("Old"), root.join("New")).unwrap();
    for path in &files {
        let path = root
            .join("New")
            .join(path.strip_prefix(root.join("Old")).unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(5).position(|five| five == b"Song ").unwrap();
        bytes[at] = b'J';
        std::fs::write(&path, bytes).unwrap();
    }
    let ran = root.import(&["--offline"]).ended(0);
    assert_eq!(ran.files("missing"), 0, "{}", ran.out);
    assert_eq!(root.column(ids), before);
    assert_eq!(
        root.count("SELECT count(*) FROM passages WHERE artist = 'Said'"),
        1
    );
    assert_eq!(
        root.count("SELECT count(*) FROM files WHERE path LIKE 'New/%'"),
        2
    );
}
