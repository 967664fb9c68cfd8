//! How a dip agrees with the other dips of its file, once each has been judged by itself.

use super::candidates::Candidate;
use super::features::{Row, TONALITY, TONELESS, UNKNOWN};
use super::model::probability;
use super::quiet::Quiet;
use super::timbres::{Bands, distance};
use crate::levels::PER_SECOND;

/// Tracks shorter than this are rare, in windows: 20 s, the shortest that does not weigh against a set of cuts.
const NEAR: usize = 20 * PER_SECOND as usize;

/// Rows for all dips: what each looks like by itself, and its context.
pub(super) fn rows(
    dips: &[Candidate],
    timbres: &[Option<Bands>],
    quiets: &[Quiet],
    alone: &[Row],
    log_odds: &[f64],
    windows: usize,
) -> Vec<Vec<f32>> {
    let likely: Vec<f32> = log_odds
        .iter()
        .map(|odds| probability(*odds) as f32)
        .collect();
    let file = File {
        dips,
        timbres,
        quiets,
        same: same(quiets, &likely),
        alone,
        log_odds,
        likely: &likely,
        minutes: windows as f32 / (60 * PER_SECOND) as f32,
        windows,
    };
    (0..dips.len())
        .map(|at| {
            let mut row = alone[at].to_vec();
            row.extend(file.context(at));
            row
        })
        .collect()
}

/// How many other dips are the same noise as each, and how many gaps are among them.
fn same(quiets: &[Quiet], likely: &[f32]) -> Vec<(f32, f32)> {
    let sums = |at: usize| {
        let others = (0..quiets.len()).filter(|other| *other != at);
        others.fold((0.0, 0.0), |(all, gaps), other| {
            let likeness = quiets[at].likeness(&quiets[other]);
            (all + likeness, gaps + likely[other] * likeness)
        })
    };
    (0..quiets.len()).map(sums).collect()
}

struct File<'a> {
    dips: &'a [Candidate],
    timbres: &'a [Option<Bands>],
    quiets: &'a [Quiet],
    /// How many other dips are the same noise as each, and how many of these are gaps.
    same: Vec<(f32, f32)>,
    alone: &'a [Row],
    log_odds: &'a [f64],
    likely: &'a [f32],
    minutes: f32,
    windows: usize,
}

impl File<'_> {
    /// The same of the other dips nearby, of which hardly more than one is a gap: the greatest, or 0.
    fn most_alike_near(&self, at: usize) -> f32 {
        let dip = &self.dips[at];
        let is_near = |other: &Candidate| other.to + NEAR > dip.from && other.from < dip.to + NEAR;
        let others = (0..self.dips.len()).filter(|other| *other != at);
        others
            .filter(|other| is_near(&self.dips[*other]))
            .map(|other| self.same[other].1)
            .fold(0.0, f32::max)
    }

    fn context(&self, at: usize) -> [f32; 25] {
        let dip = &self.dips[at];
        let own = self.likely[at];
        let others = || (0..self.dips.len()).filter(move |other| *other != at);
        let sum: f32 = others().map(|other| self.likely[other]).sum();
        let mut best: Vec<f32> = others().map(|other| self.log_odds[other] as f32).collect();
        best.sort_unstable_by(|a, b| b.total_cmp(a));
        let of_best = |rank: usize| best.get(rank).copied().unwrap_or(-10.0);
        // A dip's like is weighed by how likely it is a gap.
        let mean = |value: &dyn Fn(usize) -> f32| {
            (sum > 0.3).then(|| {
                others()
                    .map(|other| self.likely[other] * value(other))
                    .sum::<f32>()
                    / sum
            })
        };
        let log_seconds = |other: usize| (self.dips[other].seconds() as f32 + 0.1).ln();
        let seconds = mean(&log_seconds);
        let level = mean(&|other| self.dips[other].level);
        let tonality = |other: usize| self.alone[other][TONALITY];
        let toneless = |other: usize| self.alone[other][TONELESS];
        let spread = |value: &dyn Fn(usize) -> f32, middle: Option<f32>| {
            let middle = middle?;
            mean(&|other| (value(other) - middle).abs())
        };
        let off = |value: f32, middle: Option<f32>| middle.map_or(UNKNOWN * 20.0, |m| value - m);
        let timbre: Bands = std::array::from_fn(|band| {
            mean(&|other| self.timbres[other].map_or(0.0, |bands| bands[band])).unwrap_or(0.0)
        });
        let apart = |from: usize, to: usize| {
            (to.saturating_sub(from) as f32 / PER_SECOND as f32 + 0.1).ln()
        };
        let before = (0..at).rev().find(|other| self.likely[*other] > 0.5);
        let after = (at + 1..self.dips.len()).find(|other| self.likely[*other] > 0.5);
        let to_before = apart(before.map_or(0, |b| self.dips[b].to), dip.from);
        let to_after = apart(dip.to, after.map_or(self.windows, |a| self.dips[a].from));
        let better = |other: &usize| self.log_odds[*other] > self.log_odds[at];
        let better_before = (0..at).rev().find(better);
        let better_after = (at + 1..self.dips.len()).find(better);
        [
            self.log_odds[at] as f32,
            sum,
            (self.minutes / (1.0 + sum + own)).ln(),
            others().filter(|other| self.likely[*other] > 0.5).count() as f32,
            of_best(0),
            of_best(1),
            of_best(3),
            off(log_seconds(at), seconds),
            off(dip.level, level),
            spread(&log_seconds, seconds).unwrap_or(UNKNOWN),
            spread(&|other| self.dips[other].level, level).unwrap_or(UNKNOWN),
            if sum > 0.3 {
                distance(self.timbres[at].as_ref(), Some(&timbre))
            } else {
                UNKNOWN
            },
            to_before,
            to_after,
            to_before.min(to_after),
            apart(better_before.map_or(0, |b| self.dips[b].to), dip.from),
            apart(
                dip.to,
                better_after.map_or(self.windows, |a| self.dips[a].from),
            ),
            others().filter(better).count() as f32,
            off(tonality(at), mean(&tonality)),
            off(toneless(at), mean(&toneless)),
            (self.quiets[at].windows as f32 / PER_SECOND as f32 + 0.1).ln(),
            self.same[at].0,
            self.same[at].1,
            self.same[at].1 / (sum + 0.1),
            self.same[at].1 - self.most_alike_near(at),
        ]
    }
}
