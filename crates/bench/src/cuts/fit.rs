//! Fits the model that cuts files, and chooses its settings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use audio::segment::model::{Choice, Forest, Model, probability};
use audio::segment::{Clues, Dips, SilenceSettings};

use super::boost::{Growth, Sample, fit, fit_further, log_loss, mean};
use super::examples::{Example, read};
use super::kinds::Kind;
use super::measure::NEAR_SECONDS;
use crate::printer;
use crate::table::Table;

/// What is fitted, and on what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What `hear` wrote of the training sources.
    pub training: Vec<PathBuf>,
    /// What it wrote of the validation sources.
    pub validation: Vec<PathBuf>,
    /// Whether the model that the program comes with is fitted further, instead of a new one.
    pub further: bool,
    /// Where to write the weights.
    pub output: PathBuf,
}

/// The trees of the first stage. Depth and number by the log loss on the validation recordings.
const ALONE: Growth = Growth {
    trees: 140,
    depth: 4,
    rate: 0.08,
    rows: 0.7,
    features: 0.4,
    ridge: 2.0,
    least: 3.0,
};

/// Those of the second.
const TOGETHER: Growth = Growth {
    trees: 120,
    ..ALONE
};

/// Those that are added to the second stage of a model that is there.
const FURTHER: Growth = Growth { trees: 90, ..ALONE };

/// Forests that are grown by other chances of the same samples, and whose mean is taken. Of one alone it is chance which
/// third of the errors near the threshold it makes: by three seeds 329, 333 and 334 of 343 boundaries of validation are
/// found, and 333 and 334 by the mean of three.
const BAGS: u64 = 3;

/// What the other dips of a gap weigh as samples of the second stage, which knows that there is a better one. Nothing
/// leaves introductions cut on both sides of the speech, and 1 costs more gaps on the validation recordings than it gains.
const RIVAL_WEIGHT: f32 = 0.3;

/// Parts of the training recordings: each is judged by trees that were fitted to the others, as the second stage must
/// see the first one's answers about recordings that it does not know.
const FOLDS: usize = 4;

/// Passages shorter than this weigh against a set of cuts, in seconds. With 40 s the validation recordings have 6 errors
/// fewer of 816 boundaries, but albums of short pieces would stay whole, and the validation sources hold none.
const SHORT_SECONDS: f64 = 20.0;

/// A recording whose dips were found.
struct Known {
    dips: Dips,
    /// Which gap a dip lies in, if any.
    gaps: Vec<Option<usize>>,
    /// Whether a dip is the boundary, or one of several in a gap, of which one is enough.
    labels: Vec<Option<bool>>,
    boundaries: usize,
    kind: Kind,
}

impl Known {
    fn of(example: &Example) -> Self {
        let clues = Clues {
            name: &example.label.name,
            neighbours: example.label.neighbours,
            track: example.label.track,
            track_total: example.label.track_total,
            ..Clues::default()
        };
        let dips = Dips::find(&example.contour, &clues, &SilenceSettings::default());
        let places: Vec<(f64, f64)> = dips.places().collect();
        let depths: Vec<f32> = dips.depths().collect();
        // A fade that noise covers makes a dip longer than its gap, so the gap need not be in its middle.
        let gap_of = |place: &(f64, f64)| {
            let middle = f64::midpoint(place.0, place.1);
            let is_in = |(from, to): &(f64, f64)| {
                (from - NEAR_SECONDS..=to + NEAR_SECONDS).contains(&middle)
                    || (place.0 < *to && *from < place.1)
            };
            example.gaps.iter().position(is_in)
        };
        let gaps: Vec<Option<usize>> = places.iter().map(gap_of).collect();
        let is_best = |at: usize| {
            let rivals = (0..gaps.len()).filter(|other| gaps[*other] == gaps[at]);
            // The one that fills most of the gap; of two that lie beside it, the deeper one.
            let strength = |at: usize| {
                let (from, to) = gaps[at].map_or((0.0, 0.0), |gap| example.gaps[gap]);
                let inside = (to.min(places[at].1) - from.max(places[at].0)).max(0.0);
                100.0 * inside + f64::from(depths[at])
            };
            rivals
                .max_by(|a, b| strength(*a).total_cmp(&strength(*b)))
                .is_some_and(|best| best == at)
        };
        let labels = (0..gaps.len())
            .map(|at| match gaps[at] {
                None => Some(false),
                Some(_) if is_best(at) => Some(true),
                Some(_) => None,
            })
            .collect();
        Self {
            dips,
            gaps,
            labels,
            boundaries: example.gaps.len(),
            kind: example.kind,
        }
    }

    /// The samples of its dips, given their rows. Of several dips in one gap those that are not the boundary are wrong by
    /// the weight of `rivals`.
    fn samples<R: AsRef<[f32]>>(&self, rows: impl Iterator<Item = R>, rivals: f32) -> Vec<Sample> {
        rows.zip(&self.labels)
            .map(|(row, label)| Sample {
                row: row.as_ref().to_vec(),
                is_right: label.unwrap_or(false),
                weight: self.kind.weight() * label.map_or(rivals, |_| 1.0),
            })
            .filter(|sample| sample.weight > 0.0)
            .collect()
    }

    fn odds(&self, alone: &Forest) -> Vec<f64> {
        self.dips.alone().map(|row| alone.log_odds(row)).collect()
    }

    /// Cuts that are right, and those that are not.
    fn count(&self, cuts: &[usize]) -> (usize, usize) {
        let mut gaps: Vec<usize> = cuts.iter().filter_map(|cut| self.gaps[*cut]).collect();
        gaps.dedup();
        (gaps.len(), cuts.len() - gaps.len())
    }
}

fn known(files: &[PathBuf]) -> Result<Vec<Known>> {
    let mut all = Vec::new();
    for file in files {
        read(file, |example| all.push(Known::of(&example)))?;
    }
    ensure!(all.len() >= FOLDS, "fewer than {FOLDS} recordings");
    Ok(all)
}

/// Fits, chooses, and writes the weights.
pub fn run(plan: &Plan) -> Result<()> {
    let training = known(&plan.training)?;
    let validation = known(&plan.validation)?;
    let before = plan.further.then(Model::built_in);
    let (alone, together, dips) = stages(&training, before);
    let judged: Vec<(&Known, Vec<f64>)> = validation
        .iter()
        .map(|known| {
            let rows = known.dips.together(&known.odds(&alone));
            (
                known,
                rows.iter().map(|row| together.log_odds(row)).collect(),
            )
        })
        .collect();
    tell_losses(&validation, &alone, &together);
    let (choice, figures) = choose(&judged);
    tell_kinds(&judged, &choice);
    let model = Model {
        origin: origin(plan, &training, dips),
        figures,
        alone,
        together,
        choice,
        calibration: calibrate(&judged, &choice),
    };
    fs::write(&plan.output, serde_json::to_vec(&model)?)?;
    printer::result(&format!(
        "{}\n{}\n{:?}, calibration {:.3?}",
        model.origin, model.figures, model.choice, model.calibration
    ));
    Ok(())
}

/// Both stages, and how many dips the second was fitted to. Of a model that is there, the first stage keeps half of its
/// say, and the second has more trees for what is wrong then.
fn stages(training: &[Known], before: Option<&Model>) -> (Forest, Forest, usize) {
    let first = |is_used: &dyn Fn(usize) -> bool, seed: u64| -> Forest {
        let used = training.iter().enumerate().filter(|(at, _)| is_used(*at));
        let samples: Vec<Sample> = used
            .flat_map(|(_, known)| known.samples(known.dips.alone(), 0.0))
            .collect();
        let new = bagged(seed, |seed| fit(&samples, &ALONE, seed));
        before.map_or(new.clone(), |model| mean(&[model.alone.clone(), new]))
    };
    let mut samples = Vec::new();
    for fold in 0..FOLDS {
        let forest = first(&|at| at % FOLDS != fold, fold as u64);
        for known in training.iter().skip(fold).step_by(FOLDS) {
            let rows = known.dips.together(&known.odds(&forest));
            samples.extend(known.samples(rows.iter(), RIVAL_WEIGHT));
        }
    }
    let together = bagged(102, |seed| match before {
        Some(model) => fit_further(model.together.clone(), &samples, &FURTHER, seed),
        None => fit(&samples, &TOGETHER, seed),
    });
    (first(&|_| true, 100), together, samples.len())
}

/// The mean of some forests.
fn bagged(seed: u64, grown: impl Fn(u64) -> Forest) -> Forest {
    let forests: Vec<Forest> = (0..BAGS).map(|bag| grown(seed + 100_000 * bag)).collect();
    mean(&forests)
}

fn origin(plan: &Plan, training: &[Known], dips: usize) -> String {
    let names = |files: &[PathBuf]| -> String {
        let name = |file: &PathBuf| {
            let name = file.file_name().unwrap_or_default();
            Path::new(name).display().to_string()
        };
        files.iter().map(name).collect::<Vec<_>>().join(" ")
    };
    let (command, before) = if plan.further {
        let before = &Model::built_in().origin;
        (
            "bench cuts fit --further",
            format!("; the model before it: {before}"),
        )
    } else {
        ("bench cuts fit", String::new())
    };
    format!(
        "`{command}` on {} recordings with {} boundaries and {dips} dips ({}), chosen on {}{before}",
        training.len(),
        training.iter().map(|known| known.boundaries).sum::<usize>(),
        names(&plan.training),
        names(&plan.validation)
    )
}

fn tell_losses(validation: &[Known], alone: &Forest, together: &Forest) {
    let first: Vec<Sample> = validation
        .iter()
        .flat_map(|known| known.samples(known.dips.alone(), 0.0))
        .collect();
    let second: Vec<Sample> = validation
        .iter()
        .flat_map(|known| {
            let rows = known.dips.together(&known.odds(alone));
            known.samples(rows.iter(), 0.0)
        })
        .collect();
    let seen = validation.iter().filter(|known| !known.kind.has_no_gaps());
    let (gaps, dips) = seen.fold((0, 0), |(gaps, dips), known| {
        let right = known.labels.iter().filter(|label| **label == Some(true));
        (gaps + known.boundaries, dips + right.count())
    });
    printer::result(&format!(
        "validation: {dips} of {gaps} gaps are dips; log loss {:.4} alone, {:.4} together",
        log_loss(alone, &first),
        log_loss(together, &second)
    ));
}

/// What the chosen settings find and invent of each kind.
fn tell_kinds(judged: &[(&Known, Vec<f64>)], choice: &Choice) {
    let mut kinds: BTreeMap<Kind, [usize; 3]> = BTreeMap::new();
    for (known, odds) in judged {
        let (right, wrong) = known.count(&known.dips.choose(odds, choice).0);
        let sums = kinds.entry(known.kind).or_default();
        for (sum, count) in sums.iter_mut().zip([known.boundaries, right, wrong]) {
            *sum += count;
        }
    }
    let mut table = Table::new(&["validation", "boundaries", "found", "invented"]);
    for (kind, counts) in kinds {
        let [boundaries, found, invented] = counts.map(|count| count.to_string());
        table.row([kind.name().to_owned(), boundaries, found, invented]);
    }
    printer::result(&table.to_string());
}

/// Tries settings of the choice and keeps those with the fewest errors on the validation recordings: a boundary that is
/// invented counts one and a half times one that is missed, for half a song is worse to hear than two in a row, and one
/// invented in a file that should stay whole counts twice. Of settings that are as good, those are
/// kept that ask for the least beyond what the trees say: the most reluctant ones would leave whole what validation has
/// few of, and the most eager ones would crumble it.
fn choose(judged: &[(&Known, Vec<f64>)]) -> (Choice, String) {
    let mut best: Option<((f64, f64), Choice, String)> = None;
    for each in [1.0, 0.6, 0.3, 0.0, -0.3, -0.6, -1.0] {
        for whole in [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0] {
            for short in [0.0, 0.5, 1.0, 1.5, 2.5, 4.0] {
                let choice = Choice {
                    each,
                    whole,
                    short,
                    short_seconds: SHORT_SECONDS,
                };
                let (cost, figures) = cost(judged, &choice);
                let asked = each.abs() + whole + short / 4.0;
                let order = (cost, asked);
                if best.as_ref().is_none_or(|best| order < best.0) {
                    best = Some((order, choice, figures));
                }
            }
        }
    }
    best.map_or_else(
        || unreachable!("the first one is better than none"),
        |(_, choice, figures)| (choice, figures),
    )
}

fn cost(judged: &[(&Known, Vec<f64>)], choice: &Choice) -> (f64, String) {
    let (mut boundaries, mut found, mut invented, mut crumbled) = (0, 0, 0, 0);
    let mut touching = 0.0;
    for (known, odds) in judged {
        let (right, wrong) = known.count(&known.dips.choose(odds, choice).0);
        if known.boundaries == 0 {
            crumbled += wrong;
        } else if known.kind.has_no_gaps() {
            // What cannot be heard may be missed, but nothing may be invented.
            touching += wrong as f64 - 0.5 * right as f64;
        } else {
            boundaries += known.boundaries;
            found += right;
            invented += wrong;
        }
    }
    let cost = (boundaries - found + 2 * crumbled) as f64 + 1.5 * invented as f64 + touching;
    let figures = format!(
        "validation: {found} of {boundaries} boundaries found, {invented} invented, {crumbled} in what should stay whole"
    );
    (cost, figures)
}

/// Fits factor and constant so that the log odds of the chosen cuts, and of dips that nearly were, hold on the validation
/// recordings: logistic regression by Newton's method.
fn calibrate(judged: &[(&Known, Vec<f64>)], choice: &Choice) -> [f64; 2] {
    let mut seen = Vec::new();
    for (known, odds) in judged {
        let cuts = known.dips.choose(odds, choice).0;
        for (at, odds) in odds.iter().enumerate() {
            if cuts.contains(&at) || (*odds > -2.0 && known.labels[at].is_some()) {
                seen.push((*odds, f64::from(u8::from(known.gaps[at].is_some()))));
            }
        }
    }
    let (mut factor, mut constant) = (1.0, 0.0);
    for _ in 0..30 {
        let (mut g, mut h) = ([0.0; 2], [1e-3, 0.0, 1e-3]);
        for (odds, right) in &seen {
            let likely = probability(factor * odds + constant);
            let (slope, curve) = (right - likely, likely * (1.0 - likely));
            g[0] += slope * odds;
            g[1] += slope;
            h[0] += curve * odds * odds;
            h[1] += curve * odds;
            h[2] += curve;
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        factor += (h[2] * g[0] - h[1] * g[1]) / determinant;
        constant += (h[0] * g[1] - h[1] * g[0]) / determinant;
    }
    [factor, constant]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_settings_that_are_as_good_those_are_kept_that_ask_for_nothing() {
        let (choice, _) = choose(&[]);
        let asked = [choice.each, choice.whole, choice.short];
        assert!(asked.iter().all(|value| value.abs() < 1e-9), "{choice:?}");
    }
}
