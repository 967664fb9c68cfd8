//! Recognises a file and builds the source that decodes it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known as codec_ids;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::errors::{Error, Result as SymphoniaResult};
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::default::formats::{
    AdtsReader, AiffReader, FlacReader, IsoMp4Reader, MpaReader, WavReader,
};

use super::flow::{Source, check};
use super::headers::{self, Plan};
use super::mpeg::{FrameHeader, find_first_frame};
use super::ogg::Pages;
use super::packets::{Packets, Trim, is_end, make_decoder};
use super::sniff::{self, Kind};
use super::view::{Input, View};
use super::xiph::Ogg;
use super::{Codec, Container, DecodeError, StreamInfo, aac, mp4};

/// How far into a file the first MPEG frame is looked for, in bytes.
const SEARCH: usize = 1 << 20;
/// Tags that stand one behind another, at either end; two are common.
const MAX_TAGS: usize = 16;

type Opened = (Box<dyn Source>, StreamInfo);

/// Opens a file by its content.
pub(super) fn open(path: &Path) -> Result<Opened, DecodeError> {
    let meta = fs::metadata(path)?;
    if meta.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    if !meta.is_file() {
        return Err(DecodeError::Unrecognised(
            "it is not a regular file".to_owned(),
        ));
    }
    let mut input = Input {
        file: File::open(path)?,
        length: meta.len(),
    };
    if input.length == 0 {
        return Err(DecodeError::Unrecognised("it is empty".to_owned()));
    }
    let (start, kind) = recognise(&mut input)?;
    let (source, info) = match kind {
        Kind::Mpeg => mpeg(input, start)?,
        Kind::Adts => adts(input, start)?,
        Kind::Flac => {
            planned(&mut input, start, Container::Flac)?.open(input, FlacReader::try_new)?
        }
        Kind::Wav => planned(&mut input, start, Container::Wav)?.open(input, WavReader::try_new)?,
        Kind::Aiff => {
            planned(&mut input, start, Container::Aiff)?.open(input, AiffReader::try_new)?
        }
        Kind::Mp4 => mp4_file(input, start)?,
        Kind::Ogg => ogg(input, start)?,
        Kind::Id3 => {
            return Err(DecodeError::Unrecognised(
                "it holds nothing but tags".to_owned(),
            ));
        }
    };
    check(&info)?;
    Ok((source, info))
}

/// Finds out where the audio begins, and of which kind it is.
fn recognise(input: &mut Input) -> Result<(u64, Kind), DecodeError> {
    let start = skip_tags(input, 0)?;
    let head = input.vec_at(start, 64)?;
    let kind = sniff::sniff(&head);
    match (kind, sniff::sniff_unsupported(&head)) {
        (Some(Kind::Mpeg), _) | (None, None) => {}
        (Some(kind), _) => return Ok((start, kind)),
        (None, Some(name)) => {
            let text = format!("`{name}` files are not supported");
            return Err(DecodeError::Unsupported(text));
        }
    }
    // Zeros may stand before anything, even tags, and junk of any kind before MPEG frames.
    let search = input.vec_at(start, SEARCH)?;
    let zeros = search.iter().take_while(|byte| **byte == 0).count();
    let start = skip_tags(input, start + zeros as u64)?;
    match sniff::sniff(&input.vec_at(start, 64)?) {
        Some(Kind::Mpeg) | None => {}
        Some(kind) => return Ok((start, kind)),
    }
    let search = input.vec_at(start, SEARCH)?;
    let is_all = start + search.len() as u64 == input.length;
    match find_first_frame(&search, is_all) {
        Some(offset) => Ok((start + offset as u64, Kind::Mpeg)),
        None => Err(DecodeError::Unrecognised(
            "expected MP3, FLAC, Ogg, M4A, AAC, WAV or AIFF at its beginning".to_owned(),
        )),
    }
}

/// Where the `ID3v2` tags end that begin at `start`.
fn skip_tags(input: &mut Input, mut start: u64) -> io::Result<u64> {
    for _ in 0..MAX_TAGS {
        match id3v2_length(&input.vec_at(start, 10)?) {
            Some(length) => start += length,
            None => break,
        }
    }
    Ok(start)
}

/// The length of the `ID3v2` tag that begins here, with header and footer, in bytes.
fn id3v2_length(head: &[u8]) -> Option<u64> {
    match head {
        [b'I', b'D', b'3', _, _, flags, sizes @ ..] if sizes.len() == 4 => {
            let size = sizes
                .iter()
                .fold(0, |size, byte| (size << 7) | u64::from(byte & 0x7f));
            Some(10 + size + if flags & 0x10 == 0 { 0 } else { 10 })
        }
        _ => None,
    }
}

/// Where the tags at the end of a file begin.
fn audio_end(input: &mut Input, start: u64) -> io::Result<u64> {
    let mut end = input.length;
    for _ in 0..MAX_TAGS {
        let tail_at = end.saturating_sub(128).max(start);
        let tail = input.vec_at(tail_at, (end - tail_at) as usize)?;
        let ape = tail.len().checked_sub(32).and_then(|at| tail.get(at..));
        let length = if tail.len() == 128 && tail.starts_with(b"TAG") {
            128
        } else if let Some(footer) = ape.filter(|footer| footer.starts_with(b"APETAGEX")) {
            let size = u32::from_le_bytes(footer[12..16].try_into().expect("four bytes"));
            let has_header = footer[23] & 0x80 != 0;
            u64::from(size) + if has_header { 32 } else { 0 }
        } else if tail.ends_with(b"LYRICS200") {
            let digits =
                String::from_utf8_lossy(&tail[tail.len().saturating_sub(15)..tail.len() - 9]);
            digits.parse::<u64>().map_or(0, |size| size + 15)
        } else {
            0
        };
        if length == 0 || length > end - start {
            break;
        }
        end -= length;
    }
    Ok(end)
}

fn library(error: Error) -> DecodeError {
    match error {
        Error::IoError(error) if is_end(&error) => {
            DecodeError::NoAudio("the file ends within its headers".to_owned())
        }
        Error::IoError(error) => DecodeError::Io(error),
        Error::Unsupported(text) => DecodeError::Unsupported(format!("`{text}`")),
        other => DecodeError::Malformed(other.to_string()),
    }
}

/// The first audio track, with its parameters.
fn audio(reader: &dyn FormatReader) -> Result<(u32, AudioCodecParameters), DecodeError> {
    let track = reader.first_track(TrackType::Audio);
    match track.and_then(|track| Some((track.id, track.codec_params.as_ref()?))) {
        Some((id, CodecParameters::Audio(params))) => Ok((id, params.clone())),
        _ => Err(DecodeError::NoAudio(
            "the file has no audio track".to_owned(),
        )),
    }
}

fn codec(id: AudioCodecId) -> Codec {
    match id {
        codec_ids::CODEC_ID_MP2 => Codec::Mp2,
        codec_ids::CODEC_ID_MP3 => Codec::Mp3,
        codec_ids::CODEC_ID_AAC => Codec::Aac,
        codec_ids::CODEC_ID_ALAC => Codec::Alac,
        codec_ids::CODEC_ID_FLAC => Codec::Flac,
        _ => Codec::Pcm,
    }
}

/// What the container says; the first audio may correct rate and channels.
fn describe(
    container: Container,
    params: &AudioCodecParameters,
    expected_frames: Option<u64>,
) -> StreamInfo {
    StreamInfo {
        container,
        codec: codec(params.codec),
        sample_rate: params.sample_rate.unwrap_or(0),
        channels: params
            .channels
            .as_ref()
            .map_or(0, |channels| channels.count() as u16),
        expected_frames,
        integer_bits: None,
    }
}

fn mpeg(mut input: Input, start: u64) -> Result<Opened, DecodeError> {
    let end = audio_end(&mut input, start)?;
    let first = input.vec_at(start, 4096)?;
    let header = FrameHeader::at(&first).ok_or_else(|| {
        DecodeError::Malformed("the first MPEG frame vanished while the file was read".to_owned())
    })?;
    let has_count = header.declares_length(&first);
    let reader = MpaReader::try_new(
        View::new(input, Vec::new(), start, end).into_stream(),
        FormatOptions::default(),
    )
    .map_err(library)?;
    let (id, params) = audio(&reader)?;
    let track = &reader.tracks()[0];
    let delay = u64::from(track.delay.unwrap_or(0));
    let padding = u64::from(track.padding.unwrap_or(0));
    // Without a declared length, Symphonia estimates one from the bit rate, which is not to be used.
    let declared = track.num_frames.filter(|_| has_count);
    let trim = match declared {
        Some(frames) => {
            let padding_from = delay.saturating_add(frames);
            Trim {
                delay,
                padding_from,
                padding_to: padding_from.saturating_add(padding),
            }
        }
        None => Trim {
            delay,
            ..Trim::NONE
        },
    };
    let info = describe(Container::Mpeg, &params, declared);
    let decoder = make_decoder(&params)?;
    let skipped = if has_count { header.length as u64 } else { 0 };
    let packets = Packets::new(Box::new(reader), decoder, id, trim)
        .with_junk_count((end - start).saturating_sub(skipped));
    Ok((Box::new(packets), info))
}

fn adts(mut input: Input, start: u64) -> Result<Opened, DecodeError> {
    let end = audio_end(&mut input, start)?;
    let stream = View::new(input, Vec::new(), start, end).into_stream();
    let reader = AdtsReader::try_new(stream, FormatOptions::default()).map_err(library)?;
    let (id, params) = audio(&reader)?;
    let info = describe(Container::Adts, &params, None);
    let decoder = make_decoder(&params)?;
    Ok((
        Box::new(Packets::new(Box::new(reader), decoder, id, Trim::NONE)),
        info,
    ))
}

struct Planned {
    plan: Plan,
    container: Container,
}

fn planned(input: &mut Input, start: u64, container: Container) -> Result<Planned, DecodeError> {
    let mut plan = match container {
        Container::Wav => headers::wav(input, start),
        Container::Aiff => headers::aiff(input, start),
        _ => headers::flac(input, start),
    }?;
    if container == Container::Flac {
        plan.end = audio_end(input, plan.start)?;
    }
    Ok(Planned { plan, container })
}

impl Planned {
    fn open<R: FormatReader + 'static>(
        self,
        input: Input,
        reader: fn(
            symphonia::core::io::MediaSourceStream<'static>,
            FormatOptions,
        ) -> SymphoniaResult<R>,
    ) -> Result<Opened, DecodeError> {
        let Plan {
            header,
            start,
            end,
            declared,
            bits,
        } = self.plan;
        let stream = View::new(input, header, start, end).into_stream();
        let reader = reader(stream, FormatOptions::default()).map_err(library)?;
        let (id, params) = audio(&reader)?;
        let info = describe(self.container, &params, declared);
        check(&info)?;
        let decoder = make_decoder(&params)?;
        let mut packets = Packets::new(Box::new(reader), decoder, id, Trim::NONE);
        if self.container == Container::Flac {
            packets = packets.with_gap_count();
        }
        Ok((
            Box::new(packets),
            StreamInfo {
                integer_bits: bits,
                ..info
            },
        ))
    }
}

fn mp4_file(mut input: Input, start: u64) -> Result<Opened, DecodeError> {
    let movie = mp4::walk(&mut input, start)?;
    match &movie.entry {
        b"drms" | b"enca" | b"p608" => {
            return Err(DecodeError::Protected(
                "the track is encrypted (DRM)".to_owned(),
            ));
        }
        b"mp4a" => aac::check(&movie.config)?,
        b"alac" | b"fLaC" | b".mp3" | b"lpcm" | b"sowt" | b"twos" | b"in24" | b"in32" | b"fl32" => {
        }
        other => {
            return Err(DecodeError::Unsupported(format!(
                "MP4 with `{}` is not supported, expected AAC or ALAC",
                String::from_utf8_lossy(other).trim()
            )));
        }
    }
    let shifted = |(at, bytes): &(u64, [u8; 4])| (at - start, *bytes);
    let patches = movie.patches.iter().map(shifted).collect();
    let end = input.length;
    let view = View::new(input, Vec::new(), start, end).with_patches(patches);
    let reader = symphonia_mp4(view)?;
    let (id, params) = audio(&reader)?;
    let (trim, expected) = movie.trim(params.sample_rate.unwrap_or(0));
    let info = describe(Container::Mp4, &params, expected);
    let decoder = make_decoder(&params)?;
    let bits = decoder
        .codec_params()
        .bits_per_sample
        .filter(|_| info.codec != Codec::Aac);
    let packets = Packets::new(Box::new(reader), decoder, id, trim);
    Ok((
        Box::new(packets),
        StreamInfo {
            integer_bits: bits.map(|bits| bits as u8),
            ..info
        },
    ))
}

fn symphonia_mp4(view: View) -> Result<IsoMp4Reader<'static>, DecodeError> {
    use symphonia::core::io::ReadBytes;
    let mut stream = view.into_stream();
    // The reader expects what a probe leaves: the stream four bytes on, at the type of the first box.
    stream.ignore_bytes(4).map_err(DecodeError::Io)?;
    IsoMp4Reader::try_new(stream, FormatOptions::default()).map_err(library)
}

fn ogg(mut input: Input, start: u64) -> Result<Opened, DecodeError> {
    let end = audio_end(&mut input, start)?;
    let (source, link) = Ogg::open(Pages::new(View::new(input, Vec::new(), start, end)))?;
    let info = StreamInfo {
        container: Container::Ogg,
        codec: link.codec,
        sample_rate: link.sample_rate,
        channels: link.channels,
        expected_frames: link.declared,
        integer_bits: link.bits,
    };
    Ok((Box::new(source), info))
}
