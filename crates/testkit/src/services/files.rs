//! Files of a world: whatever people have on their disks.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::world::{Edition, World};
use crate::synth::Random;

/// How well a file is tagged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tagging {
    /// Everything is right, ids among it.
    Ids,
    /// Everything is right, without ids.
    Good,
    /// Spelt badly, incomplete.
    Poor,
    /// Somebody else's.
    Wrong,
    /// None at all.
    None,
    /// Of music that no service knows.
    Unknown,
}

/// A file as it would be recorded.
#[derive(Clone, Debug)]
pub struct MadeFile {
    /// Its path in the library.
    pub path: String,
    /// Its length in ms.
    pub length_ms: u64,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Its tags, as `accession_files.tags` has them.
    pub tags: Value,
    /// How well it is tagged.
    pub tagging: Tagging,
    /// The recording it is.
    pub truth: Option<String>,
    /// Whether somebody with all the answers could tell.
    pub identifiable: bool,
}

const TICKS: u64 = 28_224;

/// Folders of files from releases of the world, whose fingerprints become known to it.
pub fn files_of(world: &mut World, seed: u64, folders: usize) -> Vec<MadeFile> {
    let mut random = Random::new(seed);
    let mut files = Vec::new();
    for folder in 0..folders {
        let tagging = match random.below(20) {
            0..=4 => Tagging::Ids,
            5..=9 => Tagging::Good,
            10..=12 => Tagging::Poor,
            13 | 14 => Tagging::Wrong,
            15..=17 => Tagging::None,
            _ => Tagging::Unknown,
        };
        let release = random.below(world.releases.len() as u64) as usize;
        let release = world.releases[release].clone();
        // Not everybody has whole albums.
        let single = random.below(4) == 0;
        let only = random.below(release.tracks.len() as u64) as usize;
        for (at, track) in release.tracks.iter().enumerate() {
            if single && at != only {
                continue;
            }
            let fingerprint = format!("FP{folder}x{at}");
            let is_unknown = tagging == Tagging::Unknown;
            let sent_in = !is_unknown && random.below(100) < 85;
            let share = if sent_in {
                world.link(&fingerprint, track.recording, &mut random)
            } else {
                0.0
            };
            let padding = random.below(1_400) as i64 - 500;
            let length_ms = track.length_ms.saturating_add_signed(padding);
            let tags = tags(world, &release, at, tagging, &mut random);
            let recording = &world.recordings[track.recording];
            let names_it =
                matches!(tagging, Tagging::Good) && world.confusable(track.recording) == 0;
            files.push(MadeFile {
                path: format!("folder {folder:03}/{:02} track.flac", at + 1),
                length_ms: if is_unknown {
                    length_ms + 30_000 + random.below(90_000)
                } else {
                    length_ms
                },
                fingerprint,
                tags,
                tagging,
                truth: (!is_unknown).then(|| recording.mbid.clone()),
                identifiable: !is_unknown && (share >= 0.6 || tagging == Tagging::Ids || names_it),
            });
        }
    }
    files
}

fn tags(
    world: &World,
    release: &super::world::Release,
    at: usize,
    tagging: Tagging,
    random: &mut Random,
) -> Value {
    let track = &release.tracks[at];
    let recording = &world.recordings[track.recording];
    let full = |title: &str, artist: &str, album: &str| {
        json!({"title": title, "artist": artist, "album": album, "track": track.number, "disc": track.disc,
               "track_total": release.tracks.len()})
    };
    match tagging {
        Tagging::Ids => {
            let mut tags = full(&track.title, &recording.artist, &release.title);
            tags["recording_mbid"] = json!(recording.mbid);
            tags["release_mbid"] = json!(release.mbid);
            if let Some(isrc) = &recording.isrc {
                tags["isrc"] = json!(isrc);
            }
            tags
        }
        Tagging::Good => full(&track.title, &recording.artist, &release.title),
        Tagging::Poor => {
            let mut title = track.title.to_lowercase().replace(' ', "  ");
            if title.len() > 5 {
                title.remove(4);
            }
            match random.below(3) {
                0 => json!({"title": title, "artist": recording.artist.to_uppercase()}),
                1 => json!({"title": format!("Track {:02}", at + 1), "artist": recording.artist}),
                _ => json!({"title": title, "album": release.title, "artist": "Unknown Artist"}),
            }
        }
        Tagging::Wrong => {
            let other = &world.recordings[random.below(world.recordings.len() as u64) as usize];
            let mut tags = full(&other.title, &other.artist, "Greatest Hits");
            if random.below(3) == 0 {
                tags["recording_mbid"] = json!(other.mbid);
            }
            tags
        }
        Tagging::None => json!({}),
        Tagging::Unknown => match random.below(4) {
            0 => json!({}),
            1 => full("Basement Tape 7", "Nobody In Particular", "At Home"),
            // Of somebody known, but a song that is not.
            2 => full(
                "The Unwritten Ballad of Zebulon",
                &recording.artist,
                "Lost Tapes",
            ),
            // A song that is known, by somebody who is not known to have sung it.
            _ => full(
                &format!("{} (karaoke)", recording.title),
                &recording.artist,
                "Karaoke Night",
            ),
        },
    }
}

/// Writes files to a library as if they had been imported, one passage each.
pub fn seed(database: &Path, files: &[MadeFile]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(database)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    let tx = connection.transaction()?;
    for (at, file) in files.iter().enumerate() {
        let (id, passage) = (
            super::mbid("file", at as u64),
            super::mbid("passage", at as u64),
        );
        let ticks = file.length_ms * TICKS;
        let tag = |name: &str| file.tags[name].as_str().map(str::to_owned);
        tx.execute(
            "INSERT INTO files (guid, path, hash, duration_ticks, modification_time, status) \
             VALUES (?1, ?2, ?3, ?4, '2025-01-01 00:00:00', 'INGEST COMPLETE')",
            params![id, file.path, format!("{at:064x}"), ticks as i64],
        )?;
        tx.execute(
            "INSERT INTO accession_files (file_id, modified_ns, analysis_version, tags) VALUES (?1, 0, 99, ?2)",
            params![id, file.tags.to_string()],
        )?;
        tx.execute(
            "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, title, artist, album, \
                title_source, artist_source, album_source, decode_status, status) \
             VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, 'tags', 'tags', 'tags', 'successful', 'INGEST COMPLETE')",
            params![passage, id, ticks as i64, tag("title"), tag("artist"), tag("album")],
        )?;
        tx.execute(
            "INSERT INTO accession_fingerprints (passage_id, algorithm, duration_ticks, fingerprint) \
             VALUES (?1, 1, ?2, ?3)",
            params![passage, ticks as i64, file.fingerprint],
        )?;
    }
    tx.commit()
}

/// An album in one file: what silence made of it, what else is quiet, and how it really is.
#[derive(Clone, Debug)]
pub struct MadeRip {
    /// Passages that silence found: start and end in ms.
    pub spans: Vec<(u64, u64)>,
    /// Quiet spots: where in ms, and how deep in dB.
    pub spots: Vec<(u64, f64)>,
    /// Where tracks really begin, the first left out, and whether something can be heard there.
    pub starts: Vec<(u64, bool)>,
    /// Editions, the right one among them.
    pub editions: Vec<Edition>,
    /// Which one is right.
    pub right: usize,
}

/// The album rip of a number.
pub fn rip_of(number: u64) -> MadeRip {
    let mut random = Random::new(number ^ 0xa1b2);
    let count = 7 + random.below(12) as usize;
    let lengths: Vec<u64> = (0..count).map(|_| 95_000 + random.below(330_000)).collect();
    let mut rip = MadeRip {
        spans: Vec::new(),
        spots: Vec::new(),
        starts: Vec::new(),
        editions: Vec::new(),
        right: 0,
    };
    let mut at = random.below(2_000);
    let mut begin = at;
    for (track, length) in lengths.iter().enumerate() {
        let mut from = at;
        // Rests that silence takes for gaps, and spots that are only a little quiet.
        if random.below(6) == 0 {
            let rest = at + length / 3 + random.below(length / 3);
            let pause = 350 + random.below(1_200);
            rip.spans.push((begin, rest));
            begin = rest + pause;
            from = begin;
        }
        while from + 25_000 < at + length {
            from += 15_000 + random.below(40_000);
            if from + 5_000 < at + length {
                rip.spots.push((from, 3.0 + random.unit() * 8.0));
            }
        }
        let end = at + length;
        at = end;
        if track + 1 == count {
            rip.spans
                .push((begin, end.saturating_sub(random.below(1_500))));
            break;
        }
        match random.below(100) {
            0..=79 => {
                // The pause belongs to the track before it, as on a compact disc.
                let pause = 400 + random.below(2_400);
                rip.spans.push((begin, end - pause));
                begin = end + random.below(250);
                rip.starts.push((end, true));
            }
            80..=95 => {
                rip.spots
                    .push((end - 200 + random.below(400), 10.0 + random.unit() * 12.0));
                rip.starts.push((end, true));
            }
            _ => rip.starts.push((end, false)),
        }
    }
    rip.spots.sort_by_key(|(at, _)| *at);
    rip.editions = editions(&lengths, &rip.starts, &mut random);
    rip.right = random.below(rip.editions.len() as u64 + 1) as usize;
    let rounded = lengths
        .iter()
        .map(|length| length.saturating_add_signed(random.below(2_400) as i64 - 1_200));
    let right = Edition {
        lengths: rounded.collect(),
    };
    rip.editions.insert(rip.right, right);
    rip
}

/// Nineteen editions that are not this one.
///
/// One that takes two tracks for one does so where the boundary between them can be heard: where it
/// cannot, the audio does not tell which of the two is right.
fn editions(lengths: &[u64], starts: &[(u64, bool)], random: &mut Random) -> Vec<Edition> {
    (0..19)
        .map(|kind| {
            let mut other = lengths.to_vec();
            match kind % 6 {
                0 => {
                    other.extend((0..=random.below(5)).map(|_| 120_000 + random.below(200_000)));
                }
                1 => {
                    other.remove(random.below(other.len() as u64) as usize);
                }
                2 => {
                    let (a, b) = (
                        random.below(other.len() as u64),
                        random.below(other.len() as u64),
                    );
                    other.swap(a as usize, b as usize);
                    other.rotate_left(1);
                }
                3 => {
                    for length in &mut other {
                        *length = length.saturating_add_signed(random.below(18_000) as i64 - 9_000);
                    }
                }
                4 => {
                    let mut at = random.below(other.len() as u64 - 1) as usize;
                    while !starts[at].1 {
                        at = (at + 1) % starts.len();
                    }
                    let both = other.remove(at);
                    other[at] += both;
                }
                _ => {
                    for length in &mut other {
                        *length = 95_000 + random.below(330_000);
                    }
                }
            }
            Edition { lengths: other }
        })
        .collect()
}
