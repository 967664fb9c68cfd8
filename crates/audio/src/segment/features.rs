//! What the model is told about a dip, a row of numbers for each.

use super::Clues;
use super::candidates::{Candidate, Curve};
use super::quiet;
use super::timbres::{self, Bands, distance};
use crate::contour::Contour;
use crate::levels::PER_SECOND;

/// Names of the features, in the order of a row.
pub(super) const NAMES: [&str; 54] = [
    "depth",
    "depth_other_side",
    "seconds",
    "seconds_10_db",
    "unsteadiness",
    "fall_seconds",
    "rise_seconds",
    "before_1_s",
    "after_1_s",
    "level",
    "level_over_lowest",
    "level_off_usual_gap",
    "strength",
    "strength_of_best",
    "strength_of_third",
    "strength_of_sixth",
    "rank",
    "rank_a_minute",
    "seconds_of_usual_gap",
    "seconds_to_start",
    "seconds_to_end",
    "seconds_to_previous",
    "seconds_to_next",
    "minutes",
    "dips_a_minute",
    "deep_dips_a_minute",
    "level_step",
    "timbre_step",
    "timbre_step_of_usual",
    "pitch_step",
    "width_step",
    "gap_timbre_off_usual_gap",
    "gap_timbre_off_music",
    "gap_unsteady_timbre",
    "numbered",
    "tagged",
    "neighbours",
    "shortest_side",
    "gap_tonality",
    "gap_tonality_off_usual_gap",
    "gap_tonality_off_music",
    "gap_pitched",
    "toneless_seconds",
    "toneless_before_seconds",
    "toneless_after_seconds",
    "timbre_step_long",
    "pitch_step_long",
    "timbre_step_over_usual",
    "still_seconds",
    "before_level",
    "alike",
    "alike_a_minute",
    "noise_before_seconds",
    "noise_after_seconds",
];

/// Where a row says how tonal the dip is.
pub(super) const TONALITY: usize = 38;

/// Where it says for how long there is nothing but noise.
pub(super) const TONELESS: usize = 42;

/// Numbers of one dip.
pub(super) type Row = [f32; NAMES.len()];

/// What cannot be told.
pub(super) const UNKNOWN: f32 = -1.0;

/// A dip as deep as this is hardly ever a note's end, in dB: 12 dB is a quarter of the loudness by SPEC025.
const DEEP: f32 = 12.0;

/// Gaps that the others are compared with: the strongest five, of which a file of several tracks has some.
const USUAL: usize = 5;

/// Rows for all dips of a file, given the timbre of each.
pub(super) fn rows(
    dips: &[Candidate],
    timbres: &[Option<Bands>],
    curve: &Curve,
    contour: &Contour,
    clues: &Clues<'_>,
) -> Vec<Row> {
    let file = File::of(dips, timbres, curve, contour);
    (0..dips.len())
        .map(|at| row(at, dips, curve, contour, clues, &file))
        .collect()
}

/// What is the same for all dips of a file.
struct File<'a> {
    timbres: &'a [Option<Bands>],
    /// How much the timbre changes across each dip, in dB.
    steps: Vec<f32>,
    strengths: Vec<f32>,
    /// Strengths, greatest first.
    sorted: Vec<f32>,
    lowest: f32,
    usual_level: f32,
    usual_seconds: f32,
    usual_timbre: Option<Bands>,
    usual_tonality: f32,
    minutes: f32,
    deep: f32,
    usual_step: f32,
}

impl<'a> File<'a> {
    fn of(
        dips: &[Candidate],
        timbres: &'a [Option<Bands>],
        curve: &Curve,
        contour: &Contour,
    ) -> Self {
        let strengths: Vec<f32> = dips.iter().map(strength).collect();
        let mut order: Vec<usize> = (0..dips.len()).collect();
        order.sort_by(|a, b| strengths[*b].total_cmp(&strengths[*a]));
        let usual = &order[..order.len().min(USUAL)];
        let of_usual = |value: &dyn Fn(&Candidate) -> f32| {
            median(usual.iter().map(|at| value(&dips[*at])).collect())
        };
        let known: Vec<Bands> = usual.iter().filter_map(|at| timbres[*at]).collect();
        let usual_timbre = (!known.is_empty()).then(|| {
            std::array::from_fn(|band| median(known.iter().map(|bands| bands[band]).collect()))
        });
        let minutes = curve.smooth.len() as f32 / (PER_SECOND * 60) as f32;
        let steps: Vec<f32> = dips
            .iter()
            .map(|dip| timbres::step(contour, dip, timbres::NEAR_SECONDS))
            .collect();
        let told = steps.iter().copied().filter(|step| *step >= 0.0);
        Self {
            timbres,
            sorted: order.iter().map(|at| strengths[*at]).collect(),
            lowest: dips.iter().map(|dip| dip.level).fold(0.0, f32::min),
            usual_level: of_usual(&|dip| dip.level),
            usual_seconds: of_usual(&|dip| dip.seconds() as f32),
            usual_timbre,
            usual_tonality: median(
                usual
                    .iter()
                    .map(|at| timbres::tonality(timbres::of_gap(contour, &dips[*at])))
                    .collect(),
            ),
            minutes,
            deep: dips.iter().filter(|dip| dip.depth() >= DEEP).count() as f32,
            usual_step: median(told.collect()),
            steps,
            strengths,
        }
    }

    fn strength_of(&self, rank: usize) -> f32 {
        let last = self.sorted.len().saturating_sub(1);
        self.sorted.get(rank.min(last)).copied().unwrap_or(0.0)
    }
}

/// How much a dip stands out, in dB: its depth, and 6 dB more for every doubling of its time past a second.
fn strength(dip: &Candidate) -> f32 {
    dip.depth().min(60.0) + 6.0 * (1.0 + dip.seconds() as f32).log2().min(4.0)
}

fn row(
    at: usize,
    dips: &[Candidate],
    curve: &Curve,
    contour: &Contour,
    clues: &Clues<'_>,
    file: &File<'_>,
) -> Row {
    let dip = &dips[at];
    let smooth = &curve.smooth;
    let seconds = |windows: usize| (windows as f32 / PER_SECOND as f32 + 0.1).ln();
    let own = file.strengths[at];
    let (previous, next) = to_rivals(at, dips, smooth.len(), file);
    let rank = file.sorted.iter().filter(|other| **other > own).count() as f32;
    let gap = timbres::of_gap(contour, dip);
    let gap_bands = file.timbres[at].as_ref();
    let [before, after] = timbres::sides(contour, dip, timbres::NEAR_SECONDS);
    let far = timbres::sides(contour, dip, timbres::FAR_SECONDS);
    let tonality = timbres::tonality(gap);
    let toneless = timbres::toneless(&curve.tonality, dip);
    let alike = alike(at, dips, file.timbres);
    let step = file.steps[at];
    let (fall, rise) = slopes(smooth, dip);
    [
        dip.depth(),
        dip.before.max(dip.after) - dip.level,
        seconds(dip.to - dip.from),
        seconds(extent(smooth, dip, 10.0)),
        unsteadiness(&curve.fine, dip),
        seconds(fall),
        seconds(rise),
        above(smooth, dip, dip.from.checked_sub(PER_SECOND as usize)),
        above(smooth, dip, Some(dip.to + PER_SECOND as usize)),
        dip.level,
        dip.level - file.lowest,
        dip.level - file.usual_level,
        own,
        own - file.strength_of(0),
        own - file.strength_of(2),
        own - file.strength_of(5),
        rank,
        rank / file.minutes.max(0.1),
        dip.seconds() as f32 / (file.usual_seconds + 0.1),
        seconds(dip.from),
        seconds(smooth.len() - dip.to),
        seconds(previous),
        seconds(next),
        (file.minutes + 0.1).ln(),
        dips.len() as f32 / file.minutes.max(0.1),
        file.deep / file.minutes.max(0.1),
        (dip.before - dip.after).abs(),
        step,
        of_usual(step, file.usual_step),
        timbres::pitch_step(before, after),
        timbres::width_step(contour, dip),
        distance(gap_bands, file.usual_timbre.as_ref()),
        distance(gap_bands, timbres::mean_bands(before).as_ref()),
        timbres::unsteadiness(gap),
        f32::from(u8::from(super::begins_with_track_number(clues.name))),
        tagged(clues),
        (clues.neighbours.min(30) as f32 + 1.0).ln(),
        seconds(previous.min(next)),
        tonality,
        tonality - file.usual_tonality,
        tonality - timbres::tonality(before).min(timbres::tonality(after)),
        timbres::pitched(gap),
        (toneless[0] + toneless[1] + 0.1).ln(),
        toneless[0],
        toneless[1],
        timbres::step(contour, dip, timbres::FAR_SECONDS),
        timbres::pitch_step(far[0], far[1]),
        step - file.usual_step,
        seconds(still(&curve.fine, dip)),
        dip.before.min(dip.after),
        alike,
        alike / file.minutes.max(0.1),
        seconds(dip.from - dip.reach.0),
        seconds(dip.reach.1 - dip.to),
    ]
}

/// Windows to the dip before and the dip after that are nearly as strong or stronger, or to an end of the file.
fn to_rivals(at: usize, dips: &[Candidate], windows: usize, file: &File<'_>) -> (usize, usize) {
    let dip = &dips[at];
    let rival = |other: &usize| file.strengths[*other] >= 0.8 * file.strengths[at];
    let before = (0..at).rev().find(rival);
    let after = (at + 1..dips.len()).find(rival);
    (
        before.map_or(dip.from, |before| dip.from - dips[before].to),
        after.map_or(windows - dip.to, |after| dips[after].from - dip.to),
    )
}

/// How much louder a window is than a dip, in dB.
fn above(smooth: &[f32], dip: &Candidate, window: Option<usize>) -> f32 {
    let level = window.and_then(|window| smooth.get(window));
    level.map_or(UNKNOWN, |level| level - dip.level)
}

/// A change of timbre, as a multiple of what is usual in the file.
fn of_usual(step: f32, usual: f32) -> f32 {
    if step < 0.0 {
        UNKNOWN
    } else {
        step / (usual + 0.1)
    }
}

/// How many other dips sound like this one. The noise of a medium is the same in all of its gaps, to a fraction of a
/// decibel, and no two rests are.
fn alike(at: usize, dips: &[Candidate], timbres: &[Option<Bands>]) -> f32 {
    let others = (0..dips.len()).filter(|other| *other != at);
    others
        .map(|other| {
            let apart = dips[other].level - dips[at].level;
            quiet::likeness(apart, timbres[at].as_ref(), timbres[other].as_ref())
        })
        .sum()
}

/// Whether the tags give a track's number: 1 with the number of tracks beside it, a half without.
fn tagged(clues: &Clues<'_>) -> f32 {
    match (clues.track, clues.track_total) {
        (Some(_), Some(total)) if total > 1 => 1.0,
        (Some(_), _) => 0.5,
        _ => 0.0,
    }
}

/// Windows around a dip that are less than so many dB above it.
fn extent(smooth: &[f32], dip: &Candidate, decibels: f32) -> usize {
    let limit = dip.level + decibels;
    let from = smooth[..dip.from]
        .iter()
        .rposition(|level| *level > limit)
        .map_or(0, |last| last + 1);
    let to = smooth[dip.to..]
        .iter()
        .position(|level| *level > limit)
        .map_or(smooth.len(), |first| dip.to + first);
    to - from
}

/// Windows that the sound takes to fall from, and to rise to, half its height in dB; at most 10 s.
fn slopes(smooth: &[f32], dip: &Candidate) -> (usize, usize) {
    let most = 10 * PER_SECOND as usize;
    let high = |usual: f32| f32::midpoint(usual, dip.level);
    let fall = smooth[..dip.from]
        .iter()
        .rev()
        .take(most)
        .position(|level| *level >= high(dip.before));
    let rise = smooth[dip.to..]
        .iter()
        .take(most)
        .position(|level| *level >= high(dip.after));
    (fall.unwrap_or(most), rise.unwrap_or(most))
}

/// The longest run of windows around a dip's lowest level in which the level hardly moves: within 2 dB of the dip's, the
/// deviation of 20 ms of noise being 0.6 dB with the median of its pieces.
fn still(fine: &[f32], dip: &Candidate) -> usize {
    let (mut longest, mut run) = (0, 0);
    for level in &fine[dip.from..dip.to] {
        run = if (level - dip.level).abs() < 2.0 {
            run + 1
        } else {
            0
        };
        longest = longest.max(run);
    }
    longest
}

/// The deviation of the level within a dip, in dB.
fn unsteadiness(fine: &[f32], dip: &Candidate) -> f32 {
    let inner = &fine[dip.from..dip.to];
    let mean = inner.iter().sum::<f32>() / inner.len().max(1) as f32;
    let squares: f32 = inner.iter().map(|level| (level - mean).powi(2)).sum();
    (squares / inner.len().max(1) as f32).sqrt()
}

fn median(mut values: Vec<f32>) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
