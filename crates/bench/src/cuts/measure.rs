//! How right recordings of a known truth are cut.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use audio::segment::model::Model;
use audio::segment::{Clues, Dips, Segmentation, SilenceSettings, segment};

use super::examples::{Example, read};
use super::kinds::Kind;
use crate::printer;
use crate::table::{Table, median};

/// A cut this far from the true gap still counts as found, in seconds: the bar of `BENCHMARKS.md`.
pub const NEAR_SECONDS: f64 = 0.5;

/// What came out of some recordings.
#[derive(Debug, Default, Clone)]
pub struct Score {
    recordings: usize,
    boundaries: usize,
    found: usize,
    invented: usize,
    /// Recordings with as many cuts as the truth has, each in its place.
    perfect: usize,
    /// Distances of passages' ends and beginnings from the truth, in seconds.
    edges: Vec<f64>,
    /// Confidence of every cut, and whether it was right.
    confidences: Vec<(f64, bool)>,
    /// Boundaries where there is no dip to judge, whose dips the model took for rests, and which the choice of a
    /// whole set left out.
    missed: [usize; 3],
}

impl Score {
    /// Adds one recording.
    fn add(&mut self, example: &Example, found: &Segmentation) {
        let second = |frame: u64| frame as f64 / f64::from(example.rate);
        let joints: Vec<(f64, f64)> = found
            .spans
            .windows(2)
            .map(|two| (second(two[0].end), second(two[1].start)))
            .collect();
        let mut is_taken = vec![false; joints.len()];
        let mut right = 0;
        let (places, log_odds) = judged(example);
        for (from, to) in &example.gaps {
            let away = |joint: &(f64, f64)| {
                let middle = f64::midpoint(joint.0, joint.1);
                (from - middle).max(middle - to).max(0.0)
            };
            let near = (0..joints.len())
                .filter(|at| !is_taken[*at] && away(&joints[*at]) <= NEAR_SECONDS)
                .min_by(|a, b| away(&joints[*a]).total_cmp(&away(&joints[*b])));
            if let Some(at) = near {
                is_taken[at] = true;
                right += 1;
                self.edges.push((joints[at].0 - from).abs());
                self.edges.push((joints[at].1 - to).abs());
            } else {
                let inside = places.iter().zip(&log_odds).filter(|(place, _)| {
                    place.1 > from - NEAR_SECONDS && place.0 < to + NEAR_SECONDS
                });
                let reason = match inside.map(|(_, odds)| *odds).reduce(f64::max) {
                    None => 0,
                    Some(odds) if odds < 0.0 => 1,
                    Some(_) => 2,
                };
                self.missed[reason] += 1;
            }
        }
        self.recordings += 1;
        self.boundaries += example.gaps.len();
        self.found += right;
        self.invented += joints.len() - right;
        self.perfect += usize::from(right == joints.len() && right == example.gaps.len());
        let cuts = found.boundaries.iter().filter(|boundary| boundary.is_cut);
        self.confidences.extend(cuts.map(|boundary| {
            let at = second(boundary.at);
            let is_right = example
                .gaps
                .iter()
                .any(|(from, to)| at >= from - NEAR_SECONDS && at <= to + NEAR_SECONDS);
            (boundary.confidence, is_right)
        }));
    }

    fn join(&mut self, other: &Self) {
        self.recordings += other.recordings;
        self.boundaries += other.boundaries;
        self.found += other.found;
        self.invented += other.invented;
        self.perfect += other.perfect;
        self.edges.extend(&other.edges);
        self.confidences.extend(&other.confidences);
        for (sum, count) in self.missed.iter_mut().zip(other.missed) {
            *sum += count;
        }
    }

    fn row(&self, name: &str) -> [String; 8] {
        let share = |part: usize| {
            let percent = 100.0 * part as f64 / self.boundaries as f64;
            if self.boundaries == 0 {
                part.to_string()
            } else {
                format!("{part} ({percent:.1} %)")
            }
        };
        [
            name.to_owned(),
            self.recordings.to_string(),
            self.boundaries.to_string(),
            share(self.found),
            share(self.invented),
            self.missed.map(|count| count.to_string()).join(" + "),
            self.perfect.to_string(),
            format!("{:.2}", median(self.edges.clone())),
        ]
    }
}

/// Cuts one recording as an import would.
pub fn cut(example: &Example) -> Segmentation {
    segment(
        &example.plain(),
        &example.contour,
        &clues(example),
        None,
        &SilenceSettings::default(),
    )
}

/// Where the dips of a recording are in seconds, and how likely the built-in model thinks each, in log odds.
fn judged(example: &Example) -> (Vec<(f64, f64)>, Vec<f64>) {
    let settings = SilenceSettings::default();
    let dips = Dips::find(&example.contour, &clues(example), &settings);
    (dips.places().collect(), dips.log_odds(Model::built_in()))
}

/// What is known of a recording besides its sound.
pub(super) fn clues(example: &Example) -> Clues<'_> {
    Clues {
        name: &example.label.name,
        neighbours: example.label.neighbours,
        track: example.label.track,
        track_total: example.label.track_total,
        ..Clues::default()
    }
}

/// Measures what was heard before, and prints a table.
pub fn run(files: &[PathBuf], tell: bool) -> Result<()> {
    let mut kinds: BTreeMap<Kind, Score> = BTreeMap::new();
    let (mut seconds, mut hours) = (0.0, 0.0);
    for file in files {
        read(file, |example| {
            let begun = Instant::now();
            let found = cut(&example);
            seconds += begun.elapsed().as_secs_f64();
            hours += example.seconds / 3600.0;
            let mut score = Score::default();
            score.add(&example, &found);
            if tell && (score.found < score.boundaries || score.invented > 0) {
                tell_one(&example, &found);
            }
            kinds.entry(example.kind).or_default().join(&score);
        })?;
    }
    printer::result(&table(&kinds).to_string());
    printer::result(&calibration(kinds.values()).to_string());
    printer::result(&format!(
        "{:.3} s a recorded hour to cut",
        seconds / f64::max(hours, 1e-9)
    ));
    Ok(())
}

fn table(kinds: &BTreeMap<Kind, Score>) -> Table {
    let mut table = Table::new(&[
        "recordings",
        "files",
        "boundaries",
        "found",
        "invented",
        "no dip + refused + left out",
        "files all right",
        "edges off s",
    ]);
    let mut sums = [
        ("all with gaps", Score::default()),
        ("all without gaps", Score::default()),
        ("all that are whole", Score::default()),
    ];
    for (kind, score) in kinds {
        table.row(score.row(kind.name()));
        let sum = match (kind.is_rip(), kind.has_no_gaps()) {
            (true, false) => 0,
            (true, true) => 1,
            (false, _) => 2,
        };
        sums[sum].1.join(score);
    }
    for (name, sum) in &sums {
        table.row(sum.row(name));
    }
    table
}

/// How often a boundary of a given confidence is right.
fn calibration<'a>(scores: impl Iterator<Item = &'a Score>) -> Table {
    let mut table = Table::new(&["confidence of a cut", "cuts", "right"]);
    let all: Vec<(f64, bool)> = scores.flat_map(|score| score.confidences.clone()).collect();
    for (from, to) in [
        (0.0, 0.5),
        (0.5, 0.7),
        (0.7, 0.8),
        (0.8, 0.9),
        (0.9, 0.95),
        (0.95, 1.01),
    ] {
        let inside: Vec<bool> = all
            .iter()
            .filter(|(confidence, _)| (from..to).contains(confidence))
            .map(|(_, is_right)| *is_right)
            .collect();
        let right = inside.iter().filter(|is_right| **is_right).count();
        let percent = 100.0 * right as f64 / inside.len().max(1) as f64;
        table.row([
            format!("{from:.2} to {:.2}", f64::min(to, 1.0)),
            inside.len().to_string(),
            format!("{right} ({percent:.0} %)"),
        ]);
    }
    table
}

/// Tells which boundaries of a recording were missed, with the dips near each, and which cuts are wrong.
fn tell_one(example: &Example, found: &Segmentation) {
    let second = |frame: u64| frame as f64 / f64::from(example.rate);
    let joints = found
        .spans
        .windows(2)
        .map(|two| (second(two[0].end), second(two[1].start)));
    let middle = |(from, to): (f64, f64)| f64::midpoint(from, to);
    let near =
        |(from, to): (f64, f64), at: f64| (from - NEAR_SECONDS..=to + NEAR_SECONDS).contains(&at);
    let settings = SilenceSettings::default();
    let dips = Dips::find(&example.contour, &clues(example), &settings);
    let odds = dips.log_odds(Model::built_in());
    printer::note(&format!(
        "{}, {:.0} s, `{}`, {} gaps",
        example.kind.name(),
        example.seconds,
        example.label.name,
        example.gaps.len()
    ));
    for gap in &example.gaps {
        if joints.clone().any(|joint| near(*gap, middle(joint))) {
            continue;
        }
        let around: Vec<String> = dips
            .places()
            .zip(dips.depths())
            .zip(&odds)
            .filter(|((place, _), _)| place.1 > gap.0 - 3.0 && place.0 < gap.1 + 3.0)
            .map(|((place, depth), odds)| {
                format!(
                    "{:.1} to {:.1} ({depth:.0} dB, {odds:.1})",
                    place.0, place.1
                )
            })
            .collect();
        let cut = joints
            .clone()
            .filter(|joint| joint.1 > gap.0 - 3.0 && joint.0 < gap.1 + 3.0);
        printer::note(&format!(
            "  missed {:.1} to {:.1}; dips {}; cut {:.1?}",
            gap.0,
            gap.1,
            around.join(", "),
            cut.collect::<Vec<_>>()
        ));
    }
    for joint in joints {
        if !example.gaps.iter().any(|gap| near(*gap, middle(joint))) {
            printer::note(&format!("  invented {:.1} to {:.1}", joint.0, joint.1));
        }
    }
}
