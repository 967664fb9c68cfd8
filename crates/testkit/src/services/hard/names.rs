//! Names that look alike, and names as people write them.

use serde_json::json;

use super::{About, Maker, Print, linked, tags, words};

/// Titles that are another song each, though they look alike.
const ALIKE: [(&str, &str); 14] = [
    ("My Side", "Your Side"),
    ("Will You Stay", "Won't You Stay"),
    ("Prelude XII", "Prelude XIII"),
    ("Here Comes the Sun", "Here Comes the Son"),
    ("Part One", "Part Two"),
    ("I Do", "I Don't"),
    ("Never Again", "Ever Again"),
    ("Nocturne no. 4", "Nocturne no. 14"),
    ("He Loves Me", "She Loves Me"),
    ("Etude in A major", "Etude in A minor"),
    ("Open the Door", "Close the Door"),
    ("Love Me", "Leave Me"),
    ("Up the Hill", "Down the Hill"),
    ("With You", "Without You"),
];
/// What people call a compilation's artist.
const VARIOUS: [&str; 9] = [
    "V.A.",
    "VA",
    "Varios Artistas",
    "Various",
    "Various Artists",
    "Soundtrack",
    "Verschiedene Interpreten",
    "Artistes Divers",
    "Original Soundtrack",
];

impl Maker {
    pub(super) fn names(&mut self) {
        self.titles_alike();
        self.artists_a_letter_apart();
        self.various_artists();
        self.artists_reversed();
        self.composer_as_artist();
        self.as_people_write();
        self.placeholders();
        self.scripts();
        self.marks();
        self.other_credits();
    }

    fn titles_alike(&mut self) {
        let by = self.person();
        let (one, other) = *self.random.pick(&ALIKE);
        let known = self.cut(one, "", &by);
        let album = self.title();
        let mut songs = self.songs(3, &by);
        songs.push(known.clone());
        self.publish(&album, &by, &songs, About::default());
        self.next_folder();
        let tags = json!({"title": other, "artist": by.name});
        // The other song is unknown, or known as well and of nearly the same length.
        if self.chance(50) {
            self.file("titles alike", known.1, tags, (None, false), Print::Unknown);
        } else {
            let recording = self.record(other, "", &by, known.1 + 700);
            self.publish(
                other,
                &by,
                &[(other.to_owned(), known.1 + 700, recording)],
                About::default(),
            );
            self.file(
                "titles alike",
                known.1,
                tags,
                (Some(recording), true),
                Print::Unknown,
            );
        }
    }

    fn artists_a_letter_apart(&mut self) {
        let (forename, surname) = words::person(&mut self.random);
        let name = format!("{forename} {surname}");
        let mut letters: Vec<char> = name.chars().collect();
        let at = 1 + self.random.below(forename.len() as u64 - 1) as usize;
        letters[at] = if letters[at] == 'a' { 'o' } else { 'a' };
        let other: String = letters.into_iter().collect();
        let (known, unknown) = (self.person_called(&name), other);
        let songs = self.songs(2, &known);
        let album = self.title();
        self.publish(&album, &known, &songs, About::default());
        let (title, length, _) = songs[0].clone();
        self.next_folder();
        let tags = json!({"title": title, "artist": unknown, "album": "Debut"});
        if self.chance(50) {
            self.file(
                "artists a letter apart",
                length,
                tags,
                (None, false),
                Print::Unknown,
            );
        } else {
            let person = self.person_called(&unknown);
            let recording = self.record(&title, "", &person, length + 500);
            self.publish(
                "Debut",
                &person,
                &[(title, length + 500, recording)],
                About::default(),
            );
            self.file(
                "artists a letter apart",
                length,
                tags,
                (Some(recording), true),
                Print::Unknown,
            );
        }
    }

    fn various_artists(&mut self) {
        let various = self.person_called("Various Artists");
        let album = self.title();
        let mut songs = Vec::new();
        for _ in 0..8 {
            let by = self.person();
            let title = self.title();
            songs.push(self.cut(&title, "", &by));
        }
        self.publish(
            &album,
            &various,
            &songs,
            About {
                secondary: &["Compilation"],
                ..About::default()
            },
        );
        let called = *self.random.pick(&VARIOUS);
        self.next_folder();
        for (at, (name, length, recording)) in songs.iter().enumerate() {
            let tags = tags(name, called, &album, at, 8);
            self.file(
                "various artists",
                *length,
                tags,
                (Some(*recording), true),
                Print::Usual(*recording),
            );
        }
    }

    fn artists_reversed(&mut self) {
        let (forename, surname) = words::person(&mut self.random);
        let by = self.person_called(&format!("{forename} {surname}"));
        let reversed = format!("{surname}, {forename}");
        self.about_artist(&by, &reversed, &[]);
        let songs = self.songs(4, &by);
        let album = self.title();
        self.publish(&album, &by, &songs, About::default());
        for (at, (name, length, recording)) in songs.iter().enumerate() {
            self.next_folder();
            let tags = match at {
                0 => json!({"title": name, "artist": reversed}),
                1 => {
                    json!({"title": name, "artist": format!("{surname} {forename}"), "album": album})
                }
                // Title and artist have changed places.
                2 => json!({"title": by.name, "artist": name}),
                _ => json!({"title": name, "artist": reversed.to_uppercase(), "album": album}),
            };
            self.file(
                "names reversed",
                *length,
                tags,
                (Some(*recording), true),
                Print::Unknown,
            );
        }
    }

    fn composer_as_artist(&mut self) {
        let (forename, surname) = words::person(&mut self.random);
        let composer = self.person_called(&format!("{forename} {surname}"));
        let player = self.person();
        let number = self.between(1, 30);
        let mut songs = Vec::new();
        for movement in ["I. Allegro", "II. Adagio", "III. Presto", "IV. Rondo"] {
            songs.push(self.cut(
                &format!("Sonata no. {number} in D major: {movement}"),
                "",
                &player,
            ));
        }
        let album = format!("{surname}: Sonata no. {number}");
        self.publish(&album, &composer, &songs, About::default());
        self.next_folder();
        for (at, (name, length, recording)) in songs.iter().enumerate() {
            let tags = tags(name, &composer.name, &album, at, 4);
            self.file(
                "composer as artist",
                *length,
                tags,
                (Some(*recording), true),
                Print::Usual(*recording),
            );
        }
    }

    fn as_people_write(&mut self) {
        let by = self.person();
        let mut songs = self.songs(6, &by);
        let numbered = self.cut("Two Hundred and Five Reasons", "", &by);
        songs.push(numbered);
        let counted = self.cut("Chapter 4", "", &by);
        songs.push(counted);
        let album = self.title();
        self.publish(&album, &by, &songs, About::default());
        for (at, (name, length, recording)) in songs.iter().enumerate() {
            let (title, artist) = match at {
                0 => (format!("0{} - {name}", at + 1), Some(by.name.clone())),
                1 => (format!("{} - {name}", by.name), None),
                2 => (format!("{name} (Album Version)"), Some(by.name.clone())),
                3 => (
                    name.to_uppercase().replace(' ', "_"),
                    Some(by.name.to_uppercase()),
                ),
                4 => (format!("0{} {name}.mp3", at + 1), Some(by.name.clone())),
                5 => (format!("{} - {name}", by.name), Some(by.name.clone())),
                6 => ("205 Reasons".to_owned(), Some(by.name.clone())),
                _ => ("Chapter Four".to_owned(), Some(by.name.clone())),
            };
            self.next_folder();
            let mut tags = json!({"title": title});
            if let Some(artist) = artist {
                tags["artist"] = json!(artist);
            }
            let clear = at != 6;
            self.file(
                "as people write",
                *length,
                tags,
                (Some(*recording), clear),
                Print::Unknown,
            );
        }
    }

    /// Titles that say nothing, and lengths that say everything.
    fn placeholders(&mut self) {
        let (by, album, songs) = self.album(9);
        let has_artist = self.chance(60);
        self.next_folder();
        for (at, (_, length, recording)) in songs.iter().enumerate() {
            let title = format!("Track {:02}", at + 1);
            let artist = if has_artist {
                by.name.as_str()
            } else {
                "Unknown Artist"
            };
            let tags = tags(&title, artist, &album, at, 9);
            self.file(
                "placeholder titles",
                *length,
                tags,
                (Some(*recording), true),
                Print::Unknown,
            );
        }
    }

    /// Titles in other scripts, by artists who have a Latin alias.
    fn scripts(&mut self) {
        for script in [words::CYRILLIC, words::GREEK, words::HAN, words::KANA] {
            let name = *self.random.pick(&script);
            let latin = self.person().name;
            let by = self.person_called(name);
            self.about_artist(&by, &latin, &[&latin]);
            let mut songs = Vec::new();
            for title in script.iter().filter(|title| **title != name).take(3) {
                songs.push(self.cut(title, "", &by));
            }
            let album = songs[0].0.clone();
            self.publish(&album, &by, &songs, About::default());
            for (at, (title, length, recording)) in songs.iter().enumerate() {
                let artist = if at == 1 { &latin } else { &by.name };
                self.next_folder();
                let tags = json!({"title": title, "artist": artist});
                self.file(
                    "other scripts",
                    *length,
                    tags,
                    (Some(*recording), true),
                    Print::Unknown,
                );
            }
        }
    }

    /// Titles with marks inside words.
    fn marks(&mut self) {
        let by = self.person();
        let mut songs = Vec::new();
        for title in [
            "S.O.S.",
            "Don't Say It's Over",
            "Rock 'n' Roll Mystery",
            "A.D.I.D.A.S. Again",
        ] {
            songs.push(self.cut(title, "", &by));
        }
        let album = self.title();
        self.publish(&album, &by, &songs, About::default());
        for (title, length, recording) in &songs {
            self.next_folder();
            let title = if self.chance(50) {
                title.replace('\'', "’")
            } else {
                title.clone()
            };
            let tags = json!({"title": title, "artist": by.name});
            self.file(
                "marks inside words",
                *length,
                tags,
                (Some(*recording), true),
                Print::Unknown,
            );
        }
    }

    fn other_credits(&mut self) {
        let (one, two) = (self.person(), self.person());
        let mut songs = self.songs(4, &one);
        for (at, (name, _, recording)) in songs.iter_mut().enumerate() {
            let join = [" feat. ", " & ", " with ", " x "][at];
            self.with_guest(*recording, join, &two);
            let _ = name;
        }
        let album = self.title();
        self.publish(&album, &one, &songs, About::default());
        for (at, (name, length, recording)) in songs.iter().enumerate() {
            self.next_folder();
            let tags = match at {
                0 => json!({"title": format!("{name} (feat. {})", two.name), "artist": one.name}),
                1 => json!({"title": name, "artist": format!("{}; {}", one.name, two.name)}),
                2 => {
                    json!({"title": name, "artist": format!("{} featuring {}", one.name, two.name)})
                }
                _ => json!({"title": format!("{name} ft. {}", two.name), "artist": one.name}),
            };
            let print = if at == 1 {
                Print::Just(0.95, vec![linked(*recording, 4)])
            } else {
                Print::Unknown
            };
            self.file(
                "other credits",
                *length,
                tags,
                (Some(*recording), true),
                print,
            );
        }
    }
}
