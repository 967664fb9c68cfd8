//! What a child writes, read with a limit on silence.

use std::io;
use std::process::ChildStdout;
use std::time::Duration;

/// A child that writes nothing for so long is stuck: ffmpeg decodes any second of music in milliseconds.
const SILENCE: Duration = Duration::from_mins(1);

#[cfg(unix)]
pub(super) use polled::Pipe;

#[cfg(not(unix))]
pub(super) use handed_on::Pipe;

#[cfg(unix)]
mod polled {
    use std::io::Read;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::{ChildStdout, SILENCE, io};

    /// The pipe itself, which the system wakes us for.
    pub(in super::super) struct Pipe(ChildStdout);

    impl Pipe {
        #[expect(
            clippy::unnecessary_wraps,
            reason = "on Windows a thread is started, which may fail"
        )]
        pub(in super::super) fn new(stdout: ChildStdout) -> io::Result<Self> {
            Ok(Self(stdout))
        }

        /// Reads what there is, 0 bytes at the end; `None` if nothing came for too long.
        pub(in super::super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
            let timeout = Timespec::try_from(SILENCE).expect("a minute is a time");
            loop {
                let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
                match poll(&mut fds, Some(&timeout)) {
                    Ok(0) => return Ok(None),
                    Ok(_) => {}
                    Err(rustix::io::Errno::INTR) => continue,
                    Err(error) => return Err(error.into()),
                }
                match self.0.read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => return read.map(Some),
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod handed_on {
    use std::io::Read;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};

    use super::{ChildStdout, SILENCE, io};

    /// Bytes that are handed on at once: what a pipe of Windows holds.
    const BLOCK: usize = 64 << 10;

    /// What a thread reads of the pipe, since Windows waits for one without a limit. The thread ends with the child.
    pub(in super::super) struct Pipe {
        blocks: Receiver<io::Result<Vec<u8>>>,
        block: Vec<u8>,
        read: usize,
    }

    impl Pipe {
        pub(in super::super) fn new(stdout: ChildStdout) -> io::Result<Self> {
            // One block waits while the next one is read.
            let (hand_on, blocks) = sync_channel(1);
            std::thread::Builder::new()
                .name("ffmpeg".to_owned())
                .spawn(move || hand_on_all(stdout, &hand_on))?;
            Ok(Self {
                blocks,
                block: Vec::new(),
                read: 0,
            })
        }

        /// Reads what there is, 0 bytes at the end; `None` if nothing came for too long.
        pub(in super::super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
            if self.read == self.block.len() {
                self.block = match self.blocks.recv_timeout(SILENCE) {
                    Ok(block) => block?,
                    Err(RecvTimeoutError::Disconnected) => return Ok(Some(0)),
                    Err(RecvTimeoutError::Timeout) => return Ok(None),
                };
                self.read = 0;
            }
            let rest = &self.block[self.read..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.read += count;
            Ok(Some(count))
        }
    }

    fn hand_on_all(mut stdout: ChildStdout, to: &SyncSender<io::Result<Vec<u8>>>) {
        let mut block = vec![0; BLOCK];
        loop {
            let read = match stdout.read(&mut block) {
                Ok(0) => return,
                Ok(count) => Ok(block[..count].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_last = read.is_err();
            // A reader that is gone wants no more.
            if to.send(read).is_err() || is_last {
                return;
            }
        }
    }
}
