//! How a passage sounds, measured here, without any service or trained model.
//!
//! [`Describer`] listens to a passage as 11,025 Hz mono and gives a [`Flavor`], a
//! vector of plain measurements. From it come the SPEC003 *characteristics* that
//! WKMP's program director compares: sets of classes whose probabilities sum up
//! to 1. They are named for what was measured (tempo, brightness, dynamics); no
//! genre and no mood, for no measurement here knows one. Where a measurement
//! becomes a probability, the middle and the width of its curve are constants
//! of [`Flavor::characteristics`].

mod distance;
mod rhythm;
mod spectrum;
mod tonal;
mod weights;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::levels::PER_SECOND;
use crate::loudness::Loudness;
use spectrum::{BANDS, Spectrum};
use tonal::Tones;

pub use distance::{Numbers, Similarity, numbers, spec003};
pub use weights::{Evidence, Weights};

/// The extractor's name and version, kept with what it measured.
pub const EXTRACTOR: &str = "accession-flavor 3";

/// Names of the pitch classes, and of keys.
pub const PITCH_CLASSES: [&str; 12] = [
    "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B",
];

/// Samples taken in at a time, so that they stay in the nearest cache.
const PIECE: usize = 4096;

/// SPEC003's form: a set of classes with probabilities, by characteristic.
pub type Characteristics = BTreeMap<String, BTreeMap<String, f64>>;

/// What was measured of a passage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flavor {
    /// Who measured.
    pub extractor: String,
    /// In beats a minute; `None` without any pulse.
    pub tempo_bpm: Option<f64>,
    /// How alike the beats are, 0 to 1.
    pub pulse_clarity: f64,
    /// Onsets a second.
    pub onset_rate: f64,
    /// The tonic, 0 for C; `None` where nothing sounds.
    pub key: Option<usize>,
    /// How well the key fits, -1 to 1.
    pub key_strength: f64,
    /// How much better the best major key fits than the best minor one, -2 to 2.
    pub major_over_minor: f64,
    /// How much of each pitch class sounds, from C on; sums to 1.
    pub pitch_classes: Vec<f64>,
    /// Integrated loudness in LUFS.
    pub loudness_lufs: Option<f64>,
    /// Loudness range in LU.
    pub loudness_range_lu: f64,
    /// Mean distance of the level of 0.2 s from the usual one, in dB (Streich's dynamic complexity).
    pub dynamic_complexity_db: f64,
    /// Mean centre of the spectrum up to 5.5 kHz, in Hz.
    pub centroid_hz: f64,
    /// Its spread, in Hz.
    pub centroid_spread_hz: f64,
    /// Below this lies 85 % of the energy, on average, in Hz.
    pub rolloff_hz: f64,
    /// Noise has 1, a tone 0.
    pub flatness: f64,
    /// Share of the energy in eight bands up to 80, 160, 315, 630, 1,250, 2,500, 4,000 and 5,512 Hz; sums to 1.
    pub bands: Vec<f64>,
    /// Mean of the cepstrum of 26 mel bands: 13 coefficients.
    pub timbre: Vec<f64>,
    /// Their spread.
    pub timbre_spread: Vec<f64>,
}

/// Listens to one passage.
pub struct Describer {
    spectrum: Spectrum,
    tones: Tones,
    samples: Vec<f32>,
}

impl Default for Describer {
    fn default() -> Self {
        Self::new()
    }
}

impl Describer {
    /// Nothing heard yet.
    pub fn new() -> Self {
        Self {
            spectrum: Spectrum::new(),
            tones: Tones::new(),
            samples: Vec::new(),
        }
    }

    /// Takes in the next samples: 11,025 Hz, mono.
    pub fn push(&mut self, samples: &[i16]) {
        for piece in samples.chunks(PIECE) {
            self.samples.clear();
            self.samples
                .extend(piece.iter().map(|sample| f32::from(*sample) / 32_768.0));
            self.spectrum.push(&self.samples);
            self.tones.push(&self.samples);
        }
    }

    /// What keys are told from, for those who fit the weights.
    pub fn evidence(&self) -> Evidence {
        Evidence::of(&self.tones.views())
    }

    /// What was heard; `mean_squares` are the levels of the passage, every 20 ms.
    pub fn finish(self, loudness: &Loudness, mean_squares: &[f32]) -> Flavor {
        let spectrum = self.spectrum.sums;
        let rhythm = spectrum.meter.finish();
        let tonality = self.tones.tonality();
        let energy: f64 = spectrum.bands.iter().sum();
        let share = |band: &f64| {
            if energy > 0.0 {
                band / energy
            } else {
                1.0 / BANDS as f64
            }
        };
        Flavor {
            extractor: EXTRACTOR.to_owned(),
            tempo_bpm: rhythm.tempo_bpm.map(|bpm| rounded(bpm, 2)),
            pulse_clarity: rounded(rhythm.pulse_clarity, 4),
            onset_rate: rounded(rhythm.onset_rate, 3),
            key: tonality.key,
            key_strength: rounded(tonality.strength, 4),
            major_over_minor: rounded(tonality.major_over_minor, 4),
            pitch_classes: tonality
                .classes
                .iter()
                .map(|share| rounded(*share, 5))
                .collect(),
            loudness_lufs: loudness.integrated_lufs.map(|lufs| rounded(lufs, 2)),
            loudness_range_lu: rounded(loudness.range_lu, 2),
            dynamic_complexity_db: rounded(dynamic_complexity(mean_squares), 3),
            centroid_hz: rounded(spectrum.centroid.mean(), 1),
            centroid_spread_hz: rounded(spectrum.centroid.deviation(), 1),
            rolloff_hz: rounded(spectrum.rolloff.mean(), 1),
            flatness: rounded(spectrum.flatness.mean(), 5),
            bands: spectrum
                .bands
                .iter()
                .map(|band| rounded(share(band), 6))
                .collect(),
            timbre: spectrum
                .cepstrum
                .iter()
                .map(|value| rounded(value.mean(), 4))
                .collect(),
            timbre_spread: spectrum
                .cepstrum
                .iter()
                .map(|value| rounded(value.deviation(), 4))
                .collect(),
        }
    }
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// Mean distance of the levels of 0.2 s from their weighted mean: loud stretches count more.
fn dynamic_complexity(mean_squares: &[f32]) -> f64 {
    let levels: Vec<f64> = mean_squares
        .chunks(PER_SECOND as usize / 5)
        .map(|step| f64::from(step.iter().sum::<f32>() / step.len() as f32))
        .map(|square| 10.0 * square.max(1e-9).log10())
        .collect();
    let weight = |level: &f64| 0.9_f64.powf(-level);
    let total: f64 = levels.iter().map(weight).map(f64::recip).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let usual = levels
        .iter()
        .map(|level| level / weight(level))
        .sum::<f64>()
        / total;
    levels
        .iter()
        .map(|level| (level - usual).abs())
        .sum::<f64>()
        / levels.len() as f64
}

impl Flavor {
    /// The key in words, such as `F# minor`.
    pub fn key_name(&self) -> Option<String> {
        let mode = if self.major_over_minor >= 0.0 {
            "major"
        } else {
            "minor"
        };
        self.key
            .and_then(|key| PITCH_CLASSES.get(key))
            .map(|tonic| format!("{tonic} {mode}"))
    }

    /// The passage in SPEC003's form.
    pub fn characteristics(&self) -> Characteristics {
        let lufs = self.loudness_lufs.unwrap_or(-70.0);
        let energy = 0.5 * curve(lufs, -16.0, 6.0) + 0.5 * curve(self.onset_rate, 3.0, 1.5);
        let danceable =
            curve(self.pulse_clarity, 0.18, 0.08) * self.tempo_bpm.map_or(0.0, dance_tempo);
        let mut all = Characteristics::from([
            two(
                "brightness",
                "bright",
                "dark",
                curve(self.centroid_hz, 900.0, 300.0),
            ),
            two("danceability", "danceable", "not_danceable", danceable),
            two(
                "dynamics",
                "wide",
                "narrow",
                curve(self.loudness_range_lu, 8.0, 3.0),
            ),
            two("energy", "high", "low", energy),
            two(
                "key_clarity",
                "clear",
                "unclear",
                curve(self.key_strength, 0.6, 0.12),
            ),
            two("loudness", "loud", "quiet", curve(lufs, -16.0, 5.0)),
            two(
                "mode",
                "major",
                "minor",
                curve(self.major_over_minor, 0.0, 0.06),
            ),
            two(
                "noisiness",
                "noisy",
                "clean",
                curve(self.flatness, 0.12, 0.05),
            ),
            two(
                "onsets",
                "dense",
                "sparse",
                curve(self.onset_rate, 3.0, 1.2),
            ),
            two(
                "pulse",
                "clear",
                "unclear",
                curve(self.pulse_clarity, 0.18, 0.08),
            ),
        ]);
        if let Some(bpm) = self.tempo_bpm {
            let near = |centre: f64| (-0.5 * ((bpm / centre).log2() / 0.25).powi(2)).exp();
            let names = ["slow", "moderate", "fast", "very_fast"];
            let shares = [near(70.0), near(100.0), near(130.0), near(170.0)];
            all.insert("tempo".to_owned(), classes(names.into_iter(), &shares));
        }
        if self.key.is_some() {
            let names = PITCH_CLASSES.into_iter();
            all.insert(
                "pitch_classes".to_owned(),
                classes(names, &self.pitch_classes),
            );
        }
        let names = [
            "sub_bass", "bass", "low", "low_mid", "mid", "high_mid", "high", "top",
        ];
        all.insert(
            "spectrum".to_owned(),
            classes(names.into_iter(), &self.bands),
        );
        all
    }
}

/// A characteristic of two classes. Six digits, and the second is what the first leaves: the sum is 1 exactly.
fn two(name: &str, yes: &str, no: &str, share: f64) -> (String, BTreeMap<String, f64>) {
    let share = rounded(share, 6);
    let classes = [
        (yes.to_owned(), share),
        (no.to_owned(), rounded(1.0 - share, 6)),
    ];
    (name.to_owned(), BTreeMap::from(classes))
}

/// A logistic curve: 0.5 at `middle`, 0.73 one `width` above.
fn curve(value: f64, middle: f64, width: f64) -> f64 {
    1.0 / (1.0 + (-(value - middle) / width).exp())
}

/// How usual a tempo is for dancing: full from 95 to 135, half at 75 and 170.
fn dance_tempo(bpm: f64) -> f64 {
    let outside = (95.0 / bpm).log2().max((bpm / 135.0).log2()).max(0.0);
    (-0.5 * (outside / 0.29).powi(2)).exp()
}

/// Shares by name, brought to a sum of 1. With all their digits, rows of passages would fill more than half a page each, so
/// that half of the file would be empty.
fn classes<'a>(names: impl Iterator<Item = &'a str>, shares: &[f64]) -> BTreeMap<String, f64> {
    let sum: f64 = shares.iter().sum();
    let share = |value: f64| {
        let share = if sum > 0.0 {
            value / sum
        } else {
            1.0 / shares.len() as f64
        };
        rounded(share, 6)
    };
    names
        .zip(shares)
        .map(|(name, value)| (name.to_owned(), share(*value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seconds: u32) -> Vec<i16> {
        let mut state = 1_u32;
        (0..seconds * 11_025)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 18) as i16) - 8192
            })
            .collect()
    }

    fn described(samples: &[i16], piece: usize) -> Flavor {
        let mut describer = Describer::new();
        for piece in samples.chunks(piece) {
            describer.push(piece);
        }
        let loudness = Loudness {
            integrated_lufs: Some(-14.0),
            range_lu: 5.0,
            true_peak_dbtp: Some(-1.0),
        };
        describer.finish(&loudness, &[0.01; 500])
    }

    #[test]
    fn every_characteristic_sums_to_one() {
        for samples in [noise(12), vec![0; 60_000], vec![], vec![9000; 40_000]] {
            for (name, classes) in described(&samples, 4096).characteristics() {
                let sum: f64 = classes.values().sum();
                assert!((sum - 1.0).abs() < 1e-4, "{name}: {sum}");
                assert!(
                    classes.values().all(|share| (0.0..=1.0).contains(share)),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn noise_is_bright_and_noisy_and_pieces_do_not_matter() {
        let noise = noise(15);
        let found = described(&noise, noise.len());
        assert_eq!(found, described(&noise, 1000));
        let characteristics = found.characteristics();
        assert!(characteristics["noisiness"]["noisy"] > 0.9);
        assert!(characteristics["brightness"]["bright"] > 0.9);
        assert!(found.centroid_hz > 2000.0);
    }

    /// Tones that are bowed rather than struck: each takes a tenth of a second to come.
    #[test]
    fn slow_attacks_have_a_tempo_too() {
        let semitones = [0, 4, 7, 12, 7, 4, 2, 5];
        let beat = 0.6;
        let samples: Vec<i16> = (0..40 * 11_025)
            .map(|at| {
                let seconds = f64::from(at) / 11_025.0;
                let swell = (seconds % beat / 0.1).min(1.0);
                let tone = semitones[(seconds / beat) as usize % semitones.len()];
                let hertz = 330.0 * 2_f64.powf(f64::from(tone) / 12.0);
                let wave = (std::f64::consts::TAU * hertz * seconds).sin();
                (8000.0 * swell * wave) as i16
            })
            .collect();
        let tempo = described(&samples, 4096).tempo_bpm.unwrap();
        assert!((tempo / 100.0 - 1.0).abs() < 0.01, "{tempo}");
    }

    #[test]
    fn a_flavor_reads_back_as_it_was_written() {
        let found = described(&noise(5), 5000);
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Flavor>(&text).unwrap(), found);
    }
}
