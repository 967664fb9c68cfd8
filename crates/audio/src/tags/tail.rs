//! Tags at the end of a file, whatever its format: APE (which may stand at the front as well), Lyrics3,
//! which is passed over, and `ID3v1`.
//!
//! Layouts: <https://wiki.hydrogenaudio.org/index.php?title=APEv2_specification>,
//! <https://id3.org/ID3v1>, <https://id3.org/Lyrics3v2>.

use std::io;

use super::names::{self, Name};
use super::raw::{MAX_VALUE, Raw};
use super::text::Text;
use crate::decode::view::Input;

/// Items of one APE tag; the specification's own limit.
const MAX_ITEMS: u32 = 65_536;

/// Tags that stand one behind another at either end; two are common.
const MAX_TAGS: usize = 16;

/// Bytes of an APE header or footer, and of an `ID3v1` tag.
const APE_HEAD: u64 = 32;
const ID3V1: u64 = 128;

/// Bytes of the APE tag that begins at `at`, if one does: header and items.
pub(crate) fn ape_at_front(input: &mut Input, at: u64) -> io::Result<Option<u64>> {
    let head = input.vec_at(at, APE_HEAD as usize)?;
    if !head.starts_with(b"APETAGEX") || head.len() < APE_HEAD as usize {
        return Ok(None);
    }
    let declared = APE_HEAD + u64::from(word(&head, 12));
    // Some count the header in, some miscount: a footer that stands near tells better where the tag ends.
    let near = (at + declared).saturating_sub(2 * APE_HEAD).max(at + 1);
    let around = input.vec_at(near, 4 * APE_HEAD as usize)?;
    let footer = around.windows(8).position(|eight| eight == b"APETAGEX");
    Ok(Some(footer.map_or(declared, |footer| {
        near + footer as u64 + APE_HEAD - at
    })))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |four| {
        u32::from_le_bytes(four.try_into().expect("the slice is four bytes"))
    })
}

/// A tag at the end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Id3v1,
    /// Items begin here, and there are so many.
    Ape {
        items_at: u64,
        count: u32,
    },
    Lyrics,
}

/// The tags between `start` and the end of the file, the last one first; and where the audio ends.
fn walk(input: &mut Input, start: u64) -> io::Result<(Vec<Tail>, u64)> {
    let (mut tails, mut end) = (Vec::new(), input.length);
    for _ in 0..MAX_TAGS {
        let at = end.saturating_sub(ID3V1).max(start);
        let tail = input.vec_at(at, (end - at) as usize)?;
        let ape = tail
            .len()
            .checked_sub(APE_HEAD as usize)
            .and_then(|at| tail.get(at..));
        let (kind, length) = if tail.len() as u64 == ID3V1 && tail.starts_with(b"TAG") {
            (Tail::Id3v1, ID3V1)
        } else if let Some(footer) = ape.filter(|footer| footer.starts_with(b"APETAGEX")) {
            let size = u64::from(word(footer, 12));
            let count = word(footer, 16);
            let (items_at, length) = ape_items(input, end, size)?;
            (Tail::Ape { items_at, count }, length)
        } else if tail.ends_with(b"LYRICS200") {
            let digits =
                String::from_utf8_lossy(&tail[tail.len().saturating_sub(15)..tail.len() - 9]);
            (
                Tail::Lyrics,
                digits.parse::<u64>().map_or(0, |size| size + 15),
            )
        } else {
            break;
        };
        if length == 0 || length > end - start {
            break;
        }
        tails.push(kind);
        end -= length;
    }
    Ok((tails, end))
}

/// Where the items begin of an APE tag that ends at `end` and declares `size`, and how long the tag is. Whether there is
/// a header, and whether it was counted, is seen where it stands; the flag for it is set by some who write none.
fn ape_items(input: &mut Input, end: u64, size: u64) -> io::Result<(u64, u64)> {
    let declared = end.saturating_sub(size);
    for header in [declared.saturating_sub(APE_HEAD), declared] {
        if input.vec_at(header, 8)? == b"APETAGEX" && header + APE_HEAD < end {
            return Ok((header + APE_HEAD, end - header));
        }
    }
    Ok((declared, size))
}

/// Where the tags at the end of a file begin.
pub(crate) fn audio_end(input: &mut Input, start: u64) -> io::Result<u64> {
    Ok(walk(input, start)?.1)
}

/// Reads what stands at the end; APE before `ID3v1`, which cuts everything at 30 letters.
pub(super) fn read(input: &mut Input, start: u64, raw: &mut Raw) -> io::Result<()> {
    let (mut tails, _) = walk(input, start)?;
    tails.sort_by_key(|tail| *tail == Tail::Id3v1);
    for tail in tails {
        match tail {
            Tail::Ape { items_at, count } => read_ape(input, items_at, count, raw)?,
            Tail::Id3v1 => read_id3v1(input, raw)?,
            Tail::Lyrics => {}
        }
    }
    Ok(())
}

/// Reads the items of an APE tag that begin at `at`.
pub(super) fn read_ape(
    input: &mut Input,
    mut at: u64,
    count: u32,
    raw: &mut Raw,
) -> io::Result<()> {
    raw.begin();
    for _ in 0..count.min(MAX_ITEMS) {
        // A key has up to 255 letters, and its NUL.
        let head = input.vec_at(at, 8 + 256)?;
        let Some(key) = head
            .get(8..)
            .and_then(|rest| rest.split(|byte| *byte == 0).next())
        else {
            break;
        };
        if key.is_empty() || !key.iter().all(|byte| (0x20..0x7f).contains(byte)) {
            break;
        }
        let (size, flags) = (u64::from(word(&head, 0)), word(&head, 4));
        let value_at = at + 8 + key.len() as u64 + 1;
        if value_at + size > input.length {
            raw.mend("an APE item is longer than its file");
            break;
        }
        let is_text = flags & 0b110 == 0;
        if let (true, Some(name)) = (is_text, names::of_key(&String::from_utf8_lossy(key))) {
            let value = input.vec_at(value_at, size.min(MAX_VALUE as u64) as usize)?;
            raw.keep(name, Text::utf8(&value));
        }
        at = value_at + size;
    }
    Ok(())
}

/// Reads the APE tag whose header stands at `at`.
pub(super) fn read_ape_at_front(input: &mut Input, at: u64, raw: &mut Raw) -> io::Result<()> {
    let head = input.vec_at(at, APE_HEAD as usize)?;
    read_ape(input, at + APE_HEAD, word(&head, 16), raw)
}

fn read_id3v1(input: &mut Input, raw: &mut Raw) -> io::Result<()> {
    let tag = input.vec_at(input.length.saturating_sub(ID3V1), ID3V1 as usize)?;
    // Another tag may stand behind this one.
    let Some(tag) = tag.strip_prefix(b"TAG").filter(|tag| tag.len() == 125) else {
        return Ok(());
    };
    raw.begin();
    let mut keep = |name, field: &[u8]| {
        let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
        raw.keep(name, Text::legacy(text.trim_ascii_end()));
    };
    keep(Name::Title, &tag[..30]);
    keep(Name::Artist, &tag[30..60]);
    keep(Name::Album, &tag[60..90]);
    keep(Name::Date, &tag[90..94]);
    if let ([0, track], true) = (&tag[122..124], tag[123] > 0) {
        keep(Name::Track, track.to_string().as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn input(bytes: &[u8]) -> Input {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Input {
            file,
            length: bytes.len() as u64,
        }
    }

    fn ape(items: &[(&str, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (key, value) in items {
            body.extend((value.len() as u32).to_le_bytes());
            body.extend([0; 4]);
            body.extend([key.as_bytes(), b"\0", value.as_bytes()].concat());
        }
        let size = (body.len() as u32 + 32).to_le_bytes();
        let count = (items.len() as u32).to_le_bytes();
        let footer = [
            b"APETAGEX".as_slice(),
            &2000_u32.to_le_bytes(),
            &size,
            &count,
            &[0; 12],
        ]
        .concat();
        [body, footer].concat()
    }

    fn id3v1(title: &str) -> Vec<u8> {
        let mut tag = vec![0; 128];
        tag[..3].copy_from_slice(b"TAG");
        tag[3..3 + title.len()].copy_from_slice(title.as_bytes());
        tag[126] = 7;
        tag
    }

    #[test]
    fn ape_comes_before_id3v1_and_both_are_no_audio() {
        let bytes = [
            b"audio".to_vec(),
            ape(&[("Title", "A long title"), ("artist", "One\0Two")]),
            id3v1("A lo"),
        ]
        .concat();
        let mut file = input(&bytes);
        assert_eq!(audio_end(&mut file, 0).unwrap(), 5);
        let mut raw = Raw::default();
        read(&mut file, 0, &mut raw).unwrap();
        let first = &raw.sources[0].fields;
        assert_eq!(first.len(), 3);
        assert_eq!(
            first[0],
            (Name::Title, Text::Unicode("A long title".to_owned()))
        );
        let second = &raw.sources[1].fields;
        assert_eq!(second[1], (Name::Track, Text::Unicode("7".to_owned())));
    }

    #[test]
    fn a_tag_ends_where_its_footer_stands_whether_or_not_the_header_was_counted() {
        let tag = |size: u32| {
            let mut bytes = ape(&[("Title", "Front")]);
            let at = bytes.len() - 20;
            bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
            let header = bytes[bytes.len() - 32..].to_vec();
            [header, bytes].concat()
        };
        let real = tag(0).len() as u32 - 32;
        for size in [real, real + 32, real + 3, real - 3] {
            let bytes = [tag(size), b"audio".repeat(20)].concat();
            let end = ape_at_front(&mut input(&bytes), 0).unwrap();
            assert_eq!(end, Some(u64::from(real) + 32), "{size} declared");
        }
        for size in [real, real + 32] {
            let bytes = [b"audio".to_vec(), tag(size)].concat();
            let mut file = input(&bytes);
            assert_eq!(audio_end(&mut file, 0).unwrap(), 5, "{size} declared");
            let mut raw = Raw::default();
            read(&mut file, 0, &mut raw).unwrap();
            assert_eq!(raw.sources[0].fields.len(), 1);
        }
    }

    #[test]
    fn a_tag_that_lies_about_its_size_is_left_alone() {
        let mut bytes = ape(&[("Title", "x")]);
        let at = bytes.len() - 20;
        bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut file = input(&bytes);
        assert_eq!(audio_end(&mut file, 0).unwrap(), bytes.len() as u64);
    }
}
