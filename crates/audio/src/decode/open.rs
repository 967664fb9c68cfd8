//! Builds the source that decodes a file, by what recognition found in it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known as codec_ids;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::errors::{Error, Result as SymphoniaResult};
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::default::formats::{AiffReader, FlacReader, IsoMp4Reader, MpaReader, WavReader};

use super::ffmpeg::Ffmpeg;
use super::flow::{Source, Step, check};
use super::headers::{self, Plan, Wav};
use super::mpeg::FrameHeader;
use super::ogg::Pages;
use super::packets::{Packets, Trim, is_end, make_decoder};
use super::sniff::Kind;
use super::view::View;
use super::xiph::Ogg;
use super::{
    Codec, Container, DecodeError, StreamInfo, aac, adts, compressed, flac, mp4, recognise,
};
use crate::extents;
use crate::input::Input;

type Opened = (Box<dyn Source>, StreamInfo);

/// Frames (samples per channel) that every decoder of layer 3 comes late: 528 of the filter bank and 1, as LAME counts.
const DECODER_DELAY: u32 = 529;

/// Bytes by which a stream may differ from what was declared and still be that stream: tags of unknown kinds.
const OTHER_BYTES: u64 = 2048;

/// A file that was opened, and who decodes it.
pub(super) struct Open {
    pub source: Box<dyn Source>,
    pub info: StreamInfo,
    /// The program that decodes it, where it is not this one.
    pub decoder: Option<String>,
}

/// Looks at a file: where its audio begins, and of which kind it is.
pub(super) fn begin(path: &Path) -> Result<(Input, u64, Kind), DecodeError> {
    let mut input = Input::open(path)?;
    let (start, kind) = recognise::recognise(&mut input)?;
    Ok((input, start, kind))
}

/// Opens a file by its content.
pub(super) fn open(path: &Path, ffmpeg: Option<&Ffmpeg>) -> Result<Open, DecodeError> {
    let (input, start, kind) = begin(path)?;
    let demuxer = kind.demuxer();
    let opened = own(path, input, start, kind).and_then(|(source, info)| {
        check(&info)?;
        listened(source, info, kind)
    });
    let installed = || installed(ffmpeg);
    match opened {
        Ok((source, info)) => {
            if may_be_half_of_it(&info)
                && let Some(ffmpeg) = installed()
                && ffmpeg.probe(path, demuxer)?.sample_rate() > info.sample_rate
            {
                return by_ffmpeg(path, kind, ffmpeg);
            }
            Ok(Open {
                source,
                info,
                decoder: None,
            })
        }
        Err(DecodeError::Unsupported(what)) if demuxer.is_some() => match installed() {
            Some(ffmpeg) => by_ffmpeg(path, kind, ffmpeg).map_err(|error| match (error, kind) {
                (DecodeError::Malformed(_), _) if demuxer == Some("libopenmpt") => {
                    DecodeError::Unsupported(format!("{what} (by this ffmpeg)"))
                }
                (error @ DecodeError::Io(_), _) | (error, Kind::Foreign(_)) => error,
                // What was found here says more than that ffmpeg could not help.
                _ => DecodeError::Unsupported(what),
            }),
            None if ffmpeg.is_some() => Err(DecodeError::NeedsFfmpeg(what)),
            None => Err(DecodeError::Unsupported(what)),
        },
        Err(error) => Err(error),
    }
}

/// See [`Decoders::stated_seconds`](super::Decoders::stated_seconds).
pub(super) fn stated_seconds(path: &Path) -> Result<Option<f64>, DecodeError> {
    let (input, start, kind) = begin(path)?;
    if !matches!(kind, Kind::Mp4 | Kind::Mpeg) {
        return Ok(None);
    }
    let (_, info) = own(path, input, start, kind)?;
    let seconds = |frames: u64| frames as f64 / f64::from(info.sample_rate.max(1));
    Ok(info.expected_frames.map(seconds))
}

fn installed(ffmpeg: Option<&Ffmpeg>) -> Option<&Ffmpeg> {
    ffmpeg.filter(|ffmpeg| ffmpeg.version().is_some())
}

/// Opens for ffmpeg a file at which the decoder here broke down with `fault`.
pub(super) fn instead(
    path: &Path,
    ffmpeg: Option<&Ffmpeg>,
    fault: &str,
) -> Result<Open, DecodeError> {
    let (_, _, kind) = begin(path)?;
    match (kind.demuxer(), installed(ffmpeg)) {
        (Some(_), Some(ffmpeg)) => by_ffmpeg(path, kind, ffmpeg),
        (Some(_), None) if ffmpeg.is_some() => Err(DecodeError::NeedsFfmpeg(format!(
            "{} audio of a kind at which the decoder built in fails ({fault})",
            kind.name()
        ))),
        _ => Err(DecodeError::Library(fault.to_owned())),
    }
}

fn by_ffmpeg(path: &Path, kind: Kind, ffmpeg: &Ffmpeg) -> Result<Open, DecodeError> {
    let (source, info) = ffmpeg.open(path, kind.name(), kind.demuxer())?;
    check(&info)?;
    let (source, info) = listened(source, info, kind)?;
    let decoder = ffmpeg.version().map(str::to_owned);
    Ok(Open {
        source,
        info,
        decoder,
    })
}

/// Refuses what only looks like samples. In a WAV file ffmpeg may know better, elsewhere it does not look.
fn listened(source: Box<dyn Source>, info: StreamInfo, kind: Kind) -> Result<Opened, DecodeError> {
    let is_lossless = match info.codec {
        Codec::Pcm | Codec::Flac | Codec::Alac => true,
        Codec::Foreign(codec) => codec.codec == "pcm",
        _ => false,
    };
    if !is_lossless && info.integer_bits.is_none() {
        return Ok((source, info));
    }
    match compressed::look(source, &info)? {
        Ok(source) => Ok((source, info)),
        Err(name) => {
            let what = format!("`{name}` in place of the samples of {} audio", kind.name());
            Err(if kind == Kind::Wav {
                DecodeError::Unsupported(what)
            } else {
                DecodeError::Disguised(what)
            })
        }
    }
}

/// AAC of a low sample rate may be the half of a high-efficiency stream that does not announce itself
/// (ISO/IEC 14496-3, 1.6.5): at 24 kHz and below it usually is.
fn may_be_half_of_it(info: &StreamInfo) -> bool {
    info.codec == Codec::Aac && info.sample_rate <= 24_000
}

/// Builds the source for what is decoded here.
fn own(path: &Path, mut input: Input, start: u64, kind: Kind) -> Result<Opened, DecodeError> {
    match kind {
        Kind::Mpeg => mpeg(input, start, None, Container::Mpeg),
        Kind::Adts => adts_file(input, start),
        Kind::Flac => flac_file(path, input, start),
        Kind::Wav => match headers::wav(&mut input, start)? {
            Wav::Pcm(plan) => planned(plan, Container::Wav, input, WavReader::try_new),
            Wav::Mpeg { start, end } => mpeg_in_wav(input, start, end),
        },
        Kind::Aiff => {
            let plan = headers::aiff(&mut input, start)?;
            planned(plan, Container::Aiff, input, AiffReader::try_new)
        }
        Kind::Mp4 => mp4_file(input, start),
        Kind::Ogg => ogg(input, start),
        Kind::Foreign(format) => Err(DecodeError::Unsupported(format!("`{}`", format.name))),
        Kind::Id3 => Err(DecodeError::Unrecognised(
            "it holds nothing but tags".to_owned(),
        )),
    }
}

fn library(error: Error) -> DecodeError {
    match error {
        Error::IoError(error) if is_end(&error) => {
            DecodeError::NoAudio("the file ends within its headers".to_owned())
        }
        Error::IoError(error) => DecodeError::Io(error),
        Error::Unsupported(text) => DecodeError::Unsupported(format!("`{text}`")),
        other => DecodeError::Malformed(plain(&other)),
    }
}

/// What a library says, without its own word for it, which would be doubled.
pub(super) fn plain(error: &Error) -> String {
    let text = error.to_string();
    text.strip_prefix("malformed stream: ")
        .unwrap_or(&text)
        .to_owned()
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

/// A FLAC file, one stream after the other.
fn flac_file(path: &Path, mut input: Input, start: u64) -> Result<Opened, DecodeError> {
    let end = extents::audio_end(&mut input, start)?;
    let plans = flac::streams(&mut input, start, end)?;
    // What follows in another rate is brought into that of the first.
    let rates: Vec<u64> = plans
        .iter()
        .map(|plan| u64::from(flac::rate_of(plan)))
        .collect();
    let in_rate_of_first = |(plan, rate): (&Plan, &u64)| {
        let declared = u128::from(plan.declared?) * u128::from(rates[0]);
        u64::try_from(declared / u128::from((*rate).max(1))).ok()
    };
    let declared: Option<u64> = plans.iter().zip(&rates).map(in_rate_of_first).sum();
    let mut rest = VecDeque::from(plans);
    let Some(first) = rest.pop_front() else {
        return Err(DecodeError::NoAudio("the FLAC file is empty".to_owned()));
    };
    let (source, info) = planned(first, Container::Flac, input, FlacReader::try_new)?;
    if rest.is_empty() {
        return Ok((source, info));
    }
    let chain = Chain {
        current: source,
        rest,
        path: path.to_owned(),
    };
    Ok((
        Box::new(chain),
        StreamInfo {
            expected_frames: declared,
            ..info
        },
    ))
}

/// FLAC streams that lie one behind another; each is opened when the one before it has ended.
struct Chain {
    current: Box<dyn Source>,
    rest: VecDeque<Plan>,
    path: PathBuf,
}

impl Source for Chain {
    fn next(&mut self) -> Result<Step<'_>, DecodeError> {
        self.current.next()
    }

    fn go_on(&mut self) -> Result<bool, DecodeError> {
        let Some(plan) = self.rest.pop_front() else {
            return Ok(false);
        };
        let input = Input::open(&self.path)?;
        self.current = planned(plan, Container::Flac, input, FlacReader::try_new)?.0;
        Ok(true)
    }
}

/// MPEG frames in a WAV file; the first frame may stand behind some padding.
fn mpeg_in_wav(mut input: Input, start: u64, end: u64) -> Result<Opened, DecodeError> {
    let Some(first) = recognise::find_mpeg(&mut input, start, end)? else {
        return Err(DecodeError::NoAudio(
            "the WAV file holds no MPEG frame".to_owned(),
        ));
    };
    mpeg(input, first, Some(end), Container::Wav)
}

fn mpeg(
    mut input: Input,
    start: u64,
    end: Option<u64>,
    container: Container,
) -> Result<Opened, DecodeError> {
    let end = match end {
        Some(end) => end,
        None => extents::audio_end(&mut input, start)?,
    };
    // Zeros behind the last frame are no damage: recorders and cut tools leave them.
    let zeros = extents::zeros_before(&mut input, start, end)?;
    let first = input.vec_at(start, 4096)?;
    let header = FrameHeader::at(&first).ok_or_else(|| {
        DecodeError::Malformed("the first MPEG frame vanished while the file was read".to_owned())
    })?;
    let has_count = header.declares_length(&first);
    let said = header.declared(&first);
    let reader = MpaReader::try_new(
        View::new(input, Vec::new(), start, end).into_stream(),
        FormatOptions::default(),
    )
    .map_err(library)?;
    let (id, params) = audio(&reader)?;
    let track = &reader.tracks()[0];
    let (delay, padding) = match said.gapless {
        Some((before, behind)) => (
            u64::from(before + DECODER_DELAY),
            u64::from(behind.saturating_sub(DECODER_DELAY)),
        ),
        None => (
            u64::from(track.delay.unwrap_or(0)),
            u64::from(track.padding.unwrap_or(0)),
        ),
    };
    // Without a declared length, Symphonia estimates one from the bit rate, which is not to be used.
    let declared = match said.frames {
        Some(frames) => {
            let decoded = u64::from(frames) * u64::from(header.samples);
            Some(decoded.saturating_sub(delay + padding))
        }
        None => track.num_frames.filter(|_| has_count),
    }
    .filter(|frames| *frames > 0);
    // Where as many bytes are there as were written, the padding lies at their end, whatever the count of frames says.
    // More bytes are another file that was joined on: then it lies where the first one ended.
    let is_one_stream = said
        .bytes
        .is_none_or(|bytes| (end - zeros - start).abs_diff(u64::from(bytes)) <= OTHER_BYTES);
    let trim = match declared {
        Some(frames) if !is_one_stream => {
            let padding_from = delay.saturating_add(frames);
            Trim {
                delay,
                padding_from,
                padding_to: padding_from.saturating_add(padding),
            }
        }
        _ => Trim {
            delay,
            ..Trim::NONE
        },
    };
    let info = describe(container, &params, declared);
    let decoder = make_decoder(&params)?;
    let skipped = if has_count { header.length as u64 } else { 0 };
    let packets = Packets::new(Box::new(reader), decoder, id, trim)
        .with_changing_mpeg(params)
        .with_padding_at_end(if is_one_stream { padding } else { 0 })
        .with_junk_count((end - start).saturating_sub(skipped + zeros));
    Ok((Box::new(packets), info))
}

fn adts_file(mut input: Input, start: u64) -> Result<Opened, DecodeError> {
    let end = extents::audio_end(&mut input, start)?;
    let zeros = extents::zeros_before(&mut input, start, end)?;
    adts::open(input, start, end, zeros)
}

fn planned<R: FormatReader + 'static>(
    plan: Plan,
    container: Container,
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
        more,
        declared,
        bits,
        ..
    } = plan;
    let stream = View::new(input, header, start, end)
        .with_more(&more)
        .into_stream();
    let reader = reader(stream, FormatOptions::default()).map_err(library)?;
    let (id, params) = audio(&reader)?;
    let info = describe(container, &params, declared);
    check(&info)?;
    let decoder = make_decoder(&params)?;
    let mut packets = Packets::new(Box::new(reader), decoder, id, Trim::NONE);
    if container == Container::Flac {
        packets = packets.with_gap_count();
    }
    let info = StreamInfo {
        integer_bits: bits,
        ..info
    };
    Ok((Box::new(packets), info))
}

fn mp4_file(mut input: Input, start: u64) -> Result<Opened, DecodeError> {
    let movie = mp4::walk(&mut input, start)?;
    let mut coded_rate = None;
    match &movie.entry {
        b"drms" | b"enca" | b"p608" => {
            return Err(DecodeError::Protected(
                "the track is encrypted (DRM)".to_owned(),
            ));
        }
        b"mp4a" => coded_rate = aac::check(&movie.config)?,
        b"alac" | b"fLaC" | b".mp3" | b"lpcm" | b"sowt" | b"twos" | b"in24" | b"in32" | b"fl32" => {
        }
        other => {
            return Err(DecodeError::Unsupported(format!(
                "`{}` in MP4",
                mp4::codec_name(*other)
            )));
        }
    }
    if movie.is_rearranged {
        return Err(DecodeError::Unsupported(
            "MP4 with an edit list of several parts".to_owned(),
        ));
    }
    let reader = mp4_reader(input, start, &movie)?;
    let (id, mut params) = audio(&reader)?;
    if let Some(rate) = coded_rate {
        if params.sample_rate == Some(2 * rate) {
            return Err(DecodeError::Unsupported("`HE-AAC`".to_owned()));
        }
        // Edits and lengths count frames of the stream, whatever the container says of its rate.
        params.sample_rate = Some(rate);
    }
    let (trim, expected) = movie.trim(params.sample_rate.unwrap_or(0));
    let mut info = describe(Container::Mp4, &params, expected);
    if info.codec == Codec::Mp3 && info.channels == 0 {
        // MP4 does not tell for MP3; the first frame will.
        info.channels = 2;
    }
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

/// The packets of an MP4 file and the track that is its audio, whether or not it can be decoded.
pub(super) fn mp4_packets(
    mut input: Input,
    start: u64,
) -> Result<(IsoMp4Reader<'static>, u32), DecodeError> {
    let movie = mp4::walk(&mut input, start)?;
    let reader = mp4_reader(input, start, &movie)?;
    let (track, _) = audio(&reader)?;
    Ok((reader, track))
}

fn mp4_reader(
    input: Input,
    start: u64,
    movie: &mp4::Movie,
) -> Result<IsoMp4Reader<'static>, DecodeError> {
    let shifted = |(at, bytes): &(u64, [u8; 4])| (at - start, *bytes);
    let patches = movie.patches.iter().map(shifted).collect();
    symphonia_mp4(View::new(input, Vec::new(), start, movie.end).with_patches(patches))
}

fn symphonia_mp4(view: View) -> Result<IsoMp4Reader<'static>, DecodeError> {
    use symphonia::core::io::ReadBytes;
    let mut stream = view.into_stream();
    // The reader expects what a probe leaves: the stream four bytes on, at the type of the first box.
    stream.ignore_bytes(4).map_err(DecodeError::Io)?;
    IsoMp4Reader::try_new(stream, FormatOptions::default()).map_err(library)
}

fn ogg(mut input: Input, start: u64) -> Result<Opened, DecodeError> {
    let end = extents::audio_end(&mut input, start)?;
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
