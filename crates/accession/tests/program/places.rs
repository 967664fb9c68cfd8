//! Where the library is: four ways to say it, databases elsewhere, media that cannot be written to.

use std::path::Path;
use std::process::Command;

use crate::support::{Ran, Root, song};

fn root_of(command: &mut Command) -> String {
    let ran = Ran::of(command.output().unwrap()).ended(0);
    let started = &ran.told("import_started")[0];
    started["root"].as_str().unwrap().to_owned()
}

fn configure(root: &Root, file: &str, text: &str) {
    let path = root.home().join(".config").join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn argument_environment_file_and_home_in_this_order() {
    let root = Root::empty();
    for name in ["argument", "first", "second", "ours", "theirs"] {
        song(&root.join(name).join("a.wav"), 1);
    }
    song(&root.home().join("Music/a.wav"), 1);
    let toml = |folder: &str| format!("root_folder = {:?}\n", root.join(folder));
    let import = || root.command(&["music", "import", "--format", "json"]);
    let is = |found: String, expected: &Path| assert_eq!(Path::new(&found), expected);

    is(
        root_of(&mut import()),
        &root.home().canonicalize().unwrap().join("Music"),
    );
    assert!(root.home().join("Music/wkmp.db").is_file());
    configure(&root, "wkmp/wkmp-ai.toml", &toml("theirs"));
    is(root_of(&mut import()), &root.join("theirs"));
    configure(&root, "accession/accession.toml", &toml("ours"));
    is(root_of(&mut import()), &root.join("ours"));
    is(
        root_of(import().env("WKMP_ROOT", root.join("second"))),
        &root.join("second"),
    );
    let mut both = import();
    both.env("WKMP_ROOT", root.join("second"))
        .env("WKMP_ROOT_FOLDER", root.join("first"));
    is(root_of(&mut both), &root.join("first"));
    let mut all = import();
    all.env("WKMP_ROOT_FOLDER", root.join("first"))
        .arg("--root-folder")
        .arg(root.join("argument"));
    is(root_of(&mut all), &root.join("argument"));
    let mut empty = import();
    empty.env("WKMP_ROOT_FOLDER", "");
    is(root_of(&mut empty), &root.join("ours"));
}

#[test]
fn inside_a_library_it_need_not_be_named() {
    let root = Root::empty();
    song(&root.join("Band/Album/01 One.wav"), 1);
    root.command(&["music", "import", "--offline", "."])
        .current_dir(root.path())
        .output()
        .unwrap();
    let inside = |folder: &Path, words: &[&str]| {
        let output = root.command(words).current_dir(folder).output().unwrap();
        Ran::of(output).ended(0)
    };
    for folder in [root.path(), root.join("Band/Album")] {
        let shown = inside(&folder, &["music", "show", "Band/Album/01 One.wav"]);
        assert!(shown.out.contains("01 One.wav"), "{}", shown.out);
    }
    // A configured one comes before it.
    configure(
        &root,
        "accession/accession.toml",
        "root_folder = \"/nowhere\"\n",
    );
    let status = root
        .command(&["music", "status"])
        .current_dir(root.path())
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(2));
}

#[test]
fn a_broken_configuration_file_changes_no_library_that_was_named_and_else_stops_everything() {
    let root = Root::empty();
    song(&root.home().join("Music/a.wav"), 1);
    song(&root.join("a.wav"), 1);
    for broken in ["root_folder = [", "root_folder = 7"] {
        configure(&root, "accession/accession.toml", broken);
        let ran = root.run(&["music", "import"]).ended(2);
        assert!(ran.err.contains("accession.toml"), "{}", ran.err);
        assert!(!root.home().join("Music/wkmp.db").exists());
        root.import(&[]).ended(0);
    }
}

#[test]
fn a_database_elsewhere_knows_its_root() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    let database = root.home().join("elsewhere.db");
    let with = |words: &[&str]| {
        let mut command = root.command(&["music"]);
        command.args(words).arg("--database").arg(&database);
        command
    };
    let mut import = with(&["import"]);
    Ran::of(import.arg(root.path()).output().unwrap()).ended(0);
    assert!(!root.database().exists());
    let status = Ran::of(with(&["status"]).output().unwrap()).ended(0);
    assert!(
        status
            .out
            .contains(&format!("root      {}\n", root.path().display())),
        "{}",
        status.out
    );
    Ran::of(with(&["check"]).output().unwrap()).ended(0);
    let list = Ran::of(with(&["export", "--as", "m3u8"]).output().unwrap()).ended(0);
    assert!(
        list.out
            .contains(&format!("{}/a.wav", root.path().display())),
        "{}",
        list.out
    );
}

#[test]
fn a_database_takes_in_no_other_folder_in_place_of_its_own() {
    let root = Root::empty();
    for (name, seed) in [("ours/a.wav", 1), ("ours/b.wav", 2), ("theirs/c.wav", 3)] {
        song(&root.join(name), seed);
    }
    song(&root.home().join("Music/d.wav"), 4);
    let database = root.home().join("radio.db");
    let import = |words: &[&str], folder: Option<&str>| {
        let mut command = root.command(&["music", "import", "--offline"]);
        command.args(words).arg("--database").arg(&database);
        command.args(folder.map(|folder| root.join(folder)));
        Ran::of(command.output().unwrap())
    };
    import(&[], Some("ours")).ended(0);
    // Without a word, its own folder is meant, and not the usual one.
    let again = import(&["--prune"], None).ended(0);
    assert!(!again.out.contains("Music"), "{}", again.out);
    let other = import(&[], Some("theirs")).ended(2);
    assert!(
        other.err.contains("holds none of the 2 files"),
        "{}",
        other.err
    );
    import(&["--prune"], Some("theirs")).ended(2);
    let paths = || -> Vec<String> {
        let database = rusqlite::Connection::open(&database).unwrap();
        let mut paths = database
            .prepare("SELECT path FROM files ORDER BY path")
            .unwrap();
        let paths = paths.query_map([], |row| row.get(0)).unwrap();
        paths.map(Result::unwrap).collect()
    };
    assert_eq!(paths(), ["a.wav", "b.wav"]);
    // A folder that was renamed is the same one.
    std::fs::rename(root.join("ours"), root.join("mine")).unwrap();
    let moved = import(&[], Some("mine")).ended(0);
    assert!(!moved.out.contains("missing"), "{}", moved.out);
}

#[test]
fn what_lies_on_a_disk_that_is_not_mounted_is_not_pruned() {
    let root = Root::empty();
    for number in 0..4 {
        song(&root.join(format!("disk/{number}.wav")), number);
        song(&root.join(format!("here/{number}.wav")), 10 + number);
    }
    root.import(&[]).ended(0);
    let files = || root.count("SELECT count(*) FROM files");
    for number in 0..4 {
        std::fs::remove_file(root.join(format!("disk/{number}.wav"))).unwrap();
    }
    std::fs::remove_file(root.join("here/0.wav")).unwrap();
    let ran = root.import(&["--prune"]).ended(0);
    let told = format!("{}{}", ran.out, ran.err);
    assert!(told.contains("it is there and empty"), "{told}");
    assert_eq!(files(), 7);
    std::fs::remove_dir(root.join("disk")).unwrap();
    for number in 1..4 {
        std::fs::remove_file(root.join(format!("here/{number}.wav"))).unwrap();
    }
    // A stray file is no sign that all others are gone.
    song(&root.join("stray.wav"), 20);
    let ran = root.import(&["--prune"]).ended(2);
    assert!(ran.err.contains("7 of the 7 files"), "{}", ran.err);
    assert_eq!(files(), 7);
    root.import(&["--prune", "--force"]).ended(0);
    assert_eq!(files(), 1);
}

#[test]
fn reading_a_library_that_is_not_there_says_so_and_makes_none() {
    let root = Root::empty();
    for words in [
        &["status"][..],
        &["check"],
        &["export"],
        &["show", "x"],
        &["settings", "list"],
    ] {
        let ran = root.music(words).ended(2);
        assert!(
            ran.err.contains("there is no library at"),
            "{words:?}: {}",
            ran.err
        );
        assert!(ran.err.contains("hint: "), "{words:?}: {}", ran.err);
    }
    assert!(!root.database().exists());
    for text in [
        "not a database, but long enough to be taken for one by the careless ".repeat(20),
        String::new(),
    ] {
        std::fs::write(root.database(), &text).unwrap();
        let ran = root.music(&["status"]);
        assert_eq!(std::fs::read_to_string(root.database()).unwrap(), text);
        assert!(ran.code == Some(2) || text.is_empty(), "{ran:?}");
    }
}

#[test]
fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    song(&root.join("b.wav"), 2);
    let ran = root.import(&["--dry-run"]).ended(0);
    let last = ran.completed();
    assert_eq!(
        (
            last["state"].as_str(),
            &ran.told("planned")[0]["to_analyse"]
        ),
        (Some("planned"), &2.into())
    );
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["a.wav", "b.wav"]);

    root.import(&[]).ended(0);
    let before = std::fs::read(root.database()).unwrap();
    std::fs::remove_file(root.join("a.wav")).unwrap();
    song(&root.join("c.wav"), 3);
    std::fs::write(root.join("b.wav"), "").unwrap();
    for options in [&["-n"][..], &["-n", "--prune"], &["-n", "--force"]] {
        let ran = root.import(options);
        assert_eq!(ran.told("file_missing").len(), 1);
        assert_eq!(ran.told("file_missing")[0]["pruned"], false);
        assert_eq!(std::fs::read(root.database()).unwrap(), before);
    }
    assert_eq!(root.litter(), [""; 0]);
    let text = root.run(&[
        "music".as_ref(),
        "import".as_ref(),
        "-n".as_ref(),
        root.path().as_os_str(),
    ]);
    assert!(text.out.contains("nothing was done"), "{}", text.out);
}

/// Runs the program with the root folder mounted read-only, in a mount namespace of its own.
fn read_only(root: &Root, words: &str) -> Option<Ran> {
    if !crate::support::may_mount() {
        return None;
    }
    let script = format!(
        "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && exec \"$2\" music {words} --root-folder \"$1\""
    );
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", &script, "sh"])
        .arg(root.path())
        .arg(testkit::accession_bin())
        .env("HOME", root.home())
        .env("XDG_CONFIG_HOME", root.home())
        .env("ACCESSION_OFFLINE", "1");
    Some(Ran::of(command.output().unwrap()))
}

#[test]
fn a_library_on_read_only_media_can_be_read() {
    let root = Root::empty();
    song(&root.join("a.wav"), 1);
    root.import(&[]).ended(0);
    for words in [
        "status",
        "show a.wav",
        "export --as csv",
        "check",
        "settings list",
        "import --dry-run",
    ] {
        let Some(ran) = read_only(&root, words) else {
            return;
        };
        let ran = ran.ended(0);
        assert!(!ran.out.is_empty(), "{words}: {}", ran.err);
    }
    let ran = read_only(&root, "import").unwrap();
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
}

#[test]
fn a_full_disk_ends_the_run_and_harms_nothing() {
    let able = Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
        .output();
    if !able.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: `unshare -m` and `mount` are not allowed here");
        return;
    }
    let root = Root::empty();
    testkit::corpus::many(&root.join("music"), 200, 1.0).unwrap();
    let script = "mount -t tmpfs -o size=800k none \"$1/small\" && \
                  \"$2\" music import \"$1/music\" --database \"$1/small/wkmp.db\" --format json; echo $? >&2; \
                  \"$2\" music check --root-folder \"$1/music\" --database \"$1/small/wkmp.db\" >&2; echo $? >&2";
    std::fs::create_dir(root.join("small")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", script, "sh"])
        .arg(root.path())
        .arg(testkit::accession_bin());
    command
        .env("HOME", root.home())
        .env("ACCESSION_OFFLINE", "1");
    let ran = Ran::of(command.output().unwrap());
    let codes: Vec<_> = ran.err.lines().filter(|line| line.len() == 1).collect();
    assert_eq!(codes, ["2", "0"], "{}", ran.err);
    assert!(
        ran.err.contains("no space left for the database"),
        "{}",
        ran.err
    );
    // Once, and of no file.
    assert_eq!(ran.told("error").len(), 1, "{}", ran.out);
    assert!(ran.told("file_failed").is_empty(), "{}", ran.out);
}
