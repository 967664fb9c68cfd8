//! `AcousticBrainz`: how a recording sounds, as long as the service lasts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::services::{Patience, Service, Trouble};

/// Characteristic, class, probability; the probabilities of a characteristic sum to 1.
pub type Flavor = BTreeMap<String, BTreeMap<String, f64>>;

/// The service.
#[derive(Debug)]
pub struct AcousticBrainz {
    pub(super) service: Service,
}

/// What was measured of a recording, as far as people or players may want to know it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LowLevel {
    /// In beats a minute.
    pub bpm: Option<f64>,
    /// Onsets a second.
    pub onset_rate: Option<f64>,
    /// From 0 on; dance music has more than 1.
    pub danceability: Option<f64>,
    /// The tonic.
    pub key: Option<String>,
    /// `major` or `minor`.
    pub scale: Option<String>,
    /// How well the key fits, 0 to 1.
    pub key_strength: Option<f64>,
    /// In Hz.
    pub tuning_frequency: Option<f64>,
    /// 0 to 1.
    pub average_loudness: Option<f64>,
    /// In dB.
    pub dynamic_complexity: Option<f64>,
    /// Mean centre of the spectrum, in Hz.
    pub spectral_centroid: Option<f64>,
    /// Mean energy of the spectrum.
    pub spectral_energy: Option<f64>,
    /// Mean dissonance, 0 to 1.
    pub dissonance: Option<f64>,
}

/// A high-level or a low-level document, as the service and its dumps have it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Document {
    highlevel: BTreeMap<String, Characteristic>,
    lowlevel: Option<Measured>,
    rhythm: Rhythm,
    tonal: Tonal,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Characteristic {
    all: BTreeMap<String, f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Measured {
    average_loudness: Option<f64>,
    dynamic_complexity: Option<f64>,
    spectral_centroid: Spread,
    spectral_energy: Spread,
    dissonance: Spread,
}

/// A measurement of every frame, of which the mean matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spread {
    mean: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rhythm {
    bpm: Option<f64>,
    onset_rate: Option<f64>,
    danceability: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tonal {
    key_key: Option<String>,
    key_scale: Option<String>,
    key_strength: Option<f64>,
    tuning_frequency: Option<f64>,
}

impl Document {
    /// What it says, each if it says anything of the kind.
    pub fn described(self) -> (Option<Flavor>, Option<LowLevel>) {
        let Self {
            highlevel,
            lowlevel,
            rhythm,
            tonal,
        } = self;
        let flavor = Some(flavor(highlevel)).filter(|flavor| !flavor.is_empty());
        let low_level = lowlevel.map(|measured| LowLevel {
            bpm: rhythm.bpm,
            onset_rate: rhythm.onset_rate,
            danceability: rhythm.danceability,
            key: tonal.key_key,
            scale: tonal.key_scale,
            key_strength: tonal.key_strength,
            tuning_frequency: tonal.tuning_frequency,
            average_loudness: measured.average_loudness,
            dynamic_complexity: measured.dynamic_complexity,
            spectral_centroid: measured.spectral_centroid.mean,
            spectral_energy: measured.spectral_energy.mean,
            dissonance: measured.dissonance.mean,
        });
        (
            flavor,
            low_level.filter(|described| *described != LowLevel::default()),
        )
    }
}

impl AcousticBrainz {
    pub(super) fn new(service: Service) -> Self {
        Self { service }
    }

    /// The flavor of a recording.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn flavor(&self, mbid: &str, patience: &Patience) -> Result<Option<Flavor>, Trouble> {
        let found = self.document(mbid, "high-level", patience).await?;
        Ok(found.and_then(|document| document.described().0))
    }

    /// What was measured of a recording.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn low_level(
        &self,
        mbid: &str,
        patience: &Patience,
    ) -> Result<Option<LowLevel>, Trouble> {
        let found = self.document(mbid, "low-level", patience).await?;
        Ok(found.and_then(|document| document.described().1))
    }

    async fn document(
        &self,
        mbid: &str,
        kind: &str,
        patience: &Patience,
    ) -> Result<Option<Document>, Trouble> {
        self.service
            .get(&format!("{mbid}/{kind}"), &[], patience)
            .await
    }
}

fn flavor(characteristics: BTreeMap<String, Characteristic>) -> Flavor {
    let mut flavor = Flavor::new();
    for (name, characteristic) in characteristics {
        let sum: f64 = characteristic.all.values().filter(|p| **p >= 0.0).sum();
        if characteristic.all.len() < 2 || !sum.is_finite() || sum <= 0.0 {
            continue;
        }
        let classes = characteristic
            .all
            .into_iter()
            .map(|(class, probability)| (class, probability.max(0.0) / sum));
        flavor.insert(name, classes.collect());
    }
    flavor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one() {
        let document = r#"{"highlevel": {"danceability": {"all": {"danceable": 0.7, "not_danceable": 0.2},
            "probability": 0.7, "value": "danceable"}, "odd": {"all": {"x": 1.0}}}, "metadata": {}}"#;
        let document: Document = serde_json::from_str(document).unwrap();
        let flavor = document.described().0.unwrap();
        assert_eq!(flavor.len(), 1);
        let sum: f64 = flavor["danceability"].values().sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_low_level_document_is_summed_up() {
        let document = r#"{"lowlevel": {"average_loudness": 0.9, "spectral_centroid": {"mean": 1200.5, "var": 3},
            "mfcc": {"mean": [1, 2]}}, "rhythm": {"bpm": 121.5, "beats_position": [0.5, 1.0]},
            "tonal": {"key_key": "A", "key_scale": "minor", "key_strength": 0.8}, "metadata": {}}"#;
        let document: Document = serde_json::from_str(document).unwrap();
        let (flavor, described) = document.described();
        assert_eq!(flavor, None);
        let described = described.unwrap();
        assert_eq!(described.bpm, Some(121.5));
        assert_eq!(described.spectral_centroid, Some(1200.5));
        assert_eq!(described.key.as_deref(), Some("A"));
        assert_eq!(described.dissonance, None);
    }
}
