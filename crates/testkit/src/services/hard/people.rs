//! Who takes part, who conducts, when it came out, and signs that tell titles apart.

use serde_json::json;

use super::{About, Maker, Person, Print, words};

/// Titles that a sign tells apart, the first of which is known.
const SIGNS: [(&str, &str); 6] = [
    ("Etude in C minor", "Etude in C# minor"),
    ("The C Song", "The C++ Song"),
    ("Study in F major", "Study in F♯ major"),
    ("Crush", "#1 Crush"),
    ("Prelude in G", "Prelude in G#"),
    ("Language C", "Language C#"),
];

/// Orchestras, each with what it is called in another language.
const ORCHESTRAS: [(&str, &str); 6] = [
    ("Wiener Philharmoniker", "Vienna Philharmonic"),
    ("Berliner Philharmoniker", "Berlin Philharmonic"),
    ("Staatskapelle Dresden", "Dresden State Orchestra"),
    ("New York Philharmonic", "New York Philharmonic Orchestra"),
    ("Česká filharmonie", "Czech Philharmonic"),
    ("Orchestre de Paris", "Paris Orchestra"),
];

const MOVEMENTS: [&str; 4] = ["I. Allegro", "II. Adagio", "III. Scherzo", "IV. Finale"];

impl Maker {
    pub(super) fn people(&mut self) {
        self.guest_decides();
        self.guest_of_one_side();
        self.another_orchestra(true);
        self.another_orchestra(false);
        self.told_by_the_year();
        self.signs();
        self.single_version();
    }

    /// One song with a guest and without, nearly as long.
    fn guest_decides(&mut self) {
        let (by, guest) = (self.person(), self.person());
        let (title, album) = (self.title(), self.title());
        let plain = self.cut(&title, "", &by);
        let length = plain.1 + self.between(0, 1_500);
        let with = self.record(&title, "", &by, length);
        self.with_guest(with, " feat. ", &guest);
        let mut cuts = self.songs(3, &by);
        cuts.push(plain.clone());
        cuts.push((title.clone(), length, with));
        self.publish(&album, &by, &cuts, About::default());
        let word = *self.random.pick(&["feat.", "ft.", "with", "featuring"]);
        let in_title =
            json!({"title": format!("{title} ({word} {})", guest.name), "artist": by.name});
        let in_artist =
            json!({"title": title, "artist": format!("{} feat. {}", by.name, guest.name)});
        let of_nobody = json!({"title": title, "artist": by.name});
        for (mut tags, truth, length) in [
            (in_title, with, length),
            (in_artist, with, length),
            (of_nobody, plain.2, plain.1),
        ] {
            if self.chance(50) {
                tags["album"] = json!(album);
            }
            self.next_folder();
            self.file(
                "guest decides",
                length,
                tags,
                (Some(truth), true),
                Print::Unknown,
            );
        }
    }

    /// Only the file, or only the catalogue, names the guest.
    fn guest_of_one_side(&mut self) {
        let (by, guest) = (self.person(), self.person());
        let album = self.title();
        let songs = self.songs(4, &by);
        self.with_guest(songs[0].2, " feat. ", &guest);
        self.publish(&album, &by, &songs, About::default());
        for (at, (title, length, recording)) in songs.iter().enumerate().take(3) {
            let title = if at == 0 {
                title.clone()
            } else {
                format!("{title} (feat. {})", guest.name)
            };
            let mut tags = json!({"title": title, "artist": by.name});
            if self.chance(50) {
                tags["album"] = json!(album);
            }
            self.next_folder();
            let truth = (Some(*recording), true);
            self.file(
                "guest named by one side",
                *length,
                tags,
                truth,
                Print::Usual(*recording),
            );
        }
    }

    fn orchestra(&mut self) -> (Person, &'static str) {
        let (name, other) = *self.random.pick(&ORCHESTRAS);
        let person = self.person_called(name);
        self.about_artist(&person, name, &[other]);
        (person, other)
    }

    /// A symphony by one orchestra, or by two; files of one that is there, or of another.
    fn another_orchestra(&mut self, is_there: bool) {
        let (forename, surname) = words::person(&mut self.random);
        let composer = self.person_called(&format!("{forename} {surname}"));
        let number = self.between(1, 9);
        let name = format!("Symphony no. {number} in C minor");
        let mut cycles = Vec::new();
        while cycles.len() < 2 {
            let (orchestra, other) = self.orchestra();
            if cycles
                .iter()
                .any(|(one, ..): &(Person, _, _, _)| one.name == orchestra.name)
            {
                continue;
            }
            let conductor = self.person();
            let lengths: Vec<u64> = (0..4).map(|_| self.length() + 120_000).collect();
            cycles.push((orchestra, other, conductor, lengths));
        }
        // The other orchestra's takes are as long as these, now and then.
        if self.chance(50) {
            let near: Vec<u64> = cycles[0].3.iter().map(|length| length + 900).collect();
            cycles[1].3 = near;
        }
        let known = if is_there { 2 } else { 1 };
        let mut truths = vec![None; 4];
        for (at, (orchestra, _, conductor, lengths)) in cycles.iter().enumerate().take(known) {
            let mut cuts = Vec::new();
            for (movement, length) in MOVEMENTS.iter().zip(lengths) {
                let title = format!("{name}: {movement}");
                let recording = self.record(&title, "", &composer, *length);
                self.with_guest(recording, "; ", orchestra);
                self.with_guest(recording, ", ", conductor);
                cuts.push((title, *length, recording));
            }
            if at == 1 {
                truths = cuts.iter().map(|cut| Some(cut.2)).collect();
            }
            self.publish(
                &format!("{surname}: {name}"),
                &composer,
                &cuts,
                About::default(),
            );
        }
        let (orchestra, other, conductor, lengths) = cycles.swap_remove(1);
        let way = self.random.below(4);
        self.next_folder();
        for (at, (movement, length)) in MOVEMENTS.iter().zip(lengths).enumerate() {
            let title = format!("{name}: {movement}");
            let album = format!("{surname}: {name}");
            let mut tags = json!({"title": title, "album": album, "track": at + 1});
            match way {
                0 => {
                    let all = format!("{}; {}, {}", composer.name, orchestra.name, conductor.name);
                    tags["artist"] = json!(all);
                }
                1 => tags["artist"] = json!(format!("{other}, {}", conductor.name)),
                2 => {
                    tags["artist"] = json!(composer.name);
                    tags["performers"] = json!([conductor.name, orchestra.name]);
                }
                _ => {
                    tags["artist"] = json!(conductor.name);
                    tags["composers"] = json!([composer.name]);
                }
            }
            let kind = if is_there {
                "one orchestra of two"
            } else {
                "another orchestra"
            };
            self.file(kind, length, tags, (truths[at], is_there), Print::Unknown);
        }
    }

    /// An album, and the same recorded again decades later; the tags' year says which, or is that of a pressing.
    fn told_by_the_year(&mut self) {
        let by = self.person();
        let (album, year) = (self.title(), self.between(1965, 1990));
        let songs = self.songs(5, &by);
        let again = self.again(&songs, "", &by, (200, 2_500));
        self.publish(
            &album,
            &by,
            &songs,
            About {
                year,
                ..About::default()
            },
        );
        let later = year + self.between(15, 30);
        self.publish(
            &album,
            &by,
            &again,
            About {
                year: later,
                remark: "recorded again",
                ..About::default()
            },
        );
        self.next_folder();
        for (at, (title, length, recording)) in again.iter().enumerate() {
            let mut tags = super::tags(title, &by.name, &album, at, 5);
            tags["year"] = json!(later);
            self.file(
                "told by the year",
                *length,
                tags,
                (Some(*recording), true),
                Print::Unknown,
            );
        }
        let (by, album, songs) = self.album(5);
        let pressing = self.between(1985, 2024);
        self.next_folder();
        for (at, (title, length, recording)) in songs.iter().enumerate() {
            let mut tags = super::tags(title, &by.name, &album, at, 5);
            tags["year"] = json!(pressing);
            let truth = (Some(*recording), true);
            self.file(
                "year of a pressing",
                *length,
                tags,
                truth,
                Print::Usual(*recording),
            );
        }
    }

    /// The known title, or one that a sign tells from it.
    fn signs(&mut self) {
        let by = self.person();
        let (one, other) = *self.random.pick(&SIGNS);
        let known = self.cut(one, "", &by);
        let album = self.title();
        self.publish(&album, &by, std::slice::from_ref(&known), About::default());
        let tags = json!({"title": other, "artist": by.name});
        self.next_folder();
        self.file(
            "told by a sign",
            known.1,
            tags,
            (None, false),
            Print::Unknown,
        );
    }

    /// A single's version beside the album's, asked for by its own name.
    fn single_version(&mut self) {
        let (by, album, songs) = self.album(4);
        let (title, length, _) = songs[0].clone();
        let shorter = length - self.between(8_000, 40_000);
        let single = self.record(&title, "single version", &by, shorter);
        self.publish(
            &title,
            &by,
            &[(title.clone(), shorter, single)],
            About::default(),
        );
        let called = *self
            .random
            .pick(&["Single Version", "single version", "Single Edit"]);
        let tags = json!({"title": format!("{title} ({called})"), "artist": by.name});
        self.next_folder();
        self.file(
            "version of a single",
            shorter,
            tags,
            (Some(single), true),
            Print::Unknown,
        );
        let tags =
            json!({"title": format!("{title} (Album Version)"), "artist": by.name, "album": album});
        self.next_folder();
        self.file(
            "version of a single",
            length,
            tags,
            (Some(songs[0].2), true),
            Print::Unknown,
        );
    }
}
