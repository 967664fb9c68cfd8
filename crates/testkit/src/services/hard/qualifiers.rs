//! Versions: what a qualifier in a title or an album says, and what the catalogue has or lacks.

use super::{About, Cut, Maker, Print, linked, tags, words};

/// Qualifiers that make another recording, in several languages and fashions.
const QUALIFIERS: [&str; 20] = [
    "Instrumental",
    "Karaoke Version",
    "8-Bit Tribute",
    "en vivo",
    "Live",
    "Re-Recorded",
    "Piano Cover",
    "ao vivo",
    "Demo",
    "String Quartet Tribute",
    "Orchestral Version",
    "Nightcore",
    "Sped Up",
    "Club Mix",
    "Lullaby Rendition",
    "Unplugged",
    "Rehearsal Take",
    "a cappella",
    "en directo",
    "Early Version",
];
/// What an album is called that holds such recordings.
const OF_ALBUMS: [&str; 14] = [
    "(Instrumentals)",
    "(Karaoke)",
    "(8-Bit Tribute)",
    "Live in Lisbon 1984",
    "(Demos)",
    "en vivo",
    "(Re-Recorded)",
    "[Bootleg, Osaka 1979-06-02]",
    "(Acoustic Sessions)",
    "- The Remixes",
    "(Live)",
    "(Taylor-Made Version)",
    "Outtakes",
    "Unplugged",
];

impl Maker {
    pub(super) fn qualifiers(&mut self) {
        self.album_the_catalogue_lacks();
        self.titles_with_qualifiers();
        self.versions_that_exist();
        self.second_cycle();
        self.stereo_after_mono();
        self.live_album_with_plain_titles();
        self.tribute_by_others();
    }

    /// An instrumental or live album of which only the studio album is known.
    fn album_the_catalogue_lacks(&mut self) {
        let (by, title, songs) = self.album(6);
        let qualifier = *self.random.pick(&OF_ALBUMS);
        let album = format!("{title} {qualifier}");
        let is_played_anew = qualifier.to_lowercase().contains(['v', 'o']) && self.chance(60);
        self.next_folder();
        for (at, (name, length, _)) in songs.iter().enumerate() {
            let length = if is_played_anew {
                length + self.between(4_000, 40_000)
            } else {
                *length
            };
            let tags = tags(name, &by.name, &album, at, songs.len());
            self.file(
                "album that the catalogue lacks",
                length,
                tags,
                (None, false),
                Print::Unknown,
            );
        }
    }

    /// Loose files whose titles say that they are another version than the one that is known.
    fn titles_with_qualifiers(&mut self) {
        let (by, _, songs) = self.album(5);
        for (name, length, _) in songs.iter().take(4) {
            let qualifier = *self.random.pick(&QUALIFIERS);
            let title = self.qualified(name, qualifier);
            let length = if self.chance(50) {
                *length
            } else {
                length + self.between(2_000, 25_000)
            };
            self.next_folder();
            let tags = serde_json::json!({"title": title, "artist": by.name});
            self.file(
                "title with a qualifier",
                length,
                tags,
                (None, false),
                Print::Unknown,
            );
        }
    }

    fn qualified(&mut self, name: &str, qualifier: &str) -> String {
        match self.random.below(5) {
            0 => format!("{name} ({qualifier})"),
            1 => format!("{name} - {qualifier}"),
            2 => format!("{name} [{}]", qualifier.to_lowercase()),
            3 => format!("{name} {qualifier}"),
            _ => format!("{name} ({qualifier} 2011)"),
        }
    }

    /// Both versions are known: the file says which it is.
    fn versions_that_exist(&mut self) {
        let (by, title, songs) = self.album(6);
        let qualifier = *self.random.pick(&QUALIFIERS);
        let mut versions: Vec<Cut> = self.again(&songs, "", &by, (0, 20_000));
        for (name, _, recording) in &mut versions {
            *name = format!("{name} ({})", qualifier.to_lowercase());
            self.world.recordings[*recording].title.clone_from(name);
        }
        self.publish(
            &format!("{title}: {qualifier}"),
            &by,
            &versions,
            About::default(),
        );
        for (name, length, recording) in versions.iter().take(3) {
            self.next_folder();
            let tags = serde_json::json!({"title": name.replace('(', "[").replace(')', "]"), "artist": by.name});
            self.file(
                "version that exists",
                *length,
                tags,
                (Some(*recording), true),
                Print::Usual(*recording),
            );
        }
        for (name, length, recording) in songs.iter().skip(3) {
            self.next_folder();
            let tags = serde_json::json!({"title": name, "artist": by.name, "album": title});
            self.file(
                "plain one beside a version",
                *length,
                tags,
                (Some(*recording), true),
                Print::Usual(*recording),
            );
        }
    }

    /// The same symphonies by the same orchestra, twice; the second cycle may be unknown.
    fn second_cycle(&mut self) {
        let (forename, surname) = words::person(&mut self.random);
        let by = self.person_called(&format!("{forename} {surname}"));
        let movements = [
            "I. Allegro con brio",
            "II. Andante",
            "III. Scherzo",
            "IV. Finale",
        ];
        let number = self.between(1, 9);
        let mut first: Vec<Cut> = Vec::new();
        for movement in movements {
            let song = self.cut(
                &format!("Symphony no. {number} in C minor: {movement}"),
                "",
                &by,
            );
            first.push(song);
        }
        let second = self.again(&first, "", &by, (2_500, 14_000));
        let exists = self.chance(50);
        self.publish(
            "The Symphonies",
            &by,
            &first,
            About {
                remark: "1963 cycle",
                year: 1963,
                ..About::default()
            },
        );
        if exists {
            self.publish(
                "The Symphonies",
                &by,
                &second,
                About {
                    remark: "1977 cycle",
                    year: 1977,
                    ..About::default()
                },
            );
        }
        self.next_folder();
        for (at, (name, length, recording)) in second.iter().enumerate() {
            let mut tags = tags(name, &by.name, "The Symphonies (1977)", at, 4);
            tags["year"] = serde_json::json!(1977);
            let truth = exists.then_some(*recording);
            self.file(
                "second cycle",
                *length,
                tags,
                (truth, false),
                Print::Unknown,
            );
        }
    }

    /// Seven mono editions come before the stereo one that the files are.
    fn stereo_after_mono(&mut self) {
        let by = self.person();
        let title = self.title();
        let mono = self.songs(8, &by);
        for (.., recording) in &mono {
            "mono".clone_into(&mut self.world.recordings[*recording].remark);
        }
        for edition in 0..7 {
            let about = About {
                remark: "mono",
                group: &title,
                year: 1966 + edition,
                ..About::default()
            };
            self.publish(&title, &by, &mono, about);
        }
        let stereo = self.again(&mono, "stereo", &by, (1_500, 6_000));
        self.publish(
            &title,
            &by,
            &stereo,
            About {
                remark: "stereo",
                group: &title,
                year: 1987,
                ..About::default()
            },
        );
        let album = if self.chance(50) {
            format!("{title} (Stereo)")
        } else {
            title
        };
        self.folder_of("stereo after mono", (&by.name, &album), &stereo, true);
    }

    /// A live album whose tracks are not called live; the studio album is known, too.
    fn live_album_with_plain_titles(&mut self) {
        let (by, title, songs) = self.album(6);
        let live = self.again(&songs, "live, 1981-05-01: Civic Hall", &by, (4_000, 30_000));
        let album = format!("{title} Live");
        self.publish(
            &album,
            &by,
            &live,
            About {
                secondary: &["Live"],
                ..About::default()
            },
        );
        self.folder_of(
            "live album with plain titles",
            (&by.name, &album),
            &live,
            true,
        );
    }

    /// Songs of an artist by a tribute band that is unknown.
    fn tribute_by_others(&mut self) {
        let (by, _, songs) = self.album(5);
        for (name, length, original) in songs.iter().take(3) {
            self.next_folder();
            let artist = match self.random.below(3) {
                0 => format!("{} Tribute Band", by.name),
                1 => format!("The {} Experience", by.name.trim_start_matches("The ")),
                _ => "Party Hits Karaoke".to_owned(),
            };
            let tags =
                serde_json::json!({"title": name, "artist": artist, "album": "Hits Reloaded"});
            let print = if self.chance(20) {
                Print::Just(0.6, vec![linked(*original, 1)])
            } else {
                Print::Unknown
            };
            self.file("tribute by others", *length, tags, (None, false), print);
        }
    }
}
