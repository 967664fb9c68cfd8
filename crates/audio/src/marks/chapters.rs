//! Chapter marks, by where they stand.

use std::path::Path;

use super::{Mark, flac};
use crate::decode;
use crate::tags::Written;

/// The chapters of a file: in its tags, else in its container.
pub(super) fn of(path: &Path, written: &Written) -> Vec<Mark> {
    if !written.chapters.is_empty() {
        let chapters = written.chapters.iter();
        return chapters
            .map(|chapter| Mark {
                start: chapter.start,
                end: chapter.end,
                title: chapter.title.clone().filter(|title| !title.is_empty()),
                performer: chapter.performer.clone(),
                ..Mark::default()
            })
            .collect();
    }
    let blocks = flac::marks(path);
    if !blocks.is_empty() {
        return blocks;
    }
    let chapters = decode::mp4_chapters(path).into_iter();
    chapters
        .map(|(start, title)| Mark {
            start,
            title: Some(title).filter(|title| !title.is_empty()),
            ..Mark::default()
        })
        .collect()
}

/// The chapters without those that hold two others or more: of a part and its three chapters, the chapters.
pub(super) fn innermost(mut chapters: Vec<Mark>) -> Vec<Mark> {
    let end = |mark: &Mark| mark.end.unwrap_or(mark.start);
    chapters.retain(|mark| mark.start.is_finite());
    // Longer ones first where two start at once, so that what holds others comes right before them.
    chapters.sort_by(|a, b| a.start.total_cmp(&b.start).then(end(b).total_cmp(&end(a))));
    let holds = |outer: &Mark, at: usize| {
        chapters.get(at).is_some_and(|inner| {
            end(inner) <= end(outer) && end(inner) - inner.start < end(outer) - outer.start
        })
    };
    let is_outer = |(at, mark): &(usize, &Mark)| holds(mark, at + 1) && holds(mark, at + 2);
    chapters
        .iter()
        .enumerate()
        .filter(|one| !is_outer(one))
        .map(|(_, mark)| mark.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(start: f64, end: f64, title: &str) -> Mark {
        Mark {
            start,
            end: Some(end),
            title: Some(title.to_owned()),
            ..Mark::default()
        }
    }

    fn titles(chapters: Vec<Mark>) -> Vec<String> {
        let mut kept = innermost(chapters);
        kept.sort_by(|a, b| a.start.total_cmp(&b.start));
        kept.into_iter().filter_map(|mark| mark.title).collect()
    }

    #[test]
    fn what_holds_other_chapters_is_left_out() {
        let whole = chapter(0.0, 60.0, "Whole");
        let parts = ["A", "B", "C"].iter().enumerate();
        let parts: Vec<Mark> = parts
            .map(|(n, title)| chapter(n as f64 * 20.0, n as f64 * 20.0 + 20.0, title))
            .collect();
        assert_eq!(
            titles([vec![whole], parts.clone()].concat()),
            ["A", "B", "C"]
        );
        assert_eq!(titles(parts), ["A", "B", "C"]);
        assert_eq!(
            titles(vec![chapter(0.0, 30.0, "A"), chapter(29.0, 60.0, "B")]),
            ["A", "B"]
        );
    }
}
