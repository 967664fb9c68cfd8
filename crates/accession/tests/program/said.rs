//! What is said to people: snapshots, with what differs from run to run taken out.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use crate::support::{Ran, Root};

/// Replaces ids, times, durations of runs and this machine's folders.
fn redact(root: &Root, text: &str) -> String {
    let text = text.replace(root.path().to_str().unwrap(), "[ROOT]");
    let mut out = String::new();
    let mut rest: &str = &text;
    while let Some(first) = rest.chars().next() {
        let uuid = rest.get(..36).is_some_and(is_uuid);
        let time = rest.get(..19).is_some_and(is_time);
        let (said, skip) = match (uuid, time) {
            (true, _) => ("[ID]".to_owned(), 36),
            (_, true) => ("[TIME]".to_owned(), 19),
            _ => (first.to_string(), first.len_utf8()),
        };
        out.push_str(&said);
        rest = &rest[skip..];
    }
    // On a slow machine progress is told in between.
    let is_progress =
        |line: &str| line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" of audio, ");
    let lines = out.lines().filter(|line| !is_progress(line));
    let lines = lines.map(|line| match line.find(" of audio in ") {
        Some(at) => format!("{} of audio in [SPEED]", &line[..at]),
        None => line.trim_end().to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_uuid(text: &str) -> bool {
    text.char_indices().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    })
}

fn is_time(text: &str) -> bool {
    text.char_indices().all(|(at, c)| match at {
        4 | 7 => c == '-',
        10 => c == ' ' || c == 'T',
        13 | 16 => c == ':',
        _ => c.is_ascii_digit(),
    })
}

/// The collection, a copy, and one file that is none.
fn library() -> (Root, Ran) {
    let root = Root::collection();
    std::fs::create_dir(root.join("Copies")).unwrap();
    let from = root.join("Various Artists/Café Sessions/08 Espresso.wav");
    std::fs::copy(from, root.join("Copies/Espresso.wav")).unwrap();
    std::fs::write(root.join("words.ogg"), "no sound ".repeat(99)).unwrap();
    let ran = root.run(&[
        "music".as_ref(),
        "import".as_ref(),
        "--jobs".as_ref(),
        "1".as_ref(),
        root.path().as_os_str(),
    ]);
    (root, ran.ended(1))
}

#[test]
fn what_people_read() {
    let (root, import) = library();
    insta::assert_snapshot!(
        "import",
        redact(&root, &format!("{}---\n{}", import.out, import.err))
    );
    let again = root
        .run(&["music".as_ref(), "import".as_ref(), root.path().as_os_str()])
        .ended(1);
    insta::assert_snapshot!(
        "import again",
        redact(&root, &format!("{}---\n{}", again.out, again.err))
    );
    let say = |words: &[&str]| redact(&root, &root.music(words).ended(0).out);
    insta::assert_snapshot!("status", say(&["status"]));
    insta::assert_snapshot!("show album", say(&["show", "Seite A.ogg"]));
    insta::assert_snapshot!("show copy", say(&["show", "Copies/Espresso.wav"]));
    let passage = root.column(
        "SELECT p.guid FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path LIKE '%Espresso.wav'",
    );
    insta::assert_snapshot!("show passage", say(&["show", &passage[0]]));
    insta::assert_snapshot!("settings list", say(&["settings", "list"]));
    insta::assert_snapshot!("check", say(&["check"]));
    insta::assert_snapshot!("export csv", say(&["export"]));
    insta::assert_snapshot!("export m3u8", say(&["export", "--as", "m3u8"]));
    let lines = root.music(&["export", "--as", "jsonl"]).ended(0).events();
    let mut last = lines.last().unwrap().clone();
    assert!(last["fingerprint"].as_str().unwrap().len() > 50);
    last["fingerprint"] = "[FINGERPRINT]".into();
    insta::assert_snapshot!(
        "export jsonl",
        redact(&root, &serde_json::to_string_pretty(&last).unwrap())
    );
}

#[test]
fn errors_name_what_is_wrong_and_end_with_two() {
    let (root, _) = library();
    for (words, part) in [
        (
            &["show", "no such thing"][..],
            "the library has no file or passage `no such thing`",
        ),
        (&["show", ".m4a"], "could be any of"),
        (
            &["settings", "set", "no_such_key", "1"],
            "there is no setting `no_such_key`",
        ),
        (
            &["export", "--output", "/nonexistent/folder/x.csv"],
            "cannot write `/nonexistent/folder/x.csv`",
        ),
    ] {
        let ran = root.music(words).ended(2);
        assert!(
            ran.err.starts_with("error: ") && ran.err.contains(part),
            "{words:?}: {}",
            ran.err
        );
        assert_eq!(ran.out, "", "{words:?}");
    }
    let ran = root.run(&["music", "import", "--jobs", "0"]).ended(2);
    assert!(ran.err.contains("0 is not in 1..=1024"), "{}", ran.err);
}

#[test]
fn check_finds_what_is_wrong() {
    let (root, _) = library();
    std::fs::remove_file(root.join("Copies/Espresso.wav")).unwrap();
    root.open()
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DELETE FROM passages WHERE file_id IN (SELECT guid FROM files WHERE path LIKE '%.flac'); \
             INSERT INTO passages (guid, file_id, end_time_ticks) VALUES ('lost', 'nowhere', 5);",
        )
        .unwrap();
    let ran = root.music(&["check"]).ended(1);
    for part in [
        "reference: ",
        "orphan: complete file without passages: ",
        "missing on disk: Copies/Espresso.wav",
    ] {
        assert!(ran.out.contains(part), "{part} not in {}", ran.out);
    }
}

#[test]
fn an_exported_file_is_whole_or_not_there() {
    let (root, _) = library();
    let file = root.home().join("out.csv");
    let ran = root
        .music(&["export", "--output", file.to_str().unwrap()])
        .ended(0);
    assert_eq!(ran.out, "");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        root.music(&["export"]).ended(0).out
    );
    assert!(!root.home().join("out.csv.part").exists());
}

/// The commands that the help of a command lists.
fn commands_in(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let entries = lines.filter_map(|line| line.strip_prefix("  "));
    // Lines that go on with a description are indented further.
    let names = entries.filter(|entry| !entry.starts_with(' '));
    names
        .filter_map(|entry| entry.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_of_every_command() {
    let root = Root::empty();
    let mut said = String::new();
    let mut left = vec![Vec::new()];
    let mut count = 0;
    while let Some(words) = left.pop() {
        let mut all: Vec<String> = words.clone();
        all.push("--help".to_owned());
        let ran = root.run(&all).ended(0);
        assert_eq!(ran.err, "");
        writeln!(said, "$ accession {}\n{}", all.join(" "), ran.out).unwrap();
        for name in commands_in(&ran.out).into_iter().rev() {
            left.push([words.clone(), vec![name]].concat());
        }
        count += 1;
    }
    assert!(count > 30, "{count}");
    insta::assert_snapshot!("help", redact(&root, &said));
}

#[test]
fn completions_and_man_pages_are_made_for_every_command() {
    let root = Root::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = root.run(&["completions", shell]).ended(0);
        assert!(ran.out.contains("COMPLETE"), "{shell}: {}", ran.out);
    }
    let mut asked = root.command(&["--", "accession", "music", "settings", "get", "silence_t"]);
    asked.env("COMPLETE", "fish");
    let ran = Ran::of(asked.output().unwrap()).ended(0);
    assert!(ran.out.starts_with("silence_threshold_dB\t"), "{}", ran.out);
    let folder = root.join("man/new");
    root.run(&["man".as_ref(), folder.as_os_str()]).ended(0);
    let mut pages: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    for page in [
        "accession.1",
        "accession-music-import.1",
        "accession-music-settings-set.1",
    ] {
        assert!(
            pages.iter().any(|name| name == page),
            "{page} not in {pages:?}"
        );
    }
    let import = std::fs::read_to_string(folder.join("accession-music-import.1")).unwrap();
    assert!(import.contains("\\-\\-prune"), "{import}");
    for section in [
        "EXAMPLES",
        "ENVIRONMENT",
        "FILES",
        "\"EXIT STATUS\"",
        "\"SEE ALSO\"",
    ] {
        assert!(
            import.contains(&format!(".SH {section}")),
            "{section}: {import}"
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_reason_to_complain() {
    let (root, _) = library();
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    for words in [
        &["completions", "zsh"][..],
        &["--help"],
        &["music", "import", "--help"],
        &["music", "import", folder, "--format", "json"],
        &["music", "import", folder, "-v"],
        &["music", "status", folder, "--all"],
        &["music", "export", "--root-folder", folder],
        &["music", "export", "--root-folder", folder, "--as", "jsonl"],
        &["music", "show", "--root-folder", folder, "Seite A.ogg"],
        &["music", "settings", "list", "--root-folder", folder],
    ] {
        // The reader is gone before anything is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command: Command = root.command(words);
        let output = command.stdout(Stdio::from(writer)).output().unwrap();
        let ran = Ran::of(output);
        let expected = i32::from(words.contains(&"import") && !words.contains(&"--help"));
        assert_eq!(ran.code, Some(expected), "{words:?}: {}", ran.err);
        for complaint in ["error", "pipe", "print"] {
            assert!(
                !ran.err.to_lowercase().contains(complaint),
                "{words:?}: {}",
                ran.err
            );
        }
    }
}
