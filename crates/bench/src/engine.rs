//! An engine that hears a bucket by its adapter in `deploy/` while processes are killed, against an import.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use testkit::library::{Rules, differences, dump_by};
use testkit::stores::{ACCESS_KEY, Call, Habit, ObjectStore, SECRET_KEY};

use crate::printer;

/// What is heard, by whom, and how often somebody is killed.
#[derive(Debug)]
pub struct Killed {
    /// The adapter, as a folder of `deploy/` with a `hear.py`.
    pub engine: String,
    /// The Python that has the engine.
    pub python: PathBuf,
    /// Generated files; samples, copies and broken ones come on top.
    pub files: usize,
    /// Length of each.
    pub seconds: f64,
    /// Processes that hear at a time.
    pub workers: usize,
    /// How many of them are killed.
    pub kills: usize,
}

/// Hears and collects, and compares the library with that of an import.
pub fn run(how: &Killed) -> Result<()> {
    let store = ObjectStore::start(Habit::S3, &["music", "records"]);
    let music = store.file("music", "all");
    let files = fill(&music, how)?;
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let (imported, collected) = (at("imported.db"), at("collected.db"));
    let mut import = command(&store, folder.path(), ["import", "--offline", "--quiet"]);
    import.arg(&music).arg("--database").arg(&imported);
    ended(import.spawn()?)?;
    printer::note(&format!("{files} files are imported"));
    // A name that is in no other command line of this machine.
    let records = format!("s3://records/{}", std::process::id());
    let began = Instant::now();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let mut engine = Command::new(&how.python);
    engine.arg(script.join(&how.engine).join("hear.py"));
    engine.args(["s3://music/all", &*records]);
    engine.args(["--workers", &how.workers.to_string()]);
    let mut engine = at_hand(&mut engine, &store, folder.path()).spawn()?;
    let killed = kill_some(&mut engine, &records, &store, how.kills, files)?;
    ensure!(engine.wait()?.success(), "the engine failed");
    let took = began.elapsed().as_secs();
    let mut collect = command(&store, folder.path(), ["collect", "--quiet", &*records]);
    collect.args(["--source", "s3://music/all", "--database"]);
    ended(collect.arg(&collected).spawn()?)?;
    let rules = Rules::default().without_table("import_sessions");
    let different = differences(&dump_by(&imported, &rules)?, &dump_by(&collected, &rules)?);
    for line in different.iter().take(20) {
        printer::note(line);
    }
    let calls = store.calls();
    let (_, stored_twice) = times(&calls, "PUT", "/records/");
    let (read, read_twice) = times(&calls, "GET", "/music/all/");
    printer::result(&format!(
        "{}: {files} files, {killed} of the processes that hear killed, {took} s: {} lines of the library differ; \
         {stored_twice} records stored twice, {read_twice} of {read} files read more than once",
        how.engine,
        different.len()
    ));
    ensure!(different.is_empty(), "the libraries differ");
    ensure!(killed == how.kills, "it ended after {killed} kills");
    Ok(())
}

/// Generated songs, the samples, and for every fifty songs a copy and a broken file; how many there are.
fn fill(music: &Path, how: &Killed) -> Result<usize> {
    let songs = testkit::corpus::many(music, how.files, how.seconds)?;
    let samples = testkit::corpus::collection_into(&music.join("Samples"))?;
    let more = music.join("More, \"odd\" & 100% + ?");
    std::fs::create_dir_all(&more)?;
    let mut count = songs.len() + samples.len();
    for (number, song) in songs.iter().enumerate().step_by(50) {
        std::fs::copy(song, more.join(format!("copy ü {number}.wav")))?;
        let half = std::fs::read(song)?;
        std::fs::write(more.join(format!("broken {number}.flac")), &half[..100])?;
        count += 2;
    }
    Ok(count)
}

/// How many targets below `prefix` were asked for by `method`, and how many of them more than once.
fn times(calls: &[Call], method: &str, prefix: &str) -> (usize, usize) {
    let mut times = BTreeMap::<&str, u32>::new();
    let asked = calls.iter().filter(|call| call.method == method);
    for call in asked.filter(|call| call.target.starts_with(prefix)) {
        *times.entry(&call.target).or_default() += 1;
    }
    let more = times.values().filter(|times| **times > 1).count();
    (times.len(), more)
}

fn command<'a>(
    store: &ObjectStore,
    home: &Path,
    words: impl IntoIterator<Item = &'a str>,
) -> Command {
    let mut command = Command::new(testkit::accession_bin());
    command.arg("music").args(words);
    at_hand(&mut command, store, home);
    command
}

/// Gives a command the store, and the program on its path.
fn at_hand<'a>(command: &'a mut Command, store: &ObjectStore, home: &Path) -> &'a mut Command {
    let program = testkit::accession_bin();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let folders = program.parent().map(Path::to_owned).into_iter();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&rest)));
    command
        .env("AWS_ENDPOINT_URL", store.url())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_REGION", "us-east-1")
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("PATH", path.unwrap_or(rest))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
}

/// Some files cannot be heard, which is what the status 1 says.
fn ended(mut child: Child) -> Result<()> {
    let status = child.wait()?;
    ensure!(
        matches!(status.code(), Some(0 | 1)),
        "it ended with {status}"
    );
    Ok(())
}

/// Kills processes that hear into `records`, one each time another part of the files has its records, so that kills are
/// spread over the whole of the work.
fn kill_some(
    engine: &mut Child,
    records: &str,
    store: &ObjectStore,
    kills: usize,
    files: usize,
) -> Result<usize> {
    let mut killed = 0;
    while killed < kills && engine.try_wait()?.is_none() {
        std::thread::sleep(Duration::from_millis(100));
        let stored = store.calls();
        let stored = stored.iter().filter(|call| call.method == "PUT").count();
        if stored < files * (killed + 1) / (kills + 2) {
            continue;
        }
        if let Some(process) = hearing(records)? {
            let kill = Command::new("kill")
                .args(["-9", &process])
                .stderr(Stdio::null())
                .status()?;
            killed += usize::from(kill.success());
        }
    }
    Ok(killed)
}

/// A process that hears into `records`: the engine's own processes may be nobody's children.
fn hearing(records: &str) -> Result<Option<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").context("kills need Linux")? {
        let Ok(name) = entry?.file_name().into_string() else {
            continue;
        };
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let said = std::fs::read_to_string(format!("/proc/{name}/cmdline")).unwrap_or_default();
        let hears = said.contains("accession\0music\0hear") && said.contains(records);
        if hears && !said.contains("--finish") {
            found.push(name);
        }
    }
    Ok(fastrand::choice(found))
}
