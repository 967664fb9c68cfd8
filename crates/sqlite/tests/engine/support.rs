//! What the tests share: a schema, a directory, a way to wait for futures, and other processes.

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use sqlite::{Db, Error, Newer, Options, Pending, Schema, Tx};

pub(crate) const NOTES: Schema = Schema {
    component: "notes",
    version: 1,
    ddl: "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, unit TEXT, body TEXT UNIQUE, big BLOB);
          CREATE INDEX IF NOT EXISTS note_unit ON note (unit);",
    columns: &[],
    migrations: &[],
    newer: Newer::Refuse,
};

/// A directory of its own, on a disk, for one test.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Place(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("a.db")
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(self.path()).schema(NOTES)
    }

    /// The names in the directory, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub(crate) fn add(tx: &Tx<'_>, body: &str) -> Result<u64, Error> {
    tx.execute("INSERT INTO note (body) VALUES (?1)", [body])
}

pub(crate) fn bodies(db: &Db) -> Vec<String> {
    db.read(|snapshot| {
        snapshot.query_all("SELECT body FROM note ORDER BY id", [], |row| row.get(0))
    })
    .unwrap()
}

pub(crate) fn count(db: &Db) -> usize {
    db.read(|snapshot| snapshot.query_row("SELECT count(*) FROM note", [], |row| row.get(0)))
        .unwrap()
}

/// Waits for a future on this thread: the smallest runtime there is.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A unit that holds the lock until it is let go, so that what queues meanwhile is known exactly.
pub(crate) struct Stopper {
    release: Sender<()>,
    pending: Pending<(), Error>,
}

impl Stopper {
    pub(crate) fn new(db: &Db) -> Self {
        let ((release, released), (start, started)) = (channel(), channel());
        let pending = db.write_async("stopper", move |_| {
            start.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        });
        started.recv().unwrap();
        Stopper { release, pending }
    }

    pub(crate) fn release(self) {
        self.release_with_outcome().unwrap();
    }

    /// For tests that fail the transaction as a whole.
    pub(crate) fn release_with_outcome(self) -> Result<(), Error> {
        self.release.send(()).unwrap();
        wait(self.pending)
    }
}

/// This test program once more, as another process that plays `role`.
pub(crate) struct Peer {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn start(role: &str, path: &Path) -> Self {
        Peer::spawn(Command::new(std::env::current_exe().unwrap()), role, path)
    }

    fn spawn(mut command: Command, role: &str, path: &Path) -> Self {
        command.args([
            "--exact",
            "child::child",
            "--include-ignored",
            "--nocapture",
        ]);
        command
            .env("SQLITE_TEST_ROLE", role)
            .env("SQLITE_TEST_PATH", path);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Peer { child, lines }
    }

    /// The next line that the role says, without the mark; `None` at the end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            if let Some((_, said)) = line.trim_end().split_once("peer: ") {
                return Some(said.to_owned());
            }
            line.clear();
        }
        None
    }

    pub(crate) fn wait_for(&mut self, said: &str) {
        while self.line().expect("the peer ended early") != said {}
    }

    /// SIGKILL: no destructor runs.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for a role that ends by itself.
    pub(crate) fn finish(mut self) {
        while self.line().is_some() {}
        assert!(
            self.child.wait().unwrap().success(),
            "the peer failed, see above"
        );
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Over already, except when a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `role` where `script` has prepared the directory `$1`, in mounts of its own; `false` where this is not allowed.
pub(crate) fn in_own_mounts(script: &str, directory: &Path, role: &str) -> bool {
    let flags = ["-m", "-rm"];
    let allowed = |flag: &&str| {
        let probe = ["sh", "-c", "mount -t tmpfs tmpfs \"$1\"", "sh"];
        let status = Command::new("unshare")
            .arg(flag)
            .args(probe)
            .arg(directory)
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    let Some(flag) = flags.iter().find(|flag| allowed(flag)) else {
        eprintln!("skipped: this system allows no private mounts");
        return false;
    };
    let mut command = Command::new("unshare");
    let script = format!("set -e; {script}; program=$2; shift 2; exec \"$program\" \"$@\"");
    command
        .arg(flag)
        .args(["sh", "-c", &script, "sh"])
        .arg(directory)
        .arg(std::env::current_exe().unwrap());
    Peer::spawn(command, role, &directory.join("a.db")).finish();
    true
}
