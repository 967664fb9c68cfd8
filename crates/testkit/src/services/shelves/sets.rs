//! Sets and sides: discs, medleys, hidden tracks, silence, sides as one file; and plain shelves, to count questions.

use serde_json::json;

use super::{About, Clear, Maker, Sound, Unclear, tags};

impl Maker {
    pub(super) fn sets(&mut self) {
        self.discs();
        self.sides();
        self.medleys();
        self.hidden_and_silent();
        self.plain();
    }

    fn discs(&mut self) {
        let who = self.player();
        let title = self.title();
        let mut songs = Vec::new();
        for _ in 0..16 {
            let name = self.title();
            songs.push(self.song(&who, &name));
        }
        self.publish(
            &who,
            &title,
            &songs,
            About {
                per_disc: 8,
                ..About::default()
            },
        );
        for disc in 0..2 {
            let album = format!("{title} (Disc {})", disc + 1);
            let of = &songs[disc * 8..disc * 8 + 8];
            self.shelf_of("disc of a set", of, Clear, |at, song| {
                let mut tags = tags(&song.title, &who.name, &album, at, 8);
                tags["disc"] = json!(disc + 1);
                tags
            });
        }
        let second = format!("{title} CD2");
        self.shelf_of("disc of a set", &songs[8..], Clear, |at, song| {
            tags(&song.title, &who.name, &second, at, 8)
        });
        // Numbers go on through the set, and nothing says which disc.
        self.shelf_of("numbers through the set", &songs, Clear, |at, song| {
            tags(&song.title, &who.name, &title, at, 16)
        });
    }

    /// Sides of a record as one file each: no recording of the catalogue is that.
    fn sides(&mut self) {
        let (who, title, songs) = self.album(10);
        self.next_shelf();
        for (side, half) in songs.chunks(5).enumerate() {
            let ms: u64 = half.iter().map(|song| song.ms).sum();
            let name = if side == 0 { "Side A" } else { "Side B" };
            self.stranger(
                "side as one file",
                ms,
                tags(name, &who.name, &title, side, 2),
            );
        }
        // A side that is one piece, and is in the catalogue as that.
        let who = self.player();
        let title = self.title();
        let sides: Vec<_> = ["Part One", "Part Two"]
            .iter()
            .map(|part| {
                let ms = self.within(1_100_000, 1_400_000);
                self.record(&who, &format!("{title}, {part}"), "", ms)
            })
            .collect();
        self.publish(
            &who,
            &title,
            &sides,
            About {
                format: "12\" Vinyl",
                ..About::default()
            },
        );
        self.shelf_of("piece of a whole side", &sides, Clear, |at, song| {
            tags(&song.title, &who.name, &title, at, 2)
        });
    }

    fn medleys(&mut self) {
        let (who, title, songs) = self.album(6);
        let both = format!("{} / {}", songs[0].title, songs[1].title);
        let ms = songs[0].ms + songs[1].ms - 8_000;
        let medley = self.record(&who, &both, "", ms);
        let live = self.title();
        self.publish(
            &who,
            &live,
            &[medley.clone(), songs[2].clone()],
            About::default(),
        );
        self.next_shelf();
        self.file(
            "medley",
            &medley,
            json!({"title": both.replace(" / ", "/"), "artist": who.name}),
            Clear,
            Sound::Usual,
        );
        self.next_shelf();
        self.file(
            "song of a medley",
            &songs[0],
            json!({"title": songs[0].title, "artist": who.name, "album": title}),
            Clear,
            Sound::Usual,
        );
        self.next_shelf();
        let absent = format!("Medley: {} / {}", songs[3].title, songs[4].title);
        let ms = songs[3].ms + songs[4].ms;
        self.stranger(
            "medley, absent",
            ms,
            json!({"title": absent, "artist": who.name}),
        );
    }

    /// A song after minutes of silence, one before the first, and tracks of silence.
    fn hidden_and_silent(&mut self) {
        let (who, _, songs) = self.album(6);
        let title = self.title();
        let mut edition = songs.clone();
        let whole = format!("{} / [untitled]", songs[5].title);
        let ms = songs[5].ms + 260_000;
        let last = self.record(&who, &whole, "", ms);
        edition[5] = last;
        self.publish(&who, &title, &edition, About::default());
        self.shelf_of("hidden track at the end", &edition, Clear, |at, _| {
            tags(&songs[at].title, &who.name, &title, at, 6)
        });
        let (who, title, songs) = self.album(7);
        self.shelf_of("numbers off by a pregap", &songs, Clear, |at, song| {
            tags(&song.title, &who.name, &title, at + 1, 8)
        });
        let who = self.player();
        let title = self.title();
        let mut songs = Vec::new();
        for _ in 0..5 {
            let name = self.title();
            songs.push(self.song(&who, &name));
        }
        let mut on_it = songs.clone();
        for _ in 0..6 {
            on_it.push(self.record(&who, "[silence]", "", 4_000));
        }
        let hidden = self.title();
        let hidden = self.song(&who, &hidden);
        on_it.push(hidden.clone());
        self.publish(&who, &title, &on_it, About::default());
        songs.push(hidden);
        self.shelf_of("tracks of silence left out", &songs, Clear, |at, song| {
            tags(&song.title, &who.name, &title, at, 6)
        });
    }

    /// Albums and loose files as most people have them.
    fn plain(&mut self) {
        for _ in 0..4 {
            let (who, title, songs) = self.album(12);
            self.shelf_of("plain album", &songs, Clear, |at, song| {
                tags(&song.title, &who.name, &title, at, 12)
            });
        }
        for at in 0..16 {
            let (who, album, songs) = self.album(4);
            let song = &songs[at % 4];
            self.next_shelf();
            let sound = if at % 3 == 0 {
                Sound::Silent
            } else {
                Sound::Usual
            };
            let tags = json!({"title": song.title, "artist": who.name, "album": album});
            self.file("plain loose file", song, tags, Clear, sound);
        }
        let (who, title, songs) = self.album(6);
        self.next_shelf();
        for (at, song) in songs.iter().enumerate() {
            // Half an album by its titles alone, without its artist.
            let tags = json!({"title": song.title, "album": title, "track": at + 1});
            self.file("album without artist", song, tags, Clear, Sound::Usual);
        }
        self.next_shelf();
        let tags = json!({"title": songs[0].title, "album_artist": who.name});
        self.file("album artist alone", &songs[0], tags, Clear, Sound::Silent);
        self.next_shelf();
        let tags = json!({"title": songs[1].title});
        self.file("title alone", &songs[1], tags, Unclear, Sound::Silent);
    }
}
