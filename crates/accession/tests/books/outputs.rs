//! Where exports may go.

use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::process::Command;

use crate::support::{World, code, said};

fn collected() -> World {
    let world = World::new(50);
    assert_eq!(code(&world.collect(&[])), 0);
    world
}

fn export(world: &World, output: &str) -> std::process::Output {
    world.run(&["export", "--run-name", "R", "-o", output])
}

#[test]
fn pipes_and_links_stay_what_they_are() {
    let world = collected();
    let folder = world.folder.path();
    let pipe = folder.join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let reading = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let mut text = String::new();
            std::fs::File::open(pipe)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            text
        })
    };
    assert_eq!(code(&export(&world, "pipe")), 0);
    assert_eq!(reading.join().unwrap().matches("\r\n").count(), 51);
    assert!(
        std::fs::symlink_metadata(&pipe)
            .unwrap()
            .file_type()
            .is_fifo()
    );
    std::fs::write(folder.join("target.csv"), "old").unwrap();
    std::os::unix::fs::symlink("target.csv", folder.join("link.csv")).unwrap();
    assert_eq!(code(&export(&world, "link.csv")), 0);
    let link = std::fs::symlink_metadata(folder.join("link.csv")).unwrap();
    assert!(link.file_type().is_symlink());
    let text = std::fs::read_to_string(folder.join("target.csv")).unwrap();
    assert_eq!(text.matches("\r\n").count(), 51);
}

#[test]
fn the_files_of_the_run_are_refused() {
    let world = collected();
    let before = std::fs::read(world.directory().join("run_config.json")).unwrap();
    std::os::unix::fs::symlink(
        "output/R/books.db",
        world.folder.path().join("innocent.csv"),
    )
    .unwrap();
    for own in [
        "output/R/books.db",
        "output/R/run_config.json",
        "output/R/process_summary.json",
        "output/R/session.lock",
        "output/R/books.db-fetched",
        "output/R/../R/books.db",
        "innocent.csv",
    ] {
        let refused = export(&world, own);
        assert_eq!(code(&refused), 2, "{own}: {}", said(&refused));
        assert_eq!(world.stored().len(), 50, "{own}");
    }
    let after = std::fs::read(world.directory().join("run_config.json")).unwrap();
    assert_eq!(before, after);
}

#[test]
fn the_ending_of_a_name_chooses_the_form_and_the_umask_the_mode() {
    let world = collected();
    for (name, begin) in [
        ("a.parquet", "PAR1"),
        ("a.jsonl", "{\""),
        ("a.csv", "Barcode,"),
        ("a.txt", "Barcode,"),
    ] {
        let output = export(&world, name);
        assert_eq!(code(&output), 0, "{}", said(&output));
        let bytes = std::fs::read(world.folder.path().join(name)).unwrap();
        assert!(bytes.starts_with(begin.as_bytes()), "{name}");
    }
    // What was asked for by name wins over the ending.
    let output = world.run(&[
        "export",
        "--run-name",
        "R",
        "-o",
        "b.parquet",
        "--as",
        "csv",
    ]);
    assert_eq!(code(&output), 0);
    let bytes = std::fs::read(world.folder.path().join("b.parquet")).unwrap();
    assert!(bytes.starts_with(b"Barcode,"));
    let folder = world.folder.path();
    for (umask, mode) in [("027", 0o640), ("077", 0o600), ("000", 0o666)] {
        let accession = env!("CARGO_BIN_EXE_accession");
        let run = format!("u{umask}");
        let script = format!(
            "umask {umask}; '{accession}' books export --run-name R -o {run}.csv && '{accession}' books collect \
             --run-name {run} --library-directory X --storage s3 --rate-limit 0"
        );
        let command = world.command(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(folder);
        for (name, value) in command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        let output = shell.output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        for file in [
            format!("{run}.csv"),
            format!("output/{run}/run_config.json"),
            format!("output/{run}/process_summary.json"),
        ] {
            let found = std::fs::metadata(folder.join(&file)).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, mode, "{umask} {file}");
        }
    }
    // A file that was there keeps its mode and its other names.
    let kept = folder.join("kept.csv");
    std::fs::write(&kept, "old").unwrap();
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o604)).unwrap();
    std::fs::hard_link(&kept, folder.join("other.csv")).unwrap();
    assert_eq!(code(&export(&world, "kept.csv")), 0);
    let found = std::fs::metadata(&kept).unwrap();
    assert_eq!(
        (found.permissions().mode() & 0o777, found.nlink()),
        (0o604, 2)
    );
}
