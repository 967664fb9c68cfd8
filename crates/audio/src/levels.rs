//! How loud a file is, every 20 ms: the one picture of the audio that is kept whole.
//!
//! One number per 20 ms (the mean square over all channels, without the constant that a
//! converter may add, or it would hide every silence) is 200 bytes a
//! second, so a ten-hour file takes 7 MB. Silence is looked for in it after
//! decoding, as often as needed, without the audio.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use crate::vector::{Loop, sum_of, widest};

/// Windows in a second.
pub const PER_SECOND: u32 = 50;

/// The level of a silent window in dBFS: what 32-bit floating point calls digital silence.
pub const FLOOR_DBFS: f32 = -200.0;

/// The mean square of every 20 ms of a file, over all channels.
///
/// Window `k` ends at frame `round((k + 1) * rate / 50)`, so windows never drift
/// from the audio at rates that 50 does not divide.
#[derive(Debug, Clone)]
pub struct Levels {
    sample_rate: u32,
    mean_squares: Vec<f32>,
    sum: f64,
    /// The sum of each channel's samples in the window that is being filled.
    constants: Vec<f64>,
    filled: u64,
    frames: u64,
}

impl Levels {
    /// Levels of audio at `sample_rate` Hz, of which none has come yet.
    pub fn new(sample_rate: u32) -> Self {
        Self {
            sample_rate: sample_rate.max(1),
            mean_squares: Vec::new(),
            sum: 0.0,
            constants: Vec::new(),
            filled: 0,
            frames: 0,
        }
    }

    /// Levels that were measured before: `mean_squares`, one every 20 ms, of `frames` frames.
    pub fn of(sample_rate: u32, frames: u64, mean_squares: Vec<f32>) -> Self {
        Self {
            mean_squares,
            frames,
            ..Self::new(sample_rate)
        }
    }

    /// Takes in the next samples, one slice a channel, all of one length.
    pub fn push(&mut self, planes: &[&[f32]]) {
        let Some(length) = planes.iter().map(|plane| plane.len()).min() else {
            return;
        };
        let mut from = 0;
        while from < length {
            let end = self.frame_of(self.mean_squares.len() + 1);
            let room = usize::try_from(end - self.frames).unwrap_or(usize::MAX);
            let to = length.min(from.saturating_add(room));
            let mut energy = 0.0;
            self.constants.resize(planes.len(), 0.0);
            for (constant, plane) in self.constants.iter_mut().zip(planes) {
                let sums = widest(Sums(&plane[from..to]));
                energy += sums.energy;
                *constant += f64::from(sums.total);
            }
            self.sum += f64::from(energy) / planes.len() as f64;
            self.filled += (to - from) as u64;
            self.frames += (to - from) as u64;
            from = to;
            if self.frames == end {
                self.close_window();
            }
        }
    }

    /// Ends the audio: a last window that is not full counts for what it holds.
    pub fn finish(&mut self) {
        if self.filled > 0 {
            self.close_window();
        }
    }

    fn close_window(&mut self) {
        let filled = self.filled as f64;
        let constant: f64 = self
            .constants
            .iter()
            .map(|sum| (sum / filled).powi(2))
            .sum();
        // A last window may be a sample or two long, and those are not a constant.
        let constant = if self.filled * 2 * u64::from(PER_SECOND) < u64::from(self.sample_rate) {
            0.0
        } else {
            constant / self.constants.len().max(1) as f64
        };
        let mean = self.sum / filled - constant;
        // Both sums have 24 bits: what is left of a mere constant is less than a millionth of it.
        let mean = if mean < constant * 1e-6 { 0.0 } else { mean };
        // A broken float file may hold anything; a level is a number or silence.
        self.mean_squares
            .push(if mean.is_finite() { mean as f32 } else { 0.0 });
        self.sum = 0.0;
        self.constants.fill(0.0);
        self.filled = 0;
    }

    /// Frames taken in so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The audio's sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Number of windows.
    pub fn len(&self) -> usize {
        self.mean_squares.len()
    }

    /// Whether no window is complete yet.
    pub fn is_empty(&self) -> bool {
        self.mean_squares.is_empty()
    }

    /// The frame at which window `window` begins; the file's end for one past the last.
    pub fn frame_of(&self, window: usize) -> u64 {
        let rate = u64::from(self.sample_rate);
        let per_second = u64::from(PER_SECOND);
        (window as u64 * rate + per_second / 2) / per_second
    }

    /// The mean square of every window.
    pub fn mean_squares(&self) -> &[f32] {
        &self.mean_squares
    }

    /// RMS of every window in dBFS, a full-scale square wave being 0; never below [`FLOOR_DBFS`].
    pub fn dbfs(&self) -> impl Iterator<Item = f32> + '_ {
        self.mean_squares.iter().map(|square| to_dbfs(*square))
    }
}

/// A mean square in dBFS.
pub(crate) fn to_dbfs(mean_square: f32) -> f32 {
    if mean_square > 0.0 {
        (10.0 * mean_square.log10()).max(FLOOR_DBFS)
    } else {
        FLOOR_DBFS
    }
}

/// The sum of squares of samples, and of the samples themselves.
struct Both {
    energy: f32,
    total: f32,
}

struct Sums<'a>(&'a [f32]);

impl Loop for Sums<'_> {
    type Output = Both;

    #[inline(always)]
    fn run(self) -> Both {
        Both {
            energy: sum_of(self.0, |sample| sample * sample),
            total: sum_of(self.0, |sample| sample),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(samples: &[f32], rate: u32, block: usize) -> Vec<f32> {
        let mut levels = Levels::new(rate);
        for block in samples.chunks(block) {
            levels.push(&[block, block]);
        }
        levels.finish();
        levels.dbfs().collect()
    }

    #[test]
    fn a_square_wave_of_half_scale_is_6_dbfs_down() {
        // Nine periods in each window of 882 samples, so that none holds a constant.
        let square: Vec<f32> = (0..8820)
            .map(|i| if i % 98 < 49 { 0.5 } else { -0.5 })
            .collect();
        for dbfs in levels(&square, 44_100, 1152) {
            assert!((dbfs + 6.0206).abs() < 0.001, "{dbfs}");
        }
    }

    #[test]
    fn windows_do_not_depend_on_the_blocks_nor_drift_at_odd_rates() {
        let ramp: Vec<f32> = (0..11_025 * 3).map(|i| (i % 977) as f32 / 977.0).collect();
        let whole = levels(&ramp, 11_025, ramp.len());
        assert_eq!(whole.len(), 150);
        for block in [1, 7, 220, 4096] {
            for (a, b) in whole.iter().zip(levels(&ramp, 11_025, block)) {
                assert!((a - b).abs() < 1e-3);
            }
        }
        assert_eq!(Levels::new(11_025).frame_of(50), 11_025);
    }

    #[test]
    fn a_constant_is_not_loud() {
        let tone: Vec<f32> = (0..44_100)
            .map(|i| if i % 100 < 50 { 0.01 } else { -0.01 })
            .collect();
        let shifted: Vec<f32> = tone.iter().map(|sample| sample + 0.05).collect();
        let pairs = levels(&tone, 44_100, 1000);
        for (plain, off) in pairs.iter().zip(levels(&shifted, 44_100, 1000)) {
            assert!(
                (plain - off).abs() < 0.1,
                "{plain} dBFS, with a constant {off}"
            );
        }
        let constant = levels(&vec![0.05; 44_100], 44_100, 1000);
        assert!(constant.iter().all(|dbfs| *dbfs <= -80.0), "{constant:?}");
    }

    #[test]
    fn silence_and_nonsense_are_the_floor() {
        for samples in [[0.0; 2000], [f32::NAN; 2000]] {
            let dbfs = levels(&samples, 44_100, 500)[0];
            assert!(dbfs <= FLOOR_DBFS, "{dbfs}");
        }
    }
}
