//! How far apart two passages are.

use serde::Deserialize;

use super::spectrum::{BANDS, CEPSTRUM};
use super::{Characteristics, EXTRACTOR};

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

/// How many numbers of a flavor tell passages apart.
const WIDTH: usize = 45;

/// The numbers of a flavor that tell passages apart.
pub type Numbers = [f32; WIDTH];

/// How much each of these counts.
const WEIGHTS: Numbers = {
    let mut weights = [1.0; WIDTH];
    // Loudness, pulse and onsets are heard first; a key is often found a fifth away from where it is. Guesses.
    (weights[33], weights[41], weights[42]) = (1.5, 1.5, 1.5);
    (weights[43], weights[44]) = (0.7, 0.7);
    weights
};

/// What these numbers are made of. Reading whole flavors takes half as long again, and a library has 200,000 of them.
#[derive(Deserialize)]
struct Measured<'a> {
    extractor: &'a str,
    tempo_bpm: Option<f64>,
    pulse_clarity: f64,
    onset_rate: f64,
    key_strength: f64,
    major_over_minor: f64,
    loudness_lufs: Option<f64>,
    loudness_range_lu: f64,
    dynamic_complexity_db: f64,
    centroid_hz: f64,
    centroid_spread_hz: f64,
    rolloff_hz: f64,
    flatness: f64,
    bands: [f64; BANDS],
    timbre: [f64; CEPSTRUM],
    timbre_spread: [f64; CEPSTRUM],
}

/// Reads these numbers from a flavor's JSON; `None` if it is none, or of another extractor, whose numbers cannot be
/// compared with ours.
pub fn numbers(json: &str) -> Option<Numbers> {
    let read: Measured<'_> = serde_json::from_str(json).ok()?;
    if read.extractor != EXTRACTOR {
        return None;
    }
    let last = [
        read.loudness_lufs.unwrap_or(-70.0),
        read.loudness_range_lu,
        read.dynamic_complexity_db,
        read.centroid_hz.max(1.0).ln(),
        read.centroid_spread_hz.max(1.0).ln(),
        read.rolloff_hz.max(1.0).ln(),
        (read.flatness + 1e-3).ln(),
        read.tempo_bpm.unwrap_or(60.0).log2(),
        read.pulse_clarity,
        read.onset_rate,
        read.key_strength,
        read.major_over_minor,
    ];
    let bands = read.bands.iter().map(|share| (share + 1e-4).ln());
    let timbre = read.timbre.into_iter().skip(1).chain(read.timbre_spread);
    let mut numbers = [0.0; WIDTH];
    for (number, value) in numbers.iter_mut().zip(timbre.chain(bands).chain(last)) {
        *number = value as f32;
    }
    // One that is not finite would be at no distance from any, and so would all others.
    numbers
        .iter()
        .all(|number| number.is_finite())
        .then_some(numbers)
}

/// The flavors of a library, as places that can be compared: each number in units of its spread in the library.
///
/// A flavor takes 180 bytes: a library of 200,000 passages fits into 36 MB. Single precision is no difference to any ear.
#[derive(Debug, Clone, Default)]
pub struct Similarity {
    /// How many numbers a place has.
    width: usize,
    /// As many numbers for each flavor, one flavor after the other.
    places: Vec<f32>,
    scale: Scale,
}

impl Similarity {
    /// Brings the numbers of flavors, one flavor after the other, to one measure.
    pub fn of(numbers: Vec<f32>) -> Self {
        Self::new(numbers, &WEIGHTS)
    }

    fn new(mut numbers: Vec<f32>, weights: &[f32]) -> Self {
        let width = weights.len();
        let scale = Scale::of(&numbers, weights);
        for flavor in numbers.chunks_exact_mut(width) {
            scale.place(flavor);
        }
        Self {
            width,
            places: numbers,
            scale,
        }
    }

    /// The distance of every flavor from one that need not be among them, in their order: 0 is the same, some 1.4 is what
    /// two random passages have.
    pub fn distances(&self, from: &Numbers) -> Vec<f64> {
        let mut own = *from;
        self.scale.place(&mut own);
        let distance = |other: &[f32]| {
            let differences = own.iter().zip(other);
            let squares = differences.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
            (squares.sum::<f64>() / self.width as f64).sqrt()
        };
        let flavors = self.places.chunks_exact(self.width.max(1));
        flavors.map(distance).collect()
    }

    /// A place on a plane for each of the flavors with these numbers, so that those that sound alike lie near each other:
    /// the two directions in which these flavors differ most (principal components, Pearson 1901), found by power
    /// iteration, coordinates from -1 to 1.
    pub fn plane(&self, numbers: &[usize]) -> Vec<[f64; 2]> {
        let width = self.width.max(1);
        let flavor = |number: &usize| {
            let places = self.places.get(number * width..(number + 1) * width);
            places.unwrap_or_default().iter().copied().map(f64::from)
        };
        let mut rows: Vec<Vec<f64>> = numbers.iter().map(|at| flavor(at).collect()).collect();
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
}

/// How the numbers of flavors are brought to one measure: the mean of each, and what to multiply the distance from it with.
#[derive(Debug, Clone, Default)]
struct Scale {
    means: Vec<f64>,
    factors: Vec<f64>,
}

impl Scale {
    fn of(numbers: &[f32], weights: &[f32]) -> Self {
        let width = weights.len();
        let count = (numbers.len() / width).max(1) as f64;
        let (mut means, mut squares) = (vec![0.0; width], vec![0.0; width]);
        for flavor in numbers.chunks_exact(width) {
            for (mean, value) in means.iter_mut().zip(flavor) {
                *mean += f64::from(*value) / count;
            }
        }
        for flavor in numbers.chunks_exact(width) {
            for ((square, mean), value) in squares.iter_mut().zip(&means).zip(flavor) {
                *square += (f64::from(*value) - mean).powi(2);
            }
        }
        let factor = |(square, weight): (f64, &f32)| {
            let spread = (square / count).sqrt();
            // What is the same everywhere tells nothing; single precision keeps seven digits.
            if spread > 1e-6 {
                f64::from(*weight) / spread
            } else {
                0.0
            }
        };
        let factors = squares.into_iter().zip(weights).map(factor).collect();
        Self { means, factors }
    }

    fn place(&self, flavor: &mut [f32]) {
        let scale = self.means.iter().zip(&self.factors);
        for (value, (mean, factor)) in flavor.iter_mut().zip(scale) {
            // One odd number must not make a passage unlike all others.
            *value = ((f64::from(*value) - mean) * factor).clamp(-4.0, 4.0) as f32;
        }
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
    fn only_whole_flavors_of_our_extractor_have_numbers() {
        let flavor = serde_json::json!({
            "extractor": EXTRACTOR, "tempo_bpm": null, "pulse_clarity": 0.5, "onset_rate": 3.0, "key": null,
            "key_strength": 0.8, "major_over_minor": -0.1, "pitch_classes": [], "loudness_lufs": -14.0,
            "loudness_range_lu": 5.0, "dynamic_complexity_db": 3.0, "centroid_hz": 1.0, "centroid_spread_hz": 1.0,
            "rolloff_hz": 1.0, "flatness": 0.999, "bands": vec![0.9999; 8], "timbre": vec![7.0; 13], "timbre_spread": vec![2.0; 13],
        });
        let expected = [vec![7.0; 12], vec![2.0; 13], vec![0.0; 8]].concat();
        let last = [
            -14.0,
            5.0,
            3.0,
            0.0,
            0.0,
            0.0,
            0.0,
            60_f32.log2(),
            0.5,
            3.0,
            0.8,
            -0.1,
        ];
        let expected = [expected, last.to_vec()].concat();
        let found = numbers(&flavor.to_string()).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        let with = |name: &str, value: serde_json::Value| {
            let mut other = flavor.clone();
            other[name] = value;
            numbers(&other.to_string())
        };
        assert_eq!(with("extractor", "another".into()), None);
        assert_eq!(with("bands", vec![0.1; 7].into()), None);
        assert_eq!(with("rolloff_hz", serde_json::Value::Null), None);
        assert_eq!(
            with("onset_rate", 1e300.into()),
            None,
            "it is at no distance"
        );
        assert_eq!(numbers("{"), None);
    }

    #[test]
    fn on_the_plane_lie_near_each_other_those_that_sound_alike() {
        let values = [
            [0.0, 0.0, 9.0],
            [0.1, 0.0, 9.0],
            [5.0, 1.0, 9.0],
            [5.1, 1.0, 9.0],
        ];
        let sounds = Similarity::new(values.concat(), &[1.0; 3]);
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
