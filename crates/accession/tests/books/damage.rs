//! Files of a run that are missing, damaged, or taken away.

use std::process::Stdio;
use std::time::Duration;

use crate::support::{COLLECT, World, code, said};

#[test]
fn a_database_without_a_byte_or_without_a_file_is_no_sound_one_and_none_is_made() {
    let world = World::new(100);
    assert_eq!(code(&world.collect(&["--write-config"])), 0);
    let database = world.directory().join("books.db");
    for empty in [false, true] {
        if empty {
            std::fs::write(&database, "").unwrap();
        }
        for command in ["check", "status", "enrich", "export", "verify"] {
            let output = world.run(&[command, "--run-name", "R"]);
            assert_eq!(code(&output), 2, "{command}: {}", said(&output));
            assert!(
                said(&output).contains("has no database yet"),
                "{command}: {}",
                said(&output)
            );
            let length = std::fs::metadata(&database).map_or(0, |file| file.len());
            assert_eq!((database.exists(), length), (empty, 0), "{command}");
        }
    }
    assert_eq!(code(&world.collect(&[])), 0, "an empty one is filled");
}

#[test]
fn a_database_that_is_taken_away_while_it_is_filled_is_no_success() {
    for removed in [false, true] {
        let world = World::new(6_000);
        world.grin.set_latency(Duration::from_millis(200));
        let args = [&COLLECT[..], &["--page-size", "500"]].concat();
        let child = world
            .command(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while world.grin.page_requests() < 3 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let database = world.directory().join("books.db");
        if removed {
            std::fs::remove_file(&database).unwrap();
        } else {
            std::fs::rename(&database, world.directory().join("old.db")).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 2, "{}", said(&output));
        assert!(
            said(&output).contains("was removed or replaced"),
            "{}",
            said(&output)
        );
        assert!(world.grin.page_requests() < 12, "it ended at once");
    }
}

#[test]
fn a_summary_that_is_not_understood_is_kept_and_one_with_a_mark_is_understood() {
    let world = World::new(100);
    assert_eq!(code(&world.collect(&[])), 0);
    let path = world.directory().join("process_summary.json");
    let whole = std::fs::read(&path).unwrap();
    let marked = [b"\xef\xbb\xbf", &whole[..]].concat();
    std::fs::write(&path, &marked).unwrap();
    let enrich = ["enrich", "--run-name", "R", "--rate-limit", "0"];
    assert_eq!(code(&world.run(&enrich)), 0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("\"books_collected\": 100") && text.contains("\"enrich\""),
        "{text}"
    );
    let cut = &whole[..whole.len() / 2];
    std::fs::write(&path, cut).unwrap();
    let output = world.run(&[&enrich[..], &["--reset"]].concat());
    assert_eq!(code(&output), 0);
    let names = std::fs::read_dir(world.directory()).unwrap();
    let aside = names
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.to_string_lossy()
                .contains("process_summary.not-understood-")
        })
        .unwrap();
    assert_eq!(std::fs::read(aside).unwrap(), cut);
    assert!(
        said(&output).contains("is not understood"),
        "{}",
        said(&output)
    );
}

#[test]
fn odd_values_of_other_tools_stop_no_export() {
    let world = World::new(100);
    assert_eq!(code(&world.collect(&[])), 0);
    let connection = rusqlite::Connection::open(world.directory().join("books.db")).unwrap();
    for (row, odd) in [
        "0.5",
        "'yes'",
        "x'00ff'",
        "''",
        "9223372036854775807",
        "-1e308",
    ]
    .iter()
    .enumerate()
    {
        let sql = format!(
            "UPDATE books SET is_decrypted = {odd}, title = {odd}, grin_state = {odd} WHERE rowid = {}",
            row + 1
        );
        connection.execute(&sql, []).unwrap();
    }
    for form in ["csv", "jsonl", "parquet"] {
        let output = world.run(&["export", "--run-name", "R", "--as", form]);
        assert_eq!(code(&output), 0, "{form}: {}", said(&output));
        assert!(
            said(&output).contains("100 books written"),
            "{form}: {}",
            said(&output)
        );
    }
}

#[test]
fn numbers_that_make_no_sense_are_refused_and_none_panics() {
    let world = World::new(10);
    for rate in ["1e-30", "-1", "nan", "inf", "1e300", "x"] {
        let flag = world.run(&[
            "collect",
            "--run-name",
            "R",
            "--library-directory",
            "X",
            "--storage",
            "s3",
            "--rate-limit",
            rate,
        ]);
        let environment = world
            .command(&[
                "collect",
                "--run-name",
                "R",
                "--library-directory",
                "X",
                "--storage",
                "s3",
            ])
            .env("GRIN_RATE_LIMIT_QPS", rate)
            .output()
            .unwrap();
        for output in [flag, environment] {
            assert_eq!(code(&output), 2, "{rate}: {}", said(&output));
            assert!(
                !said(&output).contains("panicked"),
                "{rate}: {}",
                said(&output)
            );
        }
    }
}
