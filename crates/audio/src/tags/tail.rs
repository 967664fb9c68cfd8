//! Tags at the end of a file, whatever its format: APE (which may stand at the front as well), `ID3v2` with a footer,
//! Lyrics3, which is passed over, and `ID3v1`.
//!
//! Layouts: <https://wiki.hydrogenaudio.org/index.php?title=APEv2_specification>,
//! <https://id3.org/ID3v1>, <https://id3.org/Lyrics3v2>.

use std::io;

use super::id3v2;
use super::names::{self, Name};
use super::raw::{MAX_VALUE, Raw};
use super::text::Text;
use crate::extents::{APE_HEAD, ID3V1, Tail, walk, word};
use crate::input::Input;

/// Items of one APE tag; the specification's own limit.
const MAX_ITEMS: u32 = 65_536;

/// Reads what stands at the end; APE before `ID3v1`, which cuts everything at 30 letters.
pub(super) fn read(input: &mut Input, start: u64, raw: &mut Raw) -> io::Result<()> {
    let (mut tails, _) = walk(input, start)?;
    tails.sort_by_key(|tail| *tail == Tail::Id3v1);
    for tail in tails {
        match tail {
            Tail::Ape { items_at, count } => read_ape(input, items_at, count, raw)?,
            Tail::Id3v1 => read_id3v1(input, raw)?,
            Tail::Lyrics => {}
            Tail::Id3v2 { at } => {
                id3v2::read(input, at, raw)?;
            }
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
    let is_ape = tag
        .get(96..)
        .is_some_and(|end| end.starts_with(b"APETAGEX"));
    let tag = tag
        .strip_prefix(b"TAG")
        .filter(|tag| tag.len() == 125 && !is_ape);
    let Some(tag) = tag else {
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
    use super::*;
    use crate::extents::{ape_at_front, audio_end};

    fn input(bytes: &[u8]) -> Input {
        Input::holding(bytes)
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

    /// `APETAGEX` of its head stands where a tag of version 1 has its `TAG`.
    #[test]
    fn an_ape_tag_of_131_bytes_is_no_id3v1() {
        let title = "A title of fifty-three letters, as long as it must be";
        let mut tag = ape(&[("Title", title)]);
        let head = tag[tag.len() - 32..].to_vec();
        tag.splice(..0, head);
        assert_eq!((title.len(), tag.len()), (53, 131));
        let mut input = input(&[b"audio".as_slice(), &tag].concat());
        let mut raw = Raw::default();
        read_id3v1(&mut input, &mut raw).unwrap();
        assert_eq!(format!("{raw:?}"), format!("{:?}", Raw::default()));
        let (tails, end) = crate::extents::walk(&mut input, 0).unwrap();
        assert_eq!((tails.len(), end), (1, 5));
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
    fn a_tag_of_id3v2_with_a_footer_at_the_end_is_read_and_no_audio() {
        let tag = b"\x04\0\x10\0\0\0\x10TIT2\0\0\0\x06\0\0\x03Title";
        let bytes = [&b"audioID3"[..], tag, b"3DI", &tag[..7]].concat();
        let mut file = input(&bytes);
        assert_eq!(audio_end(&mut file, 0).unwrap(), 5);
        let mut raw = Raw::default();
        read(&mut file, 0, &mut raw).unwrap();
        let title = (Name::Title, Text::Unicode("Title".to_owned()));
        assert_eq!(raw.sources[0].fields, [title]);
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
