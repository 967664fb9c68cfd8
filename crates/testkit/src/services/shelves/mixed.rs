//! Folders as they lie on disks: loose files of many artists in one, sets in two, strays, halves and doubles;
//! and what else stands in titles. Written last, when what the other situations measure had been mended.

use serde_json::json;

use super::{About, Clear, Maker, Song, Sound, Unclear, said_by, tags};

impl Maker {
    pub(super) fn mixed(&mut self) {
        self.one_folder_of_loose_files();
        self.set_in_two_folders();
        self.stray_and_double();
        self.half_an_album();
        self.untagged_albums();
        self.remaster_of_its_own();
        self.codes_alone();
        self.titles_that_hold_more();
    }

    /// Everything that somebody downloaded lies in one folder: with albums in the tags, and without.
    fn one_folder_of_loose_files(&mut self) {
        for with_album in [true, false] {
            let mut all: Vec<(String, String, Song)> = Vec::new();
            for _ in 0..20 {
                let (who, album, songs) = self.album(4);
                all.push((who.name, album, songs[1].clone()));
            }
            self.next_shelf();
            for (at, (who, album, song)) in all.iter().enumerate() {
                let mut tags = json!({"title": song.title, "artist": who});
                if with_album {
                    tags["album"] = json!(album);
                }
                let sound = if at % 3 == 0 {
                    Sound::Silent
                } else {
                    Sound::Usual
                };
                self.file("loose files in one folder", song, tags, Clear, sound);
            }
        }
    }

    /// A set whose discs lie in folders of their own, under one album name; tracks are counted `101`, `201`.
    fn set_in_two_folders(&mut self) {
        for by_hundreds in [true, false] {
            let who = self.player();
            let title = self.title();
            let mut songs = Vec::new();
            for _ in 0..14 {
                let name = self.title();
                songs.push(self.song(&who, &name));
            }
            let about = About {
                per_disc: 7,
                ..About::default()
            };
            self.publish(&who, &title, &songs, about);
            for (disc, half) in songs.chunks(7).enumerate() {
                self.shelf_of("set in two folders", half, Clear, |at, song| {
                    let mut tags = tags(&song.title, &who.name, &title, at, 7);
                    if by_hundreds {
                        tags["track"] = json!((disc + 1) * 100 + at + 1);
                    }
                    tags
                });
            }
        }
    }

    /// An album with a file of somebody else's in its folder, and one of its songs twice.
    fn stray_and_double(&mut self) {
        let (other, elsewhere, theirs) = self.album(5);
        let (who, title, songs) = self.album(8);
        self.next_shelf();
        for (at, song) in songs.iter().enumerate() {
            let kind = "album with a stray and a double";
            self.file(
                kind,
                song,
                tags(&song.title, &who.name, &title, at, 8),
                Clear,
                Sound::Usual,
            );
        }
        let kind = "album with a stray and a double";
        let double = tags(&format!("{} (1)", songs[2].title), &who.name, &title, 2, 8);
        self.file(kind, &songs[2], double, Clear, Sound::Silent);
        let stray = tags(&theirs[0].title, &other.name, &elsewhere, 0, 5);
        self.file(kind, &theirs[0], stray, Clear, Sound::Silent);
        // The stray has the album's tags and another song's title.
        let stray = tags(&theirs[1].title, &other.name, &title, 1, 8);
        self.file(kind, &theirs[1], stray, Clear, Sound::Silent);
    }

    fn half_an_album(&mut self) {
        let (who, title, songs) = self.album(12);
        self.next_shelf();
        for (at, song) in songs.iter().enumerate().filter(|(at, _)| at % 3 == 1) {
            let tags = tags(&song.title, &who.name, &title, at, 12);
            self.file("some of an album", song, tags, Clear, Sound::Silent);
        }
    }

    /// Files without a tag: `AcoustID` knows most of an album, or three of ten songs.
    fn untagged_albums(&mut self) {
        for heard in [7, 3] {
            let (_, _, songs) = self.album(10);
            self.next_shelf();
            for (at, song) in songs.iter().enumerate() {
                let people = self.people() + 3;
                let sound = if at * heard % 10 < heard {
                    Sound::Says(0.97, vec![said_by(song.recording, people)])
                } else {
                    Sound::Silent
                };
                let is_heard = !matches!(sound, Sound::Silent);
                let evidence = if is_heard { Clear } else { Unclear };
                self.file("untagged album", song, json!({}), evidence, sound);
            }
        }
    }

    /// The catalogue has the remaster as recordings of its own, which its album is called by.
    fn remaster_of_its_own(&mut self) {
        let (who, title, songs) = self.album(7);
        let masters = self.all_again(&who, &songs, "2009 remaster", (0, 1_500));
        let album = format!("{title} (2009 Remaster)");
        let about = About {
            year: 2009,
            ..About::default()
        };
        self.publish(&who, &album, &masters, about);
        self.shelf_of("remaster of its own", &masters, Clear, |at, song| {
            let name = format!("{} (2009 Remaster)", song.title);
            tags(&name, &who.name, &album, at, 7)
        });
    }

    /// A code or a release's id, and nothing else that says anything.
    fn codes_alone(&mut self) {
        let (_, _, songs) = self.album(4);
        for song in &songs {
            let isrc = format!("SHON{:08}", song.recording);
            self.world.recordings[song.recording].isrc = Some(isrc.clone());
            self.next_shelf();
            self.file(
                "code alone",
                song,
                json!({"isrc": isrc}),
                Clear,
                Sound::Silent,
            );
        }
        let (who, title, songs) = self.album(8);
        let is_it = |one: &&crate::services::Release| one.title == title && one.artist == who.name;
        let release = self.world.releases.iter().find(is_it);
        let release = release.map(|one| one.mbid.clone());
        self.shelf_of("release id and placeholders", &songs, Clear, |at, _| {
            json!({"title": format!("Track {}", at + 1), "track": at + 1, "release_mbid": release})
        });
    }

    fn titles_that_hold_more(&mut self) {
        let forms: [fn(&str, &str) -> String; 7] = [
            |title, who| format!("{title} by {who}"),
            |title, who| format!("{who}: {title}"),
            |title, _| format!("\"{title}\""),
            |title, _| format!("{title} (1967)"),
            |title, who| format!("{who} – {title}"),
            |title, _| format!("{title} (128 kbps)"),
            |title, who| format!("{who} - {title} (Official Video)"),
        ];
        for form in forms {
            let (who, album, songs) = self.album(3);
            for (at, song) in songs.iter().enumerate() {
                self.next_shelf();
                let title = form(&song.title, &who.name);
                let mut tags = json!({"title": title, "artist": who.name});
                if at == 0 {
                    tags["album"] = json!(album);
                }
                self.file("title that holds more", song, tags, Clear, Sound::Silent);
            }
        }
    }
}
