//! Whether a cue sheet is about this file, and which one of several is to be believed.

use std::path::Path;

use super::beside::{Beside, folder, folder_of_name, stem, stem_of_name};
use super::cue::{Sheet, Track};
use super::{Mark, Origin};

/// A sheet's times and the audio may differ by this much, in seconds: rips are cut at frames of 1/75 s, and encoders add
/// up to a tenth.
const SLACK: f64 = 1.0;

/// What is known of a file besides its sheets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Its length in seconds.
    pub seconds: f64,
    /// Its title by its tags.
    pub title: Option<&'a str>,
    /// Its track number, by its tags or its name.
    pub track: Option<u32>,
    /// The number of tracks by its tags.
    pub track_total: Option<u32>,
}

/// A sheet that means a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitting {
    pub origin: Origin,
    pub album: Option<String>,
    pub tracks: Vec<Mark>,
    /// How sure it is that the sheet means this file: the higher the surer.
    rank: u8,
}

/// What a sheet has to do with a file.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Fits(Fitting),
    /// It seems to be about this file, and cannot be.
    Left(String),
    /// It is about an album of which this file is a track, as tags of split albums have it.
    OfAlbum(u32),
    /// It is about other files.
    Other,
}

/// Where a sheet was found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    Embedded,
    Beside(&'a Path),
}

/// The tracks that a sheet says lie in the file at `path`.
fn named<'s>(sheet: &'s Sheet, path: &Path) -> Vec<&'s Track> {
    let own = stem(path);
    let mut named: Vec<&Track> = (sheet.tracks.iter())
        .filter(|track| stem_of_name(&track.file) == own)
        .collect();
    // Discs of a set are often called alike, each in its own folder.
    if named.iter().any(|track| track.file != named[0].file) {
        let here = Some(folder(path));
        let is_here = |track: &&Track| folder_of_name(&track.file) == here;
        if named.iter().any(is_here) {
            named.retain(is_here);
        }
    }
    named
}

/// Judges one sheet.
pub(super) fn judge(
    sheet: &Sheet,
    place: Place<'_>,
    path: &Path,
    beside: &Beside,
    known: &Known<'_>,
) -> Verdict {
    let own = stem(path);
    let named = named(sheet, path);
    let is_one_file = sheet
        .tracks
        .iter()
        .all(|track| track.file == sheet.tracks[0].file);
    let (tracks, rank): (Vec<&Track>, u8) = match place {
        // Inside a file, a sheet of one file can only mean that file, whatever it was called when it was ripped.
        Place::Embedded if is_one_file => (sheet.tracks.iter().collect(), 4),
        Place::Embedded => (named, 4),
        Place::Beside(_) if !named.is_empty() => (named, 3),
        Place::Beside(cue) => {
            let other_is_there = beside.has_audio(&sheet.tracks[0].file);
            if !is_one_file || other_is_there {
                return Verdict::Other;
            }
            let has_own_name = stem(cue) == own || stem(cue) == super::beside::name(path);
            (
                sheet.tracks.iter().collect(),
                if has_own_name { 2 } else { 1 },
            )
        }
    };
    let marks: Vec<Mark> = tracks
        .iter()
        .filter_map(|track| mark(sheet, track))
        .collect();
    let Some(last) = marks.iter().map(|mark| mark.start).max_by(f64::total_cmp) else {
        return match place {
            Place::Embedded if tracks.is_empty() => Verdict::Left(format!(
                "the cue sheet in its tags is about other files (`{}` and more) and was left",
                sheet.tracks[0].file
            )),
            Place::Embedded => Verdict::Left(
                "the cue sheet in its tags does not say where its tracks begin and was left"
                    .to_owned(),
            ),
            Place::Beside(_) => Verdict::Other,
        };
    };
    let name = match place {
        Place::Embedded => "the cue sheet in its tags".to_owned(),
        Place::Beside(cue) => format!(
            "the cue sheet `{}`",
            cue.file_name().unwrap_or_default().to_string_lossy()
        ),
    };
    if let Some(track) = own_track(&marks, known) {
        return Verdict::OfAlbum(track);
    }
    if last > known.seconds - SLACK.min(known.seconds / 2.0) {
        return Verdict::Left(format!(
            "{name} goes beyond the audio (its last track begins at {last:.1} s of {:.1} s) and was left",
            known.seconds
        ));
    }
    Verdict::Fits(Fitting {
        origin: if matches!(place, Place::Embedded) {
            Origin::EmbeddedCueSheet
        } else {
            Origin::CueSheet
        },
        album: sheet.title.clone(),
        tracks: marks,
        rank,
    })
}

fn mark(sheet: &Sheet, track: &Track) -> Option<Mark> {
    Some(Mark {
        start: track.start.or(track.pause)?,
        end: None,
        number: Some(track.number),
        title: track.title.clone(),
        performer: track.performer.clone().or_else(|| sheet.performer.clone()),
        isrc: track.isrc.clone(),
    })
}

/// The number of the track that the whole file is, where file and sheet say so together: programs that split an album leave its
/// sheet in the tags of every track.
fn own_track(marks: &[Mark], known: &Known<'_>) -> Option<u32> {
    if marks.len() < 2 {
        return None;
    }
    let number = |mark: &Mark| mark.number.unwrap_or(0);
    let same = |title: &str| {
        known
            .title
            .is_some_and(|own| own.trim().eq_ignore_ascii_case(title.trim()))
    };
    let titled = marks
        .iter()
        .find(|mark| mark.title.as_deref().is_some_and(same));
    let numbered = known
        .track
        .and_then(|track| marks.iter().find(|mark| number(mark) == track));
    let counts = known.track_total == Some(marks.len() as u32);
    let found = match (titled, numbered) {
        (Some(titled), Some(numbered)) if number(titled) == number(numbered) => titled,
        (_, Some(numbered)) if counts => numbered,
        (Some(titled), None) => titled,
        (None, Some(numbered)) => numbered,
        _ => return None,
    };
    let at = marks.iter().position(|mark| mark == found)?;
    let length = marks.get(at + 1).map(|next| next.start - found.start);
    match length {
        // As long as the sheet says that this track is.
        Some(length) if (length - known.seconds).abs() <= SLACK => Some(number(found)),
        // Of the last track no sheet says how long it is.
        None if titled.is_some() || counts => Some(number(found)),
        _ => None,
    }
}

/// The best of the sheets that fit: one that marks several tracks, then the one that means the file most surely, then the
/// one with most tracks.
pub(super) fn best(fitting: Vec<Fitting>) -> Option<Fitting> {
    fitting
        .into_iter()
        .max_by_key(|one| (one.tracks.len() >= 2, one.rank, one.tracks.len()))
}
