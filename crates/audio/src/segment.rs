//! Decides which stretches of a file are passages.
//!
//! A file is one track or several. Silence alone does not tell: classical music
//! pauses, and live albums do not. So the clues are weighed first (a track
//! number in the name or the tags, neighbours in the folder, the length, the
//! gaps themselves), and how much they say "one track" decides how good a gap
//! must be to cut there. The weights are those of `weigh`; the sum is
//! compared with [`SINGLE_TRACK`].
//!
//! A *silence* is a stretch of windows quieter than the settings' threshold for
//! at least the settings' duration. In a file that is quiet as a whole the
//! threshold comes down with it, or a pianissimo would be all silence. A *gap*
//! is a silence between two sounds. What tells the gap between two tracks from a
//! quiet stretch of music is the *noise floor*: between tracks there is nothing
//! but what the medium itself sounds like, and that is the same in every gap.
//! The floor is digital silence where any silence of the file reaches it, else
//! the lowest steady level in them (vinyl, tape). A gap's confidence, 0 to 1, is
//! its time at the floor (1.5 s count full, two thirds of the weight) and how far
//! the floor lies below the usual level of the music (20 dB count full).
//!
//! At a cut the earlier passage keeps its decay and the later one its attack:
//! both reach into the gap until nothing stands out of its floor any more. Noise
//! hides how a fade begins and ends: over noise they reach a quarter of a second
//! further, and more the slower the sound comes out of it.
//!
//! What this cannot do: a medley or a concert without gaps stays one passage,
//! and is listed for review; a piece that rests for a second at the floor of a
//! file of several tracks is cut there.

mod boundary;
mod gaps;
mod marked;

use serde::Serialize;

use crate::levels::{Levels, PER_SECOND};
use crate::marks::{Mark, Marks, Origin};
use crate::ticks::Ticks;
use gaps::Silences;

pub use boundary::{Boundary, BoundaryKind};
pub use gaps::Gap;

/// Clues that sum up to this mean one track.
pub const SINGLE_TRACK: f64 = 1.5;

/// In a file of several tracks, a gap this good is a boundary.
const CUT: f64 = 0.7;

/// Between tracks a file is silent for about as long each time: what is shorter than this share is a rest.
const RESTS: f64 = 0.3;

/// The same where all silence is noise, which music that rests for a moment falls into, too.
const RESTS_IN_NOISE: f64 = 0.6;

/// A gap this long is no rest because others are longer, in seconds.
const LONG_REST_SECONDS: f64 = 1.5;

/// What sounds for less than this between two gaps is no track, but the end or the beginning of one.
const BLIP_SECONDS: f64 = 2.0;

/// In a single track, only a silence this long is one: what follows is a hidden track.
const HIDDEN_TRACK_SECONDS: f64 = 10.0;

/// A gap this good, with this much sound on both sides, speaks against a single track.
const TELLING: f64 = 0.8;
const TELLING_SOUND_SECONDS: f64 = 5.0;
const SONG_SECONDS: f64 = 20.0;

/// A file shorter than this is likely one song.
const SHORT_MINUTES: f64 = 8.0;

/// So many passages, of which half are shorter than so many seconds, are sentences or sound effects: no
/// album has a dozen tracks of a quarter of a minute. A guess on the safe side, not fitted to any data.
const CRUMBS: usize = 12;
const CRUMB_SECONDS: f64 = 15.0;

/// A gap this good is hardly ever a pause.
const EVIDENT: f64 = 0.95;

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
    /// The sum of the clues.
    pub score: f64,
    /// What each clue weighed.
    pub clues: Vec<(&'static str, f64)>,
    /// Quieter than this was silence, in dBFS.
    pub silence_dbfs: f64,
    /// The gaps that were weighed, the best hundred in order of time.
    pub gaps: Vec<Gap>,
}

/// What counts as silence, and as a passage; see the library's settings of the same meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SilenceSettings {
    /// Quieter than this is silence, in dBFS of the RMS; 0 or negative.
    pub silence_dbfs: f64,
    /// A shorter silence is part of the music.
    pub silence_min: Ticks,
    /// Less sound than this is no passage.
    pub minimum_audio: Ticks,
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

/// Cuts a file into passages: where its marks say so, else by its silences.
///
/// A single track is one passage from its first to its last frame, silence
/// included (it belongs to the track's timing). In a file of several tracks
/// passages begin and end with their sound. No passage at all means that the
/// file holds less sound than `settings.minimum_audio`.
pub fn segment(
    levels: &Levels,
    clues: &Clues<'_>,
    marks: Option<&Marks>,
    settings: &SilenceSettings,
) -> Segmentation {
    let silences = Silences::find(levels, settings);
    if let Some(found) = marks.and_then(|marks| marked::segment(levels, &silences, marks, settings))
    {
        return found;
    }
    let mut gaps = silences.gaps();
    let clues = weigh(levels, clues, &gaps);
    let score = clues.iter().map(|(_, weight)| weight).sum();
    let single_track = score >= SINGLE_TRACK;
    let least = if silences.is_noisy() {
        (RESTS_IN_NOISE * usual_gap(&gaps)).min(LONG_REST_SECONDS)
    } else {
        RESTS * usual_gap(&gaps)
    };
    for gap in &mut gaps {
        gap.cut = if single_track {
            gap.confidence >= EVIDENT && gap.seconds() >= HIDDEN_TRACK_SECONDS
        } else {
            gap.confidence >= CUT && gap.floor_seconds >= least
        };
    }
    join_blips(&mut gaps);
    if are_crumbs(&gaps, &silences) {
        for gap in &mut gaps {
            gap.cut = false;
        }
    }
    let spans = if silences.sound_seconds() < settings.minimum_audio.seconds() {
        Vec::new()
    } else {
        spans(levels, &silences, &gaps, settings.minimum_audio)
    };
    Segmentation {
        labels: vec![None; spans.len()],
        album: None,
        boundaries: boundary::of_gaps(levels, &gaps, &spans, single_track),
        marked: None,
        spans,
        single_track,
        score,
        clues,
        silence_dbfs: f64::from(silences.threshold_dbfs),
        gaps: best(gaps),
    }
}

/// Of two cuts with hardly any sound between them, only the better one stays.
fn join_blips(gaps: &mut [Gap]) {
    let mut last: Option<usize> = None;
    for at in 0..gaps.len() {
        if !gaps[at].cut {
            continue;
        }
        if let Some(before) = last
            && Gap::seconds_between(&gaps[before], &gaps[at]) < BLIP_SECONDS
        {
            let is_better = gaps[at].floor_seconds > gaps[before].floor_seconds;
            gaps[if is_better { before } else { at }].cut = false;
            if !is_better {
                continue;
            }
        }
        last = Some(at);
    }
}

/// Whether the cuts would make crumbs of speech or of sound effects.
fn are_crumbs(gaps: &[Gap], silences: &Silences) -> bool {
    let cuts: Vec<&Gap> = gaps.iter().filter(|gap| gap.cut).collect();
    if cuts.len() + 1 < CRUMBS {
        return false;
    }
    let windows = |count: usize| count as f64 / f64::from(PER_SECOND);
    let starts = std::iter::once(silences.first_sound()).chain(cuts.iter().map(|gap| gap.to));
    let ends = cuts
        .iter()
        .map(|gap| gap.from)
        .chain([silences.last_sound()]);
    let mut lengths: Vec<f64> = starts
        .zip(ends)
        .map(|(from, to)| windows(to.saturating_sub(from)))
        .collect();
    lengths.sort_by(f64::total_cmp);
    lengths[lengths.len() / 2] < CRUMB_SECONDS
}

/// The usual length of a file's good gaps at its floor, in seconds; 0 with fewer than three.
fn usual_gap(gaps: &[Gap]) -> f64 {
    let good = gaps.iter().filter(|gap| gap.confidence >= EVIDENT);
    let mut seconds: Vec<f64> = good.map(|gap| gap.floor_seconds).collect();
    seconds.sort_by(f64::total_cmp);
    if seconds.len() < 3 {
        0.0
    } else {
        seconds[seconds.len() / 2]
    }
}

/// What each clue weighs; positive speaks for a single track.
fn weigh(levels: &Levels, clues: &Clues<'_>, gaps: &[Gap]) -> Vec<(&'static str, f64)> {
    let minutes = levels.len() as f64 / f64::from(PER_SECOND) / 60.0;
    let name = if begins_with_track_number(clues.name) {
        1.0
    } else {
        0.0
    };
    let tags = match (clues.track, clues.track_total) {
        (Some(_), Some(total)) if total > 1 => 1.0,
        (Some(_), _) => 0.4,
        _ => 0.0,
    };
    let folder = match clues.neighbours {
        4.. => 0.8,
        2..=3 => 0.3,
        _ => -0.5,
    };
    let length = match minutes {
        m if m < SHORT_MINUTES => 0.7,
        m if m < 20.0 => 0.4,
        m if m < 25.0 => 0.0,
        _ => -0.3,
    };
    // Noise alone is also heard where a song rests; digital silence hardly ever is.
    let least_sound = |gap: &Gap| {
        let may_rest =
            minutes < SHORT_MINUTES && clues.neighbours > 1 && gap.dbfs > gaps::DIGITAL_DBFS;
        if may_rest {
            SONG_SECONDS
        } else {
            TELLING_SOUND_SECONDS
        }
    };
    let telling: Vec<_> = gaps
        .iter()
        .filter(|gap| gap.confidence >= TELLING)
        .filter(|gap| gap.sound_seconds >= least_sound(gap))
        .collect();
    let evident = telling
        .iter()
        .filter(|gap| gap.confidence >= EVIDENT)
        .count();
    let gaps = match telling.len() {
        0 => 1.0,
        // One rest in a song among others is more usual than two songs in a short file.
        1 if minutes < SHORT_MINUTES && clues.neighbours > 1 => 0.5,
        n => -(0.7 * n as f64 + 0.4 * evident as f64).min(3.3),
    };
    vec![
        ("name", name),
        ("tags", tags),
        ("folder", folder),
        ("length", length),
        ("gaps", gaps),
    ]
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
        let (end, next) = silences.edges(gap);
        windows.push((start.unwrap_or_else(|| silences.first_sound()), end));
        start = Some(next);
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

fn best(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    gaps.truncate(100);
    gaps.sort_by_key(|gap| gap.from);
    gaps
}

#[cfg(test)]
mod tests;
