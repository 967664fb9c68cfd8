//! Where a file might be cut: dips of its level below what sounds on both sides.
//!
//! Nothing here compares with a level of the whole file. A dip is a minimum over two seconds that lies
//! at least [`LEAST_DEPTH`] below the usual level of the sound before *and* after it; whether it is a gap
//! between tracks, a rest or an applause that dies away, is for the model to say. A track that fades away below the
//! noise of the gap after it has its minimum before the gap, so noise without any tone is a dip too, where it is as quiet.

use super::SilenceSettings;
use super::edges::DIGITAL_DBFS;
use super::timbres::{self, TONELESS_DB};
use crate::contour::{Contour, FLOOR, SPECTRA_PER_SECOND};
use crate::levels::PER_SECOND;
use crate::sums::Sums;

/// A minimum is the lowest within this many windows on either side: 1 s. Of two gaps nearer than that to
/// each other one is enough, for what lies between is no track.
const REACH: usize = PER_SECOND as usize;

/// Windows that are averaged for the minima: 0.3 s, the shortest gap that is looked for
/// (`silence_min_duration_ticks`).
const SMOOTH: usize = 15;

/// Windows of the running median, which takes away clicks of up to 40 ms.
const CLICK: usize = 5;

/// A dip is at least this deep, in dB. All 112 gaps of fourteen rips that this was first tried on were 8 dB deep or
/// more; what is lost here cannot be found later, so 2 dB are left.
pub(super) const LEAST_DEPTH: f32 = 6.0;

/// A dip reaches as far as it is no louder than this above its lowest level, in dB: half the power again
/// twice, which steady noise averaged over 0.3 s never reaches.
const STRETCH: f32 = 3.0;

/// What sounds around a dip is judged by this many seconds of sound on each side, as a track's
/// first or last half minute usually is at its usual level.
const CONTEXT_SECONDS: usize = 30;

/// Sound is looked for this far, in seconds, where silence lies between.
const SOUND_WITHIN_SECONDS: usize = 60;

/// The context is looked at twice a second.
const STEP: usize = PER_SECOND as usize / 2;

/// Noise without a tone is a dip from this many spectra on: 0.65 s, which is as long as those that the tonality is
/// averaged over.
const LEAST_TONELESS: usize = timbres::TONAL_SPECTRA;

/// Between a dip and noise that belongs to it lie this many windows at most, while the averages over 0.3 and 0.65 s move
/// from one to the other.
const LEAD: usize = 20;

/// Noise beside a dip belongs to it if it is at least as long as this and steady, in windows: 0.3 s, the shortest gap that
/// is looked for.
const SHORTEST_NOISE: usize = SMOOTH;

/// Or as long as this, in windows: 3 s, the shortest applause. A guess.
const LONG_NOISE: usize = 3 * PER_SECOND as usize;

/// But it is not looked for further than this, in windows: a minute, as sound is.
const LONGEST_NOISE: usize = SOUND_WITHIN_SECONDS * PER_SECOND as usize;

/// No more dips than this are weighed, the deepest: some five an album's minute.
const MOST: usize = 600;

/// A dip in the level.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// First window of the stretch near its lowest level.
    pub from: usize,
    /// One past the last one.
    pub to: usize,
    /// The lowest level, in dBFS.
    pub level: f32,
    /// The usual level of the sound before and after it, in dBFS.
    pub before: f32,
    /// The same after it.
    pub after: f32,
    /// First and one past the last window of what belongs to it: noise louder than the dip that it touches, as where a
    /// track has died away before the hiss of the gap begins, or where applause has before the next track.
    pub reach: (usize, usize),
}

impl Candidate {
    /// How far it lies below the quieter side, in dB.
    pub(super) fn depth(&self) -> f32 {
        self.before.min(self.after) - self.level
    }

    /// Its length in seconds.
    pub(super) fn seconds(&self) -> f64 {
        (self.to - self.from) as f64 / f64::from(PER_SECOND)
    }

    /// Its middle.
    pub(super) fn middle(&self) -> usize {
        usize::midpoint(self.from, self.to)
    }

    /// With the noise that it touches.
    fn reaching(self, curve: &Curve) -> Self {
        let limit = self.before.min(self.after) - LEAST_DEPTH;
        let is_quiet = |window: &usize| curve.smooth[*window] < limit;
        let is_noise = |window: &usize| {
            let spectrum = (*window as f64 / f64::from(PER_SECOND) * SPECTRA_PER_SECOND) as usize;
            let tonality = curve.tonality.get(spectrum).copied().unwrap_or(0.0);
            tonality < TONELESS_DB && is_quiet(window)
        };
        let end = curve.smooth.len();
        let mut reach = (self.from, self.to);
        let apart = (0..self.from).rev().take(LEAD).take_while(is_quiet);
        if apart.count() == LEAD {
            let to = self.from - LEAD;
            let noise = (0..to).rev().take(LONGEST_NOISE).take_while(is_noise);
            let from = to - noise.count();
            if self.is_other_noise(&curve.smooth[from..to]) {
                reach.0 = from;
            }
        }
        let apart = (self.to..end).take(LEAD).take_while(is_quiet);
        if apart.count() == LEAD {
            let from = self.to + LEAD;
            let noise = (from..end).take(LONGEST_NOISE).take_while(is_noise);
            let to = from + noise.count();
            if self.is_other_noise(&curve.smooth[from..to]) {
                reach.1 = to;
            }
        }
        Self { reach, ..self }
    }

    /// Whether noise beside the dip is one of its own, and neither the dip's nor the end of a cymbal: it is louder, and
    /// either steady or long. The last bits of a fade are no noise of a medium.
    fn is_other_noise(&self, levels: &[f32]) -> bool {
        if levels.len() < SHORTEST_NOISE {
            return false;
        }
        let mut sorted = levels.to_vec();
        sorted.sort_unstable_by(f32::total_cmp);
        let tenth = sorted.len() / 10;
        let moves = sorted[sorted.len() - 1 - tenth] - sorted[tenth];
        let middle = sorted[sorted.len() / 2];
        let is_louder = middle >= (self.level + 2.0 * STRETCH).max(DIGITAL_DBFS);
        is_louder && (moves < STRETCH || levels.len() >= LONG_NOISE)
    }
}

/// A file's level at two grades of smoothness in dBFS, and how tonal it is.
#[derive(Debug)]
pub(super) struct Curve {
    /// Without clicks.
    pub fine: Vec<f32>,
    /// Averaged over 0.3 s.
    pub smooth: Vec<f32>,
    /// Every 93 ms, averaged over 0.65 s, in dB.
    pub tonality: Vec<f32>,
}

impl Curve {
    pub(super) fn of(contour: &Contour) -> Self {
        let fine = without_clicks(&contour.levels);
        let smooth = averaged(&fine);
        let tonality = timbres::tonalities(contour);
        Self {
            fine,
            smooth,
            tonality,
        }
    }
}

/// Finds the dips of a file, in order.
pub(super) fn find(curve: &Curve, settings: &SilenceSettings) -> Vec<Candidate> {
    let smooth = &curve.smooth;
    let mut found: Vec<Candidate> = Vec::new();
    // The last stretch and its lowest level: what is no lower lies in it.
    let mut seen = (0, f32::INFINITY);
    for at in minima(smooth) {
        if at < seen.0 && smooth[at] >= seen.1 {
            continue;
        }
        let candidate = stretch(smooth, at);
        seen = (candidate.1, smooth[at]);
        let Some(dip) = dip(smooth, at, candidate, settings) else {
            continue;
        };
        // A stretch may have begun before a lower one that reaches back over it.
        match found.last_mut() {
            Some(last) if last.to > dip.from => {
                if dip.level < last.level {
                    *last = dip;
                }
            }
            _ => found.push(dip),
        }
    }
    let noise = toneless(curve, settings, &found);
    found.extend(noise);
    found.sort_by_key(|dip| dip.from);
    found.retain(|dip| is_long(dip, &curve.smooth, settings));
    if found.len() > MOST {
        let mut depths: Vec<f32> = found.iter().map(Candidate::depth).collect();
        let (_, least, _) = depths.select_nth_unstable_by(MOST, |a, b| b.total_cmp(a));
        let least = *least;
        found.retain(|dip| dip.depth() > least);
    }
    without_parts(found.into_iter().map(|dip| dip.reaching(curve)).collect())
}

/// Leaves out the dips that lie in the noise that belongs to a deeper one: an applause is one dip.
fn without_parts(mut dips: Vec<Candidate>) -> Vec<Candidate> {
    let is_part = |at: usize| {
        let dip = &dips[at];
        let holds = |other: &&Candidate| other.reach.0 <= dip.from && dip.to <= other.reach.1;
        let earlier = dips[..at].iter().filter(holds);
        let later = dips[at + 1..].iter().filter(holds);
        earlier
            .map(|other| other.level <= dip.level)
            .chain(later.map(|other| other.level < dip.level))
            .any(|is_deeper| is_deeper)
    };
    let parts: Vec<bool> = (0..dips.len()).map(is_part).collect();
    let mut part = parts.into_iter();
    dips.retain(|_| !part.next().unwrap_or(false));
    dips
}

/// The dip of a stretch whose level is that of `at`, where it is deep enough and the settings call it silent.
fn dip(
    smooth: &[f32],
    at: usize,
    (from, to): (usize, usize),
    settings: &SilenceSettings,
) -> Option<Candidate> {
    if !is_silent(smooth, at, settings) {
        return None;
    }
    let dip = Candidate {
        from,
        to,
        level: smooth[at],
        before: usual(smooth, from, smooth[at], false)?,
        after: usual(smooth, to, smooth[at], true)?,
        reach: (from, to),
    };
    (dip.depth() >= LEAST_DEPTH).then_some(dip)
}

/// The stretches of noise without a tone that none of `known`, which lie in order, reaches into.
fn toneless(curve: &Curve, settings: &SilenceSettings, known: &[Candidate]) -> Vec<Candidate> {
    let window = |spectrum: usize| {
        let second = spectrum as f64 / SPECTRA_PER_SECOND;
        ((second * f64::from(PER_SECOND)) as usize).min(curve.smooth.len())
    };
    let is_noise = |at: &usize| curve.tonality[*at] < TONELESS_DB;
    let mut found = Vec::new();
    let mut at = 0;
    while at < curve.tonality.len() {
        let length = (at..curve.tonality.len()).take_while(is_noise).count();
        let (from, to) = (window(at), window(at + length));
        at += length + 1;
        let is_known = || {
            let next = known.partition_point(|dip| dip.to <= from);
            known.get(next).is_some_and(|dip| dip.from < to)
        };
        if length >= LEAST_TONELESS && from < to && !is_known() {
            found.extend(dip(
                &curve.smooth,
                usize::midpoint(from, to),
                (from, to),
                settings,
            ));
        }
    }
    found
}

/// Whether the settings let this be a silence: quieter than their threshold, for as long as they ask.
fn is_silent(smooth: &[f32], at: usize, settings: &SilenceSettings) -> bool {
    let least = (settings.silence_min.seconds() * f64::from(PER_SECOND)).ceil() as usize;
    let is_quiet = |level: &&f32| f64::from(**level) < settings.silence_dbfs;
    let before = smooth[..at].iter().rev().take(least);
    let after = smooth[at..].iter().take(least);
    before.take_while(is_quiet).count() + after.take_while(is_quiet).count() >= least.max(1)
}

/// Whether the pause itself lasts as long as the settings ask of a silence. Music around it may be below their threshold
/// as well, and is no part of it.
fn is_long(dip: &Candidate, smooth: &[f32], settings: &SilenceSettings) -> bool {
    let limit = dip.before.min(dip.after) - LEAST_DEPTH;
    let is_quiet = |level: &&f32| **level < limit;
    let before = smooth[..dip.from].iter().rev().take_while(is_quiet);
    let after = smooth[dip.to..].iter().take_while(is_quiet);
    let windows = before.count() + (dip.to - dip.from) + after.count();
    // The average over 0.3 s hides half of that at either end.
    (windows + SMOOTH) as f64 >= settings.silence_min.seconds() * f64::from(PER_SECOND)
}

/// The windows that are lowest within [`REACH`]; of equal neighbours the first.
fn minima(smooth: &[f32]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < smooth.len() {
        let from = at.saturating_sub(REACH);
        let to = (at + REACH + 1).min(smooth.len());
        // The next place that may be lowest is past the lowest one after this.
        if let Some(lower) = (at + 1..to).find(|other| smooth[*other] < smooth[at]) {
            at = lower;
            continue;
        }
        if smooth[from..at].iter().all(|level| *level > smooth[at]) {
            found.push(at);
        }
        at += 1;
        while at < smooth.len() && smooth[at] >= smooth[at - 1] {
            at += 1;
        }
    }
    found
}

/// How far the curve stays near its lowest level around `at`.
fn stretch(smooth: &[f32], at: usize) -> (usize, usize) {
    let limit = smooth[at] + STRETCH;
    let from = smooth[..at]
        .iter()
        .rposition(|level| *level > limit)
        .map_or(0, |last| last + 1);
    let to = smooth[at..]
        .iter()
        .position(|level| *level > limit)
        .map_or(smooth.len(), |first| at + first);
    (from, to)
}

/// The median level of the sound on one side of a dip; `None` where there is hardly any.
fn usual(smooth: &[f32], edge: usize, level: f32, is_after: bool) -> Option<f32> {
    let steps = SOUND_WITHIN_SECONDS * PER_SECOND as usize / STEP;
    let mut sound: Vec<f32> = (0..steps)
        .map_while(|step| {
            let away = step * STEP + STEP / 2;
            if is_after {
                smooth.get(edge + away)
            } else {
                smooth.get(edge.checked_sub(away)?)
            }
        })
        .copied()
        .filter(|other| *other > level + LEAST_DEPTH)
        .take(CONTEXT_SECONDS * PER_SECOND as usize / STEP)
        .collect();
    if sound.len() < 2 {
        return None;
    }
    let middle = sound.len() / 2;
    Some(*sound.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// A running median.
fn without_clicks(levels: &[i16]) -> Vec<f32> {
    (0..levels.len())
        .map(|at| {
            let from = at.saturating_sub(CLICK / 2);
            let to = (at + CLICK / 2 + 1).min(levels.len());
            let mut around = [FLOOR; CLICK];
            let around = &mut around[..to - from];
            around.copy_from_slice(&levels[from..to]);
            around.sort_unstable();
            f32::from(around[around.len() / 2]) / 100.0
        })
        .collect()
}

/// A running mean of decibels over 0.3 s.
fn averaged(levels: &[f32]) -> Vec<f32> {
    let mut sums = Sums::<{ SMOOTH + 1 }>::default();
    (0..levels.len())
        .map(|at| {
            let to = (at + SMOOTH / 2 + 1).min(levels.len());
            for level in &levels[sums.count()..to] {
                sums.push(*level);
            }
            let mean = sums.mean(at.saturating_sub(SMOOTH / 2), to);
            // Hundredths: equal levels must be equal whatever came before them.
            ((mean * 100.0).round() / 100.0) as f32
        })
        .collect()
}
