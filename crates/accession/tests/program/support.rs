//! A root folder, the program run on it, and looks at what it left.

use std::ffi::OsStr;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;
use testkit::synth::wav::{Depth, write};
use testkit::synth::{Pcm, concatenate, noise};

/// A root folder of its own for one test, and a home without any configuration.
pub(crate) struct Root {
    folder: TempDir,
    home: TempDir,
}

impl Root {
    pub(crate) fn empty() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            home: TempDir::new().unwrap(),
        }
    }

    /// With the sample collection in it.
    pub(crate) fn collection() -> Self {
        let root = Self::empty();
        testkit::corpus::collection_into(&root.path()).unwrap();
        root
    }

    /// As the program prints it, without links.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(crate) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path().join(path)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.join("wkmp.db")
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The program with `arguments` and nobody's environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(testkit::accession_bin());
        command
            .args(arguments)
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join(".config"))
            .env("COLUMNS", "100")
            .env("ACCESSION_OFFLINE", "1")
            .env_remove("WKMP_ACOUSTID_API_KEY")
            .env_remove("WKMP_ROOT_FOLDER")
            .env_remove("WKMP_ROOT")
            .env_remove("ACCESSION_LOG")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// `music <words..> --root-folder <root>`.
    pub(crate) fn music(&self, words: &[&str]) -> Ran {
        let mut command = self.command(&["music"]);
        command.args(words).arg("--root-folder").arg(self.path());
        Ran::of(command.output().unwrap())
    }

    /// The same, with `input` typed into it.
    pub(crate) fn music_with(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.command(&["music"]);
        command.args(words).arg("--root-folder").arg(self.path());
        let mut typed = tempfile::tempfile().unwrap();
        writeln!(typed, "{input}").unwrap();
        typed.rewind().unwrap();
        Ran::of(command.stdin(typed).output().unwrap())
    }

    /// The command for an import that tells its events as JSON.
    pub(crate) fn import_command(&self, options: &[&str]) -> Command {
        let mut command = self.command(&["music", "import", "--format", "json"]);
        command.args(options).arg(self.path());
        command
    }

    pub(crate) fn import(&self, options: &[&str]) -> Ran {
        Ran::of(self.import_command(options).output().unwrap())
    }

    pub(crate) fn open(&self) -> Connection {
        open(&self.database())
    }

    /// One column of a query, as text.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        column(&self.open(), sql)
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.open().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// What lies in the root folder besides audio and the database's own three files.
    pub(crate) fn litter(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with("wkmp.db") || name.starts_with('.'))
            .filter(|name| !matches!(&**name, "wkmp.db" | "wkmp.db-wal" | "wkmp.db-shm"))
            .collect();
        names.sort();
        names
    }

    pub(crate) fn assert_sound(&self) {
        let checked = self.music(&["check"]);
        assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
    }
}

pub(crate) fn open(database: &Path) -> Connection {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db
}

pub(crate) fn column(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let value: rusqlite::types::Value = row.get(0)?;
        Ok(match value {
            rusqlite::types::Value::Null => "NULL".to_owned(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Real(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Blob(_) => "a blob".to_owned(),
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// How a run ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        let ran = Self {
            code: status.code(),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        };
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains("panicked"), "{text}");
        }
        // A table holds names as they are; everything else is for a terminal.
        if !ran.out.starts_with("passage_id,") {
            assert!(
                !ran.out.contains('\u{1b}'),
                "colours for no terminal: {}",
                ran.out
            );
        }
        assert!(
            !ran.err.contains('\u{1b}'),
            "colours for no terminal: {}",
            ran.err
        );
        ran
    }

    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        testkit::json_events(&self.out)
    }

    /// The events called `name`.
    pub(crate) fn told(&self, name: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|event| event["event"] == name);
        events
    }

    /// The last event, which must be `import_completed` and count every file once.
    #[track_caller]
    pub(crate) fn completed(&self) -> Value {
        let last = self.events().pop().unwrap_or_default();
        assert_eq!(
            last["event"], "import_completed",
            "{}{}",
            self.out, self.err
        );
        let count = |name: &str| last["files"][name].as_u64().unwrap();
        let parts = [
            "recorded",
            "unchanged",
            "duplicate",
            "no_audio",
            "failed",
            "misleading",
            "not_reached",
        ];
        let sum: u64 = parts.iter().map(|name| count(name)).sum();
        assert_eq!(count("found"), sum, "{}", last["files"]);
        last
    }

    pub(crate) fn files(&self, name: &str) -> u64 {
        self.completed()["files"][name].as_u64().unwrap()
    }
}

/// A WAV file of `passages` stretches of noise with 2 s of silence between; every seed gives another content.
pub(crate) fn album(path: &Path, seed: u64, passages: usize, seconds: f64) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pieces: Vec<Pcm> = (0..passages as u64)
        .map(|number| noise(seed * 100 + number, -12.0, seconds, 8_000, 1))
        .collect();
    write(path, &concatenate(&pieces, 2.0), Depth::Int16).unwrap();
}

/// A short song of its own.
pub(crate) fn song(path: &Path, seed: u64) {
    album(path, seed, 1, 3.0);
}

/// Sets a file's time to a whole second in the past, so that a later change of it shows.
pub(crate) fn set_time(path: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// Makes a path longer than the system takes in one piece, out of two halves that it does.
pub(crate) fn too_deep(folder: &Path) {
    let half = |name: &str| {
        let steps = vec!["d".repeat(200); 11];
        let path = folder.join(name).join(steps.join("/"));
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let upper = half("upper");
    std::fs::write(half("lower").join("lost.mp3"), "x").unwrap();
    std::fs::rename(folder.join("lower"), upper.join("lower")).unwrap();
}

/// Whether a mount namespace can be made and mounted in; says so where it cannot.
pub(crate) fn may_mount() -> bool {
    let able = std::process::Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
        .output();
    let able = able.is_ok_and(|output| output.status.success());
    if !able {
        eprintln!("skipped: `unshare -m` and `mount` are not allowed here");
    }
    able
}
