//! A stretch of a file as sound that every browser plays, and as a drawing of its single samples.
//!
//! Both are decoded from the beginning of the file, since compressed files can only be heard right from there. What is
//! before the stretch costs the time of decoding it (a minute of MP3 takes some 0.2 s) and no memory.

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use audio::Ticks;
use audio::decode::{Block, Listener, StreamInfo};
use run::{Cancel, LibraryPath};

use crate::error::{Error, Result};
use crate::library::Library;
use crate::library::query::{self, FileDetails, Shown, show};

/// Bytes of a WAV file before its samples.
pub const HEADER: u64 = 44;

/// Bytes of a sample: 16 bits, which every browser plays.
const SAMPLE: u64 = 2;

/// The longest stretch that is drawn by decoding it, in seconds. A guess: stored points serve for longer ones.
pub const LONGEST_DRAWN: f64 = 60.0;

/// The most points of one drawing. A guess: wider than screens are.
pub const MOST_POINTS: usize = 8192;

/// A passage, or a whole file, as the WAV file that it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wav {
    path: PathBuf,
    rate: u32,
    channels: u16,
    frames: Range<u64>,
}

impl Wav {
    /// Where its file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which frames (samples per channel) of its file it has.
    pub fn frames(&self) -> Range<u64> {
        self.frames.clone()
    }

    /// The passage or file named.
    ///
    /// # Errors
    ///
    /// When there is none, it was never heard, it would be larger than a WAV file can be (4 GB), or the database cannot be
    /// read.
    pub fn of(library: &Library, name: &str) -> Result<Self> {
        let (file, ticks) = match show(library, name)? {
            Shown::File(file) => (file, None),
            Shown::Passage(passage) => {
                let ticks = passage.start_ticks..passage.end_ticks;
                (query::file_of(library, &passage.path)?, Some(ticks))
            }
        };
        let unheard = || Error::NoFlavor {
            name: name.to_owned(),
        };
        let (rate, channels) = file.sample_rate.zip(file.channels).ok_or_else(unheard)?;
        let all = file.frames.ok_or_else(unheard)?;
        let frame = |at: Ticks| ((at.seconds() * f64::from(rate)).round() as u64).min(all);
        let frames = ticks.map_or(0..all, |ticks| frame(ticks.start)..frame(ticks.end));
        let wav = Self {
            path: real(library, &file)?,
            rate,
            channels,
            frames,
        };
        // Both lengths in the header have 32 bits.
        if wav.length() > u64::from(u32::MAX) {
            return Err(Error::Misplaced {
                given: name.to_owned(),
                expected: "a stretch of less than 4 GB as WAV".to_owned(),
            });
        }
        Ok(wav)
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        HEADER + self.samples() * SAMPLE
    }

    fn samples(&self) -> u64 {
        self.frames.end.saturating_sub(self.frames.start) * u64::from(self.channels)
    }

    /// Decodes the bytes of `range` and hands them to `take`, some thousands at a time, until it breaks off. Where the file
    /// ends before its time there is silence.
    ///
    /// # Errors
    ///
    /// When the file cannot be decoded, or is no longer what the library knows.
    pub fn read(
        &self,
        library: &Library,
        range: Range<u64>,
        cancel: &Cancel,
        take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<()> {
        let header = self.header();
        let at = |byte: u64| {
            usize::try_from(byte)
                .unwrap_or(usize::MAX)
                .min(header.len())
        };
        let first = &header[at(range.start)..at(range.end)];
        if !first.is_empty() && take(first).is_break() {
            return Ok(());
        }
        let sound = range.start.max(HEADER) - HEADER..range.end.max(HEADER) - HEADER;
        if sound.is_empty() {
            return Ok(());
        }
        let mut listener = Sounding {
            wav: self,
            next: sound.start,
            end: sound.end,
            is_other: false,
            is_over: false,
            piece: Vec::new(),
            cancel,
            take,
        };
        let decoded = library
            .settings()
            .decoders()
            .decode(&self.path, &mut listener);
        let (is_other, is_over) = (listener.is_other, listener.is_over);
        let missing = listener.end - listener.next;
        if is_other {
            return Err(self.unreadable("it has another form than when it was heard".to_owned()));
        }
        decoded.map_err(|error| self.unreadable(error.to_string()))?;
        if is_over || cancel.is_requested() {
            return Ok(());
        }
        let silence = [0; 4096];
        let mut left = missing;
        while left > 0 {
            let some = left.min(silence.len() as u64);
            if take(&silence[..some as usize]).is_break() {
                break;
            }
            left -= some;
        }
        Ok(())
    }

    /// The header of a WAV file of whole numbers, as Microsoft and IBM described it in 1991.
    fn header(&self) -> Vec<u8> {
        let bytes = (self.samples() * SAMPLE) as u32;
        let block = u32::from(self.channels) * SAMPLE as u32;
        let mut header = Vec::with_capacity(HEADER as usize);
        header.extend(b"RIFF");
        header.extend((bytes.saturating_add(36)).to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend(16_u32.to_le_bytes());
        header.extend(1_u16.to_le_bytes());
        header.extend(self.channels.to_le_bytes());
        header.extend(self.rate.to_le_bytes());
        header.extend((self.rate.saturating_mul(block)).to_le_bytes());
        header.extend((block as u16).to_le_bytes());
        header.extend((8 * SAMPLE as u16).to_le_bytes());
        header.extend(b"data");
        header.extend(bytes.to_le_bytes());
        header
    }

    fn unreadable(&self, reason: String) -> Error {
        Error::Unheard {
            path: self.path.display().to_string(),
            reason,
        }
    }
}

/// Where a file is, if that is below the root folder, links and all.
fn real(library: &Library, file: &FileDetails) -> Result<PathBuf> {
    let missing = || Error::NotFound {
        name: file.path.clone(),
        like: Vec::new(),
    };
    let path = LibraryPath::try_from(file.path.clone()).map_err(|_| missing())?;
    let real = library.real(&path.below(Path::new(""))).ok().flatten();
    real.ok_or_else(missing)
}

/// Hands on the bytes of the samples that are wanted.
struct Sounding<'a> {
    wav: &'a Wav,
    /// The next byte of sound that is wanted, and the one behind the last, counted from the beginning of the stretch.
    next: u64,
    end: u64,
    is_other: bool,
    is_over: bool,
    piece: Vec<u8>,
    cancel: &'a Cancel,
    take: &'a mut dyn FnMut(&[u8]) -> ControlFlow<()>,
}

impl Listener for Sounding<'_> {
    fn start(&mut self, info: &StreamInfo) {
        self.is_other = (info.sample_rate, info.channels) != (self.wav.rate, self.wav.channels);
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        if self.is_other || self.cancel.is_requested() {
            return ControlFlow::Break(());
        }
        let width = u64::from(self.wav.channels) * SAMPLE;
        let wanted = self.wav.frames.start + self.next / width;
        let last = block.start + block.frames() as u64;
        if last <= wanted {
            return ControlFlow::Continue(());
        }
        self.piece.clear();
        let first = wanted.saturating_sub(block.start) as usize;
        for frame in first..block.frames() {
            for plane in block.planes {
                let sample = (plane[frame] * 32_768.0).round().clamp(-32_768.0, 32_767.0);
                self.piece.extend((sample as i16).to_le_bytes());
            }
        }
        let skipped = ((self.next % width) as usize).min(self.piece.len());
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        let behind = self.piece.len().min(skipped.saturating_add(left));
        let piece = &self.piece[skipped..behind];
        self.next += piece.len() as u64;
        self.is_over = (self.take)(piece).is_break() || self.next >= self.end;
        if self.is_over {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// The least and greatest samples of `points` equal parts of a stretch of the file named, or of the file of the passage
/// named: two bytes a point, each a number with a sign, 127 being full scale. What lies behind the file's end is silent.
///
/// # Errors
///
/// When there is no such file, the stretch is none or longer than [`LONGEST_DRAWN`] seconds, or it cannot be decoded.
pub fn drawn(
    library: &Library,
    name: &str,
    seconds: Range<f64>,
    points: usize,
    cancel: &Cancel,
) -> Result<Vec<u8>> {
    let is_stretch = seconds.start.is_finite()
        && seconds.start >= 0.0
        && seconds.end > seconds.start
        && seconds.end - seconds.start <= LONGEST_DRAWN
        && (1..=MOST_POINTS).contains(&points);
    if !is_stretch {
        return Err(Error::Misplaced {
            given: format!(
                "{points} points from {} s to {} s",
                seconds.start, seconds.end
            ),
            expected: format!("at most {LONGEST_DRAWN} s and 1 to {MOST_POINTS} points"),
        });
    }
    let file = query::file_of(library, name)?;
    let path = real(library, &file)?;
    let mut listener = Drawing {
        seconds,
        extremes: vec![None; points],
        rate: 1.0,
        cancel,
    };
    let decoded = library.settings().decoders().decode(&path, &mut listener);
    decoded.map_err(|error| Error::Unheard {
        path: file.path.clone(),
        reason: error.to_string(),
    })?;
    let byte = |sample: f32| ((sample * 127.0).round().clamp(-127.0, 127.0) as i8).cast_unsigned();
    // A point between two samples is where the one before it was.
    let mut last = (0.0, 0.0);
    let extremes = listener.extremes.into_iter();
    Ok(extremes
        .flat_map(|extremes| {
            last = extremes.unwrap_or(last);
            [byte(last.0), byte(last.1)]
        })
        .collect())
}

struct Drawing<'a> {
    seconds: Range<f64>,
    extremes: Vec<Option<(f32, f32)>>,
    rate: f64,
    cancel: &'a Cancel,
}

impl Listener for Drawing<'_> {
    fn start(&mut self, info: &StreamInfo) {
        self.rate = f64::from(info.sample_rate);
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        if self.cancel.is_requested() {
            return ControlFlow::Break(());
        }
        let width = self.seconds.end - self.seconds.start;
        for frame in 0..block.frames() {
            let at = (block.start + frame as u64) as f64 / self.rate;
            if at >= self.seconds.end {
                return ControlFlow::Break(());
            }
            if at < self.seconds.start {
                continue;
            }
            let point = (at - self.seconds.start) / width * self.extremes.len() as f64;
            let Some(extremes) = self.extremes.get_mut(point as usize) else {
                continue;
            };
            let samples = block.planes.iter().map(|plane| plane[frame]);
            *extremes = samples.fold(*extremes, |known, sample| {
                let (least, greatest) = known.unwrap_or((sample, sample));
                Some((sample.min(least), sample.max(greatest)))
            });
        }
        ControlFlow::Continue(())
    }
}
