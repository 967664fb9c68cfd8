//! Weighs what speaks for a recording, and for how sure one may be.
//!
//! Sources that agree are fused, `1 - Π(1 - c)`. What contradicts a candidate (its length, another
//! version in the tags) makes it less likely, and so does every other candidate: confidence is the
//! fused value times the share of the odds that are not with somebody else.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::identify::catalogue::Recording;
use crate::identify::text::{
    Title, Versions, artist_similarity, title_similarity, versions_of_album,
};

/// Whoever says that a passage is a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A MusicBrainz id in the file's tags.
    TagId,
    /// `AcoustID`, by the fingerprint.
    AcoustId,
    /// `MusicBrainz`, by artist, title and length.
    Search,
    /// A release whose tracks fit the files of the folder, or the passages of the file.
    Album,
    /// Title and artist in the tags.
    Tags,
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Source {
    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TagId => "tag_id",
            Self::AcoustId => "acoustid",
            Self::Search => "musicbrainz",
            Self::Album => "album",
            Self::Tags => "tags",
        }
    }
}

/// How sure an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Below 0.60: no answer.
    None,
    /// From 0.60: a guess to be looked at.
    Low,
    /// From 0.70.
    Medium,
    /// From 0.85.
    High,
}

impl Level {
    /// The level of a confidence.
    pub fn of(confidence: f64) -> Self {
        match confidence {
            c if c >= 0.85 => Self::High,
            c if c >= 0.70 => Self::Medium,
            c if c >= 0.60 => Self::Low,
            _ => Self::None,
        }
    }

    /// As it is stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::None => "none",
        }
    }
}

/// One reason for a candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Who says so.
    pub source: Source,
    /// How much it is worth by itself, 0 to 1.
    pub confidence: f64,
    /// Why it is worth that.
    pub because: String,
}

/// What is known of a passage without asking anybody.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Heard {
    /// Its length in ms.
    pub length_ms: u64,
    /// Title in the tags.
    pub title: Option<String>,
    /// Artist in the tags.
    pub artist: Option<String>,
    /// Album in the tags.
    pub album: Option<String>,
    /// Track number in the tags.
    pub track: Option<u32>,
    /// Disc number in the tags.
    pub disc: Option<u32>,
    /// ISRC in the tags.
    pub isrc: Option<String>,
}

/// A recording that a passage may be, and what speaks for it.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// The recording.
    pub recording: Recording,
    /// The reasons.
    pub evidence: Vec<Evidence>,
}

/// A candidate as it was weighed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weighed {
    /// MusicBrainz recording id.
    pub recording_mbid: String,
    /// Its title.
    pub title: String,
    /// What tells it from others of that title.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// Who made it.
    pub artist: String,
    /// Its length in ms.
    pub length_ms: Option<u64>,
    /// What is left of the fused confidence after contradictions and other candidates.
    pub confidence: f64,
    /// The fused confidence.
    pub fused: f64,
    /// What it was multiplied by, and why.
    pub doubts: Vec<Doubt>,
    /// The reasons.
    pub evidence: Vec<Evidence>,
}

/// What makes a candidate less likely.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubt {
    /// What its confidence is multiplied by.
    pub factor: f64,
    /// Why.
    pub because: String,
}

/// The weighing of all candidates, the likeliest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// How sure the first candidate is.
    pub level: Level,
    /// The same as a number, 0 without a candidate.
    pub confidence: f64,
    /// All of them.
    pub candidates: Vec<Weighed>,
}

/// Confidences of sources that agree, together.
pub fn fuse(confidences: impl IntoIterator<Item = f64>) -> f64 {
    1.0 - confidences
        .into_iter()
        .fold(1.0, |doubt, c| doubt * (1.0 - c.clamp(0.0, 1.0)))
}

/// Weighs `candidates` against what was heard and against each other.
pub fn decide(heard: &Heard, candidates: Vec<Candidate>) -> Verdict {
    let mut weighed: Vec<_> = candidates
        .into_iter()
        .filter(|candidate| !candidate.evidence.is_empty())
        .map(|candidate| weigh(heard, candidate))
        .collect();
    weighed.sort_by(|a, b| {
        let order = b.confidence.total_cmp(&a.confidence);
        order.then_with(|| a.recording_mbid.cmp(&b.recording_mbid))
    });
    share(&mut weighed);
    let confidence = weighed.first().map_or(0.0, |best| best.confidence);
    Verdict {
        level: Level::of(confidence),
        confidence,
        candidates: weighed,
    }
}

/// What speaks for a candidate by itself.
fn weigh(heard: &Heard, mut candidate: Candidate) -> Weighed {
    let recording = &candidate.recording;
    let mut doubts = Vec::new();
    let by_length = length_doubt(heard.length_ms, recording.length_ms);
    doubts.extend(by_length);
    let has = |source| candidate.evidence.iter().any(|e| e.source == source);
    let has_id = has(Source::TagId) || has(Source::AcoustId);
    if let Some((support, doubt)) = tags_say(heard, recording, has_id) {
        doubts.extend(doubt);
        // A search has used the tags already, and whoever wrote the id wrote the title, too.
        let is_news = has(Source::AcoustId) || has(Source::Album);
        if let (Some(support), true) = (support, is_news && !has(Source::Search)) {
            candidate.evidence.push(support);
        }
    }
    candidate.evidence.sort_by_key(|e| e.source);
    let fused = fuse(candidate.evidence.iter().map(|e| e.confidence));
    let confidence = doubts.iter().fold(fused, |c, doubt| c * doubt.factor);
    let recording = candidate.recording;
    Weighed {
        recording_mbid: recording.mbid,
        title: recording.title,
        remark: recording.remark,
        artist: recording.artist,
        length_ms: recording.length_ms,
        confidence,
        fused,
        doubts,
        evidence: candidate.evidence,
    }
}

/// How lengths speak against a candidate. The service's lengths are those of some release.
fn length_doubt(heard: u64, recorded: Option<u64>) -> Option<Doubt> {
    let Some(recorded) = recorded else {
        return Some(Doubt {
            factor: 0.95,
            because: "its length is not known".to_owned(),
        });
    };
    let apart = heard.abs_diff(recorded) as f64 / 1000.0;
    let part = apart / (recorded as f64 / 1000.0).max(1.0);
    let factor = match apart {
        a if a <= 4.0 => return None,
        a if a <= 7.0 => 0.95,
        a if a <= 10.0 => 0.88,
        a if a <= 20.0 || part <= 0.05 => 0.65,
        _ => 0.35,
    };
    Some(Doubt {
        factor,
        because: format!("it is {apart:.0} s longer or shorter"),
    })
}

/// What title and artist in the tags say of a candidate: for it, against it.
///
/// `has_id`: an id or a fingerprint speaks for it. Then tags that are silent about a version are no
/// contradiction: many a live recording is not called so on its sleeve.
fn tags_say(
    heard: &Heard,
    recording: &Recording,
    has_id: bool,
) -> Option<(Option<Evidence>, Option<Doubt>)> {
    let written = heard.title.as_deref()?;
    let ours = Title::parse(written);
    let theirs = Title::parse(&recording.title).with_remark(&recording.remark);
    let context = heard
        .album
        .as_deref()
        .map(versions_of_album)
        .unwrap_or_default();
    let title = title_similarity(&ours, &theirs);
    let artist = heard
        .artist
        .as_deref()
        .map(|artist| artist_similarity(artist, &recording.artist));
    let doubt = |factor, because: &str| Doubt {
        factor,
        because: because.to_owned(),
    };
    if title < 0.75 || artist.is_some_and(|artist| artist < 0.65) {
        return Some((None, Some(doubt(0.88, "the tags name something else"))));
    }
    let only_remarked =
        ours.versions.is_empty() && Title::parse(&recording.title).versions.is_empty();
    match ours.compare_versions(&theirs, &context) {
        Versions::Different if has_id && only_remarked => {
            let because = format!("the tags do not say `{}`", recording.remark);
            return Some((None, Some(doubt(0.93, &because))));
        }
        Versions::Different => {
            let because = format!(
                "the tags mean another version ({} against {})",
                said(&ours.versions),
                said(&theirs.versions)
            );
            return Some((None, Some(doubt(0.5, &because))));
        }
        Versions::Unclear => {
            return Some((
                None,
                Some(doubt(0.93, "only one of them is called a remaster")),
            ));
        }
        Versions::Same => {}
    }
    if title >= 0.85 && artist.is_some_and(|artist| artist >= 0.80) {
        let support = Evidence {
            source: Source::Tags,
            confidence: 0.5 * title,
            because: format!(
                "title {title:.2} and artist {:.2} alike",
                artist.unwrap_or(0.0)
            ),
        };
        return Some((Some(support), None));
    }
    Some((None, None))
}

fn said(versions: &BTreeSet<&'static str>) -> String {
    if versions.is_empty() {
        return "plain".to_owned();
    }
    versions.iter().copied().collect::<Vec<_>>().join(", ")
}

/// Takes from each candidate what the others may claim.
fn share(weighed: &mut [Weighed]) {
    let odds: Vec<f64> = weighed
        .iter()
        .map(|one| one.confidence.clamp(0.0, 0.999) / (1.0 - one.confidence.clamp(0.0, 0.999)))
        .collect();
    let all: f64 = odds.iter().sum();
    for (one, own) in weighed.iter_mut().zip(odds) {
        let others = all - own;
        let factor = if all > 0.0 { own / all } else { 1.0 };
        if others > 0.02 * own {
            one.doubts.push(Doubt {
                factor,
                because: "others are likely, too".to_owned(),
            });
        }
        one.confidence *= factor;
    }
}

/// What an id in the tags is worth, once the recording is known.
pub fn by_tag_id(heard: &Heard, recording: &Recording) -> Evidence {
    let isrc = heard
        .isrc
        .as_ref()
        .is_some_and(|isrc| recording.isrcs.contains(isrc));
    let apart = recording
        .length_ms
        .map(|length| heard.length_ms.abs_diff(length));
    let (confidence, because) = match (isrc, apart) {
        (true, _) => (0.97, "an id in the tags, with its ISRC"),
        (false, Some(0..=2_500)) => (0.93, "an id in the tags, and the length fits"),
        (false, Some(0..=6_000)) => (0.84, "an id in the tags, and the length fits roughly"),
        (false, None) => (0.80, "an id in the tags"),
        (false, Some(_)) => (0.70, "an id in the tags, and the length does not fit"),
    };
    Evidence {
        source: Source::TagId,
        confidence,
        because: because.to_owned(),
    }
}

/// What a match of the fingerprint is worth: its score, how many sent it in, and what share of
/// those said this recording.
pub fn by_fingerprint(score: f64, sources: u64, sources_of_all: u64) -> Evidence {
    let score = score.clamp(0.0, 1.0);
    let by_score = match score {
        s if s >= 0.95 => 0.92,
        s if s >= 0.80 => 0.78 + (s - 0.80) / 0.15 * 0.14,
        s if s >= 0.50 => 0.40 + (s - 0.50) / 0.30 * 0.38,
        s => s * 0.5,
    };
    // Where people disagree the majority is right more often than its share says, unless they are few.
    let of_people = if sources_of_all > sources.max(1) {
        let share = (sources as f64 + 1.0) / (sources_of_all as f64 + 3.0);
        share.powi(2) / (share.powi(2) + (1.0 - share).powi(2))
    } else {
        1.0
    };
    // A single person may have sent in the wrong thing.
    let trust = match sources {
        0 | 1 => 0.90,
        2 => 0.95,
        _ => 1.0,
    };
    Evidence {
        source: Source::AcoustId,
        confidence: by_score * trust * of_people,
        because: format!("score {score:.3}, {sources} of {sources_of_all} who sent it in"),
    }
}

/// What a recording found by searching is worth; `None` if it is not what was searched for.
pub fn by_search(heard: &Heard, recording: &Recording) -> Option<Evidence> {
    let ours = Title::parse(heard.title.as_deref()?);
    let theirs = Title::parse(&recording.title).with_remark(&recording.remark);
    let title = title_similarity(&ours, &theirs);
    let artist = artist_similarity(heard.artist.as_deref()?, &recording.artist);
    if title < 0.85 || artist < 0.80 {
        return None;
    }
    let album = heard.album.as_deref().and_then(|album| {
        let ours = Title::parse(album);
        let best = recording
            .releases
            .iter()
            .map(|release| title_similarity(&ours, &Title::parse(&release.title)))
            .max_by(f64::total_cmp)?;
        Some(best >= 0.9)
    });
    let apart = recording
        .length_ms
        .map_or(10_000, |length| heard.length_ms.abs_diff(length));
    let base = match (album, apart) {
        (Some(true), 0..=3_000) => 0.84,
        (Some(true), _) => 0.78,
        (_, 0..=3_000) => 0.76,
        _ => 0.66,
    };
    let alike = (title * artist).sqrt();
    Some(Evidence {
        source: Source::Search,
        confidence: base * alike,
        because: format!(
            "title {title:.2} and artist {artist:.2} alike{}",
            if album == Some(true) {
                ", album too"
            } else {
                ""
            }
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(mbid: &str, title: &str, length_ms: u64) -> Recording {
        Recording {
            mbid: mbid.to_owned(),
            title: title.to_owned(),
            artist: "The Tides".to_owned(),
            length_ms: Some(length_ms),
            ..Recording::default()
        }
    }

    fn heard(title: &str, length_ms: u64) -> Heard {
        Heard {
            length_ms,
            title: (!title.is_empty()).then(|| title.to_owned()),
            artist: (!title.is_empty()).then(|| "Tides".to_owned()),
            ..Heard::default()
        }
    }

    fn candidate(recording: Recording, evidence: Evidence) -> Candidate {
        Candidate {
            recording,
            evidence: vec![evidence],
        }
    }

    #[test]
    fn agreeing_sources_are_surer_than_each() {
        assert!((fuse([0.5, 0.5]) - 0.75).abs() < 1e-9);
        assert!(fuse([]).abs() < 1e-9);
        assert_eq!(Level::of(0.85), Level::High);
        assert_eq!(Level::of(0.8499), Level::Medium);
        assert_eq!(Level::of(0.60), Level::Low);
        assert_eq!(Level::of(0.59), Level::None);
    }

    #[test]
    fn a_good_fingerprint_alone_is_high_and_a_divided_one_is_not() {
        let one = recording("a", "Slow Water", 240_000);
        let verdict = decide(
            &heard("", 241_000),
            vec![candidate(one.clone(), by_fingerprint(0.99, 40, 40))],
        );
        assert_eq!(verdict.level, Level::High);
        let two = recording("b", "Slow Water", 240_500);
        let verdict = decide(
            &heard("", 241_000),
            vec![
                candidate(one, by_fingerprint(0.99, 20, 40)),
                candidate(two, by_fingerprint(0.99, 20, 40)),
            ],
        );
        assert!(verdict.level < Level::Medium, "{verdict:?}");
    }

    #[test]
    fn another_version_is_not_equated() {
        let live = recording("l", "Slow Water (live)", 240_000);
        let found = by_search(&heard("Slow Water", 240_000), &live).unwrap();
        let verdict = decide(&heard("Slow Water", 240_000), vec![candidate(live, found)]);
        assert_eq!(verdict.level, Level::None);
    }

    #[test]
    fn wrong_tags_leave_a_good_fingerprint_at_medium() {
        let one = recording("a", "Slow Water", 240_000);
        let verdict = decide(
            &heard("Something Else Entirely", 240_000),
            vec![candidate(one, by_fingerprint(0.99, 40, 40))],
        );
        assert_eq!(verdict.level, Level::Medium);
    }

    #[test]
    fn an_id_that_the_fingerprint_contradicts_is_doubtful() {
        let tagged = recording("t", "Slow Water", 240_000);
        let other = recording("o", "Fast Fire", 240_000);
        let heard = heard("Slow Water", 240_000);
        let by_id = by_tag_id(&heard, &tagged);
        let verdict = decide(
            &heard,
            vec![
                candidate(tagged.clone(), by_id.clone()),
                candidate(other, by_fingerprint(0.99, 40, 40)),
            ],
        );
        assert!(verdict.level < Level::High, "{verdict:?}");
        let verdict = decide(&heard, vec![candidate(tagged, by_id)]);
        assert_eq!(verdict.level, Level::High);
    }
}
