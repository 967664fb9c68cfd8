//! Downmixing and resampling as Chromaprint does it, as a stream.
//!
//! Chromaprint takes 16-bit samples, averages the channels with integer
//! division, and resamples to 11,025 Hz by a polyphase filter: 256 phases of a
//! windowed sinc (Kaiser, beta 9), 16 taps stretched by the ratio, cut off at 0.8
//! of the lower rate, coefficients and results of 16 bits. The nearest earlier
//! phase is used, without interpolation. Written from that description.

use super::RATE;

/// Phases of the filter between two input samples.
const PHASES: usize = 256;

/// Taps of the filter at equal rates.
const TAPS: f64 = 16.0;

/// Cutoff, as a share of the lower rate's bandwidth.
const CUTOFF: f64 = 0.8;

/// Shape of the Kaiser window.
const BETA: f64 = 9.0;

/// Turns decoded audio into 16-bit mono at 11,025 Hz.
#[derive(Debug)]
pub struct Mono11k {
    truncates: bool,
    input: Vec<i16>,
    resampler: Option<Resampler>,
}

impl Mono11k {
    /// A converter for audio at `sample_rate` Hz.
    ///
    /// Integer samples of more than 16 bits are cut off, all others rounded: so
    /// does ffmpeg, which feeds `fpcalc`. `integer_bits` is `None` for lossy
    /// codecs and floating point.
    pub fn new(sample_rate: u32, integer_bits: Option<u8>) -> Self {
        Self {
            truncates: integer_bits.is_some_and(|bits| bits > 16),
            input: Vec::new(),
            resampler: (sample_rate != RATE).then(|| Resampler::new(sample_rate)),
        }
    }

    /// Takes in the next samples, one slice a channel, and appends what comes out to `out`.
    pub fn push(&mut self, planes: &[&[f32]], out: &mut Vec<i16>) {
        match &mut self.resampler {
            None => self.downmix_into(planes, out),
            Some(_) => {
                let mut input = std::mem::take(&mut self.input);
                self.downmix_into(planes, &mut input);
                self.input = input;
                if let Some(resampler) = &mut self.resampler {
                    resampler.run(&mut self.input, out);
                }
            }
        }
    }

    fn downmix_into(&self, planes: &[&[f32]], mono: &mut Vec<i16>) {
        let convert: fn(f32) -> i32 = if self.truncates { cut_off } else { round };
        match planes {
            [] => {}
            [one] => mono.extend(one.iter().map(|s| convert(*s) as i16)),
            [left, right] if self.truncates => {
                mono.extend(
                    left.iter()
                        .zip(*right)
                        .map(|(l, r)| ((cut_off(*l) + cut_off(*r)) / 2) as i16),
                );
            }
            [left, right] => {
                mono.extend(
                    left.iter()
                        .zip(*right)
                        .map(|(l, r)| ((round(*l) + round(*r)) / 2) as i16),
                );
            }
            [first, ..] => {
                let channels = planes.len() as i32;
                let at = |frame: usize| {
                    planes
                        .iter()
                        .map(|plane| convert(plane[frame]))
                        .sum::<i32>()
                        / channels
                };
                mono.extend((0..first.len()).map(|frame| at(frame) as i16));
            }
        }
    }
}

/// A sample in 16 bits, rounded half to even as `lrintf` does.
///
/// Adding and subtracting 1.5 * 2^23 leaves a number without a fraction, which
/// the compiler can do for many samples at once.
fn round(sample: f32) -> i32 {
    const MAGIC: f32 = 12_582_912.0;
    let scaled = (sample * 32_768.0).clamp(-32_768.0, 32_767.0);
    ((scaled + MAGIC) - MAGIC) as i32
}

/// A sample in 16 bits, what lies below them cut off.
fn cut_off(sample: f32) -> i32 {
    let scaled = (sample * 32_768.0).clamp(-32_768.0, 32_767.0);
    let truncated = scaled as i32;
    truncated - i32::from(scaled < truncated as f32)
}

/// The polyphase filter, at one place of its input.
#[derive(Debug)]
struct Resampler {
    /// One row of coefficients a phase, scaled by 2^15.
    filters: Vec<i16>,
    taps: usize,
    /// Samples before the first one that the filter reaches back to, already mirrored into the input.
    mirrored: bool,
    /// Position in the input of the filter's first tap, in phases.
    position: u64,
    /// Fraction of a phase, in units of 1/`RATE`.
    fraction: u64,
    /// Advance per output sample, in phases and fraction.
    step: (u64, u64),
}

impl Resampler {
    fn new(sample_rate: u32) -> Self {
        let factor = (f64::from(RATE) / f64::from(sample_rate) * CUTOFF).min(1.0);
        let taps = (TAPS / factor).ceil() as usize;
        let advance = u64::from(sample_rate) * PHASES as u64;
        Self {
            filters: filters(factor, taps),
            taps,
            mirrored: false,
            position: 0,
            fraction: 0,
            step: (advance / u64::from(RATE), advance % u64::from(RATE)),
        }
    }

    /// Consumes what it can of `input` and appends what comes out to `out`.
    fn run(&mut self, input: &mut Vec<i16>, out: &mut Vec<i16>) {
        let before = (self.taps - 1) / 2;
        if !self.mirrored {
            if input.len() <= before {
                return;
            }
            // The first output sample looks as far back as forward, into a mirror image.
            input.splice(0..0, std::iter::repeat_n(0, before));
            for i in 1..=before {
                input[before - i] = input[before + i];
            }
            self.mirrored = true;
        }
        loop {
            let at = (self.position / PHASES as u64) as usize;
            if at + self.taps > input.len() {
                break;
            }
            let phase = (self.position % PHASES as u64) as usize;
            let filter = &self.filters[phase * self.taps..][..self.taps];
            out.push(convolve(&input[at..at + self.taps], filter));
            self.advance();
        }
        let used = ((self.position / PHASES as u64) as usize).min(input.len());
        input.drain(..used);
        self.position -= used as u64 * PHASES as u64;
    }

    fn advance(&mut self) {
        self.position += self.step.0;
        self.fraction += self.step.1;
        if self.fraction >= u64::from(RATE) {
            self.fraction -= u64::from(RATE);
            self.position += 1;
        }
    }
}

/// One output sample. The coefficients of a phase sum up to 2^15, their
/// magnitudes to less than 2^16, so the sum stays within 32 bits.
fn convolve(samples: &[i16], filter: &[i16]) -> i16 {
    let sum: i32 = samples
        .iter()
        .zip(filter)
        .map(|(s, f)| i32::from(*s) * i32::from(*f))
        .sum();
    ((sum + (1 << 14)) >> 15).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

fn filters(factor: f64, taps: usize) -> Vec<i16> {
    let centre = ((taps - 1) / 2) as f64;
    let mut filters = Vec::with_capacity(PHASES * taps);
    for phase in 0..PHASES {
        let offset = phase as f64 / PHASES as f64;
        let row: Vec<f64> = (0..taps)
            .map(|tap| {
                let x = std::f64::consts::PI * (tap as f64 - centre - offset) * factor;
                let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
                let w = 2.0 * x / (factor * taps as f64 * std::f64::consts::PI);
                sinc * bessel(BETA * (1.0 - w * w).max(0.0).sqrt())
            })
            .collect();
        let sum: f64 = row.iter().sum();
        filters.extend(row.iter().map(|value| {
            (value / sum * 32_768.0)
                .round_ties_even()
                .clamp(-32_768.0, 32_767.0) as i16
        }));
    }
    filters
}

/// The modified Bessel function of the first kind and order zero, by its power series.
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..100 {
        term *= quarter / f64::from(k * k);
        sum += term;
        if term < sum * 1e-16 {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(samples: &[f32], rate: u32, block: usize) -> Vec<i16> {
        let mut converter = Mono11k::new(rate, None);
        let mut out = Vec::new();
        for block in samples.chunks(block) {
            converter.push(&[block], &mut out);
        }
        out
    }

    #[test]
    fn what_comes_out_does_not_depend_on_the_blocks() {
        let noise: Vec<f32> = (0..50_000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0)
            .collect();
        for rate in [8_000, 22_050, 44_100, 48_000, 96_000] {
            let whole = convert(&noise, rate, noise.len());
            assert!(
                whole
                    .len()
                    .abs_diff((50_000 * 11_025 / u64::from(rate)) as usize)
                    < 40
            );
            for block in [1, 77, 1152] {
                assert_eq!(
                    convert(&noise, rate, block),
                    whole,
                    "{rate} Hz, blocks of {block}"
                );
            }
        }
    }

    #[test]
    fn a_low_tone_passes_and_a_high_one_is_gone() {
        let tone = |hz: f32| -> Vec<f32> {
            (0..88_200)
                .map(|i| 0.5 * (i as f32 * hz * std::f32::consts::TAU / 44_100.0).sin())
                .collect()
        };
        let level = |samples: &[i16]| {
            let squares: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
            (squares / samples.len() as f64).sqrt() / 32_768.0
        };
        let low = level(&convert(&tone(440.0), 44_100, 1024));
        assert!((low - 0.5 / 2f64.sqrt()).abs() < 0.002, "{low}");
        assert!(level(&convert(&tone(9_000.0), 44_100, 1024)) < 0.0005);
    }

    #[test]
    fn samples_become_16_bits_as_ffmpeg_makes_them() {
        assert_eq!(round(0.5 / 32_768.0), 0);
        assert_eq!(round(1.5 / 32_768.0), 2);
        assert_eq!(round(2.0), 32_767);
        assert_eq!(round(-2.0), -32_768);
        assert_eq!(round(f32::NAN), 0);
        assert_eq!(cut_off(-0.25 / 32_768.0), -1);
        assert_eq!(cut_off(0.75 / 32_768.0), 0);
    }
}
