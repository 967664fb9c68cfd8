//! Loudness by EBU R128: integrated (ITU-R BS.1770-4), range (EBU Tech 3342), true peak.

use serde::{Deserialize, Serialize};

use crate::sound::Moment;

/// Loudness of power 1, in LUFS.
const OFFSET: f64 = -0.691;

/// Quieter blocks count for nothing, in LUFS.
const ABSOLUTE_GATE: f64 = -70.0;

/// Blocks this much below the mean do not count, in LU: for the integrated loudness, and for its range.
const RELATIVE_GATE: f64 = -10.0;
const RANGE_GATE: f64 = -20.0;

/// Moments of 100 ms in a block of the integrated loudness, and of its range.
const BLOCK: usize = 4;
const RANGE_BLOCK: usize = 30;

/// What ReplayGain 2 brings music to, in LUFS.
pub const REPLAY_GAIN_LUFS: f64 = -18.0;

/// How loud a passage is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated loudness in LUFS; `None` where all is silent or it lasts less than 0.4 s.
    pub integrated_lufs: Option<f64>,
    /// Loudness range in LU; 0 where it cannot be told.
    pub range_lu: f64,
    /// True peak in dBTP; `None` for digital silence.
    pub true_peak_dbtp: Option<f64>,
}

impl Loudness {
    /// Measures the loudness of a stretch of moments.
    pub fn of(moments: &[Moment]) -> Self {
        let peak = moments.iter().map(|moment| moment.peak).fold(0.0, f32::max);
        Self {
            integrated_lufs: integrated(&blocks(moments, BLOCK)).map(rounded),
            range_lu: rounded(range(blocks(moments, RANGE_BLOCK))),
            true_peak_dbtp: (peak > 0.0).then(|| rounded(20.0 * f64::from(peak).log10())),
        }
    }

    /// What ReplayGain 2 would change the passage's volume by, in dB.
    pub fn replay_gain_db(&self) -> Option<f64> {
        self.integrated_lufs.map(|lufs| REPLAY_GAIN_LUFS - lufs)
    }

    /// The true peak as ReplayGain writes it, 1.0 being full scale.
    pub fn replay_gain_peak(&self) -> f64 {
        self.true_peak_dbtp
            .map_or(0.0, |decibels| 10_f64.powf(decibels / 20.0))
    }
}

/// To a thousandth of a decibel, more than anybody hears, and the same on every machine.
fn rounded(decibels: f64) -> f64 {
    (decibels * 1000.0).round() / 1000.0
}

/// Mean power of every block of `length` moments, a block beginning with every moment.
fn blocks(moments: &[Moment], length: usize) -> Vec<f64> {
    moments
        .windows(length)
        .map(|block| {
            block
                .iter()
                .map(|moment| f64::from(moment.power))
                .sum::<f64>()
                / length as f64
        })
        .collect()
}

/// The momentary loudness, that of 0.4 s, in LUFS, beginning with every moment of 100 ms.
pub fn momentary_lufs(moments: &[Moment]) -> impl Iterator<Item = f64> {
    blocks(moments, BLOCK).into_iter().map(lufs)
}

fn lufs(power: f64) -> f64 {
    OFFSET + 10.0 * power.log10()
}

fn power(lufs: f64) -> f64 {
    10_f64.powf((lufs - OFFSET) / 10.0)
}

/// The mean of those blocks that are louder than `gate`.
fn mean_above(blocks: &[f64], gate: f64) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u64);
    for block in blocks.iter().filter(|block| **block > gate) {
        sum += block;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

fn integrated(blocks: &[f64]) -> Option<f64> {
    let absolute = power(ABSOLUTE_GATE);
    let mean = mean_above(blocks, absolute)?;
    let relative = mean * 10_f64.powf(RELATIVE_GATE / 10.0);
    mean_above(blocks, absolute.max(relative)).map(lufs)
}

/// From the 10th to the 95th percentile of what is loud enough.
fn range(mut blocks: Vec<f64>) -> f64 {
    let absolute = power(ABSOLUTE_GATE);
    let Some(mean) = mean_above(&blocks, absolute) else {
        return 0.0;
    };
    let gate = absolute.max(mean * 10_f64.powf(RANGE_GATE / 10.0));
    blocks.retain(|block| *block > gate);
    blocks.sort_by(f64::total_cmp);
    let at = |share: f64| blocks.get(((blocks.len().max(1) - 1) as f64 * share).round() as usize);
    match (at(0.10), at(0.95)) {
        (Some(low), Some(high)) => lufs(*high) - lufs(*low),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments of a given loudness: seconds and LUFS.
    fn moments(parts: &[(usize, f64)]) -> Vec<Moment> {
        parts
            .iter()
            .flat_map(|(seconds, loudness)| {
                let moment = Moment {
                    power: power(*loudness) as f32,
                    peak: 0.5,
                    ..Moment::default()
                };
                std::iter::repeat_n(moment, seconds * 10)
            })
            .collect()
    }

    fn assert_close(a: f64, b: f64) {
        assert!((a - b).abs() < 0.1, "{a} {b}");
    }

    #[test]
    fn the_test_signals_of_ebu_tech_3341_come_out_as_said() {
        let integrated =
            |parts: &[(usize, f64)]| Loudness::of(&moments(parts)).integrated_lufs.unwrap();
        assert_close(integrated(&[(20, -23.0)]), -23.0);
        assert_close(integrated(&[(10, -36.0), (60, -23.0), (10, -36.0)]), -23.0);
        assert_close(
            integrated(&[
                (10, -72.0),
                (10, -36.0),
                (60, -23.0),
                (10, -36.0),
                (10, -72.0),
            ]),
            -23.0,
        );
        assert_close(integrated(&[(20, -26.0), (20, -20.0), (20, -26.0)]), -23.0);
    }

    #[test]
    fn the_test_signals_of_ebu_tech_3342_have_their_range() {
        let range = |parts: &[(usize, f64)]| Loudness::of(&moments(parts)).range_lu;
        assert!((range(&[(20, -20.0), (20, -30.0)]) - 10.0).abs() < 1.0);
        assert!((range(&[(20, -20.0), (20, -15.0)]) - 5.0).abs() < 1.0);
        assert!(
            (range(&[
                (20, -50.0),
                (20, -35.0),
                (20, -20.0),
                (20, -35.0),
                (20, -50.0)
            ]) - 15.0)
                .abs()
                < 1.0
        );
    }

    #[test]
    fn silence_and_very_short_passages_have_no_loudness() {
        assert_eq!(Loudness::of(&[]).integrated_lufs, None);
        assert_eq!(Loudness::of(&moments(&[(5, -90.0)])).integrated_lufs, None);
        let short = Loudness::of(&moments(&[(1, -20.0)])[..3]);
        assert_eq!((short.integrated_lufs, short.range_lu), (None, 0.0));
        assert_eq!(Loudness::of(&[Moment::default(); 40]).true_peak_dbtp, None);
    }

    #[test]
    fn replay_gain_is_towards_minus_18_lufs() {
        let loudness = Loudness::of(&moments(&[(20, -10.0)]));
        assert_close(loudness.replay_gain_db().unwrap(), -8.0);
        assert!((loudness.replay_gain_peak() - 0.5).abs() < 1e-4);
    }
}
