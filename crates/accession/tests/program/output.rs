//! What comes out of the program: JSON for programs, lines for terminals, files where they were wanted.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Ran, Root, album, song};

/// Control characters that JSON may hold as they are, others, and what terminals obey.
const HOSTILE: &str = "a\u{7f}\u{85}\u{9b}31m\u{1b}]0;title\u{7}\u{202e}b.wav";

#[track_caller]
fn json(text: &str) -> Vec<Value> {
    let parsed = text.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    });
    parsed.collect()
}

#[test]
fn every_line_of_every_command_is_json_whatever_a_file_is_called() {
    let root = Root::empty();
    album(&root.join(HOSTILE), 1, 3, 20.0);
    song(&root.join("b.wav"), 2);
    let imported = root.import(&[]).ended(0);
    let paths: Vec<_> = json(&imported.out)
        .iter()
        .filter(|event| event["event"] == "file_recorded")
        .map(|event| event["path"].as_str().unwrap().to_owned())
        .collect();
    assert!(paths.contains(&HOSTILE.to_owned()), "{paths:?}");
    let passage = root.column("SELECT guid FROM passages LIMIT 1").remove(0);
    for words in [
        vec!["status", "--all"],
        vec!["show", HOSTILE],
        vec!["similar", &passage],
        vec!["review"],
        vec!["check"],
        vec!["settings", "list"],
        vec!["export"],
    ] {
        let mut asked = words.clone();
        asked.extend(["--format", "json"]);
        let ran = root.music(&asked).ended(0);
        assert!(!json(&ran.out).is_empty(), "{words:?}");
    }
}

fn full() -> Stdio {
    OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_written_is_a_failure_and_no_panic() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let library: [OsString; 2] = ["--root-folder".into(), root.path().into_os_string()];
    for words in [
        vec!["music", "status"],
        vec!["music", "check"],
        vec!["music", "check", "--format", "json"],
        vec!["music", "settings", "list"],
        vec!["music", "import", "--format", "json"],
        vec!["music", "export"],
        vec!["completions", "bash"],
        vec!["--help"],
        vec!["--version"],
    ] {
        let mut command = root.command(&words);
        if words[0] == "music" {
            command.args(&library);
        }
        let ran = Ran::of(command.stdout(full()).output().unwrap());
        assert_eq!(ran.code, Some(2), "{words:?} {}", ran.err);
        assert!(ran.err.contains("No space left"), "{words:?} {}", ran.err);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_under_the_log_stops_nothing() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    std::fs::write(root.join("b.mp3"), "no music").unwrap();
    let mut import = root.import_command(&["-vv"]);
    let ran = Ran::of(import.stderr(full()).output().unwrap());
    assert_eq!(ran.files("recorded"), 1);
    assert_eq!(ran.code, Some(1));
    let wrong = root.command(&["nonsense"]).stderr(full()).status();
    assert_eq!(wrong.unwrap().code(), Some(2));
}

#[test]
fn errors_and_arguments_are_text_for_a_terminal() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let asked = root
        .music(&["show", "\u{1b}]0;title\u{7}\u{9b}31m"])
        .ended(2);
    assert!(asked.err.contains("\\u{1b}]0;title"), "{}", asked.err);
    assert!(!asked.err.contains(['\u{7}', '\u{9b}']), "{}", asked.err);
    let unknown = root.run(&["\u{1b}[31mred\u{7}\u{9b}31m"]).ended(2);
    assert!(unknown.err.contains("red"), "{}", unknown.err);
    let commands = ['\u{1b}', '\u{7}', '\u{9b}'];
    assert!(!unknown.err.contains(commands), "{}", unknown.err);
}

#[test]
#[cfg(target_os = "linux")]
fn bars_on_a_terminal_show_names_as_text() {
    let root = Root::empty();
    testkit::corpus::long_wav(&root.join("\u{1b}]0;title\u{7}.wav"), 1, 0.2, 11_025).unwrap();
    let mut import = root.command(&["music", "import"]);
    import.arg(root.path());
    // util-linux's `script` gives the program a terminal.
    let line = std::iter::once(import.get_program())
        .chain(import.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect::<Vec<_>>()
        .join(" ");
    let mut script = Command::new("script");
    script
        .args(["-qec", &line, "/dev/null"])
        .env("TERM", "xterm");
    script.envs(
        import
            .get_envs()
            .filter_map(|(key, value)| Some((key, value?))),
    );
    let shown = script.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("\\u{1b}]0;title"), "{shown:?}");
    assert!(!shown.contains("\u{1b}]0;title"), "{shown:?}");
}

#[test]
#[cfg(unix)]
fn an_export_is_written_through_links_devices_and_pipes() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let expected = root.music(&["export"]).ended(0).out;
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("x.csv"), folder.path().join("link.csv"));
    std::fs::write(&file, "before").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    root.music(&["export", "-o", link.to_str().unwrap()])
        .ended(0);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    root.music(&["export", "-o", "/dev/null"]).ended(0);
    let piped = root.music(&["export", "-o", "/dev/stdout"]).ended(0).out;
    assert_eq!(piped, expected);
    // A shell that appends to a file has it appended to.
    let log = folder.path().join("log");
    std::fs::write(&log, "kept\n").unwrap();
    let mut export = root.command(&["music", "export", "-o", "/dev/stdout", "--root-folder"]);
    let appended = File::options().append(true).open(&log).unwrap();
    export.arg(root.path()).stdout(appended);
    assert!(export.status().unwrap().success());
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(text, format!("kept\n{expected}"));
    // `>(cat)` of a shell, which is a FIFO behind a descriptor.
    let script = "\"$0\" music export --root-folder \"$1\" -o >(cat >\"$2\"); wait; sleep 0.2";
    let through = folder.path().join("through");
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).arg(testkit::accession_bin());
    bash.arg(root.path()).arg(&through);
    assert!(bash.status().unwrap().success());
    assert_eq!(std::fs::read_to_string(&through).unwrap(), expected);
}

#[test]
fn an_export_never_replaces_the_library() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let database = root.database();
    let database = database.to_str().unwrap();
    root.music(&["export", "-o", database]).ended(2);
    root.music(&["show", "a.wav", "--svg", database]).ended(2);
    root.assert_sound();
}

fn rip(root: &Root, name: &str, seed: u64) {
    album(&root.join(name), seed, 3, 20.0);
}

fn cue(root: &Root, folder: &Path, options: &[&str]) -> Ran {
    let mut words = vec!["export", "--as", "cue", "-o", folder.to_str().unwrap()];
    words.extend(options);
    root.music(&words)
}

#[test]
fn cue_sheets_replace_nothing_unless_asked_to() {
    let root = Root::empty();
    rip(&root, "Side A.wav", 1);
    rip(&root, "Side B.wav", 2);
    root.import(&[]).ended(0);
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("Side A.cue");
    std::fs::write(&mine, "mine").unwrap();
    let ran = cue(&root, folder.path(), &[]).ended(1);
    assert!(ran.err.contains("Side A.cue"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    assert!(folder.path().join("Side B.cue").exists());
    cue(&root, folder.path(), &["--replace"]).ended(0);
    assert_ne!(std::fs::read_to_string(&mine).unwrap(), "mine");
}

#[test]
fn sheets_of_files_that_share_a_name_have_names_of_their_own() {
    let root = Root::empty();
    rip(&root, "Mix.wav", 1);
    rip(&root, "Mix.wave", 2);
    root.import(&[]).ended(0);
    let folder = tempfile::tempdir().unwrap();
    cue(&root, folder.path(), &[]).ended(0);
    let sheets = ["Mix.cue", "Mix.wave.cue"];
    for (sheet, file) in sheets.into_iter().zip(["Mix.wav", "Mix.wave"]) {
        let named = file_of(&folder.path().join(sheet));
        assert_eq!(named, root.join(file));
    }
}

/// The file that a sheet names, as a player finds it.
fn file_of(sheet: &Path) -> PathBuf {
    let text = std::fs::read_to_string(sheet).unwrap();
    let line = text.lines().find(|line| line.starts_with("FILE")).unwrap();
    let name = line.split('"').nth(1).unwrap();
    sheet.parent().unwrap().join(name).canonicalize().unwrap()
}

#[test]
#[cfg(unix)]
fn a_sheet_names_its_file_from_where_it_lies_and_what_none_can_name_is_told() {
    let root = Root::empty();
    std::fs::create_dir(root.join("Vinyl")).unwrap();
    rip(&root, "Vinyl/Side A.wav", 1);
    rip(&root, "say \"B\".wav", 2);
    root.import(&[]).ended(0);
    let beside = root.path();
    let elsewhere = tempfile::tempdir().unwrap();
    for folder in [elsewhere.path(), &beside] {
        let ran = cue(&root, folder, &[]).ended(1);
        assert!(ran.err.contains("say \"B\".wav"), "{}", ran.err);
        let sheet = folder.join("Vinyl/Side A.cue");
        assert_eq!(file_of(&sheet), root.join("Vinyl/Side A.wav"));
        assert!(!folder.join("say \"B\".cue").exists());
    }
    let text = std::fs::read_to_string(beside.join("Vinyl/Side A.cue")).unwrap();
    assert!(text.contains("FILE \"Side A.wav\""), "{text}");
    let printed = root.music(&["export", "--as", "cue"]).ended(1);
    assert!(
        printed.out.contains("FILE \"Side A.wav\""),
        "{}",
        printed.out
    );
}

#[test]
fn a_path_that_leads_out_of_the_library_writes_nothing_there() {
    let outside = tempfile::tempdir().unwrap();
    let root = Root::empty();
    rip(&root, "Mix.wav", 1);
    root.import(&[]).ended(0);
    let folder = outside.path().join("sheets");
    std::fs::create_dir(&folder).unwrap();
    let absolute = outside.path().join("absolute.wav");
    for path in ["../up.wav", absolute.to_str().unwrap()] {
        root.open()
            .execute("UPDATE files SET path = ?1", [path])
            .unwrap();
        let ran = cue(&root, &folder, &[]).ended(1);
        assert!(ran.err.contains("invalid library path"), "{}", ran.err);
    }
    let names: Vec<_> = std::fs::read_dir(outside.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}
