//! A world by another hand: what public trackers of taggers report as matched wrongly.
//!
//! Each situation is small and stands for a kind of report: versions that the catalogue lacks, codes
//! that contradict names, namesakes a letter apart, names as people write them, scripts, missing
//! data. It is hard on purpose, so shares of right answers here are no field rates. Nothing in it
//! was written from the code that it measures.

mod asking;
mod codes;
mod more;
mod names;
mod people;
mod qualifiers;
mod words;

use serde_json::{Value, json};

use super::files::{MadeFile, Tagging};
use super::world::{Artist, Guest, Linked, Recording, Release, Track, World, mbid};
use crate::synth::Random;

/// A file of a situation.
#[derive(Clone, Debug)]
pub struct HardFile {
    /// The kind of situation.
    pub kind: &'static str,
    /// The file; `identifiable` says that the evidence is clear.
    pub file: MadeFile,
}

/// An artist of the world.
#[derive(Clone, Debug)]
struct Person {
    name: String,
    mbid: String,
}

/// A track before it is on a release: its title there, its length and its recording.
type Cut = (String, u64, usize);

/// How a release is told from others.
#[derive(Clone, Copy, Debug, Default)]
struct About<'a> {
    remark: &'a str,
    group: &'a str,
    secondary: &'a [&'static str],
    year: u64,
    unmeasured: bool,
}

/// What `AcoustID` knows of a file.
enum Print {
    /// Nothing.
    Unknown,
    /// Whatever is usual: the recording, or nothing, or a few people who err.
    Usual(usize),
    /// Just this: score, and recordings with people.
    Just(f64, Vec<Linked>),
}

/// Builds the world and its files.
struct Maker {
    world: World,
    files: Vec<HardFile>,
    random: Random,
    folder: usize,
}

/// The world of `seed`, with so many situations of each kind, and its files.
pub fn generate(seed: u64, situations: usize) -> (World, Vec<HardFile>) {
    let mut maker = Maker {
        world: World::default(),
        files: Vec::new(),
        random: Random::new(seed ^ 0x7a3c_91d5),
        folder: 0,
    };
    for _ in 0..situations {
        maker.qualifiers();
        maker.codes();
        maker.names();
        maker.asking();
        maker.more();
    }
    for _ in 0..situations {
        maker.people();
    }
    (maker.world, maker.files)
}

fn linked(recording: usize, sources: u64) -> Linked {
    Linked {
        recording,
        sources,
        former: None,
        nameless: false,
    }
}

impl Maker {
    fn chance(&mut self, percent: u64) -> bool {
        self.random.below(100) < percent
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.random.below(high - low + 1)
    }

    fn title(&mut self) -> String {
        words::title(&mut self.random)
    }

    fn person(&mut self) -> Person {
        let name = words::artist(&mut self.random);
        self.person_called(&name)
    }

    fn person_called(&mut self, name: &str) -> Person {
        let number = self.world.artists.len() as u64;
        let id = mbid("hard artist", number);
        self.world.artists.insert(id.clone(), Artist::default());
        Person {
            name: name.to_owned(),
            mbid: id,
        }
    }

    fn about_artist(&mut self, person: &Person, sort_name: &str, aliases: &[&str]) {
        if let Some(artist) = self.world.artists.get_mut(&person.mbid) {
            sort_name.clone_into(&mut artist.sort_name);
            artist.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        }
    }

    fn length(&mut self) -> u64 {
        self.between(95_000, 420_000)
    }

    fn record(&mut self, title: &str, remark: &str, by: &Person, length_ms: u64) -> usize {
        let number = self.world.recordings.len();
        let isrc = self.chance(30).then(|| format!("QZHRD{number:07}"));
        self.world.recordings.push(Recording {
            mbid: mbid("hard recording", number as u64),
            title: title.to_owned(),
            remark: remark.to_owned(),
            artist: by.name.clone(),
            artist_mbid: by.mbid.clone(),
            work_mbid: mbid("hard work", number as u64),
            length_ms,
            isrc,
            ..Recording::default()
        });
        number
    }

    fn with_guest(&mut self, recording: usize, join: &str, guest: &Person) {
        self.world.recordings[recording].guests.push(Guest {
            join: join.to_owned(),
            name: guest.name.clone(),
            mbid: guest.mbid.clone(),
        });
    }

    fn cut(&mut self, title: &str, remark: &str, by: &Person) -> Cut {
        let length = self.length();
        let recording = self.record(title, remark, by, length);
        (title.to_owned(), length, recording)
    }

    /// So many songs of an artist, no two of one title.
    fn songs(&mut self, count: usize, by: &Person) -> Vec<Cut> {
        let mut songs: Vec<Cut> = Vec::new();
        while songs.len() < count {
            let title = self.title();
            if songs.iter().all(|(other, ..)| *other != title) {
                let song = self.cut(&title, "", by);
                songs.push(song);
            }
        }
        songs
    }

    /// Other recordings of the same songs, each longer or shorter by what `apart` allows, in ms.
    fn again(&mut self, songs: &[Cut], remark: &str, by: &Person, apart: (u64, u64)) -> Vec<Cut> {
        let mut other = Vec::new();
        for (title, length, first) in songs {
            let by_how_much = self.between(apart.0, apart.1);
            let length = if self.chance(50) {
                length + by_how_much
            } else {
                length.saturating_sub(by_how_much).max(40_000)
            };
            let recording = self.record(title, remark, by, length);
            let work = self.world.recordings[*first].work_mbid.clone();
            self.world.recordings[recording].work_mbid = work;
            other.push((title.clone(), length, recording));
        }
        other
    }

    fn publish(&mut self, title: &str, by: &Person, cuts: &[Cut], about: About<'_>) -> usize {
        let number = self.world.releases.len();
        let tracks = cuts.iter().enumerate();
        let tracks = tracks.map(|(at, (title, length_ms, recording))| Track {
            disc: 1,
            number: at as u32 + 1,
            title: title.clone(),
            length_ms: *length_ms,
            recording: *recording,
            label: String::new(),
        });
        let year = if about.year == 0 {
            1965 + number as u64 * 7 % 55
        } else {
            about.year
        };
        self.world.releases.push(Release {
            mbid: mbid("hard release", number as u64),
            title: title.to_owned(),
            artist: by.name.clone(),
            artist_mbid: by.mbid.clone(),
            date: format!("{year}"),
            tracks: tracks.collect(),
            remark: about.remark.to_owned(),
            group: about.group.to_owned(),
            secondary: about.secondary.to_vec(),
            unmeasured: about.unmeasured,
            ..Release::default()
        });
        number
    }

    /// An album of so many songs by somebody new.
    fn album(&mut self, count: usize) -> (Person, String, Vec<Cut>) {
        let by = self.person();
        let title = self.title();
        let songs = self.songs(count, &by);
        self.publish(&title, &by, &songs, About::default());
        (by, title, songs)
    }

    fn next_folder(&mut self) {
        self.folder += 1;
    }

    /// Adds a file: how long, what its tags say, what it is, and what `AcoustID` knows.
    fn file(
        &mut self,
        kind: &'static str,
        length_ms: u64,
        tags: Value,
        (truth, clear): (Option<usize>, bool),
        print: Print,
    ) {
        let number = self.files.len();
        let fingerprint = format!("HARD{number}");
        match print {
            Print::Unknown => {}
            Print::Usual(recording) => self.usual(&fingerprint, recording),
            Print::Just(score, linked) => self.world.know(&fingerprint, score, linked),
        }
        // Pauses, fades and other pressings: most files are a second off at most, some are a few.
        let off = match self.random.below(20) {
            0 => 5_500,
            1..=5 => 3_000,
            _ => 1_200,
        };
        let off = self.random.below(off * 2) as i64 - off as i64;
        let heard = length_ms.saturating_add_signed(off);
        self.files.push(HardFile {
            kind,
            file: MadeFile {
                path: format!("hard {:04}/{number:05}.flac", self.folder),
                length_ms: heard,
                fingerprint,
                tags,
                tagging: Tagging::Good,
                truth: truth.map(|at| self.world.recordings[at].mbid.clone()),
                identifiable: clear,
            },
        });
    }

    fn usual(&mut self, fingerprint: &str, recording: usize) {
        if self.chance(45) {
            return;
        }
        let people = self.between(1, 40);
        let mut all = vec![linked(recording, people)];
        if self.chance(8) {
            let other = self.random.below(self.world.recordings.len() as u64) as usize;
            if other != recording {
                all.push(linked(other, 1 + people / 10));
            }
        }
        let score = 0.9 + self.random.unit() * 0.1;
        self.world.know(fingerprint, score, all);
    }

    /// A folder of an album's songs, tagged as `album` and `artist`, each what it seems.
    fn folder_of(
        &mut self,
        kind: &'static str,
        (artist, album): (&str, &str),
        songs: &[Cut],
        clear: bool,
    ) {
        self.next_folder();
        for (at, (title, length, recording)) in songs.iter().enumerate() {
            let tags = tags(title, artist, album, at, songs.len());
            self.file(
                kind,
                *length,
                tags,
                (Some(*recording), clear),
                Print::Usual(*recording),
            );
        }
    }
}

fn tags(title: &str, artist: &str, album: &str, at: usize, total: usize) -> Value {
    json!({"title": title, "artist": artist, "album": album, "track": at + 1, "track_total": total})
}
