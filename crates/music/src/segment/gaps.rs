//! Silences in the levels of a file, and how good the gaps between sounds are.

use serde::{Serialize, Serializer};

use crate::levels::{FLOOR_DBFS, Levels, PER_SECOND};
use crate::settings::Settings;

/// A file whose loud windows lie below the threshold plus this is quiet as a whole, in dB.
const HEADROOM_DB: f32 = 15.0;

/// The threshold does not follow a quiet file below this, in dBFS.
const LOWEST_THRESHOLD_DBFS: f32 = -60.0;

/// Length of a gap that counts full, in seconds.
const FULL_SECONDS: f64 = 2.0;

/// Depth of a gap below the threshold that counts full, in dB.
const FULL_DEPTH_DB: f64 = 25.0;

/// Within this of a gap's floor its neighbours have died away, in dB.
const AUDIBLE_DB: f32 = 6.0;

/// Below this nothing is audible whatever the floor, in dBFS.
const INAUDIBLE_DBFS: f32 = -84.0;

/// A silence between two sounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// First window.
    #[serde(rename = "start_s", serialize_with = "as_seconds")]
    pub from: usize,
    /// One past the last window.
    #[serde(rename = "end_s", serialize_with = "as_seconds")]
    pub to: usize,
    /// Median level in dBFS.
    pub dbfs: f32,
    /// How good a boundary it makes, 0 to 1.
    pub confidence: f64,
    /// The shorter of the sounds on its two sides, in seconds.
    pub sound_seconds: f64,
    /// Whether the file is cut here.
    pub cut: bool,
}

impl Gap {
    /// Its length.
    pub fn seconds(&self) -> f64 {
        seconds(self.to - self.from)
    }
}

/// Where a file is silent.
#[derive(Debug)]
pub(crate) struct Silences {
    dbfs: Vec<f32>,
    /// Quieter than this is silence, in dBFS.
    pub threshold_dbfs: f32,
    /// First and one past the last window of each silence, in order.
    runs: Vec<(usize, usize)>,
}

impl Silences {
    /// Looks for silence as the settings have it.
    pub(crate) fn find(levels: &Levels, settings: &Settings) -> Self {
        let dbfs: Vec<f32> = levels.dbfs().collect();
        let threshold_dbfs = threshold(&dbfs, settings.silence_dbfs as f32);
        let shortest = (settings.silence_min.seconds() * f64::from(PER_SECOND)).ceil() as usize;
        let mut runs = Vec::new();
        let mut begun = None;
        for (window, level) in dbfs.iter().chain([&f32::INFINITY]).enumerate() {
            match (*level < threshold_dbfs, begun) {
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
            dbfs,
            threshold_dbfs,
            runs,
        }
    }

    /// How much of the file is louder than the threshold, in seconds.
    pub(crate) fn sound_seconds(&self) -> f64 {
        let loud = self
            .dbfs
            .iter()
            .filter(|level| **level >= self.threshold_dbfs);
        seconds(loud.count())
    }

    /// The silences that have sound on both sides.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        let inner: Vec<_> = self
            .runs
            .iter()
            .filter(|(from, to)| *from > 0 && *to < self.dbfs.len())
            .collect();
        let sound = |from: usize, to: usize| seconds(to.saturating_sub(from));
        (0..inner.len())
            .map(|at| {
                let (from, to) = *inner[at];
                let before = at
                    .checked_sub(1)
                    .map_or_else(|| self.first_sound(), |b| inner[b].1);
                let after = inner
                    .get(at + 1)
                    .map_or_else(|| self.last_sound(), |next| next.0);
                let median = percentile(&self.dbfs[from..to], 0.5);
                Gap {
                    from,
                    to,
                    dbfs: median,
                    confidence: confidence(
                        seconds(to - from),
                        f64::from(self.threshold_dbfs - median),
                    ),
                    sound_seconds: sound(before, from).min(sound(to, after)),
                    cut: false,
                }
            })
            .collect()
    }

    /// The window with which the first sound begins, its attack included.
    pub(crate) fn first_sound(&self) -> usize {
        match self.runs.first() {
            Some((0, to)) if *to < self.dbfs.len() => self.attack(0, *to),
            _ => 0,
        }
    }

    /// One past the window with which the last sound ends, its decay included.
    pub(crate) fn last_sound(&self) -> usize {
        match self.runs.last() {
            Some((from, to)) if *to == self.dbfs.len() && *from > 0 => self.decay(*from, *to),
            _ => self.dbfs.len(),
        }
    }

    /// Where the passage before `gap` ends and the one after it begins.
    pub(crate) fn edges(&self, gap: &Gap) -> (usize, usize) {
        let end = self.decay(gap.from, gap.to);
        let start = self.attack(gap.from, gap.to);
        if end <= start {
            return (end, start);
        }
        let quietest = (gap.from..gap.to)
            .min_by(|a, b| self.dbfs[*a].total_cmp(&self.dbfs[*b]))
            .unwrap_or(gap.from);
        (quietest, quietest)
    }

    fn decay(&self, from: usize, to: usize) -> usize {
        let audible = self.audible(from, to);
        from + self.dbfs[from..to]
            .iter()
            .take_while(|level| **level > audible)
            .count()
    }

    fn attack(&self, from: usize, to: usize) -> usize {
        let audible = self.audible(from, to);
        to - self.dbfs[from..to]
            .iter()
            .rev()
            .take_while(|level| **level > audible)
            .count()
    }

    fn audible(&self, from: usize, to: usize) -> f32 {
        (percentile(&self.dbfs[from..to], 0.2) + AUDIBLE_DB).max(INAUDIBLE_DBFS)
    }
}

/// The settings' threshold, lowered for a file that is quiet as a whole.
fn threshold(dbfs: &[f32], setting: f32) -> f32 {
    let loud = percentile(dbfs, 0.95);
    setting.min((loud - HEADROOM_DB).max(LOWEST_THRESHOLD_DBFS))
}

fn confidence(seconds: f64, depth_db: f64) -> f64 {
    let share = |value: f64, full: f64| (value / full).clamp(0.0, 1.0);
    0.5 * share(seconds, FULL_SECONDS) + 0.5 * share(depth_db, FULL_DEPTH_DB)
}

fn percentile(levels: &[f32], share: f64) -> f32 {
    if levels.is_empty() {
        return FLOOR_DBFS;
    }
    let mut sorted = levels.to_vec();
    let at = ((sorted.len() - 1) as f64 * share).round() as usize;
    *sorted.select_nth_unstable_by(at, f32::total_cmp).1
}

fn seconds(windows: usize) -> f64 {
    windows as f64 / f64::from(PER_SECOND)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn as_seconds<S: Serializer>(window: &usize, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(seconds(*window))
}
