//! Silences in the levels of a file, and how good the gaps between sounds are.

use serde::{Serialize, Serializer};

use super::SilenceSettings;
use crate::levels::{FLOOR_DBFS, Levels, PER_SECOND, to_dbfs};

/// A file whose loud windows lie below the threshold plus this is quiet as a whole, in dB.
const HEADROOM_DB: f32 = 15.0;

/// The threshold does not follow a quiet file below this, in dBFS.
const LOWEST_THRESHOLD_DBFS: f32 = -60.0;

/// Time at the noise floor that counts full, in seconds.
const FULL_SECONDS: f64 = 1.5;

/// Distance of the floor from the usual level of the music that counts full, in dB.
const FULL_CONTRAST_DB: f64 = 20.0;

/// Quieter than this nothing was recorded at all, in dBFS: digital silence, also after a lossy codec or dither.
pub(crate) const DIGITAL_DBFS: f32 = -78.0;

/// So much of a silence must be digital, or steady, to tell what kind of floor the file has, in windows.
const TELLING_WINDOWS: usize = 30;

/// The quietest fifth of noise varies by no more than this, in dB.
const STEADY_DB: f32 = 0.4;

/// Within this of the noise floor, there is nothing but noise, in dB.
const FLOOR_MARGIN_DB: f32 = 3.0;

/// The least that music must stand out of noise to be heard, in dB.
const AUDIBLE_DB: f32 = 0.15;

/// Music stands out of digital silence by this much, in dB.
const DIGITAL_AUDIBLE_DB: f32 = 6.0;

/// Below this nothing is audible whatever the floor, in dBFS.
const INAUDIBLE_DBFS: f32 = -108.0;

/// So far above the noise a sound is no longer on its way out of it, in dB.
const STANDS_OUT_DB: f32 = 10.0;

/// Noise hides so much of a sound at least, and at most, in seconds.
const HIDDEN_SECONDS: (f64, f64) = (0.25, 0.5);

/// So much more of it is hidden for the time it takes to stand out.
const HIDDEN_SHARE: f64 = 0.2;

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
    /// Its time at the noise floor, in seconds.
    #[serde(skip)]
    pub floor_seconds: f64,
    /// Whether the file is cut here.
    pub cut: bool,
}

impl Gap {
    /// Its length.
    pub fn seconds(&self) -> f64 {
        seconds(self.to - self.from)
    }

    /// The sound between two gaps, in seconds.
    pub(super) fn seconds_between(before: &Self, after: &Self) -> f64 {
        seconds(after.from.saturating_sub(before.to))
    }
}

/// Where a file is silent.
#[derive(Debug)]
pub(crate) struct Silences {
    dbfs: Vec<f32>,
    /// The same, each averaged with its neighbours over 0.2 s.
    smooth: Vec<f32>,
    /// The level of the usual window of the music, in dBFS.
    usual_dbfs: f32,
    /// Quieter than this is silence, in dBFS.
    pub threshold_dbfs: f32,
    /// First and one past the last window of each silence, in order.
    runs: Vec<(usize, usize)>,
}

impl Silences {
    /// Looks for silence as the settings have it.
    pub(crate) fn find(levels: &Levels, settings: &SilenceSettings) -> Self {
        let dbfs: Vec<f32> = levels.dbfs().collect();
        let smooth = smoothed(levels.mean_squares());
        let threshold_dbfs = threshold(&dbfs, settings.silence_dbfs as f32);
        // The usual level is that of the music: half of a file may be silent.
        let loud = dbfs
            .iter()
            .copied()
            .filter(|level| *level >= threshold_dbfs);
        let usual_dbfs = percentile(&loud.collect::<Vec<_>>(), 0.5);
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
            smooth,
            usual_dbfs,
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
        let inner: Vec<_> = self.inner().collect();
        let floor = self.floor(&inner);
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
                let floor_seconds = self.floor_seconds(from, to, floor);
                Gap {
                    from,
                    to,
                    dbfs: percentile(&self.dbfs[from..to], 0.5),
                    confidence: self.confidence(from, to, floor_seconds),
                    floor_seconds,
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
        self.heard(gap.from, gap.to)
    }

    /// Where the sound before window `to` has died away, if there is silence right before it; never before `from`.
    pub(crate) fn decay_before(&self, from: usize, to: usize) -> Option<usize> {
        let last = self.runs.iter().rev().find(|run| run.0 < to)?;
        let (begins, ends) = (last.0.max(from), last.1.min(to));
        // A mark may lie a moment after the next sound's attack.
        let reaches = ends + PER_SECOND as usize / 4 >= to;
        (reaches && begins > from).then(|| self.decay(begins, ends))
    }

    fn decay(&self, from: usize, to: usize) -> usize {
        self.heard(from, to).0
    }

    fn attack(&self, from: usize, to: usize) -> usize {
        self.heard(from, to).1
    }

    /// Where the sound before a silence ends and the one after it begins, with what noise may hide of them.
    fn heard(&self, from: usize, to: usize) -> (usize, usize) {
        let (begins, ends) = self.still(from, to);
        let floor = percentile(&self.smooth[from..to], 0.2);
        if floor <= DIGITAL_DBFS {
            return (begins, ends);
        }
        let room = (ends - begins) / 3;
        let stands_out = |level: &f32| *level >= floor + STANDS_OUT_DB;
        let fall = self.smooth[..begins].iter().rev().position(stands_out);
        let rise = self.smooth[ends..].iter().position(stands_out);
        (
            begins + hidden_windows(fall).min(room),
            ends - hidden_windows(rise).min(room),
        )
    }

    /// The longest stretch of a silence in which nothing is heard but its floor.
    fn still(&self, from: usize, to: usize) -> (usize, usize) {
        let silence = &self.smooth[from..to];
        let quiet = percentile(silence, 0.2);
        let audible = if quiet <= DIGITAL_DBFS {
            (quiet + DIGITAL_AUDIBLE_DB).max(INAUDIBLE_DBFS)
        } else {
            // Of noise, the 20th and the 5th percentile are 0.8 deviations apart.
            quiet + (6.0 * (quiet - percentile(silence, 0.05))).clamp(AUDIBLE_DB, FLOOR_MARGIN_DB)
        };
        let (mut best, mut begun) = ((from, from), from);
        for at in from..=to {
            if at == to || self.smooth[at] > audible {
                if at - begun > best.1 - best.0 {
                    best = (begun, at);
                }
                begun = at + 1;
            }
        }
        // The average reaches some windows into the sound on either side.
        let reach = |end: usize, edge: usize| end.abs_diff(edge).min(SMOOTH / 2);
        let (begins, ends) = best;
        (begins - reach(begins, from), ends + reach(ends, to))
    }

    /// Whether the file has no digital silence between its sounds, but noise.
    pub(crate) fn is_noisy(&self) -> bool {
        let inner: Vec<_> = self.inner().collect();
        self.floor(&inner) > DIGITAL_DBFS
    }

    /// The silences with sound on both sides.
    fn inner(&self) -> impl Iterator<Item = &(usize, usize)> {
        let end = self.dbfs.len();
        let runs = self.runs.iter();
        runs.filter(move |(from, to)| *from > 0 && *to < end)
    }

    /// The level of the noise between the tracks, if there is nothing quieter than noise, in dBFS.
    fn floor(&self, silences: &[&(usize, usize)]) -> f32 {
        let quiet = |run: &(usize, usize)| {
            let levels = &self.smooth[run.0..run.1];
            let quiet = percentile(levels, 0.2);
            // The quietest fifth of music is uneven, that of noise is not, whatever rings out above it.
            let is_steady = quiet - percentile(levels, 0.05) <= STEADY_DB;
            let (begins, ends) = self.still(run.0, run.1);
            (quiet, is_steady && ends - begins >= TELLING_WINDOWS)
        };
        let digital = |run: &(usize, usize)| {
            let levels = &self.dbfs[run.0..run.1];
            levels
                .iter()
                .filter(|level| **level <= DIGITAL_DBFS)
                .count()
                >= TELLING_WINDOWS
        };
        let digital_floor = DIGITAL_DBFS - FLOOR_MARGIN_DB;
        // What was digitised from vinyl or tape has noise wherever the music rests.
        if silences.iter().any(|run| digital(run)) {
            return digital_floor;
        }
        silences
            .iter()
            .map(|run| quiet(run))
            .filter(|(_, is_steady)| *is_steady)
            .map(|(level, _)| level)
            .reduce(f32::min)
            .unwrap_or(digital_floor)
    }

    /// How good a boundary a silence makes: by its time at the floor, and by how far down that is.
    fn confidence(&self, from: usize, to: usize, floor_seconds: f64) -> f64 {
        if floor_seconds <= 0.0 {
            return 0.0;
        }
        let share = |value: f64, full: f64| (value / full).clamp(0.0, 1.0);
        let contrast = f64::from(self.usual_dbfs - percentile(&self.smooth[from..to], 0.2));
        0.65 * share(floor_seconds, FULL_SECONDS) + 0.35 * share(contrast, FULL_CONTRAST_DB)
    }

    /// How long nothing but the floor is heard in a silence.
    fn floor_seconds(&self, from: usize, to: usize, floor: f32) -> f64 {
        let levels = self.smooth[from..to].iter();
        seconds(
            levels
                .filter(|level| **level <= floor + FLOOR_MARGIN_DB)
                .count(),
        )
    }
}

/// How much of a sound its noise floor hides, when it takes `windows` to stand out of it: a beat
/// stands out at once and is whole, a slow fade has begun long before it is heard.
fn hidden_windows(windows: Option<usize>) -> usize {
    let seconds = windows.map_or(HIDDEN_SECONDS.1, seconds);
    let hidden = (HIDDEN_SECONDS.0 + HIDDEN_SHARE * seconds).min(HIDDEN_SECONDS.1);
    (hidden * f64::from(PER_SECOND)) as usize
}

/// Windows that are averaged: 0.2 s.
const SMOOTH: usize = 11;

fn smoothed(mean_squares: &[f32]) -> Vec<f32> {
    (0..mean_squares.len())
        .map(|at| {
            let window = &mean_squares
                [at.saturating_sub(SMOOTH / 2)..(at + SMOOTH / 2 + 1).min(mean_squares.len())];
            to_dbfs(window.iter().sum::<f32>() / window.len() as f32)
        })
        .collect()
}

/// The settings' threshold, lowered for a file that is quiet as a whole.
fn threshold(dbfs: &[f32], setting: f32) -> f32 {
    // Where nearly all of a file is silent, its silence must not count as what it usually sounds like.
    let sounding = dbfs
        .iter()
        .copied()
        .filter(|level| *level >= LOWEST_THRESHOLD_DBFS);
    let loud = percentile(&sounding.collect::<Vec<_>>(), 0.95);
    setting.min((loud - HEADROOM_DB).max(LOWEST_THRESHOLD_DBFS))
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
