//! Which album it is from: its name, its year, and what its other tracks say.

use std::collections::BTreeSet;

use crate::catalogue::ReleaseName;
use crate::identify::evidence::{Candidate, Context};
use crate::identify::features::{Passage, people::names_of};
use crate::identify::text::{
    AlbumName, Albums, Artists, Title, are_other_scripts, artists, is_cut, is_ensemble, is_nobody,
    members, normalise,
};

pub(super) fn release_names(candidate: &Candidate) -> impl Iterator<Item = &ReleaseName> {
    let of_contexts = candidate.contexts.iter().map(|context| &context.release);
    candidate.recording.releases.iter().chain(of_contexts)
}

pub(super) fn is_album(passage: &Passage<'_>, release: &ReleaseName) -> Option<Albums> {
    let ours = passage.album.as_ref()?;
    let theirs = AlbumName::parse(&release.title, &release.remark);
    if is_cut(
        passage.heard.album.as_deref().unwrap_or_default(),
        &release.title,
    ) {
        return Some(Albums::Similar);
    }
    let told = ours.relation(&theirs);
    let mut of_version = passage.albums_of_version.iter();
    if told == Albums::OtherVersion && of_version.any(|one| one.relation(&theirs) == Albums::Same) {
        // The file's title says of which version of the album it is.
        return Some(Albums::Similar);
    }
    if told < Albums::Similar && is_shorter(passage, release) {
        return Some(Albums::Similar);
    }
    // What a catalogue says to tell two of one name apart, the tags' year says as well.
    Some(if is_of_year(passage, release) && !ours.is_remaster {
        let plain = told.max(ours.relation(&AlbumName::parse(&release.title, "")));
        plain.max(ours.relation(&AlbumName::parse(without_year(&release.title), "")))
    } else {
        told
    })
}

/// Whether one of two names has no more words than the other but the artist's, and numbers of works: `Very Best` of `The Very
/// Best of Louis Dandridge`, `Piano Sonatas` of `Piano Sonatas nos. 1-3`.
fn is_shorter(passage: &Passage<'_>, release: &ReleaseName) -> bool {
    let ours = passage.heard.album.as_deref().unwrap_or_default();
    let numbers = |name: &str| name.bytes().any(|c| c.is_ascii_digit());
    // Of two that both have numbers these tell them apart.
    release.remark.is_empty()
        && passage.core_of_album.len() > 1
        && !(numbers(ours) && numbers(&release.title))
        && passage.core_of_album == core_of(&release.title, &passage.makers)
}

/// The words of an album's name but for those of who made it, numbers, and what stands between.
pub(super) fn core_of(name: &str, makers: &[String]) -> Vec<String> {
    let name = normalise(name);
    let without = makers.iter().find_map(|maker| {
        let (before, after) = name.split_once(maker.as_str())?;
        Some(format!("{before} {after}"))
    });
    let name = without.unwrap_or(name);
    let is_word = |word: &&str| {
        let is_number = word.bytes().all(|c| c.is_ascii_digit());
        !is_number && !BESIDE_NAMES.contains(word)
    };
    let words = name.split_whitespace().filter(is_word);
    words.map(str::to_owned).collect()
}

/// Words between the name of an album and that of its artist, or before numbers of works.
const BESIDE_NAMES: [&str; 12] = [
    "of", "by", "de", "von", "di", "the", "no", "nos", "nr", "op", "opus", "opp",
];

/// An album's name without an aside that tells of which year it is: `Harbour (2003 remix)`.
fn without_year(title: &str) -> &str {
    let aside = title
        .strip_suffix(')')
        .and_then(|title| title.rsplit_once(" ("));
    let is_of_year = |aside: &str| {
        let mut words = aside.split(' ');
        words.any(|word| word.len() == 4 && word.bytes().all(|c| c.is_ascii_digit()))
    };
    aside
        .filter(|(_, aside)| is_of_year(aside))
        .map_or(title, |(name, _)| name)
}

/// Whether a release came out in the year that the tags name.
fn is_of_year(passage: &Passage<'_>, release: &ReleaseName) -> bool {
    let year: Option<i32> = release
        .date
        .as_deref()
        .and_then(|date| date.get(..4)?.parse().ok());
    // Where a first release has a year of its own, this is what was made of it.
    let is_of_first = passage
        .heard
        .original_year
        .is_some_and(|first| Some(first) != year);
    year.is_some() && year == passage.heard.year && !is_of_first
}

/// Versions that are told of the candidate's releases which are of the album and the year that the tags name.
pub(super) fn versions_of_year(
    passage: &Passage<'_>,
    candidate: &Candidate,
) -> BTreeSet<&'static str> {
    let is_it = |release: &&ReleaseName| {
        is_of_year(passage, release) && is_album(passage, release) >= Some(Albums::Similar)
    };
    release_names(candidate)
        .filter(is_it)
        .flat_map(|release| AlbumName::parse(&release.title, &release.remark).versions())
        .collect()
}

/// The album that the tags name, against those that the candidate is known to be on.
pub(super) fn album(
    passage: &Passage<'_>,
    candidate: &Candidate,
    noticed: &mut Vec<&'static str>,
) -> Option<Albums> {
    let Some(ours) = &passage.album else {
        noticed.push("album: none in the tags");
        return None;
    };
    let related: Vec<_> = release_names(candidate)
        .filter_map(|release| Some((is_album(passage, release)?, release)))
        .collect();
    let written = passage.heard.album.as_deref().unwrap_or_default();
    let in_other_letters = related
        .iter()
        .any(|(_, release)| are_other_scripts(written, &release.title));
    let best = related.iter().map(|(albums, _)| *albums).max();
    let is_another = |version: &&str| *version != "remaster";
    let is_there = is_played_there(written, candidate);
    if best == Some(Albums::Different) && !is_there && ours.versions().iter().any(is_another) {
        // Another concert: what is live, too, was played elsewhere.
        noticed.push("album: another of its kind");
    }
    let is_by_names =
        passage.heard.is_by_path || passage.heard.is_album_by_folder || passage.is_album_generic;
    if is_by_names && best.unwrap_or(Albums::Different) == Albums::Different {
        if passage.heard.is_album_by_folder && best.is_some() && !is_there {
            noticed.push(BY_FOLDER);
        }
        noticed.push("album: none in the tags");
        return None;
    }
    if (passage.is_album_collected || passage.heard.is_album_of_many)
        && best.unwrap_or(Albums::Different) == Albums::Different
    {
        noticed.push("album: none in the tags");
        noticed.push(COLLECTED);
        return None;
    }
    let Some(best) = best else {
        noticed.push("album: its releases are not known");
        return None;
    };
    noticed.push(match best {
        Albums::Same => "album: the same",
        Albums::Similar => "album: a slip of spelling",
        Albums::OtherVersion => "album: another version of it",
        Albums::Different if in_other_letters => "album: in other letters",
        Albums::Different => "album: another",
    });
    let is_of_series = |(_, release): &(Albums, &ReleaseName)| {
        ours.is_of_series(&AlbumName::parse(&release.title, &release.remark))
    };
    if best == Albums::Different && related.iter().any(is_of_series) {
        noticed.push("album: another of its series");
    }
    if best >= Albums::Similar && is_of_another(passage, candidate) {
        noticed.push(OF_ANOTHER);
    }
    if best < Albums::OtherVersion {
        return Some(best);
    }
    year(passage, ours, (best, &related), noticed);
    Some(best)
}

/// Whether the album is called after where a concert was, and the candidate was played there: `Live in Roskilde 2003-07-11`.
fn is_played_there(album: &str, candidate: &Candidate) -> bool {
    let is_concert = |text: &str| Title::parse("").with_remark(text).versions.contains("live");
    let remark = &candidate.recording.remark;
    let told = Title::parse("").with_remark(remark);
    let called = Title::parse("").with_remark(album);
    is_concert(album)
        && is_concert(remark)
        && told.places().intersection(&called.places()).any(|place| {
            let is_name = !place.bytes().all(|c| c.is_ascii_digit());
            is_name && place.chars().count() > 3
        })
}

/// The year that the tags or the album's name tell, against those of releases that are called like the album.
fn year(
    passage: &Passage<'_>,
    ours: &AlbumName,
    (best, related): (Albums, &[(Albums, &ReleaseName)]),
    noticed: &mut Vec<&'static str>,
) {
    let said: BTreeSet<u32> = if ours.years.is_empty() {
        let years = [passage.heard.year, passage.heard.original_year];
        let years = years.into_iter().flatten();
        years.filter_map(|year| u32::try_from(year).ok()).collect()
    } else {
        ours.years.clone()
    };
    if said.is_empty() {
        return;
    }
    let years: BTreeSet<u32> = related
        .iter()
        .filter(|(albums, _)| *albums == best)
        .flat_map(|(_, release)| {
            let mut years = AlbumName::parse(&release.title, &release.remark).years;
            let year: Option<u32> = release
                .date
                .as_deref()
                .and_then(|date| date.get(..4)?.parse().ok());
            years.extend(year);
            years
        })
        .collect();
    if !years.is_empty() {
        let is_it = !years.is_disjoint(&said);
        noticed.push(match (ours.years.is_empty(), is_it) {
            (false, true) => "album: of the year that its name says",
            (false, false) => "album: of another year than its name says",
            (true, true) => "album: of the year in the tags",
            (true, false) => "album: of another year than in the tags",
        });
    }
}

/// The folder of the artist names an album that it is not known to be on.
pub(crate) const BY_FOLDER: &str = "album: another, by the folder";

/// The album is called as collections are, and it is not known to be on that one.
pub(crate) const COLLECTED: &str = "album: a collection that it is not known to be on";

/// The album is called so, and is somebody else's.
pub(crate) const OF_ANOTHER: &str = "album: of another artist than the tags say";

/// Whether the tags name an artist of the album who neither made the candidate nor any release of that name that was looked
/// at: a band that covers a whole album. Orchestras are called differently in every language.
fn is_of_another(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let Some(ours) = passage.heard.album_artist.as_deref() else {
        return false;
    };
    let mut releases = candidate
        .contexts
        .iter()
        .filter(|one| is_album(passage, &one.release) >= Some(Albums::Similar))
        .map(|one| one.artist.as_str())
        .filter(|name| !name.is_empty() && !is_nobody(name))
        .peekable();
    let is_told = releases.peek().is_some() && !is_nobody(ours);
    let names = releases.chain(names_of(&candidate.recording));
    is_told
        && artists(ours, names) == Artists::Different
        && !members(ours).iter().any(|one| is_ensemble(one))
}

/// Whether the album has another track of that name, and the file the number and the length of this one: the demo of a song
/// on the second disc of an edition need not be called one.
pub(super) fn is_told_by_place(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let is_it = |one: &Context| one.has_twin && is_in_its_place(passage, one);
    candidate.contexts.iter().any(is_it)
}

/// Whether it is a track of the album that the file names, at the file's number and as long, as other files are on that album.
pub(super) fn is_at_its_place(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let mut contexts = candidate.contexts.iter();
    contexts.any(|one| is_in_its_place(passage, one))
}

fn is_in_its_place(passage: &Passage<'_>, one: &Context) -> bool {
    let is_as_long = one
        .length_ms
        .is_some_and(|length| length.abs_diff(passage.heard.length_ms) <= AS_LONG);
    one.others > 1
        && one.in_place == Some(true)
        && !one.lacks_disc
        && is_as_long
        && is_album(passage, &one.release) >= Some(Albums::Similar)
}

/// A length, in ms, that is off by no more is that of the track. As of features of lengths.
const AS_LONG: u64 = 3_000;

/// So many files that are just as long as tracks of those names are that record, whatever they call it. A guess: of fewer,
/// another film's or series' songs are as long by chance.
const LEAST_OF_RECORD: usize = 7;

/// Other files of the folder that a release explains as well.
///
/// Where the folder's album is another version of the release, that its other files fit says nothing: all
/// songs of a remix album have the names and numbers of the album's.
///
/// Where titles are those of other files, so are the numbers.
pub(super) fn context(
    candidate: &Candidate,
    album: Option<Albums>,
    is_elsewhere: bool,
    noticed: &mut Vec<&'static str>,
) {
    let Some(best) = candidate
        .contexts
        .iter()
        .max_by_key(|one| (one.others, one.in_place))
    else {
        return;
    };
    if album == Some(Albums::OtherVersion) {
        if best.others > 0 {
            noticed.push("album: fits other files, all of another version");
        }
        return;
    }
    if best.others == 0 && noticed.contains(&COLLECTED) {
        // What it is known to be on is not what the files are of.
        return;
    }
    let is_loose = best.loose > 0
        || best.others < LEAST_OF_RECORD
        || !noticed.contains(&"length: within 1.5 s");
    if album == Some(Albums::Different) && noticed.contains(&"album: another") && is_loose {
        // Files of another name have songs of the same names: `Main Titles`, `Dawn`. All just as long, it is one record.
        if best.others > 0 {
            noticed.push("album: fits other files, all of another name");
        }
        return;
    }
    noticed.push(match best.others {
        0 => "album: fits no other file",
        1 => "album: fits 1 other file",
        2 | 3 => "album: fits 2 or 3 other files",
        4..=6 => "album: fits 4 to 6 other files",
        _ => "album: fits 7 or more other files",
    });
    if candidate.contexts.iter().any(|one| one.is_others_chosen) {
        noticed.push("album: a person put another file on it");
    }
    let mut fitting = candidate
        .contexts
        .iter()
        .filter(|one| one.others > 0)
        .peekable();
    if fitting.peek().is_some() && fitting.all(|one| one.lacks_disc) {
        noticed.push("album: it has no such disc");
    }
    if best.others * 2 < best.siblings {
        noticed.push("album: fits fewer than half of the files");
    }
    if best.others > 0 && !is_elsewhere {
        match best.in_place {
            Some(true) => noticed.push("album: at the track's number"),
            Some(false) => noticed.push("album: at another number"),
            None => {}
        }
    }
}
