//! The text of a book as JSON lines: one string a page, in the order of pages, an empty one where a page is missing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Broken;
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

impl Default for Pages {
    fn default() -> Self {
        Self {
            spool: tempfile::spooled_tempfile(IN_MEMORY),
            written: 0,
            index: Vec::new(),
            places: HashMap::new(),
            replaced: 0,
        }
    }
}

impl Pages {
    /// Adds a page. One that comes again at the same path takes the place of the first, as in a folder into which an
    /// archive is unpacked.
    pub(super) fn add(&mut self, place: Place, number: u32, bytes: &[u8]) -> Result<(), Broken> {
        let line = line(bytes);
        self.spool
            .write_all(line.as_bytes())
            .map_err(Broken::Unreadable)?;
        let entry = (number, self.written, line.len() as u64);
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
        self.written += line.len() as u64;
        Ok(())
    }

    /// All pages, or why there is no text.
    pub(super) fn finish(
        mut self,
        oddities: &mut Vec<String>,
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

/// A page as a line of JSON. Bytes that are not UTF-8 become U+FFFD, and every end of a line a `\n`.
fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.into_owned()
    };
    let mut line = serde_json::Value::String(text).to_string();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_escapes_that_others_write() {
        let of = |bytes: &[u8]| line(bytes);
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
}
