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
use crate::sums::Sums;
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

/// What stands out less than this is no onset. A guess.
const LEAST_ONSET: f64 = 1.0;

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

/// Follows the rhythm of a passage while it is heard. However long it lasts, no more is kept than a stretch, and how high
/// each rise stood.
#[derive(Default)]
pub(super) struct Meter {
    novelty: Prominent,
    rises: Rises,
    pulse: Prominent,
    stretches: Stretches,
}

impl Meter {
    /// Takes in the next frame: how far something begins to sound in it.
    pub(super) fn push_novelty(&mut self, novelty: f32) {
        if let Some(value) = self.novelty.push(novelty) {
            self.rises.push(value);
        }
    }

    /// The same where things begin slowly, too.
    pub(super) fn push_pulse(&mut self, pulse: f32) {
        if let Some(value) = self.pulse.push(pulse) {
            self.stretches.push(value);
        }
    }

    /// The rhythm of all that came.
    pub(super) fn finish(mut self) -> Rhythm {
        while let Some(value) = self.novelty.rest() {
            self.rises.push(value);
        }
        while let Some(value) = self.pulse.rest() {
            self.stretches.push(value);
        }
        let seconds = self.novelty.sums.count() as f64 / FRAMES_PER_SECOND;
        let onset_rate = if seconds > 0.0 {
            let threshold = (self.novelty.sums.mean_of_all() * 0.75).max(LEAST_ONSET) as f32;
            self.rises.above(threshold) as f64 / seconds
        } else {
            0.0
        };
        let (tempo_bpm, pulse_clarity) = match tempo(&self.stretches.correlation()) {
            Some((tempo, clarity)) => (Some(tempo), clarity),
            None => (None, 0.0),
        };
        Rhythm {
            tempo_bpm,
            pulse_clarity,
            onset_rate,
        }
    }
}

/// Tells what stands out of the mean of its surroundings.
struct Prominent {
    sums: Sums<{ 2 * AROUND + 2 }>,
    values: [f32; AROUND + 1],
    told: usize,
}

impl Default for Prominent {
    fn default() -> Self {
        Self {
            sums: Sums::default(),
            values: [0.0; AROUND + 1],
            told: 0,
        }
    }
}

impl Prominent {
    /// Takes in a value; gives that whose surroundings are now known.
    fn push(&mut self, value: f32) -> Option<f32> {
        self.values[self.sums.count() % (AROUND + 1)] = value;
        self.sums.push(value);
        (self.sums.count() > AROUND).then(|| self.next())
    }

    /// What is left when nothing more comes.
    fn rest(&mut self) -> Option<f32> {
        (self.told < self.sums.count()).then(|| self.next())
    }

    fn next(&mut self) -> f32 {
        let at = self.told;
        self.told += 1;
        let to = (at + AROUND + 1).min(self.sums.count());
        let mean = self.sums.mean(at.saturating_sub(AROUND), to);
        (self.values[at % (AROUND + 1)] - mean as f32).max(0.0)
    }
}

/// The values that stand above their neighbours.
#[derive(Default)]
struct Rises {
    around: [f32; 2 * NEIGHBOURS + 1],
    count: usize,
    heights: Vec<f32>,
}

impl Rises {
    fn push(&mut self, value: f32) {
        self.around[self.count % (2 * NEIGHBOURS + 1)] = value;
        self.count += 1;
        if self.count > NEIGHBOURS {
            self.look_at(self.count - 1 - NEIGHBOURS);
        }
    }

    fn look_at(&mut self, at: usize) {
        let value_at = |at: usize| self.around[at % (2 * NEIGHBOURS + 1)];
        let value = value_at(at);
        let (from, to) = (
            at.saturating_sub(NEIGHBOURS),
            (at + NEIGHBOURS + 1).min(self.count),
        );
        if f64::from(value) > LEAST_ONSET
            && (from..at).all(|other| value_at(other) < value)
            && (at + 1..to).all(|other| value_at(other) <= value)
        {
            self.heights.push(value);
        }
    }

    /// How many there were above a threshold that is no less than [`LEAST_ONSET`].
    fn above(&mut self, threshold: f32) -> usize {
        for at in self.count.saturating_sub(NEIGHBOURS)..self.count {
            self.look_at(at);
        }
        let above = |height: &&f32| **height > threshold;
        self.heights.iter().filter(above).count()
    }
}

/// The longest lag in frames: as many beats as count, at the slowest tempo.
const LAGS: usize = (FRAMES_PER_SECOND * 60.0 / SLOWEST * BEATS.len() as f64) as usize + 2;

/// The sum over all stretches of their correlation with themselves, by lag in frames.
struct Stretches {
    waiting: Vec<f32>,
    sums: Vec<f64>,
    count: u64,
}

impl Default for Stretches {
    fn default() -> Self {
        Self {
            waiting: Vec::with_capacity(STRETCH),
            sums: vec![0.0; LAGS],
            count: 0,
        }
    }
}

impl Stretches {
    fn push(&mut self, value: f32) {
        self.waiting.push(value);
        if self.waiting.len() == STRETCH {
            self.compare();
        }
    }

    /// Compares what waits with itself, and forgets its first half.
    fn compare(&mut self) {
        let stretch = &self.waiting;
        let average = stretch.iter().sum::<f32>() / stretch.len() as f32;
        let centred: Vec<f32> = stretch.iter().map(|value| value - average).collect();
        let own = dot(&centred, &centred) / centred.len() as f64;
        if own > 1e-6 {
            for (lag, slot) in self.sums.iter_mut().enumerate() {
                if lag + 100 < centred.len() {
                    let overlap = centred.len() - lag;
                    *slot += dot(&centred[..overlap], &centred[lag..]) / overlap as f64 / own;
                }
            }
            self.count += 1;
        }
        self.waiting.drain(..STEP.min(self.waiting.len()));
    }

    /// The mean over all stretches.
    fn correlation(mut self) -> Vec<f64> {
        while self.waiting.len() > LAGS {
            self.compare();
        }
        for sum in &mut self.sums {
            *sum /= self.count.max(1) as f64;
        }
        self.sums
    }
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

    fn rhythm(frames: &[f32]) -> Rhythm {
        let mut meter = Meter::default();
        for frame in frames {
            meter.push_novelty(*frame);
            meter.push_pulse(*frame);
        }
        meter.finish()
    }

    #[test]
    fn a_click_has_its_tempo_and_a_clear_pulse() {
        for bpm in [72.0, 90.0, 120.0, 128.0, 150.0] {
            let clicks = clicks(bpm, 60.0);
            let found = rhythm(&clicks);
            let tempo = found.tempo_bpm.unwrap();
            assert!((tempo / bpm - 1.0).abs() < 0.01, "{bpm}: {tempo}");
            assert!(found.pulse_clarity > 0.3, "{found:?}");
            assert!((found.onset_rate - bpm / 60.0).abs() < 0.1, "{found:?}");
        }
    }

    #[test]
    fn what_never_changes_has_no_tempo() {
        assert_eq!(rhythm(&[]).tempo_bpm, None);
        let still = rhythm(&vec![0.0; 6000]);
        assert_eq!((still.tempo_bpm, still.onset_rate), (None, 0.0));
    }
}
