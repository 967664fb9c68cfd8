//! Which version of its song it is: live, mono, the take of another day.

use std::collections::BTreeSet;

use crate::catalogue::ReleaseName;
use crate::identify::evidence::Candidate;
use crate::identify::features::albums::{
    is_album, is_at_its_place, is_told_by_place, release_names, versions_of_year,
};
use crate::identify::features::{ONLY_MONO, Passage, Reading};
use crate::identify::text::{
    AlbumName, Albums, Relation, Title, is_known_version, normalise, versions_of_folder,
};

/// Versions that releases of the candidate say their tracks are, those that the file is not of left out.
pub(super) fn versions_of_releases(
    passage: &Passage<'_>,
    candidate: &Candidate,
) -> BTreeSet<String> {
    let is_it = |release: &&ReleaseName| is_album(passage, release) != Some(Albums::Different);
    release_names(candidate)
        .filter(is_it)
        .flat_map(|release| {
            let name = AlbumName::parse(&release.title, &release.remark).versions();
            let is_live = release.secondary.iter().any(|kind| kind == "Live");
            name.into_iter().chain(is_live.then_some("live"))
        })
        .map(str::to_owned)
        .collect()
}

/// Versions that the file is said to be beside its title, and that are `known` of neither side.
pub(super) fn beside(
    passage: &Passage<'_>,
    candidate: &Candidate,
    known: [&BTreeSet<String>; 3],
    noticed: &mut Vec<&'static str>,
) {
    let of_album = release_names(candidate)
        .filter(|release| is_album(passage, release) != Some(Albums::Different))
        .flat_map(|release| versions_of_folder(&release.title));
    let of_album: BTreeSet<_> = of_album.collect();
    let is_told = |version: &str| {
        of_album.contains(version) || known.iter().any(|versions| versions.contains(version))
    };
    let mut said = passage.heard.said_versions.iter();
    if said.any(|version| !is_told(version)) {
        noticed.push("version: one is named beside the title that this is not");
    }
}

/// A concert of its own: the file says where or when it was played, and nothing that is known of the candidate does.
fn elsewhere(reading: &Reading, candidate: &Candidate, noticed: &mut Vec<&'static str>) {
    const PLAYED: [&str; 3] = ["live", "session", "demo"];
    let places = reading.title.places();
    let versions = &reading.title.versions;
    if places.is_empty() || !versions.iter().any(|one| PLAYED.contains(one)) {
        return;
    }
    let recording = &candidate.recording;
    let releases = release_names(candidate).flat_map(|release| [&release.title, &release.remark]);
    let told: BTreeSet<String> = [&recording.title, &recording.remark]
        .into_iter()
        .chain(releases)
        .flat_map(|text| {
            let words: Vec<_> = normalise(text).split(' ').map(str::to_owned).collect();
            words
        })
        .collect();
    if !places.iter().any(|place| told.contains(*place)) {
        noticed.push(NOT_THERE);
    }
}

/// The file says of its concert what is told of no other.
pub(crate) const NOT_THERE: &str =
    "version: the file says where or when, and this is not told of there";

/// The file has an aside that nobody knows, at the place of this on its album.
const AN_ASIDE: &str = "version: an aside, where the album has this";

/// Words are taken out of it by one of them, for radio or for children.
pub(crate) const ONE_IS_CLEAN: &str = "version: only one is called clean";

/// What versions one of them names and the other does not.
pub(super) fn versions(
    passage: &Passage<'_>,
    reading: &Reading,
    (candidate, titles): (&Candidate, &[Title]),
    relation: &Relation,
    noticed: &mut Vec<&'static str>,
) {
    let mut file = relation.only_first.clone();
    let mut this = relation.only_second.clone();
    // A live album need not call its tracks live, in the tags or in the catalogue.
    let by_album = passage.versions_of_album();
    let of_releases = versions_of_releases(passage, candidate);
    let of_this = titles.iter().flat_map(|title| &title.versions);
    let of_this: BTreeSet<String> = of_this.map(|version| (*version).to_owned()).collect();
    file.extend(by_album.iter().filter(|one| *one != "remix").cloned());
    file.retain(|version| !of_releases.contains(version) && !of_this.contains(version));
    let of_year = versions_of_year(passage, candidate);
    let is_said = |version: &String| passage.heard.said_versions.contains(&version.as_str());
    this.retain(|version| !by_album.contains(version) && !of_year.contains(version.as_str()));
    this.retain(|version| !is_said(version));
    if !this.is_empty() && is_told_by_place(passage, candidate) {
        noticed.push("version: the place on the album says which");
        this.clear();
    }
    let is_clean = |version: &String| version == "clean";
    if file.iter().chain(&this).any(is_clean) {
        noticed.push(ONE_IS_CLEAN);
    }
    masters(&file, &this, noticed);
    file.retain(|version| !is_master(version));
    this.retain(|version| !is_master(version));
    let are_unknown = relation.is_unknown && !file.iter().any(|one| is_known_version(one));
    if !file.is_empty() && are_unknown && is_at_its_place(passage, candidate) {
        // Of its album there is no other version: who wrote it, or what it is about.
        noticed.push(AN_ASIDE);
    } else if !file.is_empty() {
        noticed.push(if relation.is_unknown {
            "version: the file has a qualifier that this has not"
        } else {
            "version: the file names one that this is not"
        });
    }
    if !this.is_empty() {
        noticed.push(if relation.is_unknown {
            "version: this has a qualifier that the file has not"
        } else {
            "version: this is one that the file does not name"
        });
    }
    elsewhere(reading, candidate, noticed);
    let own = reading.title.versions.iter();
    let own = own
        .map(|version| (*version).to_owned())
        .chain(by_album.clone());
    beside(
        passage,
        candidate,
        [&of_this, &of_releases, &own.collect()],
        noticed,
    );
    if !relation.shared.is_empty() && relation.is_word_by_word {
        noticed.push("version: named with the same words");
    } else if !relation.shared.is_empty() && relation.is_told_apart {
        noticed.push("version: named with other words");
    }
    let both = !relation.shared.is_empty() || by_album.iter().any(|one| of_this.contains(one));
    if both && file.is_empty() && this.is_empty() {
        noticed.push("version: both name the same");
    }
}

/// Versions that are made of one recording, for the most part.
fn is_master(version: &str) -> bool {
    ["remaster", "mono", "stereo", "clean", "explicit"].contains(&version)
}

/// Masters that only the file or only the candidate names.
fn masters(file: &BTreeSet<String>, this: &BTreeSet<String>, noticed: &mut Vec<&'static str>) {
    if !file.iter().chain(this).any(|one| is_master(one)) {
        return;
    }
    noticed.push("version: only one is called remastered, mono or stereo");
    if file.contains("mono") {
        noticed.push(ONLY_MONO);
    }
    // Mono and stereo are different recordings where both are named.
    let both = |a: &str, b: &str| file.contains(a) && this.contains(b);
    if both("mono", "stereo") || both("stereo", "mono") {
        noticed.push("version: one is mono and the other stereo");
    }
    if both("clean", "explicit") || both("explicit", "clean") {
        noticed.push("version: one is clean and the other explicit");
    }
}
