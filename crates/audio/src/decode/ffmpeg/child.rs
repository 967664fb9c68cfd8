//! A child process with a limit on everything.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

/// A child that writes nothing for so long is stuck: ffmpeg decodes any second of music in milliseconds.
const SILENCE: Duration = Duration::from_mins(1);

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
    name.push(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    name
}

/// Why the wait for output ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// There is something to read, be it the end.
    Readable,
    /// Nothing came for too long.
    Silent,
}

/// A child that is ended when it is dropped.
pub(super) struct Child {
    process: std::process::Child,
    stdout: ChildStdout,
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
            process: child,
            stdout,
            complaints,
        })
    }

    pub(super) fn stdout(&mut self) -> &mut ChildStdout {
        &mut self.stdout
    }

    /// Waits until there is something to read.
    #[cfg(unix)]
    pub(super) fn wait_for_output(&mut self) -> io::Result<Woken> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let timeout = Timespec::try_from(SILENCE).expect("a minute is a time");
        loop {
            let mut fds = [PollFd::new(&self.stdout, PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Ok(Woken::Silent),
                Ok(_) => return Ok(Woken::Readable),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until there is something to read. Pipes cannot be waited for with a limit here.
    #[cfg(not(unix))]
    pub(super) fn wait_for_output(&mut self) -> io::Result<Woken> {
        Ok(Woken::Readable)
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
        if child.wait_for_output()? == Woken::Silent {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "it said nothing for a minute",
            ));
        }
        match child.stdout().read(&mut block)? {
            0 => break,
            count => output.extend_from_slice(&block[..count]),
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
        assert_eq!(child.wait_for_output().unwrap(), Woken::Readable);
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
