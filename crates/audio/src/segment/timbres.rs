//! What the spectra in and around a dip say about it: timbre, pitch and whether anything is pitched at all.

use super::candidates::Candidate;
use super::features::UNKNOWN;
use crate::contour::{BANDS, Contour, SPECTRA_PER_SECOND, TONALITY, Timbre};
use crate::levels::PER_SECOND;

/// Bands of a timbre in dB, without its level.
pub(super) type Bands = [f32; BANDS];

/// Timbre before and after is that of this many seconds: a few bars.
pub(super) const NEAR_SECONDS: f64 = 12.0;

/// The same for a verse: what changes from bar to bar is the same there.
pub(super) const FAR_SECONDS: f64 = 30.0;

/// Seconds next to a dip that are left out of the timbre: there the sound dies away or begins.
const APART_SECONDS: f64 = 0.5;

/// What is less tonal than this is noise, in dB: over [`TONAL_SPECTRA`], 95 in 100 moments of the gaps of the training
/// recordings are below 7.5, whatever the medium, and 95 in 100 of their music above 7.8.
pub(super) const TONELESS_DB: f32 = 7.6;

/// Spectra that the tonality is averaged over: 0.65 s.
pub(super) const TONAL_SPECTRA: usize = 7;

/// Applause and noise are looked for this far around a dip, in spectra: 15 s.
const TONELESS_REACH: usize = 161;

fn spectra(contour: &Contour, from: f64, to: f64) -> &[Timbre] {
    let place = |seconds: f64| {
        ((seconds * SPECTRA_PER_SECOND).max(0.0) as usize).min(contour.spectra.len())
    };
    let (from, to) = (place(from), place(to));
    &contour.spectra[from..to.max(from)]
}

/// The timbre of a dip itself.
pub(super) fn bands_of_gap(contour: &Contour, dip: &Candidate) -> Option<Bands> {
    mean_bands(of_gap(contour, dip))
}

/// The timbre of what lies wholly between two windows.
pub(super) fn bands_between(contour: &Contour, from: usize, to: usize) -> Option<Bands> {
    let apart = 1.0 / SPECTRA_PER_SECOND;
    mean_bands(spectra(contour, second(from) + apart, second(to)))
}

fn second(window: usize) -> f64 {
    window as f64 / f64::from(PER_SECOND)
}

/// The spectra that lie wholly in a dip, or the one in its middle.
pub(super) fn of_gap<'a>(contour: &'a Contour, dip: &Candidate) -> &'a [Timbre] {
    let apart = 1.0 / SPECTRA_PER_SECOND;
    let inner = spectra(contour, second(dip.from) + apart, second(dip.to));
    if inner.is_empty() {
        let middle = second(dip.middle());
        return spectra(contour, middle, middle + apart);
    }
    inner
}

/// The spectra of so many seconds before and after a dip.
pub(super) fn sides<'a>(contour: &'a Contour, dip: &Candidate, seconds: f64) -> [&'a [Timbre]; 2] {
    let (from, to) = (
        second(dip.from) - APART_SECONDS,
        second(dip.to) + APART_SECONDS,
    );
    [
        spectra(contour, from - seconds, from),
        spectra(contour, to, to + seconds),
    ]
}

/// The usual bands of some spectra in dB, without their level.
pub(super) fn mean_bands(spectra: &[Timbre]) -> Option<Bands> {
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

/// How much the timbre of so many seconds changes across a dip, in dB.
pub(super) fn step(contour: &Contour, dip: &Candidate, seconds: f64) -> f32 {
    let [before, after] = sides(contour, dip, seconds);
    distance(mean_bands(before).as_ref(), mean_bands(after).as_ref())
}

/// How unlike the pitch classes before and after are: 0 alike, 1 without one in common.
pub(super) fn pitch_step(before: &[Timbre], after: &[Timbre]) -> f32 {
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
pub(super) fn width_step(contour: &Contour, dip: &Candidate) -> f32 {
    let windows = (NEAR_SECONDS as usize) * PER_SECOND as usize;
    let mean = |part: &[u8]| {
        part.iter().map(|width| f32::from(*width)).sum::<f32>() / (255 * part.len().max(1)) as f32
    };
    let before = &contour.widths[dip.from.saturating_sub(windows)..dip.from];
    let after = &contour.widths[dip.to..(dip.to + windows).min(contour.widths.len())];
    (mean(before) - mean(after)).abs()
}

/// How much the bands vary within a dip, in dB: noise does not, and what rings out does.
pub(super) fn unsteadiness(gap: &[Timbre]) -> f32 {
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

/// How tonal some spectra are, in dB: noise has about 7, digital silence 0.
pub(super) fn tonality(spectra: &[Timbre]) -> f32 {
    if spectra.is_empty() {
        return UNKNOWN;
    }
    let sum: f32 = spectra.iter().map(|s| f32::from(s[TONALITY])).sum();
    sum / (10 * spectra.len()) as f32
}

/// How tonal a file is, each spectrum averaged with its neighbours, in dB.
pub(super) fn tonalities(contour: &Contour) -> Vec<f32> {
    let half = TONAL_SPECTRA / 2;
    (0..contour.spectra.len())
        .map(|at| {
            let to = (at + half + 1).min(contour.spectra.len());
            tonality(&contour.spectra[at.saturating_sub(half)..to])
        })
        .collect()
}

/// For how many seconds before, and after, the middle of a dip there is nothing but noise.
pub(super) fn toneless(tonalities: &[f32], dip: &Candidate) -> [f32; 2] {
    let middle = ((second(dip.middle()) * SPECTRA_PER_SECOND) as usize).min(tonalities.len());
    let is_noise = |tonality: &&f32| **tonality < TONELESS_DB;
    let before = tonalities[..middle].iter().rev().take(TONELESS_REACH);
    let after = tonalities[middle..].iter().take(TONELESS_REACH);
    [
        before.take_while(is_noise).count(),
        after.take_while(is_noise).count(),
    ]
    .map(|spectra| spectra as f32 / SPECTRA_PER_SECOND as f32)
}

/// The share of the strongest pitch class in what sounds in a dip, 1 being an even share: a chord that rings out has several.
pub(super) fn pitched(gap: &[Timbre]) -> f32 {
    let classes: [f32; 12] =
        std::array::from_fn(|class| gap.iter().map(|s| f32::from(s[BANDS + class])).sum());
    let all: f32 = classes.iter().sum();
    if all > 0.0 {
        12.0 * classes.into_iter().fold(0.0, f32::max) / all
    } else {
        UNKNOWN
    }
}
