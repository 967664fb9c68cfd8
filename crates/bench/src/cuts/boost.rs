//! Gradient-boosted trees for a yes or no, as <https://doi.org/10.1214/aos/1013203451> has them, with the second-order
//! leaves of <https://doi.org/10.1145/2939672.2939785>: some hundred lines, so that no framework is needed to fit
//! the weights that the program comes with.

use audio::segment::model::{Forest, Node, probability};
use fastrand::Rng;

/// What a row is an example of.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its features.
    pub row: Vec<f32>,
    /// Whether it is a boundary.
    pub is_right: bool,
    /// How much it counts.
    pub weight: f32,
}

/// How trees are grown. The values were chosen by the log loss on the validation recordings.
#[derive(Debug, Clone, Copy)]
pub struct Growth {
    /// Number of trees.
    pub trees: usize,
    /// Splits from the root to a leaf, at most.
    pub depth: usize,
    /// How much of its answer a tree gives.
    pub rate: f32,
    /// Share of the rows that a tree sees.
    pub rows: f32,
    /// Share of the features that a tree sees.
    pub features: f32,
    /// Pulls leaves towards 0.
    pub ridge: f32,
    /// Least sum of second derivatives in a leaf.
    pub least: f32,
}

/// Values of a feature are told apart in this many steps.
const BINS: usize = 64;

/// The rows in steps, feature by feature.
struct Binned {
    edges: Vec<Vec<f32>>,
    bins: Vec<Vec<u8>>,
}

impl Binned {
    fn of(samples: &[Sample]) -> Self {
        let features = samples.first().map_or(0, |sample| sample.row.len());
        let edges: Vec<Vec<f32>> = (0..features)
            .map(|feature| {
                let mut values: Vec<f32> =
                    samples.iter().map(|sample| sample.row[feature]).collect();
                values.sort_unstable_by(f32::total_cmp);
                let mut edges: Vec<f32> = (1..BINS)
                    .map(|bin| values[bin * (values.len() - 1) / BINS])
                    .collect();
                edges.dedup();
                edges
            })
            .collect();
        let bins = (0..features)
            .map(|feature| {
                let bin = |sample: &Sample| {
                    edges[feature].partition_point(|edge| *edge <= sample.row[feature]) as u8
                };
                samples.iter().map(bin).collect()
            })
            .collect();
        Self { edges, bins }
    }
}

/// Fits a forest.
pub fn fit(samples: &[Sample], growth: &Growth, seed: u64) -> Forest {
    let right: f32 = samples
        .iter()
        .map(|s| if s.is_right { s.weight } else { 0.0 })
        .sum();
    let all: f32 = samples.iter().map(|s| s.weight).sum();
    let nothing = Forest {
        base: (right.max(1e-3) / (all - right).max(1e-3)).ln(),
        trees: Vec::new(),
    };
    fit_further(nothing, samples, growth, seed)
}

/// Lets a forest grow: more trees for what those that it has get wrong.
pub fn fit_further(mut forest: Forest, samples: &[Sample], growth: &Growth, seed: u64) -> Forest {
    let mut rng = Rng::with_seed(seed);
    let binned = Binned::of(samples);
    let mut odds: Vec<f32> = samples
        .iter()
        .map(|sample| forest.log_odds(&sample.row) as f32)
        .collect();
    for _ in 0..growth.trees {
        let derivatives: Vec<(f32, f32)> = samples
            .iter()
            .zip(&odds)
            .map(|(sample, odds)| {
                let likely = probability(f64::from(*odds)) as f32;
                let wanted = f32::from(u8::from(sample.is_right));
                let slope = sample.weight * (wanted - likely);
                (slope, sample.weight * likely * (1.0 - likely))
            })
            .collect();
        let seen: Vec<u32> = (0..samples.len() as u32)
            .filter(|_| rng.f32() < growth.rows)
            .collect();
        let features: Vec<usize> = (0..binned.bins.len())
            .filter(|_| rng.f32() < growth.features)
            .collect();
        let mut tree = Grower {
            binned: &binned,
            derivatives: &derivatives,
            features: &features,
            growth,
            nodes: Vec::new(),
        };
        tree.grow(&seen, growth.depth);
        let nodes = tree.nodes;
        let grown = Forest {
            base: 0.0,
            trees: vec![nodes],
        };
        for (odds, sample) in odds.iter_mut().zip(samples) {
            *odds += grown.log_odds(&sample.row) as f32;
        }
        forest.trees.extend(grown.trees);
    }
    forest
}

/// A forest whose log odds are the mean of those of several. Trees that all of them begin with are kept once.
pub fn mean(forests: &[Forest]) -> Forest {
    let Some((first, others)) = forests.split_first() else {
        return Forest::default();
    };
    let share = 1.0 / forests.len() as f32;
    let scaled = |Node(feature, value, less, rest): &Node| {
        let value = match feature {
            Some(_) => *value,
            None => value * share,
        };
        Node(*feature, value, *less, *rest)
    };
    let is_common = |at: &usize| {
        let is_same = |other: &Forest| other.trees.get(*at) == first.trees.get(*at);
        !others.is_empty() && others.iter().all(is_same)
    };
    let common = (0..first.trees.len()).take_while(is_common).count();
    let rest = forests.iter().flat_map(|forest| &forest.trees[common..]);
    let scaled = rest.map(|tree| tree.iter().map(scaled).collect());
    Forest {
        base: forests.iter().map(|forest| forest.base).sum::<f32>() * share,
        trees: first.trees[..common]
            .iter()
            .cloned()
            .chain(scaled)
            .collect(),
    }
}

struct Grower<'a> {
    binned: &'a Binned,
    derivatives: &'a [(f32, f32)],
    features: &'a [usize],
    growth: &'a Growth,
    nodes: Vec<Node>,
}

impl Grower<'_> {
    /// Grows the part of the tree that these rows come to, and returns its number.
    fn grow(&mut self, rows: &[u32], depth: usize) -> u16 {
        let at = self.nodes.len();
        let (slope, curve) = rows.iter().fold((0.0, 0.0), |(slope, curve), row| {
            let (s, c) = self.derivatives[*row as usize];
            (slope + s, curve + c)
        });
        let value = self.growth.rate * slope / (curve + self.growth.ridge);
        // Three digits are more than the training knows.
        self.nodes
            .push(Node(None, (value * 10_000.0).round() / 10_000.0, 0, 0));
        let split = (depth > 0)
            .then(|| self.split(rows, slope, curve))
            .flatten();
        if let Some((feature, bin)) = split {
            let bins = &self.binned.bins[feature];
            let (less, rest): (Vec<u32>, Vec<u32>) =
                rows.iter().partition(|row| bins[**row as usize] <= bin);
            let threshold = self.binned.edges[feature][usize::from(bin)];
            let less = self.grow(&less, depth - 1);
            let rest = self.grow(&rest, depth - 1);
            self.nodes[at] = Node(Some(feature as u16), threshold, less, rest);
        }
        at as u16
    }

    /// The feature and the last step on its lower side that part the rows best.
    fn split(&self, rows: &[u32], slope: f32, curve: f32) -> Option<(usize, u8)> {
        let gain = |s: f32, c: f32| s * s / (c + self.growth.ridge);
        let mut best = (gain(slope, curve) + 1e-3, None);
        for feature in self.features {
            let bins = &self.binned.bins[*feature];
            let mut sums = [(0.0_f32, 0.0_f32); BINS];
            for row in rows {
                let (s, c) = self.derivatives[*row as usize];
                let sum = &mut sums[usize::from(bins[*row as usize])];
                sum.0 += s;
                sum.1 += c;
            }
            let (mut s, mut c) = (0.0, 0.0);
            for (bin, _) in self.binned.edges[*feature].iter().enumerate() {
                s += sums[bin].0;
                c += sums[bin].1;
                if c < self.growth.least || curve - c < self.growth.least {
                    continue;
                }
                let parted = gain(s, c) + gain(slope - s, curve - c);
                if parted > best.0 {
                    best = (parted, Some((*feature, bin as u8)));
                }
            }
        }
        best.1
    }
}

/// Mean negative logarithm of the probability given to the truth.
pub fn log_loss(forest: &Forest, samples: &[Sample]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|sample| {
            let likely = probability(forest.log_odds(&sample.row));
            let given = if sample.is_right {
                likely
            } else {
                1.0 - likely
            };
            -f64::from(sample.weight) * given.max(1e-9).ln()
        })
        .sum();
    let weight: f64 = samples.iter().map(|sample| f64::from(sample.weight)).sum();
    sum / weight.max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWTH: Growth = Growth {
        trees: 20,
        depth: 2,
        rate: 0.3,
        rows: 1.0,
        features: 1.0,
        ridge: 1.0,
        least: 1.0,
    };

    /// What is right above 0.5 in one feature, and in the other below 0.3, so that neither alone tells.
    fn samples() -> Vec<Sample> {
        let mut rng = Rng::with_seed(5);
        let mut sample = || {
            let row = vec![rng.f32(), rng.f32()];
            let is_right = row[0] > 0.5 || row[1] < 0.3;
            Sample {
                row,
                is_right,
                weight: 1.0,
            }
        };
        (0..400).map(|_| sample()).collect()
    }

    #[test]
    fn a_forest_that_grows_further_says_what_it_said_and_gets_better() {
        let samples = samples();
        let few = fit(&samples, &Growth { trees: 3, ..GROWTH }, 1);
        let grown = fit_further(few.clone(), &samples, &GROWTH, 2);
        assert_eq!(grown.trees[..3], few.trees);
        assert_eq!(grown.trees.len(), 23);
        assert!(log_loss(&grown, &samples) < 0.5 * log_loss(&few, &samples));
    }

    #[test]
    fn a_mean_of_forests_says_the_mean_of_what_they_say() {
        let samples = samples();
        let few = fit(&samples, &Growth { trees: 3, ..GROWTH }, 1);
        let some = Growth {
            rows: 0.7,
            ..GROWTH
        };
        let grown = [2, 3, 4].map(|seed| fit_further(few.clone(), &samples, &some, seed));
        let others = [few.clone(), fit(&samples[..100], &GROWTH, 2)];
        for (forests, trees) in [(&grown[..], 3 + 3 * 20), (&others[..], 3 + 20)] {
            let all = mean(forests);
            assert_eq!(all.trees.len(), trees);
            for sample in &samples {
                let said = |forest: &Forest| forest.log_odds(&sample.row);
                let wanted = forests.iter().map(said).sum::<f64>() / forests.len() as f64;
                assert!((said(&all) - wanted).abs() < 1e-5);
            }
        }
    }
}
