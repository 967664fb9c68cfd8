//! Reads a write-ahead log as SQLite's recovery would.
//!
//! The format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::companion;

/// What one generation of a write-ahead log holds; a restart of the log begins the next generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wal {
    /// Both salts; a restart adds one to the first and draws the second anew.
    pub salts: (u32, u32),
    /// Committed transactions that are still in the file.
    pub commits: u64,
    /// Pages that they wrote.
    pub frames: u64,
}

/// Reads the log that belongs to `database`; a missing or empty one holds nothing.
///
/// Only frames with the right salts and an unbroken chain of checksums count, and only up to the last commit: rests of
/// earlier generations, of transactions that rolled back, and half-written ones do not. Safe beside a live writer,
/// for SQLite takes no locks on this file. After a restart the earlier generation's commits are gone from it, so for
/// counting over time use [`super::CommitCounter`].
pub fn read(database: &Path) -> io::Result<Wal> {
    let mut file = match File::open(companion(database, "-wal")) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Wal::default()),
        Err(error) => return Err(error),
    };
    let mut header = [0; 32];
    if !fill(&mut file, &mut header)? {
        return Ok(Wal::default());
    }
    let mut sum = Checksum {
        big: word(&header, 0) & 1 == 1,
        state: (0, 0),
    };
    sum.add(&header[..24]);
    if word(&header, 0) & !1 != 0x377f_0682 || sum.state != (word(&header, 24), word(&header, 28)) {
        return Ok(Wal::default());
    }
    let mut wal = Wal {
        salts: (word(&header, 16), word(&header, 20)),
        ..Wal::default()
    };
    let mut frame = vec![0; 24 + word(&header, 8) as usize];
    let mut frames = 0;
    while fill(&mut file, &mut frame)? {
        sum.add(&frame[..8]);
        sum.add(&frame[24..]);
        let fits = wal.salts == (word(&frame, 8), word(&frame, 12));
        if !fits || sum.state != (word(&frame, 16), word(&frame, 20)) {
            break;
        }
        frames += 1;
        if word(&frame, 4) != 0 {
            wal.commits += 1;
            wal.frames = frames;
        }
    }
    Ok(wal)
}

/// Fills the whole buffer, or says that the file ends before.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The running checksum over header and frames.
struct Checksum {
    big: bool,
    state: (u32, u32),
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let (left, right) = (word(pair, 0), word(pair, 4));
            let (left, right) = if self.big {
                (left, right)
            } else {
                (left.swap_bytes(), right.swap_bytes())
            };
            self.state.0 = self.state.0.wrapping_add(left).wrapping_add(self.state.1);
            self.state.1 = self.state.1.wrapping_add(right).wrapping_add(self.state.0);
        }
    }
}
