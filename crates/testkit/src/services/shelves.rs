//! A third world: shelves as collectors describe them when a tagger got them wrong.
//!
//! Written from what users of several taggers report, without looking at the identification that it
//! measures nor at the other worlds' situations. Three things are unlike those worlds. Every song has a crowd
//! around it: covers of the same title by others, editions of its album, collections that carry it. Lengths
//! are off a whole shelf at a time (a turntable that runs slow, a player that counts the pause), not
//! each by chance. And `AcoustID` is popular or silent: hundreds of people for some songs, none for others,
//! and several recordings of one performance wherever a catalogue has not merged them.

mod codes;
mod mixed;
mod scripts;
mod sets;
mod versions;
mod vocabulary;
mod writing;

use serde_json::{Value, json};

use super::files::{MadeFile, Tagging};
use super::hard::HardFile;
use super::world::{Artist, Guest, Linked, Recording, Release, Track, World, mbid};
use crate::synth::Random;

/// Somebody who plays.
#[derive(Clone, Debug)]
struct Player {
    name: String,
    mbid: String,
}

/// A song as somebody recorded it once.
#[derive(Clone, Debug)]
struct Song {
    title: String,
    ms: u64,
    recording: usize,
}

/// What a release is, beside its name and its songs.
#[derive(Clone, Copy, Debug, Default)]
struct About<'a> {
    remark: &'a str,
    group: &'a str,
    kinds: &'a [&'static str],
    format: &'static str,
    year: u64,
    /// Its tracks have no lengths.
    unmeasured: bool,
    /// Songs on each disc; all on one if this is 0.
    per_disc: usize,
}

/// What `AcoustID` says of a file.
enum Sound {
    /// Nothing.
    Silent,
    /// Silent of one in three songs, popular of the others.
    Usual,
    /// These, at this likeness.
    Says(f64, Vec<Linked>),
}

/// Whether somebody with all the answers could tell what a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    Clear,
    Unclear,
}
use Evidence::{Clear, Unclear};

/// Builds the world, shelf by shelf.
struct Maker {
    world: World,
    files: Vec<HardFile>,
    random: Random,
    shelf: usize,
    /// How far lengths are off on this shelf, in ms.
    drift: i64,
    /// Songs by people without a shelf, which others may have covered.
    crowd: Vec<Song>,
}

/// The world of `seed`, each situation so often, and its files.
pub fn generate(seed: u64, times: usize) -> (World, Vec<HardFile>) {
    let mut maker = Maker {
        world: World::default(),
        files: Vec::new(),
        random: Random::new(seed ^ 0x51e1_5e1f),
        shelf: 0,
        drift: 0,
        crowd: Vec::new(),
    };
    maker.crowd_of(60);
    for _ in 0..times {
        maker.versions();
        maker.codes();
        maker.writing();
        maker.scripts();
        maker.sets();
        maker.mixed();
    }
    (maker.world, maker.files)
}

fn said_by(recording: usize, people: u64) -> Linked {
    Linked {
        recording,
        sources: people,
        former: None,
        nameless: false,
    }
}

fn tags(title: &str, artist: &str, album: &str, at: usize, of: usize) -> Value {
    json!({"title": title, "artist": artist, "album": album, "track": at + 1, "track_total": of})
}

impl Maker {
    fn chance(&mut self, percent: u64) -> bool {
        self.random.below(100) < percent
    }

    fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.random.below(high - low + 1)
    }

    /// From a few people to hundreds; half of the songs are below twenty.
    fn people(&mut self) -> u64 {
        let exponent = self.random.unit() * 5.5 + 0.7;
        exponent.exp() as u64
    }

    fn title(&mut self) -> String {
        vocabulary::title(&mut self.random)
    }

    fn player(&mut self) -> Player {
        let name = vocabulary::player(&mut self.random);
        self.called(&name)
    }

    fn called(&mut self, name: &str) -> Player {
        let id = mbid("shelf player", self.world.artists.len() as u64);
        self.world.artists.insert(id.clone(), Artist::default());
        Player {
            name: name.to_owned(),
            mbid: id,
        }
    }

    fn also_called(&mut self, who: &Player, sort_name: &str, aliases: &[&str]) {
        if let Some(artist) = self.world.artists.get_mut(&who.mbid) {
            sort_name.clone_into(&mut artist.sort_name);
            artist.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        }
    }

    fn record(&mut self, who: &Player, title: &str, remark: &str, ms: u64) -> Song {
        let number = self.world.recordings.len();
        let isrc = self.chance(45).then(|| format!("SHLF{number:08}"));
        self.world.recordings.push(Recording {
            mbid: mbid("shelf recording", number as u64),
            title: title.to_owned(),
            remark: remark.to_owned(),
            artist: who.name.clone(),
            artist_mbid: who.mbid.clone(),
            work_mbid: mbid("shelf work", number as u64),
            length_ms: ms,
            isrc,
            ..Recording::default()
        });
        Song {
            title: title.to_owned(),
            ms,
            recording: number,
        }
    }

    fn song(&mut self, who: &Player, title: &str) -> Song {
        let ms = self.within(118_000, 371_000);
        self.record(who, title, "", ms)
    }

    /// The same song played once more, this much longer or shorter.
    fn again(&mut self, who: &Player, song: &Song, title: &str, remark: &str, by: i64) -> Song {
        let ms = song.ms.saturating_add_signed(by).max(45_000);
        let other = self.record(who, title, remark, ms);
        let work = self.world.recordings[song.recording].work_mbid.clone();
        self.world.recordings[other.recording].work_mbid = work;
        other
    }

    /// All of them once more under their titles, from `low` to `high` ms apart.
    fn all_again(
        &mut self,
        who: &Player,
        songs: &[Song],
        remark: &str,
        apart: (u64, u64),
    ) -> Vec<Song> {
        let mut other = Vec::new();
        for song in songs {
            let by = self.within(apart.0, apart.1) as i64;
            let by = if self.chance(50) { by } else { -by };
            other.push(self.again(who, song, &song.title, remark, by));
        }
        other
    }

    fn guest(&mut self, song: &Song, join: &str, guest: &Player) {
        self.world.recordings[song.recording].guests.push(Guest {
            join: join.to_owned(),
            name: guest.name.clone(),
            mbid: guest.mbid.clone(),
        });
    }

    fn publish(&mut self, who: &Player, title: &str, songs: &[Song], about: About<'_>) -> usize {
        let number = self.world.releases.len();
        let per_disc = if about.per_disc == 0 {
            songs.len().max(1)
        } else {
            about.per_disc
        };
        let tracks = songs.iter().enumerate().map(|(at, song)| Track {
            disc: (at / per_disc) as u32 + 1,
            number: (at % per_disc) as u32 + 1,
            title: song.title.clone(),
            length_ms: song.ms,
            recording: song.recording,
            label: String::new(),
        });
        let year = if about.year == 0 {
            1958 + number as u64 * 11 % 66
        } else {
            about.year
        };
        self.world.releases.push(Release {
            mbid: mbid("shelf release", number as u64),
            title: title.to_owned(),
            artist: who.name.clone(),
            artist_mbid: who.mbid.clone(),
            date: format!("{year}-{:02}-21", 1 + number % 12),
            tracks: tracks.collect(),
            remark: about.remark.to_owned(),
            group: about.group.to_owned(),
            secondary: about.kinds.to_vec(),
            unmeasured: about.unmeasured,
            format: about.format,
            ..Release::default()
        });
        number
    }

    /// The same recordings once more in the same release group, as pressings elsewhere.
    fn pressings(&mut self, who: &Player, title: &str, songs: &[Song], count: u64) {
        let group = mbid("shelf group", self.world.releases.len() as u64);
        for at in 0..=count {
            let mut tracks = songs.to_vec();
            for track in &mut tracks {
                track.ms += self.random.below(1_400);
            }
            let about = About {
                group: &group,
                format: if at % 3 == 2 { "12\" Vinyl" } else { "" },
                unmeasured: at % 3 == 2,
                year: 1966 + at * 5,
                ..About::default()
            };
            self.publish(who, title, &tracks, about);
        }
    }

    /// An album of somebody new, in a few pressings, its songs in a crowd.
    fn album(&mut self, count: usize) -> (Player, String, Vec<Song>) {
        let who = self.player();
        let (title, songs) = self.album_by(&who, count);
        (who, title, songs)
    }

    fn album_by(&mut self, who: &Player, count: usize) -> (String, Vec<Song>) {
        let title = self.title();
        let mut songs: Vec<Song> = Vec::new();
        while songs.len() < count {
            let name = self.title();
            if songs.iter().all(|song| song.title != name) {
                let song = self.song(who, &name);
                if self.chance(25) {
                    self.covered(&song);
                }
                songs.push(song);
            }
        }
        let pressings = self.random.below(4);
        self.pressings(who, &title, &songs, pressings);
        if self.chance(40) {
            self.collected(who, &songs);
        }
        (title, songs)
    }

    /// A collection with some of the songs among others of its artist.
    fn collected(&mut self, who: &Player, songs: &[Song]) {
        let mut best: Vec<Song> = songs.iter().step_by(3).cloned().collect();
        for _ in 0..3 {
            let title = self.title();
            best.push(self.song(who, &title));
        }
        let title = match self.random.below(3) {
            0 => format!("The Very Best of {}", who.name),
            1 => "Anthology".to_owned(),
            _ => format!("{} Collection", who.name),
        };
        let kinds = &["Compilation"];
        self.publish(
            who,
            &title,
            &best,
            About {
                kinds,
                ..About::default()
            },
        );
    }

    /// Others have recorded the song, too.
    fn covered(&mut self, song: &Song) {
        for _ in 0..=self.random.below(3) {
            let who = self.player();
            let by = self.random.below(40_000) as i64 - 20_000;
            let cover = self.again(&who, song, &song.title, "", by);
            let title = self.title();
            self.publish(&who, &title, &[cover], About::default());
        }
    }

    /// Albums that nobody on the shelves has.
    fn crowd_of(&mut self, albums: usize) {
        for _ in 0..albums {
            let (_, _, songs) = self.album(8);
            self.crowd.extend(songs);
        }
    }

    /// The next folder, whose lengths are off in a way of its own.
    fn next_shelf(&mut self) {
        self.shelf += 1;
        self.drift = match self.random.below(10) {
            // A turntable, or a player that counts the pause before the next track.
            0 => 3_800,
            1 => -2_600,
            2 | 3 => 1_700,
            _ => 0,
        };
    }

    /// Puts a file on the shelf.
    fn file(
        &mut self,
        kind: &'static str,
        song: &Song,
        tags: Value,
        evidence: Evidence,
        sound: Sound,
    ) {
        self.put(kind, song.ms, tags, (Some(song.recording), evidence), sound);
    }

    /// Puts a file on the shelf that the catalogue does not have.
    fn stranger(&mut self, kind: &'static str, ms: u64, tags: Value) {
        self.put(kind, ms, tags, (None, Unclear), Sound::Silent);
    }

    fn put(
        &mut self,
        kind: &'static str,
        ms: u64,
        tags: Value,
        (truth, evidence): (Option<usize>, Evidence),
        sound: Sound,
    ) {
        let fingerprint = format!("SHELF{}", self.files.len());
        match (sound, truth) {
            (Sound::Silent, _) | (Sound::Usual, None) => {}
            (Sound::Usual, Some(recording)) => self.usual(&fingerprint, recording),
            (Sound::Says(score, linked), _) => self.world.know(&fingerprint, score, linked),
        }
        let jitter = self.random.below(1_500) as i64 - 750;
        self.files.push(HardFile {
            kind,
            file: MadeFile {
                path: format!("shelf {:04}/{:05}.mp3", self.shelf, self.files.len()),
                length_ms: ms.saturating_add_signed(self.drift + jitter),
                fingerprint,
                tags,
                tagging: Tagging::Good,
                truth: truth.map(|at| self.world.recordings[at].mbid.clone()),
                identifiable: evidence == Clear,
            },
        });
    }

    fn usual(&mut self, fingerprint: &str, recording: usize) {
        if self.chance(35) {
            return;
        }
        let people = self.people();
        let mut linked = vec![said_by(recording, people)];
        if self.chance(15) && !self.crowd.is_empty() {
            let other = self.random.below(self.crowd.len() as u64) as usize;
            linked.push(said_by(self.crowd[other].recording, 1 + people / 14));
        }
        let score = 0.88 + self.random.unit() * 0.12;
        self.world.know(fingerprint, score, linked);
    }

    /// A whole album on a shelf, its titles and names as `write` puts them.
    fn shelf_of(
        &mut self,
        kind: &'static str,
        songs: &[Song],
        evidence: Evidence,
        write: impl Fn(usize, &Song) -> Value,
    ) {
        self.next_shelf();
        for (at, song) in songs.iter().enumerate() {
            self.file(kind, song, write(at, song), evidence, Sound::Usual);
        }
    }

    /// A whole album that the catalogue lacks, its lengths those of `songs` or near them.
    fn strangers(
        &mut self,
        kind: &'static str,
        songs: &[Song],
        apart: (u64, u64),
        write: impl Fn(usize, &Song) -> Value,
    ) {
        self.next_shelf();
        for (at, song) in songs.iter().enumerate() {
            let by = self.within(apart.0, apart.1) as i64;
            let by = if self.chance(50) { by } else { -by };
            self.stranger(kind, song.ms.saturating_add_signed(by), write(at, song));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::generate;

    #[test]
    fn a_shelf_is_a_function_of_its_number_and_every_truth_is_in_the_catalogue() {
        let (world, files) = generate(3, 1);
        let kinds: BTreeSet<_> = files.iter().map(|one| one.kind).collect();
        assert!(kinds.len() >= 60, "{} kinds of situations", kinds.len());
        for one in &files {
            let truth = one.file.truth.as_deref();
            assert!(
                truth.is_none_or(|id| world.recording(id).is_some()),
                "{one:?}"
            );
            assert!(truth.is_some() || !one.file.identifiable, "{one:?}");
        }
        let (_, again) = generate(3, 1);
        let (_, other) = generate(4, 1);
        let told = |files: &[super::HardFile]| format!("{files:?}");
        assert_eq!(told(&files), told(&again));
        assert_ne!(told(&files), told(&other));
    }
}
