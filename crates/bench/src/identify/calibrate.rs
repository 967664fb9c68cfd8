//! Learns how often an answer is right that is stated to be so and so sure.
//!
//! Pools of neighbouring confidences, made larger until what is observed rises with what is stated
//! (pool adjacent violators: Ayer and others, An empirical distribution function for sampling with incomplete
//! information, 1955). Each is pulled towards what was stated, as that many answers more would pull it. The table is told
//! for each seed by a map that was made of the others.

use std::path::PathBuf;

use anyhow::{Context, Result};
use music::identify::model::{Knot, Model};

use super::{Judged, first_world, hard_world};
use crate::printer;

/// What to learn from.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seeds of both made worlds.
    pub seeds: Vec<u64>,
    /// The file of weights that the map is written into.
    pub output: PathBuf,
}

/// Below and above these nearly all answers are stated to be, and are what is stated: they are left alone.
const LEFT_ALONE: (f64, f64) = (0.02, 0.95);

/// Answers that a pool has at least, so that what is observed is known to some ten points.
const FEWEST: usize = 25;

/// As many answers pull a pool towards what was stated.
const PULL: f64 = 8.0;

/// How sure a first candidate was said to be, before any map, and whether it was right.
type Stated = (f64, bool);

/// Fits, tells and writes.
///
/// # Errors
///
/// When a world cannot be identified or the map not be written.
pub fn run(plan: &Plan) -> Result<()> {
    let mut model = Model::fitted().clone();
    let mut by_seed: Vec<Vec<Stated>> = Vec::new();
    for seed in &plan.seeds {
        let (mut judged, _) = hard_world(*seed, 5)?;
        judged.extend(first_world(*seed, 40, 80)?.0);
        by_seed.push(judged.iter().filter_map(stated).collect());
    }
    tell(&by_seed);
    model.calibration = fit(by_seed.concat());
    model.calibrated = format!(
        "`bench calibrate` on seeds {:?} of both made worlds",
        plan.seeds
    );
    let text = serde_json::to_string_pretty(&model)?;
    std::fs::write(&plan.output, text + "\n")
        .with_context(|| format!("cannot write `{}`", plan.output.display()))
}

fn stated(one: &Judged) -> Option<Stated> {
    let first = one.first()?;
    let share = one.reasoning["candidates"][0]["share"].as_f64()?;
    Some((share, Some(first) == one.file.truth.as_deref()))
}

/// A pool of neighbours: how many, the sum of what was stated, and how many were right.
#[derive(Debug, Clone, Copy)]
struct Pool {
    count: f64,
    stated: f64,
    right: f64,
}

impl Pool {
    fn observed(&self) -> f64 {
        let stated = self.stated / self.count;
        (self.right + PULL * stated) / (self.count + PULL)
    }
}

/// The map, as knots with straight lines between them.
fn fit(mut answers: Vec<Stated>) -> Vec<Knot> {
    let (least, most) = LEFT_ALONE;
    answers.retain(|(stated, _)| (least..most).contains(stated));
    answers.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut pools: Vec<Pool> = Vec::new();
    for some in answers.chunks(FEWEST) {
        pools.push(Pool {
            count: some.len() as f64,
            stated: some.iter().map(|(stated, _)| stated).sum(),
            right: some.iter().filter(|(_, right)| *right).count() as f64,
        });
        while let [.., a, b] = pools[..] {
            let is_whole = b.count >= FEWEST as f64;
            if is_whole && a.observed() < b.observed() {
                break;
            }
            pools.truncate(pools.len() - 2);
            pools.push(Pool {
                count: a.count + b.count,
                stated: a.stated + b.stated,
                right: a.right + b.right,
            });
        }
    }
    let rounded = |number: f64| (number * 1000.0).round() / 1000.0;
    let of_pool = |pool: &Pool| Knot {
        stated: rounded(pool.stated / pool.count),
        observed: rounded(pool.observed().clamp(least, most)),
    };
    let alone = |stated: f64| Knot {
        stated,
        observed: stated,
    };
    let mut knots = vec![alone(0.0), alone(least)];
    knots.extend(pools.iter().map(of_pool));
    knots.extend([alone(most), alone(1.0)]);
    knots
}

/// The table of ten bins, before and after, each seed by the others.
fn tell(by_seed: &[Vec<Stated>]) {
    let mut bins = [[(0_u32, 0.0, 0_u32); 10]; 2];
    for (at, own) in by_seed.iter().enumerate() {
        let others = by_seed.iter().enumerate().filter(|(other, _)| *other != at);
        let model = Model {
            calibration: fit(others.flat_map(|(_, all)| all.clone()).collect()),
            ..Model::default()
        };
        for (share, right) in own {
            for (bins, confidence) in bins.iter_mut().zip([*share, model.calibrated(*share)]) {
                let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
                bin.0 += 1;
                bin.1 += confidence;
                bin.2 += u32::from(*right);
            }
        }
    }
    printer::result(
        "stated   before: files, stated, observed %   by the map of other seeds: files, stated, observed %",
    );
    for at in 0..10 {
        let told = bins.map(|bins| {
            let (files, stated, right) = bins[at];
            let percent = |part: f64| 100.0 * part / f64::from(files.max(1));
            format!(
                "{files:>7} {:>6.1} {:>6.1}",
                percent(stated),
                percent(f64::from(right))
            )
        });
        printer::result(&format!(
            "{:.1}      {}   {}",
            at as f64 / 10.0,
            told[0],
            told[1]
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_too_high_is_taken_down_and_the_order_stays() {
        // Of those at 0.3 two thirds are right, of those at 0.5 and 0.7 one third: those are one pool.
        let answers = [(0.3, 2), (0.5, 1), (0.7, 1), (0.99, 3)]
            .into_iter()
            .flat_map(|(stated, of_three)| (0..300).map(move |at| (stated, at % 3 < of_three)))
            .collect();
        let model = Model {
            calibration: fit(answers),
            ..Model::default()
        };
        let at: Vec<_> = [0.0, 0.01, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0]
            .map(|share| model.calibrated(share))
            .into();
        assert!(at.is_sorted(), "{at:?}");
        assert!((at[3] - 0.44).abs() < 0.02, "{at:?}");
        assert!(
            (at[0], at[1], at[6], at[7]) == (0.0, 0.01, 0.99, 1.0),
            "{at:?}"
        );
    }
}
