//! A digest of the encoded audio alone, by which a recording is known whatever its tags and its container say.
//!
//! It is the MD5 of the packets that a demultiplexer yields, in order: what `ffmpeg -i FILE -vn -c:a copy -f md5 -`
//! prints. In a bare stream (MP3, AAC, FLAC) and in PCM, packets lie one behind another, so a range of the file is
//! all there is to read: no frame is parsed, nothing is decoded. Ogg and MP4 are taken apart into packets. The packets
//! of a format that is not read here are asked of an installed ffmpeg.
//!
//! MD5 is no protection against forgery, and is none here: it names audio that nobody has an interest to forge, and
//! it is the name that other programs use (Vaino, `FLAC`'s and Essentia's `md5_encoded`).

use std::fmt;
use std::io::Read;
use std::path::Path;

use md5::{Digest, Md5};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatReader;

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

/// The MD5 of a file's encoded audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AudioMd5([u8; 16]);

impl AudioMd5 {
    /// The digest of 32 hexadecimal digits, in either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 16];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl Serialize for AudioMd5 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AudioMd5 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        Self::from_hex(&digits)
            .ok_or_else(|| serde::de::Error::custom("expected 32 hexadecimal digits"))
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for AudioMd5 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Reads the encoded audio of the file at `path` and names it; nothing is decoded.
pub(super) fn audio_md5(path: &Path, ffmpeg: Option<&Ffmpeg>) -> Result<AudioMd5, DecodeError> {
    let (input, start, kind) = open::begin(path)?;
    let digest = own(path, input, start, kind);
    if let (Err(DecodeError::Unsupported(_)), Some(demuxer), Some(ffmpeg)) =
        (&digest, kind.demuxer(), ffmpeg)
        && ffmpeg.version().is_some()
    {
        return ffmpeg.packets_md5(path, Some(demuxer)).map(AudioMd5);
    }
    digest
}

/// The digest of what is taken apart here.
fn own(path: &Path, mut input: Input, start: u64, kind: Kind) -> Result<AudioMd5, DecodeError> {
    flow::guard(|| {
        let mut md5 = Md5::new();
        match kind {
            Kind::Mpeg => {
                let end = extents::audio_end(&mut input, start)?;
                let start = first_audio_frame(&mut input, start, end)?;
                add_range(input, start, end, &mut md5)?;
            }
            Kind::Adts => {
                let end = extents::audio_end(&mut input, start)?;
                add_range(input, start, end, &mut md5)?;
            }
            Kind::Flac => {
                let end = extents::audio_end(&mut input, start)?;
                for plan in flac::streams(&mut input, start, end)? {
                    add_range(Input::open(path)?, plan.start, plan.end, &mut md5)?;
                }
            }
            Kind::Wav => match headers::wav(&mut input, start)? {
                Wav::Pcm(plan) => add_plan(path, &plan, &mut md5)?,
                Wav::Mpeg { start, end } => add_range(input, start, end, &mut md5)?,
            },
            Kind::Aiff => {
                let plan = headers::aiff(&mut input, start)?;
                add_plan(path, &plan, &mut md5)?;
            }
            Kind::Ogg => {
                let end = extents::audio_end(&mut input, start)?;
                add_ogg(
                    Pages::new(View::new(input, Vec::new(), start, end)),
                    &mut md5,
                )?;
            }
            Kind::Mp4 => {
                let (mut reader, track) = open::mp4_packets(input, start)?;
                add_packets(&mut reader, track, &mut md5)?;
            }
            Kind::Foreign(format) => {
                return Err(DecodeError::Unsupported(format!("`{}`", format.name)));
            }
            Kind::Id3 => {
                return Err(DecodeError::Unrecognised(
                    "it holds nothing but tags".to_owned(),
                ));
            }
        }
        Ok(AudioMd5(md5.finalize().into()))
    })
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

/// The ranges of a file's data, whole.
fn add_plan(path: &Path, plan: &Plan, md5: &mut Md5) -> Result<(), DecodeError> {
    add_range(Input::open(path)?, plan.start, plan.data_end, md5)?;
    for (start, end) in &plan.more {
        add_range(Input::open(path)?, *start, *end, md5)?;
    }
    Ok(())
}

fn add_range(input: Input, start: u64, end: u64, md5: &mut Md5) -> Result<(), DecodeError> {
    let mut range = View::new(input, Vec::new(), start, end);
    let mut block = vec![0; BLOCK];
    loop {
        match range.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) => md5.update(&block[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// All packets of the first stream of a codec that is decoded here, and of those chained behind it, but their headers.
fn add_ogg(mut pages: Pages, md5: &mut Md5) -> Result<(), DecodeError> {
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
                Some(is_header) if !is_header(pages.packet()) => md5.update(pages.packet()),
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
    md5: &mut Md5,
) -> Result<(), DecodeError> {
    let mut failures = 0;
    loop {
        match reader.next_packet() {
            Ok(Some(packet)) if packet.track_id == track => md5.update(&packet.data),
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
