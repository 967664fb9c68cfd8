//! What speaks for a key, and what it weighs: data that was fitted on music whose key is known.
//!
//! `weights.json` says on what it was fitted; `bench tempo fit` writes such a file.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::tonal::{VIEWS, turned};

/// Everything that was learned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Weights {
    /// By what command, and on what, the weights were fitted.
    pub origin: String,
    /// The figures on the songs that settings were chosen on.
    pub figures: String,
    /// What each degree of each view weighs for a major and for a minor key, and a constant.
    pub keys: [Vec<f64>; 2],
}

impl Weights {
    /// The weights that the program comes with.
    ///
    /// # Panics
    ///
    /// Never: that the file can be read is tested.
    pub fn built_in() -> &'static Self {
        static WEIGHTS: OnceLock<Weights> = OnceLock::new();
        WEIGHTS.get_or_init(|| {
            serde_json::from_str(include_str!("weights.json"))
                .expect("the weights in the program are whole")
        })
    }
}

/// What is known of every candidate for the key of a passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The views of each tonic, from C on, as its degrees and a constant.
    pub tonics: Vec<Vec<f64>>,
}

impl Evidence {
    pub(super) fn of(views: &[[f64; 12]; VIEWS]) -> Self {
        let tonics = (0..12).map(|tonic| turned(views, tonic).collect());
        Self {
            tonics: tonics.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_in_the_program_are_whole() {
        let weights = Weights::built_in();
        for keys in &weights.keys {
            assert_eq!(keys.len(), VIEWS * 12 + 1);
            assert!(keys.iter().all(|weight| weight.is_finite()));
        }
        assert!(!weights.origin.is_empty() && !weights.figures.is_empty());
    }
}
