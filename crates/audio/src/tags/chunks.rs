//! Tags in the chunks of WAV and AIFF files.

use std::io;

use super::names::{self, Name};
use super::raw::Raw;
use super::text::Text;
use super::{id3v2, tail};
use crate::extents;
use crate::input::Input;

/// Chunks looked at in one file; real files have about ten.
const MAX_CHUNKS: usize = 10_000;

/// Bytes read of one text chunk.
const MAX_TEXT: u64 = 64 << 10;

/// RIFF's sizes are little-endian; RIFX's and AIFF's are not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Riff,
    Rifx,
    Aiff,
}

impl Form {
    fn reader(self) -> fn([u8; 4]) -> u32 {
        match self {
            Self::Riff => u32::from_le_bytes,
            Self::Rifx | Self::Aiff => u32::from_be_bytes,
        }
    }

    fn size(self, bytes: [u8; 4]) -> u64 {
        u64::from(self.reader()(bytes))
    }
}

/// Reads the tags of a WAV file that begins at `start`.
pub(super) fn read_wav(input: &mut Input, start: u64, raw: &mut Raw) -> io::Result<()> {
    let is_big = input.array_at::<4>(start)? == Some(*b"RIFX");
    read(
        input,
        start,
        if is_big { Form::Rifx } else { Form::Riff },
        raw,
    )
}

/// Reads the tags of an AIFF file that begins at `start`.
pub(super) fn read_aiff(input: &mut Input, start: u64, raw: &mut Raw) -> io::Result<()> {
    read(input, start, Form::Aiff, raw)
}

fn read(input: &mut Input, start: u64, form: Form, raw: &mut Raw) -> io::Result<()> {
    let mut at = start + 12;
    let (mut texts, mut tags, mut long) = (Vec::new(), Vec::new(), None);
    for _ in 0..MAX_CHUNKS {
        let Some([k0, k1, k2, k3, size @ ..]) = input.array_at::<8>(at)? else {
            break;
        };
        let (name, mut length) = ([k0, k1, k2, k3], form.size(size));
        // Some append a tag to the file as they do to an MP3: its version stands where a chunk has a letter.
        if name.starts_with(b"ID3") && k3 < b' ' {
            tags.push(at);
            break;
        }
        let body = at + 8;
        match (&name, form) {
            (b"LIST", Form::Riff | Form::Rifx) => texts.push((body, length)),
            (b"id3 " | b"ID3 " | b"Id3 ", _) => tags.push(body),
            (b"NAME" | b"AUTH", Form::Aiff) => texts.push((at, length)),
            (b"ds64", _) => long = input.array_at::<8>(body + 8)?.map(u64::from_le_bytes),
            (b"data", _) if length == 0xffff_ffff => length = long.unwrap_or(length),
            _ => {}
        }
        if matches!(&name, b"data" | b"SSND") && extents::is_open_ended(input, body, length) {
            at = extents::open_end(input, body, form.reader())?;
            continue;
        }
        at = after(input, body, length, form)?;
    }
    for body in tags {
        id3v2::read(input, body, raw)?;
    }
    raw.begin();
    for (at, length) in texts {
        if form == Form::Aiff {
            aiff_text(input, at, length, raw)?;
        } else if input.array_at::<4>(at)? == Some(*b"INFO") {
            info(input, at + 4, at + length, form, raw)?;
        }
    }
    tail::read(input, start, raw)
}

/// Where the next chunk begins behind one of `length` bytes: chunks are padded to an even length, but not
/// by everybody.
fn after(input: &mut Input, body: u64, length: u64, form: Form) -> io::Result<u64> {
    let end = body.saturating_add(length);
    if length.is_multiple_of(2) {
        return Ok(end);
    }
    Ok(
        if is_chunk(input, end, form)? && !is_chunk(input, end + 1, form)? {
            end
        } else {
            end + 1
        },
    )
}

/// Whether a chunk can begin here: four letters, and a size that the file has room for.
fn is_chunk(input: &mut Input, at: u64, form: Form) -> io::Result<bool> {
    let Some([k0, k1, k2, k3, size @ ..]) = input.array_at::<8>(at)? else {
        return Ok(false);
    };
    let is_name = [k0, k1, k2, k3]
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
    Ok(is_name && at + 8 + form.size(size) <= input.length)
}

/// The texts of an `INFO` list.
fn info(input: &mut Input, mut at: u64, end: u64, form: Form, raw: &mut Raw) -> io::Result<()> {
    let end = end.min(input.length);
    for _ in 0..MAX_CHUNKS {
        if at + 8 > end {
            break;
        }
        let Some([k0, k1, k2, k3, size @ ..]) = input.array_at::<8>(at)? else {
            break;
        };
        let length = form.size(size).min(end - at - 8);
        if let Some(name) = names::of_info([k0, k1, k2, k3]) {
            keep(input, name, at + 8, length, raw)?;
        }
        at = after(input, at + 8, length, form)?;
    }
    Ok(())
}

fn aiff_text(input: &mut Input, at: u64, length: u64, raw: &mut Raw) -> io::Result<()> {
    let name = match input.array_at::<4>(at)? {
        Some(kind) if &kind == b"NAME" => Name::Title,
        _ => Name::Artist,
    };
    keep(input, name, at + 8, length, raw)
}

fn keep(input: &mut Input, name: Name, at: u64, length: u64, raw: &mut Raw) -> io::Result<()> {
    let text = input.vec_at(at, length.min(MAX_TEXT) as usize)?;
    let wide = text
        .chunks_exact(2)
        .filter(|two| two[1] == 0 && two[0] != 0);
    if wide.count() * 2 > text.len() / 2 && !text.starts_with(b"\0") {
        // UTF-16, which has no place here, and which some write.
        if let Some(first) = Text::utf16(&text, Some(false)).split().into_iter().next() {
            raw.keep(name, first);
        }
        return Ok(());
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    raw.keep(name, Text::legacy(text));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
        let padding = vec![0; content.len() % 2];
        [
            name,
            &(content.len() as u32).to_le_bytes(),
            content,
            &padding,
        ]
        .concat()
    }

    fn fields(parts: &[Vec<u8>]) -> Vec<(Name, Text)> {
        let bytes = [b"RIFF\0\0\0\0WAVE".to_vec(), parts.concat()].concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let mut raw = Raw::default();
        let mut input = Input {
            file,
            length: bytes.len() as u64,
        };
        read_wav(&mut input, 0, &mut raw).unwrap();
        raw.sources
            .into_iter()
            .flat_map(|source| source.fields)
            .collect()
    }

    fn info() -> Vec<u8> {
        chunk(
            b"LIST",
            &[
                b"INFO".to_vec(),
                chunk(b"INAM", b"Caf\xe9\0"),
                chunk(b"ITRK", b"3/9\0"),
            ]
            .concat(),
        )
    }

    #[test]
    fn an_info_list_is_read_in_its_code_page_behind_stray_and_unpadded_chunks() {
        let expected = [
            (Name::Title, Text::Bytes(b"Caf\xe9".to_vec())),
            (Name::Track, Text::Unicode("3/9".to_owned())),
        ];
        assert_eq!(fields(&[info()]), expected);
        assert_eq!(fields(&[chunk(b"\0n\0i", b""), info()]), expected);
        let mut unpadded = chunk(b"data", b"odd");
        unpadded.pop();
        assert_eq!(fields(&[unpadded, info()]), expected);
    }
}
