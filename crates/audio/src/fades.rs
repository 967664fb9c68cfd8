//! Fades that were mixed into the music itself.
//!
//! Seen from the body of a passage, a fade is a slow way (3 s and more) from
//! its usual level to at least 20 dB below it, downhill nearly all the time,
//! while the music goes on. The last is what tells a fade from a chord that
//! rings out: its level keeps moving up and down around its course.

use serde::{Deserialize, Serialize};

use crate::levels::PER_SECOND;

/// Windows of 20 ms in a step of half a second.
const STEP: usize = PER_SECOND as usize / 2;

/// Seconds that a fade lasts at least.
const SHORTEST: f64 = 3.0;

/// A fade begins where the level was last this close to the passage's usual one, in dB.
const FULL_DB: f32 = 4.0;

/// A fade goes down by this much, in dB.
const DROP_DB: f32 = 20.0;

/// Below the usual level by this much, nothing more is heard of a fade, in dB.
const GONE_DB: f32 = 45.0;

/// A step up this small does not count as uphill, in dB.
const LEVEL_DB: f32 = 1.0;

/// Share of steps that go downhill.
const DOWNHILL: f64 = 0.85;

/// How far, on average, the level of music that goes on lies from its course, in dB.
const MOVING_DB: f32 = 1.0;

/// The fades of a passage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Fades {
    /// From the passage's start to where it has come to its usual level, in seconds.
    pub fade_in_s: Option<f64>,
    /// From where it begins to fade to the passage's end, in seconds.
    pub fade_out_s: Option<f64>,
}

/// Listens for fades in the mean squares of a passage, one every 20 ms.
pub fn fades(mean_squares: &[f32]) -> Fades {
    let reversed: Vec<f32> = mean_squares.iter().rev().copied().collect();
    Fades {
        fade_in_s: fade_out(&reversed),
        fade_out_s: fade_out(mean_squares),
    }
}

fn decibels(mean_square: f32) -> f32 {
    10.0 * mean_square.max(1e-12).log10()
}

fn fade_out(mean_squares: &[f32]) -> Option<f64> {
    let steps: Vec<f32> = mean_squares
        .chunks_exact(STEP)
        .map(|step| decibels(step.iter().sum::<f32>() / STEP as f32))
        .collect();
    let usual = usual(&steps)?;
    let from = steps.iter().rposition(|level| *level >= usual - FULL_DB)?;
    let tail = &steps[from..];
    let gone = tail
        .iter()
        .position(|level| *level < usual - GONE_DB)
        .unwrap_or(tail.len());
    let tail = &tail[..gone];
    let seconds = (gone * STEP) as f64 / f64::from(PER_SECOND);
    let drop = tail.first()? - tail.last()?;
    let downhill = tail
        .windows(2)
        .filter(|pair| pair[1] <= pair[0] + LEVEL_DB)
        .count();
    let is_fade = seconds >= SHORTEST
        && drop >= DROP_DB
        && downhill as f64 >= DOWNHILL * (tail.len() - 1) as f64
        && movement(&mean_squares[from * STEP..(from + gone) * STEP]) >= MOVING_DB;
    is_fade.then(|| (mean_squares.len() - from * STEP) as f64 / f64::from(PER_SECOND))
}

/// The level that half of the sounding passage exceeds.
fn usual(steps: &[f32]) -> Option<f32> {
    let mut sorted: Vec<f32> = steps
        .iter()
        .copied()
        .filter(|level| *level > -70.0)
        .collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Mean distance of the levels from their course over half a second, in dB.
fn movement(mean_squares: &[f32]) -> f32 {
    let levels: Vec<f32> = mean_squares
        .iter()
        .map(|square| decibels(*square))
        .collect();
    let mut sum = 0.0;
    let mut count = 0;
    for (at, window) in levels.windows(STEP).enumerate() {
        let course = window.iter().sum::<f32>() / STEP as f32;
        sum += (levels[at + STEP / 2] - course).abs();
        count += 1;
    }
    if count == 0 { 0.0 } else { sum / count as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Music with a beat twice a second: `seconds` of it at a level that runs from one to another in dB.
    fn music(parts: &[(f64, f32, f32)], beat_db: f32) -> Vec<f32> {
        let mut out = Vec::new();
        for (seconds, from, to) in parts {
            let count = (seconds * f64::from(PER_SECOND)) as usize;
            for at in 0..count {
                let level = from + (to - from) * at as f32 / count as f32;
                let beat = beat_db * (1.0 - (at % 25) as f32 / 25.0);
                out.push(10_f32.powf((level + beat) / 10.0));
            }
        }
        out
    }

    #[test]
    fn a_fade_is_heard_where_it_begins() {
        let faded = music(&[(60.0, -15.0, -15.0), (8.0, -15.0, -60.0)], 8.0);
        let seconds = fades(&faded).fade_out_s.unwrap();
        assert!((seconds - 7.5).abs() <= 1.0, "{seconds}");
        assert_eq!(fades(&faded).fade_in_s, None);
        let risen = music(&[(8.0, -60.0, -15.0), (60.0, -15.0, -15.0)], 8.0);
        assert!(fades(&risen).fade_in_s.is_some());
    }

    #[test]
    fn a_cold_end_and_a_chord_that_rings_out_are_no_fades() {
        assert_eq!(fades(&music(&[(60.0, -15.0, -15.0)], 8.0)).fade_out_s, None);
        let mut rings = music(&[(60.0, -15.0, -15.0)], 8.0);
        rings.extend(music(&[(8.0, -15.0, -60.0)], 0.0));
        assert_eq!(fades(&rings).fade_out_s, None);
        assert_eq!(fades(&[]), Fades::default());
    }
}
