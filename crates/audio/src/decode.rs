//! Decodes an audio file in one pass, as a stream of blocks.
//!
//! Everything that is measured of a file (levels, silence, loudness, fingerprint) is measured on the
//! same blocks, so a file is read and decoded once and memory does not grow with its length. This module
//! knows no database and starts no thread; it turns a path into calls of a [`Listener`].
//!
//! A file is recognised by its content. Encoder delay and padding are removed, so that frame counts are
//! those of the original music. Damage is passed over and counted, never fatal, as long as any audio
//! comes out; no input makes it hang, panic, or take memory in proportion to what a header claims.
//!
//! **Who decodes.** Symphonia 0.6 decodes all codecs but Opus, and reads all containers but Ogg. What it
//! is not asked to do, and why, is told in the parts: `view` (tags and pictures), `headers` (WAV,
//! AIFF and FLAC), `mp4` (edit lists, encryption), `ogg` and `xiph` (granule positions).
//!
//! **Known limits.** What is decoded here is AAC-LC, and AAC and Vorbis of one or two channels; all others have up to
//! eight. The rest (high-efficiency AAC, surround Vorbis, WMA, WavPack, Matroska) is decoded by an installed ffmpeg, and
//! named in the error where there is none. High-efficiency AAC that does not announce itself is only known for what it
//! is where ffprobe can be asked. A bare AAC stream says nothing of its length, delay or padding, so nothing is cut off
//! it and no truncation is seen.

mod aac;
mod adapt;
mod adts;
mod compressed;
mod digest;
mod ffmpeg;
mod flac;
mod flow;
mod foreign;
mod headers;
pub(crate) mod mp4;
mod mpeg;
mod ogg;
mod open;
mod opus;
mod packets;
mod recognise;
mod sniff;
pub(crate) mod view;
mod xiph;

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

pub use digest::{AudioDigest, AudioMd5, AudioXxh3, BytesOfSound};
pub use ffmpeg::Ffmpeg;
pub(crate) use ffmpeg::Probed;
pub use foreign::Foreign;
pub use sniff::{
    HEAD, Kind, PROOF, extension_is_audio, extension_is_notes, headerless, is_audio_file,
    is_certainly_audio, sniff,
};

/// The most channels a stream may have: 7.1.
pub const MAX_CHANNELS: usize = 8;

/// How the audio is packed in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    /// A bare stream of MPEG audio frames.
    Mpeg,
    /// A bare stream of AAC frames.
    Adts,
    Flac,
    Ogg,
    Wav,
    Aiff,
    Mp4,
    /// By the name of ffmpeg's demuxer.
    Foreign(&'static str),
}

/// How the audio is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Mp2,
    Mp3,
    Aac,
    Alac,
    Flac,
    Vorbis,
    Opus,
    Pcm,
    Foreign(&'static ffmpeg::ForeignCodec),
}

impl Codec {
    const fn name(self) -> &'static str {
        match self {
            Self::Mp2 => "mp2",
            Self::Mp3 => "mp3",
            Self::Aac => "aac",
            Self::Alac => "alac",
            Self::Flac => "flac",
            Self::Vorbis => "vorbis",
            Self::Opus => "opus",
            Self::Pcm => "pcm",
            Self::Foreign(codec) => codec.codec,
        }
    }
}

/// What is decoded without another program, by the names that [`StreamInfo::codec`] gives.
pub const CODECS: [&str; 8] = [
    Codec::Mp2.name(),
    Codec::Mp3.name(),
    Codec::Aac.name(),
    Codec::Alac.name(),
    Codec::Flac.name(),
    Codec::Vorbis.name(),
    Codec::Opus.name(),
    Codec::Pcm.name(),
];

/// What is known of a stream before its first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    container: Container,
    codec: Codec,
    /// In Hz, 1,000 to 768,000.
    pub sample_rate: u32,
    /// 1 to [`MAX_CHANNELS`], in the order of WAVE: front left, front right, centre, LFE, back, side.
    pub channels: u16,
    /// Frames (samples per channel) after trimming, if the file declares its length.
    pub expected_frames: Option<u64>,
    /// Bits of a sample where samples are integers; `None` for lossy codecs and floats.
    pub integer_bits: Option<u8>,
}

impl StreamInfo {
    /// How the audio is packed: `mpeg`, `adts`, `flac`, `ogg`, `wav`, `aiff` or `mp4`.
    pub const fn container(&self) -> &'static str {
        match self.container {
            Container::Mpeg => "mpeg",
            Container::Adts => "adts",
            Container::Flac => "flac",
            Container::Ogg => "ogg",
            Container::Wav => "wav",
            Container::Aiff => "aiff",
            Container::Mp4 => "mp4",
            Container::Foreign(name) => name,
        }
    }

    /// How the audio is coded: `mp2`, `mp3`, `aac`, `alac`, `flac`, `vorbis`, `opus` or `pcm`.
    pub const fn codec(&self) -> &'static str {
        self.codec.name()
    }

    /// The short name WKMP stores as a file's format: the codec, but `OGG` for Vorbis, and the
    /// container for plain PCM.
    pub fn format(&self) -> &'static str {
        match (self.codec, self.container) {
            (Codec::Mp2, _) => "MP2",
            (Codec::Mp3, _) => "MP3",
            (Codec::Aac, _) => "AAC",
            (Codec::Alac, _) => "ALAC",
            (Codec::Flac, _) => "FLAC",
            (Codec::Vorbis, _) => "OGG",
            (Codec::Opus, _) => "OPUS",
            (Codec::Pcm, Container::Aiff) => "AIFF",
            (Codec::Pcm, _) => "WAV",
            (Codec::Foreign(_), Container::Foreign("libopenmpt")) => "MOD",
            (Codec::Foreign(codec), Container::Foreign("caf")) if codec.format == "PCM" => "CAF",
            (Codec::Foreign(codec), Container::Foreign("au")) if codec.format == "PCM" => "AU",
            (Codec::Foreign(codec), Container::Foreign("wav" | "w64")) if codec.format == "PCM" => {
                "WAV"
            }
            (Codec::Foreign(codec), _) => codec.format,
        }
    }
}

/// A stretch of decoded audio.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// One slice per channel, all of the same length, full scale at +-1.0 (lossy codecs overshoot).
    pub planes: &'a [&'a [f32]],
    /// Index of the first frame, counted from the beginning of the trimmed stream.
    pub start: u64,
}

impl Block<'_> {
    /// Frames (samples per channel) in this block; never 0.
    pub fn frames(&self) -> usize {
        self.planes.first().map_or(0, |plane| plane.len())
    }
}

/// Receives the decoded stream.
pub trait Listener {
    /// Called once, before the first block; not at all if no audio comes out.
    fn start(&mut self, info: &StreamInfo);

    /// Called for each block in order, without gaps. `Break` ends decoding as cancelled.
    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()>;
}

/// How decoding went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// As given to [`Listener::start`].
    pub info: StreamInfo,
    /// Frames (samples per channel) delivered.
    pub frames: u64,
    /// Codec frames, packets or pages that could not be decoded and were left out.
    pub damaged_frames: u64,
    /// What the first damage was.
    pub first_damage: Option<String>,
    /// Set if the file ends before its declared end. Not set when cancelled.
    pub truncated: Option<Truncated>,
    /// The listener broke off.
    pub cancelled: bool,
    /// How often the rate or the number of channels changed within the stream; what followed was brought into the form of
    /// its beginning.
    pub changes: u32,
    /// The program that decoded it, with its version, where it was not this one.
    pub decoder: Option<String>,
}

/// A file that is shorter than it says, by more than a tenth of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// `None` for Ogg, which declares no length but whose last page should be flagged as such.
    pub declared_frames: Option<u64>,
    /// What there really is.
    pub decoded_frames: u64,
}

impl fmt::Display for Truncated {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.declared_frames {
            Some(declared) => {
                write!(
                    out,
                    "the file ends after {} of {declared} declared frames",
                    self.decoded_frames
                )
            }
            None => write!(
                out,
                "the file ends after {} frames, within its stream",
                self.decoded_frames
            ),
        }
    }
}

/// Why a file gives no audio. The path is for the caller to name.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The operating system failed to read the file.
    #[error("cannot read the file: {0}")]
    Io(#[from] io::Error),
    /// Nothing in the file looks like audio.
    #[error("not a known audio file: {0}")]
    Unrecognised(String),
    /// Audio, but of a kind that is not decoded.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// A compressed stream that calls itself samples.
    #[error("{0} is not supported")]
    Disguised(String),
    /// Audio that ffmpeg would decode, and there is none.
    #[error("{0} is decoded by ffmpeg, which is not installed")]
    NeedsFfmpeg(String),
    /// The audio is encrypted.
    #[error("protected: {0}")]
    Protected(String),
    /// The headers contradict the format, or reason.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The headers are in order, but not one sample came out.
    #[error("no audio: {0}")]
    NoAudio(String),
    /// A codec library panicked, or would decode something else than what is there.
    #[error("the decoder built in fails: {0}")]
    Library(String),
}

/// What decodes: the decoders built in, and an installed ffmpeg for everything else.
#[derive(Debug, Clone, Default)]
pub struct Decoders {
    ffmpeg: Option<Ffmpeg>,
}

impl Decoders {
    /// Those built in, and `ffmpeg` where it is installed.
    pub fn with(ffmpeg: Ffmpeg) -> Self {
        Self {
            ffmpeg: Some(ffmpeg),
        }
    }

    /// What ffprobe says about a file of a foreign format; `None` where there is no ffmpeg.
    pub(crate) fn probe(&self, path: &Path, format: &Foreign) -> Option<Probed> {
        let ffmpeg = self
            .ffmpeg
            .as_ref()
            .filter(|ffmpeg| ffmpeg.version().is_some())?;
        ffmpeg.probe(path, Some(format.demuxer?)).ok()
    }

    /// Names the encoded audio of the file at `path`; nothing is decoded.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, holds no audio that [`decode`](Self::decode) would open, or its packets cannot be
    /// told from the rest of it: those of a foreign format are asked of ffmpeg.
    pub fn audio_digest(&self, path: &Path) -> Result<AudioDigest, DecodeError> {
        digest::audio_digest(path, self.ffmpeg.as_ref())
    }

    /// The quick one of its names alone, which tells whether it is a sound that is known.
    ///
    /// # Errors
    ///
    /// As of [`audio_digest`](Self::audio_digest).
    pub fn audio_xxh3(&self, path: &Path) -> Result<AudioXxh3, DecodeError> {
        digest::audio_xxh3(path, self.ffmpeg.as_ref())
    }

    /// How long the file at `path` says that it is to be played, in seconds, where that rests on more than its packets:
    /// on an edit list of MP4, or on what is to be left out at the ends of MPEG audio. `None` where nothing of the kind
    /// is said, or ffmpeg decodes it.
    pub fn stated_seconds(&self, path: &Path) -> Option<f64> {
        flow::guard(|| open::stated_seconds(path)).ok().flatten()
    }

    /// Decodes the file at `path` from beginning to end, on the calling thread.
    ///
    /// # Errors
    ///
    /// If not one sample comes out; damage after that is only noted.
    pub fn decode(&self, path: &Path, listener: &mut dyn Listener) -> Result<Decoded, DecodeError> {
        run(
            flow::guard(|| open::open(path, self.ffmpeg.as_ref()))?,
            listener,
        )
    }

    /// Decodes by ffmpeg a file at which the decoder built in broke down, which said `fault`; the listener must be a
    /// new one.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode): [`DecodeError::NeedsFfmpeg`] where there is none, `fault` where it knows no better.
    pub(crate) fn decode_instead(
        &self,
        path: &Path,
        fault: &str,
        listener: &mut dyn Listener,
    ) -> Result<Decoded, DecodeError> {
        match open::instead(path, self.ffmpeg.as_ref(), fault).and_then(|open| run(open, listener))
        {
            Err(error @ (DecodeError::Io(_) | DecodeError::NeedsFfmpeg(_))) => Err(error),
            Err(_) => Err(DecodeError::Library(format!(
                "{fault} (and this ffmpeg knows no better)"
            ))),
            Ok(decoded) => Ok(decoded),
        }
    }
}

fn run(mut open: open::Open, listener: &mut dyn Listener) -> Result<Decoded, DecodeError> {
    let decoded = flow::run(open.source.as_mut(), open.info, listener)?;
    Ok(Decoded {
        decoder: open.decoder,
        ..decoded
    })
}

/// Decodes the file at `path` with the decoders built in.
///
/// # Errors
///
/// As [`Decoders::decode`].
pub fn decode(path: &Path, listener: &mut dyn Listener) -> Result<Decoded, DecodeError> {
    Decoders::default().decode(path, listener)
}

/// What the file at `path` is, by its content: the same question that decoding asks.
///
/// # Errors
///
/// When it cannot be read, or nothing in it looks like audio.
pub fn recognise(path: &Path) -> Result<Kind, DecodeError> {
    let mut input = crate::input::Input::open(path)?;
    recognise::recognise(&mut input).map(|(_, kind)| kind)
}

/// Where the audio of a file begins and of which kind it is, for those who read its tags.
pub(crate) fn locate(input: &mut crate::input::Input) -> Option<(u64, Kind)> {
    recognise::recognise(input).ok()
}

/// The chapters of an MP4 file: where each starts, in seconds, and its title.
///
/// What cannot be read has none.
pub(crate) fn mp4_chapters(path: &Path) -> Vec<(f64, String)> {
    crate::input::Input::open(path)
        .map_err(DecodeError::from)
        .and_then(|mut input| mp4::chapters(&mut input))
        .unwrap_or_default()
}
