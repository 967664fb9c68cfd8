//! Tags of Windows Media files (ASF), which keep several values of one name in two objects.
//!
//! ffprobe gives one value a name, the last or the first. Layout: the *Advanced Systems Format Specification*,
//! revision 01.20.05, sections 3.10, 3.11 and 4.8. All numbers are little-endian, all texts UTF-16.

use std::io;

use super::names::{self, Name};
use super::raw::{MAX_VALUE, Raw};
use super::text::Text;
use crate::decode::Foreign;
use crate::input::Input;

type Guid = [u8; 16];

const CONTENT: Guid = *b"\x33\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";
const EXTENDED: Guid = *b"\x40\xa4\xd0\xd2\x07\xe3\xd2\x11\x97\xf0\x00\xa0\xc9\x5e\xa8\x50";
const HEADER_EXTENSION: Guid = *b"\xb5\x03\xbf\x5f\x2e\xa9\xcf\x11\x8e\xe3\x00\xc0\x0c\x20\x53\x65";
const LIBRARY: Guid = *b"\x94\x1c\x23\x44\x98\x94\xd1\x49\xa1\x41\x1d\x13\x4e\x45\x70\x54";

/// Objects looked at in one header; real files have about fifteen.
const MAX_OBJECTS: usize = 1_000;

/// Whether this reader knows a format's tags.
pub(super) fn is_read_here(format: &Foreign) -> bool {
    format.extensions().contains(&"wma")
}

/// Reads the tags of the file whose header object begins at `start`.
pub(super) fn read(input: &mut Input, start: u64, raw: &mut Raw) -> io::Result<()> {
    raw.begin();
    let Some(size) = input.array_at::<8>(start + 16)?.map(u64::from_le_bytes) else {
        return Ok(());
    };
    // Behind its head the header object has a count of objects and two reserved bytes.
    let end = start.saturating_add(size).min(input.length);
    // The library has the second and later values, and may stand before the object with the first.
    let later = objects(input, start + 30, end, raw)?;
    for (at, stop) in later {
        list(input, at, stop, true, raw)?;
    }
    Ok(())
}

/// Reads the objects of a header, and says where the metadata libraries lie.
fn objects(input: &mut Input, mut at: u64, end: u64, raw: &mut Raw) -> io::Result<Vec<(u64, u64)>> {
    let mut libraries = Vec::new();
    for _ in 0..MAX_OBJECTS {
        if at.saturating_add(24) > end {
            return Ok(libraries);
        }
        let head = input.vec_at(at, 24)?;
        let (Some(guid), Some(size)) = (head.first_chunk::<16>(), head.last_chunk::<8>()) else {
            return Ok(libraries);
        };
        let size = u64::from_le_bytes(*size);
        if size < 24 || size > end - at {
            raw.mend("an object of the ASF header is longer than the header");
            return Ok(libraries);
        }
        let (body, stop) = (at + 24, at + size);
        match *guid {
            CONTENT => content(input, body, stop, raw)?,
            EXTENDED => list(input, body, stop, false, raw)?,
            LIBRARY => libraries.push((body, stop)),
            // A GUID, two bytes and a size, and objects of its own.
            HEADER_EXTENSION => libraries.extend(inside_extension(input, body + 22, stop)?),
            _ => {}
        }
        at = stop;
    }
    Ok(libraries)
}

/// The metadata library is all that is looked for there: an extension in an extension is none.
fn inside_extension(input: &mut Input, mut at: u64, end: u64) -> io::Result<Vec<(u64, u64)>> {
    let mut libraries = Vec::new();
    for _ in 0..MAX_OBJECTS {
        let head = input.vec_at(at, 24)?;
        let (Some(guid), Some(size)) = (head.first_chunk::<16>(), head.last_chunk::<8>()) else {
            return Ok(libraries);
        };
        let size = u64::from_le_bytes(*size);
        if head.len() < 24 || size < 24 || at.saturating_add(size) > end {
            return Ok(libraries);
        }
        if *guid == LIBRARY {
            libraries.push((at + 24, at + size));
        }
        at += size;
    }
    Ok(libraries)
}

/// Title, author, copyright, description and rating: five lengths, then five texts.
fn content(input: &mut Input, at: u64, end: u64, raw: &mut Raw) -> io::Result<()> {
    let lengths = input.vec_at(at, 10)?;
    let mut text_at = at + 10;
    for (length, name) in lengths.chunks_exact(2).zip([Name::Title, Name::Artist]) {
        let length = u64::from(u16::from_le_bytes([length[0], length[1]]));
        if text_at + length > end {
            return Ok(());
        }
        let text = input.vec_at(text_at, length as usize)?;
        raw.keep(name, Text::utf16(&text, Some(false)));
        text_at += length;
    }
    Ok(())
}

/// Names and values. In the metadata library a language and a stream stand in front of each, and lengths are longer.
fn list(input: &mut Input, at: u64, end: u64, is_library: bool, raw: &mut Raw) -> io::Result<()> {
    let word = |bytes: &[u8], at: usize| {
        bytes
            .get(at..at + 2)
            .map_or(0, |two| u16::from_le_bytes([two[0], two[1]]))
    };
    let count = word(&input.vec_at(at, 2)?, 0);
    let mut at = at + 2;
    for _ in 0..count {
        let (name_length, kind, value_length, name_at, value_at);
        if is_library {
            let head = input.vec_at(at, 12)?;
            let length = head
                .last_chunk::<4>()
                .map_or(0, |four| u32::from_le_bytes(*four));
            (name_length, kind, value_length) = (word(&head, 4), word(&head, 6), u64::from(length));
            name_at = at + 12;
            value_at = name_at + u64::from(name_length);
        } else {
            name_length = word(&input.vec_at(at, 2)?, 0);
            name_at = at + 2;
            let behind = input.vec_at(name_at + u64::from(name_length), 4)?;
            (kind, value_length) = (word(&behind, 0), u64::from(word(&behind, 2)));
            value_at = name_at + u64::from(name_length) + 4;
        }
        if value_at.saturating_add(value_length) > end {
            return Ok(());
        }
        let key = Text::utf16(
            &input.vec_at(name_at, usize::from(name_length))?,
            Some(false),
        );
        if let Some(name) = names::of_key(key.plain().trim_end_matches('\0'))
            && value_length <= MAX_VALUE as u64
        {
            let value = input.vec_at(value_at, value_length as usize)?;
            // Here it is what the artist is called.
            let name = if name == Name::Author {
                Name::Artist
            } else {
                name
            };
            match kind {
                0 => raw.keep(name, Text::utf16(&value, Some(false))),
                3..=5 => {
                    let number = value
                        .iter()
                        .rev()
                        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
                    raw.keep(name, Text::Unicode(number.to_string()));
                }
                _ => {}
            }
        }
        at = value_at + value_length;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect()
    }

    fn object(guid: Guid, body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u64 + 24).to_le_bytes();
        [guid.as_slice(), &size, body].concat()
    }

    fn extended(key: &str, value: &str) -> Vec<u8> {
        let (key, value) = (wide(key), wide(value));
        let length = |part: &[u8]| (part.len() as u16).to_le_bytes();
        let body = [
            &[1, 0],
            &length(&key)[..],
            &key,
            &[0, 0],
            &length(&value),
            &value,
        ];
        object(EXTENDED, &body.concat())
    }

    fn library(key: &str, value: &str) -> Vec<u8> {
        let (key, value) = (wide(key), wide(value));
        let body = [
            &[1, 0, 0, 0, 0, 0],
            &(key.len() as u16).to_le_bytes()[..],
            &[0, 0],
            &(value.len() as u32).to_le_bytes(),
            &key,
            &value,
        ];
        let library = object(LIBRARY, &body.concat());
        let size = (library.len() as u32).to_le_bytes();
        object(HEADER_EXTENSION, &[&[0; 18], &size[..], &library].concat())
    }

    fn fields(objects: &[u8]) -> Vec<(Name, Text)> {
        let header = object([0x30; 16], &[&[0; 6], objects].concat());
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&header).unwrap();
        let length = header.len() as u64;
        let mut raw = Raw::default();
        read(&mut Input { file, length }, 0, &mut raw).unwrap();
        raw.sources.remove(0).fields
    }

    #[test]
    fn all_values_of_a_name_are_read_the_first_one_first() {
        let objects = [
            library("WM/Composer", "Second"),
            extended("WM/Composer", "First"),
            extended("WM/Track", "0"),
        ];
        let said = |text: &str| (Name::Composer, Text::Unicode(text.to_owned()));
        assert_eq!(fields(&objects.concat()), [said("First"), said("Second")]);
    }

    #[test]
    fn lengths_that_lead_out_of_the_header_end_the_reading() {
        let whole = [extended("WM/Year", "1999"), library("WM/Year", "2000")].concat();
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] = 0xff;
            fields(&broken);
            fields(&whole[..at]);
        }
    }
}
