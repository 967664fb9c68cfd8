//! The model that tells a gap between two tracks from a rest: boosted trees, whose weights are data.
//!
//! `weights.json` is written by `bench cuts fit`, which also writes down there on what it was fitted. It has two
//! stages: the first sees a dip and its file, the second also what the first says about the other dips.

use std::io::Read;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};

/// Everything that was learned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    /// By what command, and on what, the weights were fitted.
    pub origin: String,
    /// The figures on the recordings that the settings were chosen on.
    pub figures: String,
    /// Judges a dip by itself.
    pub alone: Forest,
    /// Judges it by how it agrees with the other dips of the file.
    pub together: Forest,
    /// How a set of cuts is chosen.
    pub choice: Choice,
    /// From the log odds that the trees give to those that hold: factor and constant.
    pub calibration: [f64; 2],
}

/// What weighs in the choice of a set of cuts, in log odds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Added to every cut.
    pub each: f64,
    /// Added to leaving the file whole.
    pub whole: f64,
    /// For every halving of a passage below `short_seconds`.
    pub short: f64,
    /// A shorter passage is unusual, in seconds.
    pub short_seconds: f64,
}

impl Model {
    /// The model that the program comes with.
    ///
    /// # Panics
    ///
    /// Never: that the file can be read is tested.
    pub fn built_in() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| {
            let packed: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weights.json.gz"));
            let mut plain = String::new();
            GzDecoder::new(packed)
                .read_to_string(&mut plain)
                .map(|_| serde_json::from_str(&plain))
                .expect("what is packed at building can be unpacked")
                .expect("the weights in the program are whole")
        })
    }

    /// How sure a cut with these log odds is, 0 to 1.
    pub fn confidence(&self, log_odds: f64) -> f64 {
        let [factor, constant] = self.calibration;
        probability(factor * log_odds + constant)
    }
}

/// Trees whose leaves are added up to log odds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Forest {
    /// The log odds that the trees add to.
    pub base: f32,
    /// The trees.
    pub trees: Vec<Vec<Node>>,
}

/// A node: the number of the feature, the threshold, and where to go on for less and for the rest. A leaf
/// has no feature, and its value in place of the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Node(pub Option<u16>, pub f32, pub u16, pub u16);

impl Forest {
    /// Log odds of a row.
    pub fn log_odds(&self, row: &[f32]) -> f64 {
        let sum: f32 = self.trees.iter().map(|tree| leaf(tree, row)).sum();
        f64::from(self.base + sum)
    }
}

fn leaf(tree: &[Node], row: &[f32]) -> f32 {
    let mut at = 0;
    // Children lie behind their parents, so this ends whatever the file holds.
    while let Some(Node(feature, value, less, rest)) = tree.get(at) {
        let Some(feature) = feature else {
            return *value;
        };
        let is_less = row
            .get(usize::from(*feature))
            .is_some_and(|number| number < value);
        let next = usize::from(if is_less { *less } else { *rest });
        if next <= at {
            return 0.0;
        }
        at = next;
    }
    0.0
}

/// The probability of log odds.
pub fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_can_be_read_and_lead_somewhere() {
        let model = Model::built_in();
        for forest in [&model.alone, &model.together] {
            assert!(!forest.trees.is_empty());
            for tree in &forest.trees {
                for (at, Node(feature, value, less, rest)) in tree.iter().enumerate() {
                    assert!(value.is_finite());
                    let lies_behind =
                        |child: &u16| usize::from(*child) > at && usize::from(*child) < tree.len();
                    assert!(feature.is_none() || (lies_behind(less) && lies_behind(rest)));
                }
            }
        }
    }
}
