//! Where in a silence the sound before it ends and the one after it begins.
//!
//! Both reach into the silence until nothing stands out of its floor any more. Noise hides how a fade begins and
//! ends: over noise they reach a quarter of a second further, and more the slower the sound comes out of it.

use super::candidates::Candidate;
use crate::levels::{FLOOR_DBFS, PER_SECOND, to_dbfs};

/// Quieter than this nothing was recorded at all, in dBFS: digital silence, also after a lossy codec or dither.
const DIGITAL_DBFS: f32 = -78.0;

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

/// Windows that are averaged: 0.2 s.
const SMOOTH: usize = 11;

/// Where the sounds around a dip end and begin. `plain` is the level of the file, `robust` the one that clicks and
/// rumble do not move: where there is noise, the latter is looked at.
pub(super) fn of_dip(plain: &[f32], robust: &[f32], dip: &Candidate) -> (usize, usize) {
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
    let room = (ends - begins) / 3;
    let stands_out = |level: &f32| *level >= floor + STANDS_OUT_DB;
    let fall = smooth[..begins].iter().rev().position(stands_out);
    let rise = smooth[ends..].iter().position(stands_out);
    (
        begins + hidden_windows(fall).min(room),
        ends - hidden_windows(rise).min(room),
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

/// How much of a sound its noise floor hides, when it takes `windows` to stand out of it: a beat
/// stands out at once and is whole, a slow fade has begun long before it is heard.
fn hidden_windows(windows: Option<usize>) -> usize {
    let seconds = windows.map_or(HIDDEN_SECONDS.1, |windows| {
        windows as f64 / f64::from(PER_SECOND)
    });
    let hidden = (HIDDEN_SECONDS.0 + HIDDEN_SHARE * seconds).min(HIDDEN_SECONDS.1);
    (hidden * f64::from(PER_SECOND)) as usize
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
    if levels.is_empty() {
        return FLOOR_DBFS;
    }
    let mut sorted = levels.to_vec();
    let at = ((sorted.len() - 1) as f64 * share).round() as usize;
    *sorted.select_nth_unstable_by(at, f32::total_cmp).1
}
