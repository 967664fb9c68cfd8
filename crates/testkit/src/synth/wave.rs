//! Waveforms and levels made with additions and multiplications only.
//!
//! `sin`, `powf` and their like differ in the last bit between platforms; a golden file must not.

use std::sync::OnceLock;

const LENGTH: usize = 2048;

/// One period of a waveform.
#[derive(Debug)]
pub(crate) struct Table(Vec<f32>);

impl Table {
    /// Returns the sine, computed once.
    pub(crate) fn sine() -> &'static Self {
        static SINE: OnceLock<Table> = OnceLock::new();
        SINE.get_or_init(|| Self(rotate()))
    }

    /// Adds up harmonics of the given strengths and scales the sum to a peak of 1.0.
    pub(crate) fn harmonics(strengths: &[f32]) -> Self {
        let sine = &Self::sine().0;
        let mut period: Vec<f32> = (0..LENGTH)
            .map(|index| {
                let parts = strengths.iter().enumerate();
                parts
                    .map(|(number, strength)| strength * sine[index * (number + 1) % LENGTH])
                    .sum()
            })
            .collect();
        let peak = period
            .iter()
            .fold(0.0f32, |peak, value| peak.max(value.abs()));
        for value in &mut period {
            *value /= peak;
        }
        Self(period)
    }

    /// Returns the value at `phase`, counted in periods and not negative.
    pub(crate) fn at(&self, phase: f64) -> f32 {
        let place = phase * LENGTH as f64;
        let index = place as usize;
        let part = (place - index as f64) as f32;
        let (left, right) = (self.0[index % LENGTH], self.0[(index + 1) % LENGTH]);
        left + (right - left) * part
    }
}

/// Turns a unit vector round the circle in `LENGTH` equal steps.
fn rotate() -> Vec<f32> {
    // The cosine and sine of one step, 2 pi / 2048, by their series.
    let step = std::f64::consts::TAU / LENGTH as f64;
    let square = step * step;
    let turn_cos = 1.0 - square / 2.0 + square * square / 24.0;
    let turn_sin = step * (1.0 - square / 6.0 + square * square / 120.0);
    let (mut cos, mut sin) = (1.0f64, 0.0f64);
    let mut period = Vec::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        period.push(sin as f32);
        (cos, sin) = (
            cos * turn_cos - sin * turn_sin,
            sin * turn_cos + cos * turn_sin,
        );
    }
    period
}

/// Returns the frequency of a MIDI key; 69 is 440 Hz.
pub(crate) fn hertz(key: i32) -> f64 {
    const SEMITONE: f64 = 1.059_463_094_359_295_3;
    let mut hertz = 440.0;
    for _ in 69..key {
        hertz *= SEMITONE;
    }
    for _ in key..69 {
        hertz /= SEMITONE;
    }
    hertz
}

/// Turns a level in dBFS into a factor.
pub(crate) fn decibels(dbfs: f32) -> f32 {
    10.0f32.powf(dbfs / 20.0)
}
