//! The dips of a file, what is known about each, and which of them are cuts.

use super::candidates::{self, Candidate, Curve};
use super::features::{self, Row};
use super::model::{Choice, Model};
use super::quiet::Quiet;
use super::timbres::{self, Bands};
use super::{Clues, SilenceSettings, context};
use crate::contour::Contour;
use crate::levels::PER_SECOND;

/// Of a file with a dozen passages or more, of which half are shorter than this many seconds, nothing is cut: these
/// are sentences or sound effects. A guess on the safe side: no album has a dozen tracks of a quarter of a minute.
const CRUMBS: usize = 12;
const CRUMB_SECONDS: f64 = 15.0;

/// What sounds for less than this between two gaps is no track, but the end or the beginning of one, in seconds.
const BLIP_SECONDS: f64 = 2.0;

/// Dips with less than these log odds are not looked at when cuts are chosen: 2 %.
const HOPELESS: f64 = -4.0;

/// The dips of a file.
#[derive(Debug)]
pub struct Dips {
    found: Vec<Candidate>,
    rows: Vec<Row>,
    windows: usize,
    timbres: Vec<Option<Bands>>,
    quiets: Vec<Quiet>,
}

impl Dips {
    /// Looks for them.
    pub fn find(contour: &Contour, clues: &Clues<'_>, settings: &SilenceSettings) -> Self {
        let curve = Curve::of(contour);
        let dips = candidates::find(&curve, settings);
        let gaps: Vec<_> = dips
            .iter()
            .map(|dip| timbres::bands_of_gap(contour, dip))
            .collect();
        let quiets: Vec<_> = dips
            .iter()
            .map(|dip| Quiet::of(dip, &curve, contour))
            .collect();
        Self {
            rows: features::rows(&dips, &gaps, &curve, contour, clues),
            quiets,
            timbres: gaps,
            windows: curve.smooth.len(),
            found: dips,
        }
    }

    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.found
    }

    /// Where each begins and ends, in seconds, with the noise that belongs to it.
    pub fn places(&self) -> impl Iterator<Item = (f64, f64)> {
        let second = |window: usize| window as f64 / f64::from(PER_SECOND);
        self.found
            .iter()
            .map(move |dip| (second(dip.reach.0), second(dip.reach.1)))
    }

    /// How deep each is, in dB.
    pub fn depths(&self) -> impl Iterator<Item = f32> {
        self.found.iter().map(Candidate::depth)
    }

    /// What each looks like by itself.
    pub fn alone(&self) -> impl Iterator<Item = &[f32]> {
        self.rows
            .iter()
            .map(<[f32; features::NAMES.len()]>::as_slice)
    }

    /// The same and how it agrees with the others, when these have the log odds of the first stage.
    pub fn together(&self, log_odds: &[f64]) -> Vec<Vec<f32>> {
        context::rows(
            &self.found,
            &self.timbres,
            &self.quiets,
            &self.rows,
            log_odds,
            self.windows,
        )
    }

    /// The log odds of all, by both stages.
    pub fn log_odds(&self, model: &Model) -> Vec<f64> {
        let alone: Vec<f64> = self.alone().map(|row| model.alone.log_odds(row)).collect();
        self.together(&alone)
            .iter()
            .map(|row| model.together.log_odds(row))
            .collect()
    }

    /// The best set of cuts, and how much more it weighs than leaving the file whole, in log odds. A set is as good
    /// as its cuts are likely and its passages are long.
    pub fn choose(&self, log_odds: &[f64], choice: &Choice) -> (Vec<usize>, f64) {
        let hopeful: Vec<usize> = (0..self.found.len())
            .filter(|at| log_odds[*at] >= HOPELESS)
            .collect();
        // Of each: the best weight of cuts that end with it, and the one before it.
        let mut best: Vec<(f64, Option<usize>)> = Vec::with_capacity(hopeful.len());
        for at in &hopeful {
            let own = log_odds[*at] + choice.each;
            let first = own + length_weight(seconds(0, self.found[*at].from), choice);
            let mut found = (first, None);
            for (before, (weight, _)) in best.iter().enumerate() {
                let length = seconds(self.found[hopeful[before]].to, self.found[*at].from);
                let sum = weight + own + length_weight(length, choice);
                if sum > found.0 {
                    found = (sum, Some(before));
                }
            }
            best.push(found);
        }
        let whole = |at: usize| {
            let last = seconds(self.found[hopeful[at]].to, self.windows);
            best[at].0 + length_weight(last, choice)
        };
        let Some(last) = (0..hopeful.len()).max_by(|a, b| whole(*a).total_cmp(&whole(*b))) else {
            return (Vec::new(), -choice.whole);
        };
        let weight = whole(last) - choice.whole;
        let mut cuts = Vec::new();
        let mut at = Some(last);
        while let Some(number) = at {
            cuts.push(hopeful[number]);
            at = best[number].1;
        }
        cuts.reverse();
        if weight <= 0.0 || self.are_crumbs(&cuts) {
            cuts.clear();
        }
        (cuts, weight)
    }

    fn are_crumbs(&self, cuts: &[usize]) -> bool {
        if cuts.len() + 1 < CRUMBS {
            return false;
        }
        let starts = std::iter::once(0).chain(cuts.iter().map(|cut| self.found[*cut].to));
        let ends = cuts.iter().map(|cut| self.found[*cut].from);
        let mut lengths: Vec<f64> = starts
            .zip(ends.chain([self.windows]))
            .map(|(from, to)| seconds(from, to))
            .collect();
        lengths.sort_by(f64::total_cmp);
        lengths[lengths.len() / 2] < CRUMB_SECONDS
    }
}

fn seconds(from: usize, to: usize) -> f64 {
    to.saturating_sub(from) as f64 / f64::from(PER_SECOND)
}

/// What a passage of some length weighs: nothing where it is as long as tracks are.
fn length_weight(seconds: f64, choice: &Choice) -> f64 {
    if seconds < BLIP_SECONDS {
        return -1e6;
    }
    -choice.short * (choice.short_seconds / seconds).log2().max(0.0)
}
