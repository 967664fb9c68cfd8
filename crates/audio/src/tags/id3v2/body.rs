//! The bytes of a tag, with unsynchronisation undone on the way.
//!
//! A tag may put a zero behind each `0xff` so that old players do not take it for audio. Its frames count
//! their sizes without these zeros (up to version 2.3), so nothing can be skipped by seeking then.

use std::collections::VecDeque;
use std::io;

use crate::input::Input;

/// Bytes read at once.
const BLOCK: usize = 16 << 10;

pub(super) struct Body<'a> {
    input: &'a mut Input,
    /// Where in the file the next block is read.
    at: u64,
    end: u64,
    unsynchronised: bool,
    /// The last byte read was `0xff`: a zero that follows is none of the content.
    after_ff: bool,
    ahead: VecDeque<u8>,
}

impl<'a> Body<'a> {
    pub(super) fn new(input: &'a mut Input, at: u64, end: u64, unsynchronised: bool) -> Self {
        Self {
            input,
            at: at.min(end),
            end,
            unsynchronised,
            after_ff: false,
            ahead: VecDeque::new(),
        }
    }

    /// Bytes left; where zeros are to be dropped, at most so many.
    pub(super) fn left(&self) -> u64 {
        self.ahead.len() as u64 + (self.end - self.at)
    }

    fn fill(&mut self, count: usize) -> io::Result<()> {
        while self.ahead.len() < count && self.at < self.end {
            let wanted = (count - self.ahead.len()).clamp(256, BLOCK) as u64;
            let block = self
                .input
                .vec_at(self.at, wanted.min(self.end - self.at) as usize)?;
            if block.is_empty() {
                self.end = self.at;
                break;
            }
            self.at += block.len() as u64;
            if !self.unsynchronised {
                self.ahead.extend(block);
                continue;
            }
            for byte in block {
                if !(self.after_ff && byte == 0) {
                    self.ahead.push_back(byte);
                }
                self.after_ff = byte == 0xff;
            }
        }
        Ok(())
    }

    /// The next bytes, fewer at the end, without moving on.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<Vec<u8>> {
        self.fill(count)?;
        Ok(self.ahead.iter().take(count).copied().collect())
    }

    /// Some bytes `from` bytes on, without moving on.
    pub(super) fn peek_at(&mut self, from: u64, count: usize) -> io::Result<Vec<u8>> {
        let ahead = self.ahead.len() as u64;
        if !self.unsynchronised && from >= ahead {
            let at = self.at + (from - ahead);
            let left = self.end.saturating_sub(at);
            return self.input.vec_at(at, count.min(left as usize));
        }
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        if from > BLOCK * 64 {
            // A frame that large is a picture; what follows it is not worth a megabyte of memory.
            return Ok(vec![0; count]);
        }
        self.fill(from + count)?;
        Ok(self.ahead.iter().skip(from).take(count).copied().collect())
    }

    pub(super) fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        self.fill(count)?;
        let count = count.min(self.ahead.len());
        Ok(self.ahead.drain(..count).collect())
    }

    pub(super) fn skip(&mut self, mut count: u64) -> io::Result<()> {
        let held = count.min(self.ahead.len() as u64);
        self.ahead.drain(..held as usize);
        count -= held;
        if !self.unsynchronised {
            self.at = (self.at + count).min(self.end);
            return Ok(());
        }
        while count > 0 {
            self.fill(count.min(BLOCK as u64) as usize)?;
            if self.ahead.is_empty() {
                return Ok(());
            }
            let dropped = count.min(self.ahead.len() as u64);
            self.ahead.drain(..dropped as usize);
            count -= dropped;
        }
        Ok(())
    }
}

/// Drops the zero behind each `0xff`.
pub(super) fn synchronised(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut after_ff = false;
    for byte in bytes {
        if !(after_ff && *byte == 0) {
            out.push(*byte);
        }
        after_ff = *byte == 0xff;
    }
    out
}
