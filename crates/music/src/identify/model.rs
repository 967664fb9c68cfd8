//! Weights of what is noticed, and the odds that they make.
//!
//! A conditional logit: each candidate's weights are added up, and so are those of two outcomes more,
//! "another version of these" and "none of these"; the exponentials are shares. `bench train` fits
//! the weights on made worlds, validates them on other seeds and writes `weights.json`, which is
//! built into the program. The share of the likeliest candidate becomes its confidence by a map that
//! `bench calibrate` makes of other seeds: how often such a share is right.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// Weights, by what is noticed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Where the weights come from.
    pub origin: String,
    /// Where the map from shares to confidences comes from.
    #[serde(default)]
    pub calibrated: String,
    /// That map, in order; empty where a share is taken for the confidence that it is.
    #[serde(default)]
    pub calibration: Vec<Knot>,
    /// What each thing noticed adds to the logarithm of the odds.
    pub weights: BTreeMap<String, f64>,
}

/// A point of the map from shares to confidences, which is straight between two of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Knot {
    /// A candidate's share of the odds, 0 to 1.
    pub stated: f64,
    /// How often one with that share is right, 0 to 1.
    pub observed: f64,
}

/// How likely each outcome is; all together are 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Odds {
    /// Of each candidate.
    pub candidates: Vec<f64>,
    /// Of another version of one of them.
    pub other_version: f64,
    /// Of none of them.
    pub none: f64,
}

impl Model {
    /// The weights that are built in.
    pub fn fitted() -> &'static Self {
        static FITTED: OnceLock<Model> = OnceLock::new();
        FITTED.get_or_init(|| {
            serde_json::from_str(include_str!("weights.json"))
                .expect("weights.json is read by a test")
        })
    }

    /// The weight of something noticed; what has none says nothing.
    ///
    /// An id that another program found is worth what one in the tags is: most of those were written there by such a
    /// program, and no made world has others.
    pub fn weight(&self, noticed: &str) -> f64 {
        let noticed = match noticed {
            "found id: this one" => "id: in the tags",
            "found id: another" => "id: the tags name another",
            other => other,
        };
        self.weights.get(noticed).copied().unwrap_or(0.0)
    }

    /// How often the likeliest candidate is right that has this share of the odds.
    pub fn calibrated(&self, share: f64) -> f64 {
        let above = self
            .calibration
            .partition_point(|knot| knot.stated <= share);
        let (Some(low), Some(high)) = (
            above.checked_sub(1).and_then(|at| self.calibration.get(at)),
            self.calibration.get(above),
        ) else {
            return share;
        };
        let along = (share - low.stated) / (high.stated - low.stated);
        low.observed + along * (high.observed - low.observed)
    }

    fn sum(&self, noticed: &[&str]) -> f64 {
        noticed.iter().map(|one| self.weight(one)).sum()
    }

    /// The odds of candidates by what was noticed about each, and about the passage.
    pub fn odds(
        &self,
        candidates: &[Vec<&'static str>],
        for_other: &[&str],
        for_none: &[&str],
    ) -> Odds {
        let mut sums: Vec<f64> = candidates.iter().map(|noticed| self.sum(noticed)).collect();
        sums.push(self.sum(for_other));
        sums.push(self.sum(for_none));
        let greatest = sums.iter().copied().fold(f64::MIN, f64::max);
        let mut shares: Vec<f64> = sums.iter().map(|sum| (sum - greatest).exp()).collect();
        let all: f64 = shares.iter().sum();
        for share in &mut shares {
            *share /= all;
        }
        let none = shares.pop().unwrap_or(1.0);
        let other_version = shares.pop().unwrap_or(0.0);
        Odds {
            candidates: shares,
            other_version,
            none,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_weights_can_be_read_and_say_where_they_come_from() {
        let model = Model::fitted();
        assert!(!model.origin.is_empty());
        assert!(model.weight("title: the same") > model.weight("title: another"));
        assert!(model.weights.values().all(|weight| weight.is_finite()));
        let knots = &model.calibration;
        assert!(knots.is_sorted_by(|a, b| a.stated < b.stated && a.observed <= b.observed));
    }

    #[test]
    fn odds_are_shared_among_all_outcomes() {
        let model = Model::fitted();
        let odds = model.odds(&[vec!["title: the same"], vec!["title: another"]], &[], &[]);
        let all: f64 = odds.candidates.iter().sum::<f64>() + odds.other_version + odds.none;
        assert!((all - 1.0).abs() < 1e-9);
        assert!(odds.candidates[0] > odds.candidates[1]);
        let nothing = model.odds(&[], &[], &[]);
        assert!((nothing.none + nothing.other_version - 1.0).abs() < 1e-9);
    }
}
