//! What lies where a file is expected, and would be waited for without an end: FIFOs.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::{Ran, Root, song};

/// Longer than any of these commands takes on a busy machine; without a writer, a FIFO is waited for for ever.
const PATIENCE: Duration = Duration::from_mins(2);

fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// Runs a command that must not wait for what nobody writes.
#[track_caller]
fn promptly(mut command: Command) -> Ran {
    let (ended, end) = channel();
    let child = command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    std::thread::spawn(move || ended.send(child.wait_with_output().unwrap()));
    let Ok(output) = end.recv_timeout(PATIENCE) else {
        Command::new("kill").args(["-9", &id]).status().unwrap();
        panic!("{command:?} waits");
    };
    Ran::of(output)
}

#[test]
fn an_import_passes_over_fifos_of_every_name() {
    let root = Root::empty();
    song(&root.join("x.wav"), 1);
    for name in [
        "x.cue",
        "y.cue",
        "z.wav",
        "z.mp3",
        "z.flac",
        "cover.jpg",
        "folder.jpg",
        "x.txt",
        "x",
    ] {
        fifo(&root.join(name));
    }
    // Those that are called audio are named as misleading.
    let ran = promptly(root.import_command(&[])).ended(1);
    assert_eq!(ran.files("recorded"), 1);
    let mut show = root.command(&["music", "show", "x.wav", "--root-folder"]);
    show.arg(root.path());
    promptly(show).ended(0);
}

#[test]
fn a_library_that_is_a_fifo_is_refused() {
    let root = Root::empty();
    song(&root.join("x.wav"), 1);
    fifo(&root.database());
    for words in [
        &["import"][..],
        &["status"],
        &["check"],
        &["settings", "list"],
    ] {
        let mut command = root.command(&["music"]);
        command.args(words).arg("--root-folder").arg(root.path());
        let ran = promptly(command).ended(2);
        assert!(ran.err.contains("FIFO"), "{words:?}: {}", ran.err);
    }
}

#[test]
fn a_configuration_or_a_dump_that_is_a_fifo_is_not_waited_for() {
    let root = Root::empty();
    song(&root.join("x.wav"), 1);
    root.import(&[]).ended(0);
    let folder = root.home().join(".config");
    std::fs::create_dir_all(folder.join("accession")).unwrap();
    fifo(&folder.join("accession/accession.toml"));
    let ran = promptly(root.command(&["music", "status"]));
    assert!(ran.err.contains("found a FIFO"), "{}", ran.err);
    let dump = root.home().join("dump.tar.zst");
    fifo(&dump);
    let mut flavor = root.command(&["music", "flavor", "--from-dump"]);
    flavor.arg(&dump).arg("--root-folder").arg(root.path());
    let ran = promptly(flavor).ended(2);
    assert!(ran.err.contains("found a FIFO"), "{}", ran.err);
}

/// A scan goes through no link, so a folder that is one now holds nothing of the library: every command says the same.
#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_folder_holds_no_file_of_the_library() {
    let root = Root::empty();
    std::fs::create_dir(root.join("album")).unwrap();
    song(&root.join("album/x.wav"), 1);
    root.import(&["--offline"]).ended(0);
    root.music(&["check"]).ended(0);
    let elsewhere = root.home().join("elsewhere");
    std::fs::rename(root.join("album"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, root.join("album")).unwrap();
    let checked = root.music(&["check"]);
    assert!(checked.out.contains("missing on disk"), "{}", checked.out);
    let ran = root.import(&["--offline"]);
    assert_eq!(ran.files("missing"), 1);
}
