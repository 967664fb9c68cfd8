//! `AcousticBrainz`: how a recording sounds, as long as the service lasts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::identify::services::{Patience, Service, Trouble};

/// Characteristic, class, probability; the probabilities of a characteristic sum to 1.
pub type Flavor = BTreeMap<String, BTreeMap<String, f64>>;

/// The service.
#[derive(Debug)]
pub struct AcousticBrainz {
    pub(super) service: Service,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct HighLevel {
    highlevel: BTreeMap<String, Characteristic>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Characteristic {
    all: BTreeMap<String, f64>,
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
        let found: Option<HighLevel> = self
            .service
            .get(&format!("{mbid}/high-level"), &[], patience)
            .await?;
        Ok(found.map(flavor).filter(|flavor| !flavor.is_empty()))
    }
}

/// The flavor in a high-level document, as the service and its dumps have it.
///
/// # Errors
///
/// When it is no such document.
pub fn flavor_of(document: &str) -> Result<Flavor, serde_json::Error> {
    serde_json::from_str(document).map(flavor)
}

fn flavor(document: HighLevel) -> Flavor {
    let mut flavor = Flavor::new();
    for (name, characteristic) in document.highlevel {
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
        let flavor = flavor_of(document).unwrap();
        assert_eq!(flavor.len(), 1);
        let sum: f64 = flavor["danceability"].values().sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}
