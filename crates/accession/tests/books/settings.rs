//! Where settings come from, and that they stay.

use crate::support::{World, code, said};

#[test]
fn the_settings_are_written_once_and_no_command_changes_a_byte() {
    let world = World::new(1_200);
    let written = world.collect(&["--write-config"]);
    assert_eq!(code(&written), 0, "{}", said(&written));
    let path = world.directory().join("run_config.json");
    let before = std::fs::read(&path).unwrap();
    assert!(!world.directory().join("books.db").exists());
    assert_eq!(code(&world.collect(&[])), 0);
    for args in [
        &["collect", "--run-name", "R"][..],
        &["collect", "--run-name", "R", "--refresh"],
        &["enrich", "--run-name", "R", "--library-directory", "X"],
        &["export", "--run-name", "R"],
        &["export", "--run-name", "R", "--as", "parquet"],
        &["export", "--run-name", "R", "--as", "jsonl"],
        &["status", "--run-name", "R"],
        &["check", "--run-name", "R"],
    ] {
        let output = world.run(args);
        assert_eq!(code(&output), 0, "{args:?}: {}", said(&output));
        assert_eq!(std::fs::read(&path).unwrap(), before, "{args:?}");
    }
    for output in [world.sign_in(), world.run(&["auth", "setup"])] {
        assert_eq!(code(&output), 0, "{}", said(&output));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let refused = world.run(&["collect", "--run-name", "R", "--library-directory", "Y"]);
    assert_eq!(code(&refused), 2);
    let text = said(&refused);
    assert!(
        text.contains("library_directory is `X`, asked for `Y`") && text.contains("hint:"),
        "{text}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let csv = std::fs::read_to_string(world.directory().join("books_export.csv")).unwrap();
    assert_eq!(csv.matches("\r\n").count(), 1_201);
}

#[test]
fn a_name_that_would_be_changed_begins_no_run_and_finds_one_with_a_word() {
    let world = World::new(10);
    let named = |command: &'static str, name: &'static str| {
        world.run(&[
            command,
            "--run-name",
            name,
            "--rate-limit",
            "0",
            "--library-directory",
            "X",
        ])
    };
    for (name, possible) in [
        ("../x", "x"),
        ("a/b", "ab"),
        ("2026.1", "20261"),
        ("my run", "myrun"),
    ] {
        for command in ["collect", "enrich"] {
            let refused = named(command, name);
            let text = said(&refused);
            assert_eq!(code(&refused), 2, "{text}");
            assert!(
                text.contains(&format!("invalid run name `{name}`")),
                "{text}"
            );
            assert!(
                text.contains(&format!("`{possible}` is possible")),
                "{text}"
            );
        }
        assert!(
            !world.folder.path().join("output").join(possible).exists(),
            "{name}"
        );
        assert_eq!(code(&named("collect", possible)), 0);
        // Commands of an earlier version or of the Python tools go on with the run that they began.
        for command in ["collect", "enrich"] {
            let found = named(command, name);
            let text = said(&found);
            assert_eq!(code(&found), 0, "{text}");
            assert!(
                text.contains(&format!("warning: no run is called `{name}`")),
                "{text}"
            );
            assert!(text.contains(&format!("output/{possible}")), "{text}");
        }
        assert!(!said(&named("collect", possible)).contains("no run is called"));
    }
}

#[test]
fn a_plain_collection_writes_the_settings_that_were_announced() {
    let announced = World::new(10);
    announced.collect(&["--write-config"]);
    let text = std::fs::read_to_string(announced.directory().join("run_config.json")).unwrap();
    std::fs::remove_dir_all(announced.directory()).unwrap();
    announced.collect(&[]);
    let again = std::fs::read_to_string(announced.directory().join("run_config.json")).unwrap();
    assert_eq!(text, again);
}

#[test]
fn flags_environment_and_file_are_one_and_the_first_of_them_wins() {
    let world = World::new(10);
    let file = world.folder.path().join("run.toml");
    std::fs::write(&file, "library_directory = \"File\"\nstorage = \"s3\"\nbucket_raw = \"file\"\nsync_task_check_concurrency = 9\n").unwrap();
    let output = world
        .command(&[
            "collect",
            "--run-name",
            "R",
            "--config",
            "run.toml",
            "--bucket-raw",
            "flag",
            "--write-config",
        ])
        .env("ACCESSION_BOOKS_LIBRARY_DIRECTORY", "Environment")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = std::fs::read_to_string(world.directory().join("run_config.json")).unwrap();
    for part in [
        r#""library_directory": "Environment""#,
        r#""bucket_raw": "flag""#,
        r#""task_check_concurrency": 9"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    std::fs::write(&file, "libary = \"x\"").unwrap();
    assert_eq!(
        code(&world.run(&["collect", "--run-name", "Q", "--config", "run.toml"])),
        2
    );
}

#[test]
fn a_level_says_how_much_is_told() {
    let world = World::new(10);
    let told = |level: &str| {
        let output = world
            .command(&[
                "collect",
                "--run-name",
                "R",
                "--refresh",
                "--log-level",
                level,
            ])
            .env_remove("ACCESSION_LOG")
            .output()
            .unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        String::from_utf8_lossy(&output.stderr).lines().count()
    };
    assert_eq!(code(&world.collect(&[])), 0);
    assert_eq!((told("ERROR"), told("WARNING")), (0, 0));
    let info = told("info");
    assert!(info > 0 && told("DEBUG") > info);
    let both = ["export", "--run-name", "R", "--log-level", "INFO", "-q"];
    assert_eq!(code(&world.run(&both)), 2);
    assert_eq!(code(&world.run(&both[..5])), 0);
}

#[test]
fn before_the_first_book_settings_are_corrected_and_a_place_to_store_can_be_said_later() {
    let world = World::new(10);
    let collect = |more: &[&str]| {
        let begin = ["collect", "--run-name", "R", "--rate-limit", "0"];
        world.run(&[&begin[..], more].concat())
    };
    let dry = collect(&["--library-directory", "Havrard", "--dry-run"]);
    assert_eq!(code(&dry), 0, "{}", said(&dry));
    let told = said(&dry);
    assert!(
        told.contains("for the books of `Havrard`, 10,000 a page") && told.contains("not begun"),
        "{told}"
    );
    assert!(!world.directory().exists(), "a dry run has made something");
    let typed = collect(&["--library-directory", "Havrard", "--write-config"]);
    assert_eq!(code(&typed), 0, "{}", said(&typed));
    let output = collect(&["--library-directory", "Harvard"]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    for told in [
        "run_config.json",
        "books.db",
        "grin_pipeline_R.log",
        "next: `accession books enrich",
    ] {
        assert!(said(&output).contains(told), "{told}: {}", said(&output));
    }
    assert_eq!(code(&collect(&["--library-directory", "Yale"])), 2);
    let stored = collect(&[
        "--storage",
        "local",
        "--storage-path",
        "data",
        "--write-config",
    ]);
    assert_eq!(code(&stored), 0, "{}", said(&stored));
    let text = std::fs::read_to_string(world.directory().join("run_config.json")).unwrap();
    assert!(
        text.contains("\"Harvard\"") && text.contains("\"local\""),
        "{text}"
    );
    let dry = said(&collect(&["--dry-run"]));
    assert!(dry.contains("complete since"), "{dry}");
    let again = said(&collect(&[]));
    assert!(
        again.contains("complete before: 10 books") && !again.contains("refreshing"),
        "{again}"
    );
}

#[test]
fn a_storage_path_that_is_mistyped_is_not_made() {
    let world = World::new(10);
    let away = world.directory().join("archvie/books");
    let begin = [
        "collect",
        "--run-name",
        "R",
        "--library-directory",
        "Harvard",
        "--storage",
        "local",
    ];
    let path = away.to_str().unwrap();
    for more in [&["--write-config"][..], &["--dry-run"], &[]] {
        let all = [&begin[..], &["--storage-path", path], more].concat();
        let output = world.run(&all);
        assert_eq!(code(&output), 2, "{}", said(&output));
        assert!(
            said(&output).contains("there is no folder")
                && said(&output).contains("its disk mounted"),
            "{}",
            said(&output)
        );
        assert!(!world.directory().exists(), "{more:?}");
    }
}

#[test]
fn a_home_folder_that_no_shell_has_put_in_is_put_in() {
    let world = World::new(10);
    let home = world.folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let mut command = world.command(&[
        "collect",
        "--run-name",
        "R",
        "--library-directory",
        "Harvard",
        "--log-dir=~/logs",
        "--write-config",
    ]);
    command.env("HOME", &home).env("GRIN_OUTPUT_DIR", "~/runs");
    let output = command.output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = std::fs::read_to_string(home.join("runs/R/run_config.json")).unwrap();
    let logs = home.join("logs");
    assert!(text.contains(logs.to_str().unwrap()), "{text}");
    assert!(!world.folder.path().join("~").exists());
}
