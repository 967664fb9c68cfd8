//! Watches a program's locking calls through `strace`.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// What the kernel was asked about the write lock, byte 120 of the `-shm` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LockCalls {
    /// Times the lock was taken. The first opening of a database takes it once, to build its index.
    pub acquired: u64,
    /// Times another process held it.
    pub refused: u64,
    /// Times it was given back.
    pub released: u64,
}

/// Returns whether `strace` is installed and allowed to trace.
pub fn available() -> bool {
    let traced = Command::new("strace")
        .args(["-e", "trace=fcntl", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    traced.is_ok_and(|status| status.success())
}

/// Runs the command to its end under `strace`, with its output captured, and counts its calls for `database`.
///
/// Program, arguments, working directory and changes of the environment are taken over from `command`. Connections in
/// one process settle their own queue without the kernel, so `refused` shows other processes only.
pub fn count(command: &Command, database: &Path) -> io::Result<(Output, LockCalls)> {
    let folder = TempDir::new()?;
    let mut traced = Command::new("strace");
    // One file per thread (-ff), so that no call is split by another thread's; paths with the descriptors (-y).
    traced.args([
        "-f",
        "-ff",
        "-y",
        "-s",
        "4096",
        "-e",
        "trace=fcntl",
        "-e",
        "signal=none",
        "-o",
    ]);
    traced
        .arg(folder.path().join("calls"))
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        traced.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    let output = traced.stdin(Stdio::null()).output()?;
    let mut calls = LockCalls::default();
    for entry in std::fs::read_dir(folder.path())? {
        calls.add(&std::fs::read_to_string(entry?.path())?, database);
    }
    Ok((output, calls))
}

impl LockCalls {
    /// Adds what the output of `strace -y` says about `database`, which is known by its file name.
    pub fn add(&mut self, text: &str, database: &Path) {
        let name = database.file_name().unwrap_or_default();
        let name = printed(name.as_encoded_bytes());
        let shm = format!("/{name}-shm>");
        for line in text
            .lines()
            .filter(|line| line.contains(&shm) && line.contains("l_start=120, l_len=1}"))
        {
            let ok = line.trim_end().ends_with("= 0");
            match (
                line.contains("l_type=F_WRLCK"),
                line.contains("l_type=F_UNLCK"),
                ok,
            ) {
                (true, _, true) => self.acquired += 1,
                (true, _, false) => self.refused += 1,
                (_, true, true) => self.released += 1,
                _ => {}
            }
        }
    }
}

/// Returns a name as strace prints it between angle brackets: bytes beyond ASCII, and the brackets, in octal.
fn printed(name: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(*byte)),
        b'<' | b'>' | 127.. => format!("\\{byte:o}"),
        _ => char::from(*byte).to_string(),
    };
    name.iter().map(byte).collect()
}
