//! Where the passage before may still sound, and where the next may begin.
//!
//! After WKMP's SPEC025: in windows of A-weighted RMS of the mono mix, from the passage's start,
//! the lead-in lasts until the first window that reaches a quarter of the
//! loudness of the loudest (12 dB below it). A passage that reaches three
//! quarters (5 dB below) in less than a second starts suddenly and has no
//! lead-in. No lead is longer than a cap. The lead-out is the same, seen from
//! the end. A passage whose loudest window is too quiet to tell keeps the
//! player's own crossfade.
//!
//! Beside it stands the practice of radio: [`by_loudness`] goes by the loudness that is heard,
//! relative to that of the whole passage. A setting says which of the two counts.

use serde::{Deserialize, Serialize};

use crate::levels::PER_SECOND;
use crate::loudness::{Loudness, momentary_lufs};
use crate::sound::{COARSE_PER_SECOND, Moment};

/// Below this RMS of the loudest window nothing can be told, 1.0 being full scale.
const TOO_QUIET: f64 = 0.05;

/// Quieter than this below the passage's integrated loudness, in LU, and the next one may begin. Liquidsoap's
/// autocue, which is used on air, has 8.
const OVERLAP_LU: f64 = 8.0;

/// An overlap longer than this, in seconds, is a long tail, in which the next one begins only where it is quieter by so
/// many LU more. Both figures are autocue's.
const LONG_TAIL_S: f64 = 15.0;
const LONG_TAIL_LU: f64 = 15.0;

/// Peaks above this, half of full scale, may pass full scale where two of them overlap.
const CLIPPING_PEAK: f64 = 0.5;

/// What leads go by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadRule {
    /// WKMP's: so many dB below the passage's loudest window.
    #[default]
    Peak,
    /// Radio's: 8 LU below the passage's integrated loudness.
    Loudness,
}

impl LeadRule {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

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
    /// Which rule counts.
    #[serde(skip_serializing_if = "LeadRule::is_default")]
    pub rule: LeadRule,
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
            rule: LeadRule::Peak,
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

/// The leads of a passage by the loudness that is heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LoudnessLeads {
    /// From the passage's start to where it has nearly its own loudness, in seconds.
    pub lead_in_s: f64,
    /// From where it has lost it to its end, in seconds.
    pub lead_out_s: f64,
}

/// Finds leads as radio stations do (Liquidsoap's autocue): the momentary loudness, that of 0.4 s, passes 8 LU below the
/// integrated loudness of the passage. `None` where that loudness cannot be told.
///
/// `moments` are those of the passage, one every 100 ms.
pub fn by_loudness(moments: &[Moment], loudness: &Loudness) -> Option<LoudnessLeads> {
    let integrated = loudness.integrated_lufs?;
    let heard: Vec<f64> = momentary_lufs(moments).collect();
    let seconds = |moments: usize| moments as f64 / f64::from(COARSE_PER_SECOND);
    let in_window = moments.len().saturating_sub(heard.len());
    // The moment that made its window loud enough, which is the window's last one, but for the very first window.
    let lead_in = |below: f64| {
        let first = heard.iter().position(|lufs| *lufs >= integrated - below);
        first.map_or(0.0, |at| {
            if at == 0 {
                0.0
            } else {
                seconds(at + in_window)
            }
        })
    };
    let lead_out = |below: f64| {
        let last = heard.iter().rposition(|lufs| *lufs >= integrated - below);
        last.map_or(0.0, |at| {
            if at + 1 == heard.len() {
                0.0
            } else {
                seconds(moments.len() - (at + 1))
            }
        })
    };
    let long_tail = |lead: &dyn Fn(f64) -> f64| {
        let seconds = lead(OVERLAP_LU);
        if seconds > LONG_TAIL_S {
            lead(OVERLAP_LU + LONG_TAIL_LU)
        } else {
            seconds
        }
    };
    Some(LoudnessLeads {
        lead_in_s: long_tail(&lead_in),
        lead_out_s: long_tail(&lead_out),
    })
}

/// The greatest true peak that sounds while two passages overlap, 1.0 being full scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OverlapPeaks {
    /// Within the lead-in.
    pub lead_in: f64,
    /// Within the lead-out.
    pub lead_out: f64,
}

impl OverlapPeaks {
    /// Measures them in the moments of a passage.
    pub fn of(moments: &[Moment], lead_in_s: f64, lead_out_s: f64) -> Self {
        let count = |seconds: f64| {
            let moments_of = (seconds * f64::from(COARSE_PER_SECOND)).ceil() as usize;
            moments_of.min(moments.len())
        };
        let peak = |moments: &[Moment]| {
            let peak = moments.iter().map(|moment| moment.peak).fold(0.0, f32::max);
            f64::from(peak)
        };
        Self {
            lead_in: peak(&moments[..count(lead_in_s)]),
            lead_out: peak(&moments[moments.len() - count(lead_out_s)..]),
        }
    }

    /// Whether either window, over another one like it, may pass full scale.
    pub fn may_clip(&self) -> bool {
        self.lead_in.max(self.lead_out) > CLIPPING_PEAK
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

    /// Moments of a loudness: seconds, LUFS and true peak.
    fn moments(parts: &[(f64, f64, f32)]) -> Vec<Moment> {
        parts
            .iter()
            .flat_map(|(seconds, lufs, peak)| {
                let moment = Moment {
                    power: 10_f64.powf((lufs + 0.691) / 10.0) as f32,
                    peak: *peak,
                    ..Moment::default()
                };
                std::iter::repeat_n(moment, (seconds * 10.0).round() as usize)
            })
            .collect()
    }

    fn heard(parts: &[(f64, f64, f32)]) -> LoudnessLeads {
        let moments = moments(parts);
        by_loudness(&moments, &Loudness::of(&moments)).unwrap()
    }

    #[test]
    fn by_loudness_leads_end_eight_below_the_whole() {
        let found = heard(&[(3.0, -40.0, 0.1), (60.0, -14.0, 0.9), (4.0, -24.0, 0.2)]);
        assert!((found.lead_in_s - 3.0).abs() <= 0.1, "{found:?}");
        assert!((found.lead_out_s - 4.0).abs() <= 0.1, "{found:?}");
        let found = heard(&[(60.0, -14.0, 0.9), (4.0, -20.0, 0.2)]);
        assert_eq!(found, LoudnessLeads::default());
    }

    #[test]
    fn a_long_tail_overlaps_only_where_it_is_very_quiet() {
        let found = heard(&[(60.0, -14.0, 0.9), (20.0, -30.0, 0.2), (5.0, -50.0, 0.1)]);
        assert!((found.lead_out_s - 5.0).abs() <= 0.1, "{found:?}");
    }

    #[test]
    fn silence_has_no_loudness_to_go_by() {
        let silent = moments(&[(9.0, -90.0, 0.0)]);
        assert_eq!(by_loudness(&silent, &Loudness::of(&silent)), None);
        assert_eq!(by_loudness(&[], &Loudness::of(&[])), None);
    }

    #[test]
    fn loud_overlaps_may_clip() {
        let parts = moments(&[(2.0, -30.0, 0.3), (60.0, -14.0, 0.9), (2.0, -30.0, 0.6)]);
        let peaks = OverlapPeaks::of(&parts, 2.0, 2.0);
        assert!((peaks.lead_in - 0.3).abs() < 1e-6 && (peaks.lead_out - 0.6).abs() < 1e-6);
        assert!(peaks.may_clip());
        assert!(!OverlapPeaks::of(&parts, 2.0, 0.0).may_clip());
        assert!(!OverlapPeaks::of(&[], 2.0, 2.0).may_clip());
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
