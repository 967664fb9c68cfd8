//! Keeps a file's audio as 11,025 Hz mono until its passages are known.
//!
//! Fingerprints are made of the first two minutes of a passage, and where
//! passages begin is known only when the whole file has been heard. Twelve
//! minutes are kept in memory (16 MB); of longer files the audio goes on to an
//! unnamed temporary file, 79 MB an hour, which the system removes even when
//! the program is killed.

use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

/// Bytes kept in memory, per file in hand.
const IN_MEMORY: usize = 16 << 20;

const SAMPLE: usize = size_of::<i16>();

/// 16-bit mono samples, written in sequence, read at any place.
#[derive(Debug)]
pub struct Spool {
    bytes: SpooledTempFile,
    pending: Vec<u8>,
    samples: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self::new()
    }
}

impl Spool {
    /// A spool without samples.
    pub fn new() -> Self {
        Self {
            bytes: SpooledTempFile::new(IN_MEMORY),
            pending: Vec::new(),
            samples: 0,
        }
    }

    /// Samples written so far.
    pub fn len(&self) -> u64 {
        self.samples
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Appends samples.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be made or is full.
    pub fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        self.pending.clear();
        self.pending
            .extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        self.bytes.write_all(&self.pending)?;
        self.samples += samples.len() as u64;
        Ok(())
    }

    /// Reads up to `count` samples from sample `from` on; fewer at the end.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read.
    pub fn read(&mut self, from: u64, count: u64) -> io::Result<Vec<i16>> {
        let count = count.min(self.samples.saturating_sub(from)) as usize;
        let mut bytes = vec![0; count * SAMPLE];
        self.bytes.seek(SeekFrom::Start(from * SAMPLE as u64))?;
        self.bytes.read_exact(&mut bytes)?;
        self.bytes.seek(SeekFrom::End(0))?;
        Ok(bytes
            .chunks_exact(SAMPLE)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back_in_memory_and_on_disk() {
        let mut spool = Spool::new();
        let block: Vec<i16> = (0..1 << 20).map(|i| (i % 30_011) as i16).collect();
        for _ in 0..10 {
            spool.write(&block).unwrap();
        }
        assert!(spool.bytes.is_rolled());
        assert_eq!(spool.len(), 10 << 20);
        assert_eq!(spool.read((3 << 20) + 5, 4).unwrap(), &block[5..9]);
        assert_eq!(
            spool.read((10 << 20) - 2, 100).unwrap(),
            &block[(1 << 20) - 2..]
        );
        assert!(spool.read(11 << 20, 100).unwrap().is_empty());
        spool.write(&[7]).unwrap();
        assert_eq!(spool.read(10 << 20, 1).unwrap(), [7]);
    }
}
