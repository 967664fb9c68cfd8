//! Another process that wants the same database: takes its write lock for a while, again and again.
//!
//! SQLite treats other processes differently from other connections, so a second process is needed, and a library has
//! none to offer. The test program therefore starts itself again and runs one test that does nothing else:
//!
//! ```text
//! #[test]
//! fn contender() {
//!     testkit::contend::run_if_child();
//! }
//! ```
//!
//! and the test that wants contention calls `Contender::spawn(database, "contender", Pattern::default())`.
//! A bench with its own `main` calls [`run_if_child`] first of all.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

const DATABASE: &str = "TESTKIT_CONTEND_DATABASE";
const PATTERN: &str = "TESTKIT_CONTEND_PATTERN";

/// When and how long the lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// The length of an ordinary burst.
    pub hold: Duration,
    /// The time from the start of one burst to the start of the next.
    pub every: Duration,
    /// The length of the second burst, which is the one long one; zero for an ordinary second burst.
    pub long_hold: Duration,
}

impl Default for Pattern {
    /// 300 ms out of every second, and 4 s once.
    fn default() -> Self {
        let milliseconds = Duration::from_millis;
        Self {
            hold: milliseconds(300),
            every: milliseconds(1_000),
            long_hold: milliseconds(4_000),
        }
    }
}

/// A running second process; it ends with [`Contender::stop`], when dropped, or when this process ends.
#[derive(Debug)]
pub struct Contender {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// What a contender did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bursts {
    /// Times it held the lock.
    pub count: u64,
    /// For how long, all in all.
    pub held: Duration,
}

impl Contender {
    /// Starts this program again to run only the test `name` (its full path within the test program), and waits until
    /// it holds the lock for the first time.
    pub fn spawn(database: &Path, name: &str, pattern: Pattern) -> io::Result<Self> {
        let pattern = [pattern.hold, pattern.every, pattern.long_hold]
            .map(|time| time.as_millis().to_string());
        let mut child = Command::new(std::env::current_exe()?)
            .args([name, "--exact", "--nocapture", "--include-ignored"])
            .env(DATABASE, database)
            .env(PATTERN, pattern.join(" "))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("the child has no output"))?;
        let mut contender = Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        };
        if contender.line_with("contend: holding")?.is_none() {
            return Err(io::Error::other(format!(
                "no test `{name}` that calls `run_if_child`, or the lock was not to be had"
            )));
        }
        Ok(contender)
    }

    /// Lets the process end its burst and returns what it did.
    pub fn stop(mut self) -> io::Result<Bursts> {
        drop(self.stdin.take());
        let line = self
            .line_with("contend: done ")?
            .ok_or_else(|| io::Error::other("the contender died"))?;
        self.child.wait()?;
        let mut words = line.split_whitespace().filter_map(|word| word.parse().ok());
        let (count, held) = (words.next().unwrap_or(0), words.next().unwrap_or(0));
        Ok(Bursts {
            count,
            held: Duration::from_millis(held),
        })
    }

    /// Reads up to a line that contains `text`.
    fn line_with(&mut self, text: &str) -> io::Result<Option<String>> {
        let mut line = String::new();
        while self.stdout.read_line(&mut line)? > 0 {
            // The test harness writes "test contender ... " without ending the line.
            if let Some(at) = line.find(text) {
                return Ok(Some(line[at..].to_owned()));
            }
            line.clear();
        }
        Ok(None)
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // Both fail when the process has ended, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Does nothing in a test program that was started normally; in one started by [`Contender::spawn`], takes the lock
/// again and again until the parent says stop or is gone.
///
/// # Panics
///
/// When the database cannot be opened or its lock is not to be had within a minute.
pub fn run_if_child() {
    let Some(database) = std::env::var_os(DATABASE).map(PathBuf::from) else {
        return;
    };
    let times = std::env::var(PATTERN).unwrap_or_default();
    let mut times = times
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .map(Duration::from_millis);
    let mut time = || times.next().expect("three times in the pattern");
    let pattern = Pattern {
        hold: time(),
        every: time(),
        long_hold: time(),
    };
    let stopped: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    std::thread::spawn(move || {
        // Ends when the parent closes its side, on purpose or by dying.
        io::stdin().read_to_end(&mut Vec::new()).ok();
        stopped.store(true, Ordering::Relaxed);
    });
    let done = burst(&database, pattern, stopped).expect("the contender gets the lock");
    say(&format!(
        "contend: done {} {}",
        done.count,
        done.held.as_millis()
    ));
}

fn burst(database: &Path, pattern: Pattern, stopped: &AtomicBool) -> rusqlite::Result<Bursts> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(Duration::from_mins(1))?;
    let mut done = Bursts::default();
    while !stopped.load(Ordering::Relaxed) {
        let start = Instant::now();
        let long = done.count == 1 && !pattern.long_hold.is_zero();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let taken = Instant::now();
        say("contend: holding");
        sleep(if long {
            pattern.long_hold
        } else {
            pattern.hold
        });
        // Nothing was written, so the commits of others can still be counted.
        connection.execute_batch("ROLLBACK")?;
        done.count += 1;
        done.held += taken.elapsed();
        sleep(pattern.every.saturating_sub(start.elapsed()));
    }
    Ok(done)
}

/// Writes past the test harness, which would keep what `println!` says for itself.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    // A parent that is gone no longer listens; the closed input ends the process.
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}
