//! Boundaries as they are kept for a person to review.

use serde::Serialize;

use super::{Gap, Span};
use crate::levels::Levels;
use crate::marks::Origin;

/// A single passage longer than this deserves a look, in seconds.
const LONG_SECONDS: f64 = 25.0 * 60.0;

/// Gaps that are nearly as likely a boundary as not are listed; the others are part of the music. A guess at how much a
/// person wants to look through.
const NEARLY: f64 = 0.3;

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
    let mut boundaries: Vec<_> = gaps
        .iter()
        .filter(|gap| gap.cut || gap.confidence >= NEARLY)
        .map(|gap| of_gap(levels, gap, spans.len() == 1))
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
