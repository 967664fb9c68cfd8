//! The text of a book as JSON lines: one string a page, in the order of pages, an empty one where a page is missing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Broken;
use super::oddities::Oddities;
use super::tar::Place;

/// The highest number of a page.
pub(super) const LAST_PAGE: u32 = 999_999;

/// Bytes of text that are kept in memory; a book of 500 pages has one or two million.
const IN_MEMORY: usize = 1 << 20;

/// Pages as they come, whatever their order.
#[derive(Debug)]
pub(super) struct Pages {
    spool: tempfile::SpooledTempFile,
    written: u64,
    /// Number, beginning and length of each page's line.
    index: Vec<(u32, u64, u64)>,
    /// Where in `index` the page at each place of the archive is.
    places: HashMap<Place, usize>,
    /// Pages that came again at the same path.
    replaced: u64,
}

impl Pages {
    /// Pages that are in a file without a name in `folder` once they are too many for memory.
    pub(super) fn within(folder: &Path) -> Self {
        Self {
            spool: tempfile::spooled_tempfile_in(IN_MEMORY, folder),
            written: 0,
            index: Vec::new(),
            places: HashMap::new(),
            replaced: 0,
        }
    }

    /// Adds a page. One that comes again at the same path takes the place of the first, as in a folder into which an
    /// archive is unpacked.
    pub(super) fn add(&mut self, place: Place, number: u32, bytes: &[u8]) -> Result<(), Broken> {
        let length = line(bytes, &mut self.spool).map_err(Broken::Unreadable)?;
        let entry = (number, self.written, length);
        match self.places.entry(place) {
            Entry::Occupied(known) => {
                self.index[*known.get()] = entry;
                self.replaced += 1;
            }
            Entry::Vacant(new) => {
                new.insert(self.index.len());
                self.index.push(entry);
            }
        }
        self.written += length;
        Ok(())
    }

    /// All pages, or why there is no text.
    pub(super) fn finish(
        mut self,
        oddities: &mut Oddities,
    ) -> Result<Result<Text, String>, Broken> {
        // A stable sort: pages with the same number stay in the order of the archive.
        self.index.sort_by_key(|(number, ..)| *number);
        let Some((last, ..)) = self.index.last() else {
            return Ok(Err("no page of text in the archive".to_owned()));
        };
        let (last, found) = (u64::from(*last), self.index.len() as u64);
        let mut distinct: Vec<u32> = self.index.iter().map(|(number, ..)| *number).collect();
        distinct.dedup();
        let missing = last - distinct.len() as u64;
        if missing > 0 {
            oddities.push(format!("{missing} of {last} pages have no text"));
        }
        let twice = found - distinct.len() as u64;
        if twice > 0 {
            oddities.push(format!("{twice} pages are there twice"));
        }
        if self.replaced > 0 {
            oddities.push(format!(
                "{} pages came again at the same path, where the last one counts",
                self.replaced
            ));
        }
        self.spool.flush().map_err(Broken::Unreadable)?;
        Ok(Ok(Text {
            spool: self.spool,
            index: self.index,
            pages: found + missing,
            missing,
        }))
    }
}

/// The text of a book.
#[derive(Debug)]
pub struct Text {
    spool: tempfile::SpooledTempFile,
    index: Vec<(u32, u64, u64)>,
    /// Lines it has: pages, and empty ones in place of those that are missing.
    pub pages: u64,
    /// Pages that are missing.
    pub missing: u64,
}

impl Text {
    /// Writes the lines.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub fn write(&mut self, target: impl Write) -> io::Result<()> {
        let mut target = BufWriter::with_capacity(64 << 10, target);
        let mut next = 1;
        let mut at = 0;
        self.spool.seek(SeekFrom::Start(0))?;
        for (number, begin, length) in &self.index {
            while next < *number {
                target.write_all(b"\"\"\n")?;
                next += 1;
            }
            next = *number + 1;
            if at != *begin {
                self.spool.seek(SeekFrom::Start(*begin))?;
            }
            let copied = io::copy(&mut (&mut self.spool).take(*length), &mut target)?;
            if copied != *length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at = begin + length;
        }
        target.flush()
    }

    /// Writes the lines packed by gzip, as fast as it goes.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub fn write_gzip(&mut self, target: impl Write) -> io::Result<()> {
        let mut packed = GzEncoder::new(target, Compression::fast());
        self.write(&mut packed)?;
        packed.finish()?.flush()
    }
}

/// Bytes of a line that are made before they are written.
const PIECE: usize = 16 << 10;

/// Writes a page as a line of JSON, and gives its length. Bytes that are not UTF-8 become U+FFFD, and every end of a line a
/// `\n`. A page may become six times as long, so it is written in pieces.
fn line(bytes: &[u8], target: &mut impl Write) -> io::Result<u64> {
    let mut piece = Vec::with_capacity(PIECE + 16);
    let mut length = 0;
    piece.push(b'"');
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid().as_bytes();
        while !rest.is_empty() {
            let plain = rest.iter().take(PIECE).take_while(|byte| is_plain(**byte));
            let (plain, other) = rest.split_at(plain.count());
            piece.extend_from_slice(plain);
            rest = other;
            if let Some((byte, after)) = rest.split_first().filter(|(byte, _)| !is_plain(**byte)) {
                let is_twofold = *byte == b'\r' && after.first() == Some(&b'\n');
                rest = if is_twofold { &after[1..] } else { after };
                escape(*byte, &mut piece);
            }
            length += spill(&mut piece, PIECE, target)?;
        }
        if !chunk.invalid().is_empty() {
            piece.extend_from_slice("\u{fffd}".as_bytes());
            length += spill(&mut piece, PIECE, target)?;
        }
    }
    piece.extend_from_slice(b"\"\n");
    Ok(length + spill(&mut piece, 0, target)?)
}

/// Writes a piece that has `least` bytes: how many are written.
fn spill(piece: &mut Vec<u8>, least: usize, target: &mut impl Write) -> io::Result<u64> {
    if piece.len() < least {
        return Ok(0);
    }
    target.write_all(piece)?;
    let written = piece.len() as u64;
    piece.clear();
    Ok(written)
}

/// Whether a byte of UTF-8 stands for itself in JSON.
fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

fn escape(byte: u8, piece: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' | b'\r' => b'n',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        other => {
            let digits = [other >> 4, other & 15].map(|digit| DIGITS[usize::from(digit)]);
            piece.extend_from_slice(b"\\u00");
            piece.extend_from_slice(&digits);
            return;
        }
    };
    piece.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_escapes_that_others_write() {
        let of = |bytes: &[u8]| {
            let mut line = Vec::new();
            let length = super::line(bytes, &mut line).unwrap();
            assert_eq!(length, line.len() as u64);
            String::from_utf8(line).unwrap()
        };
        assert_eq!(of(b"a\r\nb\rc\n"), "\"a\\nb\\nc\\n\"\n");
        assert_eq!(
            of("\u{feff}é\u{2028}\u{7f}".as_bytes()),
            "\"\u{feff}é\u{2028}\u{7f}\"\n"
        );
        assert_eq!(
            of(b"\x0c\x01\x1f\"\\\t\x08"),
            "\"\\f\\u0001\\u001f\\\"\\\\\\t\\b\"\n"
        );
        assert_eq!(of(b"bad \xff\xfe"), "\"bad \u{fffd}\u{fffd}\"\n");
    }
    /// A page of whatever bytes is the string that it would be made in one piece.
    #[test]
    fn a_line_in_pieces_is_that_of_the_whole() {
        let mut state = 1_u32;
        for kind in 0..40_usize {
            let bytes: Vec<u8> = (0..PIECE * kind / 8)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let byte = (state >> 24) as u8;
                    match kind % 4 {
                        0 => byte,
                        1 => b"\r\n\"\\a\xc3\xa9\x01"[usize::from(byte) % 8],
                        2 => b'a' + byte % 26,
                        _ => byte % 32,
                    }
                })
                .collect();
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            let expected = serde_json::Value::String(text.replace('\r', "\n")).to_string();
            let mut line = Vec::new();
            super::line(&bytes, &mut line).unwrap();
            assert!(line == format!("{expected}\n").into_bytes(), "{kind}");
        }
    }
}
