//! What is noticed about a candidate, in words that have weights.
//!
//! Everything is either noticed or not; what is unknown is a thing noticed by itself and no
//! disagreement. The weights are in [`model`](crate::identify::model).

mod albums;
mod people;
mod readings;
mod rivals;
mod versions;

use std::collections::BTreeSet;

use crate::identify::evidence::{Candidate, Context};
use crate::identify::paths::{is_collection, is_generic};
use crate::identify::text::{
    AlbumName, Albums, Artists, Likeness, Relation, Title, are_other_scripts, artists,
    both_scripts, is_cut, is_nobody, normalise,
};
use crate::library::values::Heard;

pub(crate) use albums::{BY_FOLDER, COLLECTED, OF_ANOTHER};
use albums::{album, context, core_of, is_album};
use people::{
    artist_alone, fellowship, is_artist_in_title, is_beside_another, is_of_cast,
    is_played_by_folder, names_of,
};
pub use readings::{Reading, readings, ways};
pub use rivals::notice_rivals;
pub(crate) use rivals::{ONLY_MONO, OUTDONE, SOUNDS_CLOSER};
pub(crate) use versions::{NOT_THERE, ONE_IS_CLEAN};
use versions::{beside, versions, versions_of_releases};

/// What is known of a passage, taken apart once for all candidates.
#[derive(Debug, Clone)]
pub struct Passage<'a> {
    /// What was heard.
    pub heard: &'a Heard,
    /// Ways to read title and artist; none without a title.
    pub readings: Vec<Reading>,
    /// Its album's name.
    pub album: Option<AlbumName>,
    /// It is called as people call what is of no album: `Singles`, `Misc`.
    is_album_generic: bool,
    /// It is called as collections are, of which there are more than any catalogue has: `The Very Best of X`, `My Mix`.
    is_album_collected: bool,
    /// The album's name with what the title says of the version, as catalogues name albums of such: `Kiln (Live)`.
    albums_of_version: Vec<AlbumName>,
    /// Whom the tags name, normalised.
    makers: Vec<String>,
    /// The words of the album's name that stay without these.
    core_of_album: Vec<String>,
}

impl<'a> Passage<'a> {
    /// Takes what was heard apart.
    pub fn new(heard: &'a Heard) -> Self {
        let readings = readings(heard);
        let album = heard.album.as_deref();
        let of_version = readings.iter().filter(|one| one.is_plain).flat_map(|one| {
            let words: Vec<_> = one.title.details.iter().map(String::as_str).collect();
            let versions = Some(words.join(" ")).filter(|words| !words.is_empty());
            one.title.qualifiers.iter().cloned().chain(versions)
        });
        let albums_of_version = album.into_iter().flat_map(|album| {
            of_version
                .clone()
                .map(move |version| AlbumName::parse(&format!("{album} ({version})"), ""))
        });
        let makers = [&heard.artist, &heard.album_artist].into_iter().flatten();
        let makers: Vec<_> = makers
            .chain(&heard.composers)
            .map(|name| normalise(name))
            .collect();
        Self {
            heard,
            core_of_album: core_of(album.unwrap_or_default(), &makers),
            makers,
            album: album.map(|album| AlbumName::parse(album, "")),
            is_album_generic: album.is_some_and(is_generic),
            is_album_collected: album.is_some_and(is_collection),
            albums_of_version: albums_of_version.collect(),
            readings,
        }
    }

    /// Versions that the album's name says the passage is.
    fn versions_of_album(&self) -> BTreeSet<String> {
        let versions = self.album.as_ref().map(AlbumName::versions);
        versions.into_iter().flatten().map(str::to_owned).collect()
    }
}

/// What is noticed about a candidate for a passage.
pub fn notice(passage: &Passage<'_>, candidate: &Candidate) -> Vec<&'static str> {
    let mut noticed = Vec::with_capacity(16);
    let title = names(passage, candidate, &mut noticed);
    let album = album(passage, candidate, &mut noticed);
    length(passage.heard, passage, candidate, &mut noticed);
    let is_misnamed = is_misnamed(candidate, title);
    let is_elsewhere = is_misnamed || candidate.contexts.iter().any(|one| one.has_slipped);
    context(candidate, album, is_elsewhere, &mut noticed);
    if is_misnamed {
        noticed.push("album: other files are not what their titles say");
    }
    sound(passage.heard, candidate, title, &mut noticed);
    codes(passage.heard, candidate, &mut noticed);
    noticed
}

/// The titles that a candidate goes by, with what is said of its version.
fn titles(passage: &Passage<'_>, candidate: &Candidate) -> Vec<Title> {
    let recording = &candidate.recording;
    let of_contexts = candidate.contexts.iter().map(|one| one.title.as_str());
    let mut titles = Vec::new();
    for title in std::iter::once(recording.title.as_str()).chain(of_contexts) {
        let parts = parts_of_title(passage.heard, passage.album.as_ref(), title);
        for title in std::iter::once(Title::parse(title)).chain(parts) {
            let title = title.with_remark(&recording.remark);
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
    }
    titles
}

/// What a title of the catalogue is called as well by a file of that album: the part of a work that is the album, one half of
/// a title in two scripts, and as much of it as a field of thirty letters holds.
pub(crate) fn parts_of_title(heard: &Heard, album: Option<&AlbumName>, title: &str) -> Vec<Title> {
    let mut parts = Vec::new();
    if let (Some((work, part)), Some(album)) = (title.split_once(": "), album)
        && AlbumName::parse(work, "").relation(album) >= Albums::OtherVersion
    {
        parts.push(Title::parse(part));
    }
    if let Some((one, other)) = both_scripts(title) {
        parts.extend([Title::parse(&one), Title::parse(&other)]);
    }
    // `(Don't You) Remember Lisbon` is known without its first words as well.
    if let Some((_, rest)) = title
        .strip_prefix('(')
        .and_then(|title| title.split_once(") "))
    {
        parts.push(Title::parse(rest));
    }
    let ours = heard.title.as_deref().unwrap_or_default();
    if is_cut(ours, title) {
        let whole = Title::parse(title);
        let is_plain = whole.versions.is_empty() && whole.qualifiers.is_empty();
        parts.extend(is_plain.then(|| Title::parse(ours)));
    }
    parts
}

/// How the names relate in the reading of the tags that fits best, and that reading; `None` without a title.
fn best_reading<'a>(
    passage: &'a Passage<'_>,
    candidate: &Candidate,
    titles: &[Title],
) -> Option<(Relation, Option<Artists>, &'a Reading)> {
    let mut best: Option<(Relation, Option<Artists>, &Reading)> = None;
    let rank = |relation: &Relation, artist: Option<Artists>, is_plain: bool| {
        // A version that only one of them names is less of a difference than another name.
        let differ = relation.only_first.len() + relation.only_second.len();
        let by = match artist {
            Some(Artists::Different) => 0,
            None => 1,
            Some(Artists::Misspelt) => 2,
            Some(Artists::Shared) => 3,
            Some(Artists::Same) => 4,
        };
        let is_other = relation.name == Likeness::Different || !is_plain && matches!(by, 0 | 2);
        (
            !is_other,
            by,
            relation.name,
            std::cmp::Reverse(differ),
            is_plain,
        )
    };
    for reading in &passage.readings {
        let artist = reading
            .artist
            .as_deref()
            .map(|artist| artists(artist, names_of(&candidate.recording)));
        for title in titles {
            let relation = reading.title.relation(title);
            let is_better = best.as_ref().is_none_or(|(known, by, other)| {
                rank(&relation, artist, reading.is_plain) > rank(known, *by, other.is_plain)
            });
            if is_better {
                best = Some((relation, artist, reading));
            }
        }
    }
    best
}

/// Title, artist and version, in the reading that fits best; the likeness of the titles.
fn names(
    passage: &Passage<'_>,
    candidate: &Candidate,
    noticed: &mut Vec<&'static str>,
) -> Likeness {
    // What a file is called may be anything; only that it is called like the candidate means something.
    let says =
        |relation: &Relation| !passage.heard.is_by_path || relation.name > Likeness::Different;
    let titles = titles(passage, candidate);
    let best = best_reading(passage, candidate, &titles);
    if let Some((relation, Some(_), _)) = &best
        && !says(relation)
        && !is_foreign(passage, candidate)
    {
        noticed.push("names: the path says others");
    }
    let best = best.filter(|(relation, ..)| says(relation));
    let Some((relation, artist, reading)) = best else {
        noticed.push("title: none in the tags");
        artist_alone(passage, candidate, noticed);
        let of_this = titles.iter().flat_map(|title| &title.versions);
        let of_this = of_this.map(|version| (*version).to_owned()).collect();
        let of_releases = versions_of_releases(passage, candidate);
        let by_album = passage.versions_of_album();
        beside(
            passage,
            candidate,
            [&of_this, &of_releases, &by_album],
            noticed,
        );
        return Likeness::Different;
    };
    noticed.push(match relation.name {
        Likeness::Same => "title: the same",
        Likeness::Misspelt => "title: a slip of spelling",
        Likeness::Longer => "title: words more or fewer",
        Likeness::Different if is_foreign(passage, candidate) => "title: in other letters",
        Likeness::Different if candidate.contexts.iter().any(|one| one.has_slipped) => BESIDE,
        Likeness::Different => "title: another",
    });
    let by_release = passage.heard.artist.as_deref().is_some_and(|ours| {
        let theirs = candidate.contexts.iter().map(|one| one.artist.as_str());
        artists(ours, theirs.filter(|name| !name.is_empty())) >= Artists::Shared
    });
    name_artist(passage, candidate, (artist, by_release), noticed);
    if artist == Some(Artists::Same) && is_to_the_letter(reading, candidate) {
        noticed.push("artist: to the letter");
    }
    if artist >= Some(Artists::Shared) || artist == Some(Artists::Different) && by_release {
        fellowship(passage, reading, (candidate, &titles), noticed);
    }
    let by_somebody_else = artist == Some(Artists::Different) && !by_release;
    if relation.name == Likeness::Different {
        other_title(reading, candidate, (&titles, by_somebody_else), noticed);
        return relation.name;
    }
    year_of_title(reading, candidate, &titles, noticed);
    if !reading.is_plain && is_beside_another(passage, reading, candidate) {
        noticed.push("artist: the tags name another than the title");
    }
    if !reading.is_plain {
        noticed.push("names: read from a title that holds more");
    }
    if relation.name == Likeness::Same && artist >= Some(Artists::Shared) {
        noticed.push("names: title and artist are the same");
    }
    versions(passage, reading, (candidate, &titles), &relation, noticed);
    relation.name
}

/// What is noticed of a candidate that is called otherwise.
fn other_title(
    reading: &Reading,
    candidate: &Candidate,
    (titles, by_somebody_else): (&[Title], bool),
    noticed: &mut Vec<&'static str>,
) {
    if by_somebody_else {
        noticed.push("names: title and artist are others");
    }
    if candidate.contexts.iter().any(|one| one.misnamed > 0) {
        // One such file has another song's tags; a record of such songs is sung anew.
        noticed.push(ALSO_OTHERS);
    }
    if titles
        .iter()
        .any(|title| reading.title.is_damaged_spelling_of(title))
    {
        noticed.push("title: a damaged spelling");
    }
}

/// The year in a title's brackets, against those that the candidate's titles and remark name.
fn year_of_title(
    reading: &Reading,
    candidate: &Candidate,
    titles: &[Title],
    noticed: &mut Vec<&'static str>,
) {
    let remark = &candidate.recording.remark;
    let years = remark.split(|c: char| !c.is_ascii_digit());
    let years = years.filter_map(|word| word.parse::<u32>().ok());
    let of_titles = titles.iter().flat_map(|title| title.years.iter().copied());
    let years: BTreeSet<u32> = years.chain(of_titles.clone()).collect();
    if !years.is_disjoint(&reading.title.years) {
        noticed.push(rivals::OF_YEAR);
    } else if reading.title.years.is_empty() && of_titles.count() > 0 {
        noticed.push("title: of a year that the file does not name");
    }
}

/// How the artist relates to the candidate's, and whether the folder names who plays.
fn name_artist(
    passage: &Passage<'_>,
    candidate: &Candidate,
    (artist, by_release): (Option<Artists>, bool),
    noticed: &mut Vec<&'static str>,
) {
    let by_folder = is_played_by_folder(passage, candidate);
    let by = (by_release, by_folder);
    noticed.push(artist_of(passage, candidate, artist, by));
    if by_folder {
        noticed.push("artist: the folder names who plays");
    }
}

/// How the artist relates to the candidate's, in words that have weights.
fn artist_of(
    passage: &Passage<'_>,
    candidate: &Candidate,
    artist: Option<Artists>,
    (by_release, by_folder): (bool, bool),
) -> &'static str {
    match artist {
        Some(Artists::Same) => "artist: the same",
        Some(Artists::Shared) => "artist: one of several",
        Some(Artists::Misspelt) => "artist: a slip of spelling",
        Some(Artists::Different) if passage.heard.is_by_path => "artist: another, by the path",
        Some(Artists::Different) if by_release || is_by_album_artist(passage, candidate) => {
            "artist: that of the release"
        }
        Some(Artists::Different)
            if by_folder
                || is_artist_in_title(passage, candidate)
                || is_of_cast(passage, candidate) =>
        {
            "artist: another, whom the album names"
        }
        Some(Artists::Different) if is_by_composer(passage, candidate) => BY_COMPOSER,
        Some(Artists::Different) => "artist: another",
        None => "artist: none in the tags",
    }
}

/// Another title, and other files of the album sound like tracks of other titles, too.
pub(crate) const ALSO_OTHERS: &str = "title: another, as of other files that sound so";

/// Whether the tags name the candidate's artist as that of the album: in the other field there may be a label, or who
/// handed a song down.
fn is_by_album_artist(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let of_album = passage.heard.album_artist.as_deref();
    of_album
        .filter(|name| !is_nobody(name))
        .is_some_and(|name| artists(name, names_of(&candidate.recording)) >= Artists::Shared)
}

/// The titles of the album have slipped by one.
pub(crate) const BESIDE: &str = "title: that of the track beside it, as in most files";

/// The catalogue has who composed it where the file has who plays it.
const BY_COMPOSER: &str = "artist: whom the tags have as the composer";

/// Whether the candidate is credited to whom the tags name as its composer, and not as the artist.
fn is_by_composer(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let mut composers = passage.heard.composers.iter();
    composers.any(|name| artists(name, names_of(&candidate.recording)) >= Artists::Shared)
}

/// Whether the artist is written just so: `The Pines` and `Pines` are two bands where a catalogue has both.
fn is_to_the_letter(reading: &Reading, candidate: &Candidate) -> bool {
    let plain = |name: &str| name.trim().to_lowercase();
    let ours = reading.artist.as_deref().map(plain);
    let recording = &candidate.recording;
    let credits = recording
        .credits
        .iter()
        .flat_map(|credit| [&credit.name, &credit.credited_as]);
    let mut names = std::iter::once(&recording.artist).chain(credits);
    names.any(|name| ours.as_ref() == Some(&plain(name)))
}

/// Whether the tags have the title in other letters than the catalogue.
fn is_foreign(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let ours = passage.heard.title.as_deref().unwrap_or_default();
    are_other_scripts(ours, &candidate.recording.title)
}

/// A file that is so much longer or shorter, in ms, is cut otherwise, whatever it sounds like: an edit, an excerpt. A guess.
const MUCH: u64 = 30_000;

fn length(
    heard: &Heard,
    passage: &Passage<'_>,
    candidate: &Candidate,
    noticed: &mut Vec<&'static str>,
) {
    let on_album = candidate.contexts.iter().filter(|context| {
        is_album(passage, &context.release).is_none_or(|albums| albums >= Albums::Similar)
    });
    let known = on_album
        .filter_map(|context| context.length_ms)
        .chain(candidate.recording.length_ms);
    let apart = known.map(|length| heard.length_ms.abs_diff(length)).min();
    noticed.push(match apart {
        None => "length: not known",
        Some(0..=1_500) => "length: within 1.5 s",
        Some(1_501..=3_000) => "length: within 3 s",
        Some(3_001..=6_000) => "length: within 6 s",
        Some(6_001..=12_000) => "length: within 12 s",
        Some(_) => "length: more than 12 s apart",
    });
    if apart.is_some_and(|apart| apart > MUCH) {
        noticed.push("length: more than 30 s apart");
    }
    // A file without a title among titled ones is any track that is left, unless it is as long.
    let only_length = heard.title.is_none() && candidate.print.is_none();
    if only_length && apart.is_some_and(|apart| apart > 3_000) {
        noticed.push("length: the only sign, and more than 3 s apart");
    }
}

/// Where the other files' titles are not what they sound like, this one's need not be either.
fn is_misnamed(candidate: &Candidate, title: Likeness) -> bool {
    let is_so = |context: &Context| context.misnamed >= 2 && context.misnamed * 2 >= context.others;
    let by_title = title > Likeness::Different && candidate.print.is_none();
    by_title && candidate.contexts.iter().any(is_so)
}

fn sound(heard: &Heard, candidate: &Candidate, title: Likeness, noticed: &mut Vec<&'static str>) {
    let Some(print) = &candidate.print else {
        if let Some(other) = &heard.best_print {
            noticed.push(match other.sources {
                _ if other.score < 0.9 => "sound: perhaps another",
                0 | 1 => "sound: another, says one person",
                2..=4 => "sound: another, say some",
                _ => "sound: another, say many",
            });
        }
        return;
    };
    // Fingerprints do not tell recordings of one performance apart: people who mean any of them agree.
    let people = candidate.people_of_performance.max(print.sources);
    let share = people as f64 / print.sources_of_all.max(people) as f64;
    noticed.push(match (print.score, share) {
        (score, _) if score < 0.8 => "sound: hardly alike",
        (score, _) if score < 0.9 => "sound: roughly alike",
        (_, share) if share < 0.2 => "sound: alike, say few of many",
        (_, share) if share < 0.45 => "sound: alike, says a minority",
        (_, share) if share < 0.8 => "sound: alike, says a majority",
        _ => match people {
            0 | 1 => "sound: alike, says one person",
            2..=4 => "sound: alike, say some",
            _ => "sound: alike, say many",
        },
    });
    if people <= 1 && noticed.contains(&"names: title and artist are others") {
        // Tags that are somebody else's are forgiven a sound that several people know.
        noticed.push("sound: one person, against title and artist");
    }
    if people > print.sources {
        let own = print.sources as f64 / people as f64;
        noticed.push(match own {
            _ if own < 0.2 => "sound: of this performance, few mean it",
            _ if own < 0.45 => "sound: of this performance, a minority means it",
            _ if own < 0.8 => "sound: of this performance, a majority means it",
            _ => "sound: of this performance, nearly all mean it",
        });
    }
    if print.score >= 0.9 && share >= 0.45 {
        if title >= Likeness::Longer {
            noticed.push("sound: agrees with the title");
        } else if heard.title.is_some() {
            noticed.push("sound: against the title");
        }
    }
}

fn codes(heard: &Heard, candidate: &Candidate, noticed: &mut Vec<&'static str>) {
    let has_id = |id: &String| *id == candidate.recording.mbid || candidate.ids.contains(id);
    let in_tags = heard.recording_mbid.as_ref().map(has_id);
    let found = heard
        .found_ids
        .iter()
        .map(|found| has_id(&found.recording_mbid));
    let is_found = found.reduce(|one, other| one || other);
    // What both say counts once: the other program may have written the tags, or read them.
    noticed.extend(match (in_tags, is_found) {
        (Some(true), _) => Some("id: in the tags"),
        (_, Some(true)) => Some("found id: this one"),
        (Some(false), _) => Some("id: the tags name another"),
        (None, Some(false)) => Some("found id: another"),
        (None, None) => None,
    });
    if let Some(is_it) = in_tags.or(is_found) {
        let is_it = is_it || is_found == Some(true);
        if is_it && noticed.contains(&"title: another") {
            noticed.push("id: against the title");
            if noticed.contains(&"artist: another") {
                noticed.push("id: against title and artist");
            }
        }
    }
    if let Some(isrc) = &heard.isrc {
        if candidate.recording.isrcs.contains(isrc) {
            noticed.push(match candidate.of_code {
                0 | 1 => "isrc: the same",
                _ => "isrc: the same, which others have, too",
            });
        } else if !candidate.recording.isrcs.is_empty() {
            noticed.push("isrc: another");
        }
    }
}

/// What is noticed about a passage that speaks for another version of its candidates, and for none of
/// them; `noticed` is what was noticed about each.
pub fn notice_passage(
    passage: &Passage<'_>,
    noticed: &[Vec<&'static str>],
) -> (Vec<&'static str>, Vec<&'static str>) {
    let any = |what: &str| noticed.iter().any(|one| one.contains(&what));
    let mut for_other = vec!["another version: to begin with"];
    let mut for_none = vec!["none: to begin with"];
    let is_named = any("names: title and artist are the same");
    if is_named {
        for_other.push("another version: title and artist are known");
    } else {
        for_none.push("none: title and artist are not known together");
    }
    let is_known = any("album: the same") || any("album: a slip of spelling");
    let is_told =
        !passage.is_album_generic && !passage.is_album_collected && !passage.heard.is_album_of_many;
    let is_named = passage.album.is_some() && is_told;
    if is_named && !passage.heard.is_by_path && !is_known {
        for_other.push("another version: the album is not known");
        for_none.push("none: the album is not known");
    }
    let heard = passage.heard;
    match &heard.best_print {
        None => for_none.push("none: the sound is not known"),
        Some(print) if print.score < 0.8 => for_none.push("none: the sound is hardly known"),
        Some(_) => {}
    }
    let is_untitled = heard.title.is_none() || heard.is_by_path && !any("title: the same");
    if is_untitled && heard.best_print.is_none() {
        for_none.push("none: neither title nor sound");
    }
    (for_other, for_none)
}
