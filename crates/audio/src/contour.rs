//! What boundaries are looked for in: a level that clicks and rumble do not move, and a coarse picture of the timbre.
//!
//! The level of 20 ms is the median of eight pieces of it, A-weighted: a click fills one or two of
//! them, and the weighting takes 30 dB off the rumble of a turntable at 50 Hz and all of a constant. It adds the
//! energies of middle and side, so a stereo recording with one channel inverted is as loud as it was.
//! The timbre is one spectrum of 93 ms after the other: eight bands, twelve pitch classes and how tonal it is, a byte
//! each. Together that is some 380 bytes a second, 14 MB for ten hours.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use std::sync::LazyLock;

use realfft::num_complex::Complex;
use serde::{Deserialize, Serialize};

use crate::fingerprint::RATE;
use crate::frames::{Frames, Window};
use crate::vector::{Loop, widest};

/// Levels are not told apart below this, in hundredths of dBFS: the A-weighted dither of 16 bits lies at -98 dBFS.
pub(crate) const FLOOR: i16 = -11_000;

/// Samples of a spectrum, at 11,025 Hz: 93 ms, bins of 10.8 Hz.
const FRAME: usize = 1024;

/// Spectra in a second.
pub(crate) const SPECTRA_PER_SECOND: f64 = RATE as f64 / FRAME as f64;

/// Bands of a spectrum.
pub(crate) const BANDS: usize = 8;

/// Lower edges of the bands in Hz, about an octave apart; the last ends at 5,512 Hz.
const EDGES: [f64; BANDS] = [60.0, 150.0, 300.0, 600.0, 1000.0, 1600.0, 2500.0, 3800.0];

/// Pitch classes are taken from here to here, in Hz: below, a bin is wider than a semitone; above, overtones prevail.
const PITCHED: std::ops::Range<f64> = 180.0..2000.0;

/// Steps of a byte in a decibel, in the bands.
const STEPS: f32 = 2.0;

/// What a byte of 0 stands for, in dB below a full-scale sine.
const LOWEST_DB: f32 = -110.0;

/// Where in a timbre its tonality lies.
pub(crate) const TONALITY: usize = BANDS + 12;

/// The tonality is that of the bands from this one on, of 300 Hz and more: below are the strongest harmonics of mains hum,
/// and too few bins to tell a tone from noise.
const FIRST_TONAL: usize = 2;

/// Steps of a byte in a decibel, of the tonality: 255 stands for 25.5 dB, and the 160 bins of the widest band with all of
/// its energy in one of them have 22 dB.
const TONALITY_STEPS: f32 = 10.0;

/// Eight bands in half decibels above -110 dB, twelve pitch classes as shares of 255, and the tonality: how far the
/// strongest bin of a band stands above its mean, in tenths of a decibel, as the mean over the bands. Noise has
/// about 7 dB, whatever its level and colour.
pub type Timbre = [u8; TONALITY + 1];

/// The contour of a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Contour {
    /// Level every 20 ms, in hundredths of dBFS.
    pub levels: Vec<i16>,
    /// Share of the side in the energy of every 20 ms, 255 being all: 0 is mono, 128 is two unrelated channels.
    pub widths: Vec<u8>,
    /// A spectrum every 93 ms.
    pub spectra: Vec<Timbre>,
}

/// A level from a mean square.
pub(crate) fn level(mean_square: f64) -> i16 {
    if mean_square > 0.0 {
        (1000.0 * mean_square.log10()).clamp(f64::from(FLOOR), 32_000.0) as i16
    } else {
        FLOOR
    }
}

/// Mean squares from levels.
pub(crate) fn mean_squares(levels: &[i16]) -> Vec<f32> {
    levels
        .iter()
        .map(|level| 10_f32.powf(f32::from(*level) / 1000.0))
        .collect()
}

/// Makes spectra of 11,025 Hz mono.
pub(crate) struct Spectra {
    frames: Frames,
    samples: Vec<f32>,
}

/// Bins that follow each other, from the first to the one after the last, and what they belong to.
type Run = (usize, usize, usize);

/// The bins of every band.
static BAND_RUNS: LazyLock<Vec<Run>> =
    LazyLock::new(|| runs(|hertz| EDGES.iter().rposition(|edge| hertz >= *edge)));

/// The bins of every pitch class.
static CLASS_RUNS: LazyLock<Vec<Run>> = LazyLock::new(|| {
    runs(|hertz| {
        PITCHED.contains(&hertz).then(|| {
            // C of any octave is class 0; A is 440 Hz.
            let semitones = 12.0 * (hertz / 440.0).log2() + 9.0;
            semitones.round().rem_euclid(12.0) as usize
        })
    })
});

fn runs(belongs_to: impl Fn(f64) -> Option<usize>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for bin in 0..=FRAME / 2 {
        let hertz = bin as f64 * f64::from(RATE) / FRAME as f64;
        let Some(of) = belongs_to(hertz) else {
            continue;
        };
        match runs.last_mut() {
            Some(last) if last.1 == bin && last.2 == of => last.1 = bin + 1,
            _ => runs.push((bin, bin + 1, of)),
        }
    }
    runs
}

impl std::fmt::Debug for Spectra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spectra").finish_non_exhaustive()
    }
}

impl Spectra {
    pub(crate) fn new() -> Self {
        Self {
            frames: Frames::new(FRAME, FRAME, Window::Hann),
            samples: Vec::new(),
        }
    }

    /// Takes in the next samples and appends the spectra that are whole.
    pub(crate) fn push(&mut self, samples: &[i16], out: &mut Vec<Timbre>) {
        self.samples.clear();
        self.samples
            .extend(samples.iter().map(|sample| f32::from(*sample) / 32_768.0));
        self.frames
            .push(&self.samples, |spectrum| out.push(timbre(spectrum)));
    }
}

fn timbre(spectrum: &[Complex<f32>]) -> Timbre {
    let mut powers = [0.0_f32; FRAME / 2 + 1];
    widest(Powers(spectrum, &mut powers));
    let (mut bands, mut classes) = ([0.0_f32; BANDS], [0.0_f32; 12]);
    let mut strongest = [0.0_f32; BANDS];
    for (from, to, band) in BAND_RUNS.iter() {
        let (mut sum, mut most) = (0.0, 0.0);
        for power in &powers[*from..*to] {
            sum += power;
            most = if *power > most { *power } else { most };
        }
        (bands[*band], strongest[*band]) = (sum, most);
    }
    for (from, to, class) in CLASS_RUNS.iter() {
        let class = &mut classes[*class];
        for power in &powers[*from..*to] {
            *class += power;
        }
    }
    let all: f32 = classes.iter().sum::<f32>().max(1e-12);
    let mut timbre = [0; TONALITY + 1];
    for (byte, power) in timbre.iter_mut().zip(bands) {
        *byte = ((10.0 * power.max(1e-12).log10() - LOWEST_DB) * STEPS) as u8;
    }
    for (byte, power) in timbre[BANDS..].iter_mut().zip(classes) {
        *byte = (255.0 * power / all) as u8;
    }
    timbre[TONALITY] = (tonality(&strongest, &bands) * TONALITY_STEPS) as u8;
    timbre
}

/// The powers of bins; a full-scale sine has 1.
struct Powers<'a>(&'a [Complex<f32>], &'a mut [f32]);

/// A full-scale sine has a power of 1.
const SCALE: f32 = 16.0 / (FRAME * FRAME) as f32;

impl Loop for Powers<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (power, bin) in self.1.iter_mut().zip(self.0) {
            *power = (bin.re * bin.re + bin.im * bin.im) * SCALE;
        }
    }
}

/// How far the strongest bins of the bands stand above the bands' means, in dB; 0 where nothing sounds.
fn tonality(strongest: &[f32; BANDS], bands: &[f32; BANDS]) -> f32 {
    // Ratios are multiplied, so that there is one logarithm.
    let mut product = 1.0_f32;
    for band in FIRST_TONAL..BANDS {
        if bands[band] > 1e-12 {
            let (from, to, _) = BAND_RUNS[band];
            product *= strongest[band] * (to - from) as f32 / bands[band];
        }
    }
    (10.0 * product.log10() / (BANDS - FIRST_TONAL) as f32).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean tonality of five seconds, in dB.
    fn tonality_of(mut sample: impl FnMut(f32) -> f32) -> f32 {
        let samples: Vec<i16> = (0..5 * RATE)
            .map(|at| (32_768.0 * sample(at as f32 / RATE as f32)).round() as i16)
            .collect();
        let mut spectra = Vec::new();
        Spectra::new().push(&samples, &mut spectra);
        let sum: f32 = spectra.iter().map(|s| f32::from(s[TONALITY])).sum();
        sum / (TONALITY_STEPS * spectra.len() as f32)
    }

    #[test]
    fn noise_of_any_level_and_colour_is_less_tonal_than_a_chord_within_it() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut low = 0.0;
        let mut noise = |level: f32, colour: f32| {
            low += colour * (rng.f32() - 0.5 - low);
            level * low
        };
        for (level, colour) in [(0.5, 1.0), (0.01, 1.0), (0.2, 0.05), (0.003, 0.3)] {
            let tonality = tonality_of(|_| noise(level, colour));
            assert!(
                (6.0..7.5).contains(&tonality),
                "noise of {level}, coloured {colour}, has {tonality} dB"
            );
        }
        let chord = |at: f32| {
            let notes = [440.0, 554.4, 659.3, 1318.5, 2637.0, 5274.0];
            let sum: f32 = notes
                .iter()
                .map(|hertz| (std::f32::consts::TAU * hertz * at).sin())
                .sum();
            0.02 * sum
        };
        // 40 dB of each note to the bin, less what the window takes.
        assert!(tonality_of(chord) > 12.0);
        let buried = tonality_of(|at| chord(at) + noise(0.2, 1.0));
        assert!(buried > 8.0, "a chord under noise has {buried} dB");
        assert!(tonality_of(|_| 0.0) < 0.1);
    }
}
