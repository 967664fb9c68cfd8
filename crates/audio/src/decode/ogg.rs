//! Takes Ogg files apart into packets.
//!
//! Our own, and not Symphonia's, for three reasons: where a stream begins and ends is told by granule
//! positions and flags of the pages, which Symphonia does not pass on (RFC 7845 for Opus, appendix A of
//! the Vorbis specification); Symphonia has no Opus decoder, so half of the work would be here anyway;
//! and a comment header may hold pictures of many megabytes, which are passed over here without being
//! stored. Page layout and check sum are those of RFC 3533.

mod crc;

use std::io::{self, Read};

use super::view::View;

/// The largest packet kept, in bytes; longer ones are cut (comment headers with pictures are, whose
/// content does not matter).
const MAX_PACKET: usize = 4 << 20;
/// One page with its header at most.
const MAX_PAGE: usize = 27 + 255 + 255 * 255;
const BUFFER: usize = 4 * MAX_PAGE;

/// What can be taken from the file next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// [`Pages::packet`] holds a packet.
    Packet(PacketInfo),
    /// Pages were missing, or had a wrong check sum.
    Damaged(u64),
    End,
}

/// Where a packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PacketInfo {
    pub serial: u32,
    /// First page of a logical stream: this packet identifies the codec.
    pub begins: bool,
    /// Granule position of the page on which the packet ends, -1 for none.
    pub granule: i64,
    /// No other packet ends on that page.
    pub ends_page: bool,
    /// That page is flagged as the last one of the stream.
    pub ends_stream: bool,
}

/// Reads pages and assembles packets of one logical stream at a time.
pub(super) struct Pages {
    file: View,
    buffer: Vec<u8>,
    begin: usize,
    /// Of the page at `begin`, once it is there.
    page: Option<Page>,
    /// The stream followed; packets of others are dropped, except those that begin a stream.
    pub serial: Option<u32>,
    next_sequence: Option<u32>,
    packet: Vec<u8>,
    /// The packet's beginning was lost.
    headless: bool,
    /// The packet was given out; the next one begins afresh.
    complete: bool,
}

#[derive(Clone, Copy)]
struct Page {
    continued: bool,
    info: PacketInfo,
    sequence: u32,
    /// Of the lacing values not yet used, in the buffer.
    lacing: (usize, usize),
    body: usize,
    end: usize,
}

impl Pages {
    pub(super) fn new(file: View) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(BUFFER),
            begin: 0,
            page: None,
            serial: None,
            next_sequence: None,
            packet: Vec::new(),
            headless: false,
            complete: true,
        }
    }

    /// The packet announced by the latest [`Event::Packet`].
    pub(super) fn packet(&self) -> &[u8] {
        &self.packet
    }

    pub(super) fn next(&mut self) -> io::Result<Event> {
        loop {
            let Some(mut page) = self.page.take() else {
                match self.read_page()? {
                    Ok(page) => {
                        if let Some(lost) = self.enter(&page) {
                            self.page = Some(page);
                            return Ok(Event::Damaged(lost));
                        }
                        self.page = Some(page);
                    }
                    Err(event) => return Ok(event),
                }
                continue;
            };
            let is_ours = page.info.begins || self.serial == Some(page.info.serial);
            if is_ours && self.assemble(&mut page) {
                self.page = Some(page);
                return Ok(Event::Packet(page.info));
            }
            // The page is used up; whether a packet goes on is said by the next one.
            self.begin = page.end;
        }
    }

    /// Checks the joint between this page and the last one. Gives the number of pages lost.
    fn enter(&mut self, page: &Page) -> Option<u64> {
        if page.info.begins {
            self.packet.clear();
            self.complete = true;
            self.next_sequence = Some(page.sequence.wrapping_add(1));
            return None;
        }
        if self.serial != Some(page.info.serial) {
            return None;
        }
        let expected = self.next_sequence.replace(page.sequence.wrapping_add(1));
        let lost = expected.map_or(0, |expected| page.sequence.wrapping_sub(expected));
        if page.continued == self.complete || lost != 0 {
            // Either the beginning of the first packet is missing here, or the end of the last one.
            self.headless = page.continued;
            self.packet.clear();
            self.complete = !page.continued;
        }
        // A sequence that jumps back is a careless muxer, not a loss.
        (1..1 << 20).contains(&lost).then_some(u64::from(lost))
    }

    /// Adds segments to the packet until it is complete; false when the page ends before.
    fn assemble(&mut self, page: &mut Page) -> bool {
        let (mut at, end) = page.lacing;
        if self.complete && at < end {
            self.packet.clear();
            self.complete = false;
        }
        while at < end {
            let length = usize::from(self.buffer[at]);
            at += 1;
            let room = MAX_PACKET.saturating_sub(self.packet.len()).min(length);
            self.packet
                .extend_from_slice(&self.buffer[page.body..page.body + room]);
            page.body += length;
            if length < 255 {
                if std::mem::take(&mut self.headless) {
                    self.packet.clear();
                    continue;
                }
                self.complete = true;
                page.lacing = (at, end);
                page.info.ends_page = self.buffer[at..end].iter().all(|length| *length == 255);
                return true;
            }
        }
        page.lacing = (at, end);
        false
    }

    /// Makes `count` bytes available from `begin` on, if the file has them.
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        if self.buffer.len() - self.begin >= count {
            return Ok(true);
        }
        self.buffer.drain(..self.begin);
        self.begin = 0;
        while self.buffer.len() < count {
            let filled = self.buffer.len();
            self.buffer.resize(BUFFER, 0);
            let read = self.file.read(&mut self.buffer[filled..]);
            self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Reads the next page that is whole and has the right check sum. What is passed over on the way is
    /// reported first, as one loss.
    fn read_page(&mut self) -> io::Result<Result<Page, Event>> {
        let mut lost = false;
        loop {
            if !self.fill(27)? {
                self.begin = self.buffer.len();
                return Ok(Err(if lost { Event::Damaged(1) } else { Event::End }));
            }
            if let Some(page) = self.parse_page()? {
                if lost {
                    // The page is found again at the next call.
                    return Ok(Err(Event::Damaged(1)));
                }
                return Ok(Ok(page));
            }
            lost = true;
            let rest = &self.buffer[self.begin + 1..];
            let skip = memchr::memmem::find(rest, b"OggS");
            self.begin += 1 + skip.unwrap_or(rest.len().saturating_sub(3));
        }
    }

    fn parse_page(&mut self) -> io::Result<Option<Page>> {
        let head = &self.buffer[self.begin..];
        if !head.starts_with(b"OggS\0") {
            return Ok(None);
        }
        let segments = usize::from(head[26]);
        if !self.fill(27 + segments)? {
            return Ok(None);
        }
        let lacing = self.begin + 27;
        let sizes = &self.buffer[lacing..lacing + segments];
        let length = 27 + segments + sizes.iter().map(|size| usize::from(*size)).sum::<usize>();
        if !self.fill(length)? {
            return Ok(None);
        }
        let page = &self.buffer[self.begin..self.begin + length];
        let word = |at: usize| u32::from_le_bytes(page[at..at + 4].try_into().expect("four bytes"));
        if crc::page_check_sum(page) != word(22) {
            return Ok(None);
        }
        let info = PacketInfo {
            serial: word(14),
            begins: page[5] & 2 != 0,
            granule: i64::from_le_bytes(page[6..14].try_into().expect("the slice is eight bytes")),
            ends_page: false,
            ends_stream: page[5] & 4 != 0,
        };
        // Filling may have moved the page within the buffer.
        let lacing = self.begin + 27;
        Ok(Some(Page {
            continued: page[5] & 1 != 0,
            info,
            sequence: word(18),
            lacing: (lacing, lacing + segments),
            body: lacing + segments,
            end: self.begin + length,
        }))
    }
}

#[cfg(test)]
pub(super) mod tests;
