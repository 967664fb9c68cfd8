//! `ID3v2`, versions 2.2 to 2.4, read frame by frame so that a bad one costs itself alone.
//!
//! Layout: <https://id3.org/id3v2.4.0-structure> and its predecessors. Frames that are not wanted (pictures,
//! lyrics) are passed over without being read. What real taggers do against the standard is understood and
//! noted: sizes of version 2.4 that are not synchsafe (iTunes), frames of 2.2 in a tag of 2.3, texts in
//! UTF-16 without a byte order mark, sizes that lead out of the tag, frames without their encoding.

mod body;

use std::io::{self, Read};

use super::names::{self, Name};
use super::raw::{Chapter, MAX_VALUE, Raw};
use super::text::Text;
use crate::extents::{id3v2_end, synchsafe};
use crate::input::Input;
use body::Body;

/// Frames looked at in one tag; podcasts with a thousand chapters exist.
const MAX_FRAMES: usize = 20_000;

/// Bytes in which the next frame is looked for behind a broken one.
const RESYNC: usize = 64 << 10;

fn plain(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |size, byte| (size << 8) | u32::from(*byte))
}

/// Reads the tag at `at` into `raw`, as a source of its own. Says where it ends.
pub(super) fn read(input: &mut Input, at: u64, raw: &mut Raw) -> io::Result<Option<u64>> {
    let Some(end) = id3v2_end(input, at)? else {
        return Ok(None);
    };
    let head = input.vec_at(at, 10)?;
    let (version, flags) = (head[3], head[5]);
    raw.begin();
    if !(2..=4).contains(&version) {
        raw.mend(format!("an ID3v2.{version} tag was passed over"));
        return Ok(Some(end));
    }
    let has_footer = flags & 0x10 != 0 && version == 4;
    let stop = end.min(input.length)
        - if has_footer && end <= input.length {
            10
        } else {
            0
        };
    // Version 2.4 says for each frame whether it is unsynchronised.
    let is_stuffed = flags & 0x80 != 0;
    let mut unsynchronised = is_stuffed && version < 4;
    if unsynchronised
        && frames_in(&mut Body::new(input, at + 10, stop, true), version)?
            < frames_in(&mut Body::new(input, at + 10, stop, false), version)?
    {
        raw.mend("ID3v2 frames whose sizes count the bytes of unsynchronisation");
        unsynchronised = false;
    }
    let mut body = Body::new(input, at + 10, stop, unsynchronised);
    if flags & 0x40 != 0 && version >= 3 {
        skip_extended_header(&mut body, version)?;
    }
    let mut tag = Tag {
        version,
        is_each_unsynchronised: is_stuffed && !unsynchronised,
        body,
        raw,
    };
    tag.frames()?;
    Ok(Some(end))
}

/// How many frames of version 2.2 or 2.3 follow one behind another, up to the padding or the end.
fn frames_in(body: &mut Body<'_>, version: u8) -> io::Result<usize> {
    let width = if version == 2 { 3 } else { 4 };
    let length = if version == 2 { 6 } else { 10 };
    for count in 0..MAX_FRAMES {
        let head = body.peek(length)?;
        if head.len() < length || !is_id(&head[..width]) {
            return Ok(count);
        }
        let size = u64::from(plain(&head[width..2 * width]));
        if size > body.left().saturating_sub(length as u64) {
            return Ok(count);
        }
        body.skip(length as u64 + size)?;
    }
    Ok(MAX_FRAMES)
}

fn skip_extended_header(body: &mut Body<'_>, version: u8) -> io::Result<()> {
    let size = body.peek(4)?;
    let length = if version == 4 {
        u64::from(synchsafe(&size))
    } else {
        u64::from(plain(&size)) + 4
    };
    // Some writers set the flag and write no header: then a frame begins here.
    if length <= 1 << 10 && !size.first().is_some_and(u8::is_ascii_uppercase) {
        body.skip(length)?;
    }
    Ok(())
}

struct Tag<'a> {
    version: u8,
    /// Each frame is unsynchronised by itself, and its size counts the bytes for that.
    is_each_unsynchronised: bool,
    body: Body<'a>,
    raw: &'a mut Raw,
}

/// The head of a frame.
struct Head {
    id: Vec<u8>,
    size: u64,
    flags: u16,
}

impl Tag<'_> {
    fn frames(&mut self) -> io::Result<()> {
        for _ in 0..MAX_FRAMES {
            let length = if self.version == 2 { 6 } else { 10 };
            let head = self.body.peek(length)?;
            if head.len() < length || head[0] == 0 {
                return Ok(());
            }
            let Some(frame) = self.head(&head)? else {
                self.raw.mend("a broken ID3v2 frame was passed over");
                if !self.resync(1)? {
                    return Ok(());
                }
                continue;
            };
            if frame.size > self.body.left().saturating_sub(length as u64) {
                self.raw.mend(format!(
                    "the ID3v2 frame `{}` is longer than its tag",
                    String::from_utf8_lossy(&frame.id)
                ));
                if !self.resync(length)? {
                    return Ok(());
                }
                continue;
            }
            self.body.skip(length as u64)?;
            self.frame(&frame)?;
        }
        Ok(())
    }

    /// Reads a frame's head; `None` where none can begin here.
    fn head(&mut self, head: &[u8]) -> io::Result<Option<Head>> {
        if self.version == 2 {
            return Ok(is_id(&head[..3]).then(|| Head {
                id: head[..3].to_vec(),
                size: u64::from(plain(&head[3..6])),
                flags: 0,
            }));
        }
        let mut id = head[..4].to_vec();
        if matches!(id[3], 0 | b' ') && is_id(&id[..3]) {
            self.raw.mend("ID3v2.2 frames in a tag of another version");
            id.truncate(3);
        }
        if !is_id(&id) {
            return Ok(None);
        }
        let size = u64::from(self.size_of(&head[4..8])?);
        let flags = u16::from_be_bytes([head[8], head[9]]);
        Ok(Some(Head { id, size, flags }))
    }

    /// Sizes of version 2.4 are synchsafe, and plain when iTunes writes them; those of 2.3 are plain, and synchsafe when
    /// some others write them: the one behind which another frame, padding or the end follows is right.
    fn size_of(&mut self, bytes: &[u8]) -> io::Result<u32> {
        let (safe, plain) = (synchsafe(bytes), plain(bytes));
        let has_high_bits = bytes.iter().any(|byte| byte & 0x80 != 0);
        let (meant, other) = if self.version == 4 {
            (safe, plain)
        } else {
            (plain, safe)
        };
        if safe == plain || (has_high_bits && self.version != 4) {
            return Ok(meant);
        }
        if !has_high_bits && self.is_followed(meant)? {
            return Ok(meant);
        }
        if has_high_bits || self.is_followed(other)? {
            self.raw.mend(if self.version == 4 {
                "ID3v2.4 frames with sizes that are not synchsafe"
            } else {
                "ID3v2.3 frames with synchsafe sizes"
            });
            return Ok(other);
        }
        Ok(meant)
    }

    fn is_followed(&mut self, size: u32) -> io::Result<bool> {
        let after = 10 + u64::from(size);
        let left = self.body.left();
        if after >= left {
            return Ok(after == left);
        }
        let next = self.body.peek_at(after, 4)?;
        Ok(next.iter().all(|byte| *byte == 0) || (next.len() == 4 && is_id(&next)))
    }

    /// Moves to the next frame that is wanted, beginning `from` bytes on.
    fn resync(&mut self, from: usize) -> io::Result<bool> {
        let ahead = self.body.peek(RESYNC)?;
        let width = if self.version == 2 { 3 } else { 4 };
        let found = (from..ahead.len().saturating_sub(width + 3)).find(|&at| {
            let id = &ahead[at..at + width];
            let is_wanted =
                names::of_frame(id).is_some() || matches!(id, b"TXXX" | b"TXX" | b"UFID" | b"CHAP");
            let size = &ahead[at + width..at + width + width];
            is_wanted && plain(size) > 0 && u64::from(plain(size)) <= self.body.left()
        });
        match found {
            Some(at) => self.body.skip(at as u64).map(|()| true),
            None => Ok(false),
        }
    }

    fn frame(&mut self, head: &Head) -> io::Result<()> {
        let name = names::of_frame(&head.id);
        let is_wanted = name.is_some()
            || matches!(
                head.id.as_slice(),
                b"TXXX" | b"TXX" | b"UFID" | b"UFI" | b"CHAP"
            );
        if !is_wanted || head.size as usize > MAX_VALUE {
            if is_wanted {
                self.raw
                    .mend("an ID3v2 text of more than 1 MB was passed over");
            }
            return self.body.skip(head.size);
        }
        let content = self.body.take(head.size as usize)?;
        let Some(content) = self.unpack(head, &content) else {
            self.raw.mend(format!(
                "the packed ID3v2 frame `{}` was passed over",
                String::from_utf8_lossy(&head.id)
            ));
            return Ok(());
        };
        match (name, head.id.as_slice()) {
            (Some(name), _) => {
                let text = self.text(&content);
                self.raw.keep(name, text);
            }
            (None, b"UFID" | b"UFI") => {
                let mut parts = content.splitn(2, |byte| *byte == 0);
                if let (Some(b"http://musicbrainz.org"), Some(id)) = (parts.next(), parts.next()) {
                    self.raw.keep(Name::RecordingMbid, Text::legacy(id));
                }
            }
            (None, b"CHAP") => self.chapter(&content),
            _ => self.user_text(&content),
        }
        Ok(())
    }

    /// Undoes what the flags say was done to a frame. A frame may unpack to no more than a text may have.
    fn unpack(&self, head: &Head, content: &[u8]) -> Option<Vec<u8>> {
        let (packed, encrypted, grouped, unsynchronised, has_length) = match self.version {
            4 => (
                head.flags & 0x08 != 0,
                head.flags & 0x04 != 0,
                head.flags & 0x40 != 0,
                head.flags & 0x02 != 0 || self.is_each_unsynchronised,
                head.flags & 0x01 != 0,
            ),
            3 => (
                head.flags & 0x80 != 0,
                head.flags & 0x40 != 0,
                head.flags & 0x20 != 0,
                self.is_each_unsynchronised,
                head.flags & 0x80 != 0,
            ),
            _ => (false, false, false, self.is_each_unsynchronised, false),
        };
        if encrypted {
            return None;
        }
        let before = usize::from(grouped) + if has_length { 4 } else { 0 };
        let mut content = content.get(before..)?.to_vec();
        if unsynchronised {
            content = body::synchronised(&content);
        }
        if !packed {
            return Some(content);
        }
        let mut unpacked = Vec::new();
        let limit = MAX_VALUE as u64 + 1;
        flate2::read::ZlibDecoder::new(content.as_slice())
            .take(limit)
            .read_to_end(&mut unpacked)
            .ok()?;
        (unpacked.len() as u64 != limit).then_some(unpacked)
    }

    /// A text with its encoding in front.
    fn text(&mut self, content: &[u8]) -> Text {
        match content.split_first() {
            Some((0, text)) => Text::legacy(text),
            Some((1, text)) => {
                self.raw.note_mark(text);
                Text::utf16(text, None)
            }
            Some((2, text)) => Text::utf16(text, Some(true)),
            Some((3, text)) => Text::utf8(text),
            Some((byte, _)) if *byte >= 0x20 => {
                self.raw.mend("an ID3v2 text without its encoding");
                Text::legacy(content)
            }
            Some((_, text)) => Text::legacy(text),
            None => Text::Unicode(String::new()),
        }
    }

    /// A description and a text, in one encoding.
    fn user_text(&mut self, content: &[u8]) {
        let Some((encoding, rest)) = content.split_first() else {
            return;
        };
        let (key, value) = split_description(*encoding, rest);
        let with_encoding = |part: &[u8]| [&[*encoding], part].concat();
        let key = self.text(&with_encoding(key)).plain();
        if let Some(name) = names::of_key(key.trim_end_matches('\0')) {
            let value = self.text(&with_encoding(value));
            self.raw.keep(name, value);
        }
    }

    /// <https://id3.org/id3v2-chapters-1.0>: an id, four times, and frames of its own.
    fn chapter(&mut self, content: &[u8]) {
        let Some(end) = content.iter().position(|byte| *byte == 0) else {
            return;
        };
        let Some(times) = content.get(end + 1..end + 17) else {
            return;
        };
        let seconds = |at: usize| f64::from(plain(&times[at..at + 4])) / 1000.0;
        let (start, finish) = (seconds(0), seconds(4));
        let title = self.chapter_title(&content[end + 17..]);
        self.raw.keep_chapter(Chapter {
            start,
            end: (finish > start && plain(&times[4..8]) != u32::MAX).then_some(finish),
            title,
        });
    }

    fn chapter_title(&mut self, mut frames: &[u8]) -> Option<Text> {
        while let Some(head) = frames.get(..10) {
            let size = &head[4..8];
            // A frame within a frame cannot be asked what follows: the size that fits is taken.
            let fits = |size: u32| 10 + size as usize <= frames.len();
            let size = match (self.version, synchsafe(size), plain(size)) {
                (4, safe, _) if fits(safe) => safe,
                (_, _, plain) => plain,
            } as usize;
            let content = frames.get(10..10 + size)?;
            if head.starts_with(b"TIT2") {
                return Some(self.text(content)).filter(|text| !text.is_blank());
            }
            frames = &frames[10 + size..];
        }
        None
    }
}

/// Splits at the NUL that ends the description; in UTF-16 it has two bytes and lies at an even place.
fn split_description(encoding: u8, rest: &[u8]) -> (&[u8], &[u8]) {
    if matches!(encoding, 1 | 2) {
        let nul = rest.chunks_exact(2).position(|two| two == [0, 0]);
        return match nul {
            Some(at) => (&rest[..2 * at], &rest[2 * at + 2..]),
            None => (rest, &[]),
        };
    }
    match rest.iter().position(|byte| *byte == 0) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &[]),
    }
}

fn is_id(id: &[u8]) -> bool {
    id.iter()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && id.first().is_some_and(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests;
