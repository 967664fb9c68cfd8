//! Who made it: artists, guests, and who performs what somebody else composed.

use std::collections::BTreeSet;

use crate::catalogue::Recording;
use crate::identify::evidence::Candidate;
use crate::identify::features::{Passage, Reading, albums::is_album, albums::release_names};
use crate::identify::text::{
    Albums, Artists, Company, Likeness, Title, artists, company, is_cut, is_nobody, is_part,
    members, normalise,
};

pub(super) fn names_of(recording: &Recording) -> impl Iterator<Item = &str> {
    let credits = recording.credits.iter().flat_map(|credit| {
        let names = [credit.name.as_str(), &credit.credited_as, &credit.sort_name];
        names
            .into_iter()
            .chain(credit.aliases.iter().map(String::as_str))
    });
    std::iter::once(recording.artist.as_str())
        .chain(credits)
        .filter(|name| !name.is_empty())
}

/// Everybody whom a candidate credits, each by all names, normalised; guests of its titles among them.
fn credited(candidate: &Candidate, titles: &[Title]) -> Vec<Vec<String>> {
    let recording = &candidate.recording;
    let mut all: Vec<Vec<String>> = recording
        .credits
        .iter()
        .map(|credit| {
            let names = [&credit.name, &credit.credited_as, &credit.sort_name];
            let names = names.into_iter().chain(&credit.aliases);
            names
                .filter(|name| !name.is_empty())
                .map(|name| normalise(name))
                .collect()
        })
        .collect();
    if all.is_empty() {
        all = members(&recording.artist)
            .into_iter()
            .map(|name| vec![name])
            .collect();
    }
    for guest in titles.iter().flat_map(|title| &title.guests) {
        if !all.iter().flatten().any(|name| name == guest) {
            all.push(vec![guest.clone()]);
        }
    }
    all
}

/// Guests, orchestras and conductors: whom only one of them names.
pub(super) fn fellowship(
    passage: &Passage<'_>,
    reading: &Reading,
    (candidate, titles): (&Candidate, &[Title]),
    noticed: &mut Vec<&'static str>,
) {
    let heard = passage.heard;
    let Some(artist) = reading
        .artist
        .as_deref()
        .filter(|artist| !is_nobody(artist))
    else {
        return;
    };
    if names_of(&candidate.recording).any(|name| is_cut(artist, name)) {
        return;
    }
    let mut ours = members(artist);
    ours.extend(heard.performers.iter().flat_map(|names| members(names)));
    ours.extend(reading.title.guests.iter().cloned());
    // A catalogue of classical music writes the composer first, and a semicolon behind him.
    let credits = &candidate.recording.credits;
    let of_work = credits.iter().filter(|credit| credit.join.trim() == ";");
    let composers: Vec<String> = heard
        .composers
        .iter()
        .chain(of_work.map(|credit| &credit.name))
        .map(|name| normalise(name))
        .collect();
    let is_composer = |name: &String| composers.iter().any(|one| is_part(one, name));
    if ours.iter().all(is_composer) {
        // Who performs stands elsewhere: as the artist of the album, or before its name.
        let album = heard
            .album
            .as_deref()
            .and_then(|album| album.split_once(": "));
        let elsewhere = [heard.album_artist.as_deref(), album.map(|(label, _)| label)];
        let names = elsewhere
            .into_iter()
            .flatten()
            .filter(|name| !is_nobody(name));
        ours.extend(names.flat_map(members));
    }
    // Who composed it, and is named in front of the release, performs nothing either.
    let mut theirs = credited(candidate, titles);
    let of_release = candidate
        .contexts
        .iter()
        .flat_map(|one| members(&one.artist));
    for name in of_release {
        if ours.contains(&name) && !theirs.iter().flatten().any(|one| *one == name) {
            theirs.push(vec![name]);
        }
    }
    match company(&ours, &theirs, &composers) {
        Company::Same => {}
        Company::More => noticed.push("artist: the file names more"),
        Company::Fewer => noticed.push("artist: the file names fewer"),
        Company::Others => noticed.push("artist: each names others, too"),
    }
}

/// Whether the album that the file and the candidate are of names the file's artist in its title, as
/// recordings of classical music do their composers.
pub(super) fn is_artist_in_title(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let Some(ours) = passage.heard.artist.as_deref().map(normalise) else {
        return false;
    };
    let names_it = |title: &str| {
        let title = normalise(title);
        let title: BTreeSet<_> = title.split(' ').collect();
        ours.split(' ').all(|word| title.contains(word))
    };
    release_names(candidate).any(|release| {
        is_album(passage, release) >= Some(Albums::Similar) && names_it(&release.title)
    })
}

/// Whether the title names the candidate's artist and the tags another one: whoever sings it anew, or sends it in.
pub(super) fn is_beside_another(
    passage: &Passage<'_>,
    reading: &Reading,
    candidate: &Candidate,
) -> bool {
    let tagged = passage
        .heard
        .artist
        .as_deref()
        .filter(|artist| !is_nobody(artist));
    let (Some(tagged), Some(read)) = (tagged, reading.artist.as_deref()) else {
        return false;
    };
    // Where both have changed places, the tags' artist is the title.
    let is_swapped = Title::parse(tagged).relation(&reading.title).name > Likeness::Different;
    let is_another = artists(tagged, names_of(&candidate.recording)) == Artists::Different;
    tagged != read && !is_swapped && is_another
}

/// Whether the file's folder names somebody who plays on the candidate or its releases, and whom the tags do not name: of
/// a work that many play, tags have the composer, and folders the orchestra.
pub(super) fn is_played_by_folder(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let heard = passage.heard;
    let folder = normalise(&heard.folder);
    let folder: BTreeSet<_> = folder.split(' ').collect();
    let tags = [&heard.artist, &heard.album, &heard.album_artist].into_iter();
    let told: Vec<_> = tags
        .flatten()
        .chain(&heard.composers)
        .map(|name| normalise(name))
        .collect();
    let is_told = |name: &str| {
        let mut words = name.split(' ');
        words.all(|word| {
            told.iter()
                .any(|told| told.split(' ').any(|one| one == word))
        })
    };
    let releases = candidate.contexts.iter().map(|one| one.artist.as_str());
    let names = names_of(&candidate.recording).chain(releases);
    names.flat_map(members).any(|name| {
        // One word may be anything.
        name.contains(' ') && !is_told(&name) && name.split(' ').all(|word| folder.contains(word))
    })
}

/// Whether the cast of a musical made it, on the album that the tags name: they have its composer or its star for the artist.
pub(super) fn is_of_cast(passage: &Passage<'_>, candidate: &Candidate) -> bool {
    let artist = normalise(&candidate.recording.artist);
    let is_album = |release| is_album(passage, release) >= Some(Albums::Similar);
    artist.split(' ').any(|word| word == "cast") && release_names(candidate).any(is_album)
}

pub(super) fn artist_alone(
    passage: &Passage<'_>,
    candidate: &Candidate,
    noticed: &mut Vec<&'static str>,
) {
    let ours = passage
        .heard
        .artist
        .as_deref()
        .filter(|artist| !is_nobody(artist));
    let artist = ours.map(|ours| artists(ours, names_of(&candidate.recording)));
    noticed.push(match artist {
        // A folder may be called anything.
        Some(Artists::Different) if passage.heard.is_by_path => return,
        None => "artist: none in the tags",
        Some(Artists::Different) => "artist: another, of no title",
        Some(_) => "artist: the same, of no title",
    });
}
