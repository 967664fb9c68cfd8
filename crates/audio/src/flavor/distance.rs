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

/// The flavors of a library, as numbers that can be compared: each in units of its spread in the library.
///
/// A flavor takes some 200 bytes: a library of 200,000 passages fits into 40 MB.
#[derive(Debug, Clone, Default)]
pub struct Similarity {
    /// How much each number counts.
    weights: Vec<f64>,
    /// As many numbers for each flavor, one flavor after the other. Halved in precision, which no ear will notice.
    values: Vec<f32>,
}

impl Similarity {
    /// Adds a flavor; whether it has as many numbers as those before and can be compared with them.
    pub fn add(&mut self, flavor: &Flavor) -> bool {
        let vector = flavor.vector();
        if self.weights.is_empty() {
            self.weights = vector.iter().map(|(_, weight)| *weight).collect();
        }
        if vector.len() != self.weights.len() {
            return false;
        }
        self.values
            .extend(vector.iter().map(|(value, _)| *value as f32));
        true
    }

    /// The distance of every flavor from the one that was added as number `from`, in the order in which they were added:
    /// 0 is the same, some 1.4 is what two random passages have.
    pub fn distances(&self, from: usize) -> Vec<f64> {
        let width = self.weights.len().max(1);
        let scale = self.scale();
        let own = self.values.chunks_exact(width).nth(from);
        let Some(own) = own.map(|flavor| scale.place(flavor)) else {
            return Vec::new();
        };
        let distance = |flavor| {
            let other = scale.place(flavor);
            let squares: f64 = own.iter().zip(&other).map(|(a, b)| (a - b).powi(2)).sum();
            (squares / width as f64).sqrt()
        };
        self.values.chunks_exact(width).map(distance).collect()
    }

    /// A place on a plane for each of the flavors with these numbers, so that those that sound alike lie near each other:
    /// the two directions in which these flavors differ most (principal components, Pearson 1901), found by power
    /// iteration, coordinates from -1 to 1.
    pub fn plane(&self, numbers: &[usize]) -> Vec<[f64; 2]> {
        let width = self.weights.len().max(1);
        let scale = self.scale();
        let flavors = self.values.chunks_exact(width);
        let flavors: Vec<&[f32]> = flavors.collect();
        let mut rows: Vec<Vec<f64>> = numbers
            .iter()
            .map(|number| flavors.get(*number).map(|flavor| scale.place(flavor)))
            .map(Option::unwrap_or_default)
            .collect();
        for row in &mut rows {
            row.resize(width, 0.0);
        }
        let count = rows.len().max(1) as f64;
        for column in 0..width {
            let mean = rows.iter().map(|row| row[column]).sum::<f64>() / count;
            for row in &mut rows {
                row[column] -= mean;
            }
        }
        let mut places = vec![[0.0; 2]; rows.len()];
        for axis in 0..2 {
            let direction = most_different(&rows, width);
            let along: Vec<f64> = rows.iter().map(|row| dot(row, &direction)).collect();
            for ((place, row), at) in places.iter_mut().zip(&mut rows).zip(&along) {
                place[axis] = *at;
                // The second direction is looked for in what the first leaves.
                for (value, share) in row.iter_mut().zip(&direction) {
                    *value -= at * share;
                }
            }
        }
        // One measure for both, so that what differs little does not look as if it did.
        let all = places.iter().flatten();
        let widest = all.fold(0.0_f64, |widest, at| widest.max(at.abs()));
        if widest > 0.0 {
            for at in places.iter_mut().flatten() {
                *at /= widest;
            }
        }
        places
    }

    /// The mean of each number, and what to multiply the distance from it with.
    fn scale(&self) -> Scale {
        let width = self.weights.len().max(1);
        let count = (self.values.len() / width).max(1) as f64;
        let (mut means, mut squares) = (vec![0.0; width], vec![0.0; width]);
        for flavor in self.values.chunks_exact(width) {
            for (mean, value) in means.iter_mut().zip(flavor) {
                *mean += f64::from(*value) / count;
            }
        }
        for flavor in self.values.chunks_exact(width) {
            for ((square, mean), value) in squares.iter_mut().zip(&means).zip(flavor) {
                *square += (f64::from(*value) - mean).powi(2);
            }
        }
        let factor = |(square, weight): (f64, &f64)| {
            let spread = (square / count).sqrt();
            // What is the same everywhere tells nothing; single precision keeps seven digits.
            if spread > 1e-6 { weight / spread } else { 0.0 }
        };
        let factors = squares.into_iter().zip(&self.weights).map(factor).collect();
        Scale { means, factors }
    }
}

/// How the numbers of flavors are brought to one measure.
struct Scale {
    means: Vec<f64>,
    factors: Vec<f64>,
}

impl Scale {
    fn place(&self, flavor: &[f32]) -> Vec<f64> {
        let numbers = flavor.iter().zip(self.means.iter().zip(&self.factors));
        numbers
            // One odd number must not make a passage unlike all others.
            .map(|(value, (mean, factor))| ((f64::from(*value) - mean) * factor).clamp(-4.0, 4.0))
            .collect()
    }
}

/// Steps of power iteration. A guess: a drawing needs no more than the first digit of a direction.
const STEPS: usize = 50;

/// The direction, of length 1, in which `rows` differ most.
fn most_different(rows: &[Vec<f64>], width: usize) -> Vec<f64> {
    // It begins with the row that is farthest from the middle, so that the drawing is the same every time.
    let length = |row: &[f64]| dot(row, row).sqrt();
    let farthest = rows
        .iter()
        .max_by(|a, b| length(a).total_cmp(&length(b)))
        .cloned();
    let mut direction = farthest.unwrap_or_else(|| vec![0.0; width]);
    for _ in 0..STEPS {
        let size = length(&direction);
        if size <= f64::EPSILON {
            break;
        }
        for value in &mut direction {
            *value /= size;
        }
        let mut next = vec![0.0; width];
        for row in rows {
            let at = dot(row, &direction);
            for (sum, value) in next.iter_mut().zip(row) {
                *sum += at * value;
            }
        }
        direction = next;
    }
    let size = length(&direction);
    if size > f64::EPSILON {
        for value in &mut direction {
            *value /= size;
        }
    }
    direction
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
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

    #[test]
    fn on_the_plane_lie_near_each_other_those_that_sound_alike() {
        let values = [
            [0.0, 0.0, 9.0],
            [0.1, 0.0, 9.0],
            [5.0, 1.0, 9.0],
            [5.1, 1.0, 9.0],
        ];
        let sounds = Similarity {
            weights: vec![1.0; 3],
            values: values.concat(),
        };
        let places = sounds.plane(&[0, 1, 2, 3]);
        let apart = |a: usize, b: usize| {
            let [[ax, ay], [bx, by]] = [places[a], places[b]];
            (ax - bx).hypot(ay - by)
        };
        assert!(apart(0, 1) < apart(0, 2) / 3.0, "{places:?}");
        assert!(apart(2, 3) < apart(0, 2) / 3.0, "{places:?}");
        assert!(
            places.iter().flatten().all(|at| at.abs() <= 1.0),
            "{places:?}"
        );
        // One passage, and those that are all the same, have a place as well.
        assert_eq!(sounds.plane(&[2]), [[0.0, 0.0]]);
        assert_eq!(sounds.plane(&[7, 7]), [[0.0, 0.0]; 2]);
        assert!(Similarity::default().plane(&[]).is_empty());
    }
}
