//! Passages where a cue sheet or chapters say they are.

use super::SilenceSettings;
use super::boundary::{Boundary, BoundaryKind};
use super::gaps::Silences;
use super::{Segmentation, Span};
use crate::levels::{Levels, PER_SECOND};
use crate::marks::{Mark, Marks};

/// Cuts a file at its marks. A passage starts where its mark says, and ends with its sound, or where
/// the next one starts. `None` where fewer than two marks lie in the audio.
pub(super) fn segment(
    levels: &Levels,
    silences: &Silences,
    marks: &Marks,
    settings: &SilenceSettings,
) -> Option<Segmentation> {
    let rate = f64::from(levels.sample_rate());
    let frame = |seconds: f64| ((seconds * rate).round() as u64).min(levels.frames());
    let minimum = settings
        .minimum_audio
        .to_frames(levels.sample_rate())
        .max(1);
    let mut spans = Vec::new();
    let mut labels: Vec<Option<Mark>> = Vec::new();
    for (at, mark) in marks.tracks.iter().enumerate() {
        let next = marks.tracks.get(at + 1).map(|next| next.start);
        let end = match (mark.end, next) {
            (Some(end), Some(next)) => frame(end.min(next)),
            (Some(only), None) | (None, Some(only)) => frame(only),
            (None, None) => levels.frames(),
        };
        let start = frame(mark.start);
        let end = sounding_end(levels, silences, start, end);
        if end >= start + minimum {
            spans.push(Span { start, end });
            labels.push(Some(mark.clone()));
        }
    }
    if spans.len() < 2 {
        return None;
    }
    let boundaries = spans
        .iter()
        .zip(&labels)
        .skip(1)
        .map(|(span, label)| Boundary {
            at: span.start,
            kind: BoundaryKind::Marked(marks.origin),
            is_cut: true,
            confidence: 1.0,
            reason: label
                .as_ref()
                .and_then(|label| label.title.clone())
                .unwrap_or_else(|| "marked".to_owned()),
        })
        .collect();
    Some(Segmentation {
        spans,
        labels,
        album: marks.album.clone(),
        boundaries,
        marked: Some(marks.origin),
        single_track: false,
        score: 0.0,
        clues: Vec::new(),
        silence_dbfs: f64::from(silences.threshold_dbfs),
        gaps: Vec::new(),
    })
}

/// Where the sound before `end` has died away.
fn sounding_end(levels: &Levels, silences: &Silences, start: u64, end: u64) -> u64 {
    let rate = u64::from(levels.sample_rate());
    let window =
        |frame: u64| usize::try_from(frame * u64::from(PER_SECOND) / rate).unwrap_or(usize::MAX);
    match silences.decay_before(window(start), window(end)) {
        Some(decayed) => levels.frame_of(decayed).clamp(start, end),
        None => end,
    }
}
