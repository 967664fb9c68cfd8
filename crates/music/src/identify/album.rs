//! Fits the files of a folder to the tracks of a release.
//!
//! One track of three minutes says little, ten whose names or lengths agree say nearly everything. What
//! a file gets from its album is the number of *other* files that are on it by what is known of them
//! alone: a release that was looked up for the sake of one file says nothing new about that file.

use std::collections::HashMap;

use crate::catalogue::{Release, Track};
use crate::identify::features::{Reading, parts_of_title, readings};
use crate::identify::text::{AlbumName, Likeness, Title, are_other_scripts};
use crate::library::values::Heard;

/// Below this a file and a track have nothing to do with each other. A guess: half of what a perfect
/// pair gets.
const LEAST_PAIR: f64 = 0.5;

/// A file of the folder.
#[derive(Debug, Clone, Default)]
pub struct Sibling {
    /// What is known of it.
    pub heard: Heard,
    /// Ways to read its tags.
    pub readings: Vec<Reading>,
    /// Recordings that a fingerprint or an id speaks for, and how much, 0 to 1.
    pub likely: HashMap<String, f64>,
    /// The recording that a person said it is.
    pub chosen: Option<String>,
    /// Its album's name.
    pub album: Option<AlbumName>,
}

impl Sibling {
    /// A file with the recordings that something else speaks for.
    pub fn new(heard: &Heard, likely: HashMap<String, f64>) -> Self {
        Self {
            heard: heard.clone(),
            readings: readings(heard),
            likely,
            chosen: None,
            album: heard
                .album
                .as_deref()
                .map(|album| AlbumName::parse(album, "")),
        }
    }
}

/// How a release fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Per file its track, by index.
    pub tracks: Vec<Option<usize>>,
    /// Per file, whether what is known of it alone says that it is that track.
    pub supported: Vec<bool>,
    /// Per file, whether it is that track by its sound, under the title of another; or, where the titles of most files have
    /// slipped by one, whether it has the title of that track.
    pub misnamed: Vec<bool>,
    /// Per file, whether it is that track by its length, as the titles of most files are those of tracks beside their own.
    pub slipped: Vec<bool>,
    /// Per file, whether it is on the release by itself and yet not quite as long as its track.
    pub loose: Vec<bool>,
    /// Per file, whether a person said that it is that track.
    pub chosen: Vec<bool>,
}

impl Fit {
    /// Of so many files, none on any track.
    pub fn of_none(files: usize) -> Self {
        Self {
            tracks: vec![None; files],
            supported: vec![false; files],
            misnamed: vec![false; files],
            slipped: vec![false; files],
            loose: vec![false; files],
            chosen: vec![false; files],
        }
    }

    /// Whether a person put a file other than this one on the release.
    pub fn is_others_chosen(&self, file: usize) -> bool {
        let mut chosen = self.chosen.iter().enumerate();
        chosen.any(|(other, is_chosen)| *is_chosen && other != file)
    }

    /// Files other than this one that are on the release by themselves.
    pub fn others(&self, file: usize) -> usize {
        but(&self.supported, file)
    }

    /// Files other than this one that sound like tracks which they are not called.
    pub fn others_misnamed(&self, file: usize) -> usize {
        but(&self.misnamed, file)
    }

    /// Files other than this one that are on the release by themselves and not quite as long as their tracks.
    pub fn others_loose(&self, file: usize) -> usize {
        but(&self.loose, file)
    }

    /// Share of the files that are on the release by themselves.
    pub fn share(&self) -> f64 {
        let all = self.supported.iter().filter(|is_it| **is_it).count();
        all as f64 / self.supported.len().max(1) as f64
    }
}

/// Of how many files other than this one it is so.
fn but(is_so: &[bool], file: usize) -> usize {
    let all = is_so.iter().filter(|is_it| **is_it).count();
    all - usize::from(is_so[file])
}

/// How a file and a track go together.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is asked about by itself"
)]
struct Pair {
    score: f64,
    is_supported: bool,
    is_misnamed: bool,
    /// It has the track's title.
    is_named: bool,
    /// It is as long, or the track's length is not known.
    is_as_long: bool,
}

/// Fits `release` to the files of a folder; each track takes one file at most.
pub fn fit(siblings: &[Sibling], release: &Release) -> Fit {
    let titles: Vec<_> = release
        .tracks
        .iter()
        .map(|track| {
            [
                Title::parse(&track.title),
                Title::parse(&track.recording.title),
            ]
        })
        .collect();
    let is_whole = siblings.len() == release.tracks.len();
    let discs = release.discs();
    let mut pairs = Vec::new();
    for (file, sibling) in siblings.iter().enumerate() {
        for (at, track) in release.tracks.iter().enumerate() {
            let in_order = is_whole && file == at;
            let pair = pair(sibling, track, &titles[at], in_order, discs);
            if pair.score >= LEAST_PAIR {
                pairs.push((pair, file, at));
            }
        }
    }
    pairs.sort_by(|a, b| {
        let order = b.0.score.total_cmp(&a.0.score);
        order.then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2))
    });
    let mut fit = Fit::of_none(siblings.len());
    let mut named = vec![None; siblings.len()];
    let mut taken = vec![false; release.tracks.len()];
    for (pair, file, at) in pairs {
        if fit.tracks[file].is_none() && !taken[at] {
            fit.tracks[file] = Some(at);
            fit.supported[file] = pair.is_supported;
            fit.misnamed[file] = pair.is_misnamed;
            fit.loose[file] = pair.is_supported && !pair.is_as_long;
            let track = &release.tracks[at].recording.mbid;
            fit.chosen[file] = siblings[file].chosen.as_ref() == Some(track);
            named[file] = pair.is_named.then_some(at);
            taken[at] = true;
        }
    }
    if let Some(by) = slip(siblings, &named, release) {
        for (misnamed, named) in fit.misnamed.iter_mut().zip(&named) {
            *misnamed |= named.is_some();
        }
        put_back(&mut fit, siblings, &named, (release, by));
    }
    fit
}

/// So many files are as long as the track before or behind their own, and not by chance: of lengths that spread over
/// two minutes one in ten is within six seconds of another.
const LEAST_SLIPPED: usize = 4;

/// By how many tracks titles have slipped: whether the files that are named like tracks of a release are as long as those one
/// further on, or one before; most of them, and twice as many as are as long as their own tracks.
fn slip(siblings: &[Sibling], named: &[Option<usize>], release: &Release) -> Option<isize> {
    let as_long = |by: isize| {
        let files = siblings.iter().zip(named);
        let agree =
            files.filter(|(sibling, named)| is_as_long(sibling, beside(**named, by), release));
        agree.count()
    };
    let count = named.iter().flatten().count();
    let by = if as_long(1) >= as_long(-1) { 1 } else { -1 };
    let elsewhere = as_long(by);
    let have_slipped =
        elsewhere >= LEAST_SLIPPED && elsewhere * 2 > count && elsewhere >= 2 * as_long(0);
    have_slipped.then_some(by)
}

fn beside(track: Option<usize>, by: isize) -> Option<usize> {
    track?.checked_add_signed(by)
}

fn is_as_long(sibling: &Sibling, track: Option<usize>, release: &Release) -> bool {
    track
        .and_then(|at| release.tracks.get(at))
        .and_then(|track| track.length_ms.or(track.recording.length_ms))
        .is_some_and(|length| sibling.heard.length_ms.abs_diff(length) <= LENGTH_DIFFERS)
}

/// Puts files whose titles have slipped on the tracks that they are as long as, where nothing says more than a title.
fn put_back(
    fit: &mut Fit,
    siblings: &[Sibling],
    named: &[Option<usize>],
    (release, by): (&Release, isize),
) {
    let tracks = fit.tracks.clone();
    for (file, sibling) in siblings.iter().enumerate() {
        let is_by_title = named[file].is_some() && named[file] == tracks[file];
        let track = beside(named[file], by);
        let is_free = sibling.likely.is_empty() && sibling.chosen.is_none();
        if is_by_title && is_free && is_as_long(sibling, track, release) {
            fit.tracks[file] = track;
            fit.supported[file] = true;
            fit.slipped[file] = true;
        }
    }
}

/// Of one recording lengths are off by no more than this many ms, but for pauses. As of features of lengths.
const AS_LONG: u64 = 1_500;

/// Lengths that are off by no more than this many ms agree: pauses belong to one track or the other.
const LENGTH_AGREES: u64 = 3_000;

/// Lengths that are off by more than this many ms are those of another recording.
const LENGTH_DIFFERS: u64 = 6_000;

/// Whether a track of a release with so many discs has the number that the tags name, if they do.
pub fn is_placed(heard: &Heard, track: &Track, discs: u32) -> Option<bool> {
    // The discs of a box are releases of their own, more often than not.
    let is_on_disc = discs == 1 || heard.disc.is_none_or(|disc| disc == track.disc);
    heard
        .track
        .map(|number| number == track.number && is_on_disc)
}

fn pair(sibling: &Sibling, track: &Track, titles: &[Title; 2], in_order: bool, discs: u32) -> Pair {
    let heard = &sibling.heard;
    if sibling
        .chosen
        .as_ref()
        .is_some_and(|chosen| *chosen != track.recording.mbid)
    {
        // It is another recording, however alike.
        return Pair {
            score: 0.0,
            is_supported: false,
            is_misnamed: false,
            is_named: false,
            is_as_long: false,
        };
    }
    let known = track.length_ms.or(track.recording.length_ms);
    let apart = known.map(|length| heard.length_ms.abs_diff(length));
    let length = match apart {
        None => 0.5,
        Some(0..=1_500) => 1.0,
        Some(1_501..=LENGTH_AGREES) => 0.9,
        Some(3_001..=LENGTH_DIFFERS) => 0.6,
        Some(6_001..=12_000) => 0.25,
        Some(_) => 0.0,
    };
    let is_placed = is_placed(heard, track, discs);
    let place = match is_placed {
        Some(true) => 1.0,
        Some(false) => 0.2,
        None if in_order => 0.9,
        None => 0.5,
    };
    let parts = parts_of_title(heard, sibling.album.as_ref(), &track.title);
    let titles = || titles.iter().chain(&parts);
    let likeness = sibling
        .readings
        .iter()
        .flat_map(|reading| titles().map(|title| reading.title.relation(title).name))
        .max();
    // What is written in other letters cannot be compared.
    let is_foreign = heard.title.as_deref().is_some_and(|ours| {
        are_other_scripts(ours, &track.title) && are_other_scripts(ours, &track.recording.title)
    });
    let is_no_other = is_foreign || heard.is_by_path;
    let likeness = likeness.filter(|likeness| *likeness > Likeness::Different || !is_no_other);
    let is_near = |limit: u64| apart.map(|apart| apart <= limit);
    let (plain, by_tags): (f64, bool) = if let Some(likeness) = likeness {
        let title = match likeness {
            Likeness::Same => 1.0,
            Likeness::Misspelt => 0.9,
            Likeness::Longer => 0.5,
            Likeness::Different => 0.0,
        };
        let agrees = likeness >= Likeness::Misspelt && is_near(LENGTH_DIFFERS).unwrap_or(true);
        (0.5 * title + 0.3 * length + 0.2 * place, agrees)
    } else {
        let agrees =
            is_near(LENGTH_AGREES).unwrap_or(false) && (is_placed == Some(true) || in_order);
        (0.65 * length + 0.35 * place, agrees)
    };
    let is_named = likeness >= Some(Likeness::Misspelt);
    let is_as_long = apart.is_none_or(|apart| apart <= AS_LONG);
    match sibling.likely.get(&track.recording.mbid) {
        Some(known) => Pair {
            is_named,
            is_as_long,
            score: plain.max(0.5 + 0.3 * known + 0.15 * length + 0.05 * place),
            is_supported: by_tags || *known >= 0.5,
            is_misnamed: likeness == Some(Likeness::Different) && *known >= 0.5,
        },
        None => Pair {
            is_named,
            is_as_long,
            score: plain,
            is_supported: by_tags,
            is_misnamed: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Recording, ReleaseName};

    fn release(title: &str, lengths: &[u64]) -> Release {
        let track = |(at, length): (usize, &u64)| Track {
            disc: 1,
            number: at as u32 + 1,
            title: format!("Song number {}", at + 1),
            length_ms: Some(*length),
            recording: Recording {
                mbid: format!("{title}-{at}"),
                title: format!("Song number {}", at + 1),
                ..Recording::default()
            },
        };
        Release {
            name: ReleaseName {
                title: title.to_owned(),
                ..ReleaseName::default()
            },
            artist: "Tides".to_owned(),
            tracks: lengths.iter().enumerate().map(track).collect(),
        }
    }

    fn files(lengths: &[u64], titled: bool) -> Vec<Sibling> {
        let file = |(at, length): (usize, &u64)| {
            let heard = Heard {
                length_ms: *length + 400,
                title: titled.then(|| format!("Song number {}", at + 1)),
                track: titled.then_some(at as u32 + 1),
                ..Heard::default()
            };
            Sibling::new(&heard, HashMap::new())
        };
        lengths.iter().enumerate().map(file).collect()
    }

    const LENGTHS: [u64; 8] = [
        181_000, 243_000, 305_000, 199_000, 222_000, 260_000, 178_000, 412_000,
    ];

    #[test]
    fn the_right_release_fits_and_another_does_not() {
        let right = release("Tides", &LENGTHS);
        let wrong = release(
            "Ebb",
            &[
                201_000, 150_000, 330_000, 278_000, 140_000, 95_000, 300_000, 188_000,
            ],
        );
        for titled in [true, false] {
            let files = files(&LENGTHS, titled);
            let fits = fit(&files, &right);
            let numbers: Vec<_> = fits.tracks.iter().map(|track| track.unwrap()).collect();
            assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
            assert_eq!(fits.others(3), 7);
            assert!(fit(&files, &wrong).share() < 0.2);
        }
    }

    #[test]
    fn a_lone_file_has_no_others() {
        let files = files(&LENGTHS[..1], true);
        assert_eq!(fit(&files, &release("Tides", &LENGTHS)).others(0), 0);
    }

    /// Lengths alone tell that titles have slipped, where nothing was heard; one that fits by chance is not believed.
    #[test]
    fn titles_that_have_slipped_are_not_believed() {
        let mut lengths = LENGTHS.to_vec();
        lengths[1] = lengths[0] + 1_000;
        let release = release("Tides", &lengths);
        let straight = fit(&files(&lengths, true), &release);
        assert!(straight.misnamed.iter().all(|misnamed| !misnamed));
        let mut slipped = files(&lengths, true);
        for (at, file) in slipped.iter_mut().enumerate() {
            file.heard.title = Some(format!("Song number {}", (at + 1) % 8 + 1));
            file.heard.track = Some(((at + 1) % 8 + 1) as u32);
            *file = Sibling::new(&file.heard, HashMap::new());
        }
        let fit = fit(&slipped, &release);
        assert!(fit.misnamed.iter().all(|misnamed| *misnamed), "{fit:?}");
        // The one whose own track would be before the first stays where its title has it.
        let tracks: Vec<_> = fit.tracks.iter().map(|track| track.unwrap()).collect();
        assert_eq!(tracks, [0, 1, 2, 3, 4, 5, 6, 0], "{fit:?}");
        assert_eq!(fit.slipped.iter().filter(|slipped| **slipped).count(), 7);
    }

    #[test]
    fn titles_that_have_slipped_do_not_count_against_fingerprints() {
        let release = release("Tides", &LENGTHS);
        let mut files = files(&LENGTHS, true);
        for (at, file) in files.iter_mut().enumerate() {
            file.heard.title = Some(format!("Song number {}", (at + 1) % 8 + 1));
            let likely = HashMap::from([(format!("Tides-{at}"), 0.9)]);
            *file = Sibling::new(&file.heard, likely);
        }
        let numbers: Vec<_> = fit(&files, &release).tracks.into_iter().flatten().collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
