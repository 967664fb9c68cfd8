//! Fits the weights of identification on made worlds, and says how they do on other seeds.
//!
//! What is learnt from is what the library keeps of its own reasoning: what was noticed about each
//! candidate. The right outcome is the right candidate, another version where its names are known and
//! it is not among the candidates, or none of them. Fitting is gradient descent on the logarithm of
//! the odds, with a pull towards what the weights were; a validation on other seeds then stretches or
//! shrinks all of them together until what is stated is what is observed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use music::identify::model::Model;
use serde_json::Value;

use super::{Judged, first_world, hard_world};
use crate::printer;

/// What to fit on.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seeds to fit on.
    pub train: Vec<u64>,
    /// Seeds to choose the strength of all weights on.
    pub validate: Vec<u64>,
    /// Where to write the weights.
    pub output: PathBuf,
}

/// A passage: what was noticed about each outcome, and which is right.
#[derive(Debug, Clone)]
struct Example {
    outcomes: Vec<Vec<usize>>,
    right: usize,
}

/// How strongly weights are pulled towards what they were: as one example in so many says otherwise.
/// The made worlds are not the world: a weak pull fits their
/// habits, such as how far lengths are off, and kinds that were left out of the fit then got worse.
const PULL: f64 = 8.0;

/// Things noticed that mean more than those after them: their weights never fall the other way.
const CHAINS: [&[&str]; 7] = [
    &[
        "length: within 1.5 s",
        "length: within 3 s",
        "length: within 6 s",
        "length: within 12 s",
        "length: more than 12 s apart",
    ],
    &[
        "album: fits 7 or more other files",
        "album: fits 4 to 6 other files",
        "album: fits 2 or 3 other files",
        "album: fits 1 other file",
        "album: fits no other file",
    ],
    &[
        "sound: alike, say many",
        "sound: alike, say some",
        "sound: alike, says one person",
        "sound: alike, says a minority",
        "sound: alike, say few of many",
    ],
    &[
        "sound: of this performance, nearly all mean it",
        "sound: of this performance, a majority means it",
        "sound: of this performance, a minority means it",
        "sound: of this performance, few mean it",
    ],
    &[
        "title: the same",
        "title: a slip of spelling",
        "title: words more or fewer",
        "title: another",
    ],
    &[
        "artist: the same",
        "artist: one of several",
        "artist: a slip of spelling",
        "artist: another",
    ],
    &[
        "album: the same",
        "album: a slip of spelling",
        "album: none in the tags",
        "album: another",
        "album: another version of it",
    ],
];

/// Steps of the descent; from here on the third digit of the loss stays.
const STEPS: usize = 1_500;

/// Fits, validates and writes.
///
/// # Errors
///
/// When a world cannot be identified or the weights not be written.
pub fn run(plan: &Plan) -> Result<()> {
    let mut model = Model::fitted().clone();
    let mut names: Vec<String> = model.weights.keys().cloned().collect();
    let train = examples(&plan.train, &mut names)?;
    let validate = examples(&plan.validate, &mut names)?;
    let prior: Vec<f64> = names.iter().map(|name| model.weight(name)).collect();
    let mut weights = prior.clone();
    descend(&mut weights, &prior, &train, &names);
    // Never stretched: the made worlds are easier than the world.
    let strength = (50..=100)
        .map(|percent| f64::from(percent) / 100.0)
        .min_by(|a, b| {
            loss(&scaled(&weights, *a), &validate)
                .total_cmp(&loss(&scaled(&weights, *b), &validate))
        })
        .unwrap_or(1.0);
    let weights = scaled(&weights, strength);
    printer::result(&format!(
        "{} passages to fit on, loss {:.4}; {} to validate on, loss {:.4} before and {:.4} after, strength {strength:.2}",
        train.len(),
        loss(&weights, &train),
        validate.len(),
        loss(&prior, &validate),
        loss(&weights, &validate),
    ));
    model.origin = format!(
        "`bench train` on seeds {:?} of both made worlds, validated on {:?}",
        plan.train, plan.validate
    );
    let rounded = |weight: f64| (weight * 1000.0).round() / 1000.0;
    model.weights = names
        .into_iter()
        .zip(weights.into_iter().map(rounded))
        .collect();
    let text = serde_json::to_string_pretty(&model)?;
    std::fs::write(&plan.output, text + "\n")
        .with_context(|| format!("cannot write `{}`", plan.output.display()))
}

fn scaled(weights: &[f64], by: f64) -> Vec<f64> {
    weights.iter().map(|weight| weight * by).collect()
}

fn examples(seeds: &[u64], names: &mut Vec<String>) -> Result<Vec<Example>> {
    let mut numbers: BTreeMap<String, usize> = names.iter().cloned().zip(0..).collect();
    let mut examples = Vec::new();
    for seed in seeds {
        let (mut judged, _) = hard_world(*seed, 5)?;
        judged.extend(first_world(*seed, 40, 80)?.0);
        examples.extend(judged.iter().filter_map(|one| example(one, &mut numbers)));
    }
    let known = examples.clone();
    for (number, prefixes) in LEFT_OUT.iter().enumerate() {
        let chosen = known.iter().skip(number).step_by(LEFT_OUT.len());
        examples.extend(chosen.map(|one| one.without(prefixes, &mut numbers)));
    }
    let mut all: Vec<_> = numbers.into_iter().collect();
    all.sort_by_key(|(_, number)| *number);
    *names = all.into_iter().map(|(name, _)| name).collect();
    Ok(examples)
}

/// Sources that are left out of some examples, each by what it notices and what stands for not knowing:
/// so no weight rests on another source being there, too.
const LEFT_OUT: [(&str, &str); 4] = [
    ("length: ", "length: not known"),
    ("album: fits ", "album: fits no other file"),
    ("sound: ", ""),
    ("album: ", "album: none in the tags"),
];

impl Example {
    fn without(
        &self,
        (prefix, instead): &(&str, &str),
        numbers: &mut BTreeMap<String, usize>,
    ) -> Self {
        let is_of = |number: &usize| {
            let mut names = numbers.iter();
            names.any(|(name, known)| known == number && name.starts_with(prefix))
        };
        let left_out: Vec<Vec<usize>> = self
            .outcomes
            .iter()
            .map(|noticed| {
                noticed
                    .iter()
                    .copied()
                    .filter(|number| !is_of(number))
                    .collect()
            })
            .collect();
        let next = numbers.len();
        let stands_for =
            (!instead.is_empty()).then(|| *numbers.entry((*instead).to_owned()).or_insert(next));
        let outcomes = left_out
            .into_iter()
            .zip(&self.outcomes)
            .map(|(mut left, all)| {
                if left.len() < all.len() {
                    left.extend(stands_for);
                }
                left
            });
        Self {
            outcomes: outcomes.collect(),
            right: self.right,
        }
    }
}

fn example(judged: &Judged, numbers: &mut BTreeMap<String, usize>) -> Option<Example> {
    let mut read = |reasons: &Value| -> Option<Vec<usize>> {
        let reasons = reasons.as_array()?.iter();
        let number = |reason: &Value| {
            let name = reason["noticed"].as_str()?.to_owned();
            let next = numbers.len();
            Some(*numbers.entry(name).or_insert(next))
        };
        reasons.map(number).collect()
    };
    let candidates = judged.reasoning["candidates"].as_array()?;
    let mut outcomes: Vec<_> = candidates
        .iter()
        .filter_map(|one| read(&one["reasons"]))
        .collect();
    let at = candidates
        .iter()
        .position(|one| one["recording_mbid"].as_str() == judged.file.truth.as_deref());
    outcomes.push(read(&judged.reasoning["another_version"]["reasons"])?);
    outcomes.push(read(&judged.reasoning["none_of_these"]["reasons"])?);
    let is_named = candidates.iter().any(|one| {
        let mut reasons = one["reasons"].as_array().into_iter().flatten();
        reasons.any(|reason| reason["noticed"] == "names: title and artist are the same")
    });
    let missing = outcomes.len() - if is_named { 2 } else { 1 };
    Some(Example {
        right: at
            .filter(|_| judged.file.truth.is_some())
            .unwrap_or(missing),
        outcomes,
    })
}

fn shares(weights: &[f64], example: &Example) -> Vec<f64> {
    let sums: Vec<f64> = example
        .outcomes
        .iter()
        .map(|noticed| noticed.iter().map(|number| weights[*number]).sum())
        .collect();
    let greatest = sums.iter().copied().fold(f64::MIN, f64::max);
    let shares: Vec<f64> = sums.iter().map(|sum| (sum - greatest).exp()).collect();
    let all: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / all).collect()
}

fn loss(weights: &[f64], examples: &[Example]) -> f64 {
    let of = |example: &Example| -shares(weights, example)[example.right].max(1e-12).ln();
    examples.iter().map(of).sum::<f64>() / examples.len().max(1) as f64
}

/// Adam, with weights kept on the side that their names say.
fn descend(weights: &mut [f64], prior: &[f64], examples: &[Example], names: &[String]) {
    let number = |name: &&str| names.iter().position(|known| known == name);
    let chains: Vec<Vec<usize>> = CHAINS
        .iter()
        .map(|chain| chain.iter().filter_map(&number).collect())
        .collect();
    let (mut mean, mut square) = (vec![0.0; weights.len()], vec![0.0; weights.len()]);
    for step in 1..=STEPS {
        let mut slope: Vec<f64> = weights
            .iter()
            .zip(prior)
            .map(|(weight, prior)| PULL * (weight - prior))
            .collect();
        for example in examples {
            for (at, (share, noticed)) in shares(weights, example)
                .iter()
                .zip(&example.outcomes)
                .enumerate()
            {
                let error = share - f64::from(u8::from(at == example.right));
                for number in noticed {
                    slope[*number] += error;
                }
            }
        }
        let rate = 0.05 * (1.0 - step as f64 / STEPS as f64) + 0.001;
        for at in 0..weights.len() {
            mean[at] = 0.9 * mean[at] + 0.1 * slope[at];
            square[at] = 0.999 * square[at] + 0.001 * slope[at] * slope[at];
            let (m, s): (f64, f64) = (
                mean[at] / (1.0 - 0.9_f64.powi(step as i32)),
                square[at] / (1.0 - 0.999_f64.powi(step as i32)),
            );
            weights[at] -= rate * m / (s.sqrt() + 1e-8);
            weights[at] = on_its_side(&names[at], weights[at]);
        }
        for chain in &chains {
            in_order(weights, chain);
        }
    }
}

/// Evens out what falls the other way, from the front and once more from the back.
fn in_order(weights: &mut [f64], chain: &[usize]) {
    for _ in 0..chain.len() {
        for two in chain.windows(2) {
            if weights[two[0]] < weights[two[1]] {
                let mean = f64::midpoint(weights[two[0]], weights[two[1]]);
                weights[two[0]] = mean;
                weights[two[1]] = mean;
            }
        }
    }
}

/// What speaks for or against a candidate by its meaning never does the opposite, however few
/// examples say so.
fn on_its_side(name: &str, weight: f64) -> f64 {
    const FOR: [&str; 13] = [
        "title: the same",
        "artist: the same",
        "names: title and artist are the same",
        "length: within 1.5 s",
        "album: the same",
        "version: named with the same words",
        "id: in the tags",
        "isrc: the same",
        "sound: alike, say some",
        "sound: alike, say many",
        "sound: agrees with the title",
        "album: fits 7 or more other files",
        "album: of the year in the tags",
    ];
    const AGAINST: [&str; 24] = [
        "title: another",
        "artist: another",
        "length: within 12 s",
        "length: more than 12 s apart",
        "album: another version of it",
        "album: another",
        "version: the file has a qualifier that this has not",
        "version: the file names one that this is not",
        "version: this is one that the file does not name",
        "version: this has a qualifier that the file has not",
        "id: against title and artist",
        "sound: another, say many",
        "version: one is mono and the other stereo",
        "version: named with other words",
        "sound: one person, against title and artist",
        "length: the only sign, and more than 3 s apart",
        "album: other files are not what their titles say",
        "artist: each names others, too",
        "artist: another has just these people",
        "artist: the file names more",
        "artist: the file names fewer",
        "album: of another year than in the tags",
        "album: another of its kind",
        "album: another of its series",
    ];
    if FOR.contains(&name) {
        weight.max(0.0)
    } else if AGAINST.contains(&name) {
        weight.min(0.0)
    } else {
        weight
    }
}
