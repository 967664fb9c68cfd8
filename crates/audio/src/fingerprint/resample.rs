//! Resamples 16-bit mono to 11,025 Hz with the response of Chromaprint's resampler.
//!
//! A fingerprint bit flips where two energies are nearly equal, so a resampler that is merely as good
//! is not enough: this has the same filter, the same rounding and the same behaviour at the beginning.
//! The filter is a sinc under a Kaiser window of beta 9 (J. F. Kaiser, 1974), cut off at 0.8 of the
//! lower Nyquist frequency, 16 zero crossings long, tabulated at 256 phases between two input samples
//! without interpolation, in 16-bit coefficients whose sum is one. Before the first sample the signal is
//! mirrored; outputs that would need samples after the last one are not made.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use std::f64::consts::PI;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::RATE;
use crate::vector::{Loop, widest};

const PHASES: u64 = 256;
const CUTOFF: f64 = 0.8;
const CROSSINGS: f64 = 16.0;
const BETA: f64 = 9.0;
/// Coefficients are integers; this one is 1.0.
const ONE: f64 = 32_768.0;
/// Products summed at a time.
const LANES: usize = 32;
/// Taps of 44.1 and 48 kHz in whole groups, which are summed at once.
const USUAL: usize = 96;
/// Input samples kept before the buffer is moved.
const SLACK: usize = 1 << 14;

/// Banks that are kept for the next file: the rates of one collection are few, and those of an odd one take turns.
const KEPT_BANKS: usize = 8;
/// Longer filters, those of rates above 768 kHz, are made for one file each: 8 banks of this length are 6 MB.
const MOST_KEPT_TAPS: usize = 1_400;

/// The filter for one rate.
#[derive(Debug)]
struct Bank {
    rate: u32,
    /// Of low-pass, in cycles per input sample, times two.
    factor: f64,
    taps: usize,
    /// Coefficients by phase, made when first used: a ratio of 4 needs a single phase.
    phases: Vec<OnceLock<Vec<i16>>>,
}

impl Bank {
    fn new(rate: u32) -> Self {
        let factor = (f64::from(RATE) * CUTOFF / f64::from(rate)).min(1.0);
        Self {
            rate,
            factor,
            taps: ((CROSSINGS / factor).ceil() as usize).max(1),
            phases: (0..PHASES).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The one that other files of this rate use too.
    fn shared(rate: u32) -> Arc<Self> {
        static BANKS: Mutex<Vec<Arc<Bank>>> = Mutex::new(Vec::new());
        let mut banks = BANKS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bank) = banks.iter().find(|bank| bank.rate == rate) {
            return Arc::clone(bank);
        }
        let bank = Arc::new(Self::new(rate));
        if bank.taps <= MOST_KEPT_TAPS {
            if banks.len() == KEPT_BANKS {
                banks.remove(0);
            }
            banks.push(Arc::clone(&bank));
        }
        bank
    }

    /// The coefficients of a phase, in whole groups of [`LANES`].
    fn phase(&self, phase: u64) -> &[i16] {
        self.phases[phase as usize].get_or_init(|| {
            let mut taps = coefficients(phase, self.taps, self.factor);
            taps.resize(self.taps.next_multiple_of(LANES), 0);
            taps
        })
    }
}

/// A streaming resampler from one rate.
#[derive(Debug)]
pub(super) struct Resampler {
    bank: Arc<Bank>,
    /// Input not yet done with; before the beginning is complete, without the mirrored part.
    buffer: Vec<i16>,
    /// Index in the buffer of the next output's first tap.
    next: usize,
    /// Position between two input samples, in phases, and its remainder in parts of `RATE`.
    phase: u64,
    remainder: u64,
    /// Advance per output, in phases, and its remainder.
    step: u64,
    step_remainder: u64,
    begun: bool,
}

impl Resampler {
    /// `rate` is the input's, in Hz, not [`RATE`] itself.
    pub(super) fn new(rate: u32) -> Self {
        let advance = u64::from(rate) * PHASES;
        Self {
            bank: Bank::shared(rate),
            buffer: Vec::new(),
            next: 0,
            phase: 0,
            remainder: 0,
            step: advance / u64::from(RATE),
            step_remainder: advance % u64::from(RATE),
            begun: false,
        }
    }

    /// Where the next input goes; call [`run`](Self::run) after appending.
    pub(super) fn input(&mut self) -> &mut Vec<i16> {
        &mut self.buffer
    }

    /// Appends all outputs to `out` for which there is input.
    pub(super) fn run(&mut self, out: &mut Vec<i16>) {
        widest(Filter(self, out));
    }

    #[inline(always)]
    fn filter(&mut self, out: &mut Vec<i16>) {
        if !self.begun && !self.begin() {
            return;
        }
        let Some(last) = self.buffer.len().checked_sub(self.bank.taps) else {
            return;
        };
        let (mut next, mut phase, mut remainder) = (self.next, self.phase, self.remainder);
        while next <= last {
            let taps = self.bank.phase(phase);
            let end = (next + taps.len()).min(self.buffer.len());
            out.push(weigh(&self.buffer[next..end], taps));
            remainder += self.step_remainder;
            phase += self.step;
            if remainder >= u64::from(RATE) {
                remainder -= u64::from(RATE);
                phase += 1;
            }
            next += (phase / PHASES) as usize;
            phase %= PHASES;
        }
        (self.next, self.phase, self.remainder) = (next, phase, remainder);
        if self.next >= SLACK {
            let done = self.next.min(self.buffer.len());
            self.buffer.drain(..done);
            self.next -= done;
        }
    }

    /// Puts the mirrored beginning in front, as soon as there is enough to mirror.
    fn begin(&mut self) -> bool {
        let before = (self.bank.taps - 1) / 2;
        if self.buffer.len() < self.bank.taps {
            return false;
        }
        let mirrored: Vec<i16> = self.buffer[1..=before].iter().rev().copied().collect();
        self.buffer.splice(..0, mirrored);
        self.begun = true;
        true
    }
}

/// Makes all outputs for which there is input.
struct Filter<'a>(&'a mut Resampler, &'a mut Vec<i16>);

impl Loop for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.filter(self.1);
    }
}

/// One output. The taps fill whole groups of [`LANES`], with zeros; the input may end before them.
#[inline(always)]
fn weigh(input: &[i16], taps: &[i16]) -> i16 {
    let sum = match (input.first_chunk(), taps.first_chunk()) {
        (Some(input), Some(known)) if taps.len() == USUAL => dot::<USUAL>(input, known),
        _ => by_groups(input, taps),
    };
    ((sum + (1 << 14)) >> 15).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// The sum of the products. Over arrays of known size it becomes a handful of multiply-and-add instructions; loops, since
/// the closures of `fold` and `sum` are not inlined, and so not compiled for wide vectors.
#[inline(always)]
fn dot<const N: usize>(input: &[i16; N], taps: &[i16; N]) -> i32 {
    const SIDE_BY_SIDE: usize = 16;
    let mut sums = [0; SIDE_BY_SIDE];
    let (input, _) = input.as_chunks::<SIDE_BY_SIDE>();
    let (taps, _) = taps.as_chunks::<SIDE_BY_SIDE>();
    for (input, taps) in input.iter().zip(taps) {
        for at in 0..SIDE_BY_SIDE {
            sums[at] += i32::from(input[at]) * i32::from(taps[at]);
        }
    }
    let mut sum = 0;
    for part in sums {
        sum += part;
    }
    sum
}

#[inline(always)]
fn by_groups(input: &[i16], taps: &[i16]) -> i32 {
    let (groups, rest) = input.as_chunks::<LANES>();
    let (whole, _) = taps.as_chunks::<LANES>();
    let mut sum = 0;
    for (input, taps) in groups.iter().zip(whole) {
        sum += dot(input, taps);
    }
    for (sample, tap) in rest.iter().zip(&taps[groups.len() * LANES..]) {
        sum += i32::from(*sample) * i32::from(*tap);
    }
    sum
}

fn coefficients(phase: u64, taps: usize, factor: f64) -> Vec<i16> {
    let centre = ((taps - 1) / 2) as f64 + phase as f64 / PHASES as f64;
    let shape: Vec<f64> = (0..taps)
        .map(|tap| {
            let x = PI * (tap as f64 - centre) * factor;
            let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
            let w = 2.0 * x / (factor * taps as f64 * PI);
            sinc * bessel(BETA * (1.0 - w * w).max(0.0).sqrt())
        })
        .collect();
    let sum: f64 = shape.iter().sum();
    let scaled = |value: f64| (value * ONE / sum).round_ties_even().clamp(-ONE, ONE - 1.0) as i16;
    shape.into_iter().map(scaled).collect()
}

/// The modified Bessel function of the first kind and order zero, by its power series.
pub(crate) fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut index) = (1.0, 1.0, 1.0);
    while term > sum * f64::EPSILON {
        term *= quarter / (index * index);
        sum += term;
        index += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resample(rate: u32, input: &[i16], piece: usize) -> Vec<i16> {
        let (mut resampler, mut out) = (Resampler::new(rate), Vec::new());
        for part in input.chunks(piece) {
            resampler.input().extend_from_slice(part);
            resampler.run(&mut out);
        }
        out
    }

    #[test]
    fn filter_has_unit_gain_and_the_described_length() {
        for (rate, taps) in [
            (44_100, 80),
            (48_000, 88),
            (96_000, 175),
            (8_000, 16),
            (22_050, 40),
        ] {
            let resampler = Resampler::new(rate);
            assert_eq!(resampler.bank.taps, taps, "{rate} Hz");
            for phase in [0, 100, 255] {
                let sum: i32 = coefficients(phase, taps, resampler.bank.factor)
                    .iter()
                    .map(|tap| i32::from(*tap))
                    .sum();
                assert!((sum - 32_768).abs() < 32, "{rate} Hz, phase {phase}: {sum}");
            }
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same() {
        let input: Vec<i16> = (0..100_000_i64)
            .map(|n| ((n * n / 7) % 20_000 - 10_000) as i16)
            .collect();
        for rate in [8_000, 44_100, 48_000, 192_000] {
            let whole = resample(rate, &input, input.len());
            assert_eq!(whole, resample(rate, &input, 37), "{rate} Hz");
            let expected = input.len() as u64 * u64::from(RATE) / u64::from(rate);
            assert!(
                (expected - 16..=expected).contains(&(whole.len() as u64)),
                "{}",
                whole.len()
            );
        }
    }

    #[test]
    fn a_tone_stays_in_place() {
        let tone = |rate: f64, count: usize| -> Vec<i16> {
            let value =
                |n: usize| (20_000.0 * (2.0 * PI * 440.0 * n as f64 / rate).cos()).round() as i16;
            (0..count).map(value).collect()
        };
        for rate in [22_050, 44_100, 48_000, 96_000] {
            let out = resample(rate, &tone(f64::from(rate), rate as usize), 1000);
            let expected = tone(f64::from(RATE), out.len());
            let worst = out
                .iter()
                .zip(&expected)
                .skip(20)
                .map(|(a, b)| (a - b).abs())
                .max();
            assert!(worst < Some(40), "{rate} Hz: {worst:?}");
        }
    }

    #[test]
    fn too_little_input_gives_nothing() {
        assert!(resample(44_100, &[1000; 79], 10).is_empty());
        assert_eq!(resample(44_100, &[1000; 81], 10), [1000; 11]);
    }
}
