//! A file as the codec library should see it.
//!
//! Tags and pictures may be far larger than the music, and a container library loads them into
//! memory before it looks for audio. Here a file is shown without them: a short header made up by
//! us, then one range of the file, with a few four-byte patches that turn unwanted MP4 boxes into
//! `free` ones. So memory stays bounded whatever a tag claims, and a damaged tag harms nothing.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::input::Input;
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};

/// Bytes read ahead at most are half of this; a power of two, as Symphonia wants.
const BUFFER: usize = 128 * 1024;

/// The made-up header followed by ranges of the file.
pub(super) struct View {
    file: File,
    header: Vec<u8>,
    /// In the file, one behind the other.
    ranges: Vec<(u64, u64)>,
    /// Offset in the view, sorted, and what stands there instead.
    patches: Vec<(u64, [u8; 4])>,
    position: u64,
    /// Where the file's own cursor stands, so that reading on needs no seek.
    cursor: Option<u64>,
}

impl View {
    /// Shows `header` and then the bytes `start..end` of the file.
    pub(super) fn new(input: Input, header: Vec<u8>, start: u64, end: u64) -> Self {
        let end = end.min(input.length).max(start);
        Self {
            file: input.file,
            header,
            ranges: vec![(start, end)],
            patches: Vec::new(),
            position: 0,
            cursor: None,
        }
    }

    /// Shows four other bytes at each of these offsets of the view.
    pub(super) fn with_patches(mut self, mut patches: Vec<(u64, [u8; 4])>) -> Self {
        patches.sort_unstable_by_key(|(offset, _)| *offset);
        self.patches = patches;
        self
    }

    /// Shows further ranges behind the first; they must lie within the file.
    pub(super) fn with_more(mut self, ranges: &[(u64, u64)]) -> Self {
        self.ranges.extend(ranges);
        self
    }

    /// In bytes.
    pub(super) fn len(&self) -> u64 {
        let ranges = self.ranges.iter();
        self.header.len() as u64 + ranges.map(|(start, end)| end - start).sum::<u64>()
    }

    /// Where in the file a byte behind the header lies, and how many follow it there.
    fn place(&self, mut at: u64) -> (u64, u64) {
        for (start, end) in &self.ranges {
            if at < end - start {
                return (start + at, end - start - at);
            }
            at -= end - start;
        }
        (0, 0)
    }

    pub(super) fn into_stream(self) -> MediaSourceStream<'static> {
        MediaSourceStream::new(
            Box::new(self),
            MediaSourceStreamOptions { buffer_len: BUFFER },
        )
    }

    fn patch(&self, offset: u64, buffer: &mut [u8]) {
        let end = offset + buffer.len() as u64;
        let first = self.patches.partition_point(|(at, _)| at + 4 <= offset);
        for (at, bytes) in self.patches[first..].iter().take_while(|(at, _)| *at < end) {
            for (place, byte) in (*at..).zip(bytes) {
                if (offset..end).contains(&place) {
                    buffer[(place - offset) as usize] = *byte;
                }
            }
        }
    }
}

impl Read for View {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let header = self
            .header
            .get(self.position as usize..)
            .unwrap_or_default();
        if !header.is_empty() {
            let count = header.len().min(buffer.len());
            buffer[..count].copy_from_slice(&header[..count]);
            self.position += count as u64;
            return Ok(count);
        }
        let (offset, left) = self.place(self.position - self.header.len() as u64);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        if self.cursor != Some(offset) {
            self.file.seek(SeekFrom::Start(offset))?;
        }
        let count = self.file.read(&mut buffer[..wanted])?;
        self.cursor = Some(offset + count as u64);
        if !self.patches.is_empty() {
            self.patch(self.position, &mut buffer[..count]);
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for View {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(delta) => self.len().checked_add_signed(delta),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl MediaSource for View {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn header_range_and_patches_read_as_one() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789abcdefghij").unwrap();
        let mut second = file
            .try_clone()
            .map(|file| Input { file, length: 20 })
            .unwrap();
        assert_eq!(second.read_at(18, &mut [0; 4]).unwrap(), 2);
        let input = Input { file, length: 20 };
        let mut view = View::new(input, b"HEAD".to_vec(), 5, 18)
            .with_patches(vec![(10, *b"WXYZ"), (4, *b"****")]);
        let mut all = String::new();
        view.read_to_string(&mut all).unwrap();
        assert_eq!(all, "HEAD****9aWXYZfgh");
        view.seek(SeekFrom::End(-6)).unwrap();
        let mut two = [0; 2];
        view.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"XY");
    }

    #[test]
    fn ranges_read_as_one() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789abcdefghij").unwrap();
        let input = Input { file, length: 20 };
        let mut view = View::new(input, b"H".to_vec(), 2, 4).with_more(&[(10, 12), (19, 20)]);
        let mut all = String::new();
        view.read_to_string(&mut all).unwrap();
        assert_eq!((all.as_str(), view.len()), ("H23abj", 6));
    }
}
