//! Decodes with an installed ffmpeg what is not decoded here.
//!
//! One child for each file: ffprobe says what is inside, ffmpeg sends it as floats through a pipe, and the
//! blocks go the way of all others. There is no shell; the file is named as a file and by its full path, so that
//! no name can be read as an option or an address; the demuxer is the one that the content called for, so
//! that a playlist in disguise leads nowhere. A child that says nothing for a minute is ended, as is one that
//! takes more processor time or memory than any music needs, and every child when its file is done with. A
//! child whose parent was killed ends by itself: nobody reads its pipe.
//!
//! The same child names the sound of such a file: it sends the packets as they are, and nothing is decoded.

mod child;
mod codecs;
mod pipe;
mod probe;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use child::Child;
pub(super) use codecs::ForeignCodec;
pub(crate) use probe::Probed;

use super::flow::{Planes, Source, Step, check_channels};
use super::{Codec, Container, DecodeError, StreamInfo};
use crate::extents;
use crate::input::Input;

/// Bytes taken from the pipe at once; 64 kB is what a pipe holds.
const BLOCK: usize = 64 << 10;

/// How many times the bytes of its file the packets may have before the digest is given up. They are parts of the
/// file, and a Matroska track that is packed with zlib unpacks to a few times of it; what gives more is a bomb.
const MOST_PACKETS: u64 = 16;

/// The highest sample rate that is asked for, in Hz. DSD is decoded at an eighth of its bit rate, of which all above
/// 100 kHz is shaped noise.
const HIGHEST_RATE: u32 = 192_000;

/// An ffmpeg and the ffprobe beside it. Whether they are there is found out when they are first needed.
#[derive(Debug, Clone)]
pub struct Ffmpeg {
    decoder: PathBuf,
    prober: PathBuf,
    version: Arc<OnceLock<Option<String>>>,
}

impl Ffmpeg {
    /// The ffmpeg at `named`, or the one that the system finds under its name.
    pub fn at(named: Option<&Path>) -> Self {
        let ffmpeg = named.map_or_else(|| PathBuf::from("ffmpeg"), Path::to_owned);
        let ffprobe = format!(
            "ffprobe{}",
            if named.is_some() {
                std::env::consts::EXE_SUFFIX
            } else {
                ""
            }
        );
        Self {
            prober: ffmpeg.with_file_name(ffprobe),
            decoder: ffmpeg,
            version: Arc::default(),
        }
    }

    /// Its name and version, such as `ffmpeg 5.1.9`; `None` where it or its ffprobe is not installed.
    pub fn version(&self) -> Option<&str> {
        let version = self.version.get_or_init(|| {
            let says = |program: &Path| {
                let said = child::output(Command::new(program).arg("-version")).ok()?;
                let said = String::from_utf8_lossy(&said).into_owned();
                let version = said.split_whitespace().nth(2);
                version.map(|version| format!("ffmpeg {version}"))
            };
            says(&self.prober)?;
            says(&self.decoder)
        });
        version.as_deref()
    }

    /// What is inside a file; the demuxer is named where the content called for one.
    pub(crate) fn probe(&self, path: &Path, demuxer: Option<&str>) -> Result<Probed, DecodeError> {
        let mut command = Command::new(&self.prober);
        command.args(["-v", "error", "-hide_banner", "-protocol_whitelist", "file"]);
        command.args([
            "-show_format",
            "-show_streams",
            "-show_chapters",
            "-of",
            "json",
        ]);
        if let Some(demuxer) = demuxer {
            command.args(["-f", demuxer]);
        }
        command.arg("-i").arg(child::file_name(path));
        Probed::parse(&child::output(&mut command)?)
    }

    /// Starts decoding a file. `first` is what recognition called it.
    pub(super) fn open(
        &self,
        path: &Path,
        first: &str,
        demuxer: Option<&'static str>,
    ) -> Result<(Box<dyn Source>, StreamInfo), DecodeError> {
        let probed = self.probe(path, demuxer)?;
        let Some(stream) = probed.audio.first() else {
            return Err(DecodeError::NoAudio(format!(
                "the {first} file has no audio track"
            )));
        };
        let codec = codecs::of(&stream.codec);
        if stream.channels == 0 || stream.sample_rate == 0 {
            return Err(DecodeError::Unsupported(format!(
                "`{}` (by this ffmpeg)",
                stream.codec
            )));
        }
        check_channels(stream.channels)?;
        let channels = usize::from(stream.channels);
        let sample_rate = if stream.sample_rate > 2 * HIGHEST_RATE {
            HIGHEST_RATE
        } else {
            stream.sample_rate
        };
        let mut command = self.reading(path, demuxer);
        command.arg("-map").arg(format!("0:{}", stream.index));
        command.args([
            "-ar",
            &sample_rate.to_string(),
            "-ac",
            &channels.to_string(),
        ]);
        command.args(["-f", "f32le", "pipe:1"]);
        let source = Piped {
            child: Child::start(&mut command)?,
            buffer: vec![0; BLOCK],
            held: 0,
            planes: vec![Vec::new(); channels],
            sample_rate,
            ended: false,
            frames: 0,
            enough: stream
                .exact_frames(sample_rate)
                .filter(|_| has_several_tags(path)),
        };
        let info = StreamInfo {
            container: Container::Foreign(demuxer.unwrap_or("other")),
            codec: Codec::Foreign(codec),
            sample_rate,
            channels: channels as u16,
            expected_frames: stream.exact_frames(sample_rate),
            integer_bits: stream.bits,
        };
        Ok((Box::new(source), info))
    }

    /// Hands the packets of the first audio track to `take`: of these `ffmpeg -map 0:a:0 -c:a copy -f md5` prints the MD5.
    /// They are read here, not by that muxer, because it says nothing until it has read everything, as a stuck child does.
    pub(super) fn packets(
        &self,
        path: &Path,
        demuxer: Option<&str>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), DecodeError> {
        let most = std::fs::metadata(path)?.len().saturating_mul(MOST_PACKETS);
        let mut command = self.reading(path, demuxer);
        command.args(["-map", "0:a:0", "-c:a", "copy", "-f", "data", "pipe:1"]);
        let mut child = Child::start(&mut command)?;
        let mut block = vec![0; BLOCK];
        let mut bytes = 0;
        loop {
            let count = match child.read(&mut block)? {
                None => {
                    return Err(DecodeError::Malformed(
                        "ffmpeg said nothing for a minute and was ended".to_owned(),
                    ));
                }
                Some(0) => break,
                Some(count) => count,
            };
            take(&block[..count]);
            bytes += count as u64;
            if bytes > most {
                return Err(DecodeError::Malformed(format!(
                    "its audio has more than {MOST_PACKETS} times the bytes of the file"
                )));
            }
        }
        // A child that was killed half-way has sent the beginning of a sound, which is not its name.
        if bytes == 0 || !child.ended_well()? {
            let said = child.complaint().map(|(_, first)| first);
            return Err(DecodeError::Malformed(format!(
                "ffmpeg: {}",
                said.unwrap_or_else(|| "it gave no packets".to_owned())
            )));
        }
        Ok(())
    }

    /// An ffmpeg that reads a file and nothing else; what it is to do with it is not said yet.
    fn reading(&self, path: &Path, demuxer: Option<&str>) -> Command {
        let mut command = Command::new(&self.decoder);
        command.args(["-v", "error", "-hide_banner", "-nostdin", "-threads", "1"]);
        command.args(["-protocol_whitelist", "file,pipe"]);
        if let Some(demuxer) = demuxer {
            command.args(["-f", demuxer]);
        }
        command.arg("-i").arg(child::file_name(path));
        command
    }
}

/// Whether more than one tag stands behind the audio: ffmpeg knows the last, and takes the others for broken audio.
fn has_several_tags(path: &Path) -> bool {
    let tails = Input::open(path).and_then(|mut input| extents::walk(&mut input, 0));
    tails.is_ok_and(|(tails, _)| tails.len() > 1)
}

/// Interleaved floats from a pipe.
struct Piped {
    child: Child,
    buffer: Vec<u8>,
    /// Bytes at the front of the buffer that are no whole frame yet.
    held: usize,
    planes: Vec<Vec<f32>>,
    sample_rate: u32,
    ended: bool,
    /// Frames given so far.
    frames: u64,
    /// With so many the stream is whole, whatever ffmpeg says of the tags behind it.
    enough: Option<u64>,
}

impl Source for Piped {
    fn next(&mut self) -> Result<Step<'_>, DecodeError> {
        if self.ended {
            return Ok(Step::End);
        }
        let Some(count) = self.child.read(&mut self.buffer[self.held..])? else {
            self.ended = true;
            return Ok(Step::Stop(
                "ffmpeg said nothing for a minute and was ended".to_owned(),
            ));
        };
        if count == 0 {
            self.ended = true;
            return Ok(match self.child.complaint() {
                Some(_) if self.enough.is_some_and(|enough| self.frames >= enough) => Step::End,
                Some((lines, first)) => Step::Damaged(lines, format!("ffmpeg: {first}")),
                None => Step::End,
            });
        }
        let filled = self.held + count;
        let frame = 4 * self.planes.len();
        let whole = filled / frame * frame;
        for plane in &mut self.planes {
            plane.clear();
        }
        for frame in self.buffer[..whole].chunks_exact(frame) {
            for (plane, sample) in self.planes.iter_mut().zip(frame.chunks_exact(4)) {
                let sample = f32::from_le_bytes(sample.try_into().expect("a chunk is four bytes"));
                plane.push(if sample.is_finite() { sample } else { 0.0 });
            }
        }
        self.buffer.copy_within(whole..filled, 0);
        self.held = filled - whole;
        let frames = whole / frame;
        self.frames += frames as u64;
        let planes = self.planes.iter().map(Vec::as_slice);
        Ok(Step::Audio(Planes::new(
            planes,
            self.sample_rate,
            0..frames,
        )))
    }
}
