//! The loop that carries audio from a source to the listener, and judges what came.
//!
//! A source gives one step at a time; whether it is worth going on is decided here, once for all
//! formats: damage is counted and passed over, a container that gets nowhere is given up, a panic
//! inside a codec becomes an error.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::adapt::Adapter;
use super::{Block, Codec, DecodeError, Decoded, Listener, MAX_CHANNELS, StreamInfo, Truncated};

/// Failures in a row after which a container that does not get further is given up.
const MAX_FAILURES: u32 = 64;
/// The shortest audible truncation, as a part of a second.
const TRUNCATION_PART: u64 = 10;
/// Frames no real file has: 99 hours at 192 kHz, the most that FLAC can declare.
const MAX_FRAMES: u64 = 1 << 36;
/// In Hz; DSD rates are not sampled audio, and below 1 kHz there is no music.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Audio of one packet: one slice per channel, all of the same length.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a> {
    slices: [&'a [f32]; MAX_CHANNELS],
    channels: usize,
    sample_rate: u32,
}

impl<'a> Planes<'a> {
    pub(super) const NONE: Self = Self {
        slices: [&[]; MAX_CHANNELS],
        channels: 0,
        sample_rate: 0,
    };

    /// Takes the planes, of which the range of frames is kept; no more than [`MAX_CHANNELS`] are
    /// held, but all are counted.
    pub(super) fn new(
        planes: impl Iterator<Item = &'a [f32]>,
        sample_rate: u32,
        range: Range<usize>,
    ) -> Self {
        let mut all = Self {
            slices: [&[]; MAX_CHANNELS],
            channels: 0,
            sample_rate,
        };
        for plane in planes {
            if let Some(slot) = all.slices.get_mut(all.channels) {
                *slot = &plane[range.clone()];
            }
            all.channels += 1;
        }
        all
    }

    /// The planes, as many as are held, and their rate.
    pub(super) fn parts(&self) -> (&[&'a [f32]], u32) {
        (
            &self.slices[..self.channels.min(MAX_CHANNELS)],
            self.sample_rate,
        )
    }
}

/// What one step of a source brought.
pub(super) enum Step<'a> {
    /// Audio, trimmed; may be empty.
    Audio(Planes<'a>),
    /// So many codec frames could not be decoded; the source is past them.
    Damaged(u64, String),
    /// The container could not go on; it may be able to at the next call.
    Failed(String),
    /// Nothing more can be decoded although the file goes on.
    Stop(String),
    End,
}

/// Where decoded audio comes from.
pub(super) trait Source {
    fn next(&mut self) -> Result<Step<'_>, DecodeError>;

    /// Goes on with what follows the end, if anything does.
    fn go_on(&mut self) -> Result<bool, DecodeError> {
        Ok(false)
    }

    /// Whether the end of the stream was announced, for containers that declare no length.
    fn ended_properly(&self) -> bool {
        true
    }
}

/// Calls into a library: a panic in there becomes [`DecodeError::Library`].
pub(super) fn guard<T>(call: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(DecodeError::Library(
            text.unwrap_or_else(|| "no message".to_owned()),
        ))
    })
}

/// Refuses what no audio file can be, before memory is reserved for it.
pub(super) fn check(info: &StreamInfo) -> Result<(), DecodeError> {
    check_shape(info.sample_rate, info.channels)?;
    match info.expected_frames {
        Some(frames) if frames > MAX_FRAMES => Err(DecodeError::Malformed(format!(
            "`{frames}` declared frames, expected at most {MAX_FRAMES}"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn check_shape(sample_rate: u32, channels: u16) -> Result<(), DecodeError> {
    if !RATES.contains(&sample_rate) {
        let (low, high) = (RATES.start(), RATES.end());
        return Err(DecodeError::Malformed(format!(
            "a sample rate of `{sample_rate}` Hz, expected {low} to {high}"
        )));
    }
    check_channels(channels)
}

pub(super) fn check_channels(channels: u16) -> Result<(), DecodeError> {
    if usize::from(channels) > MAX_CHANNELS {
        return Err(DecodeError::Unsupported(format!(
            "`{channels}` channels (at most {MAX_CHANNELS} are heard)"
        )));
    }
    if channels == 0 {
        return Err(DecodeError::Malformed(
            "`0` channels, expected 1 or more".to_owned(),
        ));
    }
    Ok(())
}

/// The greatest sample that is believed: 80 dB above full scale, beyond any headroom that is used. Where floating-point
/// numbers are broken, they are infinite, no numbers at all, or have any exponent.
const LOUDEST: f32 = 1e4;

fn is_sample(sample: f32) -> bool {
    sample.abs() <= LOUDEST
}

struct Run<'l> {
    info: StreamInfo,
    listener: &'l mut dyn Listener,
    /// Frames delivered.
    frames: u64,
    damaged: u64,
    first_damage: Option<String>,
    failures: u32,
    cancelled: bool,
    /// What follows in another rate or number of channels comes through here.
    adapter: Option<Adapter>,
    /// Frames of the source's own, in seconds, and what they were, for what is told.
    changes: u32,
}

/// Runs the source to its end, or until the listener breaks off. What `info` says of rate and
/// channels is corrected by the first audio.
pub(super) fn run(
    source: &mut dyn Source,
    info: StreamInfo,
    listener: &mut dyn Listener,
) -> Result<Decoded, DecodeError> {
    let mut run = Run {
        info,
        listener,
        frames: 0,
        damaged: 0,
        first_damage: None,
        failures: 0,
        cancelled: false,
        adapter: None,
        changes: 0,
    };
    loop {
        let stepping = &mut *source;
        let step = guard(move || stepping.next())?;
        let is_end = matches!(step, Step::End);
        let goes_on = run.take(step)? || (is_end && guard(|| source.go_on())?);
        if !goes_on {
            break;
        }
    }
    run.finish(source.ended_properly())
}

impl Run<'_> {
    /// Says whether to go on.
    fn take(&mut self, step: Step<'_>) -> Result<bool, DecodeError> {
        match step {
            Step::Audio(planes) => return self.deliver(&planes),
            Step::Damaged(frames, text) => self.note(frames, text),
            Step::Failed(text) => {
                self.note(1, text);
                self.failures += 1;
                return Ok(self.failures < MAX_FAILURES);
            }
            Step::Stop(text) => {
                self.note(1, text);
                return Ok(false);
            }
            Step::End => return Ok(false),
        }
        Ok(true)
    }

    fn note(&mut self, frames: u64, text: String) {
        self.damaged += frames;
        self.first_damage.get_or_insert(text);
    }

    fn deliver(&mut self, planes: &Planes<'_>) -> Result<bool, DecodeError> {
        self.failures = 0;
        let count = planes.slices[0].len() as u64;
        if count == 0 {
            return Ok(true);
        }
        if self.frames == 0 {
            // A length in seconds stays true where the headers were wrong about the rate.
            let stated = u128::from(self.info.sample_rate.max(1));
            self.info.expected_frames = self.info.expected_frames.and_then(|frames| {
                let frames = u128::from(frames) * u128::from(planes.sample_rate) / stated;
                u64::try_from(frames).ok()
            });
            self.info.sample_rate = planes.sample_rate;
            self.info.channels = u16::try_from(planes.channels).unwrap_or(u16::MAX);
            check(&self.info)?;
            self.listener.start(&self.info);
        }
        let shape = (planes.sample_rate, planes.channels);
        if shape != (self.info.sample_rate, usize::from(self.info.channels)) {
            return self.deliver_adapted(planes);
        }
        self.end_adapted()?;
        let slices = &planes.slices[..planes.channels];
        if self.info.codec == Codec::Pcm
            && self.info.integer_bits.is_none()
            && !slices
                .iter()
                .all(|plane| plane.iter().copied().all(is_sample))
        {
            let text = "samples that are no numbers of sound, heard as silence";
            self.note(1, text.to_owned());
            let silenced = |sample: f32| if is_sample(sample) { sample } else { 0.0 };
            let planes: Vec<Vec<f32>> = (slices.iter())
                .map(|plane| plane.iter().copied().map(silenced).collect())
                .collect();
            return Ok(self.hand_on(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>()));
        }
        Ok(self.hand_on(slices))
    }

    /// Brings what changed within the stream into the form that the stream began with.
    fn deliver_adapted(&mut self, planes: &Planes<'_>) -> Result<bool, DecodeError> {
        let from = (planes.sample_rate, planes.channels);
        if self
            .adapter
            .as_ref()
            .is_none_or(|adapter| adapter.from != from)
        {
            check_shape(
                planes.sample_rate,
                u16::try_from(planes.channels).unwrap_or(u16::MAX),
            )?;
            if !self.end_adapted()? {
                return Ok(false);
            }
            let to = (self.info.sample_rate, usize::from(self.info.channels));
            self.adapter = Some(Adapter::new(from, to)?);
            self.changes += 1;
        }
        let mut adapter = self
            .adapter
            .take()
            .expect("it was made above if it was not there");
        let adapted = adapter.push(&planes.slices[..planes.channels])?;
        let goes_on = self.hand_on(&adapted.iter().map(Vec::as_slice).collect::<Vec<_>>());
        self.adapter = Some(adapter);
        Ok(goes_on)
    }

    /// Hands on what the adapter still holds, when what it adapts has ended.
    fn end_adapted(&mut self) -> Result<bool, DecodeError> {
        match self.adapter.take() {
            Some(mut adapter) => {
                let rest = adapter.finish()?;
                Ok(self.hand_on(&rest.iter().map(Vec::as_slice).collect::<Vec<_>>()))
            }
            None => Ok(true),
        }
    }

    fn hand_on(&mut self, planes: &[&[f32]]) -> bool {
        let count = planes.first().map_or(0, |plane| plane.len()) as u64;
        if count == 0 || self.cancelled {
            return !self.cancelled;
        }
        let block = Block {
            planes,
            start: self.frames,
        };
        self.frames += count;
        self.cancelled = self.listener.block(&block).is_break();
        !self.cancelled
    }

    fn finish(mut self, ended_properly: bool) -> Result<Decoded, DecodeError> {
        self.end_adapted()?;
        if self.frames == 0 {
            let reason = self
                .first_damage
                .unwrap_or_else(|| "the file ends before any audio".to_owned());
            return Err(DecodeError::NoAudio(reason));
        }
        let tolerance = u64::from(self.info.sample_rate) / TRUNCATION_PART;
        let declared_frames = self.info.expected_frames;
        let is_short = declared_frames.is_some_and(|declared| declared > self.frames + tolerance);
        let truncated = (!self.cancelled && (is_short || !ended_properly)).then_some(Truncated {
            declared_frames,
            decoded_frames: self.frames,
        });
        Ok(Decoded {
            info: self.info,
            frames: self.frames,
            damaged_frames: self.damaged,
            first_damage: self.first_damage,
            truncated,
            cancelled: self.cancelled,
            changes: self.changes,
            decoder: None,
        })
    }
}
