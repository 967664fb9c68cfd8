//! Ids, codes and fingerprints: contradicting, merged, deleted, of one person or of hundreds.

use serde_json::json;

use super::{About, Clear, Maker, Player, Song, Sound, Unclear, said_by, tags};
use crate::services::world::{Linked, mbid};

impl Maker {
    pub(super) fn codes(&mut self) {
        self.shifted();
        self.other_albums_tags();
        self.codes_on_two();
        self.embedded_ids();
        self.few_and_many_people();
        self.clusters();
        self.unmerged();
        self.without_lengths();
        self.nameless_and_merged();
        self.lone_files();
        self.loose_known_by_sound();
        self.unknown();
    }

    fn id_of(&self, song: &Song) -> String {
        self.world.recordings[song.recording].mbid.clone()
    }

    /// Titles slipped by one: with fingerprints that agree among themselves, and with none.
    fn shifted(&mut self) {
        for heard in [true, false] {
            let (who, title, songs) = self.album(10);
            self.next_shelf();
            for (at, song) in songs.iter().enumerate() {
                let slipped = (at + 1) % songs.len();
                let tags = tags(
                    &songs[slipped].title,
                    &who.name,
                    &title,
                    slipped,
                    songs.len(),
                );
                let people = self.people() + 4;
                if heard {
                    let sound = Sound::Says(0.97, vec![said_by(song.recording, people)]);
                    self.file("slipped by one, heard", song, tags, Clear, sound);
                } else {
                    self.file(
                        "slipped by one, not heard",
                        song,
                        tags,
                        Unclear,
                        Sound::Silent,
                    );
                }
            }
        }
    }

    /// The tags of one album on the files of another.
    fn other_albums_tags(&mut self) {
        let (other, album, theirs) = self.album(8);
        let (_, _, songs) = self.album(8);
        self.next_shelf();
        for (at, (song, wrong)) in songs.iter().zip(&theirs).enumerate() {
            let people = self.people() + 10;
            let sound = Sound::Says(0.98, vec![said_by(song.recording, people)]);
            self.file(
                "another album's tags",
                song,
                tags(&wrong.title, &other.name, &album, at, 8),
                Clear,
                sound,
            );
        }
        // A song under the name of somebody famous who never played it.
        let (_, _, songs) = self.album(4);
        for song in &songs {
            self.next_shelf();
            let people = self.people() + 10;
            let sound = Sound::Says(0.98, vec![said_by(song.recording, people)]);
            self.file(
                "famous wrong artist",
                song,
                json!({"title": song.title, "artist": other.name}),
                Clear,
                sound,
            );
        }
    }

    /// Codes on two recordings, or on the wrong one.
    fn codes_on_two(&mut self) {
        let (who, title, songs) = self.album(4);
        let live = self.all_again(&who, &songs, "live", (15_000, 70_000));
        self.publish(
            &who,
            "Live",
            &live,
            About {
                kinds: &["Live"],
                ..About::default()
            },
        );
        for (song, other) in songs.iter().zip(&live) {
            let isrc = format!("SHTW{:08}", song.recording);
            self.world.recordings[song.recording].isrc = Some(isrc.clone());
            self.world.recordings[other.recording].isrc = Some(isrc.clone());
            self.next_shelf();
            let tags =
                json!({"title": song.title, "artist": who.name, "album": title, "isrc": isrc});
            self.file("code on studio and live", song, tags, Clear, Sound::Silent);
            self.next_shelf();
            let tags = json!({"title": format!("{} (Live)", song.title), "artist": who.name, "isrc": isrc});
            self.file("code on studio and live", other, tags, Clear, Sound::Silent);
        }
        let (_, _, theirs) = self.album(4);
        let (who, title, songs) = self.album(4);
        for (at, (song, wrong)) in songs.iter().zip(&theirs).enumerate() {
            let isrc = format!("SHWR{:08}", wrong.recording);
            self.world.recordings[wrong.recording].isrc = Some(isrc.clone());
            self.next_shelf();
            let mut tags = tags(&song.title, &who.name, &title, at, 4);
            tags["isrc"] = json!(isrc);
            self.file("code of something else", song, tags, Clear, Sound::Usual);
        }
    }

    /// Ids in the tags: another's, a version's, deleted, merged.
    fn embedded_ids(&mut self) {
        let (_, _, theirs) = self.album(4);
        let (who, title, songs) = self.album(4);
        for (at, (song, wrong)) in songs.iter().zip(&theirs).enumerate() {
            self.next_shelf();
            let mut tags = tags(&song.title, &who.name, &title, at, 4);
            tags["recording_mbid"] = json!(self.id_of(wrong));
            self.file("id of another song", song, tags, Clear, Sound::Usual);
        }
        let (who, title, songs) = self.album(4);
        let live = self.all_again(&who, &songs, "live, 2004", (20_000, 60_000));
        self.publish(
            &who,
            "Bootleg Series",
            &live,
            About {
                kinds: &["Live"],
                ..About::default()
            },
        );
        for (at, (song, other)) in songs.iter().zip(&live).enumerate() {
            self.next_shelf();
            let mut tags = tags(&song.title, &who.name, &title, at, 4);
            tags["recording_mbid"] = json!(self.id_of(other));
            let people = self.people() + 12;
            let sound = Sound::Says(0.98, vec![said_by(song.recording, people)]);
            self.file("id of the live version", song, tags, Clear, sound);
        }
        let (who, title, songs) = self.album(6);
        for (at, song) in songs.iter().enumerate() {
            self.next_shelf();
            let mut tags = tags(&song.title, &who.name, &title, at, 6);
            tags["recording_mbid"] = json!(mbid("shelf gone", self.files.len() as u64));
            if at % 2 == 0 {
                let (old, now) = (
                    mbid("shelf former", song.recording as u64),
                    self.id_of(song),
                );
                self.world.merged.insert(old.clone(), now);
                tags["recording_mbid"] = json!(old);
            }
            self.file("id merged or gone", song, tags, Clear, Sound::Usual);
        }
        let (who, title, songs) = self.album(10);
        let ids: Vec<_> = songs.iter().map(|song| self.id_of(song)).collect();
        let release = self
            .world
            .releases
            .iter()
            .find(|one| one.title == title && one.artist == who.name);
        let release = release.map(|one| one.mbid.clone());
        self.shelf_of("album with ids", &songs, Clear, |at, song| {
            let mut tags = tags(&song.title, &who.name, &title, at, 10);
            tags["recording_mbid"] = json!(ids[at]);
            tags["release_mbid"] = json!(release);
            tags
        });
    }

    /// One person's word, two people's, hundreds'.
    fn few_and_many_people(&mut self) {
        let (_, _, theirs) = self.album(4);
        let (who, title, songs) = self.album(4);
        for (song, wrong) in songs.iter().zip(&theirs) {
            self.next_shelf();
            let sound = Sound::Says(0.96, vec![said_by(wrong.recording, 1)]);
            let tags = json!({"title": song.title, "artist": who.name, "album": title});
            self.file("one person is wrong", song, tags, Clear, sound);
        }
        let (_, _, songs) = self.album(6);
        for (at, song) in songs.iter().enumerate() {
            self.next_shelf();
            let crowd = self.crowd[self.random.below(self.crowd.len() as u64) as usize].recording;
            let (sound, evidence) = match at % 3 {
                0 => (Sound::Says(0.95, vec![said_by(song.recording, 2)]), Unclear),
                1 => (
                    Sound::Says(0.99, vec![said_by(song.recording, 300), said_by(crowd, 8)]),
                    Clear,
                ),
                _ => (
                    Sound::Says(0.97, vec![said_by(song.recording, 6), said_by(crowd, 5)]),
                    Unclear,
                ),
            };
            self.file(
                "untagged, by people alone",
                song,
                json!({}),
                evidence,
                sound,
            );
        }
        // One person says that a home recording is a known song.
        for _ in 0..3 {
            self.next_shelf();
            let crowd = self.crowd[self.random.below(self.crowd.len() as u64) as usize].recording;
            let ms = self.within(100_000, 300_000);
            let sound = Sound::Says(0.9, vec![said_by(crowd, 1)]);
            let tags = json!({"title": "New Recording 7", "artist": "My Phone"});
            self.put(
                "home recording, one person errs",
                ms,
                tags,
                (None, Unclear),
                sound,
            );
        }
    }

    /// Two clusters of fingerprints: a near one and a far one of something else.
    fn clusters(&mut self) {
        let (_, _, songs) = self.album(4);
        for song in &songs {
            self.next_shelf();
            let people = self.people() + 15;
            let sound = Sound::Says(0.98, vec![said_by(song.recording, people)]);
            let far = self.crowd[self.random.below(self.crowd.len() as u64) as usize].recording;
            let fingerprint = format!("SHELF{}", self.files.len());
            self.world.know(&fingerprint, 0.55, vec![said_by(far, 90)]);
            self.file("a near and a far cluster", song, json!({}), Clear, sound);
        }
    }

    /// One performance as two recordings that were never merged: the album's and a collection's.
    fn unmerged(&mut self) {
        let (who, title, songs) = self.album(4);
        let copies = self.all_again(&who, &songs, "", (0, 700));
        let hits = format!("{}: Gold", who.name);
        self.publish(
            &who,
            &hits,
            &copies,
            About {
                kinds: &["Compilation"],
                ..About::default()
            },
        );
        for (at, (song, copy)) in songs.iter().zip(&copies).enumerate() {
            for (this, album) in [(song, &title), (copy, &hits)] {
                self.next_shelf();
                let (a, b) = (self.people() + 5, self.people() + 5);
                let sound = Sound::Says(
                    0.99,
                    vec![said_by(song.recording, a), said_by(copy.recording, b)],
                );
                self.file(
                    "performance entered twice",
                    this,
                    tags(&song.title, &who.name, album, at, 4),
                    Clear,
                    sound,
                );
            }
            self.next_shelf();
            let (a, b) = (self.people() + 5, self.people() + 5);
            let sound = Sound::Says(
                0.99,
                vec![said_by(song.recording, a), said_by(copy.recording, b)],
            );
            let tags = json!({"title": song.title, "artist": who.name});
            self.file(
                "performance entered twice, no album",
                song,
                tags,
                Unclear,
                sound,
            );
        }
    }

    fn without_lengths(&mut self) {
        for whole in [true, false] {
            let who = self.player();
            let title = self.title();
            let mut songs = Vec::new();
            for _ in 0..7 {
                let name = self.title();
                let song = self.song(&who, &name);
                self.world.recordings[song.recording].unmeasured = true;
                songs.push(song);
            }
            self.publish(
                &who,
                &title,
                &songs,
                About {
                    unmeasured: true,
                    ..About::default()
                },
            );
            if whole {
                self.shelf_of("album without lengths", &songs, Clear, |at, song| {
                    tags(&song.title, &who.name, &title, at, 7)
                });
            } else {
                for song in &songs {
                    self.next_shelf();
                    let tags = json!({"title": song.title, "artist": who.name, "album": title});
                    self.file("loose without lengths", song, tags, Clear, Sound::Usual);
                }
            }
        }
    }

    /// Ids that `AcoustID` knows by number only, and ids that were merged.
    fn nameless_and_merged(&mut self) {
        let (who, title, songs) = self.album(8);
        for (at, song) in songs.iter().enumerate() {
            self.next_shelf();
            let people = self.people() + 4;
            let tags = if at % 2 == 0 {
                json!({})
            } else {
                json!({"title": song.title, "artist": who.name, "album": title})
            };
            let plain = said_by(song.recording, people);
            let linked = if at < 4 {
                vec![Linked {
                    nameless: true,
                    ..plain
                }]
            } else {
                let old = mbid("shelf merged", song.recording as u64);
                let now = self.id_of(song);
                self.world.merged.insert(old.clone(), now);
                let more = self.people() + 4;
                vec![
                    Linked {
                        former: Some(old),
                        ..said_by(song.recording, more)
                    },
                    plain,
                ]
            };
            let kind = if at < 4 {
                "ids without names"
            } else {
                "ids merged"
            };
            self.file(kind, song, tags, Clear, Sound::Says(0.98, linked));
        }
    }

    /// Lone files: of a collection, of an album beside a single of its own, of either.
    fn lone_files(&mut self) {
        let who = self.called("Various Artists");
        let mut songs = Vec::new();
        let mut players: Vec<Player> = Vec::new();
        for _ in 0..8 {
            let (player, _, album) = self.album(5);
            songs.push(album[2].clone());
            players.push(player);
        }
        let album = format!("Café {} Vol. 2", self.title());
        self.publish(
            &who,
            &album,
            &songs,
            About {
                kinds: &["Compilation"],
                ..About::default()
            },
        );
        for (at, (song, player)) in songs.iter().zip(&players).enumerate() {
            self.next_shelf();
            self.file(
                "lone file of a collection",
                song,
                tags(&song.title, &player.name, &album, at, 8),
                Clear,
                Sound::Usual,
            );
        }
        let (who, title, songs) = self.album(5);
        let singles = self.all_again(&who, &songs, "single version", (600, 2_500));
        for (at, (song, single)) in songs.iter().zip(&singles).enumerate() {
            self.publish(
                &who,
                &single.title,
                std::slice::from_ref(single),
                About {
                    year: 1970,
                    ..About::default()
                },
            );
            self.next_shelf();
            self.file(
                "album beside a single",
                song,
                tags(&song.title, &who.name, &title, at, 5),
                Clear,
                Sound::Silent,
            );
            self.next_shelf();
            let tags = json!({"title": song.title, "artist": who.name});
            self.file("album or single", song, tags, Unclear, Sound::Silent);
        }
    }

    /// Loose songs that everybody has, each on six releases.
    fn loose_known_by_sound(&mut self) {
        for at in 0..12 {
            let (who, _, songs) = self.album(3);
            for _ in 0..4 {
                self.collected(&who, &songs);
            }
            let song = &songs[0];
            self.next_shelf();
            let people = self.people() + 8;
            let sound = Sound::Says(0.98, vec![said_by(song.recording, people)]);
            let tags = if at % 2 == 0 {
                json!({"title": song.title, "artist": who.name})
            } else {
                json!({})
            };
            self.file("loose, known by sound", song, tags, Clear, sound);
        }
    }

    /// What no catalogue has.
    fn unknown(&mut self) {
        let (who, album, songs) = self.album(8);
        for at in 0..8 {
            self.next_shelf();
            let ms = self.within(60_000, 420_000);
            let (title, other) = (self.title(), self.player().name);
            let tags = match at {
                0 => {
                    json!({"title": "Chapter 12", "artist": other, "album": "The Long Winter (unabridged)"})
                }
                1 => {
                    json!({"title": "Episode 88", "artist": "Talk of the Town", "album": "Podcast"})
                }
                2 => json!({"title": title, "artist": who.name}),
                3 => json!({"title": title, "artist": who.name, "album": album}),
                4 => json!({"title": songs[0].title, "artist": other}),
                5 => json!({"title": "Track 03"}),
                6 => json!({"title": title, "artist": other, "album": album}),
                _ => json!({}),
            };
            self.stranger("in no catalogue", ms, tags);
        }
        let mut titles = Vec::new();
        for _ in 0..7 {
            titles.push(self.title());
        }
        self.next_shelf();
        for (at, title) in titles.iter().enumerate() {
            let ms = self.within(120_000, 400_000);
            self.stranger(
                "album too new for the catalogue",
                ms,
                tags(title, &who.name, "Tomorrow", at, 7),
            );
        }
        for song in &songs[..3] {
            self.next_shelf();
            let ms = song.ms + self.within(60_000, 140_000);
            self.stranger(
                "much longer than what is known",
                ms,
                json!({"title": song.title, "artist": who.name}),
            );
        }
    }
}
