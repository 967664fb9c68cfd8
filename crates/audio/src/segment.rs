//! Decides which stretches of a file are passages.
//!
//! A file is one track or several. Everything is told by comparison, for a record, a tape and a file of digital silence
//! have nothing in common but that a gap is quieter than what is around it:
//!
//! 1. *Dips* are places where the level, which clicks and rumble do not move (`contour`), falls well below that of the
//!    sound before and after, and quiet noise without a tone; noise beside a dip, as applause is, belongs to it
//!    (`candidates`).
//! 2. Each has *features*: how deep, how long and how steady it is, how the sound falls and rises around it, whether it is
//!    noise and how many others are like it, how timbre, pitch and width change across it (`timbres`), and what name,
//!    tags and folder say (`features`).
//! 3. Boosted trees judge each dip by itself, then again by how it agrees with the others (`model`, `context`). The gaps
//!    of one record are like one another, whatever they are like: their noise is the same (`quiet`).
//! 4. The most likely set of cuts is chosen as a whole: passages of a few seconds weigh against it, and "no cut at
//!    all" is one of the sets (`dips`).
//!
//! At a cut the earlier passage keeps its decay, also where noise covers it, and the later one its attack (`edges`). The
//! settings still say what is silence at all: a dip that is louder than their threshold, or below it for too short a
//! time, is none.
//!
//! What this cannot do: a medley or a concert whose tracks touch stays one passage, and is listed for review.

mod boundary;
mod called;
mod candidates;
mod context;
mod dips;
mod doubted;
mod edges;
mod features;
mod marked;
pub mod model;
mod quiet;
mod silences;
mod timbres;

use serde::{Deserialize, Serialize, Serializer};

use crate::contour::{self, Contour};
use crate::levels::{Levels, PER_SECOND};
use crate::marks::{Mark, Marks, Origin};
use crate::ticks::Ticks;
use doubted::Verdict;
use model::Model;
use silences::Silences;

pub use boundary::{Boundary, BoundaryKind};
pub use dips::Dips;

/// What is known about a file besides its sound.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clues<'a> {
    /// The file's name without its extension.
    pub name: &'a str,
    /// Audio files in the same folder, this one among them.
    pub neighbours: usize,
    /// Track number from the tags.
    pub track: Option<u32>,
    /// Number of tracks from the tags.
    pub track_total: Option<u32>,
    /// Title from the tags.
    pub title: Option<&'a str>,
    /// Artist from the tags.
    pub artist: Option<&'a str>,
    /// Album from the tags.
    pub album: Option<&'a str>,
}

/// A stretch of a file, in sample frames; `end` is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First frame.
    pub start: u64,
    /// One past the last frame.
    pub end: u64,
}

/// What was decided about a file, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segmentation {
    /// The passages, in order, never touching the next; empty when there is no sound.
    #[serde(skip)]
    pub spans: Vec<Span>,
    /// What the marks say about each passage, where the file has marks.
    #[serde(skip)]
    pub labels: Vec<Option<Mark>>,
    /// The album's title by the marks.
    #[serde(skip)]
    pub album: Option<String>,
    /// Where the file is cut, or might have been.
    #[serde(skip)]
    pub boundaries: Vec<Boundary>,
    /// Who marked the passages; `None` where silence decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marked: Option<Origin>,
    /// Whether the file was taken for one track.
    pub single_track: bool,
    /// How much more likely several tracks are than one, in log odds.
    pub score: f64,
    /// Quieter than this was silence, in dBFS.
    pub silence_dbfs: f64,
    /// The gaps that were weighed, the likeliest hundred in order of time.
    pub gaps: Vec<Gap>,
}

/// What counts as silence, and as a passage; see the library's settings of the same meaning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SilenceSettings {
    /// Quieter than this is silence, in dBFS of the RMS; 0 or negative.
    pub silence_dbfs: f64,
    /// A shorter silence is part of the music.
    pub silence_min: Ticks,
    /// Less sound than this is no passage.
    pub minimum_audio: Ticks,
}

/// A gap between two sounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// First window.
    #[serde(rename = "start_s", serialize_with = "as_seconds")]
    pub from: usize,
    /// One past the last window.
    #[serde(rename = "end_s", serialize_with = "as_seconds")]
    pub to: usize,
    /// Median level in dBFS.
    pub dbfs: f32,
    /// How likely it lies between two tracks, 0 to 1.
    pub confidence: f64,
    /// Whether the file is cut here.
    pub cut: bool,
}

impl Gap {
    /// Its length.
    pub fn seconds(&self) -> f64 {
        (self.to - self.from) as f64 / f64::from(PER_SECOND)
    }
}

impl Default for SilenceSettings {
    /// WKMP's defaults: 35 dB below full scale for 0.3 s, and 0.1 s of sound.
    fn default() -> Self {
        Self {
            silence_dbfs: -35.0,
            silence_min: Ticks(8_467_200),
            minimum_audio: Ticks(2_822_400),
        }
    }
}

/// Cuts a file into passages: where its marks say so, else by its gaps. A single mark names the passages and cuts nothing.
///
/// A single track is one passage from its first to its last frame, silence
/// included (it belongs to the track's timing). In a file of several tracks
/// passages begin and end with their sound. No passage at all means that the
/// file holds less sound than `settings.minimum_audio`.
pub fn segment(
    levels: &Levels,
    contour: &Contour,
    clues: &Clues<'_>,
    marks: Option<&Marks>,
    settings: &SilenceSettings,
) -> Segmentation {
    let silences = Silences::find(levels, settings);
    let heard = by_ear(levels, contour, &silences, clues, settings);
    match marks {
        Some(marks) => by_marks(levels, &silences, marks, settings, heard).named_by(marks),
        None => heard,
    }
}

/// Cuts a file where its marks say, if they are several and what was `heard` has nothing against it.
fn by_marks(
    levels: &Levels,
    silences: &Silences,
    marks: &Marks,
    settings: &SilenceSettings,
    heard: Segmentation,
) -> Segmentation {
    let at = |marks: &Marks| marked::segment(levels, silences, marks, settings);
    let Some(found) = at(marks) else {
        return heard;
    };
    let name = doubted::called(marks.origin);
    match doubted::judge(marks, &heard.gaps) {
        Verdict::Fit => found,
        Verdict::Doubtful => found.doubted("a pause is clear where no track is marked"),
        Verdict::Moved(marks, why) => {
            let why = format!("moved from where {name} has it, for {why}");
            at(&marks).map_or(found, |found| found.doubted(&why))
        }
        Verdict::Wrong => heard.doubted(&format!(
            "{name} does not fit the sound and was not followed"
        )),
    }
}

/// A pause shorter than this in a file that is called one song is a rest, in seconds; a longer one may have a hidden track
/// behind it. A guess: rests of 8 s are rare, and hidden tracks come after minutes.
const REST_SECONDS: f64 = 15.0;

/// Cuts a file by its gaps.
fn by_ear(
    levels: &Levels,
    contour: &Contour,
    silences: &Silences,
    clues: &Clues<'_>,
    settings: &SilenceSettings,
) -> Segmentation {
    let model = Model::built_in();
    let dips = Dips::find(contour, clues, settings);
    let log_odds = dips.log_odds(model);
    let (cuts, score) = dips.choose(&log_odds, &model.choice);
    let mut gaps = gaps(levels, contour, silences, &dips, |at| {
        (model.confidence(log_odds[at]), cuts.contains(&at))
    });
    let seconds = levels.frames() as f64 / f64::from(levels.sample_rate());
    let is_song = clues.call_it_a_song(seconds);
    if is_song {
        // It may hold a rest, and a hidden track.
        for gap in &mut gaps {
            gap.cut &= gap.seconds() >= REST_SECONDS;
        }
    }
    let spans = if silences.sound_seconds() < settings.minimum_audio.seconds() {
        Vec::new()
    } else {
        spans(levels, silences, &gaps, settings.minimum_audio)
    };
    let is_track = is_song || clues.track.is_some() || begins_with_track_number(clues.name);
    Segmentation {
        labels: vec![None; spans.len()],
        album: None,
        boundaries: boundary::of_gaps(levels, &gaps, &spans, is_track),
        marked: None,
        single_track: spans.len() == 1,
        spans,
        score,
        silence_dbfs: f64::from(silences.threshold_dbfs),
        gaps: likeliest(gaps),
    }
}

/// The dips with the edges of what sounds around them, and what was decided about each.
fn gaps(
    levels: &Levels,
    contour: &Contour,
    silences: &Silences,
    dips: &Dips,
    decided: impl Fn(usize) -> (f64, bool),
) -> Vec<Gap> {
    let plain = &silences.smooth;
    let robust = edges::smoothed(&contour::mean_squares(&contour.levels));
    let windows = levels.len().min(robust.len());
    let inside = dips.candidates().iter().filter(|dip| dip.to <= windows);
    let mut gaps: Vec<Gap> = inside
        .enumerate()
        .map(|(at, dip)| {
            let (from, to) = edges::of_gap(&plain[..windows], &robust[..windows], dip);
            let (confidence, cut) = decided(at);
            Gap {
                from,
                to,
                dbfs: edges::percentile(&plain[dip.from..dip.to], 0.5),
                confidence,
                cut,
            }
        })
        .collect();
    let is_plain = |dip: &candidates::Candidate| dip.reach == (dip.from, dip.to);
    let mut plain_dips = dips.candidates().iter().map(is_plain);
    edges::shorten_unusual(&mut gaps, |_| plain_dips.next().unwrap_or(false));
    gaps
}

/// `01 Title`, `1-03. Title`, `A2 Title`: one or two digits, not a year or a count.
fn begins_with_track_number(name: &str) -> bool {
    let name = name.trim_start_matches(|c: char| {
        c.is_ascii_alphabetic() && name.len() > 2 && name.as_bytes()[1].is_ascii_digit()
    });
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&digits) && name.len() > digits
}

/// The passages that the cuts leave.
fn spans(levels: &Levels, silences: &Silences, gaps: &[Gap], minimum: Ticks) -> Vec<Span> {
    let mut windows = Vec::new();
    let mut start = None;
    for gap in gaps.iter().filter(|gap| gap.cut) {
        windows.push((start.unwrap_or_else(|| silences.first_sound()), gap.from));
        start = Some(gap.to);
    }
    let Some(start) = start else {
        return vec![Span {
            start: 0,
            end: levels.frames(),
        }];
    };
    windows.push((start, silences.last_sound()));
    let minimum = minimum.to_frames(levels.sample_rate()).max(1);
    windows
        .into_iter()
        .map(|(from, to)| Span {
            start: levels.frame_of(from).min(levels.frames()),
            end: levels.frame_of(to).min(levels.frames()),
        })
        .filter(|span| span.end >= span.start + minimum)
        .collect()
}

fn likeliest(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    gaps.truncate(100);
    gaps.sort_by_key(|gap| gap.from);
    gaps
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn as_seconds<S: Serializer>(window: &usize, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(*window as f64 / f64::from(PER_SECOND))
}

#[cfg(test)]
mod tests;
