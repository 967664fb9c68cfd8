//! Fits what speaks for a key: of all keys, how likely is each the true one of a song?
//!
//! A linear model (a conditional logit): the likelihood of the true candidates under a softmax of the scores,
//! with a Gaussian prior on the weights, climbed by Adam. Features are brought to a spread of 1 meanwhile.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use audio::flavor::{Evidence, Weights};

use super::annotations::{self, Annotated};
use super::measure::score;
use super::render::Renderer;
use super::{Key, Truth};
use crate::cuts::tracks::Split;
use crate::printer;

/// What is fitted on what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Lists of annotated files to fit on.
    pub training: Vec<PathBuf>,
    /// Lists to choose the prior on.
    pub validation: Vec<PathBuf>,
    /// Where to write the weights.
    pub output: PathBuf,
}

/// Steps of the climb; three times as many change no figure by more than 0.2.
const STEPS: i32 = 300;

/// How far a step goes at first.
const STEP: f64 = 0.05;

/// Strengths of the prior that are tried.
const PRIORS: [f64; 3] = [0.03, 0.1, 0.3];

/// The candidates of a song: their features, and how true each is, summing up to 1.
struct Song {
    candidates: Vec<Vec<f64>>,
    truth: Vec<f64>,
}

type Heard = (Evidence, Truth);

/// Fits, tells figures and writes.
pub fn run(plan: &Plan) -> Result<()> {
    let (training, validation) = (hear(&plan.training)?, hear(&plan.validation)?);
    let songs: Vec<Song> = training.iter().filter_map(of_key).collect();
    ensure!(!songs.is_empty(), "training needs files whose key is known");
    let fitted = PRIORS.into_iter().map(|prior| {
        let weights = climb(&songs, prior);
        let figure = key_figure(&validation, &weights);
        printer::note(&format!(
            "prior {prior}: {:.1} on validation",
            100.0 * figure
        ));
        (weights, figure)
    });
    let (both, weighted) = fitted
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or_default();
    let names = |lists: &[PathBuf]| {
        let names = lists.iter().filter_map(|list| list.file_name());
        let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
        names.join(",")
    };
    let half = both.len() / 2;
    let weights = Weights {
        origin: format!(
            "bench tempo fit --training {} --validation {}: {} songs",
            names(&plan.training),
            names(&plan.validation),
            songs.len()
        ),
        figures: format!("validation: {:.1} weighted", 100.0 * weighted),
        keys: [both[..half].to_vec(), both[half..].to_vec()],
    };
    std::fs::write(&plan.output, serde_json::to_vec(&weights)?)?;
    printer::result(&weights.figures);
    Ok(())
}

fn hear(lists: &[PathBuf]) -> Result<Vec<Heard>> {
    let mut heard = Vec::new();
    for list in lists {
        let files = annotations::read(list)?;
        let renderer = Renderer::of(&files, None, Split::Training)?;
        for Annotated { path, truth } in files {
            match renderer.evidence(&path) {
                Ok(evidence) => heard.push((evidence, truth)),
                Err(error) => printer::note(&format!("{}: {error:#}", path.display())),
            }
        }
    }
    Ok(heard)
}

/// Major keys before minor ones; either mode has weights of its own, so the other's are multiplied with 0.
fn of_key((evidence, truth): &Heard) -> Option<Song> {
    let key = truth.key?;
    let true_one = usize::from(key.tonic) + 12 * usize::from(key.minor);
    let candidates = key_candidates(evidence);
    let truth = (0..candidates.len()).map(|number| f64::from(u8::from(number == true_one)));
    Some(Song {
        truth: truth.collect(),
        candidates,
    })
}

fn key_candidates(evidence: &Evidence) -> Vec<Vec<f64>> {
    let tonics = &evidence.tonics;
    let blank = |tonic: &Vec<f64>| vec![0.0; tonic.len()];
    let major = tonics
        .iter()
        .map(|tonic| [tonic.clone(), blank(tonic)].concat());
    let minor = tonics
        .iter()
        .map(|tonic| [blank(tonic), tonic.clone()].concat());
    major.chain(minor).collect()
}

fn product(features: &[f64], weights: &[f64]) -> f64 {
    features
        .iter()
        .zip(weights)
        .map(|(x, weight)| x * weight)
        .sum()
}

/// Which candidate has the highest score.
fn best<'a>(candidates: impl Iterator<Item = &'a Vec<f64>>, weights: &[f64]) -> Option<usize> {
    let scores = candidates.map(|features| product(features, weights));
    let best = scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    best.map(|(number, _)| number)
}

fn key_figure(heard: &[Heard], weights: &[f64]) -> f64 {
    let known = heard.iter().filter_map(|(evidence, truth)| {
        let found = best(key_candidates(evidence).iter(), weights).map(|number| Key {
            tonic: number as u8 % 12,
            minor: number >= 12,
        });
        Some(score(found, truth.key?))
    });
    mean(known)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0_f64), |(sum, count), value| {
        (sum + value, count + 1.0)
    });
    sum / count.max(1.0)
}

/// The weights under which the true candidates are most likely.
fn climb(songs: &[Song], prior: f64) -> Vec<f64> {
    let width = songs[0].candidates[0].len();
    let all = || songs.iter().flat_map(|song| &song.candidates);
    let spread: Vec<f64> = (0..width)
        .map(|place| {
            let mean = mean(all().map(|features| features[place]));
            let square = self::mean(all().map(|features| (features[place] - mean).powi(2)));
            square.sqrt() + 1e-6
        })
        .collect();
    let (mut weights, mut first, mut second) =
        (vec![0.0; width], vec![0.0; width], vec![0.0; width]);
    for step in 1..=STEPS {
        let scaled: Vec<f64> = weights.iter().zip(&spread).map(|(w, s)| w / s).collect();
        let mut slope: Vec<f64> = weights.iter().map(|weight| prior * weight).collect();
        for song in songs {
            let scores: Vec<f64> = song
                .candidates
                .iter()
                .map(|x| product(x, &scaled))
                .collect();
            let greatest = scores.iter().copied().fold(f64::MIN, f64::max);
            let odds: Vec<f64> = scores
                .iter()
                .map(|score| (score - greatest).exp())
                .collect();
            let sum: f64 = odds.iter().sum();
            for ((features, odds), truth) in song.candidates.iter().zip(odds).zip(&song.truth) {
                let wrong = (odds / sum - truth) / songs.len() as f64;
                for ((slope, x), spread) in slope.iter_mut().zip(features).zip(&spread) {
                    *slope += wrong * x / spread;
                }
            }
        }
        let rate = STEP * (1.0 - f64::from(step - 1) / f64::from(STEPS));
        let places = weights.iter_mut().zip(&mut first).zip(&mut second);
        for (((weight, first), second), slope) in places.zip(slope) {
            *first = 0.9 * *first + 0.1 * slope;
            *second = 0.99 * *second + 0.01 * slope.powi(2);
            let mean = *first / (1.0 - 0.9_f64.powi(step));
            let square = *second / (1.0 - 0.99_f64.powi(step));
            *weight -= rate * mean / (square.sqrt() + 1e-9);
        }
    }
    let digits = |weight: f64| (weight * 1e5).round() / 1e5;
    weights
        .iter()
        .zip(&spread)
        .map(|(w, s)| digits(w / s))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_the_true_candidate_gets_weight_and_what_does_not_gets_none() {
        let mut random = fastrand::Rng::with_seed(3);
        let songs: Vec<Song> = (0..200)
            .map(|_| {
                let chosen = random.usize(..10);
                let candidates = (0..10)
                    .map(|number| {
                        let signal = if number == chosen { 1.0 } else { 0.0 };
                        vec![
                            signal + random.f64(),
                            random.f64(),
                            -2.0 * signal + random.f64(),
                        ]
                    })
                    .collect();
                let truth = (0..10).map(|number| f64::from(u8::from(number == chosen)));
                Song {
                    candidates,
                    truth: truth.collect(),
                }
            })
            .collect();
        let weights = climb(&songs, 0.01);
        assert!(weights[0] > 0.5 && weights[2] < -0.5, "{weights:?}");
        assert!(weights[1].abs() < 0.3 * weights[0], "{weights:?}");
        let right = songs.iter().filter(|song| {
            let found = best(song.candidates.iter(), &weights);
            found.is_some_and(|number| song.truth[number] > 0.5)
        });
        assert!(right.count() >= 195);
    }
}
