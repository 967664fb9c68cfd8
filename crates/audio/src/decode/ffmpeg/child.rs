//! A child process with a limit on everything.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};

use super::pipe::Pipe;

/// Bytes of an answer that is read as a whole; the chapters of the longest book take 200 kB.
const MAX_OUTPUT: u64 = 4 << 20;

/// Bytes of complaints that are looked at.
const MAX_COMPLAINT: u64 = 16 << 10;

/// Processor seconds of one child: a day of Monkey's Audio at its slowest takes less.
#[cfg(target_os = "linux")]
const CPU_SECONDS: u64 = 3600;

/// Bytes of address space of one child; ffmpeg takes 300 MB with all of its libraries.
#[cfg(target_os = "linux")]
const ADDRESS_SPACE: u64 = 4 << 30;

/// Bytes a child may write to its file of complaints.
#[cfg(target_os = "linux")]
const FILE_SIZE: u64 = 16 << 20;

/// A file as an argument that is neither an option nor an address.
pub(super) fn file_name(path: &Path) -> OsString {
    let mut name = OsString::from("file:");
    let absolute = std::path::absolute(path);
    name.push(run::plain_path(absolute.as_deref().unwrap_or(path)));
    name
}

/// A child that is ended when it is dropped.
pub(super) struct Child {
    process: std::process::Child,
    stdout: Pipe,
    complaints: File,
}

impl Child {
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let complaints = tempfile::tempfile()?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints.try_clone()?)
            .spawn()?;
        limit(&child);
        let stdout = child
            .stdout
            .take()
            .expect("the child was started with a pipe");
        Ok(Self {
            stdout: Pipe::new(stdout)?,
            process: child,
            complaints,
        })
    }

    /// Reads what it wrote, 0 bytes at the end; `None` if nothing came for a minute.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        self.stdout.read(buffer)
    }

    /// Waits for a child that has closed its pipe: whether it says that all went well.
    pub(super) fn ended_well(&mut self) -> io::Result<bool> {
        self.process.wait().map(|status| status.success())
    }

    /// What the child complained about: the number of lines and the first of them.
    pub(super) fn complaint(&mut self) -> Option<(u64, String)> {
        let mut said = Vec::new();
        let read = self.complaints.seek(SeekFrom::Start(0)).and_then(|_| {
            (&self.complaints)
                .take(MAX_COMPLAINT)
                .read_to_end(&mut said)
        });
        read.ok()?;
        let said = String::from_utf8_lossy(&said);
        let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let first: String = lines.next()?.chars().take(200).collect();
        // The name of the component and its address in memory mean nothing to anybody.
        let plain = first
            .split_once("] ")
            .map_or(first.as_str(), |(_, rest)| rest);
        Some((1 + lines.count() as u64, plain.to_owned()))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; either way it must not be left as a zombie.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Bounds what the child may take. Elsewhere than on Linux there is no way to do that from outside.
#[cfg(target_os = "linux")]
fn limit(child: &std::process::Child) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return;
    };
    for (resource, most) in [
        (Resource::Cpu, CPU_SECONDS),
        (Resource::As, ADDRESS_SPACE),
        (Resource::Fsize, FILE_SIZE),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        // A child that has ended already needs no limit.
        let _ = prlimit(Some(pid), resource, limit);
    }
}

#[cfg(not(target_os = "linux"))]
fn limit(_child: &std::process::Child) {}

/// Runs a command and gives what it wrote.
///
/// # Errors
///
/// With the command's first complaint when it wrote nothing.
pub(super) fn output(command: &mut Command) -> io::Result<Vec<u8>> {
    let mut child = Child::start(command)?;
    let mut output = Vec::new();
    let mut block = [0; 8192];
    loop {
        match child.read(&mut block)? {
            None => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "it said nothing for a minute",
                ));
            }
            Some(0) => break,
            Some(count) => output.extend_from_slice(&block[..count]),
        }
        if output.len() as u64 > MAX_OUTPUT {
            return Err(io::Error::other("its answer has more than 4 MB"));
        }
    }
    Ok(output)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_ended_when_it_is_dropped_and_its_complaints_are_kept() {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "echo '[wv @ 0x55] broken block' >&2; echo out; exec sleep 1000",
        ]);
        let mut child = Child::start(&mut command).unwrap();
        let mut said = [0; 16];
        assert_eq!(child.read(&mut said).unwrap(), Some(4));
        let pid = child.process.id();
        assert_eq!(child.complaint(), Some((1, "broken block".to_owned())));
        drop(child);
        assert!(!Path::new(&format!("/proc/{pid}/exe")).exists());
    }

    #[test]
    fn names_are_never_options_or_addresses() {
        assert_eq!(
            file_name(Path::new("/music/-i http:x.wma")),
            "file:/music/-i http:x.wma"
        );
    }
}
