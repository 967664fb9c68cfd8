//! Odd names, odd ways to name a folder, and files that change under the importer's hands.

use std::path::PathBuf;

use crate::support::{Ran, Root, song, too_deep};

const ODD: [&str; 9] = [
    "new\nline.wav",
    "-dash.wav",
    "per%20cent %s.wav",
    "quo'te \"and\" comma,.wav",
    "escape\u{1b}[31m.wav",
    "#comment.wav",
    " blanks .wav",
    "e\u{301} decomposed.wav",
    "semi;colon -- drop table files.wav",
];

fn odd() -> Root {
    let root = Root::empty();
    for (number, name) in ODD.iter().enumerate() {
        song(&root.join(name), number as u64);
    }
    root
}

#[test]
fn any_name_is_taken_in_shown_and_exported() {
    let root = odd();
    root.import(&[]).ended(0);
    assert_eq!(root.count("SELECT count(*) FROM files"), 9);
    for name in ODD {
        // A leading dash is an option to everybody, unless `--` says otherwise.
        let shown = root.run(&[
            "music".as_ref(),
            "show".as_ref(),
            "--format".as_ref(),
            "json".as_ref(),
            "--root-folder".as_ref(),
            root.path().as_os_str(),
            "--".as_ref(),
            name.as_ref(),
        ]);
        let shown = &shown.ended(0).events()[0];
        assert_eq!(shown["path"], *name);
    }
    let list = root.music(&["export", "--as", "m3u8"]).ended(0);
    let files = list
        .out
        .lines()
        .filter(|line| !line.starts_with("#EXT"))
        .count();
    assert_eq!(files, 1 + 9 - 1, "{}", list.out);
    let csv = root.music(&["export"]).ended(0);
    assert!(
        csv.out.contains("\"quo'te \"\"and\"\" comma,.wav\""),
        "{}",
        csv.out
    );
    assert!(csv.out.contains("\"new\nline.wav\""), "{}", csv.out);
    let lines = root.music(&["export", "--as", "jsonl"]).ended(0);
    assert_eq!(lines.events().len(), 9);
    root.assert_sound();
}

#[test]
fn an_odd_name_cannot_break_a_line_or_paint_a_terminal() {
    let root = Root::empty();
    for name in ["bad\nname.wav", "bad\u{1b}[31mname.wav"] {
        std::fs::write(root.join(name), "no sound").unwrap();
    }
    let ran = root.run(&[
        "music".as_ref(),
        "import".as_ref(),
        "-v".as_ref(),
        root.path().as_os_str(),
    ]);
    let ran = ran.ended(1);
    assert_eq!(
        ran.err
            .lines()
            .filter(|line| line.starts_with("left out: `bad"))
            .count(),
        2,
        "{}",
        ran.err
    );
    let status = root.music(&["status", "--all"]).ended(0);
    assert_eq!(
        status
            .out
            .lines()
            .filter(|line| line.starts_with("      bad"))
            .count(),
        2,
        "{}",
        status.out
    );
}

#[test]
fn very_long_names_and_paths_are_taken_in_or_told() {
    let root = Root::empty();
    song(&root.join(format!("{}.wav", "n".repeat(251))), 1);
    too_deep(&root.path());
    let ran = root.import(&[]).ended(1);
    assert_eq!(
        (ran.files("recorded"), ran.files("failed")),
        (1, 1),
        "{}",
        ran.out
    );
    assert!(
        ran.told("file_failed")[0]["reason"]
            .as_str()
            .unwrap()
            .contains("too long")
    );
}

#[test]
fn a_folder_is_the_same_however_it_is_written() {
    let root = Root::empty();
    song(&root.join("sub/a.wav"), 1);
    song(&root.join("b.wav"), 2);
    root.import(&[]).ended(0);
    let import = |folder: PathBuf| {
        let mut command = root.command(&["music", "import", "--format", "json"]);
        command.arg(folder).current_dir(root.join("sub"));
        let ran = Ran::of(command.output().unwrap()).ended(0);
        assert_eq!(
            (ran.files("unchanged"), ran.files("recorded")),
            (2, 0),
            "{}",
            ran.out
        );
    };
    let mut slash = root.path().into_os_string();
    slash.push("/");
    import(slash.into());
    import(PathBuf::from(".."));
    import(root.join("sub/.."));
    import(PathBuf::from("../sub/../."));
    #[cfg(unix)]
    {
        let link = root.home().join("link");
        std::os::unix::fs::symlink(root.path(), &link).unwrap();
        import(link.clone());
        let mut show = root.command(&["music", "show"]);
        show.arg(link.join("b.wav")).arg("--root-folder").arg(&link);
        assert!(
            Ran::of(show.output().unwrap())
                .ended(0)
                .out
                .starts_with("b.wav")
        );
    }
    let mut inside = root.command(&[
        "music",
        "import",
        "--format",
        "json",
        "--root-folder",
        "..",
        ".",
    ]);
    let ran = Ran::of(inside.current_dir(root.join("sub")).output().unwrap()).ended(0);
    assert_eq!(
        (
            ran.files("found"),
            ran.files("unchanged"),
            ran.files("missing")
        ),
        (1, 1, 0)
    );
    assert!(!root.join("sub/wkmp.db").exists());
}

#[test]
fn more_jobs_than_files_do_no_harm() {
    let root = Root::empty();
    for number in 0..3 {
        song(&root.join(format!("{number}.wav")), number);
    }
    assert_eq!(root.import(&["--jobs", "64"]).ended(0).files("recorded"), 3);
    for number in 0..3 {
        std::fs::remove_file(root.join(format!("{number}.wav"))).unwrap();
    }
    assert_eq!(root.import(&["--jobs", "64"]).ended(0).files("found"), 0);
    assert_eq!(root.import(&["--prune"]).code, Some(2), "an empty disk");
}

#[test]
fn a_file_that_vanishes_or_changes_under_way_is_settled_by_the_next_run() {
    let root = Root::empty();
    // Long enough that the two small ones, which come later, are not read yet.
    testkit::corpus::long_wav(&root.join("0 long.wav"), 1, 0.5, 22_050).unwrap();
    song(&root.join("vanishes.wav"), 2);
    song(&root.join("changes.wav"), 3);
    let child = root
        .import_command(&["--jobs", "1"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while !root.database().exists() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    std::thread::sleep(std::time::Duration::from_millis(150));
    std::fs::remove_file(root.join("vanishes.wav")).unwrap();
    song(&root.join("changes.wav"), 4);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.files("found"), 3);
    assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    let failed = ran.told("file_failed");
    assert!(
        failed.len() <= 1 && failed.iter().all(|event| event["path"] == "vanishes.wav"),
        "{failed:?}"
    );
    let again = root.import(&["--prune"]).ended(0);
    assert_eq!((again.files("found"), again.files("failed")), (2, 0));
    assert_eq!(
        root.column("SELECT path FROM files ORDER BY 1"),
        ["0 long.wav", "changes.wav"]
    );
    let (_, hash) = (
        0,
        root.column("SELECT hash FROM files WHERE path = 'changes.wav'"),
    );
    let sum = std::process::Command::new("sha256sum")
        .arg(root.join("changes.wav"))
        .output();
    if let Ok(sum) = sum {
        assert_eq!(String::from_utf8_lossy(&sum.stdout)[..64], hash[0]);
    }
    assert_eq!(root.import(&[]).ended(0).files("unchanged"), 2);
    root.assert_sound();
}

#[test]
fn a_wrong_folder_is_an_error_that_leaves_nothing_behind() {
    let root = Root::empty();
    let gone = root.join("gone");
    let file = root.join("file.txt");
    std::fs::write(&file, "x").unwrap();
    for folder in [gone, file] {
        let ran = root
            .run(&["music".as_ref(), "import".as_ref(), folder.as_os_str()])
            .ended(2);
        assert!(ran.err.contains(folder.to_str().unwrap()), "{}", ran.err);
    }
    let outside = root.run(&[
        "music".as_ref(),
        "import".as_ref(),
        root.home().as_os_str(),
        "--root-folder".as_ref(),
        root.path().as_os_str(),
    ]);
    assert!(
        outside
            .ended(2)
            .err
            .contains("is not inside the root folder")
    );
    let names: Vec<_> = std::fs::read_dir(root.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert!(names.iter().all(|name| name != "gone"), "{names:?}");
}

/// Every file asks what lies beside it; the answer is read once for all.
#[test]
fn a_folder_is_listed_a_few_times_however_many_files_it_has() {
    if !testkit::locks::strace::available() {
        eprintln!("left out: strace is missing, or may not trace");
        return;
    }
    let root = Root::empty();
    for number in 0..150 {
        song(&root.join(format!("{number}.wav")), number);
    }
    let trace = root.home().join("trace");
    let import = root.import_command(&["--jobs", "2"]);
    let mut command = std::process::Command::new("strace");
    command
        .args(["-f", "-qq", "-e", "trace=getdents64", "-o"])
        .arg(&trace);
    command.arg(import.get_program()).args(import.get_args());
    let variables = import
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    command.envs(variables);
    let ran = Ran::of(command.output().unwrap()).ended(0);
    assert_eq!(ran.files("recorded"), 150);
    let lists = std::fs::read_to_string(&trace)
        .unwrap()
        .matches("getdents64(")
        .count();
    // Two calls read a folder of this size, and it is read by the scan and by whoever looks for sheets.
    assert!((1..=20).contains(&lists), "{lists} listings");
}

#[test]
fn a_path_with_dots_means_the_file_it_leads_to_and_no_other() {
    let root = Root::empty();
    std::fs::create_dir(root.join("sub")).unwrap();
    song(&root.join("a.wav"), 1);
    song(&root.join("sub/a.wav"), 2);
    root.import(&[]).ended(0);
    root.music(&["edit", "sub/../a.wav", "--title", "Upper"])
        .ended(0);
    root.music(&["edit", "./sub/./a.wav", "--title", "Lower"])
        .ended(0);
    for wrong in ["sub/../../a.wav", "../sub/a.wav", "sub/../none.wav"] {
        let ran = root.music(&["edit", wrong, "--title", "Wrong"]).ended(2);
        assert!(ran.err.contains(wrong), "{}", ran.err);
    }
    let titles = root.column(
        "SELECT p.title FROM passages p JOIN files f ON f.guid = p.file_id ORDER BY f.path",
    );
    assert_eq!(titles, ["Upper", "Lower"]);
}
