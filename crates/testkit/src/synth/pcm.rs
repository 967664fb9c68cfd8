//! Sound in memory, and the plain kinds of it: silence, tone, noise, and pieces in a row.

use super::random::Random;
use super::wave::{Table, decibels};

/// Interleaved samples, full scale at 1.0.
#[derive(Debug, Clone, PartialEq)]
pub struct Pcm {
    /// Frames per second.
    pub rate: u32,
    /// Samples per frame.
    pub channels: u16,
    /// `frames() * channels` samples.
    pub samples: Vec<f32>,
}

impl Pcm {
    /// Returns the number of frames, that is samples per channel.
    pub fn frames(&self) -> u64 {
        self.samples.len() as u64 / u64::from(self.channels.max(1))
    }

    /// Returns the length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.rate)
    }

    /// Multiplies every sample by `factor`.
    #[must_use]
    pub fn scaled(mut self, factor: f32) -> Self {
        for sample in &mut self.samples {
            *sample *= factor;
        }
        self
    }
}

/// Returns the number of samples in `seconds` of sound.
pub(crate) fn sample_count(seconds: f64, rate: u32, channels: u16) -> usize {
    (seconds * f64::from(rate)).round() as usize * usize::from(channels)
}

/// Returns digital silence: every sample is exactly zero.
pub fn silence(seconds: f64, rate: u32, channels: u16) -> Pcm {
    let samples = vec![0.0; sample_count(seconds, rate, channels)];
    Pcm {
        rate,
        channels,
        samples,
    }
}

/// Returns white noise whose RMS lies at `dbfs`, different in each channel.
pub fn noise(seed: u64, dbfs: f32, seconds: f64, rate: u32, channels: u16) -> Pcm {
    let mut random = Random::new(seed);
    // Evenly spread noise has an RMS of its peak divided by the root of three.
    let gain = decibels(dbfs) * 3.0f32.sqrt();
    let count = sample_count(seconds, rate, channels);
    let samples = (0..count).map(|_| random.noise() * gain).collect();
    Pcm {
        rate,
        channels,
        samples,
    }
}

/// Returns a sine of `hertz` whose peak lies at `dbfs`, the same in each channel.
pub fn tone(hertz: f64, dbfs: f32, seconds: f64, rate: u32, channels: u16) -> Pcm {
    let sine = Table::sine();
    let gain = decibels(dbfs);
    let step = hertz / f64::from(rate);
    let frames = sample_count(seconds, rate, 1);
    let mut samples = Vec::with_capacity(frames * usize::from(channels));
    let mut phase = 0.0;
    for _ in 0..frames {
        let value = sine.at(phase) * gain;
        samples.extend(std::iter::repeat_n(value, usize::from(channels)));
        phase += step;
        phase -= phase.floor();
    }
    Pcm {
        rate,
        channels,
        samples,
    }
}

/// Puts the pieces in a row with `gap` seconds of digital silence between them.
///
/// # Panics
///
/// When there is no piece, or when the pieces differ in rate or channels.
pub fn concatenate(pieces: &[Pcm], gap: f64) -> Pcm {
    let first = pieces.first().expect("there is at least one piece");
    let pause = sample_count(gap, first.rate, first.channels);
    let mut whole = Pcm {
        samples: Vec::new(),
        ..*first
    };
    for (index, piece) in pieces.iter().enumerate() {
        assert_eq!(
            (piece.rate, piece.channels),
            (first.rate, first.channels),
            "piece {index} differs in format"
        );
        if index > 0 {
            whole.samples.resize(whole.samples.len() + pause, 0.0);
        }
        whole.samples.extend_from_slice(&piece.samples);
    }
    whole
}
