//! Where in a silence the sound before it ends and the one after it begins.
//!
//! Both reach into the silence until nothing stands out of its floor any more. Noise hides how a fade begins and
//! ends: under noise a fade goes on as fast as it came down to it, until it would be inaudible without the noise. So
//! where one track fades out and the next begins at once, the gap lies at the end of what sounds like one.

use super::Gap;
use super::candidates::Candidate;
use crate::levels::{FLOOR_DBFS, PER_SECOND, to_dbfs};

/// Quieter than this nothing was recorded at all, in dBFS: digital silence, also after a lossy codec or dither.
pub(super) const DIGITAL_DBFS: f32 = -78.0;

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

/// Noise hides so much of a beginning at least, and so much of an end, in seconds. What is left out of a beginning is
/// missed sooner than a moment of an end that had all but died away.
const HIDDEN_SECONDS: (f64, f64) = (0.25, 0.15);

/// So much more of a beginning is hidden for the time it takes to stand out, and this is hidden at most, in seconds.
/// Of the beginnings in the training recordings 95 in 100 stand out within 0.2 s.
const HIDDEN_BEGINNING: (f64, f64) = (0.2, 0.5);

/// An end goes on under the noise for so much of the time that it took to come down to it, past [`AT_ONCE_SECONDS`], and
/// for this at most, in seconds. In the training recordings ends that take 1 to 1.5 s are hidden for 2.6 s in the
/// middle, nine in ten of all for less than 3 s; a cut that is put too late here still lies in the gap.
const HIDDEN_END: (f64, f64) = (2.5, 3.0);

/// A sound that comes down to the noise in less than this does not fade, in seconds.
const AT_ONCE_SECONDS: f64 = 0.3;

/// Where the noise itself is quieter than this, in dBFS, it hides nothing that would be heard without it: tracks of
/// known truth count as heard above -60 dBFS, of which A-weighting takes some 6 dB.
const HIDING_DBFS: f32 = -66.0;

/// What is left of a gap at least, however slow the fades around it, in seconds: the shortest silence that is looked for.
const LEFT_SECONDS: f64 = 0.3;

/// A gap over noise that is longer than the usual one by this factor holds the end of a track that fell below the noise at
/// once. The gaps of the training recordings are 0.6 to 1.6 times as long as usual.
const UNUSUAL: f64 = 1.6;

/// The usual gap is that of so many cuts at least. A guess: of two, either may be the unusual one.
const LEAST_CUTS: usize = 3;

/// Windows that are averaged: 0.2 s.
const SMOOTH: usize = 11;

/// Where the sounds around a gap end and begin: those around its dip, or around the noise that belongs to it.
pub(super) fn of_gap(plain: &[f32], robust: &[f32], dip: &Candidate) -> (usize, usize) {
    let (mut from, mut to) = of_dip(plain, robust, dip);
    // What is quieter than noise beside it draws the edges to itself.
    if to <= dip.from || dip.to <= from {
        from = from.min(dip.from);
        to = to.max(dip.to);
    }
    if dip.reach.0 < dip.from {
        from = from.min(dip.reach.0);
    }
    if dip.reach.1 > dip.to {
        to = to.max(dip.reach.1.min(plain.len()));
    }
    (from, to)
}

/// Shortens the cuts over noise that are longer than the others of their file: they end where the next track begins, which
/// is heard, and begin where the one before was last heard, which may be long before its end. `is_eligible` is asked for
/// each in turn.
pub(super) fn shorten_unusual(gaps: &mut [Gap], mut is_eligible: impl FnMut(&Gap) -> bool) {
    let is_noise = |gap: &Gap| gap.dbfs > HIDING_DBFS;
    let mut lengths: Vec<f32> = gaps
        .iter()
        .filter(|gap| gap.cut && is_noise(gap))
        .map(|gap| (gap.to - gap.from) as f32)
        .collect();
    if lengths.len() < LEAST_CUTS {
        return;
    }
    let middle = (lengths.len() - 1) / 2;
    let usual = *lengths.select_nth_unstable_by(middle, f32::total_cmp).1;
    let longest = (f64::from(usual) * UNUSUAL) as usize;
    for gap in gaps {
        if is_eligible(gap) && gap.cut && is_noise(gap) && gap.to - gap.from > longest {
            gap.from = gap.to - longest;
        }
    }
}

/// Where the sounds around a dip end and begin. `plain` is the level of the file, `robust` the one that clicks and
/// rumble do not move: where there is noise, the latter is looked at.
fn of_dip(plain: &[f32], robust: &[f32], dip: &Candidate) -> (usize, usize) {
    let is_digital = percentile(&plain[dip.from..dip.to], 0.2) <= DIGITAL_DBFS;
    let smooth = if is_digital { plain } else { robust };
    let (mut from, mut to) = (dip.from, dip.to);
    let audible = audible(&smooth[from..to]);
    // The dip is where the level averaged over 0.3 s is low, which is less than the silence.
    while from > 0 && smooth[from - 1] <= audible {
        from -= 1;
    }
    while to < smooth.len() && smooth[to] <= audible {
        to += 1;
    }
    let margin = SMOOTH / 2;
    heard(
        smooth,
        from.saturating_sub(margin),
        (to + margin).min(smooth.len()),
    )
}

/// Where the sound before a silence ends and the one after it begins, with what noise may hide of them.
pub(super) fn heard(smooth: &[f32], from: usize, to: usize) -> (usize, usize) {
    let (begins, ends) = still(smooth, from, to);
    let floor = percentile(&smooth[from..to], 0.2);
    if floor <= DIGITAL_DBFS {
        return (begins, ends);
    }
    let stands_out = |level: &f32| *level >= floor + STANDS_OUT_DB;
    let fall = smooth[..begins].iter().rev().position(stands_out);
    let rise = smooth[ends..].iter().position(stands_out);
    let (fading, rising) = (hidden_end(fall, floor), hidden_beginning(rise));
    let left = windows(LEFT_SECONDS).max((ends - begins) / 10);
    let room = (ends - begins).saturating_sub(left);
    // Where both do not fit they share what there is.
    let share = (room as f64 / (fading + rising).max(1) as f64).min(1.0);
    (
        begins + (fading as f64 * share) as usize,
        ends - (rising as f64 * share) as usize,
    )
}

/// What is louder than this in a silence is heard, in dBFS.
fn audible(silence: &[f32]) -> f32 {
    let quiet = percentile(silence, 0.2);
    if quiet <= DIGITAL_DBFS {
        (quiet + DIGITAL_AUDIBLE_DB).max(INAUDIBLE_DBFS)
    } else {
        // Of noise, the 20th and the 5th percentile are 0.8 deviations apart.
        quiet + (6.0 * (quiet - percentile(silence, 0.05))).clamp(AUDIBLE_DB, FLOOR_MARGIN_DB)
    }
}

/// The longest stretch of a silence in which nothing is heard but its floor.
fn still(smooth: &[f32], from: usize, to: usize) -> (usize, usize) {
    let audible = audible(&smooth[from..to]);
    let (mut best, mut begun) = ((from, from), from);
    let loud = smooth[from..to].iter().map(|level| *level > audible);
    for (at, is_heard) in (from..).zip(loud.chain([true])) {
        if is_heard {
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

/// How much of a beginning the noise hides, in windows, when it takes `rise` to stand out of it: a beat stands out at
/// once and is whole.
fn hidden_beginning(rise: Option<usize>) -> usize {
    let (share, most) = HIDDEN_BEGINNING;
    let hidden = rise.map_or(most, |rise| HIDDEN_SECONDS.0 + share * seconds(rise));
    windows(hidden.min(most))
}

/// The same of an end: a slow fade goes on for long after it was heard last.
fn hidden_end(fall: Option<usize>, floor: f32) -> usize {
    let (share, most) = HIDDEN_END;
    let fading = fall.map_or(0.0, |fall| share * (seconds(fall) - AT_ONCE_SECONDS));
    let is_hidden = floor > HIDING_DBFS;
    windows(if is_hidden { fading.min(most) } else { 0.0 }.max(HIDDEN_SECONDS.1))
}

fn seconds(windows: usize) -> f64 {
    windows as f64 / f64::from(PER_SECOND)
}

fn windows(seconds: f64) -> usize {
    (seconds * f64::from(PER_SECOND)) as usize
}

/// Levels in dBFS, each averaged with its neighbours over 0.2 s.
pub(super) fn smoothed(mean_squares: &[f32]) -> Vec<f32> {
    (0..mean_squares.len())
        .map(|at| {
            let window = &mean_squares
                [at.saturating_sub(SMOOTH / 2)..(at + SMOOTH / 2 + 1).min(mean_squares.len())];
            to_dbfs(window.iter().sum::<f32>() / window.len() as f32)
        })
        .collect()
}

/// The level that this share of the windows is below.
pub(super) fn percentile(levels: &[f32], share: f64) -> f32 {
    percentile_of(&mut levels.to_vec(), share)
}

/// The same of levels whose order may be lost.
pub(super) fn percentile_of(levels: &mut [f32], share: f64) -> f32 {
    let Some(last) = levels.len().checked_sub(1) else {
        return FLOOR_DBFS;
    };
    let at = (last as f64 * share).round() as usize;
    *levels.select_nth_unstable_by(at, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_much_longer_than_the_others_over_noise_ends_where_it_did() {
        let gap = |from: usize, seconds: usize, dbfs: f32, cut: bool| Gap {
            from,
            to: from + seconds * PER_SECOND as usize,
            dbfs,
            confidence: 0.9,
            cut,
        };
        let mut gaps = [
            gap(1000, 2, -55.0, true),
            gap(3000, 2, -55.0, true),
            gap(5000, 6, -55.0, true),
            gap(7000, 2, -55.0, true),
            gap(9000, 6, -55.0, false),
            gap(11_000, 6, -100.0, true),
            gap(13_000, 6, -55.0, true),
        ];
        let ends = gaps.map(|gap| gap.to);
        shorten_unusual(&mut gaps, |gap| gap.from != 13_000);
        assert_eq!(gaps.map(|gap| gap.to), ends);
        let windows = |gap: Gap| gap.to - gap.from;
        assert_eq!(gaps.map(windows), [100, 100, 160, 100, 300, 300, 300]);
        // Of two, either may be the unusual one.
        let mut two = [gap(1000, 2, -55.0, true), gap(3000, 9, -55.0, true)];
        shorten_unusual(&mut two, |_| true);
        assert_eq!(two.map(windows), [100, 450]);
    }
}
