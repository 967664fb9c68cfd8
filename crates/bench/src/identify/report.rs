//! What was right, by level and by kind; what is stated against what is observed; what it cost.

use std::collections::BTreeMap;

use super::{Asked, Judged, share};
use crate::printer;

/// Prints all of it.
pub(super) fn print(judged: &[Judged], asked: &[Asked], verbose: bool) {
    kinds(judged, asked);
    levels(judged);
    calibration(judged);
    if verbose {
        for one in judged {
            let is_wrong = one.is_answered() && !one.is_right();
            // Stated to be likelier than not, whether it was taken or not.
            let is_overrated = one.confidence > 0.5 && one.first() != one.file.truth.as_deref();
            if is_wrong || is_overrated || (one.file.identifiable && !one.is_answered()) {
                tell(one);
            }
        }
    }
}

fn tell(one: &Judged) {
    printer::note(&format!(
        "{} {} {:.3}: {} {} is {:?}, taken for {:?}",
        one.kind,
        one.level,
        one.confidence,
        one.file.path,
        one.file.tags,
        one.file.truth,
        one.recording
    ));
    let candidates = one.reasoning["candidates"].as_array().into_iter().flatten();
    for candidate in candidates.take(3) {
        printer::note(&format!("    {candidate}"));
    }
}

fn kinds(judged: &[Judged], asked: &[Asked]) {
    let mut rows: BTreeMap<&str, [u64; 7]> = BTreeMap::new();
    for one in judged {
        let row = rows.entry(&one.kind).or_default();
        let at = match (one.is_answered(), one.level.as_str(), one.is_right()) {
            (true, "high", true) => 0,
            (true, "high", false) => 1,
            (true, _, true) => 2,
            (true, _, false) => 3,
            (false, ..) => 4,
        };
        row[at] += 1;
        row[5] += u64::from(!one.is_answered() && one.file.identifiable);
        row[6] += u64::from(!one.is_answered() && one.file.truth.is_none());
    }
    printer::result(
        "kind                              high wrong  medium wrong  open (missed, unknown)  questions per 100 files, again",
    );
    for (kind, row) in &rows {
        let cost = asked.iter().find(|one| one.kind == *kind);
        let (cost, again) = cost.map_or((0.0, 0), |one| {
            (
                100.0 * one.questions as f64 / one.files.max(1) as f64,
                one.again,
            )
        });
        printer::result(&format!(
            "{kind:<32} {:>5} {:>5} {:>7} {:>5} {:>5} {:>7} {:>7} {cost:>9.1} {again:>9}",
            row[0], row[1], row[2], row[3], row[4], row[5], row[6]
        ));
    }
    let questions: usize = asked.iter().map(|one| one.questions).sum();
    let files: usize = asked.iter().map(|one| one.files).sum();
    printer::result(&format!(
        "{:.1} questions to MusicBrainz per 100 of {files} files, {} when identified again",
        100.0 * questions as f64 / files.max(1) as f64,
        asked.iter().map(|one| one.again).sum::<usize>()
    ));
}

fn levels(judged: &[Judged]) {
    let count = |which: &dyn Fn(&&Judged) -> bool| judged.iter().filter(which).count() as u64;
    for level in ["high", "medium"] {
        let all = count(&|one| one.is_answered() && one.level == level);
        let right = count(&|one| one.is_answered() && one.level == level && one.is_right());
        printer::result(&format!(
            "{level}: {:.2} % of {all} right",
            share(right, all)
        ));
    }
    let clear = count(&|one| one.file.identifiable);
    let missed = count(&|one| one.file.identifiable && !one.is_answered());
    printer::result(&format!(
        "clear evidence: {:.2} % of {clear} at medium or better, {missed} missed",
        share(clear - missed, clear)
    ));
    let unknown = count(&|one| one.file.truth.is_none());
    let none = count(&|one| one.file.truth.is_none() && !one.is_answered());
    printer::result(&format!(
        "in no catalogue: {:.2} % of {unknown} without an answer",
        share(none, unknown)
    ));
    let grave = count(&|one| one.is_another_song);
    printer::result(&format!("another song altogether: {grave}"));
    let is_wrong = |one: &&Judged| one.is_answered() && !one.is_right();
    let is_right_first =
        |one: &&Judged| one.file.truth.is_some() && one.first() == one.file.truth.as_deref();
    let is_open = |one: &&Judged| !one.is_answered() && is_right_first(one);
    let shown = |which: &dyn Fn(&&Judged) -> bool| count(&|one| which(one) && one.is_in_review);
    printer::result(&format!(
        "in review: {} of {} wrong, {} of {} open with the right candidate first, {} of all {}",
        shown(&is_wrong),
        count(&is_wrong),
        shown(&is_open),
        count(&is_open),
        shown(&|_| true),
        judged.len()
    ));
}

/// Ten bins of how sure the first candidate was said to be.
fn calibration(judged: &[Judged]) {
    let mut bins = [(0_u64, 0_u64, 0.0_f64); 10];
    for one in judged {
        let Some(first) = one.first() else {
            continue;
        };
        let at = ((one.confidence * 10.0) as usize).min(9);
        bins[at].0 += 1;
        bins[at].1 += u64::from(Some(first) == one.file.truth.as_deref());
        bins[at].2 += one.confidence;
    }
    printer::result("stated   files  stated on average  observed");
    for (at, (files, right, sum)) in bins.iter().enumerate() {
        if *files > 0 {
            printer::result(&format!(
                "{:.1}-{:.1} {files:>7} {:>16.1} % {:>7.1} %",
                at as f64 / 10.0,
                (at + 1) as f64 / 10.0,
                100.0 * sum / *files as f64,
                share(*right, *files)
            ));
        }
    }
}
