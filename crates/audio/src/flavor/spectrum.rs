//! The spectrum of a passage, 86 times a second: what its timbre and its onsets are made of.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use std::sync::LazyLock;

use realfft::num_complex::Complex;

use super::rhythm::Meter;
use crate::fingerprint::RATE;
use crate::frames::{Frames, Window};
use crate::vector::{Loop, widest};

/// Samples in a frame (46 ms) and between frames (11.6 ms).
const FRAME: usize = 512;
const HOP: usize = 128;

/// Frames in a second.
pub(super) const FRAMES_PER_SECOND: f64 = RATE as f64 / HOP as f64;

/// Mel bands from 40 Hz to the top.
pub(super) const MEL_BANDS: usize = 26;
const LOWEST_HERTZ: f64 = 40.0;

/// Coefficients of the cepstrum that describe the timbre; the first is the loudness of a frame.
pub(super) const CEPSTRUM: usize = 13;

/// Upper edges of the bands of the energy's distribution, in Hz; the last ends at 5,512 Hz.
pub(super) const BAND_EDGES: [f64; 7] = [80.0, 160.0, 315.0, 630.0, 1250.0, 2500.0, 4000.0];

/// Bands of the energy's distribution.
pub(super) const BANDS: usize = BAND_EDGES.len() + 1;

/// Every so many frames the timbre is taken; onsets need all of them.
const TIMBRE_EVERY: u64 = 4;

/// Frames that a hit takes to become loud (23 ms), and a bow or a breath (93 ms); and how much the second counts beside the
/// first. Of the settings tried these are the one that told no source of songs worse: see `BENCHMARKS.md`.
const RISE: usize = 2;
const SLOW_RISE: usize = 8;
const SLOW_SHARE: f32 = 0.5;

/// Frames with less energy than this are silence and have no timbre (some -80 dBFS).
const SILENT: f32 = 1e-6;

/// Mean and spread of a measure.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    count: u64,
    sum: f64,
    squares: f64,
}

impl Moments {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.squares += value * value;
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    pub(super) fn deviation(&self) -> f64 {
        let mean = self.mean();
        (self.squares / self.count.max(1) as f64 - mean * mean)
            .max(0.0)
            .sqrt()
    }
}

/// What the spectra of a passage sum up to.
pub(super) struct Spectrum {
    frames: Frames,
    pub(super) sums: Sums,
}

/// The sums themselves.
pub(super) struct Sums {
    power: Vec<f32>,
    frames: u64,
    /// How loud the bands were in the frames before, each in the place of its number.
    before: [[f32; MEL_BANDS]; SLOW_RISE],
    /// Told how much louder the bands have become since two frames ago, and, for the pulse, since [`SLOW_RISE`] frames ago.
    pub(super) meter: Meter,
    pub(super) cepstrum: [Moments; CEPSTRUM],
    pub(super) centroid: Moments,
    pub(super) rolloff: Moments,
    pub(super) flatness: Moments,
    pub(super) bands: [f64; BANDS],
}

impl Spectrum {
    pub(super) fn new() -> Self {
        Self {
            frames: Frames::new(FRAME, HOP, Window::Hann),
            sums: Sums::new(),
        }
    }

    /// Takes in the next samples, 1.0 being full scale.
    pub(super) fn push(&mut self, samples: &[f32]) {
        let sums = &mut self.sums;
        self.frames.push(samples, |bins| sums.frame(bins));
    }
}

impl Sums {
    fn new() -> Self {
        Self {
            power: vec![0.0; FRAME / 2 + 1],
            frames: 0,
            before: [[0.0; MEL_BANDS]; SLOW_RISE],
            meter: Meter::default(),
            cepstrum: [Moments::default(); CEPSTRUM],
            centroid: Moments::default(),
            rolloff: Moments::default(),
            flatness: Moments::default(),
            bands: [0.0; BANDS],
        }
    }

    fn frame(&mut self, bins: &[Complex<f32>]) {
        let mel = widest(Mel(bins, &mut self.power, &MELS));
        let loud = mel.map(|energy| (energy * 1e4 + 1.0).ln());
        let at = self.frames as usize;
        let rise_since = |frames: usize| -> f32 {
            let before = &self.before[(at + SLOW_RISE - frames) % SLOW_RISE];
            let rises = loud.iter().zip(before);
            rises.map(|(now, then)| (now - then).max(0.0)).sum()
        };
        if at >= RISE {
            let rise = rise_since(RISE);
            self.meter.push_novelty(rise);
            if at >= SLOW_RISE {
                let slow = SLOW_SHARE * rise_since(SLOW_RISE);
                self.meter.push_pulse(rise + slow);
            }
        }
        self.before[at % SLOW_RISE] = loud;
        if self.frames.is_multiple_of(TIMBRE_EVERY) {
            self.timbre(&mel);
        }
        self.frames += 1;
    }

    fn timbre(&mut self, mel: &[f32; MEL_BANDS]) {
        let total: f32 = self.power[1..].iter().sum();
        if total < SILENT {
            return;
        }
        let logs = mel.map(|energy| (energy + 1e-9).ln());
        for (moments, cosines) in self.cepstrum.iter_mut().zip(COSINES.iter()) {
            let value: f32 = logs
                .iter()
                .zip(cosines)
                .map(|(log, cosine)| log * cosine)
                .sum();
            moments.add(f64::from(value));
        }
        let hertz = |bin: usize| bin as f64 * f64::from(RATE) / FRAME as f64;
        let (mut weighted, mut sum, mut rolloff, mut band) = (0.0, 0.0, None, 0);
        let limit = f64::from(total) * 0.85;
        for (bin, power) in self.power.iter().enumerate().skip(1) {
            let (frequency, power) = (hertz(bin), f64::from(*power));
            weighted += frequency * power;
            sum += power;
            if rolloff.is_none() && sum >= limit {
                rolloff = Some(frequency);
            }
            while band < BAND_EDGES.len() && frequency > BAND_EDGES[band] {
                band += 1;
            }
            self.bands[band] += power;
        }
        self.centroid.add(weighted / sum);
        self.rolloff.add(rolloff.unwrap_or(0.0));
        let mean_log: f32 = logs.iter().sum::<f32>() / MEL_BANDS as f32;
        let log_mean = (mel.iter().sum::<f32>() / MEL_BANDS as f32 + 1e-9).ln();
        self.flatness.add(f64::from((mean_log - log_mean).exp()));
    }
}

/// A band of the mel scale: its first bin, and the weights of that and those behind it.
type Band = (usize, Vec<f32>);

/// The power of every bin, a full-scale sine having 1, and of every band.
struct Mel<'a>(&'a [Complex<f32>], &'a mut [f32], &'a [Band]);

/// A full-scale sine has a power of 1.
const SCALE: f32 = 16.0 / (FRAME * FRAME) as f32;

impl Loop for Mel<'_> {
    type Output = [f32; MEL_BANDS];

    #[inline(always)]
    fn run(self) -> [f32; MEL_BANDS] {
        let Self(bins, powers, bands) = self;
        for (power, bin) in powers.iter_mut().zip(bins) {
            *power = (bin.re * bin.re + bin.im * bin.im) * SCALE;
        }
        let mut mel = [0.0; MEL_BANDS];
        for (energy, (first, weights)) in mel.iter_mut().zip(bands) {
            *energy = weighted(weights, &powers[*first..]);
        }
        mel
    }
}

/// The sum of the products. Independent lanes let the compiler use vector instructions.
#[inline(always)]
fn weighted(weights: &[f32], powers: &[f32]) -> f32 {
    const LANES: usize = 4;
    let (groups, rest) = weights.as_chunks::<LANES>();
    let (powers, last) = powers[..weights.len()].as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (weights, powers) in groups.iter().zip(powers) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * powers[lane];
        }
    }
    let rest = rest.iter().zip(last).map(|(weight, power)| weight * power);
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}

/// The bands and the transform, made once for all passages.
static MELS: LazyLock<Vec<Band>> = LazyLock::new(mel_bands);
static COSINES: LazyLock<Vec<[f32; MEL_BANDS]>> = LazyLock::new(cosines);

/// Triangles on the mel scale (O'Shaughnessy): the first bin of each, and its weights.
fn mel_bands() -> Vec<Band> {
    let mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
    let hertz = |mel: f64| 700.0 * (10_f64.powf(mel / 2595.0) - 1.0);
    let (low, high) = (mel(LOWEST_HERTZ), mel(f64::from(RATE) / 2.0));
    let edge = |at: usize| hertz(low + (high - low) * at as f64 / (MEL_BANDS + 1) as f64);
    let bin = f64::from(RATE) / FRAME as f64;
    (0..MEL_BANDS)
        .map(|band| {
            let (from, middle, to) = (edge(band), edge(band + 1), edge(band + 2));
            let first = (from / bin).floor() as usize;
            let last = ((to / bin).ceil() as usize).min(FRAME / 2);
            let weights: Vec<f32> = (first..=last)
                .map(|at| {
                    // A band narrower than a bin takes its share of that bin.
                    let frequency = at as f64 * bin;
                    let rising = (frequency - from + bin / 2.0) / (middle - from + bin / 2.0);
                    let falling = (to + bin / 2.0 - frequency) / (to - middle + bin / 2.0);
                    rising.min(falling).clamp(0.0, 1.0) as f32
                })
                .collect();
            (first, weights)
        })
        .collect()
}

/// The discrete cosine transform that makes a cepstrum of mel bands.
fn cosines() -> Vec<[f32; MEL_BANDS]> {
    (0..CEPSTRUM)
        .map(|coefficient| {
            std::array::from_fn(|band| {
                let angle = std::f64::consts::PI * coefficient as f64 * (band as f64 + 0.5)
                    / MEL_BANDS as f64;
                (angle.cos() * (2.0 / MEL_BANDS as f64).sqrt()) as f32
            })
        })
        .collect()
}
