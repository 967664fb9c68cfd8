//! How far apart two passages are.

use super::{Characteristics, Flavor};

/// The distance of WKMP's SPEC003, 0 to 1.
///
/// Over the characteristics that both have: of those with two classes, the mean
/// squared difference of the first class; of those with more, for each the mean
/// squared difference over the classes that both have, and of these the mean.
/// The distance is the mean of the two; a kind that is shared by none counts 1.
pub fn spec003(one: &Characteristics, other: &Characteristics) -> f64 {
    let (mut binary, mut complex) = (Vec::new(), Vec::new());
    for (name, a) in one {
        let Some(b) = other.get(name) else { continue };
        let differences: Vec<f64> = a
            .iter()
            .filter_map(|(class, share)| b.get(class).map(|other| (share - other).powi(2)))
            .collect();
        match (a.len(), differences.first()) {
            (_, None) => {}
            (0..=2, Some(first)) => binary.push(*first),
            _ => complex.push(mean(&differences)),
        }
    }
    let kind = |found: &[f64]| if found.is_empty() { 1.0 } else { mean(found) };
    f64::midpoint(kind(&binary), kind(&complex))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// A scale on which the flavors of a library can be compared: each number in units of its spread in the library.
#[derive(Debug, Clone)]
pub struct Similarity {
    means: Vec<f64>,
    factors: Vec<f64>,
}

impl Similarity {
    /// The scale of a library.
    pub fn of<'a>(flavors: impl Iterator<Item = &'a Flavor>) -> Self {
        let vectors: Vec<_> = flavors.map(Flavor::vector).collect();
        let count = vectors.len().max(1) as f64;
        let length = vectors.first().map_or(0, Vec::len);
        let mean = |at: usize| vectors.iter().map(|vector| vector[at].0).sum::<f64>() / count;
        let means: Vec<f64> = (0..length).map(mean).collect();
        let factors = (0..length)
            .map(|at| {
                let squares = vectors
                    .iter()
                    .map(|vector| (vector[at].0 - means[at]).powi(2))
                    .sum::<f64>();
                let spread = (squares / count).sqrt();
                // What is the same everywhere tells nothing.
                if spread > 1e-9 {
                    vectors[0][at].1 / spread
                } else {
                    0.0
                }
            })
            .collect();
        Self { means, factors }
    }

    /// The place of a flavor on the scale.
    pub fn place(&self, flavor: &Flavor) -> Vec<f64> {
        flavor
            .vector()
            .iter()
            .zip(self.means.iter().zip(&self.factors))
            .map(|((value, _), (mean, factor))| {
                // One odd number must not make a passage unlike all others.
                ((value - mean) * factor).clamp(-4.0, 4.0)
            })
            .collect()
    }

    /// The distance of two places: 0 is the same, some 1.4 is what two random passages have.
    pub fn distance(one: &[f64], other: &[f64]) -> f64 {
        let squares: f64 = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
        (squares / one.len().max(1) as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn set(entries: &[(&str, &[(&str, f64)])]) -> Characteristics {
        entries
            .iter()
            .map(|(name, classes)| {
                let classes: BTreeMap<_, _> = classes
                    .iter()
                    .map(|(class, share)| ((*class).to_owned(), *share))
                    .collect();
                ((*name).to_owned(), classes)
            })
            .collect()
    }

    #[test]
    fn the_distance_is_as_spec003_says() {
        let one = set(&[
            ("mode", &[("major", 0.9), ("minor", 0.1)]),
            ("tempo", &[("a", 0.5), ("b", 0.3), ("c", 0.2)]),
        ]);
        let other = set(&[
            ("mode", &[("major", 0.4), ("minor", 0.6)]),
            ("tempo", &[("a", 0.2), ("b", 0.3), ("c", 0.5)]),
        ]);
        let expected = f64::midpoint(0.25, (0.09 + 0.0 + 0.09) / 3.0);
        assert!((spec003(&one, &other) - expected).abs() < 1e-12);
        assert!(spec003(&one, &one).abs() < 1e-12);
    }

    #[test]
    fn what_shares_nothing_is_at_the_greatest_distance() {
        let one = set(&[("mode", &[("major", 0.9), ("minor", 0.1)])]);
        assert!((spec003(&one, &Characteristics::new()) - 1.0).abs() < 1e-12);
        assert!(
            (spec003(&one, &one) - 0.5).abs() < 1e-12,
            "no complex one is shared"
        );
    }
}
