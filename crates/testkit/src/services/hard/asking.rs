//! What is plain, and what must not cost many questions.

use serde_json::json;

use super::{About, Maker, Print, linked, tags};

impl Maker {
    pub(super) fn asking(&mut self) {
        self.plain_album();
        self.album_with_ids();
        self.loose_known_by_sound();
        self.loose_with_good_tags();
        self.edition_with_its_own_recordings();
    }

    fn plain_album(&mut self) {
        let (by, title, songs) = self.album(11);
        let mut more = songs.clone();
        let bonus = self.songs(2, &by);
        more.extend(bonus);
        self.publish(
            &title,
            &by,
            &more,
            About {
                year: 2005,
                ..About::default()
            },
        );
        self.folder_of("plain album", (&by.name, &title), &songs, true);
    }

    fn album_with_ids(&mut self) {
        let (by, title, songs) = self.album(10);
        let release = self.world.releases.len() - 1;
        let release = self.world.releases[release].mbid.clone();
        self.next_folder();
        for (at, (name, length, recording)) in songs.iter().enumerate() {
            let mut tags = tags(name, &by.name, &title, at, 10);
            tags["recording_mbid"] = json!(self.world.recordings[*recording].mbid);
            tags["release_mbid"] = json!(release);
            self.file(
                "album with ids",
                *length,
                tags,
                (Some(*recording), true),
                Print::Usual(*recording),
            );
        }
    }

    /// Loose files that `AcoustID` knows well, each on six releases.
    fn loose_known_by_sound(&mut self) {
        let by = self.person();
        let songs = self.songs(5, &by);
        for _ in 0..6 {
            let title = self.title();
            let extra = self.songs(3, &by);
            let mut all = songs.clone();
            all.extend(extra);
            self.publish(
                &title,
                &by,
                &all,
                About {
                    secondary: &["Compilation"],
                    ..About::default()
                },
            );
        }
        for (name, length, recording) in &songs {
            self.next_folder();
            let people = self.between(6, 60);
            let print = Print::Just(0.99, vec![linked(*recording, people)]);
            let tags = json!({"title": name, "artist": by.name});
            self.file(
                "loose, known by sound",
                *length,
                tags,
                (Some(*recording), true),
                print,
            );
        }
    }

    fn loose_with_good_tags(&mut self) {
        for _ in 0..5 {
            let (by, title, songs) = self.album(4);
            let (name, length, recording) = songs[0].clone();
            self.next_folder();
            let tags = json!({"title": name, "artist": by.name, "album": title});
            self.file(
                "loose, with good tags",
                length,
                tags,
                (Some(recording), true),
                Print::Unknown,
            );
        }
    }

    /// An anniversary edition is a new mix: recordings of its own, of nearly the same lengths.
    fn edition_with_its_own_recordings(&mut self) {
        let (by, title, songs) = self.album(7);
        let mixes = self.again(&songs, "2018 mix", &by, (300, 3_000));
        let album = format!("{title} (Anniversary Edition, 2018 Mix)");
        self.publish(
            &album,
            &by,
            &mixes,
            About {
                year: 2018,
                ..About::default()
            },
        );
        self.folder_of(
            "edition with its own recordings",
            (&by.name, &album),
            &mixes,
            true,
        );
    }
}
