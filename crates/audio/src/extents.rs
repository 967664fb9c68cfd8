//! Where the tags at both ends of a file lie, whatever its format, without reading them: `ID3v2` and APE in front;
//! APE, `ID3v2` with a footer, Lyrics3 and `ID3v1` at the end.
//!
//! Layouts: <https://id3.org/id3v2.4.0-structure>, <https://wiki.hydrogenaudio.org/index.php?title=APEv2_specification>,
//! <https://id3.org/ID3v1>, <https://id3.org/Lyrics3v2>.

use std::io;

use crate::input::Input;

/// Tags that stand one behind another at either end; two are common.
const MAX_TAGS: usize = 16;

/// Bytes of an APE header or footer, and of an `ID3v1` tag.
pub(crate) const APE_HEAD: u64 = 32;
pub(crate) const ID3V1: u64 = 128;

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
    let footer = memchr::memmem::find(&around, b"APETAGEX");
    Ok(Some(footer.map_or(declared, |footer| {
        near + footer as u64 + APE_HEAD - at
    })))
}

pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |four| {
        u32::from_le_bytes(four.try_into().expect("the slice is four bytes"))
    })
}

/// A tag at the end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    Id3v1,
    /// Items begin here, and there are so many.
    Ape {
        items_at: u64,
        count: u32,
    },
    Lyrics,
    /// One of version 2.4 with a footer begins here.
    Id3v2 {
        at: u64,
    },
}

/// The tags between `start` and the end of the file, the last one first; and where the audio ends.
pub(crate) fn walk(input: &mut Input, start: u64) -> io::Result<(Vec<Tail>, u64)> {
    let (mut tails, mut end) = (Vec::new(), input.length);
    for _ in 0..MAX_TAGS {
        let at = end.saturating_sub(ID3V1).max(start);
        let tail = input.vec_at(at, (end - at) as usize)?;
        let ape = tail
            .len()
            .checked_sub(APE_HEAD as usize)
            .and_then(|at| tail.get(at..));
        // An APE tag of 131 bytes has its `APETAGEX` where ID3v1 has its `TAG`.
        let (kind, length) =
            if let Some(footer) = ape.filter(|footer| footer.starts_with(b"APETAGEX")) {
                let size = u64::from(word(footer, 12));
                let count = word(footer, 16);
                let (items_at, length) = ape_items(input, end, size)?;
                (Tail::Ape { items_at, count }, length)
            } else if tail.len() as u64 == ID3V1 && tail.starts_with(b"TAG") {
                (Tail::Id3v1, ID3V1)
            } else if tail.ends_with(b"LYRICS200") {
                let digits =
                    String::from_utf8_lossy(&tail[tail.len().saturating_sub(15)..tail.len() - 9]);
                (
                    Tail::Lyrics,
                    digits.parse::<u64>().map_or(0, |size| size + 15),
                )
            } else if let Some(at) = id3v2_start_before(input, end)? {
                (Tail::Id3v2 { at }, end - at)
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

/// Zeros that are counted at the end of a stream; a disk that was full leaves as many as a download reserved.
const MOST_ZEROS: u64 = 64 << 20;

/// How many bytes before `end`, down to `start`, are nothing but zeros.
pub(crate) fn zeros_before(input: &mut Input, start: u64, end: u64) -> io::Result<u64> {
    const WINDOW: u64 = 64 << 10;
    let mut zeros = 0;
    while zeros < MOST_ZEROS && end - zeros > start {
        let length = WINDOW.min(end - zeros - start);
        let window = input.vec_at(end - zeros - length, length as usize)?;
        let count = window.iter().rev().take_while(|byte| **byte == 0).count() as u64;
        zeros += count;
        if count < length {
            break;
        }
    }
    Ok(zeros)
}

/// Bytes at the end of a file in which chunks are looked for behind audio of unknown length. The largest of them is a tag
/// with pictures, which rarely has more than 10 MB.
const BEHIND: u64 = 16 << 20;

/// Names of the chunks that recorders and taggers write behind the audio of WAV and AIFF files.
const NAMES_BEHIND: [&[u8; 4]; 22] = [
    b"LIST", b"list", b"id3 ", b"ID3 ", b"Id3 ", b"bext", b"iXML", b"_PMX", b"cue ", b"smpl",
    b"inst", b"fact", b"PEAK", b"JUNK", b"junk", b"PAD ", b"NAME", b"AUTH", b"(c) ", b"ANNO",
    b"MARK", b"COMT",
];

/// What recorders write that do not know a length is near 2 or 4 GB: ffmpeg all ones, sox `0x7f000000` and its headers.
pub(crate) const PLACEHOLDER: u64 = 0x7eff_0000;

/// Whether a recorder did not know how long its audio becomes: an empty chunk of samples, or one that goes far beyond
/// the file that it begins in at `body`.
pub(crate) fn is_open_ended(input: &Input, body: u64, length: u64) -> bool {
    // A smaller length beyond the end of the file tells of a file that was cut.
    length == 0 || (length >= PLACEHOLDER && body.saturating_add(length) > input.length)
}

/// Where audio ends whose length is not known and that begins at `body`: at the chunks behind it, or else at the tags
/// at the end of the file.
///
/// Samples may spell a name, too, so sizes must lead from one known name to the next, and from the last to the end.
pub(crate) fn open_end(input: &mut Input, body: u64, size: fn([u8; 4]) -> u32) -> io::Result<u64> {
    let end = audio_end(input, body)?;
    let from = end.saturating_sub(BEHIND).max(body);
    let tail = input.vec_at(from, (end.saturating_sub(from)) as usize)?;
    let begins = |at: &usize| leads_to_end(&tail[*at..], size);
    let first = (0..tail.len().saturating_sub(8)).find(begins);
    Ok(first.map_or(end, |at| from + at as u64))
}

/// Whether chunks of known names fill `bytes` to the end.
fn leads_to_end(mut bytes: &[u8], size: fn([u8; 4]) -> u32) -> bool {
    for _ in 0..NAMES_BEHIND.len() {
        let Some((name, rest)) = bytes.split_first_chunk::<4>() else {
            return false;
        };
        if !NAMES_BEHIND.contains(&name) {
            return is_whole_id3v2(bytes);
        }
        let Some((length, rest)) = rest.split_first_chunk::<4>() else {
            return false;
        };
        let length = size(*length) as usize;
        match rest.get(length..) {
            None => return false,
            // The byte that pads an odd length is left out by some.
            Some([] | [0]) => return true,
            Some(behind) => bytes = &behind[length % 2..],
        }
    }
    false
}

/// Whether `bytes` are one `ID3v2` tag, which some append to a WAV as they do to an MP3.
fn is_whole_id3v2(bytes: &[u8]) -> bool {
    match bytes {
        [b'I', b'D', b'3', 2..=4, _, _, sizes @ ..] if sizes.len() >= 4 => {
            bytes.len() == 10 + synchsafe(sizes) as usize
        }
        _ => false,
    }
}

/// Where the `ID3v2` tag that begins at `at` ends, if one does.
pub(crate) fn id3v2_end(input: &mut Input, at: u64) -> io::Result<Option<u64>> {
    let head = input.vec_at(at, 10)?;
    let [b'I', b'D', b'3', major, minor, flags, sizes @ ..] = head.as_slice() else {
        return Ok(None);
    };
    if sizes.len() < 4 || *major == 0xff || *minor == 0xff {
        return Ok(None);
    }
    let footer = if flags & 0x10 != 0 && *major >= 4 {
        10
    } else {
        0
    };
    // With high bits it is no synchsafe number, but one of the writers that do not know these.
    let is_plain = sizes.iter().any(|byte| byte & 0x80 != 0);
    let size = if is_plain {
        u32::from_be_bytes([sizes[0], sizes[1], sizes[2], sizes[3]])
    } else {
        synchsafe(sizes)
    };
    Ok(Some(at + 10 + u64::from(size) + footer))
}

/// Where the `ID3v2` tag begins whose footer ends at `end`, if one does.
fn id3v2_start_before(input: &mut Input, end: u64) -> io::Result<Option<u64>> {
    let Some(at) = end.checked_sub(10) else {
        return Ok(None);
    };
    let footer = input.vec_at(at, 10)?;
    let [b'3', b'D', b'I', _, _, _, sizes @ ..] = footer.as_slice() else {
        return Ok(None);
    };
    let start = at.checked_sub(10 + u64::from(synchsafe(sizes)));
    match start {
        Some(start) if input.vec_at(start, 3)? == b"ID3" => Ok(Some(start)),
        _ => Ok(None),
    }
}

/// Four bytes of seven bits each; the eighth bits are ignored.
pub(crate) fn synchsafe(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .take(4)
        .fold(0, |size, byte| (size << 7) | u32::from(byte & 0x7f))
}
