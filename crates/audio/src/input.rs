//! An open file, read at given places.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// A file that is open, with its length, and reading at given places.
pub(crate) struct Input {
    pub file: File,
    /// In bytes.
    pub length: u64,
}

impl Input {
    /// Opens a regular file; what is none, or lies behind a link, is not opened.
    pub(crate) fn open(path: &std::path::Path) -> io::Result<Self> {
        let file = run::listed_file(path)?;
        Ok(Self {
            length: file.metadata()?.len(),
            file,
        })
    }

    /// A file without a name that holds these bytes.
    #[cfg(test)]
    pub(crate) fn holding(bytes: &[u8]) -> Self {
        use std::io::Write;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Self {
            file,
            length: bytes.len() as u64,
        }
    }

    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end of the file.
    pub(crate) fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Reads exactly `N` bytes at `offset`, or `None` when the file ends before.
    pub(crate) fn array_at<const N: usize>(&mut self, offset: u64) -> io::Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        Ok((self.read_at(offset, &mut bytes)? == N).then_some(bytes))
    }

    /// Reads up to `limit` bytes at `offset`.
    pub(crate) fn vec_at(&mut self, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let there = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; limit.min(there)];
        let count = self.read_at(offset, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
