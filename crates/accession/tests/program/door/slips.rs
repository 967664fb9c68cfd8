//! What people mistype or have broken, each with what it must not lead to and what is said about it.

use std::fs;

use crate::support::{Ran, Root, song};

/// A file that is no database stays as it is, whatever is asked of it.
#[test]
fn a_file_that_is_no_database_is_never_written_to() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    let edits = root.join("edits.jsonl");
    fs::write(&edits, "").unwrap();
    let file = root.join("mine.db");
    let named = [
        "--root-folder",
        folder,
        "--database",
        file.to_str().unwrap(),
    ];
    let long = "a letter, of more bytes than a page of a database has. ".repeat(200);
    for content in ["x", "\n", "\0", "two", "SQLite format 3\0", &long] {
        fs::write(&file, content).unwrap();
        for words in [
            &["music", "import"][..],
            &["music", "import", "--dry-run"],
            &["music", "settings", "set", "silence_threshold_dB", "40"],
            &["music", "edits", "import", edits.to_str().unwrap()],
            &["serve", "--listen", "127.0.0.1:0"],
        ] {
            let ran = root.run(&[words, &named].concat()).ended(2);
            assert!(ran.err.contains("mine.db"), "{words:?}: {}", ran.err);
            let now = fs::read_to_string(&file).unwrap();
            assert_eq!(now, content, "{words:?}");
        }
    }
    let left: Vec<_> = fs::read_dir(root.path()).unwrap().collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn a_folder_that_is_no_path_is_told_with_what_may_be_meant() {
    let root = Root::empty();
    song(&root.home().join("Band/a.wav"), 1);
    for (typed, said) in [
        ("smb://nas/music", "mount the share"),
        ("file:///srv/music", "the path in it is /srv/music"),
        ("\"/srv/music\"", "without them it is /srv/music"),
        ("$HOME/Band", "only a shell puts in"),
    ] {
        for words in [
            &["music", "import", typed][..],
            &["music", "status", "--root-folder", typed],
            &["music", "status", "--database", typed],
        ] {
            let ran = root.run(words).ended(2);
            assert!(ran.err.contains(said), "{words:?}: {}", ran.err);
        }
    }
    // A shell puts the home folder in only at the beginning of a word.
    let imported = root
        .run(&["music", "import", "~/Band", "--database=~/radio.db"])
        .ended(0);
    assert!(
        imported.out.starts_with("taken in: 1 of 1"),
        "{}",
        imported.out
    );
    assert!(root.home().join("radio.db").is_file());
    let mut status = root.command(&["music", "status"]);
    let status = status.env("WKMP_ROOT", "~/Band").output().unwrap();
    let status = Ran::of(status).ended(2);
    assert!(!status.err.contains('~'), "{}", status.err);
}

#[test]
fn a_key_in_a_file_or_a_variable_is_found_whatever_came_along() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    let config = root.home().join(".config/accession/accession.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let looks = |origin: &str| {
        for is_made in [false, true] {
            if is_made {
                root.import(&["--offline"]).ended(0);
            }
            let doctor = root.run(&["doctor", folder, "--offline"]);
            assert!(
                doctor.out.contains(&format!("there is one ({origin}")),
                "{}",
                doctor.out
            );
            let shown = root.run(&["config", folder]).ended(0);
            let of_key = |line: &&str| line.starts_with("acoustid_api_key") && line.contains("***");
            let line = shown.out.lines().find(of_key).unwrap_or(&shown.out);
            assert!(line.contains(origin), "{line}");
            let _ = fs::remove_file(root.database());
        }
    };
    fs::write(&config, "\u{feff}acoustid_api_key = \" s3cret\\r\\n\"\n").unwrap();
    looks("file: ");
    fs::remove_file(&config).unwrap();
    let mut command = root.command(&["config", folder]);
    let shown = command.env("WKMP_ACOUSTID_API_KEY", "\u{feff}s3cret \r\n");
    let shown = Ran::of(shown.output().unwrap()).ended(0);
    assert!(
        shown
            .out
            .contains("***  (environment: WKMP_ACOUSTID_API_KEY)"),
        "{}",
        shown.out
    );
    root.import(&[]).ended(0);
    let typed = "\u{feff}  s3cret \r";
    root.music_with(&["settings", "set", "acoustid_api_key", "-"], typed)
        .ended(0);
    assert_eq!(
        root.column("SELECT value FROM settings WHERE key = 'acoustid_api_key'"),
        ["s3cret"]
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_dry_run_and_the_doctor_say_where_nothing_can_be_written() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    for database in ["/proc/self/radio.db", "/nonexistent/radio.db"] {
        let place = [folder, "--database", database];
        for words in [&["music", "import", "--dry-run"][..], &["music", "import"]] {
            let ran = root.run(&[words, &place].concat()).ended(2);
            assert!(ran.err.contains("cannot open the database"), "{}", ran.err);
            assert!(ran.err.contains("\nhint: "), "{}", ran.err);
        }
        let doctor = root
            .run(&[&["doctor", "--offline"][..], &place].concat())
            .ended(1);
        assert!(
            doctor.out.contains("no library can be made in"),
            "{}",
            doctor.out
        );
    }
}

/// A program that runs another one as a user without rights, where this one may do so.
#[cfg(target_os = "linux")]
fn as_nobody(root: &Root, words: &[&str]) -> Option<Ran> {
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    let able = command
        .arg("test")
        .arg("-x")
        .arg(testkit::accession_bin())
        .status();
    if !able.is_ok_and(|status| status.success()) {
        eprintln!("skipped: `setpriv` may not run the program as another user");
        return None;
    }
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.arg(testkit::accession_bin()).args(words);
    command
        .env("HOME", root.home())
        .env("ACCESSION_OFFLINE", "1");
    Some(Ran::of(command.output().unwrap()))
}

#[test]
#[cfg(target_os = "linux")]
fn a_library_of_another_user_is_told_as_such() {
    use std::os::unix::fs::PermissionsExt;
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let allow = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(&root.path(), 0o755);
    allow(&root.database(), 0o600);
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    for words in [
        &["music", "status", folder][..],
        &["music", "import", folder],
        &["doctor", folder, "--offline"],
    ] {
        let Some(ran) = as_nobody(&root, words) else {
            return;
        };
        let told = format!("{}{}", ran.out, ran.err);
        assert!(
            ran.code == Some(1) || ran.code == Some(2),
            "{words:?}: {told}"
        );
        assert!(
            told.contains("it belongs to root") && told.contains("sudo chown"),
            "{words:?}: {told}"
        );
    }
    // Whether there is one cannot be known.
    allow(&root.path(), 0o700);
    let ran = as_nobody(&root, &["music", "status", folder])
        .unwrap()
        .ended(2);
    assert!(!ran.err.contains("there is no library"), "{}", ran.err);
}

#[test]
fn what_is_written_and_what_is_mistyped_is_json_for_machines() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let to = |name: &str| root.home().join(name);
    let pages = to("man");
    let man = root
        .run(&["man", pages.to_str().unwrap(), "--format", "json"])
        .ended(0);
    let written = &man.told("written")[0];
    assert_eq!(written["what"], "man pages");
    assert!(written["count"].as_u64() > Some(20), "{written}");
    for (words, what) in [
        (&["export"][..], "passages"),
        (&["export", "--cue"], "cue sheets"),
        (&["edits", "export"], "edits"),
    ] {
        let path = to(&format!("{}.out", what.replace(' ', "-")));
        let more = ["-o", path.to_str().unwrap(), "--format", "json"];
        let ran = root.music(&[words, &more].concat()).ended(0);
        let written = &ran.told("written")[0];
        assert_eq!(written["what"], what, "{written}");
        assert_eq!(written["path"], path.to_str().unwrap(), "{written}");
    }
    let slip = root.run(&["music", "imprt", "--format=json"]).ended(2);
    let told = &slip.told("error")[0];
    assert_eq!(told["message"], "unrecognized subcommand 'imprt'", "{told}");
    assert!(
        told["hint"].as_str().unwrap().contains("'import'"),
        "{told}"
    );
    let missing = root.run(&["music", "show", "--format", "json"]).ended(2);
    let told = &missing.told("error")[0];
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .ends_with("<FILE|PASSAGE>"),
        "{told}"
    );
}

#[test]
fn what_is_advised_for_files_that_are_gone_can_be_done() {
    let root = Root::empty();
    for number in 0..4 {
        song(&root.join(format!("{number}.wav")), number);
    }
    root.import(&[]).ended(0);
    let folder = root.path();
    let import = |words: &[&str]| {
        root.run(&[&["music", "import", folder.to_str().unwrap()], words].concat())
    };
    // One of several: what is advised is done.
    fs::remove_file(root.join("0.wav")).unwrap();
    let gone = import(&[]).ended(0);
    assert!(
        gone.err.contains("import --prune --root-folder"),
        "{}",
        gone.err
    );
    let pruned = import(&["--prune"]).ended(0);
    assert!(!pruned.err.contains("--prune"), "{}", pruned.err);
    for number in 1..4 {
        fs::remove_file(root.join(format!("{number}.wav"))).unwrap();
    }
    let empty = import(&[]).ended(0);
    assert!(
        empty.err.contains("is the disk mounted?") && empty.err.contains("import --prune --force"),
        "{}",
        empty.err
    );
    let refused = import(&["--prune"]).ended(2);
    assert!(
        refused.err.contains("import --prune --force"),
        "{}",
        refused.err
    );
    assert_eq!(root.count("SELECT count(*) FROM files"), 3);
    import(&["--prune", "--force"]).ended(0);
    assert_eq!(root.count("SELECT count(*) FROM files"), 0);
}

#[test]
#[cfg(unix)]
fn ids_of_passages_are_completed() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    song(&root.join("b.wav"), 2);
    root.import(&[]).ended(0);
    let ids = root.column("SELECT guid FROM passages ORDER BY guid");
    let folder = root.path();
    let folder = folder.to_str().unwrap();
    let completed = |words: &[&str], typed: &str| {
        let line = [
            &["--", "accession", "music"][..],
            words,
            &["--root", folder, typed],
        ]
        .concat();
        let mut command = root.command(&line);
        let output = command.env("COMPLETE", "fish").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for words in [&["show"][..], &["similar"], &["edit"]] {
        let all = completed(words, "");
        assert!(
            ids.iter().all(|id| all.contains(id.as_str())),
            "{words:?}: {all}"
        );
        assert_eq!(
            completed(words, &ids[0][..12]).split('\t').next(),
            Some(&*ids[0]),
            "{words:?}"
        );
    }
    let path = format!("--database={folder}/none.db");
    assert_eq!(completed(&["show", &path], &ids[0][..12]), "");
}

/// Another process holds the lock for longer than people wait without a word.
#[test]
fn a_wait_for_another_process_is_told() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let other = root.open();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    song(&root.join("b.wav"), 2);
    let mut import = root.import_command(&[]);
    import
        .env("ACCESSION_LOG", "")
        .stdout(std::process::Stdio::piped());
    let child = import.stderr(std::process::Stdio::piped()).spawn().unwrap();
    // Twice what is to pass before it is told.
    std::thread::sleep(std::time::Duration::from_secs(8));
    other.execute_batch("COMMIT").unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap()).ended(0);
    let told = ran
        .err
        .matches("another process is writing to the database")
        .count();
    assert_eq!(told, 1, "{}", ran.err);
}

#[test]
fn a_second_import_is_told_of_the_first() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    let lock = root.join("wkmp.db-import.lock");
    let first = fs::File::create(&lock).unwrap();
    first.lock().unwrap();
    let told = |ran: &Ran| {
        let warnings = ran.told("warning");
        let is_told = |event: &serde_json::Value| {
            event["message"]
                .as_str()
                .unwrap()
                .contains("another import")
        };
        warnings.iter().filter(|event| is_told(event)).count()
    };
    assert_eq!(told(&root.import(&[]).ended(0)), 1);
    drop(first);
    // What a killed one leaves is nobody's.
    assert!(lock.exists());
    assert_eq!(told(&root.import(&[]).ended(0)), 0);
    assert_eq!(root.litter(), [""; 0]);
}

#[test]
fn a_dry_run_ends_as_the_import_would() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    for number in 0..3 {
        let path = root.join(format!("bad{number}.mp3"));
        fs::write(path, format!("{number} no sound ").repeat(99)).unwrap();
    }
    fs::write(root.join("empty.flac"), "").unwrap();
    let dry = root.music(&["import", "--dry-run"]).ended(1);
    let of_files = |ran: &Ran| -> Vec<String> {
        let lines = ran.out.lines();
        let told =
            lines.filter(|line| line.starts_with("left out: ") || line.starts_with("failed: "));
        told.map(str::to_owned).collect()
    };
    assert!(!root.database().exists());
    let real = root.music(&["import"]).ended(1);
    assert_eq!(of_files(&dry).len(), 2, "{}", dry.out);
    assert_eq!(of_files(&dry), of_files(&real));
    root.music(&["import", "--dry-run"]).ended(1);
}
