//! Where the passage before may still sound, and where the next may begin.
//!
//! After WKMP's SPEC025: in windows of A-weighted RMS of the mono mix, from the passage's start,
//! the lead-in lasts until the first window that reaches a quarter of the
//! loudness of the loudest (12 dB below it). A passage that reaches three
//! quarters (5 dB below) in less than a second starts suddenly and has no
//! lead-in. No lead is longer than a cap. The lead-out is the same, seen from
//! the end. A passage whose loudest window is too quiet to tell keeps the
//! player's own crossfade.

use serde::{Deserialize, Serialize};

use crate::levels::PER_SECOND;

/// Below this RMS of the loudest window nothing can be told, 1.0 being full scale.
const TOO_QUIET: f64 = 0.05;

/// What a lead is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeadSettings {
    /// Length of a window in ms.
    pub rms_window_ms: u32,
    /// The lead-in ends this far from the loudest window, in dB.
    pub lead_in_threshold_db: f64,
    /// The lead-out begins this far from the loudest window, in dB.
    pub lead_out_threshold_db: f64,
    /// Loudness that makes a start or end a quick one: 0.75, three quarters, is 5 dB down.
    pub quick_ramp_threshold: f64,
    /// A start or end is quick when it takes less than this, in seconds.
    pub quick_ramp_duration_s: f64,
    /// No lead-in is longer, in seconds.
    pub max_lead_in_duration_s: f64,
    /// No lead-out is longer, in seconds.
    pub max_lead_out_duration_s: f64,
    /// Whether windows are A-weighted.
    pub apply_a_weighting: bool,
    /// If somebody chose it: the lead-in ends at this level in dBFS, whatever the loudest window.
    #[serde(skip)]
    pub lead_in_dbfs: Option<f64>,
    /// The same for the lead-out.
    #[serde(skip)]
    pub lead_out_dbfs: Option<f64>,
}

impl LeadSettings {
    /// The settings with values outside of what can be meant brought back to it.
    #[must_use]
    pub fn sane(mut self) -> Self {
        self.rms_window_ms = self.rms_window_ms.clamp(20, 1000);
        for seconds in [
            &mut self.quick_ramp_duration_s,
            &mut self.max_lead_in_duration_s,
            &mut self.max_lead_out_duration_s,
        ] {
            *seconds = if seconds.is_finite() {
                seconds.clamp(0.0, 600.0)
            } else {
                0.0
            };
        }
        self
    }
}

impl Default for LeadSettings {
    fn default() -> Self {
        Self {
            rms_window_ms: 100,
            lead_in_threshold_db: -12.0,
            lead_out_threshold_db: -12.0,
            quick_ramp_threshold: 0.75,
            quick_ramp_duration_s: 1.0,
            max_lead_in_duration_s: 5.0,
            max_lead_out_duration_s: 5.0,
            apply_a_weighting: true,
            lead_in_dbfs: None,
            lead_out_dbfs: None,
        }
    }
}

/// The leads of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Leads {
    /// RMS of the loudest window, 1.0 being full scale.
    pub peak_rms: f64,
    /// From the passage's start to its lead-in point, in seconds; `None` where nothing can be told.
    pub lead_in_detected_s: Option<f64>,
    /// From the passage's lead-out point to its end, in seconds.
    pub lead_out_detected_s: Option<f64>,
    /// The passage starts suddenly.
    pub quick_ramp_up: bool,
    /// The passage ends suddenly.
    pub quick_ramp_down: bool,
}

/// Finds the leads of a passage by its mean squares, one every 20 ms.
pub fn leads(mean_squares: &[f32], settings: &LeadSettings) -> Leads {
    let length = (settings.rms_window_ms * PER_SECOND).div_ceil(1000).max(1) as usize;
    let rms = |window: &[f32]| {
        let sum: f64 = window.iter().map(|square| f64::from(*square)).sum();
        (sum / window.len() as f64).sqrt()
    };
    let forward: Vec<f64> = mean_squares.chunks(length).map(rms).collect();
    let backward: Vec<f64> = mean_squares.rchunks(length).map(rms).collect();
    let peak = forward.iter().copied().fold(0.0, f64::max);
    let seconds = length as f64 / f64::from(PER_SECOND);
    let below_peak = |decibels: f64| peak * 10_f64.powf(-decibels.abs() / 20.0);
    let full_scale = |dbfs: f64| 10_f64.powf(dbfs / 20.0);
    let lead = |rms: &[f64], threshold: f64, cap: f64| {
        let reaches = |level: f64| {
            let window = rms
                .iter()
                .position(|rms| *rms >= level)
                .unwrap_or(rms.len());
            window as f64 * seconds
        };
        let quick =
            reaches(peak * rms_of(settings.quick_ramp_threshold)) < settings.quick_ramp_duration_s;
        (
            if quick {
                0.0
            } else {
                reaches(threshold).min(cap)
            },
            quick,
        )
    };
    let threshold = settings
        .lead_in_dbfs
        .map_or_else(|| below_peak(settings.lead_in_threshold_db), full_scale);
    let (lead_in, quick_ramp_up) = lead(&forward, threshold, settings.max_lead_in_duration_s);
    let threshold = settings
        .lead_out_dbfs
        .map_or_else(|| below_peak(settings.lead_out_threshold_db), full_scale);
    let (lead_out, quick_ramp_down) = lead(&backward, threshold, settings.max_lead_out_duration_s);
    let can_tell = peak >= TOO_QUIET;
    Leads {
        peak_rms: peak,
        lead_in_detected_s: can_tell.then_some(lead_in),
        lead_out_detected_s: can_tell.then_some(lead_out),
        quick_ramp_up: can_tell && quick_ramp_up,
        quick_ramp_down: can_tell && quick_ramp_down,
    }
}

/// The share of the greatest RMS that sounds `loudness` as loud: its square, so that three quarters are
/// 0.562 of it, 5 dB down, as SPEC025 has it.
fn rms_of(loudness: f64) -> f64 {
    loudness.clamp(0.0, 1.0).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean squares from stretches of a level: seconds and dB below full scale.
    fn squares(parts: &[(f64, f64)]) -> Vec<f32> {
        parts
            .iter()
            .flat_map(|(seconds, decibels)| {
                let count = (seconds * f64::from(PER_SECOND)).round() as usize;
                std::iter::repeat_n(10_f64.powf(decibels / 10.0) as f32, count)
            })
            .collect()
    }

    #[test]
    fn a_slow_start_and_a_slow_end_overlap_with_their_neighbours() {
        let found = leads(
            &squares(&[(2.0, -40.0), (1.0, -18.0), (60.0, -10.0), (1.5, -30.0)]),
            &LeadSettings::default(),
        );
        assert_eq!(found.lead_in_detected_s, Some(2.0));
        assert_eq!(found.lead_out_detected_s, Some(1.5));
        assert!(!found.quick_ramp_up && !found.quick_ramp_down);
    }

    #[test]
    fn sudden_starts_and_ends_have_none() {
        let found = leads(
            &squares(&[(0.5, -40.0), (60.0, -10.0), (0.9, -40.0)]),
            &LeadSettings::default(),
        );
        assert_eq!(
            (found.lead_in_detected_s, found.quick_ramp_up),
            (Some(0.0), true)
        );
        assert_eq!(
            (found.lead_out_detected_s, found.quick_ramp_down),
            (Some(0.0), true)
        );
    }

    #[test]
    fn no_lead_is_longer_than_its_cap() {
        let found = leads(
            &squares(&[(9.0, -40.0), (60.0, -10.0)]),
            &LeadSettings::default(),
        );
        assert_eq!(found.lead_in_detected_s, Some(5.0));
    }

    #[test]
    fn what_is_too_quiet_keeps_the_players_crossfade() {
        for quiet in [vec![], squares(&[(9.0, -60.0)])] {
            assert_eq!(
                leads(&quiet, &LeadSettings::default()).lead_in_detected_s,
                None
            );
        }
    }

    #[test]
    fn settings_count() {
        let classical = LeadSettings {
            rms_window_ms: 200,
            lead_in_threshold_db: -15.0,
            quick_ramp_duration_s: 2.0,
            ..LeadSettings::default()
        };
        let parts = squares(&[(3.0, -27.0), (1.0, -24.0), (60.0, -10.0)]);
        assert_eq!(
            leads(&parts, &LeadSettings::default()).lead_in_detected_s,
            Some(4.0)
        );
        assert_eq!(leads(&parts, &classical).lead_in_detected_s, Some(3.0));
    }
}
