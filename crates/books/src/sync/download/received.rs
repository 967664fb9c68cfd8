//! What has come of an archive gets to the disk: the first bytes at once, and all others soon.
//!
//! A killed process loses what it has in memory, and GRIN sends that again. A download without a byte on the disk begins
//! anew, so the way from the network to the file is a call of the system, and no turn of another thread: on a busy machine
//! each turn takes as long as a small archive.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sync::download::disk;
use crate::sync::shared::Halt;

/// Bytes that are gathered before they are written.
const PIECE: usize = 512 << 10;

/// How long bytes are gathered, whatever their number, and whether more come or not. A guess: a write takes a hundredth of
/// it.
const GATHERED: Duration = Duration::from_millis(10);

/// A file that bytes are added to.
#[derive(Debug)]
pub(super) struct Received {
    file: File,
    path: PathBuf,
    waiting: Vec<u8>,
    /// When it was last written to.
    written: Option<Instant>,
}

impl Received {
    /// Opens the file at `path`, or makes it.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub(super) fn open(path: &Path) -> Result<Self, Halt> {
        let file = File::options().create(true).append(true).open(path);
        Ok(Self {
            file: file.map_err(|error| disk(path, &error))?,
            path: path.to_owned(),
            waiting: Vec::new(),
            written: None,
        })
    }

    /// Takes bytes that came, and writes what is due.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        let is_late = self.written.is_none_or(|at| at.elapsed() >= GATHERED);
        self.waiting.extend_from_slice(bytes);
        if is_late || self.waiting.len() >= PIECE {
            return self.write();
        }
        Ok(())
    }

    /// Ends when bytes have waited for long enough; never if none wait.
    pub(super) async fn is_due(&self) {
        match self.written {
            Some(at) if !self.waiting.is_empty() => {
                tokio::time::sleep_until((at + GATHERED).into()).await;
            }
            _ => std::future::pending().await,
        }
    }

    /// Writes what waits. The disk may take its time, in which other work goes on elsewhere.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub(super) fn write(&mut self) -> Result<(), Halt> {
        if !self.waiting.is_empty() {
            tokio::task::block_in_place(|| self.file.write_all(&self.waiting))
                .map_err(|error| disk(&self.path, &error))?;
            self.waiting.clear();
            self.written = Some(Instant::now());
        }
        Ok(())
    }
}
