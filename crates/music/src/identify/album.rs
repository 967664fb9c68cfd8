//! Fits the files of a folder to the tracks of a release.
//!
//! One track of three minutes says little, ten whose lengths agree in order say nearly everything:
//! what a file gets from its album grows with the number of siblings that fit.

use std::collections::HashMap;

use crate::identify::catalogue::{Release, Track};
use crate::identify::evidence::{Evidence, Heard, Source};
use crate::identify::text::{Title, Versions, title_similarity, versions_of_album};

/// Below this a file and a track have nothing to do with each other.
const LEAST_PAIR: f64 = 0.55;

/// Below this a release is not that of the folder.
const LEAST_QUALITY: f64 = 0.55;

/// A file of the folder.
#[derive(Debug, Clone, Default)]
pub struct Sibling {
    /// What is known of it.
    pub heard: Heard,
    /// Recordings that something else speaks for, and how much.
    pub likely: HashMap<String, f64>,
}

/// How a release fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// How well all in all, 0 to 1.
    pub quality: f64,
    /// Files whose length is that of their track within 2 s.
    pub lengths_agree: usize,
    /// Per file its track, by index, and how well they fit.
    pub tracks: Vec<Option<(usize, f64)>>,
}

/// Fits `release` to the files of a folder; each track takes one file at most.
pub fn fit(siblings: &[Sibling], release: &Release) -> Fit {
    let parsed: Vec<_> = release
        .tracks
        .iter()
        .map(|track| {
            let recording = Title::parse(&track.recording.title);
            (
                Title::parse(&track.title),
                recording.with_remark(&track.recording.remark),
            )
        })
        .collect();
    let mut pairs = Vec::new();
    for (at, sibling) in siblings.iter().enumerate() {
        let title = sibling.heard.title.as_deref().map(Title::parse);
        for (number, track) in release.tracks.iter().enumerate() {
            let in_order = siblings.len() == release.tracks.len() && at == number;
            let alike = title
                .as_ref()
                .map(|title| title_score(title, &parsed[number], sibling));
            let score = pair(sibling, track, in_order, alike);
            if score >= LEAST_PAIR {
                pairs.push((score, at, number));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut tracks = vec![None; siblings.len()];
    let mut taken = vec![false; release.tracks.len()];
    for (score, at, number) in pairs {
        if tracks[at].is_none() && !taken[number] {
            tracks[at] = Some((number, score));
            taken[number] = true;
        }
    }
    judge(siblings, release, tracks)
}

fn judge(siblings: &[Sibling], release: &Release, tracks: Vec<Option<(usize, f64)>>) -> Fit {
    let matched: Vec<_> = tracks.iter().flatten().collect();
    let sum: f64 = matched.iter().map(|(_, score)| score).sum();
    let covered = sum / siblings.len().max(1) as f64;
    // A folder may be one disc of several; discs that nothing lies on do not count.
    let on_discs = release
        .tracks
        .iter()
        .filter(|track| {
            matched
                .iter()
                .any(|(at, _)| release.tracks[*at].disc == track.disc)
        })
        .count();
    let complete = matched.len() as f64 / on_discs.max(1) as f64;
    let lengths_agree = siblings
        .iter()
        .zip(&tracks)
        .filter(|(sibling, track)| {
            track.is_some_and(|(at, _)| {
                apart(sibling, &release.tracks[at]).is_some_and(|apart| apart <= 2.0)
            })
        })
        .count();
    Fit {
        quality: covered * (0.6 + 0.4 * complete) * name_factor(siblings, release),
        lengths_agree,
        tracks,
    }
}

/// What the album in the tags says of the release's name.
fn name_factor(siblings: &[Sibling], release: &Release) -> f64 {
    let named: Vec<_> = siblings
        .iter()
        .filter_map(|sibling| sibling.heard.album.as_deref())
        .collect();
    let Some(album) = named.first() else {
        return 1.0;
    };
    let (ours, theirs) = (Title::parse(album), Title::parse(&release.name.title));
    if title_similarity(&ours, &theirs) < 0.75 {
        return 0.8;
    }
    match ours.compare_versions(&theirs, &std::collections::BTreeSet::new()) {
        Versions::Same => 1.0,
        Versions::Unclear => 0.8,
        Versions::Different => 0.6,
    }
}

fn apart(sibling: &Sibling, track: &Track) -> Option<f64> {
    let length = track.length_ms.or(track.recording.length_ms)?;
    Some(sibling.heard.length_ms.abs_diff(length) as f64 / 1000.0)
}

/// How well two titles fit, another version not at all.
fn title_score(title: &Title, track: &(Title, Title), sibling: &Sibling) -> f64 {
    let context = sibling
        .heard
        .album
        .as_deref()
        .map(versions_of_album)
        .unwrap_or_default();
    let of = |other: &Title| {
        let alike = title_similarity(title, other);
        match title.compare_versions(other, &context) {
            Versions::Same => alike,
            Versions::Unclear => alike * 0.95,
            Versions::Different => alike * 0.4,
        }
    };
    of(&track.0).max(of(&track.1))
}

fn pair(sibling: &Sibling, track: &Track, in_order: bool, title: Option<f64>) -> f64 {
    let heard = &sibling.heard;
    let length = match apart(sibling, track) {
        None => 0.6,
        Some(a) if a <= 1.5 => 1.0,
        Some(a) if a <= 3.0 => 0.9,
        Some(a) if a <= 5.0 => 0.7,
        Some(a) if a <= 10.0 => 0.3,
        Some(_) => 0.0,
    };
    let numbered = heard.track.map(|number| {
        let disc = heard.disc.is_none_or(|disc| disc == track.disc);
        number == track.number && disc
    });
    let place = match numbered {
        Some(true) => 1.0,
        Some(false) => 0.3,
        None if in_order => 0.9,
        None => 0.5,
    };
    let plain = match title {
        Some(title) => 0.45 * title + 0.40 * length + 0.15 * place,
        None => 0.70 * length + 0.30 * place,
    };
    let known = sibling.likely.get(&track.recording.mbid).copied();
    match known {
        Some(known) => plain.max(0.5 * known + 0.4 * length + 0.1 * place),
        None => plain,
    }
}

/// What a fitting release is worth for each file: its track's index and the evidence.
pub fn evidence(fit: &Fit, release: &Release) -> Vec<Option<(usize, Evidence)>> {
    let by_number = match fit.lengths_agree {
        0 => 0.0,
        1 => 0.20,
        2 => 0.38,
        3 => 0.52,
        4 => 0.62,
        5 => 0.70,
        6 => 0.76,
        7 => 0.80,
        8 => 0.84,
        9 => 0.87,
        _ => 0.90,
    };
    fit.tracks
        .iter()
        .map(|track| {
            let (at, score) = (*track)?;
            if fit.quality < LEAST_QUALITY || by_number == 0.0 {
                return None;
            }
            let because = format!(
                "track {} of `{}`, whose lengths fit {} of {} files",
                at + 1,
                release.name.title,
                fit.lengths_agree,
                fit.tracks.len()
            );
            let evidence = Evidence {
                source: Source::Album,
                confidence: by_number * fit.quality.sqrt() * score.sqrt(),
                because,
            };
            Some((at, evidence))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::catalogue::{Recording, ReleaseName};

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
        let file = |(at, length): (usize, &u64)| Sibling {
            heard: Heard {
                length_ms: *length + 400,
                title: titled.then(|| format!("Song number {}", at + 1)),
                track: titled.then_some(at as u32 + 1),
                ..Heard::default()
            },
            likely: HashMap::new(),
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
            assert_eq!(fits.lengths_agree, 8);
            assert!(fits.quality > 0.9, "{fits:?}");
            let numbers: Vec<_> = fits.tracks.iter().map(|track| track.unwrap().0).collect();
            assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
            assert!(evidence(&fits, &right)[0].as_ref().unwrap().1.confidence > 0.75);
            assert!(fit(&files, &wrong).quality < fits.quality * 0.7);
        }
    }

    #[test]
    fn a_box_set_fits_less_than_the_album_in_it() {
        let album = release("Tides", &LENGTHS);
        let mut many = LENGTHS.to_vec();
        many.extend((0..120).map(|n| 150_000 + n * 1_700));
        let files = files(&LENGTHS, true);
        assert!(fit(&files, &release("Tides", &many)).quality < fit(&files, &album).quality);
    }
}
