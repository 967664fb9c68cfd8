//! The adapters in `deploy/`, run by the engines they are for, with processes that are killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use testkit::library::{Rules, assert_same};

use crate::killed::fill;
use crate::support::{Ran, Root};

/// Debian's own, for which `script/check` installs Dask; the first on the path may be another.
const PYTHON: &str = "/usr/bin/python3";

/// Whether an engine is there. In CI it has to be: `script/check` installs it.
fn has(program: &str, words: &[&str]) -> bool {
    let asked = Command::new(program)
        .args(words)
        .env("PYTHONPATH", packages())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let is_there = asked.is_ok_and(|status| status.success());
    assert!(
        is_there || std::env::var_os("CI").is_none(),
        "`{program} {words:?}` does not run, and CI has to have it"
    );
    if !is_there {
        eprintln!("left out: `{program} {words:?}` does not run here");
    }
    is_there
}

#[test]
fn gnu_parallel_hears_what_an_import_would() {
    if has("parallel", &["--version"]) {
        hear_by("deploy/parallel/hear", &["--jobs", "4"]);
    }
}

#[test]
fn dask_hears_what_an_import_would() {
    if has(PYTHON, &["-c", "import distributed"]) {
        hear_by("deploy/dask/hear.py", &["--workers", "4"]);
    }
}

/// Has an adapter hear, kills three of the processes that hear, and compares the library with that of an import.
fn hear_by(adapter: &str, options: &[&str]) {
    let root = Root::empty();
    fill(&root.path());
    root.import(&["--jobs", "4"]).ended(1);
    let work = tempfile::TempDir::new().unwrap();
    let records = work.path().join("records");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let adapter = workspace.join(adapter);
    let mut command = match adapter.extension() {
        Some(_) => Command::new(PYTHON),
        None => Command::new("bash"),
    };
    let said = fs::File::create(work.path().join("said")).unwrap();
    command
        .arg(&adapter)
        .arg(root.path())
        .arg(&records)
        .args(options)
        .env("PATH", path())
        .env("PYTHONPATH", packages())
        .env("HOME", root.home())
        .env("XDG_CONFIG_HOME", root.home())
        .stdin(Stdio::null())
        .stdout(said.try_clone().unwrap())
        .stderr(said);
    let mut running = command.spawn().unwrap();
    let killed = kill_some(&mut running, 3);
    let ended = running.wait().unwrap();
    let said = fs::read_to_string(work.path().join("said")).unwrap();
    assert!(ended.success(), "{ended}: {said}");
    assert!(killed > 0, "no process could be killed: {said}");
    assert!(records.join("hearing.finished").is_file(), "{said}");
    let database = work.path().join("collected.db");
    let mut collect = root.command(&["music", "collect", "--format", "json"]);
    collect.arg(&records).arg("--source").arg(root.path());
    collect.arg("--database").arg(&database);
    Ran::of(collect.output().unwrap()).ended(1);
    let rules = Rules::default().without_table("import_sessions");
    assert_same(&root.database(), &database, &rules);
}

/// Where `script/check` puts Dask where the system has none.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python")
}

/// The search path with the program in front.
fn path() -> std::ffi::OsString {
    let folder = testkit::accession_bin().parent().unwrap().to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&rest));
    std::env::join_paths(folders).unwrap()
}

/// Kills up to `count` of the processes that hear for `child`, one after the other; how many it got.
fn kill_some(child: &mut Child, count: usize) -> usize {
    let mut killed = 0;
    while killed < count && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(100));
        let hearing = descendants(child.id()).into_iter().find(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            name.contains("accession\0music\0hear") && !name.contains("--finish")
        });
        if let Some(pid) = hearing {
            let kill = Command::new("kill").args(["-9", &pid.to_string()]).status();
            killed += usize::from(kill.is_ok_and(|status| status.success()));
        }
    }
    killed
}

/// The processes that a process started, and those that they started.
fn descendants(of: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat"))).ok()?;
            // The name, in parentheses, may hold anything; what follows it is the state and the parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
            Some((pid, parent.parse().ok()?))
        })
        .collect();
    let mut found = vec![of];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| pid),
        );
        at += 1;
    }
    found.split_off(1)
}
