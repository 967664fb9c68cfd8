//! Tempo, onsets and how clear the pulse is, from how the spectrum changes.
//!
//! Stretches of 12 s of the novelty are compared with themselves, shifted
//! (autocorrelation), and what they have in common is kept. A tempo is as good
//! as the correlations at its beat and at two, three and four beats (their
//! geometric mean, the first counting most), times how usual it is (after van
//! Noorden and Moelants, 1999). Half and double tempo are the errors that
//! remain; centre and weights are those that agree best with Essentia's
//! `RhythmExtractor2013` on 66 real tracks.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use super::spectrum::FRAMES_PER_SECOND;
use crate::vector::{Loop, sum_of_pairs, widest};

/// Tempos looked for, in beats a minute.
const SLOWEST: f64 = 45.0;
const FASTEST: f64 = 210.0;

/// The tempo that is most usual, and the spread around it in octaves.
const USUAL: f64 = 140.0;
const SPREAD_OCTAVES: f64 = 1.0;

/// How much the correlation after one, two, three and four beats counts.
const BEATS: [f64; 4] = [0.4, 0.3, 0.15, 0.15];

/// A correlation below this is none.
const NO_CORRELATION: f64 = 1e-3;

/// Frames of a stretch (12 s), and from one to the next.
const STRETCH: usize = 1034;
const STEP: usize = 517;

/// Frames on each side that the novelty is compared with (0.4 s), and that an onset stands out of (35 ms).
const AROUND: usize = 34;
const NEIGHBOURS: usize = 3;

/// What the rhythm of a passage is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rhythm {
    /// In beats a minute; `None` without any pulse.
    pub(super) tempo_bpm: Option<f64>,
    /// 0 to 1: how alike the beats are.
    pub(super) pulse_clarity: f64,
    /// Onsets a second.
    pub(super) onset_rate: f64,
}

/// `novelty` tells where something begins to sound, `pulse` the same where it does so slowly.
pub(super) fn rhythm(novelty: &[f32], pulse: &[f32]) -> Rhythm {
    let seconds = novelty.len() as f64 / FRAMES_PER_SECOND;
    let onset_rate = if seconds > 0.0 {
        onsets(&prominent(novelty), novelty) as f64 / seconds
    } else {
        0.0
    };
    let correlation = correlation(&prominent(pulse));
    let (tempo_bpm, pulse_clarity) = match tempo(&correlation) {
        Some((tempo, clarity)) => (Some(tempo), clarity),
        None => (None, 0.0),
    };
    Rhythm {
        tempo_bpm,
        pulse_clarity,
        onset_rate,
    }
}

/// What stands out of the mean of its surroundings.
fn prominent(novelty: &[f32]) -> Vec<f32> {
    let mut sums = Vec::with_capacity(novelty.len() + 1);
    let mut sum = 0.0_f64;
    sums.push(sum);
    for value in novelty {
        sum += f64::from(*value);
        sums.push(sum);
    }
    novelty
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let (from, to) = (
                at.saturating_sub(AROUND),
                (at + AROUND + 1).min(novelty.len()),
            );
            let mean = (sums[to] - sums[from]) / (to - from) as f64;
            (*value - mean as f32).max(0.0)
        })
        .collect()
}

fn onsets(prominent: &[f32], novelty: &[f32]) -> usize {
    let mean =
        novelty.iter().map(|value| f64::from(*value)).sum::<f64>() / novelty.len().max(1) as f64;
    let threshold = (mean * 0.75).max(1.0) as f32;
    (0..prominent.len())
        .filter(|at| {
            let value = prominent[*at];
            let (from, to) = (
                at.saturating_sub(NEIGHBOURS),
                (at + NEIGHBOURS + 1).min(prominent.len()),
            );
            value > threshold
                && prominent[from..*at].iter().all(|other| *other < value)
                && prominent[at + 1..to].iter().all(|other| *other <= value)
        })
        .count()
}

/// The mean over all stretches of their correlation with themselves, by lag in frames.
fn correlation(prominent: &[f32]) -> Vec<f64> {
    let lags = (FRAMES_PER_SECOND * 60.0 / SLOWEST * BEATS.len() as f64) as usize + 2;
    let mut mean = vec![0.0; lags];
    let mut stretches = 0.0;
    let mut from = 0;
    while from + lags < prominent.len() {
        let stretch = &prominent[from..prominent.len().min(from + STRETCH)];
        let average = stretch.iter().sum::<f32>() / stretch.len() as f32;
        let centred: Vec<f32> = stretch.iter().map(|value| value - average).collect();
        let own = dot(&centred, &centred) / centred.len() as f64;
        if own > 1e-6 {
            for (lag, slot) in mean.iter_mut().enumerate() {
                if lag + 100 < centred.len() {
                    let overlap = centred.len() - lag;
                    *slot += dot(&centred[..overlap], &centred[lag..]) / overlap as f64 / own;
                }
            }
            stretches += 1.0;
        }
        from += STEP;
    }
    for slot in &mut mean {
        *slot /= f64::max(stretches, 1.0);
    }
    mean
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    widest(Products(a, b))
}

/// The sum of the products of two series.
struct Products<'a>(&'a [f32], &'a [f32]);

impl Loop for Products<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        f64::from(sum_of_pairs(self.0, self.1, |a, b| a * b))
    }
}

fn tempo(correlation: &[f64]) -> Option<(f64, f64)> {
    let at = |lag: f64| {
        let whole = lag as usize;
        let share = lag - whole as f64;
        match (correlation.get(whole), correlation.get(whole + 1)) {
            (Some(a), Some(b)) => a * (1.0 - share) + b * share,
            _ => 0.0,
        }
    };
    let lag = |bpm: f64| FRAMES_PER_SECOND * 60.0 / bpm;
    let alike = |bpm: f64| {
        let beat = lag(bpm);
        let logs = BEATS
            .iter()
            .zip(1_u32..)
            .map(|(weight, beats)| weight * at(beat * f64::from(beats)).max(NO_CORRELATION).ln());
        logs.sum::<f64>().exp()
    };
    let usual = |bpm: f64| (-0.5 * ((bpm / USUAL).log2() / SPREAD_OCTAVES).powi(2)).exp();
    let steps = ((FASTEST / SLOWEST).log2() * 200.0) as usize;
    let best = (0..=steps)
        .map(|step| SLOWEST * 2_f64.powf(step as f64 / 200.0))
        .map(|bpm| (bpm, alike(bpm) * usual(bpm)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    (alike(best.0) > 2.0 * NO_CORRELATION).then(|| (best.0, alike(best.0).clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clicks(bpm: f64, seconds: f64) -> Vec<f32> {
        let mut novelty = vec![0.1; (seconds * FRAMES_PER_SECOND) as usize];
        let mut beat = 0.0;
        while beat < seconds - 0.1 {
            novelty[(beat * FRAMES_PER_SECOND) as usize] = 10.0;
            beat += 60.0 / bpm;
        }
        novelty
    }

    #[test]
    fn a_click_has_its_tempo_and_a_clear_pulse() {
        for bpm in [72.0, 90.0, 120.0, 128.0, 150.0] {
            let clicks = clicks(bpm, 60.0);
            let found = rhythm(&clicks, &clicks);
            let tempo = found.tempo_bpm.unwrap();
            assert!((tempo / bpm - 1.0).abs() < 0.01, "{bpm}: {tempo}");
            assert!(found.pulse_clarity > 0.3, "{found:?}");
            assert!((found.onset_rate - bpm / 60.0).abs() < 0.1, "{found:?}");
        }
    }

    #[test]
    fn what_never_changes_has_no_tempo() {
        assert_eq!(rhythm(&[], &[]).tempo_bpm, None);
        let still = vec![0.0; 6000];
        let still = rhythm(&still, &still);
        assert_eq!((still.tempo_bpm, still.onset_rate), (None, 0.0));
    }
}
