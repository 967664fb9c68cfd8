//! Boundaries as they are kept for a person to review.

use serde::Serialize;

use super::{Gap, Span, edges};
use crate::levels::Levels;
use crate::marks::Origin;

/// A single passage longer than this deserves a look, in seconds.
const LONG_SECONDS: f64 = 25.0 * 60.0;

/// Gaps that are nearly as likely a boundary as not are listed; the others are part of the music. A guess at how much a
/// person wants to look through.
const NEARLY: f64 = 0.3;

/// A pause of digital silence of this length, in seconds, is listed in a file of which nobody says that it is one track: a
/// studio puts such between tracks, and music seldom stops for as long. A guess.
const DIGITAL_SECONDS: f64 = 1.0;

/// A lone one may be a rest, and where there are more of them than on an album these are sentences.
const OF_ALBUMS: std::ops::RangeInclusive<usize> = 2..=20;

/// How sure it is that such a pause is none between tracks, at most: low enough to be listed.
const UNSURE: f64 = 0.8;

/// What a boundary was made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundaryKind {
    /// A silence between two sounds.
    Silence,
    /// A cue sheet or chapter marks.
    Marked(Origin),
    /// None was found, where several tracks were to be expected.
    Undivided,
}

impl BoundaryKind {
    /// Its word in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Marked(Origin::EmbeddedCueSheet) => "embedded_cue_sheet",
            Self::Marked(Origin::CueSheet) => "cue_sheet",
            Self::Marked(Origin::Chapters) => "chapters",
            Self::Undivided => "undivided",
        }
    }
}

/// A place where a file is cut, or might have been.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    /// Where, in frames: the middle between the passages.
    pub at: u64,
    /// What made it.
    pub kind: BoundaryKind,
    /// Whether the file is cut here.
    pub is_cut: bool,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Why, in words.
    pub reason: String,
}

/// The boundaries of a file cut at its gaps. `is_track` says that by its name or tags it is one track.
pub(super) fn of_gaps(
    levels: &Levels,
    gaps: &[Gap],
    spans: &[Span],
    is_track: bool,
) -> Vec<Boundary> {
    let is_digital = |gap: &Gap| {
        !is_track && gap.seconds() >= DIGITAL_SECONDS && gap.dbfs <= edges::DIGITAL_DBFS
    };
    let are_as_on_albums = OF_ALBUMS.contains(&gaps.iter().filter(|gap| is_digital(gap)).count());
    let is_odd = |gap: &Gap| are_as_on_albums && !gap.cut && is_digital(gap);
    let mut boundaries: Vec<_> = gaps
        .iter()
        .filter(|gap| gap.cut || gap.confidence >= NEARLY || is_odd(gap))
        .map(|gap| {
            let mut boundary = of_gap(levels, gap, spans.len() == 1);
            if is_odd(gap) {
                boundary.confidence = boundary.confidence.min(UNSURE);
            }
            boundary
        })
        .collect();
    let seconds = levels.frames() as f64 / f64::from(levels.sample_rate());
    if spans.len() == 1 && seconds >= LONG_SECONDS && !is_track {
        boundaries.push(Boundary {
            at: 0,
            kind: BoundaryKind::Undivided,
            is_cut: false,
            confidence: 0.4,
            reason: format!(
                "{:.0} minutes without a gap: a concert, a mix or one long piece",
                seconds / 60.0
            ),
        });
    }
    boundaries
}

fn of_gap(levels: &Levels, gap: &Gap, is_whole: bool) -> Boundary {
    let quiet = format!("{:.1} s at {:.0} dBFS", gap.seconds(), gap.dbfs.max(-120.0));
    let reason = match (gap.cut, is_whole) {
        (true, _) => quiet,
        (false, true) => format!("a pause of {quiet} in a single track"),
        (false, false) => format!("a pause of {quiet}, not good enough for a boundary"),
    };
    Boundary {
        at: levels.frame_of(usize::midpoint(gap.from, gap.to)),
        kind: BoundaryKind::Silence,
        is_cut: gap.cut,
        confidence: if gap.cut {
            gap.confidence
        } else {
            1.0 - gap.confidence
        },
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_pauses_of_digital_silence_are_listed_unless_the_file_is_a_track() {
        let levels = Levels::of(8_000, 8_000 * 200, vec![0.01; 200 * 50]);
        let spans = [Span {
            start: 0,
            end: levels.frames(),
        }];
        let gap = |second: usize, dbfs: f32| Gap {
            from: second * 50,
            to: second * 50 + 75,
            dbfs,
            confidence: 0.02,
            cut: false,
        };
        let listed = |gaps: &[Gap], is_track: bool| {
            let boundaries = of_gaps(&levels, gaps, &spans, is_track);
            boundaries
                .iter()
                .filter(|one| one.confidence < 0.85)
                .count()
        };
        let three = [60, 69, 120].map(|second| gap(second, -120.0));
        assert_eq!(listed(&three, false), 3);
        assert_eq!(listed(&three, true), 0);
        assert_eq!(listed(&three[..1], false), 0, "a lone one may be a rest");
        assert_eq!(
            listed(&[60, 69, 120].map(|second| gap(second, -60.0)), false),
            0
        );
        let sentences: Vec<Gap> = (1..40).map(|second| gap(4 * second, -120.0)).collect();
        assert_eq!(listed(&sentences, false), 0);
    }
}
