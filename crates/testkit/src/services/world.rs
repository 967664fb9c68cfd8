//! A `MusicBrainz` that is a function of a number, with everything that makes it hard: editions,
//! remasters, live versions, box sets, collections and namesakes.

use std::collections::HashMap;

use crate::synth::Random;

/// Kinds of releases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// An album as it came out.
    #[default]
    Album,
    /// The same recordings again, perhaps with more at the end.
    Edition,
    /// Recordings of their own, of the same titles and nearly the same lengths.
    Remaster,
    /// Played live.
    Live,
    /// Albums in a box.
    Box,
    /// The best of somebody.
    Collection,
}

/// What edition a release is of an album, for rips.
#[derive(Clone, Debug)]
pub struct Edition {
    /// Lengths of its tracks in ms.
    pub lengths: Vec<u64>,
}

/// What an artist is called elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Artist {
    /// As a catalogue sorts it.
    pub sort_name: String,
    /// Other names and spellings.
    pub aliases: Vec<String>,
    /// What tells it from others of that name.
    pub remark: String,
}

/// A further artist of a recording.
#[derive(Clone, Debug)]
pub struct Guest {
    /// What joins it to the one before.
    pub join: String,
    /// Its name.
    pub name: String,
    /// Its id.
    pub mbid: String,
}

/// A recording.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Its id.
    pub mbid: String,
    /// Its title.
    pub title: String,
    /// What tells it from others.
    pub remark: String,
    /// Its artist.
    pub artist: String,
    /// The artist's id.
    pub artist_mbid: String,
    /// Its work's id.
    pub work_mbid: String,
    /// Its length in ms.
    pub length_ms: u64,
    /// Its ISRC.
    pub isrc: Option<String>,
    /// Further artists.
    pub guests: Vec<Guest>,
    /// Nobody has entered its length.
    pub unmeasured: bool,
}

/// A track of a release.
#[derive(Clone, Debug, Default)]
pub struct Track {
    /// From 1.
    pub disc: u32,
    /// On the disc, from 1.
    pub number: u32,
    /// Its title here.
    pub title: String,
    /// Its length in ms.
    pub length_ms: u64,
    /// The recording, by index.
    pub recording: usize,
    /// Its number as printed, such as `A1`; empty if that is its number on the disc.
    pub label: String,
}

/// A release.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// Its id.
    pub mbid: String,
    /// Its title.
    pub title: String,
    /// Its artist.
    pub artist: String,
    /// The artist's id.
    pub artist_mbid: String,
    /// When it came out.
    pub date: String,
    /// What kind it is.
    pub kind: Kind,
    /// Its tracks.
    pub tracks: Vec<Track>,
    /// What tells it from others of that title.
    pub remark: String,
    /// The release group's id; empty if it has one of its own.
    pub group: String,
    /// Secondary types of its release group.
    pub secondary: Vec<&'static str>,
    /// Nobody has entered the lengths of its tracks.
    pub unmeasured: bool,
    /// What it is pressed on; empty for a compact disc.
    pub format: &'static str,
}

/// Fingerprints that are alike, and what people said they are.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) id: String,
    pub(super) score: f64,
    /// What people said it is.
    pub(super) recordings: Vec<Linked>,
}

/// What some people said a fingerprint is.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The recording, by index.
    pub recording: usize,
    /// How many said so.
    pub sources: u64,
    /// The id it had before it was merged into another, if that is what they said.
    pub former: Option<String>,
    /// The service knows the id and nothing else of it.
    pub nameless: bool,
}

/// All that the services know.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Recordings.
    pub recordings: Vec<Recording>,
    /// Releases.
    pub releases: Vec<Release>,
    /// Artists by id, those that have other names.
    pub artists: HashMap<String, Artist>,
    /// Ids of recordings that were merged into others, with what they are now.
    pub merged: HashMap<String, String>,
    links: HashMap<String, Vec<Cluster>>,
    /// Who is the same music in another mastering.
    twins: HashMap<usize, usize>,
}

const FIRST: [&str; 24] = [
    "Silver",
    "Midnight",
    "Paper",
    "Broken",
    "Golden",
    "Distant",
    "Electric",
    "Hollow",
    "Crimson",
    "Winter",
    "Burning",
    "Quiet",
    "Velvet",
    "Restless",
    "Northern",
    "Lonely",
    "Frozen",
    "Wandering",
    "Secret",
    "Ancient",
    "Crooked",
    "Gentle",
    "Savage",
    "Pale",
];
const SECOND: [&str; 24] = [
    "River", "Train", "Window", "Garden", "Harbour", "Mirror", "Summer", "Letter", "Engine",
    "Mountain", "Shadow", "Daughter", "Highway", "Lantern", "Ocean", "Kingdom", "Station",
    "Orchard", "Signal", "Horizon", "Castle", "Avenue", "Island", "Feather",
];
/// Titles that everybody has a song of.
const COMMON: [&str; 6] = ["Home", "Hold On", "Tonight", "Angel", "Heaven", "Intro"];

/// An id that belongs to a name and a number.
pub fn mbid(kind: &str, number: u64) -> String {
    let seed = kind
        .bytes()
        .fold(number.wrapping_mul(0x9e37_79b9), |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
    let mut random = Random::new(seed);
    let (a, b) = (random.bits(), random.bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        (b >> 48) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

impl World {
    /// The world of `seed`, with so many albums and what belongs to them.
    pub fn generate(seed: u64, albums: usize) -> Self {
        let mut random = Random::new(seed);
        let mut world = Self::default();
        let mut made = Vec::new();
        for album in 0..albums {
            // Every artist makes two albums; every ninth has a namesake.
            let artist = album / 2;
            let name = if artist % 9 == 8 { artist - 1 } else { artist };
            let artist_name = format!(
                "{} {}s",
                FIRST[name % 24],
                SECOND[(name / 24 + name * 7) % 24]
            );
            let artist_mbid = mbid("artist", artist as u64);
            let first = world.releases.len();
            world.album(&mut random, &artist_name, &artist_mbid, album);
            made.push(first);
            world.variations(&mut random, first);
        }
        for chunk in made.chunks(6).filter(|chunk| chunk.len() >= 2) {
            world.boxed(&mut random, &chunk[..2]);
            world.collection(&mut random, &chunk[..2]);
        }
        world
    }

    fn album(&mut self, random: &mut Random, artist: &str, artist_mbid: &str, album: usize) {
        let count = 8 + random.below(7) as usize;
        let mut tracks = Vec::new();
        for number in 0..count {
            let title = if random.below(12) == 0 {
                (*random.pick(&COMMON)).to_owned()
            } else {
                format!("{} {}", random.pick(&FIRST), random.pick(&SECOND))
            };
            let length = 110_000 + random.below(310_000);
            let recording = self.record(random, (&title, "", length), artist, artist_mbid);
            tracks.push(track(1, number, &title, length, recording));
        }
        let title = format!(
            "{} {}",
            FIRST[(album * 5 + 3) % 24],
            SECOND[(album * 11 + 1) % 24]
        );
        self.publish(
            &title,
            artist,
            artist_mbid,
            Kind::Album,
            1970 + album % 40,
            tracks,
        );
    }

    fn record(
        &mut self,
        random: &mut Random,
        (title, remark, length_ms): (&str, &str, u64),
        artist: &str,
        artist_mbid: &str,
    ) -> usize {
        let number = self.recordings.len();
        self.recordings.push(Recording {
            mbid: mbid("recording", number as u64),
            title: title.to_owned(),
            remark: remark.to_owned(),
            artist: artist.to_owned(),
            artist_mbid: artist_mbid.to_owned(),
            work_mbid: mbid("work", number as u64),
            length_ms,
            isrc: (random.below(3) == 0).then(|| format!("GBAAA{number:07}")),
            ..Recording::default()
        });
        number
    }

    fn publish(
        &mut self,
        title: &str,
        artist: &str,
        artist_mbid: &str,
        kind: Kind,
        year: usize,
        tracks: Vec<Track>,
    ) {
        self.releases.push(Release {
            mbid: mbid("release", self.releases.len() as u64),
            title: title.to_owned(),
            artist: artist.to_owned(),
            artist_mbid: artist_mbid.to_owned(),
            date: format!("{year}-05-01"),
            kind,
            tracks,
            ..Release::default()
        });
    }

    /// Editions, a remaster, a live album of some of the albums.
    fn variations(&mut self, random: &mut Random, first: usize) {
        let base = self.releases[first].clone();
        let (artist, id) = (base.artist.clone(), base.artist_mbid.clone());
        let live_of = |world: &mut Self, random: &mut Random, one: &Track| {
            let apart = 6_000 + random.below(50_000);
            let length = if random.below(2) == 0 {
                one.length_ms + apart
            } else {
                one.length_ms.saturating_sub(apart).max(60_000)
            };
            let named = random.below(2) == 0;
            let title = if named {
                format!("{} (live)", one.title)
            } else {
                one.title.clone()
            };
            let remark = if named {
                ""
            } else {
                "live, 1979-08-02: Town Hall"
            };
            let recording = world.record(random, (&title, remark, length), &artist, &id);
            (title, length, recording)
        };
        for edition in 0..=random.below(2) {
            let mut tracks = base.tracks.clone();
            for track in &mut tracks {
                track.length_ms = track
                    .length_ms
                    .saturating_add_signed(random.below(1_600) as i64 - 800);
            }
            for extra in 0..random.below(4) {
                let source = base.tracks[extra as usize].clone();
                let (title, length, recording) = if random.below(2) == 0 {
                    live_of(self, random, &source)
                } else {
                    let title = format!("{} (demo)", source.title);
                    let length = source.length_ms - 20_000 - random.below(20_000);
                    let recording = self.record(random, (&title, "", length), &artist, &id);
                    (title, length, recording)
                };
                tracks.push(track(1, tracks.len(), &title, length, recording));
            }
            let year = 1985 + (first + edition as usize) % 30;
            self.publish(&base.title, &artist, &id, Kind::Edition, year, tracks);
        }
        if random.below(5) < 2 {
            let mut tracks = Vec::new();
            for (number, one) in base.tracks.iter().enumerate() {
                let length = one.length_ms + random.below(1_500);
                let recording =
                    self.record(random, (&one.title, "2009 remaster", length), &artist, &id);
                self.twins.insert(one.recording, recording);
                tracks.push(track(1, number, &one.title, length, recording));
            }
            let title = format!("{} (remastered)", base.title);
            self.publish(&title, &artist, &id, Kind::Remaster, 2009, tracks);
        }
        if random.below(10) < 3 {
            let mut tracks = Vec::new();
            for (number, one) in base.tracks.iter().enumerate() {
                let (title, length, recording) = live_of(self, random, one);
                tracks.push(track(1, number, &title, length, recording));
            }
            let title = format!("Live at the {}", random.pick(&SECOND));
            self.publish(&title, &artist, &id, Kind::Live, 1980, tracks);
        }
    }

    fn boxed(&mut self, random: &mut Random, albums: &[usize]) {
        let mut tracks = Vec::new();
        for (disc, album) in albums.iter().enumerate() {
            for one in &self.releases[*album].tracks {
                tracks.push(Track {
                    disc: disc as u32 + 1,
                    ..one.clone()
                });
            }
        }
        let first = self.releases[albums[0]].clone();
        let title = format!("The {} Box", random.pick(&SECOND));
        self.publish(
            &title,
            &first.artist,
            &first.artist_mbid,
            Kind::Box,
            2001,
            tracks,
        );
    }

    fn collection(&mut self, random: &mut Random, albums: &[usize]) {
        let all: Vec<_> = albums
            .iter()
            .flat_map(|album| self.releases[*album].tracks.clone())
            .collect();
        let tracks = (0..10)
            .map(|number| {
                let one = random.pick(&all);
                track(1, number, &one.title, one.length_ms, one.recording)
            })
            .collect();
        let first = self.releases[albums[0]].clone();
        let title = format!("The Best of {}", first.artist);
        self.publish(
            &title,
            &first.artist,
            &first.artist_mbid,
            Kind::Collection,
            1999,
            tracks,
        );
    }

    /// The recording of an id.
    pub fn recording(&self, mbid: &str) -> Option<&Recording> {
        let mbid = self.merged.get(mbid).map_or(mbid, String::as_str);
        self.recordings.iter().find(|one| one.mbid == mbid)
    }

    /// Makes a fingerprint known, as alike as `score` says, for what people said it is.
    pub fn know(&mut self, fingerprint: &str, score: f64, recordings: Vec<Linked>) {
        let id = mbid("cluster", self.links.len() as u64);
        let cluster = Cluster {
            id,
            score,
            recordings,
        };
        self.links
            .entry(fingerprint.to_owned())
            .or_default()
            .push(cluster);
    }

    /// Recordings of the same artist, title and nearly the same length, this one not among them.
    pub fn confusable(&self, recording: usize) -> usize {
        let this = &self.recordings[recording];
        let same = |one: &&Recording| {
            one.mbid != this.mbid
                && one.artist == this.artist
                && one.title == this.title
                && one.length_ms.abs_diff(this.length_ms) <= 10_000
        };
        self.recordings.iter().filter(same).count()
    }

    /// Makes a fingerprint known for a recording. Now and then somebody sent in the wrong thing, and
    /// half of the remasters sound like what they were made of. Returns the share of people who are right.
    pub fn link(&mut self, fingerprint: &str, recording: usize, random: &mut Random) -> f64 {
        let own = 1 + random.below(60);
        let mut recordings = vec![(recording, own)];
        if random.below(10) == 0 {
            let wrong = random.below(self.recordings.len() as u64) as usize;
            if wrong != recording {
                recordings.push((wrong, 1 + own / 12));
            }
        }
        let twin = self.twins.get(&recording).copied().or_else(|| {
            let of = |(_, twin): &(&usize, &usize)| **twin == recording;
            self.twins.iter().find(of).map(|(one, _)| *one)
        });
        if let Some(twin) = twin.filter(|_| random.below(2) == 0) {
            recordings.push((twin, 1 + random.below(own + 5)));
        }
        let all: u64 = recordings.iter().map(|(_, sources)| sources).sum();
        let score = match random.below(10) {
            0 => 0.7 + random.unit() * 0.1,
            1 | 2 => 0.82 + random.unit() * 0.12,
            _ => 0.95 + random.unit() * 0.05,
        };
        let linked = recordings.into_iter().map(|(recording, sources)| Linked {
            recording,
            sources,
            former: None,
            nameless: false,
        });
        let linked = linked.collect();
        self.know(fingerprint, score, linked);
        own as f64 / all as f64 * if score >= 0.8 { 1.0 } else { 0.0 }
    }

    /// The release of an id.
    pub fn release(&self, mbid: &str) -> Option<&Release> {
        self.releases.iter().find(|one| one.mbid == mbid)
    }

    pub(super) fn releases_of<'a>(
        &'a self,
        recording: &'a str,
    ) -> impl Iterator<Item = &'a Release> {
        self.releases.iter().filter(move |release| {
            let is_it = |track: &Track| self.recordings[track.recording].mbid == recording;
            release.tracks.iter().any(is_it)
        })
    }

    pub(super) fn links(&self, fingerprint: &str) -> &[Cluster] {
        self.links.get(fingerprint).map_or(&[], Vec::as_slice)
    }
}

fn track(disc: u32, at: usize, title: &str, length_ms: u64, recording: usize) -> Track {
    Track {
        disc,
        number: at as u32 + 1,
        title: title.to_owned(),
        length_ms,
        recording,
        label: String::new(),
    }
}
