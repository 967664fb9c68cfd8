//! Keeps two channels from cancelling each other out when they are mixed into one.
//!
//! A cable soldered the wrong way makes one channel the negative of the other: played on two loudspeakers that is music,
//! added up it is silence. Where that is so the second channel is turned round before it is added. All other
//! music is mixed as ever. Of surround, each pair of left and right is looked at.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use crate::vector::{Loop, sum_of_pairs, widest};

/// The most channels that are looked at: 7.1.
pub(crate) const MAX_CHANNELS: usize = 8;

/// Pairs of left and right among channels in the order of WAVE, by the number of channels.
const PAIRS: [&[(usize, usize)]; MAX_CHANNELS + 1] = [
    &[],
    &[],
    &[(0, 1)],
    &[(0, 1)],
    &[(0, 1), (2, 3)],
    &[(0, 1), (3, 4)],
    &[(0, 1), (4, 5)],
    &[(0, 1), (5, 6)],
    &[(0, 1), (4, 5), (6, 7)],
];

/// Remembers how the channels of each pair of a stream stand to each other.
#[derive(Debug, Default)]
pub(crate) struct Polarities([Polarity; 3]);

impl Polarities {
    /// What each channel is to be multiplied by before they are added: 1, or -1.
    pub(crate) fn signs(
        &mut self,
        planes: &[&[f32]],
        range: std::ops::Range<usize>,
    ) -> [f32; MAX_CHANNELS] {
        let mut signs = [1.0; MAX_CHANNELS];
        let pairs = PAIRS.get(planes.len()).copied().unwrap_or_default();
        for ((left, right), polarity) in pairs.iter().zip(&mut self.0) {
            let channel = |at: usize| &planes[at][range.clone()];
            signs[*right] = polarity.sign(channel(*left), channel(*right));
        }
        signs
    }
}

/// The sum has so much less energy than the difference where channels are each other's negative: -13 dB. Stereo
/// effects of real records stay above -6 dB.
const INVERTED: f32 = 0.05;

/// From here on they are taken for ordinary again: the sum has clearly more energy, by 1.8 dB, which unrelated noise has
/// not. In the pauses of a record or a tape with a channel turned round there is nothing else, and were they mixed
/// otherwise than its music, the end of each track would be cancelled as soon as the noise came through.
const ORDINARY: f32 = 1.5;

/// What stays of the energies seen before at each call, a few hundred to 2,048 frames long: half a second and more are
/// remembered.
const MEMORY: f32 = 0.9;

/// Remembers how the two channels of a stream stand to each other.
#[derive(Debug, Default)]
struct Polarity {
    sum: f32,
    difference: f32,
    is_inverted: bool,
}

impl Polarity {
    /// What the second channel is to be multiplied by before it is added to the first: 1, or -1.
    fn sign(&mut self, first: &[f32], second: &[f32]) -> f32 {
        let (sum, difference) = widest(Energies(first, second));
        if !(sum + difference).is_finite() {
            return if self.is_inverted { -1.0 } else { 1.0 };
        }
        self.sum = self.sum * MEMORY + sum;
        self.difference = self.difference * MEMORY + difference;
        let limit = if self.is_inverted { ORDINARY } else { INVERTED };
        self.is_inverted = self.sum < limit * self.difference;
        if self.is_inverted { -1.0 } else { 1.0 }
    }
}

/// The energies of the sum and of the difference of two channels.
struct Energies<'a>(&'a [f32], &'a [f32]);

impl Loop for Energies<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn run(self) -> (f32, f32) {
        let Self(first, second) = self;
        (
            sum_of_pairs(first, second, |a, b| (a + b) * (a + b)),
            sum_of_pairs(first, second, |a, b| (a - b) * (a - b)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_cancel_is_turned_round() {
        let tone: Vec<f32> = (0..2048).map(|n| (n as f32 * 0.05).sin()).collect();
        let other: Vec<f32> = (0..2048).map(|n| (n as f32 * 0.11).sin()).collect();
        let negative: Vec<f32> = tone.iter().map(|sample| -sample).collect();
        let silence = vec![0.0; 2048];
        for (second, sign) in [
            (&tone, 1.0),
            (&other, 1.0),
            (&silence, 1.0),
            (&negative, -1.0),
        ] {
            assert_eq!(
                Polarity::default().sign(&tone, second).to_bits(),
                f32::to_bits(sign)
            );
        }
        assert_eq!(
            Polarity::default().sign(&silence, &silence).to_bits(),
            1.0_f32.to_bits()
        );
        assert_eq!(
            Polarity::default().sign(&[f32::NAN], &[1.0]).to_bits(),
            1.0_f32.to_bits()
        );
    }

    #[test]
    fn noise_between_the_tracks_changes_nothing_and_music_in_phase_does() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut noise = || -> Vec<f32> { (0..882).map(|_| 0.05 * (rng.f32() - 0.5)).collect() };
        let tone: Vec<f32> = (0..882).map(|n| (n as f32 * 0.05).sin()).collect();
        let negative: Vec<f32> = tone.iter().map(|sample| -sample).collect();
        let mut polarity = Polarity::default();
        let mut is_turned = |first: &[f32], second: &[f32]| polarity.sign(first, second) < 0.0;
        assert!(!is_turned(&noise(), &noise()));
        assert!(is_turned(&tone, &negative));
        assert!((0..200).all(|_| is_turned(&noise(), &noise())));
        assert!(is_turned(&tone, &negative));
        let half: Vec<f32> = tone.iter().map(|sample| 0.5 * sample).collect();
        let turned = (0..50).filter(|_| is_turned(&tone, &half)).count();
        assert!(turned < 50, "music in phase is mixed as ever");
        assert!(!is_turned(&tone, &half));
    }

    #[test]
    fn each_pair_of_surround_is_turned_by_itself() {
        let tone: Vec<f32> = (0..2048).map(|n| (n as f32 * 0.05).sin()).collect();
        let negative: Vec<f32> = tone.iter().map(|sample| -sample).collect();
        let (tone, negative) = (tone.as_slice(), negative.as_slice());
        let signs = Polarities::default().signs(&[tone, tone, tone, tone, tone, negative], 0..2048);
        assert_eq!(
            signs.map(f32::to_bits),
            [1.0_f32, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, 1.0].map(f32::to_bits)
        );
    }
}
