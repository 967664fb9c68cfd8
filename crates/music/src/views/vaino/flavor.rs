//! Flavors as rows: a value for each class of each characteristic, with its source.

use audio::flavor::{Characteristics, EXTRACTOR};
use serde::Serialize;

/// The source of what the service says.
const ACOUSTICBRAINZ: &str = "acousticbrainz";

/// How far the classes of a characteristic may be from 1 together: WKMP's own tolerance, which the receiver shares.
const TOLERANCE: f64 = 1e-4;

/// A value of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Flavor {
    pub(super) characteristic: String,
    pub(super) class: String,
    pub(super) value: f64,
    source: String,
    /// Nobody has measured how well these are measured.
    accuracy: Option<f64>,
}

/// What the service says of a recording, and what was measured here under names of our own.
pub(super) fn flavors(service: Option<&str>, heard: Option<&str>) -> Vec<Flavor> {
    let service: Option<Characteristics> = service.and_then(|text| serde_json::from_str(text).ok());
    let heard: Option<audio::flavor::Flavor> =
        heard.and_then(|text| serde_json::from_str(text).ok());
    let heard = heard.map(|heard| heard.characteristics());
    let mut rows: Vec<Flavor> = Vec::new();
    for (characteristics, source) in [(service, ACOUSTICBRAINZ), (heard, EXTRACTOR)] {
        let known: Vec<String> = rows.iter().map(|row| row.characteristic.clone()).collect();
        for (characteristic, classes) in characteristics.unwrap_or_default() {
            let sum: f64 = classes.values().sum();
            let is_sound = (sum - 1.0).abs() <= TOLERANCE
                && classes.values().all(|value| (0.0..=1.0).contains(value));
            if known.contains(&characteristic) || !is_sound {
                continue;
            }
            rows.extend(classes.into_iter().map(|(class, value)| Flavor {
                characteristic: characteristic.clone(),
                class,
                value,
                source: source.to_owned(),
                accuracy: None,
            }));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_sum_to_one_was_not_measured() {
        let rows = flavors(
            Some(
                r#"{"mood_happy":{"happy":0.25,"not_happy":0.75},"gender":{"male":0.5,"female":0.4}}"#,
            ),
            None,
        );
        let values: Vec<_> = rows
            .iter()
            .map(|row| (row.class.as_str(), row.value))
            .collect();
        assert_eq!(values, [("happy", 0.25), ("not_happy", 0.75)]);
        assert_eq!(flavors(None, Some("nonsense")), []);
    }
}
