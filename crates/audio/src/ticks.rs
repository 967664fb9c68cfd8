//! Positions and lengths in audio, in WKMP's unit.

use serde::{Deserialize, Serialize};

/// A position or a length in audio: 28,224,000 ticks are a second.
///
/// The rate is a common multiple of all usual sample rates (8 to 192 kHz), so
/// that every sample of such audio lies on a whole tick. Ranges over ten
/// thousand years of audio.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ticks(pub i64);

impl Ticks {
    /// Ticks in a second.
    pub const PER_SECOND: i64 = 28_224_000;

    /// The position of sample frame `frames` at `sample_rate` Hz, rounded to
    /// the nearest tick where the rate does not divide a second's ticks.
    pub fn from_frames(frames: u64, sample_rate: u32) -> Self {
        let rate = i128::from(sample_rate.max(1));
        let ticks = (i128::from(frames) * i128::from(Self::PER_SECOND) + rate / 2) / rate;
        Self(i64::try_from(ticks).unwrap_or(i64::MAX))
    }

    /// The sample frame nearest to this position.
    pub fn to_frames(self, sample_rate: u32) -> u64 {
        let frames = i128::from(self.0.max(0)) * i128::from(sample_rate);
        u64::try_from((frames + i128::from(Self::PER_SECOND / 2)) / i128::from(Self::PER_SECOND))
            .unwrap_or(u64::MAX)
    }

    /// The nearest tick to so many seconds.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * Self::PER_SECOND as f64).round() as i64)
    }

    /// This position in seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / Self::PER_SECOND as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn samples_of_usual_rates_lie_on_whole_ticks() {
        for rate in [
            8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000,
        ] {
            assert_eq!(Ticks::PER_SECOND % i64::from(rate), 0, "{rate}");
        }
        assert_eq!(Ticks::from_frames(1, 44_100), Ticks(640));
        assert_eq!(Ticks::from_frames(1, 48_000), Ticks(588));
        assert_eq!(Ticks::from_seconds(0.3), Ticks(8_467_200));
    }

    proptest! {
        #[test]
        fn frames_survive_the_way_there_and_back(frames in 0u64..1 << 40, rate in 1u32..=192_000) {
            prop_assert_eq!(Ticks::from_frames(frames, rate).to_frames(rate).abs_diff(frames), 0);
        }
    }
}
