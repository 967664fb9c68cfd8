//! A digest of the encoded audio alone, by which a recording is known whatever its tags and its container say.
//!
//! It is the MD5 of the packets that a demultiplexer yields, in order: what `ffmpeg -i FILE -vn -c:a copy -f md5 -`
//! prints. In a bare stream (MP3, AAC, FLAC) and in PCM, packets lie one behind another, so a range of the file is
//! all there is to read: no frame is parsed, nothing is decoded. Ogg and MP4 are taken apart into packets. The packets
//! of a format that is not read here are asked of an installed ffmpeg.
//!
//! MD5 is no protection against forgery, and is none here: it names audio that nobody has an interest to forge, and
//! it is the name that other programs use (Vaino, `FLAC`'s and Essentia's `md5_encoded`). XXH3 of the same bytes costs
//! less than a twentieth of it, and tells whether a sound is one that is known already.

use std::collections::VecDeque;
use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use md5::{Digest, Md5};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatReader;
use twox_hash::xxhash3_128;

use super::ffmpeg::Ffmpeg;
use super::headers::{Plan, Wav};
use super::mpeg::{FrameHeader, find_first_frame};
use super::ogg::{Event, Pages};
use super::packets::is_end;
use super::sniff::Kind;
use super::view::View;
use super::{DecodeError, flac, flow, headers, open};
use crate::extents;
use crate::input::Input;

/// Bytes read at once; larger blocks are not faster (measured with 64 KiB, 256 KiB and 1 MiB on a cached file).
const BLOCK: usize = 256 * 1024;
/// Bytes behind a `Xing` frame in which the first frame of audio is looked for, as in ffmpeg.
const SEARCH: usize = 64 * 1024;
/// Packets in a row that the container reader may fail on before the digest is given up, as in decoding.
const MAX_FAILURES: u32 = 64;

/// A digest of 16 bytes, written as 32 lower-case hexadecimal digits.
macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The digest of 32 hexadecimal digits, in either case.
            pub fn from_hex(text: &str) -> Option<Self> {
                from_hex(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let digits = String::deserialize(deserializer)?;
                Self::from_hex(&digits)
                    .ok_or_else(|| serde::de::Error::custom("expected 32 hexadecimal digits"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
            }
        }
    };
}

digest!(
    /// The MD5 of a file's encoded audio: the name that other programs know it by.
    AudioMd5
);
digest!(
    /// The XXH3 of a file's encoded audio, 128 bits of it: a name that is quickly made.
    AudioXxh3
);

impl AudioXxh3 {
    fn of(bytes: &xxhash3_128::Hasher) -> Self {
        Self(bytes.finish_128().to_be_bytes())
    }
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The names of a file's encoded audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioDigest {
    /// The one that sounds are known by.
    pub md5: AudioMd5,
    /// The one by which a known sound is known again; `None` where a former version made the other.
    pub xxh3: Option<AudioXxh3>,
}

/// What is done with bytes of the encoded audio, in their order.
type Take<'a> = &'a mut dyn FnMut(&[u8]);

/// Reads the encoded audio of the file at `path` once, and makes both names; nothing is decoded.
pub(super) fn audio_digest(
    path: &Path,
    ffmpeg: Option<&Ffmpeg>,
) -> Result<AudioDigest, DecodeError> {
    let (mut md5, mut xxh3) = (Md5::new(), xxhash3_128::Hasher::new());
    packets(path, ffmpeg, &mut |bytes| {
        md5.update(bytes);
        xxh3.write(bytes);
    })?;
    Ok(AudioDigest {
        md5: AudioMd5(md5.finalize().into()),
        xxh3: Some(AudioXxh3::of(&xxh3)),
    })
}

/// The same, but only the name that is quickly made.
pub(super) fn audio_xxh3(path: &Path, ffmpeg: Option<&Ffmpeg>) -> Result<AudioXxh3, DecodeError> {
    let mut xxh3 = xxhash3_128::Hasher::new();
    packets(path, ffmpeg, &mut |bytes| xxh3.write(bytes))?;
    Ok(AudioXxh3::of(&xxh3))
}

/// Hands the encoded audio of the file at `path` to `take`, from the beginning to the end.
fn packets(path: &Path, ffmpeg: Option<&Ffmpeg>, take: Take<'_>) -> Result<(), DecodeError> {
    let (input, start, kind) = open::begin(path)?;
    let read = own(path, input, start, kind, take);
    if let (Err(DecodeError::Unsupported(_)), Some(demuxer), Some(ffmpeg)) =
        (&read, kind.demuxer(), ffmpeg)
        && ffmpeg.version().is_some()
    {
        return ffmpeg.packets(path, Some(demuxer), take);
    }
    read
}

/// The audio of what is taken apart here. What is not is told before `take` had anything of it.
fn own(
    path: &Path,
    mut input: Input,
    start: u64,
    kind: Kind,
    take: Take<'_>,
) -> Result<(), DecodeError> {
    flow::guard(|| {
        if let Some(ranges) = ranges(&mut input, start, kind)? {
            return ranges
                .into_iter()
                .try_for_each(|range| add_range(Input::open(path)?, range, take));
        }
        match kind {
            Kind::Ogg => {
                let end = extents::audio_end(&mut input, start)?;
                add_ogg(Pages::new(View::new(input, Vec::new(), start, end)), take)
            }
            Kind::Mp4 => {
                let (mut reader, track) = open::mp4_packets(input, start)?;
                add_packets(&mut reader, track, take)
            }
            Kind::Foreign(format) => Err(DecodeError::Unsupported(format!("`{}`", format.name))),
            _ => Err(DecodeError::Unrecognised(
                "it holds nothing but tags".to_owned(),
            )),
        }
    })
}

/// Where the encoded audio lies, one packet behind another; `None` where it has to be taken out of a container.
fn ranges(
    input: &mut Input,
    start: u64,
    kind: Kind,
) -> Result<Option<Vec<Range<u64>>>, DecodeError> {
    Ok(Some(match kind {
        Kind::Mpeg => {
            let end = extents::audio_end(input, start)?;
            alone(first_audio_frame(input, start, end)?..end)
        }
        Kind::Adts => alone(start..extents::audio_end(input, start)?),
        Kind::Flac => {
            let end = extents::audio_end(input, start)?;
            let streams = flac::streams(input, start, end)?;
            streams.iter().map(|plan| plan.start..plan.end).collect()
        }
        Kind::Wav => match headers::wav(input, start)? {
            Wav::Pcm(plan) => data(&plan),
            Wav::Mpeg { start, end } => alone(start..end),
        },
        Kind::Aiff => data(&headers::aiff(input, start)?),
        Kind::Ogg | Kind::Mp4 | Kind::Foreign(_) | Kind::Id3 => return Ok(None),
    }))
}

/// Makes the quick name of a sound of a file's bytes, while they are read for something else: where its packets lie one
/// behind another, the file need not be read for them again.
pub struct BytesOfSound {
    ranges: VecDeque<Range<u64>>,
    /// Bytes that came already.
    at: u64,
    xxh3: xxhash3_128::Hasher,
}

impl fmt::Debug for BytesOfSound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BytesOfSound")
            .field("ranges", &self.ranges)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl BytesOfSound {
    /// Looks at the headers of the file at `path`; `None` where its audio has to be taken out of a container, or none
    /// is found.
    pub fn of(path: &Path) -> Option<Self> {
        let ranges = flow::guard(|| {
            let (mut input, start, kind) = open::begin(path)?;
            ranges(&mut input, start, kind)
        });
        let ranges = ranges.ok().flatten()?;
        ranges
            .is_sorted_by(|one, next| one.end <= next.start)
            .then(|| Self {
                ranges: ranges.into(),
                at: 0,
                xxh3: xxhash3_128::Hasher::new(),
            })
    }

    /// Takes the next bytes of the file, all of them from its beginning to its end.
    pub fn update(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len() as u64;
        while let Some(range) = self.ranges.front().filter(|range| range.start < end) {
            let from = range.start.max(self.at) - self.at;
            let to = range.end.min(end) - self.at;
            self.xxh3
                .write(bytes.get(from as usize..to as usize).unwrap_or_default());
            if range.end > end {
                break;
            }
            self.ranges.pop_front();
        }
        self.at = end;
    }

    /// The name, when the whole file was given.
    pub fn finish(self) -> AudioXxh3 {
        AudioXxh3::of(&self.xxh3)
    }
}

/// Where the first frame of audio begins: behind a `Xing`, `Info` or `VBRI` frame that says how long the stream is.
fn first_audio_frame(input: &mut Input, start: u64, end: u64) -> Result<u64, DecodeError> {
    let first = input.vec_at(start, 4096)?;
    let Some(header) = FrameHeader::at(&first).filter(|header| header.describes_stream(&first))
    else {
        return Ok(start);
    };
    let behind = start + header.length as u64;
    let search = input.vec_at(behind, SEARCH)?;
    let is_all = behind + search.len() as u64 >= end;
    let junk = find_first_frame(&search, is_all).unwrap_or(0);
    Ok(behind + junk as u64)
}

fn alone(range: Range<u64>) -> Vec<Range<u64>> {
    std::iter::once(range).collect()
}

/// The ranges of a file's data, whole.
fn data(plan: &Plan) -> Vec<Range<u64>> {
    let more = plan.more.iter().map(|(start, end)| *start..*end);
    std::iter::once(plan.start..plan.data_end)
        .chain(more)
        .collect()
}

fn add_range(input: Input, range: Range<u64>, take: Take<'_>) -> Result<(), DecodeError> {
    let mut range = View::new(input, Vec::new(), range.start, range.end);
    let mut block = vec![0; BLOCK];
    loop {
        match range.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) => take(&block[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// All packets of the first stream of a codec that is decoded here, and of those chained behind it, but their headers.
fn add_ogg(mut pages: Pages, take: Take<'_>) -> Result<(), DecodeError> {
    let mut is_header: Option<fn(&[u8]) -> bool> = None;
    loop {
        match pages.next()? {
            Event::End => break,
            Event::Damaged(_) => {}
            Event::Packet(info) if info.begins => {
                let test = match pages.packet() {
                    [0x01, b'v', b'o', b'r', b'b', b'i', b's', ..] => is_vorbis_header,
                    [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', ..] => is_opus_header,
                    [0x7f, b'F', b'L', b'A', b'C', ..] => is_flac_header,
                    _ => continue,
                };
                pages.serial = Some(info.serial);
                is_header = Some(test);
            }
            Event::Packet(_) => match is_header {
                Some(is_header) if !is_header(pages.packet()) => take(pages.packet()),
                _ => {}
            },
        }
    }
    match is_header {
        Some(_) => Ok(()),
        None => Err(DecodeError::Unsupported(
            "Ogg without Vorbis, Opus or FLAC is not supported".to_owned(),
        )),
    }
}

fn is_vorbis_header(packet: &[u8]) -> bool {
    packet.first().is_some_and(|kind| kind & 1 == 1)
}

fn is_opus_header(packet: &[u8]) -> bool {
    packet.starts_with(b"OpusTags") || packet.starts_with(b"OpusHead")
}

fn is_flac_header(packet: &[u8]) -> bool {
    packet.first() != Some(&0xff)
}

fn add_packets(
    reader: &mut dyn FormatReader,
    track: u32,
    take: Take<'_>,
) -> Result<(), DecodeError> {
    let mut failures = 0;
    loop {
        match reader.next_packet() {
            Ok(Some(packet)) if packet.track_id == track => take(&packet.data),
            Ok(Some(_)) => {}
            Ok(None) | Err(Error::ResetRequired) => return Ok(()),
            Err(Error::IoError(error)) if is_end(&error) => return Ok(()),
            Err(Error::IoError(error)) => return Err(DecodeError::Io(error)),
            Err(error) => {
                failures += 1;
                if failures >= MAX_FAILURES {
                    return Err(DecodeError::Malformed(error.to_string()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let text = "0123456789abcdef0123456789abcdef";
        let digest = AudioMd5::from_hex(text).unwrap();
        assert_eq!(digest.to_string(), text);
        assert_eq!(AudioMd5::from_hex(&text.to_uppercase()), Some(digest));
        for wrong in [
            "",
            "0123",
            "0123456789abcdef0123456789abcdeg",
            "+123456789abcdef0123456789abcdef",
            &text.repeat(2),
        ] {
            assert_eq!(AudioMd5::from_hex(wrong), None, "{wrong}");
        }
    }
}
