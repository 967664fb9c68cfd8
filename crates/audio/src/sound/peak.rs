//! The true peak: the greatest value of the wave between its samples (ITU-R BS.1770-4, annex 2).
//!
//! The wave is interpolated to four times its rate (twice from 96 kHz on) by a
//! windowed sinc of 24 taps a phase. Interpolation can only matter where the
//! samples themselves come near to the greatest peak: pieces 2 dB below the
//! greatest of the last seconds are left as they are.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use crate::fingerprint::bessel;
use crate::vector::{Loop, greatest_of, widest};

/// Taps of a phase: half before the point, half after it.
const TAPS: usize = 24;

/// Samples looked at together.
const PIECE: usize = 32;

/// A piece this much below the greatest peak is not interpolated (2 dB).
const NEAR: f32 = 1.26;

/// The greatest peak counts for this many seconds, so that every passage has its own.
const MEMORY_SECONDS: usize = 5;

/// The peak of one channel.
#[derive(Debug)]
pub(super) struct TruePeak {
    phases: Vec<[f32; TAPS]>,
    /// The last samples taken in, of which the first `TAPS` have been looked at.
    buffer: Vec<f32>,
    greatest: f32,
    since: usize,
    memory: usize,
}

impl TruePeak {
    pub(super) fn new(sample_rate: u32) -> Self {
        let factor = match sample_rate {
            0..96_000 => 4,
            96_000..192_000 => 2,
            _ => 1,
        };
        Self {
            phases: (1..factor)
                .map(|phase| coefficients(f64::from(phase) / f64::from(factor)))
                .collect(),
            buffer: vec![0.0; TAPS],
            greatest: 0.0,
            since: 0,
            memory: MEMORY_SECONDS * sample_rate as usize,
        }
    }

    /// Takes in samples and returns the greatest peak that they complete.
    pub(super) fn push(&mut self, samples: &[f32]) -> f32 {
        self.buffer.extend(
            samples
                .iter()
                .map(|sample| if sample.is_finite() { *sample } else { 0.0 }),
        );
        self.since += samples.len();
        if self.since > self.memory {
            self.since = 0;
            self.greatest = 0.0;
        }
        let (peak, done) = widest(Look(self));
        self.buffer.drain(..done);
        peak
    }

    /// The peak of what has not been looked at yet.
    pub(super) fn finish(&mut self) -> f32 {
        self.push(&[0.0; TAPS])
    }

    /// The peak of the points between samples `from + TAPS / 2` and `to + TAPS / 2` of the buffer.
    #[inline(always)]
    fn piece(&self, from: usize, to: usize) -> f32 {
        let samples = &self.buffer[from..to + TAPS];
        let near = loudest(samples);
        let own = loudest(&samples[TAPS / 2..TAPS / 2 + (to - from)]);
        if near * NEAR <= self.greatest {
            return own;
        }
        let mut padded = [0.0; PIECE + TAPS];
        padded[..samples.len()].copy_from_slice(samples);
        // Loops, since the closures of `fold` are not inlined.
        let mut peak = own;
        for taps in &self.phases {
            let between = interpolated(&padded, taps);
            peak = peak.max(loudest(&between[..to - from]));
        }
        peak
    }
}

/// Finds the peak of all samples whose surroundings are there, and how many those are.
struct Look<'a>(&'a mut TruePeak);

impl Loop for Look<'_> {
    type Output = (f32, usize);

    #[inline(always)]
    fn run(self) -> (f32, usize) {
        let Self(channel) = self;
        let done = channel.buffer.len().saturating_sub(TAPS);
        if loudest(&channel.buffer) * NEAR <= channel.greatest {
            // No piece would be interpolated.
            return (loudest(&channel.buffer[TAPS / 2..TAPS / 2 + done]), done);
        }
        let mut peak = 0.0_f32;
        let mut from = 0;
        while from + TAPS < channel.buffer.len() {
            let to = (from + PIECE).min(channel.buffer.len() - TAPS);
            peak = peak.max(channel.piece(from, to));
            channel.greatest = channel.greatest.max(peak);
            from = to;
        }
        (peak, from)
    }
}

#[inline(always)]
fn loudest(samples: &[f32]) -> f32 {
    greatest_of(samples, f32::abs)
}

/// The points of one phase, side by side: a tap is multiplied with all of them at once.
#[inline(always)]
fn interpolated(samples: &[f32; PIECE + TAPS], taps: &[f32; TAPS]) -> [f32; PIECE] {
    let mut points = [0.0; PIECE];
    for (from, tap) in taps.iter().enumerate() {
        for (point, sample) in points.iter_mut().zip(&samples[from..from + PIECE]) {
            *point += sample * tap;
        }
    }
    points
}

/// A sinc under a Kaiser window, for the point `fraction` of a sample after the tap in the middle.
fn coefficients(fraction: f64) -> [f32; TAPS] {
    const BETA: f64 = 6.0;
    let half = TAPS as f64 / 2.0;
    let taps: [f64; TAPS] = std::array::from_fn(|tap| {
        let x = tap as f64 - (half - 1.0) - fraction;
        let sinc = if x == 0.0 {
            1.0
        } else {
            (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
        };
        let place = (x / half).clamp(-1.0, 1.0);
        sinc * bessel(BETA * (1.0 - place * place).sqrt())
    });
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}
