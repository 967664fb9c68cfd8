//! Passages where a cue sheet or chapters say they are.

use super::SilenceSettings;
use super::boundary::{Boundary, BoundaryKind};
use super::silences::Silences;
use super::{Segmentation, Span};
use crate::levels::{Levels, PER_SECOND};
use crate::marks::{Mark, Marks};

/// Sound outside the marks that makes a passage of its own, in seconds; less goes to the passage beside it. A guess: a
/// breath or a click is no hidden track.
const OUTSIDE_SECONDS: f64 = 1.0;

/// How sure a boundary is between a marked track and sound that no mark covers: low, so that a person is asked.
const DOUBTFUL: f64 = 0.5;

/// Cuts a file at its marks. A passage starts where its mark says, and ends with its sound, or where
/// the next one starts. Sound that no mark covers (before the first, behind the last, in between) is a
/// passage without a name. `None` where fewer than two marks lie in the audio.
pub(super) fn segment(
    levels: &Levels,
    silences: &Silences,
    marks: &Marks,
    settings: &SilenceSettings,
) -> Option<Segmentation> {
    let tracks = tracks(levels, silences, marks, settings);
    if tracks.len() < 2 {
        return None;
    }
    let pieces = with_the_rest(levels, silences, tracks);
    let boundaries = pieces
        .windows(2)
        .map(|two| {
            let ((_, before), (span, label)) = (&two[0], &two[1]);
            let title = label.as_ref().and_then(|label| label.title.clone());
            let (confidence, reason) = match (before, label) {
                (Some(_), Some(_)) => (1.0, title.unwrap_or_else(|| "marked".to_owned())),
                (None, _) => (DOUBTFUL, "the sound before is in no mark".to_owned()),
                (_, None) => (DOUBTFUL, "the sound from here on is in no mark".to_owned()),
            };
            let kind = BoundaryKind::Marked(marks.origin);
            Boundary {
                at: span.start,
                kind,
                is_cut: true,
                confidence,
                reason,
            }
        })
        .collect();
    let (spans, labels) = pieces.into_iter().unzip();
    Some(Segmentation {
        spans,
        labels,
        album: marks.album.clone(),
        boundaries,
        marked: Some(marks.origin),
        single_track: false,
        score: 0.0,
        silence_dbfs: f64::from(silences.threshold_dbfs),
        gaps: Vec::new(),
    })
}

/// The marked passages.
fn tracks(
    levels: &Levels,
    silences: &Silences,
    marks: &Marks,
    settings: &SilenceSettings,
) -> Vec<Piece> {
    let rate = f64::from(levels.sample_rate());
    let frame = |seconds: f64| ((seconds * rate).round() as u64).min(levels.frames());
    let minimum = settings
        .minimum_audio
        .to_frames(levels.sample_rate())
        .max(1);
    let mut tracks = Vec::new();
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
            tracks.push((Span { start, end }, Some(mark.clone())));
        }
    }
    tracks
}

/// A stretch of the file and the mark that names it.
type Piece = (Span, Option<Mark>);

/// Puts the sound that lies in no passage into passages of its own, or to the passage beside it where it is short.
fn with_the_rest(levels: &Levels, silences: &Silences, tracks: Vec<Piece>) -> Vec<Piece> {
    let dbfs: Vec<f32> = levels.dbfs().collect();
    let rate = u64::from(levels.sample_rate());
    let window =
        |frame: u64| usize::try_from(frame * u64::from(PER_SECOND) / rate).unwrap_or(usize::MAX);
    let sounds = |from: u64, to: u64| {
        let range = window(from).min(dbfs.len())..window(to).min(dbfs.len());
        let sounding: Vec<usize> = range
            .filter(|at| dbfs[*at] >= silences.threshold_dbfs)
            .collect();
        let (first, last) = (*sounding.first()?, *sounding.last()?);
        let seconds = sounding.len() as f64 / f64::from(PER_SECOND);
        let start = levels.frame_of(first).clamp(from, to);
        let end = levels.frame_of(last + 1).clamp(start, to);
        Some((Span { start, end }, seconds))
    };
    let mut pieces: Vec<Piece> = Vec::with_capacity(tracks.len());
    let ends = tracks
        .iter()
        .map(|(span, _)| span.start)
        .chain([levels.frames()]);
    let ends: Vec<u64> = ends.collect();
    let mut tracks = tracks.into_iter();
    for to in ends {
        let from = pieces.last().map_or(0, |(span, _)| span.end);
        match sounds(from, to.max(from)) {
            Some((span, seconds)) if seconds >= OUTSIDE_SECONDS => {
                let rest = sounding_end(levels, silences, span.start, to.max(span.end));
                pieces.push((
                    Span {
                        end: rest.max(span.end),
                        ..span
                    },
                    None,
                ));
            }
            Some((span, _)) => {
                if let Some((last, _)) = pieces.last_mut() {
                    last.end = span.end;
                }
            }
            None => {}
        }
        pieces.extend(tracks.next());
    }
    pieces
}

impl Segmentation {
    /// Names the first passage after the one track that a sheet says the file is; several tracks name nothing here.
    pub(super) fn named_by(mut self, marks: &Marks) -> Self {
        if let (Some(label), [track]) = (self.labels.first_mut(), marks.tracks.as_slice()) {
            *label = Some(track.clone());
            self.album.clone_from(&marks.album);
            self.marked = Some(marks.origin);
        }
        self
    }
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
