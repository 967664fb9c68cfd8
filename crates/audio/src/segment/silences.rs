//! The stretches of a file that are quieter than the settings' threshold.

use super::SilenceSettings;
use super::edges::{heard, percentile_of, smoothed};
use crate::levels::{Levels, PER_SECOND};

/// A file whose loud windows lie below the threshold plus this is quiet as a whole, in dB.
const HEADROOM_DB: f32 = 15.0;

/// The threshold does not follow a quiet file below this, in dBFS.
const LOWEST_THRESHOLD_DBFS: f32 = -60.0;

/// Where a file is silent.
#[derive(Debug)]
pub(super) struct Silences {
    /// Windows of the file, and how many of them are louder than the threshold.
    windows: usize,
    loud: usize,
    /// The level of each in dBFS, averaged with its neighbours over 0.2 s.
    pub smooth: Vec<f32>,
    /// Quieter than this is silence, in dBFS.
    pub threshold_dbfs: f32,
    /// First and one past the last window of each silence, in order.
    runs: Vec<(usize, usize)>,
}

impl Silences {
    /// Looks for silence as the settings have it.
    pub(super) fn find(levels: &Levels, settings: &SilenceSettings) -> Self {
        let threshold_dbfs = threshold(levels, settings.silence_dbfs as f32);
        let shortest = (settings.silence_min.seconds() * f64::from(PER_SECOND)).ceil() as usize;
        let mut runs = Vec::new();
        let mut begun = None;
        for (window, level) in levels.dbfs().chain([f32::INFINITY]).enumerate() {
            match (level < threshold_dbfs, begun) {
                (true, None) => begun = Some(window),
                (false, Some(from)) => {
                    if window - from >= shortest.max(1) {
                        runs.push((from, window));
                    }
                    begun = None;
                }
                _ => {}
            }
        }
        Self {
            windows: levels.len(),
            loud: levels.dbfs().filter(|l| *l >= threshold_dbfs).count(),
            smooth: smoothed(levels.mean_squares()),
            threshold_dbfs,
            runs,
        }
    }

    /// How much of the file is louder than the threshold, in seconds.
    pub(super) fn sound_seconds(&self) -> f64 {
        seconds(self.loud)
    }

    /// The window with which the first sound begins, its attack included.
    pub(super) fn first_sound(&self) -> usize {
        match self.runs.first() {
            Some((0, to)) if *to < self.windows => self.attack(0, *to),
            _ => 0,
        }
    }

    /// One past the window with which the last sound ends, its decay included.
    pub(super) fn last_sound(&self) -> usize {
        match self.runs.last() {
            Some((from, to)) if *to == self.windows && *from > 0 => self.decay(*from, *to),
            _ => self.windows,
        }
    }

    /// Where the sound before window `to` has died away, if there is silence right before it; never before `from`.
    pub(super) fn decay_before(&self, from: usize, to: usize) -> Option<usize> {
        let last = self.runs.iter().rev().find(|run| run.0 < to)?;
        let (begins, ends) = (last.0.max(from), last.1.min(to));
        // A mark may lie a moment after the next sound's attack.
        let reaches = ends + PER_SECOND as usize / 4 >= to;
        (reaches && begins > from).then(|| self.decay(begins, ends))
    }

    fn decay(&self, from: usize, to: usize) -> usize {
        heard(&self.smooth, from, to).0
    }

    fn attack(&self, from: usize, to: usize) -> usize {
        heard(&self.smooth, from, to).1
    }
}

/// The settings' threshold, lowered for a file that is quiet as a whole.
fn threshold(levels: &Levels, setting: f32) -> f32 {
    // Where nearly all of a file is silent, its silence must not count as what it usually sounds like.
    let sounding = |level: &f32| *level >= LOWEST_THRESHOLD_DBFS;
    let mut sounding: Vec<f32> = levels.dbfs().filter(sounding).collect();
    let loud = percentile_of(&mut sounding, 0.95);
    setting.min((loud - HEADROOM_DB).max(LOWEST_THRESHOLD_DBFS))
}

fn seconds(windows: usize) -> f64 {
    windows as f64 / f64::from(PER_SECOND)
}
