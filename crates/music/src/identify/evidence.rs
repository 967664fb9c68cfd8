//! What is known of a passage and of the recordings that it may be, and how sure one may be of each.
//!
//! What is noticed about a candidate has weights (`model`), fitted on made worlds; their
//! sum says how likely it is against the other candidates, against another version of them that no
//! service has named, and against none of them at all.

use serde::Serialize;

use crate::catalogue::{Recording, ReleaseName};
use crate::identify::features::{self, Passage};
use crate::identify::model::Model;
use crate::library::values::{Evidence, Heard, Level, Print, Source};

/// A release that a candidate is on, and what else speaks for that release.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is asked about by itself"
)]
pub struct Context {
    /// The release.
    pub release: ReleaseName,
    /// Whose release it is, in words.
    pub artist: String,
    /// The track's title there.
    pub title: String,
    /// The track's length there, in ms.
    pub length_ms: Option<u64>,
    /// Other files of the folder that are on it by what is known of themselves.
    pub others: usize,
    /// Of those, files that sound like tracks which they are not called.
    pub misnamed: usize,
    /// Of the others, files that are not quite as long as their tracks.
    pub loose: usize,
    /// The titles of most files are those of tracks beside their own, and this is the track that the file is as long as.
    pub has_slipped: bool,
    /// Other files of the folder.
    pub siblings: usize,
    /// Whether a person put another file of the folder on it.
    pub is_others_chosen: bool,
    /// Whether the track has the number that the tags name, if they do.
    pub in_place: Option<bool>,
    /// The file is of a disc that the release does not have.
    pub lacks_disc: bool,
    /// The release has another track of that name, and so the place tells which of them it is.
    pub has_twin: bool,
}

/// A recording that a passage may be, and what is known of it.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// The recording.
    pub recording: Recording,
    /// Releases that it is on and that were looked at.
    pub contexts: Vec<Context>,
    /// What `AcoustID` says of it.
    pub print: Option<Print>,
    /// People who say that the sound is this or another recording of the same names and length: one
    /// performance is in the catalogue more than once, more often than not.
    pub people_of_performance: u64,
    /// Ids that the tags or other programs name, and that mean it: its own, or one that was merged into it.
    pub ids: Vec<String>,
    /// How many recordings are known to have the ISRC of the tags.
    pub of_code: usize,
}

/// What was noticed, and its weight.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// What was noticed.
    pub noticed: &'static str,
    /// What it adds to the logarithm of the odds.
    pub weight: f64,
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
    /// How likely it is, 0 to 1.
    pub confidence: f64,
    /// Its share of the odds, which the confidence is read from, 0 to 1.
    pub share: f64,
    /// What was noticed, with weights.
    pub reasons: Vec<Reason>,
    /// The same by whoever said it.
    pub evidence: Vec<Evidence>,
}

/// The file's words say another version than the candidate's.
const OTHER_VERSION: [&str; 2] = [
    "version: the file names one that this is not",
    "version: the file has a qualifier that this has not",
];

impl Weighed {
    /// Whether any of this was noticed.
    pub(crate) fn has(&self, noticed: &[&str]) -> bool {
        self.reasons
            .iter()
            .any(|one| noticed.contains(&one.noticed))
    }
}

/// The weighing of all candidates, the likeliest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// How sure the first candidate is.
    pub level: Level,
    /// The same as a number, 0 without a candidate.
    pub confidence: f64,
    /// How likely it is another version of one of them, 0 to 1.
    pub other_version: f64,
    /// What was noticed about the passage that speaks for another version.
    pub for_other_version: Vec<Reason>,
    /// How likely it is none of them, 0 to 1.
    pub none_of_these: f64,
    /// What was noticed about the passage that speaks for none of them.
    pub for_none: Vec<Reason>,
    /// All of them.
    pub candidates: Vec<Weighed>,
}

impl Verdict {
    /// Whether more answers could change nothing that matters.
    pub fn is_settled(&self) -> bool {
        self.level == Level::High
    }

    /// Whether the tags name another artist than the likeliest has, or another album and another title or an id of their own:
    /// what they claim is to be asked about, too.
    pub(crate) fn is_claim_open(&self) -> bool {
        let best = self.candidates.first();
        best.is_some_and(|best| {
            let is_elsewhere = best.has(&["album: another", "album: another version of it"]);
            best.has(&["names: title and artist are others", "artist: another"])
                || is_elsewhere && (best.is_told_by_id() || best.has(&["title: another"]))
        })
    }

    /// Whether a person may find the first candidate right all the same: it is as long as the passage, and called so and by the
    /// same people or of an album of that name, or of an album that other files are of.
    pub fn is_worth_a_look(&self) -> bool {
        let Some(best) = self.candidates.first() else {
            return false;
        };
        let any = |noticed: &[&str]| best.has(noticed);
        let is_as_long = any(&["length: within 1.5 s", "length: within 3 s"]);
        let is_on_album = any(&[
            "album: fits 4 to 6 other files",
            "album: fits 7 or more other files",
        ]);
        let is_of_album = is_on_album
            || any(&[
                "album: fits 2 or 3 other files",
                "album: the same",
                "album: a slip of spelling",
            ]);
        let is_by_them = any(&[
            "artist: the same",
            "artist: one of several",
            "artist: that of the release",
            "artist: another, whom the album names",
        ]);
        let is_called_so = any(&[
            "title: the same",
            "title: a slip of spelling",
            "title: words more or fewer",
            "title: in other letters",
        ]);
        // A track of an album that is as long as this file and its neighbours are, however it is called.
        let is_it = is_called_so && (is_by_them || is_of_album) || is_on_album;
        is_as_long && is_it && !any(&OTHER_VERSION)
    }

    /// Takes the answer back to a guess, whatever it was.
    pub(crate) fn doubt(&mut self) {
        self.level = self.level.min(Level::Low);
    }
}

/// Weighs `candidates` against what was heard and against each other.
pub fn decide(heard: &Heard, candidates: &[Candidate]) -> Verdict {
    let model = Model::fitted();
    let passage = Passage::new(heard);
    let mut noticed: Vec<_> = candidates
        .iter()
        .map(|candidate| features::notice(&passage, candidate))
        .collect();
    features::notice_rivals(&mut noticed);
    let (for_other, for_none) = features::notice_passage(&passage, &noticed);
    let odds = model.odds(&noticed, &for_other, &for_none);
    let reasons = |noticed: &[&'static str]| -> Vec<Reason> {
        let reason = |noticed: &&'static str| Reason {
            noticed,
            weight: model.weight(noticed),
        };
        noticed.iter().map(reason).collect()
    };
    let mut weighed: Vec<_> = candidates
        .iter()
        .zip(&noticed)
        .zip(&odds.candidates)
        .map(|((candidate, noticed), confidence)| {
            let reasons = reasons(noticed);
            let recording = &candidate.recording;
            Weighed {
                recording_mbid: recording.mbid.clone(),
                title: recording.title.clone(),
                remark: recording.remark.clone(),
                artist: recording.artist.clone(),
                length_ms: recording.length_ms,
                confidence: *confidence,
                share: *confidence,
                evidence: evidence(&reasons),
                reasons,
            }
        })
        .collect();
    weighed.sort_by(|a, b| {
        let order = b.confidence.total_cmp(&a.confidence);
        order.then_with(|| a.recording_mbid.cmp(&b.recording_mbid))
    });
    let confidence = state_as_observed(&mut weighed, model);
    let most = weighed.first().map_or(Level::High, most);
    Verdict {
        level: Level::of(confidence).min(most),
        confidence,
        other_version: odds.other_version,
        for_other_version: reasons(&for_other),
        none_of_these: odds.none,
        for_none: reasons(&for_none),
        candidates: weighed,
    }
}

/// Takes the likeliest candidate's share for how often such a one is right, the others' along; its confidence, 0 without any.
fn state_as_observed(weighed: &mut [Weighed], model: &Model) -> f64 {
    let Some((best, others)) = weighed.split_first_mut() else {
        return 0.0;
    };
    best.confidence = model.calibrated(best.share);
    let left = (1.0 - best.share).max(f64::MIN_POSITIVE);
    for other in others {
        let along = other.share * (1.0 - best.confidence) / left;
        other.confidence = along.min(best.confidence);
    }
    best.confidence
}

/// The surest that an answer may be called that something contradicts, or that little speaks for, whatever its odds are.
fn most(best: &Weighed) -> Level {
    by_names(best)
        .min(by_sound_alone(best))
        .min(by_little(best))
}

impl Weighed {
    /// Whether anything was noticed that begins so.
    fn begins(&self, with: &str) -> bool {
        self.reasons.iter().any(|one| one.noticed.starts_with(with))
    }

    /// Whether a fingerprint that is alike speaks for it.
    fn is_by_sound(&self) -> bool {
        self.has(&["sound: roughly alike"]) || self.begins("sound: alike")
    }

    /// Whether an id of the tags or of another program means it.
    fn is_told_by_id(&self) -> bool {
        self.has(&["id: in the tags", "found id: this one"])
    }

    /// Whether an id or a code speaks for it, or other files that its album fits.
    fn is_told_or_on_album(&self) -> bool {
        let is_on_album = self.begins("album: fits ") && !self.has(&["album: fits no other file"]);
        self.is_told_by_id() || self.begins("isrc: the same") || is_on_album
    }
}

/// Where a title and a length are all there is, or a length among other tracks: many songs are called `Home`.
fn by_little(best: &Weighed) -> Level {
    let has = |noticed: &str| best.has(&[noticed]);
    let is_nobodys = has("artist: none in the tags") && has("album: none in the tags");
    let is_untitled = is_nobodys && has("title: none in the tags");
    let is_far = has("length: more than 12 s apart");
    let is_anybodys =
        has("artist: none in the tags") && best.has(&["album: none in the tags", "album: another"]);
    let is_unsupported = is_anybodys && !best.is_told_or_on_album() && !best.is_by_sound();
    let is_cut_otherwise = has("length: more than 30 s apart") && !best.is_told_by_id();
    // A length that is off says little of which track it is, unless all others are where they should be.
    let is_by_length = has("length: the only sign, and more than 3 s apart")
        && !has("album: fits 7 or more other files");
    if is_far && is_untitled || is_unsupported || is_cut_otherwise || is_by_length {
        Level::Low
    } else if has("length: the only sign, and more than 3 s apart")
        || is_far
        || has("length: within 12 s")
            && (is_untitled || !best.is_by_sound() && !best.is_told_by_id())
    {
        Level::Medium
    } else {
        Level::High
    }
}

/// Where nothing but a fingerprint speaks for it: one person's word and a likeness that may be chance need a look.
fn by_sound_alone(best: &Weighed) -> Level {
    let has = |noticed: &str| best.has(&[noticed]);
    let is_named = best.has(&[
        "title: the same",
        "title: a slip of spelling",
        "title: in other letters",
    ]);
    let is_contradicted = has("names: title and artist are others");
    // Files that are called otherwise are no album because their sounds are.
    // Two files of whom one person each says so need not be an album.
    let is_of_few = has("sound: alike, says one person") && has("album: fits 1 other file");
    let is_on_album = best.is_told_or_on_album() && !is_contradicted && !is_of_few;
    if is_named || best.is_told_by_id() || is_on_album {
        return Level::High;
    }
    let is_weak = best.has(&[
        "sound: alike, says one person",
        "sound: alike, says a majority",
        "sound: alike, says a minority",
        "sound: roughly alike",
    ]) || is_contradicted && !has("sound: alike, say many");
    // Who linked one sound with another song did so at home as well; an own recording is as long by chance only.
    let is_against =
        is_contradicted || has("names: the path says others") || has("sound: against the title");
    let is_doubtful = is_against && !has("length: within 1.5 s") && !has("sound: alike, say many");
    match (has("sound: hardly alike") || is_doubtful, is_weak) {
        (true, _) => Level::Low,
        (false, true) => Level::Medium,
        (false, false) => Level::High,
    }
}

/// Where the file's own names, versions or people contradict: whatever its neighbours say, a cover has the titles, the
/// numbers and the lengths of what it covers, and an instrumental sounds as the song.
fn by_names(best: &Weighed) -> Level {
    let has = |noticed: &str| best.has(&[noticed]);
    let by_sound = best.is_by_sound();
    let is_other_version = best.has(&OTHER_VERSION);
    let is_other_title = has("title: another") && !has("title: a damaged spelling");
    let is_other = has("artist: another") || is_other_title;
    let is_by_others = has("artist: each names others, too");
    let is_outdone = best.has(&features::OUTDONE) || has("album: it has no such disc");
    let is_other_beside = best.has(&[
        "artist: another, by the path",
        "version: one is named beside the title that this is not",
    ]);
    let is_elsewhere = has("album: another of its kind")
        || has(features::NOT_THERE)
        || has("album: another of its series") && !has("album: fits no other file");
    // `take 3` and `take 5`, one's remix and another's.
    let is_told_apart = has("version: named with other words");
    let is_of_others = has("artist: another") && !is_other_title
        || has("artist: the file names more") && !best.is_told_by_id()
        || best.has(&[features::SOUNDS_CLOSER, features::ONE_IS_CLEAN]);
    let is_doubted = has(features::BY_FOLDER)
        || is_by_others
        || is_elsewhere
        || is_other_beside
        || is_told_apart;
    let is_off = best.has(&["length: within 6 s", "length: within 12 s"]);
    // Another song of theirs over the same backing, as the album says: some are sung anew for every club.
    let is_sung_anew = has("title: another")
        && has(features::ALSO_OTHERS)
        && has("album: another")
        && has("artist: the same")
        && !best.is_told_by_id();
    let is_elsewhere_and_off = is_off && has(features::COLLECTED) && !by_sound;
    if is_other_version
        || is_outdone
        || is_sung_anew
        || is_elsewhere_and_off
        || is_doubted && !by_sound
    {
        Level::Low
    } else if is_doubted
        || is_of_others && (by_sound || !has("artist: another"))
        || has(features::OF_ANOTHER)
        || has("album: another") && !by_sound && !best.is_told_by_id()
        || has("artist: the tags name another than the title")
        || (has("title: a slip of spelling") || has("title: a damaged spelling"))
            && !by_sound
            && !best.is_told_by_id()
        || best.has(&["album: another version of it", features::ONLY_MONO]) && !best.is_told_by_id()
        || has(features::BESIDE) && !by_sound
        || has(features::COLLECTED) && !by_sound && !best.is_told_by_id()
        || is_off && (has("album: another") || has(features::COLLECTED))
        || has("names: the path says others")
    {
        Level::Medium
    } else if is_other && !by_sound && !best.is_told_by_id() {
        Level::Low
    } else {
        Level::High
    }
}

/// Reasons, put together by whose word they are; who says nothing for it is left out.
fn evidence(reasons: &[Reason]) -> Vec<Evidence> {
    let sources = [
        Source::TagId,
        Source::FoundId,
        Source::AcoustId,
        Source::Search,
        Source::Album,
        Source::Tags,
    ];
    let of_source = |source: Source| {
        let own: Vec<_> = reasons
            .iter()
            .filter(|one| Source::of(one.noticed) == source)
            .collect();
        let sum: f64 = own.iter().map(|one| one.weight).sum();
        let because: Vec<_> = own.iter().map(|one| one.noticed).collect();
        (sum > 0.0).then(|| Evidence {
            source,
            confidence: 1.0 / (1.0 + (-sum).exp()),
            because: because.join("; "),
        })
    };
    sources.into_iter().filter_map(of_source).collect()
}

#[cfg(test)]
mod kinds;
#[cfg(test)]
mod tests {
    use super::*;

    fn recording(title: &str, artist: &str, length_ms: u64) -> Recording {
        Recording {
            mbid: "a".to_owned(),
            title: title.to_owned(),
            artist: artist.to_owned(),
            length_ms: Some(length_ms),
            ..Recording::default()
        }
    }

    /// Another artist's album with the titles, numbers and lengths of the one that it covers.
    #[test]
    fn an_album_does_not_outvote_the_artist_of_its_files() {
        let level = |artist: &str, title: &str| {
            let heard = Heard {
                title: Some(title.to_owned()),
                artist: Some(artist.to_owned()),
                album: Some("Kiln".to_owned()),
                track: Some(3),
                length_ms: 264_200,
                ..Heard::default()
            };
            let candidate = Candidate {
                recording: recording("Gravel", "Stone Mill", 264_000),
                contexts: vec![Context {
                    release: ReleaseName {
                        title: "Kiln".to_owned(),
                        ..ReleaseName::default()
                    },
                    artist: "Stone Mill".to_owned(),
                    title: "Gravel".to_owned(),
                    length_ms: Some(264_000),
                    others: 9,
                    siblings: 9,
                    in_place: Some(true),
                    ..Context::default()
                }],
                ..Candidate::default()
            };
            decide(&heard, &[candidate]).level
        };
        assert_eq!(level("Stone Mill", "Gravel"), Level::High);
        assert!(level("The Kiln Boys", "Gravel") < Level::Medium);
        assert!(level("Stone Mill", "Zephyr") < Level::Medium);
        assert!(level("Stone Mill", "Gravel (Live at Wembley)") < Level::Medium);
    }

    #[test]
    fn what_one_person_says_against_title_and_artist_is_not_believed() {
        let of = |people: u64| {
            let print = Print {
                score: 0.9,
                sources: people,
                sources_of_all: people,
            };
            let heard = Heard {
                title: Some("New Recording 7".to_owned()),
                artist: Some("My Phone".to_owned()),
                length_ms: 264_000,
                best_print: Some(print),
                ..Heard::default()
            };
            let candidate = Candidate {
                recording: recording("Naked Saffron Blues", "Ray and the Whispers", 264_500),
                print: Some(print),
                ..Candidate::default()
            };
            decide(&heard, &[candidate]).level
        };
        assert!(of(1) < Level::Medium);
        assert_eq!(of(40), Level::High);
    }
}
