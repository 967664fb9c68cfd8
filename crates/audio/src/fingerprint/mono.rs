//! Turns decoded blocks into 16-bit mono at 11,025 Hz.
//!
//! Chromaprint is given 16-bit samples by ffmpeg: scaled by 32,768, rounded to the nearest (even) one,
//! clipped; it averages two channels as integers, towards zero, and then resamples. Doing the same in
//! the same order is what makes fingerprints equal. More than two channels are mixed down before, by the
//! usual matrix (ITU-R BS.775: centre and surrounds at -3 dB, no LFE), scaled so that nothing clips.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use super::RATE;
use super::resample::Resampler;
use crate::polarity::{MAX_CHANNELS, Polarities};
use crate::vector::{Loop, widest};

/// Frames converted at a time, so that the parts in work stay in the nearest cache.
const PIECE: usize = 2048;

/// A streaming converter for one file.
#[derive(Debug)]
pub struct Mono11k {
    channels: usize,
    /// `None` at 11,025 Hz.
    resampler: Option<Resampler>,
    mixed: Vec<f32>,
    polarities: Polarities,
}

const CENTRE: f32 = std::f32::consts::FRAC_1_SQRT_2;
const SIDE: f32 = std::f32::consts::FRAC_1_SQRT_2 / 2.0;
/// Parts of front left, front right, centre, LFE, and so on, in the mixture, for 3 to 8
/// channels; and their sum.
const DOWNMIX: [(&[f32], f32); 6] = [
    (&[0.5, 0.5, CENTRE], 1.0 + CENTRE),
    (&[0.5, 0.5, SIDE, SIDE], 1.0 + CENTRE),
    (&[0.5, 0.5, CENTRE, SIDE, SIDE], 1.0 + 2.0 * CENTRE),
    (&[0.5, 0.5, CENTRE, 0.0, SIDE, SIDE], 1.0 + 2.0 * CENTRE),
    (
        &[0.5, 0.5, CENTRE, 0.0, SIDE, SIDE, SIDE],
        1.0 + 2.5 * CENTRE,
    ),
    (
        &[0.5, 0.5, CENTRE, 0.0, SIDE, SIDE, SIDE, SIDE],
        1.0 + 3.0 * CENTRE,
    ),
];

impl Mono11k {
    /// For audio of this rate (in Hz, at least 1,000) and number of channels (at least 1).
    pub fn new(sample_rate: u32, channels: u16) -> Self {
        let resampler = (sample_rate != RATE).then(|| Resampler::new(sample_rate));
        Self {
            channels: usize::from(channels),
            resampler,
            mixed: Vec::with_capacity(PIECE),
            polarities: Polarities::default(),
        }
    }

    /// Converts a block, one plane per channel with full scale at +-1.0, and appends what comes out to
    /// `out`. The output lags behind by 8 of its samples.
    pub fn push(&mut self, planes: &[&[f32]], out: &mut Vec<i16>) {
        let frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        for from in (0..frames).step_by(PIECE) {
            let to = (from + PIECE).min(frames);
            let pieces = planes
                .iter()
                .take(self.channels)
                .map(|plane| &plane[from..to]);
            let heard = &planes[..planes.len().min(self.channels)];
            let signs = self.polarities.signs(heard, from..to);
            match &mut self.resampler {
                Some(resampler) => {
                    mix(pieces, &signs, &mut self.mixed, resampler.input());
                    resampler.run(out);
                }
                None => mix(pieces, &signs, &mut self.mixed, out),
            }
        }
    }

    /// Ends the stream. Chromaprint makes nothing of the last half of its filter, so nothing is added;
    /// the call is there so that a caller need not know this.
    pub fn finish(&mut self, _out: &mut Vec<i16>) {
        self.resampler = None;
    }
}

/// Mixes the channels into one and appends it to `out`; each is multiplied by its sign.
fn mix<'a>(
    mut planes: impl ExactSizeIterator<Item = &'a [f32]>,
    signs: &[f32; MAX_CHANNELS],
    mixed: &mut Vec<f32>,
    out: &mut Vec<i16>,
) {
    let channels = planes.len();
    let (Some(first), second) = (planes.next(), planes.next()) else {
        return;
    };
    match (second, channels.checked_sub(3)) {
        (None, _) => out.extend(first.iter().map(|sample| to_16_bits(*sample) as i16)),
        (Some(second), None) => {
            let from = out.len();
            out.resize(from + first.len(), 0);
            widest(Averages(first, second, signs[1], &mut out[from..]));
        }
        (Some(second), Some(more)) => {
            let (parts, sum) = DOWNMIX[more.min(DOWNMIX.len() - 1)];
            mixed.clear();
            mixed.resize(first.len(), 0.0);
            let planes = [first, second].into_iter().chain(planes);
            for ((plane, part), sign) in planes.zip(parts).zip(signs) {
                for (value, sample) in mixed.iter_mut().zip(plane) {
                    *value += sample * (sign * part / sum);
                }
            }
            out.extend(mixed.iter().map(|sample| to_16_bits(*sample) as i16));
        }
    }
}

/// The averages of two channels, the second multiplied by a sign.
struct Averages<'a>(&'a [f32], &'a [f32], f32, &'a mut [i16]);

impl Loop for Averages<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(first, second, sign, out) = self;
        for ((average, left), right) in out.iter_mut().zip(first).zip(second) {
            *average = self::average(*left, sign * *right);
        }
    }
}

/// The average of two channels, towards zero.
#[inline(always)]
#[expect(
    clippy::manual_midpoint,
    reason = "16-bit values cannot overflow, and this is vectorised"
)]
fn average(left: f32, right: f32) -> i16 {
    ((to_16_bits(left) + to_16_bits(right)) / 2) as i16
}

/// Scales, clips and rounds to the nearest even number, without the branches of a cast.
#[inline(always)]
#[expect(clippy::manual_clamp, reason = "no sample may stay a NaN")]
fn to_16_bits(sample: f32) -> i32 {
    // Adding 1.5 * 2^23 leaves no bits for fractions: the sum's low bits are the rounded integer.
    const MAGIC: f32 = 12_582_912.0;
    let clipped = (sample * 32_768.0).max(-32_768.0).min(32_767.0);
    (clipped + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_round_to_even_and_clip() {
        let lsb = 1.0 / 32_768.0;
        for (sample, expected) in [
            (0.0, 0),
            (0.5 * lsb, 0),
            (1.5 * lsb, 2),
            (-1.5 * lsb, -2),
            (-2.4 * lsb, -2),
            (1.0, 32_767),
            (-1.0, -32_768),
            (7.5, 32_767),
            (f32::INFINITY, 32_767),
            (f32::NEG_INFINITY, -32_768),
        ] {
            assert_eq!(to_16_bits(sample), expected, "{sample}");
        }
        assert!((-32_768..=32_767).contains(&to_16_bits(f32::NAN)));
        for value in i16::MIN..=i16::MAX {
            assert_eq!(to_16_bits(f32::from(value) / 32_768.0), i32::from(value));
        }
    }

    fn converted(planes: &[&[f32]]) -> Vec<i16> {
        let mut out = Vec::new();
        let mut converter = Mono11k::new(RATE, planes.len() as u16);
        converter.push(planes, &mut out);
        converter.finish(&mut out);
        out
    }

    #[test]
    fn channels_are_averaged_towards_zero() {
        let lsb = 1.0 / 32_768.0;
        assert_eq!(converted(&[&[3.0 * lsb, -3.0 * lsb], &[0.0, 0.0]]), [1, -1]);
        assert_eq!(converted(&[&[0.5]]), [16_384]);
    }

    #[test]
    fn surround_is_mixed_by_the_usual_matrix() {
        let at = |channel: usize| -> i16 {
            let planes: Vec<Vec<f32>> = (0..6)
                .map(|n| vec![if n == channel { 1.0 } else { 0.0 }])
                .collect();
            let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
            converted(&planes)[0]
        };
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(at),
            [6786, 6786, 9598, 0, 4799, 4799]
        );
        assert_eq!(
            converted(&[&[1.0_f32][..]; 8]),
            [32_767],
            "all at once is full scale"
        );
    }

    #[test]
    fn blocks_longer_than_a_piece_are_whole() {
        let plane: Vec<f32> = (0..5000_i16).map(|n| f32::from(n) / 32_768.0).collect();
        let expected: Vec<i16> = (0..5000).collect();
        assert_eq!(converted(&[&plane, &plane]), expected);
    }
}
