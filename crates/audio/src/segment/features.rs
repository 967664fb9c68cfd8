//! What the model is told about a dip, a row of numbers for each.

use super::Clues;
use super::candidates::{Candidate, Curve};
use crate::contour::{BANDS, Contour, SPECTRA_PER_SECOND, Timbre};
use crate::levels::PER_SECOND;

/// Names of the features, in the order of a row.
pub(super) const NAMES: [&str; 38] = [
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
];

/// Numbers of one dip.
pub(super) type Row = [f32; NAMES.len()];

/// Bands of a timbre in dB, without its level.
pub(super) type Bands = [f32; BANDS];

/// What cannot be told.
pub(super) const UNKNOWN: f32 = -1.0;

/// A dip as deep as this is hardly ever a note's end, in dB: 12 dB is a quarter of the loudness by SPEC025.
const DEEP: f32 = 12.0;

/// Gaps that the others are compared with: the strongest five, of which a file of several tracks has some.
const USUAL: usize = 5;

/// Timbre before and after is that of this many seconds: a few bars.
const TIMBRE_SECONDS: f64 = 12.0;

/// Seconds next to a dip that are left out of the timbre: there the sound dies away or begins.
const TIMBRE_APART: f64 = 0.5;

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
        let steps: Vec<f32> = dips.iter().map(|dip| timbre_step(contour, dip)).collect();
        let told = steps.iter().copied().filter(|step| *step >= 0.0);
        Self {
            timbres,
            sorted: order.iter().map(|at| strengths[*at]).collect(),
            lowest: dips.iter().map(|dip| dip.level).fold(0.0, f32::min),
            usual_level: of_usual(&|dip| dip.level),
            usual_seconds: of_usual(&|dip| dip.seconds() as f32),
            usual_timbre,
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
    let rival = |other: &usize| file.strengths[*other] >= 0.8 * own;
    let previous = (0..at)
        .rev()
        .find(rival)
        .map_or(dip.from, |b| dip.from - dips[b].to);
    let next = (at + 1..dips.len())
        .find(rival)
        .map_or(smooth.len() - dip.to, |n| dips[n].from - dip.to);
    let rank = file.sorted.iter().filter(|other| **other > own).count() as f32;
    let gap = gap_spectra(contour, dip);
    let gap_bands = file.timbres[at].as_ref();
    let [before, after] = sides(contour, dip);
    let step = file.steps[at];
    let windows_per_10 = extent(smooth, dip, 10.0);
    let (fall, rise) = slopes(smooth, dip);
    let at_second = |window: Option<usize>| {
        window
            .and_then(|w| smooth.get(w))
            .map_or(UNKNOWN, |l| l - dip.level)
    };
    [
        dip.depth(),
        dip.before.max(dip.after) - dip.level,
        seconds(dip.to - dip.from),
        seconds(windows_per_10),
        unsteadiness(&curve.fine, dip),
        seconds(fall),
        seconds(rise),
        at_second(dip.from.checked_sub(PER_SECOND as usize)),
        at_second(Some(dip.to + PER_SECOND as usize)),
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
        if step < 0.0 {
            UNKNOWN
        } else {
            step / (file.usual_step + 0.1)
        },
        pitch_step(before, after),
        width_step(contour, dip),
        distance(gap_bands, file.usual_timbre.as_ref()),
        distance(gap_bands, mean_bands(before).as_ref()),
        unsteady_timbre(gap),
        f32::from(u8::from(super::begins_with_track_number(clues.name))),
        tagged(clues),
        (clues.neighbours.min(30) as f32 + 1.0).ln(),
        seconds(previous.min(next)),
    ]
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

/// The deviation of the level within a dip, in dB.
fn unsteadiness(fine: &[f32], dip: &Candidate) -> f32 {
    let inner = &fine[dip.from..dip.to];
    let mean = inner.iter().sum::<f32>() / inner.len().max(1) as f32;
    let squares: f32 = inner.iter().map(|level| (level - mean).powi(2)).sum();
    (squares / inner.len().max(1) as f32).sqrt()
}

fn spectra(contour: &Contour, from: f64, to: f64) -> &[Timbre] {
    let place = |seconds: f64| {
        ((seconds * SPECTRA_PER_SECOND).max(0.0) as usize).min(contour.spectra.len())
    };
    let (from, to) = (place(from), place(to));
    &contour.spectra[from..to.max(from)]
}

/// The timbre of a dip itself.
pub(super) fn gap_bands(contour: &Contour, dip: &Candidate) -> Option<Bands> {
    mean_bands(gap_spectra(contour, dip))
}

fn second(window: usize) -> f64 {
    window as f64 / f64::from(PER_SECOND)
}

/// The spectra that lie wholly in a dip, or the one in its middle.
fn gap_spectra<'a>(contour: &'a Contour, dip: &Candidate) -> &'a [Timbre] {
    let apart = 1.0 / SPECTRA_PER_SECOND;
    let inner = spectra(contour, second(dip.from) + apart, second(dip.to));
    if inner.is_empty() {
        let middle = second(dip.middle());
        return spectra(contour, middle, middle + apart);
    }
    inner
}

/// The spectra before and after a dip.
fn sides<'a>(contour: &'a Contour, dip: &Candidate) -> [&'a [Timbre]; 2] {
    let (from, to) = (
        second(dip.from) - TIMBRE_APART,
        second(dip.to) + TIMBRE_APART,
    );
    [
        spectra(contour, from - TIMBRE_SECONDS, from),
        spectra(contour, to, to + TIMBRE_SECONDS),
    ]
}

/// The usual bands of some spectra in dB, without their level.
fn mean_bands(spectra: &[Timbre]) -> Option<Bands> {
    if spectra.is_empty() {
        return None;
    }
    let mut sums = [0.0_f32; BANDS];
    for spectrum in spectra {
        for (sum, byte) in sums.iter_mut().zip(spectrum) {
            *sum += f32::from(*byte);
        }
    }
    let all = sums.iter().sum::<f32>() / BANDS as f32;
    Some(sums.map(|sum| (sum - all) / (2.0 * spectra.len() as f32)))
}

/// The mean difference of two timbres, in dB.
pub(super) fn distance(one: Option<&Bands>, other: Option<&Bands>) -> f32 {
    match (one, other) {
        (Some(one), Some(other)) => {
            one.iter()
                .zip(other)
                .map(|(a, b)| (a - b).abs())
                .sum::<f32>()
                / BANDS as f32
        }
        _ => UNKNOWN,
    }
}

/// How much the timbre changes across a dip, in dB.
fn timbre_step(contour: &Contour, dip: &Candidate) -> f32 {
    let [before, after] = sides(contour, dip);
    distance(mean_bands(before).as_ref(), mean_bands(after).as_ref())
}

/// How unlike the pitch classes before and after are: 0 alike, 1 without one in common.
fn pitch_step(before: &[Timbre], after: &[Timbre]) -> f32 {
    if before.is_empty() || after.is_empty() {
        return UNKNOWN;
    }
    let classes = |spectra: &[Timbre]| -> [f32; 12] {
        std::array::from_fn(|class| spectra.iter().map(|s| f32::from(s[BANDS + class])).sum())
    };
    let (one, other) = (classes(before), classes(after));
    let product = |a: &[f32; 12], b: &[f32; 12]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let norm = (product(&one, &one) * product(&other, &other)).sqrt();
    if norm > 0.0 {
        1.0 - product(&one, &other) / norm
    } else {
        UNKNOWN
    }
}

/// How much the stereo width changes across a dip, 0 to 1.
fn width_step(contour: &Contour, dip: &Candidate) -> f32 {
    let windows = (TIMBRE_SECONDS as usize) * PER_SECOND as usize;
    let mean = |part: &[u8]| {
        part.iter().map(|width| f32::from(*width)).sum::<f32>() / (255 * part.len().max(1)) as f32
    };
    let before = &contour.widths[dip.from.saturating_sub(windows)..dip.from];
    let after = &contour.widths[dip.to..(dip.to + windows).min(contour.widths.len())];
    (mean(before) - mean(after)).abs()
}

/// How much the bands vary within a dip, in dB: noise does not, and what rings out does.
fn unsteady_timbre(gap: &[Timbre]) -> f32 {
    if gap.len() < 3 {
        return UNKNOWN;
    }
    let deviation = |band: usize| {
        let mean = gap.iter().map(|s| f32::from(s[band])).sum::<f32>() / gap.len() as f32;
        let squares: f32 = gap
            .iter()
            .map(|s| (f32::from(s[band]) - mean).powi(2))
            .sum();
        (squares / gap.len() as f32).sqrt() / 2.0
    };
    (0..BANDS).map(deviation).sum::<f32>() / BANDS as f32
}

fn median(mut values: Vec<f32>) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
